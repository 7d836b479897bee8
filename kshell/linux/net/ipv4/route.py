"""net/ipv4/route.c: routes as packets carry them. Lookups: route_output, route_input; path MTU: route_pmtu."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.errno import EACCES, EHOSTUNREACH, ENETUNREACH
from kshell.abi.inet import ICMP_DEST_UNREACH, ICMP_HOST_UNREACH
from kshell.abi.rtnetlink import RT_SCOPE_LINK, RT_SCOPE_UNIVERSE, RTAX_MTU
from kshell.abi.socket import AF_INET
from kshell.linux.include.linux.inetdevice import IN_DEV_FORWARD
from kshell.linux.include.linux.ip import iphdr
from kshell.linux.include.linux.skbuff import sk_buff
from kshell.linux.include.linux.snmp import IPSTATS_MIB_INADDRERRORS, IPSTATS_MIB_INNOROUTES
from kshell.linux.include.net.dst import DST_NOXFRM, DST_OBSOLETE_FORCE_CHK, dst_entry, dst_metric_raw
from kshell.linux.include.net.flow import flowi4
from kshell.linux.include.net.ip import _ipcb_opt
from kshell.linux.include.net.ip_fib import fib_info, fib_nh_common, fib_nh_exception, fib_result
from kshell.linux.include.net.rtable import IPTOS_RT_MASK, RTCF_LOCAL, RTCF_REDIRECTED, rt_is_input_route, rtable
from kshell.linux.mm.slub import kmem_cache_alloc, kmem_cache_free
from kshell.linux.net.core.dst import dst_init, dst_release
from kshell.linux.net.core.skbuff import kfree_skb
from kshell.linux.net.core.sock import sk_dst_reset
from kshell.linux.net.ipv4 import (
    devinet_select,
    fib_frontend,
    fib_semantics,
    icmp,
    ip_input,
    ip_output,
    route_pmtu,
)

if TYPE_CHECKING:
    from kshell.linux.include.linux.inetdevice import in_device
    from kshell.linux.include.linux.netdevice import net_device
    from kshell.linux.include.net.net_namespace import net as net_t
    from kshell.linux.include.net.sock import sock
    from kshell.linux.init.kernel import Kernel

ip_tos2prio = (0, 0, 0, 0, 2, 2, 2, 2, 6, 6, 6, 6, 4, 4, 4, 4)
_RTABLE_SIZE = 176


def rt_tos2priority(tos: int) -> int:
    """Priority of packets with this TOS."""
    return ip_tos2prio[(tos & 0x1E) >> 1]


def rt_is_expired(rth: rtable) -> bool:
    """True if routes changed since this one was made."""
    return rth.rt_genid != rth.dev.nd_net.ipv4.rt_genid


def rt_cache_flush(net: net_t) -> None:
    """Make all routes check themselves again."""
    net.ipv4.rt_genid += 1


def ip_idents_reserve(kernel: Kernel, hash: int, segs: int) -> int:
    """The next segs identifications of a bucket, with a gap that grows with the time since the last."""
    bucket = hash & 0xFFFF
    now = kernel.jiffies
    last, value = kernel.ip_idents.get(bucket, (0, kernel.random.getrandbits(16)))
    delta = kernel.random.getrandbits(32) * (now - last) >> 32 if last and last != now else 0
    value = (value + segs + delta) & 0xFFFFFFFF
    kernel.ip_idents[bucket] = (now, value)
    return value - segs


def __ip_select_ident(net: net_t, iph: iphdr, segs: int) -> None:
    """Identification for a packet of no connection."""
    key = iph.daddr * 0x9E3779B1 ^ iph.saddr * 0x85EBCA6B ^ iph.protocol
    iph.id = ip_idents_reserve(net.kernel, key >> 8, segs) & 0xFFFF


def ip_rt_fix_tos(fl4: flowi4) -> None:
    """Keep the routing bits of the TOS; RTO_ONLINK narrows the scope."""
    tos = fl4.flowi4_tos
    if tos:
        fl4.flowi4_tos = tos & IPTOS_RT_MASK
        if tos & 1:
            fl4.flowi4_scope = RT_SCOPE_LINK


def fill_route_from_fnhe(rt: rtable, fnhe: fib_nh_exception) -> None:
    """Apply what was learnt about a destination."""
    rt.rt_pmtu = fnhe.fnhe_pmtu
    rt.rt_mtu_locked = int(fnhe.fnhe_mtu_locked)
    rt.expires = fnhe.fnhe_expires
    if fnhe.fnhe_gw:
        rt.rt_flags |= RTCF_REDIRECTED
        rt.rt_uses_gateway = 1
        rt.rt_gw_family = AF_INET
        rt.rt_gw4 = fnhe.fnhe_gw


def ipv4_negative_advice(sk: sock, dst: dst_entry) -> None:
    """The socket's route seems not to work: drop it if it is old, redirected or has an expiry."""
    assert isinstance(dst, rtable)
    if dst.obsolete > 0 or dst.rt_flags & RTCF_REDIRECTED or dst.expires:
        sk_dst_reset(sk)


def ip_error(skb: sk_buff) -> int:
    """dst.input of packets that have no route: say so to the sender if we are a router."""
    rt = skb._skb_refdst
    dev = skb.dev
    assert isinstance(rt, rtable)
    assert dev is not None
    in_dev = dev.ip_ptr
    if in_dev is not None:
        stats = rt.dev.nd_net.mib.ip_statistics
        if rt.error == ENETUNREACH:
            stats[IPSTATS_MIB_INNOROUTES] += 1
        elif rt.error == EHOSTUNREACH and not IN_DEV_FORWARD(in_dev):
            stats[IPSTATS_MIB_INADDRERRORS] += 1
        code = {EHOSTUNREACH: 1, ENETUNREACH: 0, EACCES: 13}.get(rt.error)
        if IN_DEV_FORWARD(in_dev) and code is not None:
            icmp.icmp_send(skb, ICMP_DEST_UNREACH, code, 0)
    kfree_skb(skb)
    return 0


def ipv4_send_dest_unreach(skb: sk_buff) -> None:
    """Tell the sender that the host can't be reached."""
    icmp.__icmp_send(skb, ICMP_DEST_UNREACH, ICMP_HOST_UNREACH, 0, _ipcb_opt(skb))


def ipv4_link_failure(skb: sk_buff) -> None:
    """The next hop does not answer."""
    ipv4_send_dest_unreach(skb)
    rt = skb._skb_refdst
    if rt is not None:
        rt.expires = rt.dev.nd_net.kernel.jiffies


def ip_rt_bug(net: net_t, sk: sock | None, skb: sk_buff) -> int:
    """dst.output of input routes: never to be called."""
    kfree_skb(skb)
    return 0


def ip_rt_get_source(skb: sk_buff, rt: rtable) -> int:
    """The address of ours that goes into IP options."""
    iph = skb.network_header
    assert isinstance(iph, iphdr)
    if not rt_is_input_route(rt):
        return iph.saddr
    assert skb.dev is not None
    fl4 = flowi4(rt.dev.ifindex, skb.dev.ifindex, skb.mark, iph.tos & IPTOS_RT_MASK, daddr=iph.daddr, saddr=iph.saddr)
    res = fib_result()
    net = rt.dev.nd_net
    if not fib_frontend.fib_lookup(net, fl4, res, 0):
        return fib_semantics.fib_result_prefsrc(net, res)
    gateway = rt.rt_gw4 if rt.rt_gw_family else iph.daddr
    return devinet_select.inet_select_addr(rt.dev, gateway, RT_SCOPE_UNIVERSE)


def ipv4_default_advmss(dst: dst_entry) -> int:
    """MSS to advertise: the path MTU less 40 bytes of headers."""
    advmss = max(ipv4_mtu(dst) - 40, dst.dev.nd_net.ipv4.ip_rt_min_advmss)
    return min(advmss, 65535 - 40)


def ipv4_mtu(dst: dst_entry) -> int:
    """MTU of the path: learnt, set on the route, or the device's."""
    rt: rtable = dst  # type: ignore[assignment]
    mtu = rt.rt_pmtu
    if mtu and dst.expires and dst.dev.nd_net.kernel.jiffies - dst.expires >= 0:
        mtu = 0
    if not mtu and dst._metrics is not None:
        mtu = dst_metric_raw(dst, RTAX_MTU)
    if not mtu:
        mtu = dst.dev.mtu
        if rt.rt_mtu_locked and rt.rt_uses_gateway and mtu > 576:
            mtu = 576
    return mtu if mtu < 65535 else 65535


def ipv4_dst_check(dst: dst_entry, cookie: int) -> dst_entry | None:
    """The route if it is still good."""
    if dst.obsolete != DST_OBSOLETE_FORCE_CHK or dst.rt_genid != dst.dev.nd_net.ipv4.rt_genid:  # type: ignore[attr-defined]
        return None
    return dst


def find_exception(nhc: fib_nh_common, daddr: int) -> fib_nh_exception | None:
    """What was learnt about a destination behind this next hop."""
    table = nhc.nhc_exceptions
    if table is None:
        return None
    fnhe = table.get(daddr)
    if fnhe is None or nhc.nhc_dev is None:
        return None
    if fnhe.fnhe_expires and nhc.nhc_dev.nd_net.kernel.jiffies > fnhe.fnhe_expires:
        del table[daddr]
        route_pmtu.fnhe_flush_routes(fnhe)
        return None
    return fnhe


def rt_bind_exception(rt: rtable, fnhe: fib_nh_exception, daddr: int, do_cache: bool) -> bool:
    """Make a route for a destination about which something was learnt; True if it was cached there."""
    genid = rt.dev.nd_net.fnhe_genid
    if fnhe.fnhe_genid != genid:
        fnhe.fnhe_genid = genid
        fnhe.fnhe_gw = fnhe.fnhe_pmtu = fnhe.fnhe_expires = 0
        fnhe.fnhe_mtu_locked = False
        route_pmtu.fnhe_flush_routes(fnhe)
    fill_route_from_fnhe(rt, fnhe)
    if not rt.rt_gw4:
        rt.rt_gw4 = daddr
        rt.rt_gw_family = AF_INET
    if not do_cache:
        return False
    rt.refcnt += 1
    if rt_is_input_route(rt):
        orig, fnhe.fnhe_rth_input = fnhe.fnhe_rth_input, rt
    else:
        orig, fnhe.fnhe_rth_output = fnhe.fnhe_rth_output, rt
    dst_release(orig)
    return True


def rt_cache_route(nhc: fib_nh_common, rt: rtable) -> bool:
    """Keep a route in its next hop."""
    rt.refcnt += 1
    if rt_is_input_route(rt):
        orig, nhc.nhc_rth_input = nhc.nhc_rth_input, rt
    else:
        orig, nhc.nhc_pcpu_rth_output = nhc.nhc_pcpu_rth_output, rt
    dst_release(orig)
    return True


def ipv4_dst_destroy(dst: dst_entry) -> None:
    """Free a route."""
    kmem_cache_free(dst.dev.nd_net.kernel.ipv4_dst_cachep, dst)


def rt_flush_dev(dev: net_device) -> None:
    """A device goes away: routes over it are checked by their generation, nothing keeps a list of them."""
    rt_cache_flush(dev.nd_net)


def rt_cache_valid(rt: rtable | None) -> bool:
    """True if a cached route may be used."""
    return rt is not None and rt.obsolete == DST_OBSOLETE_FORCE_CHK and not rt_is_expired(rt)


def rt_set_nexthop(
    rt: rtable, daddr: int, res: fib_result, fnhe: fib_nh_exception | None, fi: fib_info | None, do_cache: bool
) -> None:
    """Gateway, metrics and cache of a new route."""
    if fi is None:
        return
    nhc = res.nhc
    assert nhc is not None
    if nhc.nhc_gw_family and nhc.nhc_scope == RT_SCOPE_LINK:
        rt.rt_uses_gateway = 1
        rt.rt_gw_family = nhc.nhc_gw_family
        rt.rt_gw4 = nhc.nhc_gw
    rt._metrics = fi.fib_metrics
    cached = False
    if fnhe is not None:
        cached = rt_bind_exception(rt, fnhe, daddr, do_cache)
    elif do_cache:
        cached = rt_cache_route(nhc, rt)
    if not cached and not rt.rt_gw4:
        rt.rt_gw_family = AF_INET
        rt.rt_gw4 = daddr


def _alloc(dev: net_device, flags: int) -> rtable:
    """dst_alloc(&ipv4_dst_ops)."""
    kernel = dev.nd_net.kernel
    rt = kmem_cache_alloc(kernel.ipv4_dst_cachep, rtable)
    dst_init(rt, kernel.ipv4_dst_ops, dev, 1, DST_OBSOLETE_FORCE_CHK, flags)
    rt.rt_genid = dev.nd_net.ipv4.rt_genid
    return rt


def rt_dst_alloc(dev: net_device, flags: int, type: int, noxfrm: bool) -> rtable:
    """A new route with one reference."""
    rt = _alloc(dev, DST_NOXFRM if noxfrm else 0)
    rt.rt_flags = flags
    rt.rt_type = type
    rt.output = ip_output.ip_output
    if flags & RTCF_LOCAL:
        rt.input = ip_input.ip_local_deliver
    return rt


def rt_dst_clone(dev: net_device, rt: rtable) -> rtable:
    """A copy of a route for another device."""
    new_rt = _alloc(dev, rt.flags)
    for name in ("rt_flags", "rt_type", "rt_is_input", "rt_iif", "rt_pmtu", "rt_mtu_locked", "rt_gw_family", "rt_gw4"):
        setattr(new_rt, name, getattr(rt, name))
    new_rt.input = rt.input
    new_rt.output = rt.output
    new_rt.error = rt.error
    return new_rt


def ip_rt_multicast_event(in_dev: in_device) -> None:
    """Groups of a device changed: routes to them too."""
    dev = in_dev.dev
    assert dev is not None
    rt_cache_flush(dev.nd_net)
