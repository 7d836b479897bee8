"""net/core/neighbour.c: the addresses of next hops: table, sending. States and timers: neighbour_state."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from kshell.abi.errno import EINVAL, ENETDOWN, ENOBUFS
from kshell.abi.neighbour import NTF_EXT_LEARNED, NUD_DELAY, NUD_FAILED, NUD_NOARP, NUD_NONE, NUD_PERMANENT, NUD_PROBE
from kshell.abi.netdevice import ETH_HLEN, ETH_P_IP, IFF_LOOPBACK
from kshell.abi.rtnetlink import RTM_DELNEIGH
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.if_ether import ethhdr
from kshell.linux.include.linux.jiffies import HZ
from kshell.linux.include.linux.random import prandom_u32_max
from kshell.linux.include.net.neighbour import (
    NEIGH_VAR_BASE_REACHABLE_TIME,
    NEIGH_VAR_GC_STALETIME,
    NUD_CONNECTED,
    NUD_IN_TIMER,
    NUD_VALID,
    neigh_parms,
    neigh_table,
    neighbour,
)
from kshell.linux.kernel.time.timer import timer_setup
from kshell.linux.kernel.workqueue import INIT_DELAYED_WORK, schedule_delayed_work
from kshell.linux.mm.slab_common import kfree, kzalloc
from kshell.linux.net.core import neighbour_proxy, neighbour_state
from kshell.linux.net.core.dev_xmit import dev_queue_xmit
from kshell.linux.net.core.netevent import NETEVENT_NEIGH_UPDATE, call_netevent_notifiers
from kshell.linux.net.core.skbuff import __skb_queue_purge, kfree_skb

if TYPE_CHECKING:
    from kshell.linux.include.linux.netdevice import net_device
    from kshell.linux.include.linux.skbuff import sk_buff
    from kshell.linux.include.linux.workqueue import work_struct
    from kshell.linux.init.kernel import Kernel

SIZEOF_NEIGHBOUR = 400


def neigh_rand_reach_time(kernel: Kernel, base: int) -> int:
    """How long an address counts as confirmed (ticks): between a half and one and a half of `base`."""
    return prandom_u32_max(kernel, base) + (base >> 1) if base else 0


def neigh_table_init(kernel: Kernel, index: int, tbl: neigh_table) -> None:
    """Make a table known."""
    kernel.neigh_tables[index] = tbl
    tbl.gc_work = INIT_DELAYED_WORK(kernel, neigh_periodic_work, tbl)
    timer_setup(tbl.proxy_timer, neighbour_proxy.neigh_proxy_process, tbl)


def neigh_parms_alloc(dev: net_device, tbl: neigh_table) -> neigh_parms:
    """A device's own parameters, which begin as the table's defaults."""
    parms = neigh_parms(tbl, dev, list(tbl.parms.data))
    if not dev.flags & IFF_LOOPBACK:  # lo asks nobody
        base = parms.data[NEIGH_VAR_BASE_REACHABLE_TIME]
        parms.reachable_time = neigh_rand_reach_time(dev.nd_net.kernel, base)
    dev.pcpu_refcnt += 1
    tbl.parms_list.append(parms)
    return parms


def neigh_parms_release(tbl: neigh_table, parms: neigh_parms) -> None:
    """A device goes, and its parameters with it."""
    if parms in tbl.parms_list and parms is not tbl.parms:
        tbl.parms_list.remove(parms)
        parms.dead = 1
        if parms.dev is not None:
            parms.dev.pcpu_refcnt -= 1


def neigh_lookup(tbl: neigh_table, pkey: int, dev: net_device) -> neighbour | None:
    """A neighbour that is known, with a reference."""
    tbl.stats.lookups += 1
    neigh = tbl.nht.get((pkey, dev))
    if neigh is not None:
        neigh.refcnt += 1
        tbl.stats.hits += 1
    return neigh


def __neigh_lookup(tbl: neigh_table, pkey: int, dev: net_device, creat: bool) -> neighbour | None:
    """neigh_lookup(), with creat a new one if there is none; None if that can't be."""
    neigh = neigh_lookup(tbl, pkey, dev)
    if neigh is None and creat:
        with suppress(KernelError):
            return __neigh_create(tbl, pkey, dev, True)
    return neigh


def neigh_alloc(tbl: neigh_table, dev: net_device, pkey: int) -> neighbour:
    """A neighbour in no state yet. ENOBUFS: the table is full."""
    kernel = dev.nd_net.kernel
    if tbl.gc_entries >= tbl.gc_thresh2 and tbl.nht:
        full = tbl.gc_entries >= tbl.gc_thresh3
        old = kernel.jiffies - tbl.last_flush > 5 * HZ
        if (full or old) and not neigh_forced_gc(kernel, tbl) and full:
            tbl.stats.table_fulls += 1
            raise KernelError(ENOBUFS)
    neigh = kzalloc(kernel, lambda: neighbour(tbl, dev, pkey), SIZEOF_NEIGHBOUR)
    neigh.updated = neigh.used = neigh.confirmed = kernel.jiffies
    neigh.output = neigh_blackhole
    timer_setup(neigh.timer, neighbour_state.neigh_timer_handler, neigh)
    tbl.entries += 1
    tbl.gc_entries += 1
    tbl.stats.allocs += 1
    return neigh


def ___neigh_create(tbl: neigh_table, pkey: int, dev: net_device, want_ref: bool) -> neighbour:
    """A new neighbour. EINVAL: the protocol does not run on the device; ENOBUFS: too many."""
    neigh = neigh_alloc(tbl, dev, pkey)
    neigh.dead = 1
    dev.pcpu_refcnt += 1
    kernel = dev.nd_net.kernel
    try:
        tbl.constructor(neigh)
    except KernelError:
        neigh_release(neigh)
        raise
    neigh.confirmed = kernel.jiffies - (neigh.parms.data[NEIGH_VAR_BASE_REACHABLE_TIME] << 1)
    if neigh.parms.dead:
        neigh_release(neigh)
        raise KernelError(EINVAL)
    key = (neigh.primary_key, dev)
    known = tbl.nht.get(key)
    if known is not None:
        neigh_release(neigh)
        neigh = known
    else:
        neigh.dead = 0
        tbl.nht[key] = neigh
        if tbl.entries >= tbl.gc_thresh1 and tbl.gc_work is not None:
            schedule_delayed_work(kernel, tbl.gc_work, tbl.parms.data[NEIGH_VAR_BASE_REACHABLE_TIME] >> 1)
    if want_ref:
        neigh.refcnt += 1
    return neigh


def __neigh_create(tbl: neigh_table, pkey: int, dev: net_device, want_ref: bool) -> neighbour:
    """A new neighbour. EINVAL: the protocol does not run on the device; ENOBUFS: too many."""
    return ___neigh_create(tbl, pkey, dev, want_ref)


def neigh_release(neigh: neighbour) -> None:
    """Drop a reference; the last one destroys the neighbour."""
    neigh.refcnt -= 1
    if not neigh.refcnt:
        neigh_destroy(neigh)


def neigh_destroy(neigh: neighbour) -> None:
    """Nobody refers to the neighbour any more."""
    dev = neigh.dev
    neigh.tbl.stats.destroys += 1
    __skb_queue_purge(neigh.arp_queue)
    neigh.arp_queue_len_bytes = 0
    neigh.timer._owner = neigh.timer.function = None
    neigh.tbl.entries -= 1
    if not neigh.nud_state & NUD_PERMANENT:
        neigh.tbl.gc_entries -= 1
    dev.pcpu_refcnt -= 1
    kfree(dev.nd_net.kernel, neigh, SIZEOF_NEIGHBOUR)


def neigh_mark_dead(n: neighbour) -> None:
    """Out of its table; it lives on until its last user lets go."""
    n.dead = 1


def neigh_cleanup_and_release(neigh: neighbour) -> None:
    """Tell that a neighbour is gone, and let go of it."""
    neighbour_state.__neigh_notify(neigh, RTM_DELNEIGH, 0, 0)
    call_netevent_notifiers(neigh.dev.nd_net.kernel, NETEVENT_NEIGH_UPDATE, neigh)
    neigh_release(neigh)


def neigh_del(n: neighbour, tbl: neigh_table) -> bool:
    """Take a neighbour that nobody else uses out of its table; False if somebody does."""
    if n.refcnt != 1:
        return False
    del tbl.nht[(n.primary_key, n.dev)]
    neigh_mark_dead(n)
    neigh_cleanup_and_release(n)
    return True


def neigh_remove_one(ndel: neighbour, tbl: neigh_table) -> bool:
    """Take a neighbour out of its table, if it is there and nobody uses it."""
    return tbl.nht.get((ndel.primary_key, ndel.dev)) is ndel and neigh_del(ndel, tbl)


def neigh_forced_gc(kernel: Kernel, tbl: neigh_table) -> int:
    """Too many neighbours: drop what is unused for 5 s or failed; how many."""
    tbl.stats.forced_gc_runs += 1
    max_clean = tbl.gc_entries - tbl.gc_thresh2
    tref = kernel.jiffies - 5 * HZ
    shrunk = 0
    for n in list(tbl.nht.values()):
        if shrunk >= max_clean:
            break
        exempt = n.nud_state & NUD_PERMANENT or n.flags & NTF_EXT_LEARNED
        idle = n.nud_state in (NUD_FAILED, NUD_NOARP) or n.updated - tref < 0
        if n.refcnt == 1 and not exempt and idle and neigh_del(n, tbl):
            shrunk += 1
    tbl.last_flush = kernel.jiffies
    return shrunk


async def neigh_periodic_work(work: work_struct) -> None:
    """Forget neighbours that were not used for long. Runs while there are gc_thresh1 of them or more."""
    tbl = work._owner
    assert isinstance(tbl, neigh_table)
    tbl.stats.periodic_gc_runs += 1
    kernel = None
    for n in list(tbl.nht.values()):
        kernel = n.dev.nd_net.kernel
        if n.nud_state & (NUD_PERMANENT | NUD_IN_TIMER) or n.flags & NTF_EXT_LEARNED:
            continue
        now = kernel.jiffies
        if n.used - n.confirmed < 0 <= now - n.confirmed:
            n.used = n.confirmed
        if n.nud_state == NUD_FAILED or now - n.used >= n.parms.data[NEIGH_VAR_GC_STALETIME]:
            neigh_del(n, tbl)
    if kernel is not None and tbl.entries >= tbl.gc_thresh1 and tbl.gc_work is not None:
        schedule_delayed_work(kernel, tbl.gc_work, tbl.parms.data[NEIGH_VAR_BASE_REACHABLE_TIME] >> 1)


def neigh_flush_dev(tbl: neigh_table, dev: net_device | None, skip_perm: bool) -> None:
    """Forget the neighbours on a device."""
    for neigh in list(tbl.nht.values()):
        if (dev is not None and neigh.dev is not dev) or (skip_perm and neigh.nud_state & NUD_PERMANENT):
            continue
        del tbl.nht[(neigh.primary_key, neigh.dev)]
        neighbour_state.neigh_del_timer(neigh)
        neigh_mark_dead(neigh)
        if neigh.refcnt != 1:
            __skb_queue_purge(neigh.arp_queue)
            neigh.arp_queue_len_bytes = 0
            neigh.output = neigh_blackhole
            neigh.nud_state = NUD_NOARP if neigh.nud_state & NUD_VALID else NUD_NONE
        neigh_cleanup_and_release(neigh)


def neigh_changeaddr(tbl: neigh_table, dev: net_device) -> None:
    """The device's own address changed."""
    neigh_flush_dev(tbl, dev, False)


def __neigh_ifdown(tbl: neigh_table, dev: net_device, skip_perm: bool) -> None:
    neigh_flush_dev(tbl, dev, skip_perm)
    neighbour_proxy.pneigh_ifdown_and_unlock(tbl, dev, skip_perm)
    neighbour_proxy.pneigh_queue_purge(tbl, dev.nd_net)


def neigh_ifdown(tbl: neigh_table, dev: net_device) -> None:
    """The device is down."""
    __neigh_ifdown(tbl, dev, False)


def neigh_carrier_down(tbl: neigh_table, dev: net_device) -> None:
    """The device lost its link."""
    __neigh_ifdown(tbl, dev, True)


def neigh_blackhole(neigh: neighbour, skb: sk_buff) -> int:
    """Output of a neighbour that is dead."""
    kfree_skb(skb)
    return -ENETDOWN


def neigh_event_send(neigh: neighbour, skb: sk_buff | None) -> int:
    """Note the use of a neighbour; 1 if the packet has to wait."""
    neigh.used = neigh.dev.nd_net.kernel.jiffies
    if not neigh.nud_state & (NUD_CONNECTED | NUD_DELAY | NUD_PROBE):
        return neighbour_state.__neigh_event_send(neigh, skb, True)
    return 0


def neigh_hh_init(n: neighbour) -> None:
    """Prepare the link header that packets to this neighbour share."""
    hh = n.hh
    dev = n.dev
    ops = dev.header_ops
    if hh.hh_len or ops is None or ops.cache is None:
        return
    ops.cache(n, hh, ETH_P_IP)
    hh.hh_data = ethhdr(n.ha, dev.dev_addr, ETH_P_IP)
    hh.hh_len = ETH_HLEN


def _xmit_with_header(neigh: neighbour, skb: sk_buff) -> int:
    dev = neigh.dev
    ops = dev.header_ops
    assert ops is not None
    if ops.create(skb, dev, skb.protocol, neigh.ha, None, skb.len) < 0:
        kfree_skb(skb)
        return -EINVAL
    return dev_queue_xmit(skb)


def neigh_resolve_output(neigh: neighbour, skb: sk_buff) -> int:
    """Send to a neighbour, after asking for its address if need be."""
    if neigh_event_send(neigh, skb):
        return 0
    if not neigh.hh.hh_len:
        neigh_hh_init(neigh)
    return _xmit_with_header(neigh, skb)


def neigh_connected_output(neigh: neighbour, skb: sk_buff) -> int:
    """Send to a neighbour whose address is known to be right."""
    return _xmit_with_header(neigh, skb)


def neigh_direct_output(neigh: neighbour, skb: sk_buff) -> int:
    """Send on a device without link headers."""
    return dev_queue_xmit(skb)


def neigh_output(n: neighbour, skb: sk_buff, skip_cache: bool) -> int:
    """Send to a neighbour the quickest way."""
    hh = n.hh
    if n.nud_state & NUD_CONNECTED and hh.hh_len and not skip_cache:
        skb.mac_header = hh.hh_data
        skb.len += hh.hh_len
        return dev_queue_xmit(skb)
    return n.output(n, skb)
