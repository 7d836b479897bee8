"""The disciplines every device can have (net/sched/sch_generic.c): none at all, and first in first out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kshell.linux.include.linux.netdevice import IFF_NO_QUEUE, NET_XMIT_CN, NET_XMIT_DROP, NET_XMIT_SUCCESS
from kshell.linux.include.linux.skbuff import __skb_dequeue, __skb_queue_tail, __skb_unlink
from kshell.linux.include.net.sch_generic import Qdisc, Qdisc_ops
from kshell.linux.net.core.skbuff import kfree_skb

if TYPE_CHECKING:
    from kshell.linux.include.linux.netdevice import net_device
    from kshell.linux.include.linux.skbuff import sk_buff

PRIO_BANDS: Final = 3
PRIO2BAND: Final = (1, 2, 2, 2, 1, 2, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1)


def noop_enqueue(skb: sk_buff, qdisc: Qdisc) -> int:
    """A device that is down drops what it is given."""
    kfree_skb(skb)
    return NET_XMIT_CN


def pfifo_fast_enqueue(skb: sk_buff, qdisc: Qdisc) -> int:
    """Queue by the band of the packet's priority; a full queue drops."""
    if qdisc.q.qlen >= qdisc.limit:
        kfree_skb(skb)
        return NET_XMIT_DROP
    __skb_queue_tail(qdisc.q, skb)
    return NET_XMIT_SUCCESS


def pfifo_fast_dequeue(qdisc: Qdisc) -> sk_buff | None:
    """The next packet: of the lowest band, the oldest."""
    best: sk_buff | None = None
    for skb in qdisc.q:
        if best is None or PRIO2BAND[skb.priority & 15] < PRIO2BAND[best.priority & 15]:
            best = skb
    if best is not None:
        __skb_unlink(best, qdisc.q)
    return best


def pfifo_fast_init(qdisc: Qdisc) -> None:
    """The queue is as long as the device wants it."""
    assert qdisc._dev is not None
    qdisc.limit = qdisc._dev.tx_queue_len


noop_qdisc_ops = Qdisc_ops(id="noop", enqueue=noop_enqueue)
noqueue_qdisc_ops = Qdisc_ops(id="noqueue")
pfifo_fast_ops = Qdisc_ops(id="pfifo_fast", enqueue=pfifo_fast_enqueue, dequeue=pfifo_fast_dequeue, init=pfifo_fast_init)


def qdisc_alloc(dev: net_device, ops: Qdisc_ops) -> Qdisc:
    """A queue for dev."""
    qdisc = Qdisc(ops, dev)
    if ops.init is not None:
        ops.init(qdisc)
    return qdisc


def attach_default_qdiscs(dev: net_device) -> None:
    """Give the device what it has unless somebody configures another."""
    dev.qdisc = qdisc_alloc(dev, noqueue_qdisc_ops if dev.priv_flags & IFF_NO_QUEUE else pfifo_fast_ops)


def dev_init_scheduler(dev: net_device) -> None:
    """A device begins without a queue."""
    dev.qdisc = Qdisc(noop_qdisc_ops, dev)


def dev_activate(dev: net_device) -> None:
    """The device goes up: packets may flow."""
    if dev.qdisc is None or dev.qdisc.ops is noop_qdisc_ops:
        attach_default_qdiscs(dev)


def dev_deactivate(dev: net_device) -> None:
    """The device goes down: what waits is dropped."""
    if dev.qdisc is not None:
        while (skb := __skb_dequeue(dev.qdisc.q)) is not None:
            kfree_skb(skb)
    dev_init_scheduler(dev)


def dev_shutdown(dev: net_device) -> None:
    """The device is unregistered."""
    dev_deactivate(dev)
