"""net/sched/sch_fifo.c: first in, first out, limited in packets (pfifo) or bytes (bfifo)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.linux.include.linux.netdevice import NET_XMIT_DROP, NET_XMIT_SUCCESS
from kshell.linux.include.linux.skbuff import __skb_dequeue, __skb_queue_tail
from kshell.linux.include.net.sch_generic import TCQ_F_CAN_BYPASS, Qdisc, Qdisc_ops, qdisc_dev
from kshell.linux.net.core.skbuff import kfree_skb
from kshell.linux.net.sched import sch_generic

if TYPE_CHECKING:
    from kshell.linux.include.linux.skbuff import sk_buff


def _enqueue_tail(skb: sk_buff, sch: Qdisc) -> int:
    __skb_queue_tail(sch.q, skb)
    sch.qstats.backlog += skb.len
    return NET_XMIT_SUCCESS


def _drop(skb: sk_buff, sch: Qdisc) -> int:
    sch.qstats.drops += 1
    kfree_skb(skb)
    return NET_XMIT_DROP


def pfifo_enqueue(skb: sk_buff, sch: Qdisc) -> int:
    """Queue a packet if there are fewer than `limit`."""
    return _enqueue_tail(skb, sch) if sch.q.qlen < sch.limit else _drop(skb, sch)


def bfifo_enqueue(skb: sk_buff, sch: Qdisc) -> int:
    """Queue a packet if that makes at most `limit` bytes."""
    return _enqueue_tail(skb, sch) if sch.qstats.backlog + skb.len <= sch.limit else _drop(skb, sch)


def qdisc_dequeue_head(sch: Qdisc) -> sk_buff | None:
    """The oldest packet."""
    skb = __skb_dequeue(sch.q)
    if skb is not None:
        sch.qstats.backlog -= skb.len
        sch_generic.qdisc_bstats_update(sch, skb)
    return skb


def qdisc_peek_head(sch: Qdisc) -> sk_buff | None:
    """The packet that qdisc_dequeue_head() would give."""
    return sch.q.next


def fifo_init(sch: Qdisc) -> None:
    """The limit is the device's queue length, in packets or in frames' worth of bytes."""
    dev = qdisc_dev(sch)
    sch.limit = dev.tx_queue_len * (dev.mtu + dev.hard_header_len if sch.ops is bfifo_qdisc_ops else 1)
    sch.flags |= TCQ_F_CAN_BYPASS


pfifo_qdisc_ops = Qdisc_ops(
    id="pfifo", enqueue=pfifo_enqueue, dequeue=qdisc_dequeue_head, peek=qdisc_peek_head, init=fifo_init
)
bfifo_qdisc_ops = Qdisc_ops(
    id="bfifo", enqueue=bfifo_enqueue, dequeue=qdisc_dequeue_head, peek=qdisc_peek_head, init=fifo_init
)
