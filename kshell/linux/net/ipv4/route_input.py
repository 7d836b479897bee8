"""net/ipv4/route.c: routes for packets that come in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.errno import EHOSTUNREACH, EINVAL
from kshell.abi.inet import IPPROTO_IGMP
from kshell.abi.netdevice import ETH_P_IP
from kshell.abi.rtnetlink import (
    RTN_BROADCAST,
    RTN_LOCAL,
    RTN_MULTICAST,
    RTN_UNICAST,
    RTN_UNREACHABLE,
)
from kshell.linux.include.linux.if_ether import ethhdr
from kshell.linux.include.linux.in_ import (
    ipv4_is_lbcast,
    ipv4_is_local_multicast,
    ipv4_is_loopback,
    ipv4_is_multicast,
)
from kshell.linux.include.linux.inetdevice import (
    IN_DEV_ANDCONF,
    IN_DEV_FORWARD,
    IN_DEV_NET_ORCONF,
    IN_DEV_ORCONF,
    IPV4_DEVCONF_BC_FORWARDING,
    IPV4_DEVCONF_LOG_MARTIANS,
    IPV4_DEVCONF_NOXFRM,
    IPV4_DEVCONF_ROUTE_LOCALNET,
    IPV4_DEVCONF_SHARED_MEDIA,
    in_device,
)
from kshell.linux.include.linux.ip import iphdr
from kshell.linux.include.linux.skbuff import sk_buff
from kshell.linux.include.net.flow import flowi4
from kshell.linux.include.net.ip import IPCB, IPSKB_DOREDIRECT, IPSKB_MULTIPATH
from kshell.linux.include.net.ip_fib import fib_result
from kshell.linux.include.net.rtable import IPTOS_RT_MASK, RTCF_BROADCAST, RTCF_LOCAL, RTCF_MULTICAST, rtable
from kshell.linux.kernel.printk import pr_warn
from kshell.linux.lib.vsprintf import ip4_addr_string
from kshell.linux.net.core.skbuff import skb_dst_drop
from kshell.linux.net.ipv4 import devinet_select, fib_frontend, fib_multipath, igmp_dev, ip_forward, route

if TYPE_CHECKING:
    from kshell.linux.include.linux.netdevice import net_device
    from kshell.linux.include.net.net_namespace import net as net_t



def _set_dst(skb: sk_buff, rt: rtable, fresh: bool) -> int:
    """Give the packet its route, with a reference of its own."""
    if not fresh:
        rt.refcnt += 1
    skb._skb_refdst = rt
    return 0


def ip_mc_validate_source(
    skb: sk_buff, daddr: int, saddr: int, tos: int, dev: net_device, in_dev: in_device | None
) -> int:
    """0, or an errno if a multicast's source can't be right."""
    if in_dev is None or ipv4_is_multicast(saddr) or ipv4_is_lbcast(saddr) or skb.protocol != ETH_P_IP:
        return EINVAL
    if ipv4_is_loopback(saddr) and not IN_DEV_ORCONF(in_dev, IPV4_DEVCONF_ROUTE_LOCALNET):
        return EINVAL
    iph = skb.network_header
    assert isinstance(iph, iphdr)
    if not saddr:
        return 0 if ipv4_is_local_multicast(daddr) or iph.protocol == IPPROTO_IGMP else EINVAL
    return max(-fib_frontend.fib_validate_source(skb, saddr, 0, tos, 0, dev, in_dev), 0)


def ip_route_input_mc(skb: sk_buff, daddr: int, saddr: int, tos: int, dev: net_device, our: bool) -> int:
    """A multicast for a group that we are in."""
    err = ip_mc_validate_source(skb, daddr, saddr, tos, dev, dev.ip_ptr)
    if err:
        return err
    rth = route.rt_dst_alloc(dev.nd_net.loopback_dev, RTCF_MULTICAST | (RTCF_LOCAL if our else 0), RTN_MULTICAST, False)
    rth.output = route.ip_rt_bug
    rth.rt_is_input = 1
    dev.nd_net.kernel.rt_cache_stat.in_slow_mc += 1
    skb_dst_drop(skb)
    return _set_dst(skb, rth, True)


def __mkroute_input(skb: sk_buff, res: fib_result, in_dev: in_device, daddr: int, saddr: int, tos: int) -> int:
    """The route of a packet to forward."""
    nhc = res.nhc
    assert nhc is not None
    assert nhc.nhc_dev is not None
    assert in_dev.dev is not None
    out_dev = nhc.nhc_dev.ip_ptr
    if out_dev is None:
        return EINVAL
    err = fib_frontend.fib_validate_source(skb, saddr, daddr, tos, nhc.nhc_oif, in_dev.dev, in_dev)
    if err < 0:
        ip_handle_martian_source(in_dev.dev, in_dev, skb, daddr, saddr)
        return -err
    if err and out_dev is in_dev and skb.protocol == ETH_P_IP:
        gateway = nhc.nhc_gw if nhc.nhc_gw_family else 0
        if IN_DEV_ORCONF(out_dev, IPV4_DEVCONF_SHARED_MEDIA) or devinet_select.inet_addr_onlink(out_dev, saddr, gateway):
            IPCB(skb).flags |= IPSKB_DOREDIRECT
    fnhe = route.find_exception(nhc, daddr)
    do_cache = res.fi is not None
    if do_cache:
        rth = fnhe.fnhe_rth_input if fnhe is not None else nhc.nhc_rth_input
        if rth is not None and route.rt_cache_valid(rth):
            return _set_dst(skb, rth, False)
    rth = route.rt_dst_alloc(nhc.nhc_dev, 0, res.type, IN_DEV_ORCONF(out_dev, IPV4_DEVCONF_NOXFRM))
    rth.rt_is_input = 1
    nhc.nhc_dev.nd_net.kernel.rt_cache_stat.in_slow_tot += 1
    rth.input = ip_forward.ip_forward
    route.rt_set_nexthop(rth, daddr, res, fnhe, res.fi, do_cache)
    return _set_dst(skb, rth, True)


def ip_mkroute_input(skb: sk_buff, res: fib_result, in_dev: in_device, daddr: int, saddr: int, tos: int) -> int:
    """The route of a packet to forward, by one of its next hops."""
    if res.fi is not None and res.fi.fib_nhs > 1:
        assert res.fi.fib_net is not None
        fib_multipath.fib_select_multipath(res, fib_multipath.fib_multipath_hash(res.fi.fib_net, None, skb))
        IPCB(skb).flags |= IPSKB_MULTIPATH
    return __mkroute_input(skb, res, in_dev, daddr, saddr, tos)


def ip_handle_martian_source(dev: net_device, in_dev: in_device, skb: sk_buff, daddr: int, saddr: int) -> None:
    """A source address that can't be right here: count it, and log it by log_martians."""
    kernel = dev.nd_net.kernel
    kernel.rt_cache_stat.in_martian_src += 1
    if IN_DEV_ORCONF(in_dev, IPV4_DEVCONF_LOG_MARTIANS):
        pr_warn(kernel, f"martian source {ip4_addr_string(daddr)} from {ip4_addr_string(saddr)}, on dev {dev.name}")
        if isinstance(skb.mac_header, ethhdr):
            pr_warn(kernel, f"ll header: 00000000: {skb.mac_header._pack().hex(' ')}")


def _martian_destination(dev: net_device, in_dev: in_device, daddr: int, saddr: int) -> int:
    """A packet that can't be for this address: EINVAL."""
    kernel = dev.nd_net.kernel
    kernel.rt_cache_stat.in_martian_dst += 1
    if IN_DEV_ORCONF(in_dev, IPV4_DEVCONF_LOG_MARTIANS):
        pr_warn(kernel, f"martian destination {ip4_addr_string(daddr)} from {ip4_addr_string(saddr)}, dev {dev.name}")
    return EINVAL


def _martian(skb: sk_buff, dev: net_device, in_dev: in_device, daddr: int, saddr: int) -> bool:
    """True for addresses that may not be on a network, which are counted."""
    if ipv4_is_multicast(saddr) or ipv4_is_lbcast(saddr):
        ip_handle_martian_source(dev, in_dev, skb, daddr, saddr)
        return True
    if ipv4_is_lbcast(daddr) or not (saddr or daddr):
        return False
    loopback = ipv4_is_loopback(daddr), ipv4_is_loopback(saddr)
    stray = any(loopback) and not IN_DEV_NET_ORCONF(in_dev, dev.nd_net, IPV4_DEVCONF_ROUTE_LOCALNET)
    if not saddr or (stray and daddr and not loopback[0]):
        ip_handle_martian_source(dev, in_dev, skb, daddr, saddr)
        return True
    if not daddr or stray:
        _martian_destination(dev, in_dev, daddr, saddr)
        return True
    return False


def _bad_source(skb: sk_buff, daddr: int, saddr: int, tos: int, dev: net_device, in_dev: in_device) -> int:
    """0, or the errno of a source address that fib_validate_source() does not believe, which is counted."""
    err = fib_frontend.fib_validate_source(skb, saddr, daddr, tos, 0, dev, in_dev)
    if err >= 0:
        return 0
    ip_handle_martian_source(dev, in_dev, skb, daddr, saddr)
    return -err


def ip_route_input_slow(skb: sk_buff, daddr: int, saddr: int, tos: int, dev: net_device, res: fib_result) -> int:
    """Find the route of a unicast or broadcast; 0 or an errno."""
    in_dev = dev.ip_ptr
    net = dev.nd_net
    if in_dev is None:
        return EINVAL
    skb_dst_drop(skb)
    if _martian(skb, dev, in_dev, daddr, saddr):
        return EINVAL
    flags = 0
    err = 0
    if ipv4_is_lbcast(daddr) or not (saddr or daddr):
        res.fi = None
        res.type = RTN_BROADCAST
    else:
        fl4 = flowi4(0, dev.ifindex, skb.mark, tos, daddr=daddr, saddr=saddr)
        err = fib_frontend.fib_lookup(net, fl4, res, 0)
        if not err and res.type == RTN_BROADCAST and IN_DEV_ANDCONF(in_dev, IPV4_DEVCONF_BC_FORWARDING):
            return __mkroute_input(skb, res, in_dev, daddr, saddr, tos)
        if not err and res.type not in (RTN_BROADCAST, RTN_LOCAL):
            if IN_DEV_FORWARD(in_dev):
                if res.type != RTN_UNICAST:
                    return _martian_destination(dev, in_dev, daddr, saddr)
                return ip_mkroute_input(skb, res, in_dev, daddr, saddr, tos)
            err = EHOSTUNREACH
        if err:
            if not IN_DEV_FORWARD(in_dev):
                err = EHOSTUNREACH
            net.kernel.rt_cache_stat.in_no_route += 1
            res.type = RTN_UNREACHABLE
            res.fi = res.table = None
    if res.type == RTN_BROADCAST:
        if skb.protocol != ETH_P_IP:
            return EINVAL
        if saddr and (bad := _bad_source(skb, 0, saddr, tos, dev, in_dev)):
            return bad
        flags = RTCF_BROADCAST
        net.kernel.rt_cache_stat.in_brd += 1
    elif res.type == RTN_LOCAL and (bad := _bad_source(skb, daddr, saddr, tos, dev, in_dev)):
        return bad
    return _local_input(skb, res, net, flags, err)


def _local_input(skb: sk_buff, res: fib_result, net: net_t, flags: int, err: int) -> int:
    """The route of a packet for this host, or of one that can't be delivered (err)."""
    nhc = res.nhc if res.fi is not None else None
    if flags & RTCF_BROADCAST and net.ipv4.devconf_all.data[IPV4_DEVCONF_BC_FORWARDING - 1]:
        nhc = None  # not to be cached: on another device it may be forwarded
    if nhc is not None and nhc.nhc_rth_input is not None and route.rt_cache_valid(nhc.nhc_rth_input):
        return _set_dst(skb, nhc.nhc_rth_input, False)
    rth = route.rt_dst_alloc(net.loopback_dev, flags | RTCF_LOCAL, res.type, False)
    rth.output = route.ip_rt_bug
    rth.rt_is_input = 1
    net.kernel.rt_cache_stat.in_slow_tot += 1
    if res.type == RTN_UNREACHABLE:
        rth.input = route.ip_error
        rth.error = err
        rth.rt_flags &= ~RTCF_LOCAL
    if nhc is not None:
        route.rt_cache_route(nhc, rth)
    return _set_dst(skb, rth, True)


def ip_route_input_rcu(skb: sk_buff, daddr: int, saddr: int, tos: int, dev: net_device, res: fib_result) -> int:
    """Multicast or not."""
    if ipv4_is_multicast(daddr):
        in_dev = dev.ip_ptr
        iph = skb.network_header
        assert isinstance(iph, iphdr)
        if in_dev is not None and igmp_dev.ip_check_mc_rcu(in_dev, daddr, saddr, iph.protocol):
            return ip_route_input_mc(skb, daddr, saddr, tos, dev, True)
        return EINVAL
    return ip_route_input_slow(skb, daddr, saddr, tos, dev, res)


def ip_route_input_noref(skb: sk_buff, daddr: int, saddr: int, tos: int, dev: net_device) -> int:
    """Give a received packet its route; 0, or EINVAL (martian), EXDEV (rp_filter), EHOSTUNREACH …"""
    return ip_route_input_rcu(skb, daddr, saddr, tos & IPTOS_RT_MASK, dev, fib_result())


ip_route_input = ip_route_input_noref
