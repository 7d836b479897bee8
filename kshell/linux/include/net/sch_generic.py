"""Queueing disciplines (include/net/sch_generic.h)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from kshell.linux.include.linux.skbuff import sk_buff_head

if TYPE_CHECKING:
    from kshell.linux.include.linux.netdevice import net_device
    from kshell.linux.include.linux.skbuff import sk_buff

TC_PRIO_CONTROL = 7  # skb->priority of what keeps the network going

TCQ_F_BUILTIN = 1
TCQ_F_CAN_BYPASS = 4

QDISC_STATE_SCHED = 0
QDISC_STATE_DEACTIVATED = 1


class Qdisc_ops:
    """What a discipline does; id is its name. enqueue None: packets go straight to the driver."""

    __slots__ = ("dequeue", "destroy", "enqueue", "id", "init", "peek", "reset")

    def __init__(
        self,
        *,
        id: str,
        enqueue: Callable[[sk_buff, Qdisc], int] | None = None,
        dequeue: Callable[[Qdisc], sk_buff | None] | None = None,
        peek: Callable[[Qdisc], sk_buff | None] | None = None,
        init: Callable[[Qdisc], None] | None = None,
        reset: Callable[[Qdisc], None] | None = None,
        destroy: Callable[[Qdisc], None] | None = None,
    ) -> None:
        self.id = id
        self.enqueue = enqueue
        self.dequeue = dequeue
        self.peek = peek
        self.init = init
        self.reset = reset
        self.destroy = destroy


class gnet_stats_queue:
    """What a queue holds and lost."""

    __slots__ = ("backlog", "drops", "overlimits", "qlen", "requeues")

    def __init__(self) -> None:
        self.qlen = self.backlog = self.drops = self.requeues = self.overlimits = 0


class gnet_stats_basic_sync:
    """What went through a queue."""

    __slots__ = ("bytes", "packets")

    def __init__(self) -> None:
        self.bytes = self.packets = 0


class Qdisc:
    """The queue before a device. privdata: what the discipline keeps. _dev: dev_queue->dev."""

    __slots__ = (
        "_dev", "bstats", "dequeue", "enqueue", "flags", "gso_skb", "handle", "limit", "ops", "parent", "privdata", "q",
        "qstats", "refcnt", "state",
    )  # fmt: skip
    privdata: object

    def __init__(self, ops: Qdisc_ops, dev: net_device | None) -> None:
        self.ops = ops
        self.enqueue = ops.enqueue
        self.dequeue = ops.dequeue
        self._dev = dev
        self.flags = self.handle = self.parent = self.limit = self.state = 0
        self.refcnt = 1
        self.q = sk_buff_head()
        self.gso_skb = sk_buff_head()
        self.bstats = gnet_stats_basic_sync()
        self.qstats = gnet_stats_queue()
        self.privdata = None


def qdisc_dev(qdisc: Qdisc) -> net_device:
    """The device that the queue is before."""
    assert qdisc._dev is not None
    return qdisc._dev


def qdisc_pkt_len(skb: sk_buff) -> int:
    """Bytes that a packet counts for."""
    return skb.len
