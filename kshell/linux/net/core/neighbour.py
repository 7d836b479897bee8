"""net/core/neighbour.c: the addresses of next hops, as far as they need no asking (NUD_NOARP, NUD_PERMANENT)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.errno import EINVAL
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.if_ether import ETH_HLEN, ETH_P_IP, ethhdr
from kshell.linux.include.linux.skbuff import __skb_dequeue, __skb_queue_tail
from kshell.linux.include.net.dropreason import SKB_DROP_REASON_NEIGH_FAILED, SKB_DROP_REASON_NEIGH_QUEUEFULL
from kshell.linux.include.net.neighbour import (
    NEIGH_VAR_QUEUE_LEN_BYTES,
    NUD_CONNECTED,
    NUD_DELAY,
    NUD_FAILED,
    NUD_INCOMPLETE,
    NUD_PERMANENT,
    NUD_PROBE,
    NUD_STALE,
    NUD_VALID,
    hh_cache,
    neigh_parms,
    neigh_table,
    neighbour,
)
from kshell.linux.mm.slab_common import kfree, kzalloc
from kshell.linux.net.core.dev_xmit import dev_queue_xmit
from kshell.linux.net.core.skbuff import kfree_skb, kfree_skb_reason, skb_queue_purge

if TYPE_CHECKING:
    from kshell.linux.include.linux.netdevice import net_device
    from kshell.linux.include.linux.skbuff import sk_buff
    from kshell.linux.init.kernel import Kernel

SIZEOF_NEIGHBOUR = 400


def neigh_table_init(kernel: Kernel, index: int, tbl: neigh_table) -> None:
    """Make a table known."""
    kernel.neigh_tables[index] = tbl


def neigh_parms_alloc(dev: net_device, tbl: neigh_table) -> neigh_parms:
    """A device's own parameters, which begin as the table's defaults."""
    parms = neigh_parms(tbl, dev, list(tbl.parms.data))
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
    neigh = tbl.nht.get((pkey, dev))
    if neigh is not None:
        neigh.refcnt += 1
    return neigh


def neigh_alloc(tbl: neigh_table, dev: net_device, pkey: int) -> neighbour:
    """A neighbour in no state yet."""
    kernel = dev.nd_net.kernel
    neigh = kzalloc(kernel, lambda: neighbour(tbl, dev, pkey), SIZEOF_NEIGHBOUR)
    neigh.updated = neigh.used = neigh.confirmed = kernel.jiffies
    neigh.output = neigh_blackhole
    tbl.entries += 1
    return neigh


def ___neigh_create(tbl: neigh_table, pkey: int, dev: net_device, want_ref: bool) -> neighbour:
    """A new neighbour. EINVAL: the protocol does not run on the device."""
    neigh = neigh_alloc(tbl, dev, pkey)
    dev.pcpu_refcnt += 1
    try:
        tbl.constructor(neigh)
    except KernelError:
        neigh_release(neigh)
        raise
    neigh.confirmed = dev.nd_net.kernel.jiffies - (neigh.parms.data[5] << 1)
    if neigh.parms.dead:
        neigh_release(neigh)
        raise KernelError(EINVAL)
    key = (neigh.primary_key, dev)
    known = tbl.nht.get(key)
    if known is not None:
        neigh_release(neigh)
        neigh = known
    else:
        tbl.nht[key] = neigh
    if want_ref:
        neigh.refcnt += 1
    return neigh


def __neigh_create(tbl: neigh_table, pkey: int, dev: net_device, want_ref: bool) -> neighbour:
    """A new neighbour. EINVAL: the protocol does not run on the device."""
    return ___neigh_create(tbl, pkey, dev, want_ref)


def neigh_release(neigh: neighbour) -> None:
    """Drop a reference; the last one destroys the neighbour."""
    neigh.refcnt -= 1
    if not neigh.refcnt:
        neigh_destroy(neigh)


def neigh_destroy(neigh: neighbour) -> None:
    """Nobody refers to the neighbour any more."""
    dev = neigh.dev
    skb_queue_purge(neigh.arp_queue)
    neigh.tbl.entries -= 1
    dev.pcpu_refcnt -= 1
    kfree(dev.nd_net.kernel, neigh, SIZEOF_NEIGHBOUR)


def neigh_remove_one(neigh: neighbour) -> None:
    """Take a neighbour out of its table."""
    if neigh.tbl.nht.get((neigh.primary_key, neigh.dev)) is neigh:
        del neigh.tbl.nht[(neigh.primary_key, neigh.dev)]
    neigh.dead = 1
    neigh.output = neigh_blackhole
    neigh_release(neigh)


def neigh_flush_dev(tbl: neigh_table, dev: net_device | None, skip_perm: bool) -> None:
    """Forget the neighbours on a device."""
    for neigh in list(tbl.nht.values()):
        if (dev is None or neigh.dev is dev) and not (skip_perm and neigh.nud_state & NUD_PERMANENT):
            neigh_remove_one(neigh)


def neigh_changeaddr(tbl: neigh_table, dev: net_device) -> None:
    """The device's own address changed."""
    neigh_flush_dev(tbl, dev, False)


def neigh_ifdown(tbl: neigh_table, dev: net_device) -> None:
    """The device is down."""
    neigh_flush_dev(tbl, dev, False)


def neigh_carrier_down(tbl: neigh_table, dev: net_device) -> None:
    """The device lost its link."""
    neigh_flush_dev(tbl, dev, True)


def neigh_blackhole(neigh: neighbour, skb: sk_buff) -> int:
    """Output of a neighbour that is dead."""
    kfree_skb(skb)
    return -100


def neigh_update(neigh: neighbour, lladdr: bytes | None, new: int) -> None:
    """Set a neighbour's address and state, and send what waited for it."""
    old = neigh.nud_state
    if lladdr is not None and lladdr != neigh.ha:
        neigh.ha = lladdr
        neigh.hh = hh_cache()
    neigh.nud_state = new
    neigh.updated = neigh.dev.nd_net.kernel.jiffies
    neigh.output = neigh.ops.connected_output if new & NUD_CONNECTED else neigh.ops.output
    if new & NUD_VALID and not old & NUD_VALID:
        while (skb := __skb_dequeue(neigh.arp_queue)) is not None:
            neigh.arp_queue_len_bytes -= skb.truesize
            neigh.output(neigh, skb)


def __neigh_event_send(neigh: neighbour, skb: sk_buff | None, immediate_ok: bool) -> int:
    """A packet is to go to a neighbour that is not known to be there; 1 if it has to wait or is dropped."""
    state = neigh.nud_state
    if state & (NUD_CONNECTED | NUD_DELAY | NUD_PROBE):
        return 0
    if state & NUD_STALE:
        neigh.nud_state = NUD_DELAY
        return 0
    if neigh.ops.solicit is None:
        neigh.nud_state = NUD_FAILED
        if skb is not None:
            kfree_skb_reason(skb, SKB_DROP_REASON_NEIGH_FAILED)
        return 1
    first = not state & NUD_INCOMPLETE
    neigh.nud_state = NUD_INCOMPLETE
    if skb is not None:
        while neigh.arp_queue_len_bytes + skb.truesize > neigh.parms.data[NEIGH_VAR_QUEUE_LEN_BYTES]:
            dropped = __skb_dequeue(neigh.arp_queue)
            if dropped is None:
                break
            neigh.arp_queue_len_bytes -= dropped.truesize
            kfree_skb_reason(dropped, SKB_DROP_REASON_NEIGH_QUEUEFULL)
        __skb_queue_tail(neigh.arp_queue, skb)
        neigh.arp_queue_len_bytes += skb.truesize
    if first:
        neigh.ops.solicit(neigh, skb)
    return 1


def neigh_event_send(neigh: neighbour, skb: sk_buff | None) -> int:
    """Note the use of a neighbour; 1 if the packet has to wait."""
    neigh.used = neigh.dev.nd_net.kernel.jiffies
    if not neigh.nud_state & (NUD_CONNECTED | NUD_DELAY | NUD_PROBE):
        return __neigh_event_send(neigh, skb, True)
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


def neigh_resolve_output(neigh: neighbour, skb: sk_buff) -> int:
    """Send to a neighbour, after asking for its address if need be."""
    if neigh_event_send(neigh, skb):
        return 0
    dev = neigh.dev
    if not neigh.hh.hh_len:
        neigh_hh_init(neigh)
    ops = dev.header_ops
    assert ops is not None
    if ops.create(skb, dev, skb.protocol, neigh.ha, None, skb.len) < 0:
        kfree_skb(skb)
        return -EINVAL
    return dev_queue_xmit(skb)


def neigh_connected_output(neigh: neighbour, skb: sk_buff) -> int:
    """Send to a neighbour whose address is known to be right."""
    dev = neigh.dev
    ops = dev.header_ops
    assert ops is not None
    if ops.create(skb, dev, skb.protocol, neigh.ha, None, skb.len) < 0:
        kfree_skb(skb)
        return -EINVAL
    return dev_queue_xmit(skb)


def neigh_direct_output(neigh: neighbour, skb: sk_buff) -> int:
    """Send on a device without link headers."""
    return dev_queue_xmit(skb)


def neigh_hh_output(hh: hh_cache, skb: sk_buff) -> int:
    """Send with the link header kept ready."""
    skb.mac_header = hh.hh_data
    skb.len += hh.hh_len
    return dev_queue_xmit(skb)


def neigh_output(n: neighbour, skb: sk_buff, skip_cache: bool) -> int:
    """Send to a neighbour the quickest way."""
    hh = n.hh
    if n.nud_state & NUD_CONNECTED and hh.hh_len and not skip_cache:
        skb.mac_header = hh.hh_data
        skb.len += hh.hh_len
        return dev_queue_xmit(skb)
    return n.output(n, skb)


def neigh_init(kernel: Kernel) -> None:
    """Initcall: route messages about neighbours."""
