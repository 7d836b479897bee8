"""net/ipv4/ip_output.c: from a transport's packet to the neighbour. Building packets is in ip_output_append."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.errno import EFAULT, EHOSTUNREACH, EMSGSIZE, ENOBUFS
from kshell.abi.inet import ICMP_DEST_UNREACH, ICMP_FRAG_NEEDED, IPPROTO_TCP
from kshell.abi.netdevice import ETH_P_IP, IFF_LOOPBACK, IFF_POINTOPOINT
from kshell.abi.rtnetlink import RTAX_HOPLIMIT, RTAX_MTU, RTN_BROADCAST, RTN_MULTICAST
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.ip import IP_DF, iphdr
from kshell.linux.include.linux.netdevice import NET_XMIT_CN
from kshell.linux.include.linux.skbuff import sk_buff, skb_dst_set
from kshell.linux.include.linux.snmp import (
    IPSTATS_MIB_FRAGFAILS,
    IPSTATS_MIB_OUTBCASTOCTETS,
    IPSTATS_MIB_OUTBCASTPKTS,
    IPSTATS_MIB_OUTDISCARDS,
    IPSTATS_MIB_OUTMCASTOCTETS,
    IPSTATS_MIB_OUTMCASTPKTS,
    IPSTATS_MIB_OUTNOROUTES,
    IPSTATS_MIB_OUTOCTETS,
    IPSTATS_MIB_OUTPKTS,
)
from kshell.linux.include.net.dropreason import SKB_DROP_REASON_IP_OUTNOROUTES, SKB_DROP_REASON_NEIGH_CREATEFAIL
from kshell.linux.include.net.dst import dst_metric_raw, dst_output
from kshell.linux.include.net.inet_sock import inet_sk
from kshell.linux.include.net.ip import (
    IP_MAX_MTU,
    IPSKB_FORWARDED,
    inet_skb_parm,
    ip_dont_fragment,
    ip_mtu_locked,
    ip_sk_use_pmtu,
)
from kshell.linux.include.net.route import RT_CONN_FLAGS_TOS, ip_route_output_ports
from kshell.linux.include.net.rtable import RTCF_BROADCAST, RTCF_LOCAL, RTCF_MULTICAST, rtable
from kshell.linux.lib.iov_iter import copy_from_iter_full
from kshell.linux.net.core.dev_xmit import dev_loopback_xmit
from kshell.linux.net.core.dst import dst_release
from kshell.linux.net.core.neighbour import __neigh_create, neigh_output
from kshell.linux.net.core.skbuff import kfree_skb, kfree_skb_reason, skb_clone, skb_push
from kshell.linux.net.core.sock import __sk_dst_check, sk_setup_caps
from kshell.linux.net.ipv4 import icmp, ip_output_frag, route
from kshell.linux.net.ipv4.ip_options import ip_options_build

if TYPE_CHECKING:
    from kshell.linux.include.net.dst import dst_entry
    from kshell.linux.include.net.flow import flowi4
    from kshell.linux.include.net.inet_sock import inet_sock, ip_options_rcu
    from kshell.linux.include.net.net_namespace import net as net_t
    from kshell.linux.include.net.sock import sock


def sk_mc_loop(sk: sock | None) -> bool:
    """IP_MULTICAST_LOOP: whether this machine gets what the socket sends to a group."""
    return sk is None or bool(inet_sk(sk).mc_loop)


def ip_send_check(iph: iphdr) -> None:
    """The header is complete: its checksum is right from now on."""
    iph.check = None


def __ip_local_out(net: net_t, sk: sock | None, skb: sk_buff) -> int:
    """Set length and checksum; 1: go on."""
    iph = skb.network_header
    assert isinstance(iph, iphdr)
    iph.tot_len = skb.len & 0xFFFF
    ip_send_check(iph)
    skb.protocol = ETH_P_IP
    return 1


def ip_local_out(net: net_t, sk: sock | None, skb: sk_buff) -> int:
    """Send a packet with IP header and route: NET_XMIT_*, or EMSGSIZE, EINVAL and others from below."""
    __ip_local_out(net, sk, skb)
    return dst_output(net, sk, skb)


def ip4_dst_hoplimit(dst: dst_entry) -> int:
    """TTL for packets along a route."""
    return dst_metric_raw(dst, RTAX_HOPLIMIT) or dst.dev.nd_net.ipv4.sysctl_ip_default_ttl


def ip_select_ttl(inet: inet_sock, dst: dst_entry) -> int:
    """TTL for a unicast packet of a socket."""
    ttl = inet.uc_ttl
    return ttl if ttl >= 0 else ip4_dst_hoplimit(dst)


def _ip_select_ident_segs(net: net_t, skb: sk_buff, sk: sock | None, segs: int) -> None:
    """Give the packet its identification (0 if it can't be fragmented)."""
    iph = skb.network_header
    assert isinstance(iph, iphdr)
    if sk is not None and sk.skc_daddr:
        inet = inet_sk(sk)
        if sk.sk_protocol == IPPROTO_TCP:
            iph.id = inet.inet_id & 0xFFFF
            inet.inet_id += segs
        else:
            inet.inet_id += segs
            iph.id = inet.inet_id & 0xFFFF
    elif iph.frag_off & IP_DF and not skb.ignore_df:
        iph.id = 0
    else:
        route.__ip_select_ident(net, iph, segs)


def ip_build_and_send_pkt(skb: sk_buff, sk: sock, saddr: int, daddr: int, opt: ip_options_rcu | None, tos: int) -> int:
    """Add an IP header to a packet that has a route, and send it (SYN-ACK)."""
    rt = skb._skb_refdst
    assert isinstance(rt, rtable)
    net = sk.skc_net
    skb_push(skb, 20 + (opt.opt.optlen if opt is not None else 0))
    iph = iphdr(
        tos, 0, 0, 0, ip_select_ttl(inet_sk(sk), rt), sk.sk_protocol, saddr,
        opt.opt.faddr if opt is not None and opt.opt.srr else daddr,
    )  # fmt: skip
    skb.network_header = iph
    if skb.len <= 68 or ip_dont_fragment(sk, rt):
        iph.frag_off = IP_DF
    elif sk.sk_protocol == IPPROTO_TCP:
        iph.id = net.kernel.random.getrandbits(16)
    else:
        route.__ip_select_ident(net, iph, 1)
    if opt is not None and opt.opt.optlen:
        ip_options_build(skb, opt.opt, daddr, rt)
    if sk.sk_priority:
        skb.priority = sk.sk_priority
    if not skb.mark and sk.sk_mark:
        skb.mark = sk.sk_mark
    return ip_local_out(net, skb.sk, skb)


def ip_finish_output2(net: net_t, sk: sock | None, skb: sk_buff) -> int:
    """Hand the packet to the neighbour that it goes to: NET_XMIT_*. ENETDOWN."""
    rt = skb._skb_refdst
    assert isinstance(rt, rtable)
    dev = rt.dev
    if rt.rt_type == RTN_MULTICAST:
        net.mib.ip_statistics[IPSTATS_MIB_OUTMCASTPKTS] += 1
        net.mib.ip_statistics[IPSTATS_MIB_OUTMCASTOCTETS] += skb.len
    elif rt.rt_type == RTN_BROADCAST:
        net.mib.ip_statistics[IPSTATS_MIB_OUTBCASTPKTS] += 1
        net.mib.ip_statistics[IPSTATS_MIB_OUTBCASTOCTETS] += skb.len
    if dev.flags & (IFF_LOOPBACK | IFF_POINTOPOINT):
        key = 0
    elif rt.rt_gw_family:
        key = rt.rt_gw4
    else:
        key = skb.network_header.daddr  # type: ignore[attr-defined]
    tbl = net.kernel.arp_tbl
    neigh = tbl.nht.get((key, dev))
    if neigh is None:
        try:
            neigh = __neigh_create(tbl, key, dev, False)
        except KernelError:
            kfree_skb_reason(skb, SKB_DROP_REASON_NEIGH_CREATEFAIL)
            raise
    res = neigh_output(neigh, skb, False)
    if res < 0:
        raise KernelError(-res)
    return res


def ip_dst_mtu_maybe_forward(dst: dst_entry, forwarding: bool) -> int:
    """The path's MTU; what was learnt about it is not for packets of others."""
    net = dst.dev.nd_net
    if net.ipv4.sysctl_ip_fwd_use_pmtu or not forwarding or ip_mtu_locked(dst):
        mtu: int = dst.rt_pmtu  # type: ignore[attr-defined]
        if mtu and net.kernel.jiffies < dst.expires:
            return mtu
    return dst_metric_raw(dst, RTAX_MTU) or min(dst.dev.mtu, IP_MAX_MTU)


def ip_skb_dst_mtu(sk: sock | None, skb: sk_buff) -> int:
    """Size that the packet may have on its way."""
    dst = skb._skb_refdst
    assert dst is not None
    if sk is None or sk.skc_state in (6, 12) or ip_sk_use_pmtu(sk):
        cb = skb.cb
        forwarding = isinstance(cb, inet_skb_parm) and bool(cb.flags & IPSKB_FORWARDED)
        return ip_dst_mtu_maybe_forward(dst, forwarding)
    return min(dst.dev.mtu, IP_MAX_MTU)


def __ip_finish_output(net: net_t, sk: sock | None, skb: sk_buff) -> int:
    """Fragment what is too large. EMSGSIZE."""
    shinfo = skb._shinfo
    if shinfo is not None and shinfo.gso_size:
        return ip_finish_output2(net, sk, skb)
    cb = skb.cb
    mtu = ip_skb_dst_mtu(sk, skb)
    if skb.len > mtu or (isinstance(cb, inet_skb_parm) and cb.frag_max_size):
        return ip_fragment(net, sk, skb, mtu)
    return ip_finish_output2(net, sk, skb)


def ip_finish_output(net: net_t, sk: sock | None, skb: sk_buff) -> int:
    """After the POST_ROUTING hook."""
    return __ip_finish_output(net, sk, skb)


def ip_fragment(net: net_t, sk: sock | None, skb: sk_buff, mtu: int) -> int:
    """Cut the packet up, or say that it may not be (ICMP fragmentation needed). EMSGSIZE."""
    iph = skb.network_header
    assert isinstance(iph, iphdr)
    cb = skb.cb
    frag_max_size = cb.frag_max_size if isinstance(cb, inet_skb_parm) else 0
    if iph.frag_off & IP_DF and (not skb.ignore_df or frag_max_size > mtu):
        net.mib.ip_statistics[IPSTATS_MIB_FRAGFAILS] += 1
        icmp.icmp_send(skb, ICMP_DEST_UNREACH, ICMP_FRAG_NEEDED, mtu)
        kfree_skb(skb)
        raise KernelError(EMSGSIZE)
    return ip_output_frag.ip_do_fragment(net, sk, skb, ip_finish_output2)


def ip_mc_finish_output(net: net_t, sk: sock | None, skb: sk_buff) -> int:
    """Loop a copy of a multicast packet back to this host."""
    rt = skb._skb_refdst
    assert isinstance(rt, rtable)
    new_rt = route.rt_dst_clone(net.loopback_dev, rt)
    new_rt.rt_iif = 0
    dst_release(rt)
    skb_dst_set(skb, new_rt)
    return dev_loopback_xmit(net, sk, skb)


def ip_mc_output(net: net_t, sk: sock | None, skb: sk_buff) -> int:
    """dst.output of multicast and broadcast routes that also lead here."""
    rt = skb._skb_refdst
    assert isinstance(rt, rtable)
    stats = net.mib.ip_statistics
    stats[IPSTATS_MIB_OUTPKTS] += 1
    stats[IPSTATS_MIB_OUTOCTETS] += skb.len
    skb.dev = rt.dev
    skb.protocol = ETH_P_IP
    loop = False
    if rt.rt_flags & RTCF_MULTICAST:
        cb = skb.cb
        forwarded = isinstance(cb, inet_skb_parm) and cb.flags & IPSKB_FORWARDED
        loop = sk_mc_loop(sk) and bool(rt.rt_flags & RTCF_LOCAL or not forwarded)
    if loop or rt.rt_flags & RTCF_BROADCAST:
        newskb = skb_clone(skb)
        if newskb is not None:
            ip_mc_finish_output(net, sk, newskb)
    if rt.rt_flags & RTCF_MULTICAST and not skb.network_header.ttl:  # type: ignore[attr-defined]
        kfree_skb(skb)
        return 0
    return ip_finish_output(net, sk, skb)


def ip_output(net: net_t, sk: sock | None, skb: sk_buff) -> int:
    """dst.output of ordinary routes."""
    stats = net.mib.ip_statistics
    stats[IPSTATS_MIB_OUTPKTS] += 1
    stats[IPSTATS_MIB_OUTOCTETS] += skb.len
    skb.dev = skb._skb_refdst.dev  # type: ignore[union-attr]
    skb.protocol = ETH_P_IP
    return ip_finish_output(net, sk, skb)


def __ip_queue_xmit(sk: sock, skb: sk_buff, fl: flowi4, tos: int) -> int:
    """Route a connection's packet, give it its IP header and send it. EHOSTUNREACH if there is no route."""
    inet = inet_sk(sk)
    net = sk.skc_net
    inet_opt = inet.inet_opt
    rt = skb._skb_refdst
    try:
        if rt is None:
            rt = __sk_dst_check(sk, 0)
            if rt is None:
                daddr = inet.inet_daddr
                if inet_opt is not None and inet_opt.opt.srr:
                    daddr = inet_opt.opt.faddr
                rt = ip_route_output_ports(
                    net, fl, sk, daddr, inet.inet_saddr, inet.inet_dport, inet.inet_sport, sk.sk_protocol,
                    RT_CONN_FLAGS_TOS(sk, tos), sk.sk_bound_dev_if,
                )  # fmt: skip
                sk_setup_caps(sk, rt)
            rt.refcnt += 1
            skb._skb_refdst = rt
        assert isinstance(rt, rtable)
        if inet_opt is not None and inet_opt.opt.is_strictroute and rt.rt_uses_gateway:
            raise KernelError(EHOSTUNREACH)
    except KernelError:
        net.mib.ip_statistics[IPSTATS_MIB_OUTNOROUTES] += 1
        kfree_skb_reason(skb, SKB_DROP_REASON_IP_OUTNOROUTES)
        raise KernelError(EHOSTUNREACH) from None
    skb_push(skb, 20 + (inet_opt.opt.optlen if inet_opt is not None else 0))
    frag_off = IP_DF if ip_dont_fragment(sk, rt) and not skb.ignore_df else 0
    skb.network_header = iphdr(tos & 0xFF, 0, 0, frag_off, ip_select_ttl(inet, rt), sk.sk_protocol, fl.saddr, fl.daddr)
    if inet_opt is not None and inet_opt.opt.optlen:
        ip_options_build(skb, inet_opt.opt, inet.inet_daddr, rt)
    shinfo = skb._shinfo
    _ip_select_ident_segs(net, skb, sk, shinfo.gso_segs or 1 if shinfo is not None else 1)
    if sk.sk_priority:
        skb.priority = sk.sk_priority
    if sk.sk_mark:
        skb.mark = sk.sk_mark
    return ip_local_out(net, sk, skb)


def ip_queue_xmit(sk: sock, skb: sk_buff, fl: flowi4) -> int:
    """The same with the socket's TOS."""
    return __ip_queue_xmit(sk, skb, fl, inet_sk(sk).tos)


def ip_generic_getfrag(msg: object, offset: int, length: int, skb: sk_buff) -> bytes:
    """The next bytes of the user's message. EFAULT."""
    try:
        return copy_from_iter_full(msg.msg_iter, length)  # type: ignore[attr-defined]
    except KernelError:
        raise KernelError(EFAULT) from None


def ip_send_skb(net: net_t, skb: sk_buff) -> int:
    """Send a finished packet. ENOBUFS if it was dropped, and what ip_local_out() raises."""
    try:
        err = ip_local_out(net, skb.sk, skb)
    except KernelError:
        net.mib.ip_statistics[IPSTATS_MIB_OUTDISCARDS] += 1
        raise
    if err > 0 and err != NET_XMIT_CN:
        net.mib.ip_statistics[IPSTATS_MIB_OUTDISCARDS] += 1
        raise KernelError(ENOBUFS)
    return 0
