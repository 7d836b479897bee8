"""net/core/neighbour.c: addresses of others for which a machine answers on a device."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.errno import ENOENT
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.netdevice import netif_running
from kshell.linux.include.linux.random import prandom_u32_max
from kshell.linux.include.linux.skbuff import __skb_dequeue, __skb_queue_tail
from kshell.linux.include.net.neighbour import (
    LOCALLY_ENQUEUED,
    NEIGH_CB,
    NEIGH_VAR_PROXY_DELAY,
    NEIGH_VAR_PROXY_QLEN,
    neigh_parms,
    neigh_table,
    pneigh_entry,
)
from kshell.linux.kernel.time.timer import mod_timer, timer_delete
from kshell.linux.net.core.skbuff import kfree_skb, skb_dst_drop

if TYPE_CHECKING:
    from kshell.linux.include.linux.netdevice import net_device
    from kshell.linux.include.linux.skbuff import sk_buff
    from kshell.linux.include.net.net_namespace import net as net_t
    from kshell.linux.kernel.time.timer import timer_list


def pneigh_lookup(
    tbl: neigh_table, net: net_t, pkey: int, dev: net_device | None, creat: bool
) -> pneigh_entry | None:
    """The entry for an address on a device, or on all; with creat it is made if there is none."""
    for n in tbl.phash_buckets:
        if n.key == pkey and n.net is net and n.dev in (dev, None):
            return n
    if not creat:
        return None
    n = pneigh_entry(net, pkey, dev)
    if dev is not None:
        dev.pcpu_refcnt += 1
    tbl.phash_buckets.append(n)
    return n


def pneigh_delete(tbl: neigh_table, net: net_t, pkey: int, dev: net_device | None) -> None:
    """Answer for an address no more. ENOENT."""
    for n in tbl.phash_buckets:
        if n.key == pkey and n.net is net and n.dev is dev:
            tbl.phash_buckets.remove(n)
            if dev is not None:
                dev.pcpu_refcnt -= 1
            return
    raise KernelError(ENOENT)


def pneigh_ifdown_and_unlock(tbl: neigh_table, dev: net_device | None, skip_perm: bool) -> None:
    """A device went down, or (skip_perm) lost its link: the entries on it go."""
    for n in tbl.phash_buckets[:]:
        if (dev is None or n.dev is dev) and not (skip_perm and n.permanent):
            pneigh_delete(tbl, n.net, n.key, n.dev)


def pneigh_queue_purge(tbl: neigh_table, net: net_t | None) -> None:
    """Drop the questions to a namespace that wait for their answer."""
    for _ in range(tbl.proxy_queue.qlen):
        skb = __skb_dequeue(tbl.proxy_queue)
        assert skb is not None
        assert skb.dev is not None
        if net is None or skb.dev.nd_net is net:
            _taken(skb)
            kfree_skb(skb)
        else:
            __skb_queue_tail(tbl.proxy_queue, skb)
    if not tbl.proxy_queue.qlen:
        timer_delete(tbl.proxy_timer)


def _taken(skb: sk_buff) -> net_device:
    dev = skb.dev
    assert dev is not None
    assert dev.ip_ptr is not None
    assert dev.ip_ptr.arp_parms is not None
    dev.ip_ptr.arp_parms.qlen -= 1
    dev.pcpu_refcnt -= 1
    return dev


def pneigh_enqueue(tbl: neigh_table, p: neigh_parms, skb: sk_buff) -> None:
    """Let a question wait for up to proxy_delay, so that others who know the address answer first."""
    dev = skb.dev
    assert dev is not None
    kernel = dev.nd_net.kernel
    if p.qlen > p.data[NEIGH_VAR_PROXY_QLEN]:
        kfree_skb(skb)
        return
    cb = NEIGH_CB(skb)
    sched_next = cb.sched_next = kernel.jiffies + prandom_u32_max(kernel, p.data[NEIGH_VAR_PROXY_DELAY])
    cb.flags |= LOCALLY_ENQUEUED
    if timer_delete(tbl.proxy_timer):
        sched_next = min(sched_next, tbl.proxy_timer.expires)
    skb_dst_drop(skb)
    dev.pcpu_refcnt += 1
    __skb_queue_tail(tbl.proxy_queue, skb)
    p.qlen += 1
    mod_timer(kernel, tbl.proxy_timer, sched_next)


def neigh_proxy_process(t: timer_list) -> None:
    """Timer: answer the questions that have waited long enough."""
    tbl = t._owner
    assert isinstance(tbl, neigh_table)
    later: list[int] = []
    for _ in range(tbl.proxy_queue.qlen):
        skb = __skb_dequeue(tbl.proxy_queue)
        assert skb is not None
        assert skb.dev is not None
        kernel = skb.dev.nd_net.kernel
        if NEIGH_CB(skb).sched_next > kernel.jiffies:
            later.append(NEIGH_CB(skb).sched_next)
            __skb_queue_tail(tbl.proxy_queue, skb)
        elif netif_running(_taken(skb)) and tbl.proxy_redo is not None:
            tbl.proxy_redo(skb)
        else:
            kfree_skb(skb)
    if later:
        mod_timer(kernel, tbl.proxy_timer, min(later))
