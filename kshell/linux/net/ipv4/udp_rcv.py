"""net/ipv4/udp.c: packets and ICMP errors from the IP layer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.errno import EHOSTUNREACH, EMSGSIZE, ENOENT, ENOMEM, EPROTO
from kshell.abi.inet import (
    ICMP_DEST_UNREACH,
    ICMP_FRAG_NEEDED,
    ICMP_PARAMETERPROB,
    ICMP_PORT_UNREACH,
    ICMP_REDIRECT,
    ICMP_SOURCE_QUENCH,
    IPPROTO_UDP,
    IPPROTO_UDPLITE,
)
from kshell.abi.tcp import TCP_ESTABLISHED
from kshell.linux.include.linux.icmp import NR_ICMP_UNREACH, icmphdr
from kshell.linux.include.linux.ip import _checksum, iphdr
from kshell.linux.include.linux.skbuff import CHECKSUM_NONE, SKB_GSO_UDP_L4, sk_buff
from kshell.linux.include.linux.snmp import (
    ICMP_MIB_INERRORS,
    UDP_MIB_CSUMERRORS,
    UDP_MIB_IGNOREDMULTI,
    UDP_MIB_INERRORS,
    UDP_MIB_MEMERRORS,
    UDP_MIB_NOPORTS,
    UDP_MIB_RCVBUFERRORS,
)
from kshell.linux.include.linux.udp import UDP_FLAGS_ACCEPT_L4, UDPLITE_RECV_CC, udp_sk, udphdr
from kshell.linux.include.net.dropreason import (
    SKB_DROP_REASON_NO_SOCKET,
    SKB_DROP_REASON_NOT_SPECIFIED,
    SKB_DROP_REASON_PKT_TOO_SMALL,
    SKB_DROP_REASON_PROTO_MEM,
    SKB_DROP_REASON_SOCKET_FILTER,
    SKB_DROP_REASON_SOCKET_RCVBUFF,
    SKB_DROP_REASON_UDP_CSUM,
)
from kshell.linux.include.net.inet_sock import inet_sk
from kshell.linux.include.net.rtable import RTCF_BROADCAST, RTCF_MULTICAST
from kshell.linux.include.net.sock import sk_error_report
from kshell.linux.include.net.udp import udp_table
from kshell.linux.net.core.filter import sk_filter_trim_cap
from kshell.linux.net.core.skbuff import consume_skb, kfree_skb_reason, skb_clone, skb_pull_rcsum
from kshell.linux.net.ipv4 import icmp, route_pmtu, route_redirect
from kshell.linux.net.ipv4.ip_sockglue import ip_icmp_error, ipv4_pktinfo_prepare
from kshell.linux.net.ipv4.udp_hash import (
    __udp4_lib_lookup,
    __udp4_lib_lookup_skb,
    __udp_is_mcast_sock,
    udp_hashslot,
)
from kshell.linux.net.ipv4.udp_recv import __udp_enqueue_schedule_skb
from kshell.linux.net.ipv4.udp_send import _statistics

if TYPE_CHECKING:
    from kshell.linux.include.net.net_namespace import net as net_t
    from kshell.linux.include.net.sock import sock


def _errno_of(icmph: icmphdr, inet_pmtudisc: int) -> tuple[int, int]:
    """(errno, whether it is fatal) that an ICMP error means to a socket; 0: nothing."""
    if icmph.type == ICMP_SOURCE_QUENCH:
        return 0, 0
    if icmph.type == ICMP_PARAMETERPROB:
        return EPROTO, 1
    if icmph.type == ICMP_DEST_UNREACH:
        if icmph.code == ICMP_FRAG_NEEDED:
            return (EMSGSIZE, 1) if inet_pmtudisc else (0, 0)
        if icmph.code <= NR_ICMP_UNREACH:
            convert = icmp.icmp_err_convert[icmph.code]
            return convert.errno, convert.fatal
    return EHOSTUNREACH, 0


def __udp4_lib_err(skb: sk_buff, info: int, udptable: udp_table) -> int:
    """An ICMP error about the packet in skb.data: tell the socket that sent it. -ENOENT if there is none."""
    assert skb.dev is not None
    net = skb.dev.nd_net
    icmph = skb.transport_header
    assert isinstance(icmph, icmphdr)
    iph = iphdr._from_bytes(skb.data)
    ihl = iph.ihl * 4
    uh = udphdr._from_bytes(skb.data[ihl : ihl + 8])
    sk = __udp4_lib_lookup(net, iph.daddr, uh.dest, iph.saddr, uh.source, skb.dev.ifindex, 0, udptable, None)
    if sk is None or udp_sk(sk).encap_type:
        net.mib.icmp_statistics[ICMP_MIB_INERRORS] += 1
        return -ENOENT
    inet = inet_sk(sk)
    if icmph.type == ICMP_DEST_UNREACH and icmph.code == ICMP_FRAG_NEEDED:
        route_pmtu.ipv4_sk_update_pmtu(skb, sk, info)
    elif icmph.type == ICMP_REDIRECT:
        route_redirect.ipv4_sk_redirect(skb, sk)
        return 0
    err, harderr = _errno_of(icmph, inet.pmtudisc)
    if not err:
        return 0
    if not inet.recverr:
        if not harderr or sk.sk_state != TCP_ESTABLISHED:
            return 0
    else:
        ip_icmp_error(sk, skb, err, uh.dest, info, ihl + 8)
    sk.sk_err = err
    sk_error_report(sk)
    return 0


def udp_err(skb: sk_buff, info: int) -> int:
    """err_handler of UDP."""
    icmph = skb.transport_header
    assert isinstance(icmph, icmphdr)
    assert skb.dev is not None
    net = skb.dev.nd_net
    if icmph.type == ICMP_DEST_UNREACH and icmph.code == ICMP_FRAG_NEEDED:
        route_pmtu.ipv4_update_pmtu(skb, net, info, 0, IPPROTO_UDP)
    elif icmph.type == ICMP_REDIRECT:
        route_redirect.ipv4_redirect(skb, net, 0, IPPROTO_UDP)
    return __udp4_lib_err(skb, info, net.kernel.udp_table)


def __udp_queue_rcv_skb(sk: sock, skb: sk_buff) -> int:
    """Queue a packet, or drop it: -1."""
    if sk.skc_daddr:
        sk.sk_incoming_cpu = 0
    rc = __udp_enqueue_schedule_skb(sk, skb)
    if not rc:
        return 0
    stats = _statistics(sk)
    stats[UDP_MIB_RCVBUFERRORS if rc == ENOMEM else UDP_MIB_MEMERRORS] += 1
    stats[UDP_MIB_INERRORS] += 1
    kfree_skb_reason(skb, SKB_DROP_REASON_SOCKET_RCVBUFF if rc == ENOMEM else SKB_DROP_REASON_PROTO_MEM)
    return -1


def udp_queue_rcv_one_skb(sk: sock, skb: sk_buff) -> int:
    """Ask the filter, take the UDP header off and queue; -1 if the packet was dropped."""
    up = udp_sk(sk)
    drop = False
    if up.pcflag & UDPLITE_RECV_CC:
        cscov: int = skb.transport_header.len  # type: ignore[attr-defined]
        drop = cscov not in (0, skb.len) and (not up.pcrlen or cscov < up.pcrlen)
    if not drop and not sk_filter_trim_cap(sk, skb, 8):
        skb_pull_rcsum(skb, 8)
        ipv4_pktinfo_prepare(sk, skb, True)
        return __udp_queue_rcv_skb(sk, skb)
    _statistics(sk)[UDP_MIB_INERRORS] += 1
    sk.sk_drops += 1
    kfree_skb_reason(skb, SKB_DROP_REASON_SOCKET_FILTER)
    return -1


def _udp_rcv_segment(skb: sk_buff) -> list[sk_buff]:
    """Cut a UDP_SEGMENT packet into the datagrams that it stands for."""
    shinfo = skb._shinfo
    assert shinfo is not None
    size = shinfo.gso_size
    segments = []
    for at in range(0, len(skb.data), size):
        part = skb_clone(skb)
        part._shinfo = None
        part.data = skb.data[at : at + size]
        part.len = len(part.data) + 8
        uh = skb.transport_header
        assert isinstance(uh, udphdr)
        part.transport_header = udphdr(uh.source, uh.dest, part.len, uh.check)
        segments.append(part)
    consume_skb(skb)
    return segments


def udp_queue_rcv_skb(sk: sock, skb: sk_buff) -> int:
    """Queue a packet, in segments if the socket does not take it whole."""
    shinfo = skb._shinfo
    if (
        shinfo is None
        or not shinfo.gso_size
        or (shinfo.gso_type & SKB_GSO_UDP_L4 and udp_sk(sk).udp_flags >> UDP_FLAGS_ACCEPT_L4 & 1)
    ):
        return udp_queue_rcv_one_skb(sk, skb)
    for segment in _udp_rcv_segment(skb):
        udp_queue_rcv_one_skb(sk, segment)
    return 0


def __udp4_lib_mcast_deliver(
    net: net_t, skb: sk_buff, uh: udphdr, saddr: int, daddr: int, udptable: udp_table, proto: int
) -> int:
    """Give every socket that wants a multicast or broadcast a copy."""
    assert skb.dev is not None
    dif = skb.dev.ifindex
    first = None
    for sk in reversed(list(udp_hashslot(udptable, net, uh.dest).head)):
        if not __udp_is_mcast_sock(net, sk, uh.dest, daddr, uh.source, saddr, dif, 0):
            continue
        if first is None:
            first = sk
            continue
        udp_queue_rcv_skb(sk, skb_clone(skb))
    if first is not None:
        udp_queue_rcv_skb(first, skb)
    else:
        kfree_skb_reason(skb, SKB_DROP_REASON_NOT_SPECIFIED)
        mib = net.mib.udplite_statistics if proto == IPPROTO_UDPLITE else net.mib.udp_statistics
        mib[UDP_MIB_IGNOREDMULTI] += 1
    return 0


def udp_unicast_rcv_skb(sk: sock, skb: sk_buff, uh: udphdr) -> int:
    """Queue a packet for one socket."""
    ret = udp_queue_rcv_skb(sk, skb)
    return -ret if ret > 0 else 0


def _parse(skb: sk_buff, iph: iphdr, proto: int) -> tuple[udphdr | None, int]:
    """(the header or None, why not), taken off the data and checked if it came as bytes."""
    if len(skb.data) < 8:
        return None, SKB_DROP_REASON_PKT_TOO_SMALL
    uh = udphdr._from_bytes(skb.data)
    covered = len(skb.data) if proto == IPPROTO_UDPLITE and not uh.len else uh.len
    if uh.len > len(skb.data) or (proto == IPPROTO_UDP and uh.len < 8):
        return None, SKB_DROP_REASON_PKT_TOO_SMALL
    if uh.check and skb.ip_summed == CHECKSUM_NONE:
        length = uh.len if proto == IPPROTO_UDP else len(skb.data)
        pseudo = iph.saddr.to_bytes(4, "big") + iph.daddr.to_bytes(4, "big") + bytes((0, proto))
        if _checksum(pseudo + length.to_bytes(2, "big") + skb.data[:covered]) not in (0, 0xFFFF):
            return None, SKB_DROP_REASON_UDP_CSUM
    end = uh.len if proto == IPPROTO_UDP else len(skb.data)
    skb.transport_header = uh
    skb.data = skb.data[8:end]
    skb.len = end
    return uh, 0


def __udp4_lib_rcv(skb: sk_buff, udptable: udp_table, proto: int) -> int:
    """A UDP packet came in: find its socket, or answer with ICMP port unreachable."""
    assert skb.dev is not None
    net = skb.dev.nd_net
    iph = skb.network_header
    assert isinstance(iph, iphdr)
    uh = skb.transport_header
    stats = net.mib.udplite_statistics if proto == IPPROTO_UDPLITE else net.mib.udp_statistics
    if not isinstance(uh, udphdr):
        uh, reason = _parse(skb, iph, proto)
        if uh is None:
            if reason == SKB_DROP_REASON_UDP_CSUM:
                stats[UDP_MIB_CSUMERRORS] += 1
            stats[UDP_MIB_INERRORS] += 1
            kfree_skb_reason(skb, reason)
            return 0
    if skb._skb_refdst.rt_flags & (RTCF_BROADCAST | RTCF_MULTICAST):  # type: ignore[union-attr]
        return __udp4_lib_mcast_deliver(net, skb, uh, iph.saddr, iph.daddr, udptable, proto)
    sk = __udp4_lib_lookup_skb(skb, uh.source, uh.dest, udptable)
    if sk is not None:
        return udp_unicast_rcv_skb(sk, skb, uh)
    stats[UDP_MIB_NOPORTS] += 1
    icmp.icmp_send(skb, ICMP_DEST_UNREACH, ICMP_PORT_UNREACH, 0)
    kfree_skb_reason(skb, SKB_DROP_REASON_NO_SOCKET)
    return 0


def udp_rcv(skb: sk_buff) -> int:
    """handler of UDP."""
    assert skb.dev is not None
    return __udp4_lib_rcv(skb, skb.dev.nd_net.kernel.udp_table, IPPROTO_UDP)
