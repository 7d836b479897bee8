"""Queueing disciplines (include/net/sch_generic.h)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from kshell.linux.include.linux.skbuff import sk_buff_head

if TYPE_CHECKING:
    from kshell.linux.include.linux.netdevice import net_device
    from kshell.linux.include.linux.skbuff import sk_buff


class Qdisc_ops:
    """What a discipline does; id is its name. enqueue None: packets go straight to the driver."""

    __slots__ = ("dequeue", "enqueue", "id", "init")

    def __init__(
        self,
        *,
        id: str,
        enqueue: Callable[[sk_buff, Qdisc], int] | None = None,
        dequeue: Callable[[Qdisc], sk_buff | None] | None = None,
        init: Callable[[Qdisc], None] | None = None,
    ) -> None:
        self.id = id
        self.enqueue = enqueue
        self.dequeue = dequeue
        self.init = init


class Qdisc:
    """The queue before a device."""

    __slots__ = ("_dev", "enqueue", "flags", "handle", "limit", "ops", "parent", "q", "refcnt")

    def __init__(self, ops: Qdisc_ops, dev: net_device | None) -> None:
        self.ops = ops
        self.enqueue = ops.enqueue
        self._dev = dev
        self.flags = self.handle = self.parent = self.limit = 0
        self.refcnt = 1
        self.q = sk_buff_head()
