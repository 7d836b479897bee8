"""net/core/neighbour.c: the states of a neighbour, its timer, and what waits for its address."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.errno import EINVAL, EPERM
from kshell.abi.neighbour import (
    NUD_DELAY,
    NUD_FAILED,
    NUD_INCOMPLETE,
    NUD_NOARP,
    NUD_PERMANENT,
    NUD_PROBE,
    NUD_REACHABLE,
    NUD_STALE,
)
from kshell.abi.rtnetlink import RTM_NEWNEIGH
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.jiffies import HZ
from kshell.linux.include.linux.skbuff import __skb_dequeue, __skb_queue_tail, skb_peek_tail
from kshell.linux.include.net.dropreason import (
    SKB_DROP_REASON_NEIGH_DEAD,
    SKB_DROP_REASON_NEIGH_FAILED,
    SKB_DROP_REASON_NEIGH_QUEUEFULL,
)
from kshell.linux.include.net.neighbour import (
    NEIGH_UPDATE_F_ADMIN,
    NEIGH_UPDATE_F_OVERRIDE,
    NEIGH_UPDATE_F_WEAK_OVERRIDE,
    NEIGH_VAR_APP_PROBES,
    NEIGH_VAR_BASE_REACHABLE_TIME,
    NEIGH_VAR_DELAY_PROBE_TIME,
    NEIGH_VAR_MCAST_PROBES,
    NEIGH_VAR_MCAST_REPROBES,
    NEIGH_VAR_QUEUE_LEN_BYTES,
    NEIGH_VAR_RETRANS_TIME,
    NEIGH_VAR_UCAST_PROBES,
    NUD_CONNECTED,
    NUD_IN_TIMER,
    NUD_VALID,
    hh_cache,
    neigh_table,
    neighbour,
)
from kshell.linux.kernel.softirq import do_softirq
from kshell.linux.kernel.time.timer import mod_timer, timer_delete
from kshell.linux.net.core import neighbour as neigh_core
from kshell.linux.net.core.netevent import NETEVENT_NEIGH_UPDATE, call_netevent_notifiers
from kshell.linux.net.core.skbuff import __skb_queue_purge, consume_skb, kfree_skb_reason, skb_clone

if TYPE_CHECKING:
    from kshell.linux.include.linux.netdevice import net_device
    from kshell.linux.include.linux.skbuff import sk_buff
    from kshell.linux.init.kernel import Kernel
    from kshell.linux.kernel.time.timer import timer_list


def neigh_add_timer(n: neighbour, when: int) -> None:
    """Arm the timer, which holds a reference."""
    n.refcnt += 1
    mod_timer(n.dev.nd_net.kernel, n.timer, when)


def neigh_del_timer(n: neighbour) -> bool:
    """Disarm the timer if the state has one."""
    if n.nud_state & NUD_IN_TIMER and timer_delete(n.timer):
        neigh_core.neigh_release(n)
        return True
    return False


def neigh_suspect(neigh: neighbour) -> None:
    """Not sure any more that the address is right: the slow way."""
    neigh.output = neigh.ops.output


def neigh_connect(neigh: neighbour) -> None:
    """The address is right: the quick way."""
    neigh.output = neigh.ops.connected_output


def neigh_max_probes(n: neighbour) -> int:
    """Questions asked before giving up."""
    data = n.parms.data
    last = NEIGH_VAR_MCAST_REPROBES if n.nud_state & NUD_PROBE else NEIGH_VAR_MCAST_PROBES
    return data[NEIGH_VAR_UCAST_PROBES] + data[NEIGH_VAR_APP_PROBES] + data[last]


def neigh_invalidate(neigh: neighbour) -> None:
    """Nobody answers: what waited can't be sent."""
    neigh.tbl.stats.res_failed += 1
    neigh.updated = neigh.dev.nd_net.kernel.jiffies
    report = neigh.ops.error_report
    while neigh.nud_state == NUD_FAILED and report is not None:
        skb = __skb_dequeue(neigh.arp_queue)
        if skb is None:
            break
        report(neigh, skb)
    __skb_queue_purge(neigh.arp_queue)
    neigh.arp_queue_len_bytes = 0


def neigh_probe(neigh: neighbour) -> None:
    """Ask once more."""
    waiting = skb_peek_tail(neigh.arp_queue)
    skb = skb_clone(waiting) if waiting is not None else None
    if neigh.ops.solicit is not None:
        neigh.ops.solicit(neigh, skb)
    neigh.probes += 1
    consume_skb(skb)


def _after_reachable(neigh: neighbour, now: int) -> tuple[int, bool]:
    """(next tick, whether to tell) for a REACHABLE neighbour whose timer ran out."""
    data = neigh.parms.data
    next = now + HZ
    if now - (neigh.confirmed + neigh.parms.reachable_time) <= 0:
        return neigh.confirmed + neigh.parms.reachable_time, False
    if now - (neigh.used + data[NEIGH_VAR_DELAY_PROBE_TIME]) <= 0:
        neigh.nud_state = NUD_DELAY
        next = now + data[NEIGH_VAR_DELAY_PROBE_TIME]
    else:
        neigh.nud_state = NUD_STALE
    neigh.updated = now
    neigh_suspect(neigh)
    return next, neigh.nud_state == NUD_STALE


def _after_delay(neigh: neighbour, now: int) -> int:
    """The next tick for a DELAY neighbour: confirmed meanwhile, or to be asked."""
    data = neigh.parms.data
    neigh.updated = now
    if now - (neigh.confirmed + data[NEIGH_VAR_DELAY_PROBE_TIME]) <= 0:
        neigh.nud_state = NUD_REACHABLE
        neigh_connect(neigh)
        return neigh.confirmed + neigh.parms.reachable_time
    neigh.nud_state = NUD_PROBE
    neigh.probes = 0
    return now + max(data[NEIGH_VAR_RETRANS_TIME], HZ // 100)


def neigh_timer_handler(t: timer_list) -> None:
    """The timer of a neighbour ran out: it is suspected, asked, or given up."""
    neigh = t._owner
    assert isinstance(neigh, neighbour)
    state = neigh.nud_state
    if not state & NUD_IN_TIMER:
        neigh_core.neigh_release(neigh)
        return
    kernel = neigh.dev.nd_net.kernel
    now = kernel.jiffies
    notify = False
    if state & NUD_REACHABLE:
        next, notify = _after_reachable(neigh, now)
    elif state & NUD_DELAY:
        next, notify = _after_delay(neigh, now), True
    else:
        next = now + max(neigh.parms.data[NEIGH_VAR_RETRANS_TIME], HZ // 100)
    state = neigh.nud_state
    if state & (NUD_INCOMPLETE | NUD_PROBE) and neigh.probes >= neigh_max_probes(neigh):
        neigh.nud_state = NUD_FAILED
        notify = True
        neigh_invalidate(neigh)
    else:
        if state & NUD_IN_TIMER:
            neigh.refcnt += 1
            mod_timer(kernel, t, max(next, now + HZ // 100))
        if state & (NUD_INCOMPLETE | NUD_PROBE):
            neigh_probe(neigh)
    if notify:
        neigh_update_notify(neigh, 0)
    neigh.refcnt -= 1  # the timer's
    if not neigh.refcnt:
        neigh_core.neigh_destroy(neigh)


def _begin_asking(neigh: neighbour, now: int, immediate_ok: bool) -> None:
    """INCOMPLETE: the first question is due now or at the next tick."""
    data = neigh.parms.data
    neigh.probes = data[NEIGH_VAR_UCAST_PROBES]
    neigh_del_timer(neigh)
    neigh.nud_state = NUD_INCOMPLETE
    neigh.updated = now
    neigh_add_timer(neigh, now + (max(data[NEIGH_VAR_RETRANS_TIME], HZ // 100) if immediate_ok else 1))


def _let_wait(neigh: neighbour, skb: sk_buff) -> None:
    """Keep a packet until the address is known; the oldest give way."""
    limit = neigh.parms.data[NEIGH_VAR_QUEUE_LEN_BYTES]
    while neigh.arp_queue_len_bytes + skb.truesize > limit:
        dropped = __skb_dequeue(neigh.arp_queue)
        if dropped is None:
            break
        neigh.arp_queue_len_bytes -= dropped.truesize
        kfree_skb_reason(dropped, SKB_DROP_REASON_NEIGH_QUEUEFULL)
        neigh.tbl.stats.unres_discards += 1
    __skb_queue_tail(neigh.arp_queue, skb)
    neigh.arp_queue_len_bytes += skb.truesize


def __neigh_event_send(neigh: neighbour, skb: sk_buff | None, immediate_ok: bool) -> int:
    """A packet is to go to a neighbour that is not known to be there; 1 if it has to wait or is dropped."""
    state = neigh.nud_state
    if state & (NUD_CONNECTED | NUD_DELAY | NUD_PROBE):
        return 0
    if neigh.dead:
        if state & NUD_STALE:
            return 0
        kfree_skb_reason(skb, SKB_DROP_REASON_NEIGH_DEAD)
        return 1
    kernel = neigh.dev.nd_net.kernel
    now = kernel.jiffies
    data = neigh.parms.data
    if state & NUD_STALE:
        neigh_del_timer(neigh)
        neigh.nud_state = NUD_DELAY
        neigh.updated = now
        neigh_add_timer(neigh, now + data[NEIGH_VAR_DELAY_PROBE_TIME])
        return 0
    if not state & NUD_INCOMPLETE:
        if not data[NEIGH_VAR_MCAST_PROBES] + data[NEIGH_VAR_APP_PROBES]:
            neigh.nud_state = NUD_FAILED
            neigh.updated = now
            kfree_skb_reason(skb, SKB_DROP_REASON_NEIGH_FAILED)
            return 1
        _begin_asking(neigh, now, immediate_ok)
    if skb is not None:
        _let_wait(neigh, skb)
    if not state & NUD_INCOMPLETE and immediate_ok:
        _probe_bh(kernel, neigh)
    return 1


def _probe_bh(kernel: Kernel, neigh: neighbour) -> None:
    """neigh_probe() with softirqs off, which run after it."""
    serving, kernel.in_serving_softirq = kernel.in_serving_softirq, True
    try:
        neigh_probe(neigh)
    finally:
        kernel.in_serving_softirq = serving
    if kernel.softirq_pending and not serving:
        do_softirq(kernel)


def neigh_update_hhs(neigh: neighbour) -> None:
    """The address changed: so does the prepared header."""
    ops = neigh.dev.header_ops
    if ops is not None and ops.cache_update is not None and neigh.hh.hh_len:
        ops.cache_update(neigh.hh, neigh.dev, neigh.ha)
        neigh.hh = hh_cache()


def _not_valid(neigh: neighbour, new: int) -> bool:
    """The neighbour gets a state without address; True: tell."""
    old = neigh.nud_state
    neigh_del_timer(neigh)
    if old & NUD_CONNECTED:
        neigh_suspect(neigh)
    neigh.nud_state = new
    if old & (NUD_INCOMPLETE | NUD_PROBE) and new & NUD_FAILED:
        neigh_invalidate(neigh)
        return True
    return bool(old & NUD_VALID)


def _set_state(neigh: neighbour, new: int, now: int) -> None:
    neigh_del_timer(neigh)
    if new & NUD_PROBE:
        neigh.probes = 0
    if new & NUD_IN_TIMER:
        neigh_add_timer(neigh, now + (neigh.parms.reachable_time if new & NUD_REACHABLE else 0))
    if (neigh.nud_state ^ new) & NUD_PERMANENT:
        neigh.tbl.gc_entries += -1 if new & NUD_PERMANENT else 1
    neigh.nud_state = new


def _send_waiting(neigh: neighbour) -> None:
    """The address is known at last: send what waited for it."""
    while neigh.nud_state & NUD_VALID:
        skb = __skb_dequeue(neigh.arp_queue)
        if skb is None:
            break
        neigh.output(neigh, skb)
    __skb_queue_purge(neigh.arp_queue)
    neigh.arp_queue_len_bytes = 0


def _address_and_state(neigh: neighbour, lladdr: bytes, new: int, flags: int) -> tuple[bytes, int] | None:
    """What of a proposed address and state a VALID neighbour takes; None: nothing."""
    old = neigh.nud_state
    if not old & NUD_VALID:
        return lladdr, new
    if lladdr != neigh.ha and not flags & NEIGH_UPDATE_F_OVERRIDE:
        if flags & NEIGH_UPDATE_F_WEAK_OVERRIDE and old & NUD_CONNECTED:
            return neigh.ha, NUD_STALE
        return None
    if lladdr == neigh.ha and new == NUD_STALE and not flags & NEIGH_UPDATE_F_ADMIN:
        new = old
    return lladdr, new


def __neigh_update(neigh: neighbour, lladdr: bytes | None, new: int, flags: int, nlmsg_pid: int) -> None:
    """neigh_update()."""
    old = neigh.nud_state
    if neigh.dead or (not flags & NEIGH_UPDATE_F_ADMIN and old & (NUD_NOARP | NUD_PERMANENT)):
        raise KernelError(EPERM)
    if not new & NUD_VALID:
        if _not_valid(neigh, new):
            neigh_update_notify(neigh, nlmsg_pid)
        return
    if lladdr is None or not neigh.dev.addr_len:
        if neigh.dev.addr_len and not old & NUD_VALID:
            raise KernelError(EINVAL)
        lladdr = neigh.ha
    now = neigh.dev.nd_net.kernel.jiffies
    if new & NUD_CONNECTED:
        neigh.confirmed = now
    taken = _address_and_state(neigh, lladdr, new, flags)
    if taken is None:
        return
    lladdr, new = taken
    if new == old and lladdr == neigh.ha:
        return
    neigh.updated = now
    if new != old:
        _set_state(neigh, new, now)
    if lladdr != neigh.ha:
        neigh.ha = lladdr
        neigh_update_hhs(neigh)
        if not new & NUD_CONNECTED:
            neigh.confirmed = now - (neigh.parms.data[NEIGH_VAR_BASE_REACHABLE_TIME] << 1)
    if new != old:
        (neigh_connect if new & NUD_CONNECTED else neigh_suspect)(neigh)
        if not old & NUD_VALID:
            _send_waiting(neigh)
    neigh_update_notify(neigh, nlmsg_pid)


def neigh_update(neigh: neighbour, lladdr: bytes | None, new: int, flags: int = 0, nlmsg_pid: int = 0) -> None:
    """Propose an address and a state (NUD_*); flags NEIGH_UPDATE_F_*. EPERM: it is permanent or dead; EINVAL."""
    __neigh_update(neigh, lladdr, new, flags, nlmsg_pid)


def neigh_event_ns(tbl: neigh_table, lladdr: bytes, saddr: int, dev: net_device) -> neighbour | None:
    """Somebody asks for us: note who, with a reference."""
    neigh = neigh_core.__neigh_lookup(tbl, saddr, dev, bool(lladdr) or not dev.addr_len)
    if neigh is not None:
        try:
            neigh_update(neigh, lladdr, NUD_STALE, NEIGH_UPDATE_F_OVERRIDE, 0)
        except KernelError:
            pass
    return neigh


def neigh_update_notify(neigh: neighbour, nlmsg_pid: int) -> None:
    """Tell that a neighbour's state or address changed."""
    call_netevent_notifiers(neigh.dev.nd_net.kernel, NETEVENT_NEIGH_UPDATE, neigh)
    __neigh_notify(neigh, RTM_NEWNEIGH, 0, nlmsg_pid)


def __neigh_notify(n: neighbour, type: int, flags: int, pid: int) -> None:
    """Tell route sockets; whoever knows how has put the function into kernel.neigh_notify."""
    notify = n.dev.nd_net.kernel.neigh_notify
    if notify is not None:
        notify(n, type, flags, pid)
