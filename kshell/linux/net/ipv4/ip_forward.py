"""net/ipv4/ip_forward.c: packets for somebody else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.inet import ICMP_DEST_UNREACH, ICMP_EXC_TTL, ICMP_FRAG_NEEDED, ICMP_SR_FAILED, ICMP_TIME_EXCEEDED
from kshell.abi.packet import PACKET_HOST
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.ip import IP_DF, iphdr
from kshell.linux.include.linux.netdevice import NET_RX_DROP
from kshell.linux.include.linux.skbuff import CHECKSUM_NONE, sk_buff
from kshell.linux.include.linux.snmp import (
    IPSTATS_MIB_FRAGFAILS,
    IPSTATS_MIB_INHDRERRORS,
    IPSTATS_MIB_OUTFORWDATAGRAMS,
    IPSTATS_MIB_OUTOCTETS,
)
from kshell.linux.include.net.dst import dst_output
from kshell.linux.include.net.ip import IPCB, IPSKB_DOREDIRECT, IPSKB_FORWARDED, _ipcb_opt
from kshell.linux.include.net.rtable import rtable
from kshell.linux.net.core.skbuff import kfree_skb
from kshell.linux.net.ipv4 import icmp, ip_options_forward, route, route_redirect

if TYPE_CHECKING:
    from kshell.linux.include.net.net_namespace import net as net_t
    from kshell.linux.include.net.sock import sock


def ip_exceeds_mtu(skb: sk_buff, mtu: int) -> bool:
    """True if the packet must be, and may not be, cut up."""
    if skb.len <= mtu:
        return False
    iph = skb.network_header
    assert isinstance(iph, iphdr)
    if not iph.frag_off & IP_DF or skb.ignore_df:
        return False
    return not (skb._shinfo is not None and skb._shinfo.gso_size)


def ip_forward_finish(net: net_t, sk: sock | None, skb: sk_buff) -> int:
    """After the FORWARD hook."""
    stats = net.mib.ip_statistics
    stats[IPSTATS_MIB_OUTFORWDATAGRAMS] += 1
    stats[IPSTATS_MIB_OUTOCTETS] += skb.len
    if _ipcb_opt(skb) is not None:
        ip_options_forward.ip_forward_options(skb)
    skb.tstamp = 0
    try:
        return dst_output(net, sk, skb)
    except KernelError:
        return NET_RX_DROP


def ip_forward(skb: sk_buff) -> int:
    """dst.input of packets to forward: TTL, MTU, options; ICMP errors to the sender."""
    rt = skb._skb_refdst
    iph = skb.network_header
    assert isinstance(rt, rtable)
    assert isinstance(iph, iphdr)
    net = rt.dev.nd_net
    if skb.pkt_type != PACKET_HOST or skb.sk is not None:
        kfree_skb(skb)
        return NET_RX_DROP
    skb.ip_summed = CHECKSUM_NONE if skb.ip_summed != 3 else skb.ip_summed
    if iph.ttl <= 1:
        net.mib.ip_statistics[IPSTATS_MIB_INHDRERRORS] += 1
        icmp.icmp_send(skb, ICMP_TIME_EXCEEDED, ICMP_EXC_TTL, 0)
        kfree_skb(skb)
        return NET_RX_DROP
    opt = _ipcb_opt(skb)
    if opt is not None and opt.is_strictroute and rt.rt_uses_gateway:
        icmp.icmp_send(skb, ICMP_DEST_UNREACH, ICMP_SR_FAILED, 0)
        kfree_skb(skb)
        return NET_RX_DROP
    IPCB(skb).flags |= IPSKB_FORWARDED
    mtu = route.ipv4_mtu(rt)
    if ip_exceeds_mtu(skb, mtu):
        net.mib.ip_statistics[IPSTATS_MIB_FRAGFAILS] += 1
        icmp.icmp_send(skb, ICMP_DEST_UNREACH, ICMP_FRAG_NEEDED, mtu)
        kfree_skb(skb)
        return NET_RX_DROP
    if net.ipv4.sysctl_ip_fwd_update_priority:
        skb.priority = route.rt_tos2priority(iph.tos)
    copy = iph._copy()
    copy.ttl -= 1
    copy.check = None
    skb.network_header = copy
    if IPCB(skb).flags & IPSKB_DOREDIRECT and (opt is None or not opt.srr):
        route_redirect.ip_rt_send_redirect(skb)
    return ip_forward_finish(net, None, skb)
