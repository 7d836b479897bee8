"""net/ipv4/route.c: learning the MTU of paths."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.inet import IPPROTO_RAW
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.ip import iphdr
from kshell.linux.include.net.dst import dst_check, dst_entry
from kshell.linux.include.net.flow import flowi4, flowi4_init_output
from kshell.linux.include.net.inet_sock import inet_sk, inet_sk_flowi_flags
from kshell.linux.include.net.ip import ip_mtu_locked, ip_sk_accept_pmtu
from kshell.linux.include.net.ip_fib import fib_nh_common, fib_nh_exception, fib_result
from kshell.linux.include.net.rtable import rtable
from kshell.linux.include.net.sock import SOCK_LOCALROUTE
from kshell.linux.net.core.dst import dst_release
from kshell.linux.net.ipv4 import fib_frontend, fib_semantics_sync, route, route_output

if TYPE_CHECKING:
    from kshell.linux.include.linux.skbuff import sk_buff
    from kshell.linux.include.net.net_namespace import net as net_t
    from kshell.linux.include.net.sock import sock


def fnhe_flush_routes(fnhe: fib_nh_exception) -> None:
    """Drop the routes cached for a destination."""
    for rt in (fnhe.fnhe_rth_input, fnhe.fnhe_rth_output):
        if rt is not None:
            rt.obsolete = -2
            dst_release(rt)
    fnhe.fnhe_rth_input = fnhe.fnhe_rth_output = None


def update_or_create_fnhe(nhc: fib_nh_common, daddr: int, gw: int, pmtu: int, lock: bool, expires: int) -> None:
    """Remember what was learnt about a destination."""
    if nhc.nhc_exceptions is None:
        nhc.nhc_exceptions = {}
    fnhe = nhc.nhc_exceptions.get(daddr)
    if fnhe is None:
        fnhe = nhc.nhc_exceptions[daddr] = fib_nh_exception(daddr)
        assert nhc.nhc_dev is not None
        fnhe.fnhe_genid = nhc.nhc_dev.nd_net.fnhe_genid
        for cached in (nhc.nhc_rth_input, nhc.nhc_pcpu_rth_output):
            if cached is not None:
                cached.obsolete = -2  # DST_OBSOLETE_KILL: look for another
    if gw:
        fnhe.fnhe_gw = gw
    if pmtu:
        fnhe.fnhe_pmtu = pmtu
        fnhe.fnhe_mtu_locked = lock
    fnhe.fnhe_expires = max(1, expires)
    for rt in (fnhe.fnhe_rth_input, fnhe.fnhe_rth_output):
        if rt is not None:
            route.fill_route_from_fnhe(rt, fnhe)


def __build_flow_key(
    net: net_t, fl4: flowi4, sk: sock | None, iph: iphdr, oif: int, tos: int, prot: int, mark: int
) -> None:
    """The flow of a packet that came back in an ICMP error."""
    scope = 0
    uid = 0
    if sk is not None:
        inet = inet_sk(sk)
        oif = sk.sk_bound_dev_if
        mark = sk.sk_mark
        tos = inet.tos & 0x1E
        scope = 253 if sk.skc_flags >> SOCK_LOCALROUTE & 1 else 0
        prot = IPPROTO_RAW if inet.hdrincl else sk.sk_protocol
        uid = sk.sk_uid
    flowi4_init_output(fl4, oif, mark, tos & 0x1C, scope, prot, 0, iph.daddr, iph.saddr, 0, 0, uid)


def __ip_rt_update_pmtu(rt: rtable, fl4: flowi4, mtu: int) -> None:
    """The path has a smaller MTU than thought."""
    if ip_mtu_locked(rt):
        return
    old_mtu = route.ipv4_mtu(rt)
    if old_mtu < mtu:
        return
    net = rt.dev.nd_net
    lock = False
    if mtu < net.ipv4.ip_rt_min_pmtu:
        lock = True
        mtu = min(old_mtu, net.ipv4.ip_rt_min_pmtu)
    jiffies = net.kernel.jiffies
    if rt.rt_pmtu == mtu and not lock and jiffies < rt.expires - net.ipv4.ip_rt_mtu_expires // 2:
        return
    res = fib_result()
    if not fib_frontend.fib_lookup(net, fl4, res, 0):
        fib_semantics_sync.fib_select_path(net, res, fl4, None)
        assert res.nhc is not None
        update_or_create_fnhe(res.nhc, fl4.daddr, 0, mtu, lock, jiffies + net.ipv4.ip_rt_mtu_expires)


def ip_rt_update_pmtu(dst: dst_entry, sk: sock | None, skb: sk_buff | None, mtu: int, confirm_neigh: bool) -> None:
    """dst_ops.update_pmtu."""
    assert isinstance(dst, rtable)
    fl4 = flowi4()
    if skb is not None:
        iph = skb.network_header
        assert isinstance(iph, iphdr)
        assert skb.dev is not None
        __build_flow_key(skb.dev.nd_net, fl4, sk, iph, skb.dev.ifindex, iph.tos, iph.protocol, skb.mark)
    else:
        assert sk is not None
        inet = inet_sk(sk)
        flowi4_init_output(
            fl4, sk.sk_bound_dev_if, sk.sk_mark, inet.tos & 0x1C, 0, sk.sk_protocol, inet_sk_flowi_flags(sk),
            inet.inet_daddr, inet.inet_saddr, 0, 0, sk.sk_uid,
        )  # fmt: skip
    __ip_rt_update_pmtu(dst, fl4, mtu)


def ipv4_update_pmtu(skb: sk_buff, net: net_t, mtu: int, oif: int, protocol: int) -> None:
    """ICMP says "fragmentation needed" about the packet in skb.data."""
    iph = iphdr._from_bytes(skb.data)
    fl4 = flowi4()
    __build_flow_key(net, fl4, None, iph, oif, iph.tos, protocol, skb.mark if net.ipv4.sysctl_fwmark_reflect else 0)
    try:
        rt = route_output.ip_route_output_key_hash(net, fl4, None)
    except KernelError:
        return
    __ip_rt_update_pmtu(rt, fl4, mtu)
    dst_release(rt)


def ipv4_sk_update_pmtu(skb: sk_buff, sk: sock, mtu: int) -> None:
    """The same for the socket that sent the packet."""
    if not ip_sk_accept_pmtu(sk):
        return
    net = sk.skc_net
    fl4 = flowi4()
    __build_flow_key(net, fl4, sk, iphdr._from_bytes(skb.data), 0, 0, 0, 0)
    odst = sk.sk_dst_cache
    try:
        if sk.sk_lock or odst is None or dst_check(odst, 0) is None:
            rt = route_output.ip_route_output_key_hash(net, fl4, None)
            __ip_rt_update_pmtu(rt, fl4, mtu)
            dst_release(rt)
            return
        assert isinstance(odst, rtable)
        __ip_rt_update_pmtu(odst, fl4, mtu)
        if dst_check(odst, 0) is None:
            new = route_output.ip_route_output_flow(net, fl4, sk)
            sk.sk_dst_cache = new
            dst_release(odst)
    except KernelError:
        return
