"""Next hops that die and live again, and which of them is taken (part of net/ipv4/fib_semantics.c)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from kshell.abi.netdevice import IFF_UP
from kshell.abi.rtnetlink import (
    RT_SCOPE_LINK,
    RT_SCOPE_NOWHERE,
    RT_TABLE_MAIN,
    RTN_UNICAST,
    RTNH_F_DEAD,
    RTNH_F_LINKDOWN,
)
from kshell.linux.include.linux.netdevice import NETDEV_DOWN, NETDEV_UNREGISTER, netif_carrier_ok
from kshell.linux.include.net.flow import flowi4
from kshell.linux.include.net.ip_fib import fib_info, fib_result
from kshell.linux.net.core.dev import dev_get_by_index_rcu
from kshell.linux.net.ipv4 import fib_multipath, fib_semantics

if TYPE_CHECKING:
    from kshell.linux.include.linux.netdevice import net_device
    from kshell.linux.include.linux.skbuff import sk_buff
    from kshell.linux.include.net.net_namespace import net as net_t


def fib_sync_down_addr(dev: net_device, local: int) -> int:
    """A local address is gone: routes that prefer it as source are dead; how many fib_infos."""
    if not local:
        return 0
    net = dev.nd_net
    ret = 0
    for fi in net.kernel.fib_info_hash.values():
        if fi.fib_net is net and fi.fib_tb_id == RT_TABLE_MAIN and fi.fib_prefsrc == local:
            fi.fib_flags |= RTNH_F_DEAD
            fi.pfsrc_removed = True
            ret += 1
    return ret


def _infos_on(dev: net_device) -> Iterator[fib_info]:
    """The fib_infos that have next hops on a device."""
    prev_fi = None
    for nh in dev.nd_net.kernel.fib_info_devhash.get(dev, ()):
        fi = nh.nh_parent
        assert fi is not None
        if fi is not prev_fi:
            yield fi
        prev_fi = fi


def fib_sync_down_dev(dev: net_device, event: int, force: bool) -> int:
    """A device went down or away: mark its next hops dead; how many fib_infos died."""
    scope = -1 if force else RT_SCOPE_NOWHERE
    ret = 0
    for fi in _infos_on(dev):
        dead = 0
        for hop in fi.fib_nh:
            if hop.nhc_flags & RTNH_F_DEAD:
                dead += 1
            elif hop.nhc_dev is dev and hop.nhc_scope != scope:
                if event in (NETDEV_DOWN, NETDEV_UNREGISTER):
                    hop.nhc_flags |= RTNH_F_DEAD
                hop.nhc_flags |= RTNH_F_LINKDOWN
                dead += 1
        if dead == len(fi.fib_nh):
            if event in (NETDEV_DOWN, NETDEV_UNREGISTER):
                fi.fib_flags |= RTNH_F_DEAD
            fi.fib_flags |= RTNH_F_LINKDOWN
            ret += 1
        fib_multipath.fib_rebalance(fi)
    return ret


def fib_sync_up(dev: net_device, nh_flags: int) -> int:
    """A device came up: wake its next hops; how many fib_infos live again."""
    if not dev.flags & IFF_UP:
        return 0
    if nh_flags & RTNH_F_DEAD and netif_carrier_ok(dev):
        nh_flags |= RTNH_F_LINKDOWN
    ret = 0
    for fi in _infos_on(dev):
        alive = 0
        for hop in fi.fib_nh:
            if hop.nhc_flags & nh_flags:
                if hop.nhc_dev is not dev or dev.ip_ptr is None:
                    continue
                hop.nhc_flags &= ~nh_flags
            alive += 1
        if alive:
            fi.fib_flags &= ~nh_flags
            ret += 1
        fib_multipath.fib_rebalance(fi)
    return ret


def ip_fib_check_default(gw: int, dev: net_device) -> bool:
    """True if a route goes by that gateway: it is known as one."""
    hops = dev.nd_net.kernel.fib_info_devhash.get(dev, ())
    return any(nh.nhc_gw == gw and nh.nhc_gw_family and not nh.nhc_flags & RTNH_F_DEAD for nh in hops)


def fib_select_default(flp: flowi4, res: fib_result) -> None:
    """Choose among default routes: the first of equal priority whose gateway is not known to be dead."""
    assert res.fi is not None
    assert res.table is not None
    for fa in res.fa_head or ():
        fi = fa.fa_info
        if fa.fa_slen != 32 - res.prefixlen or fa.tb_id != res.table.tb_id or fi.fib_flags & RTNH_F_DEAD:
            continue
        if fi.fib_priority != res.fi.fib_priority or fi.fib_scope != res.scope or fa.fa_type != RTN_UNICAST:
            continue
        nhc = fi.fib_nh[0]
        if nhc.nhc_gw_family and nhc.nhc_scope == RT_SCOPE_LINK and not fib_detect_death(fi):
            res.fi = fi
            res.nhc = nhc
            return


def fib_detect_death(fi: fib_info) -> bool:
    """True if the gateway's neighbour entry says that it does not answer."""
    nhc = fi.fib_nh[0]
    dev = nhc.nhc_dev
    if dev is None:
        return True
    neigh = dev.nd_net.kernel.arp_tbl.nht.get((nhc.nhc_gw, dev))
    return neigh is not None and not neigh.nud_state & 0xDE


def fib_select_path(net: net_t, res: fib_result, fl4: flowi4, skb: sk_buff | None) -> None:
    """Settle next hop and source address."""
    if not fl4.flowi4_oif and res.fi is not None and res.fi.fib_nhs > 1:
        fib_multipath.fib_select_multipath(res, fib_multipath.fib_multipath_hash(net, fl4, skb))
    elif not fl4.flowi4_oif and not res.prefixlen and res.type == RTN_UNICAST:
        assert res.table is not None
        if res.table.tb_num_default > 1:
            fib_select_default(fl4, res)
    if not fl4.saddr and dev_get_by_index_rcu(net, 0) is None:  # no VRF
        fl4.saddr = fib_semantics.fib_result_prefsrc(net, res)
