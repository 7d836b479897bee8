"""net/ipv4/route.c: routes for packets that start here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.errno import EINVAL, ENETUNREACH, ENODEV
from kshell.abi.inet import INADDR_LOOPBACK, IPPROTO_IGMP
from kshell.abi.netdevice import IFF_LOOPBACK, IFF_UP
from kshell.abi.rtnetlink import (
    RT_SCOPE_HOST,
    RT_SCOPE_LINK,
    RTN_BROADCAST,
    RTN_LOCAL,
    RTN_MULTICAST,
    RTN_UNICAST,
)
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.in_ import (
    ipv4_is_lbcast,
    ipv4_is_local_multicast,
    ipv4_is_loopback,
    ipv4_is_multicast,
)
from kshell.linux.include.linux.inetdevice import IN_DEV_ORCONF, IPV4_DEVCONF_NOXFRM, IPV4_DEVCONF_ROUTE_LOCALNET
from kshell.linux.include.net.flow import FLOWI_FLAG_ANYSRC, FLOWI_FLAG_KNOWN_NH, LOOPBACK_IFINDEX, flowi4
from kshell.linux.include.net.ip_fib import fib_result
from kshell.linux.include.net.rtable import RTCF_BROADCAST, RTCF_LOCAL, RTCF_MULTICAST, rtable
from kshell.linux.net.core.dev import dev_get_by_index_rcu
from kshell.linux.net.core.dst import dst_release
from kshell.linux.net.ipv4 import devinet_select, fib_frontend, fib_semantics_sync, igmp_dev, ip_output, route

if TYPE_CHECKING:
    from kshell.linux.include.linux.inetdevice import in_device
    from kshell.linux.include.linux.netdevice import net_device
    from kshell.linux.include.linux.skbuff import sk_buff
    from kshell.linux.include.net.net_namespace import net as net_t
    from kshell.linux.include.net.sock import sock


def _route_type(
    res: fib_result, fl4: flowi4, dev_out: net_device, in_dev: in_device, flags: int
) -> tuple[int, int, bool]:
    """(RTN_xxx, RTCF_xxx, whether the route may be shared) of a route. EINVAL."""
    if (
        ipv4_is_loopback(fl4.saddr)
        and not dev_out.flags & IFF_LOOPBACK
        and not IN_DEV_ORCONF(in_dev, IPV4_DEVCONF_ROUTE_LOCALNET)
    ):
        raise KernelError(EINVAL)
    daddr = fl4.daddr
    type_ = res.type
    if ipv4_is_lbcast(daddr):
        type_ = RTN_BROADCAST
        res.fi = None
    elif ipv4_is_multicast(daddr):
        type_ = RTN_MULTICAST
    elif not daddr:
        raise KernelError(EINVAL)
    if dev_out.flags & IFF_LOOPBACK:
        flags |= RTCF_LOCAL
    do_cache = True
    if type_ == RTN_BROADCAST:
        flags |= RTCF_BROADCAST | RTCF_LOCAL
    elif type_ == RTN_MULTICAST:
        flags |= RTCF_MULTICAST | RTCF_LOCAL
        if not igmp_dev.ip_check_mc_rcu(in_dev, daddr, fl4.saddr, fl4.flowi4_proto):
            flags &= ~RTCF_LOCAL
        else:
            do_cache = False
        if res.fi is not None and res.prefixlen < 4:
            res.fi = None
    return type_, flags, do_cache


def __mkroute_output(res: fib_result, fl4: flowi4, orig_oif: int, dev_out: net_device, flags: int) -> rtable:
    """The route to use, with a reference: the next hop's cached one, or a new one."""
    in_dev = dev_out.ip_ptr
    if in_dev is None:
        raise KernelError(EINVAL)
    type_, flags, do_cache = _route_type(res, fl4, dev_out, in_dev, flags)
    fi = res.fi
    if type_ == RTN_LOCAL and orig_oif and orig_oif != dev_out.ifindex:
        do_cache = False
    fnhe = None
    if fi is None:
        do_cache = False
    else:
        nhc = res.nhc
        assert nhc is not None
        fnhe = route.find_exception(nhc, fl4.daddr)
        if do_cache:
            rth = None
            if fnhe is not None:
                rth = fnhe.fnhe_rth_output
            elif fl4.flowi4_flags & FLOWI_FLAG_KNOWN_NH and not (nhc.nhc_gw_family and nhc.nhc_scope == RT_SCOPE_LINK):
                do_cache = False
            else:
                rth = nhc.nhc_pcpu_rth_output
            if rth is not None and route.rt_cache_valid(rth):
                rth.refcnt += 1
                return rth
    rth = route.rt_dst_alloc(dev_out, flags, type_, IN_DEV_ORCONF(in_dev, IPV4_DEVCONF_NOXFRM))
    rth.rt_iif = orig_oif
    stat = dev_out.nd_net.kernel.rt_cache_stat
    stat.out_slow_tot += 1
    if flags & (RTCF_BROADCAST | RTCF_MULTICAST) and flags & RTCF_LOCAL and not dev_out.flags & IFF_LOOPBACK:
        rth.output = ip_output.ip_mc_output
        stat.out_slow_mc += 1
    route.rt_set_nexthop(rth, fl4.daddr, res, fnhe, fi, do_cache)
    return rth


def ip_route_output_key_hash(net: net_t, fl4: flowi4, skb: sk_buff | None) -> rtable:
    """The route for a flow, without IPsec. As ip_route_output_key_hash_rcu()."""
    fl4.flowi4_iif = LOOPBACK_IFINDEX
    route.ip_rt_fix_tos(fl4)
    return ip_route_output_key_hash_rcu(net, fl4, fib_result(), skb)


def _check_source(net: net_t, fl4: flowi4) -> net_device | None:
    """A given source must be ours; the device, if it settles where a multicast goes. EINVAL, ENETUNREACH."""
    saddr = fl4.saddr
    if ipv4_is_multicast(saddr) or ipv4_is_lbcast(saddr):
        raise KernelError(EINVAL)
    if not fl4.flowi4_oif and (ipv4_is_multicast(fl4.daddr) or ipv4_is_lbcast(fl4.daddr)):
        dev_out = devinet_select.__ip_dev_find(net, saddr, False)
        if dev_out is None:
            raise KernelError(ENETUNREACH)
        return dev_out
    if not fl4.flowi4_flags & FLOWI_FLAG_ANYSRC and devinet_select.__ip_dev_find(net, saddr, False) is None:
        raise KernelError(ENETUNREACH)
    return None


def _bound_device(net: net_t, fl4: flowi4) -> tuple[net_device, bool]:
    """(the device of flowi4_oif, whether that is the whole answer); chooses a source. ENODEV, ENETUNREACH."""
    dev_out = dev_get_by_index_rcu(net, fl4.flowi4_oif)
    if dev_out is None:
        raise KernelError(ENODEV)
    if not dev_out.flags & IFF_UP or dev_out.ip_ptr is None:
        raise KernelError(ENETUNREACH)
    daddr = fl4.daddr
    if ipv4_is_local_multicast(daddr) or ipv4_is_lbcast(daddr) or fl4.flowi4_proto == IPPROTO_IGMP:
        if not fl4.saddr:
            fl4.saddr = devinet_select.inet_select_addr(dev_out, 0, RT_SCOPE_LINK)
        return dev_out, True
    if not fl4.saddr:
        if ipv4_is_multicast(daddr):
            fl4.saddr = devinet_select.inet_select_addr(dev_out, 0, fl4.flowi4_scope)
        elif not daddr:
            fl4.saddr = devinet_select.inet_select_addr(dev_out, 0, RT_SCOPE_HOST)
    return dev_out, False


def ip_route_output_key_hash_rcu(net: net_t, fl4: flowi4, res: fib_result, skb: sk_buff | None) -> rtable:
    """The route for a flow; fl4 gets both addresses. ENETUNREACH, ENODEV, EINVAL, or a reject route's error."""
    orig_oif = fl4.flowi4_oif
    dev_out: net_device | None = None
    if fl4.saddr:
        dev_out = _check_source(net, fl4)
        if dev_out is not None:
            fl4.flowi4_oif = dev_out.ifindex
            return __mkroute_output(res, fl4, orig_oif, dev_out, 0)
    if fl4.flowi4_oif:
        dev_out, settled = _bound_device(net, fl4)
        if settled:
            return __mkroute_output(res, fl4, orig_oif, dev_out, 0)
    if not fl4.daddr:
        fl4.daddr = fl4.saddr
        if not fl4.daddr:
            fl4.daddr = fl4.saddr = INADDR_LOOPBACK
        fl4.flowi4_oif = LOOPBACK_IFINDEX
        res.type = RTN_LOCAL
        return __mkroute_output(res, fl4, orig_oif, net.loopback_dev, RTCF_LOCAL)
    err = fib_frontend.fib_lookup(net, fl4, res, 0)
    if err:
        res.fi = res.table = None
        if dev_out is None:
            raise KernelError(err)
        if not fl4.saddr:
            fl4.saddr = devinet_select.inet_select_addr(dev_out, 0, RT_SCOPE_LINK)
        res.type = RTN_UNICAST
        return __mkroute_output(res, fl4, orig_oif, dev_out, 0)
    assert res.fi is not None
    assert res.nhc is not None
    if res.type == RTN_LOCAL:
        if not fl4.saddr:
            fl4.saddr = res.fi.fib_prefsrc or fl4.daddr
        dev_out = net.loopback_dev
        orig_oif = res.nhc.nhc_oif
        fl4.flowi4_oif = dev_out.ifindex
        return __mkroute_output(res, fl4, orig_oif, dev_out, RTCF_LOCAL)
    fib_semantics_sync.fib_select_path(net, res, fl4, skb)
    dev_out = res.nhc.nhc_dev
    assert dev_out is not None
    return __mkroute_output(res, fl4, orig_oif, dev_out, 0)


def ip_route_output_flow(net: net_t, flp4: flowi4, sk: sock | None) -> rtable:
    """The route for a flow. As ip_route_output_key_hash_rcu()."""
    rt = ip_route_output_key_hash(net, flp4, None)
    if flp4.flowi4_proto:
        flp4.flowi4_oif = rt.dev.ifindex
    return rt


def _output_device(net: net_t, daddr: int) -> net_device:
    """The device that packets to daddr leave by."""
    rt = ip_route_output_flow(net, flowi4(daddr=daddr), None)
    dev = rt.dev
    dst_release(rt)
    return dev
