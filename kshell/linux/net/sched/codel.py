"""include/net/codel.h and codel_impl.h: drop when packets stay in the queue for longer than they should."""

from __future__ import annotations

from collections.abc import Callable
from math import isqrt
from typing import TYPE_CHECKING

from kshell.linux.include.linux.time64 import NSEC_PER_MSEC

if TYPE_CHECKING:
    from kshell.linux.include.linux.skbuff import sk_buff
    from kshell.linux.include.net.sch_generic import Qdisc


class codel_params:
    """target: how long (ns) packets may stay; interval: how long they may stay longer than that."""

    __slots__ = ("interval", "mtu", "target")

    def __init__(self, mtu: int) -> None:
        self.target = 5 * NSEC_PER_MSEC
        self.interval = 100 * NSEC_PER_MSEC
        self.mtu = mtu


class codel_vars:
    """Where a queue stands: how many were dropped in this bad time, when the next drop is due (ns)."""

    __slots__ = ("count", "drop_next", "dropping", "first_above_time", "lastcount", "ldelay")

    def __init__(self) -> None:
        self.count = self.lastcount = self.first_above_time = self.drop_next = self.ldelay = 0
        self.dropping = False


class codel_stats:
    """What was dropped."""

    __slots__ = ("drop_count", "drop_len", "maxpacket")

    def __init__(self) -> None:
        self.drop_count = self.drop_len = self.maxpacket = 0


class codel_skb_cb:
    """When a packet was queued (ns), and the control block it had before."""

    __slots__ = ("cb", "enqueue_time")

    def __init__(self, enqueue_time: int, cb: object) -> None:
        self.enqueue_time = enqueue_time
        self.cb = cb


def codel_control_law(t: int, interval: int, count: int) -> int:
    """When the next packet is to be dropped: sooner and sooner."""
    return t + interval * 1024 // max(isqrt(count << 20), 1)


def codel_should_drop(
    skb: sk_buff | None, enqueued: int, backlog: int, vars: codel_vars, params: codel_params, stats: codel_stats, now: int
) -> bool:
    """True if packets have been staying too long for a whole interval."""
    if skb is None:
        vars.first_above_time = 0
        return False
    vars.ldelay = now - enqueued
    stats.maxpacket = max(stats.maxpacket, skb.len)
    if vars.ldelay < params.target or backlog <= params.mtu:
        vars.first_above_time = 0
        return False
    if not vars.first_above_time:
        vars.first_above_time = now + params.interval
        return False
    return now > vars.first_above_time


class _Flow:
    """What codel_dequeue() needs of a queue."""

    __slots__ = ("drop", "now", "params", "sch", "stats", "take", "vars")

    def __init__(
        self,
        sch: Qdisc,
        params: codel_params,
        vars: codel_vars,
        stats: codel_stats,
        now: int,
        take: Callable[[], tuple[sk_buff | None, int]],
        drop: Callable[[sk_buff], None],
    ) -> None:
        self.sch, self.params, self.vars, self.stats, self.now, self.take, self.drop = (
            sch, params, vars, stats, now, take, drop,
        )  # fmt: skip

    def next(self) -> tuple[sk_buff | None, bool]:
        skb, enqueued = self.take()
        should = codel_should_drop(
            skb, enqueued, self.sch.qstats.backlog, self.vars, self.params, self.stats, self.now
        )  # fmt: skip
        return skb, should

    def discard(self, skb: sk_buff) -> None:
        self.stats.drop_count += 1
        self.stats.drop_len += skb.len
        self.drop(skb)


def _go_on_dropping(flow: _Flow, skb: sk_buff | None) -> sk_buff | None:
    vars, interval = flow.vars, flow.params.interval
    while vars.dropping and flow.now >= vars.drop_next:
        vars.count += 1
        if skb is not None:
            flow.discard(skb)
        skb, drop = flow.next()
        if not drop:
            vars.dropping = False
        else:
            vars.drop_next = codel_control_law(vars.drop_next, interval, vars.count)
    return skb


def codel_dequeue(
    sch: Qdisc,
    params: codel_params,
    vars: codel_vars,
    stats: codel_stats,
    now: int,
    take: Callable[[], tuple[sk_buff | None, int]],
    drop: Callable[[sk_buff], None],
) -> sk_buff | None:
    """The next packet, after dropping what CoDel's law wants dropped. take: (packet, time it was queued at)."""
    flow = _Flow(sch, params, vars, stats, now, take, drop)
    skb, should = flow.next()
    if skb is None:
        vars.dropping = False
    elif vars.dropping:
        if should:
            return _go_on_dropping(flow, skb)
        vars.dropping = False
    elif should:
        flow.discard(skb)
        skb, _ = flow.next()
        vars.dropping = True
        delta = vars.count - vars.lastcount
        recent = now - vars.drop_next < 16 * params.interval
        vars.count = delta if delta > 1 and recent else 1
        vars.lastcount = vars.count
        vars.drop_next = codel_control_law(now, params.interval, vars.count)
    return skb
