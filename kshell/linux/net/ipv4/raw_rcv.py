"""net/ipv4/raw.c: what raw sockets receive, and the table they are in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.errno import EHOSTUNREACH, EMSGSIZE, EPROTO
from kshell.abi.inet import (
    ICMP_DEST_UNREACH,
    ICMP_FRAG_NEEDED,
    ICMP_PARAMETERPROB,
    ICMP_REDIRECT,
    ICMP_SOURCE_QUENCH,
    IPPROTO_ICMP,
)
from kshell.abi.tcp import TCP_ESTABLISHED
from kshell.linux.include.linux.icmp import NR_ICMP_UNREACH, icmphdr
from kshell.linux.include.linux.ip import iphdr
from kshell.linux.include.linux.netdevice import NET_RX_DROP, NET_RX_SUCCESS
from kshell.linux.include.linux.skbuff import sk_buff
from kshell.linux.include.net.inet_sock import inet_sk
from kshell.linux.include.net.raw import RAW_HTABLE_SIZE, raw_hashfunc, raw_hashinfo, raw_sk, raw_sk_bound_dev_eq
from kshell.linux.include.net.rtable import inet_iif
from kshell.linux.include.net.sock import SOCK_RCU_FREE, sk_error_report, sock
from kshell.linux.net.core.skbuff import kfree_skb_reason, skb_clone, skb_push
from kshell.linux.net.core.skbuff_bytes import _skb_network_bytes
from kshell.linux.net.core.sock_proto import sock_prot_inuse_add
from kshell.linux.net.core.sock_queue import sock_queue_rcv_skb_reason
from kshell.linux.net.ipv4 import icmp, route_pmtu, route_redirect
from kshell.linux.net.ipv4.igmp import ip_mc_sf_allow
from kshell.linux.net.ipv4.ip_sockglue import ip_icmp_error, ipv4_pktinfo_prepare

if TYPE_CHECKING:
    from kshell.linux.include.net.net_namespace import net as net_t


def _table(sk: sock) -> raw_hashinfo:
    table: raw_hashinfo = sk.skc_net.kernel.raw_v4_hashinfo
    return table


def raw_hash_sk(sk: sock) -> int:
    """Let the socket receive packets of its protocol."""
    _table(sk).ht.setdefault(raw_hashfunc(sk.skc_net, inet_sk(sk).inet_num), {})[sk] = None
    sk.skc_hash = inet_sk(sk).inet_num
    sk.skc_refcnt += 1
    sock_prot_inuse_add(sk.skc_net, sk.skc_prot, 1)
    sk.skc_flags |= 1 << SOCK_RCU_FREE
    return 0


def raw_unhash_sk(sk: sock) -> None:
    """Let it receive none."""
    if not sk.skc_hash:
        return
    ht = _table(sk).ht
    slot = sk.skc_hash & (RAW_HTABLE_SIZE - 1)
    del ht[slot][sk]
    if not ht[slot]:
        del ht[slot]
    sk.skc_hash = 0
    sk.skc_refcnt -= 1
    sock_prot_inuse_add(sk.skc_net, sk.skc_prot, -1)


def raw_v4_match(net: net_t, sk: sock, num: int, raddr: int, laddr: int, dif: int, sdif: int) -> bool:
    """True if a packet of protocol num from raddr to laddr is for the socket."""
    return (
        sk.skc_num == num
        and sk.skc_net is net
        and sk.skc_daddr in (0, raddr)
        and sk.skc_rcv_saddr in (0, laddr)
        and raw_sk_bound_dev_eq(net, sk.skc_bound_dev_if, dif, sdif)
    )


def icmp_filter(sk: sock, skb: sk_buff) -> bool:
    """True if the socket's ICMP_FILTER blocks the packet."""
    header = skb.transport_header
    if isinstance(header, icmphdr):
        type_ = header.type
    elif len(skb.data) >= 8:
        type_ = skb.data[0]
    else:
        return True
    return type_ < 32 and bool(raw_sk(sk).filter.data >> type_ & 1)


def raw_v4_input(net: net_t, skb: sk_buff, iph: iphdr, sockets: dict[sock, None]) -> int:
    """Give every raw socket that wants the packet a copy; 1 if one matched."""
    assert skb.dev is not None
    dif = inet_iif(skb)
    delivered = 0
    for sk in reversed(list(sockets)):
        if not raw_v4_match(net, sk, iph.protocol, iph.saddr, iph.daddr, dif, 0):
            continue
        delivered = 1
        if iph.protocol == IPPROTO_ICMP and icmp_filter(sk, skb):
            continue
        if ip_mc_sf_allow(sk, iph.daddr, iph.saddr, skb.dev.ifindex, 0):
            clone = skb_clone(skb)
            if clone is not None:
                raw_rcv(sk, clone)
    return delivered


def raw_local_deliver(skb: sk_buff, protocol: int) -> int:
    """The same for the protocol's slot of the table."""
    assert skb.dev is not None
    net = skb.dev.nd_net
    sockets = net.kernel.raw_v4_hashinfo.ht.get(protocol & 0xFF)
    if sockets is None:
        return 0
    iph = skb.network_header
    assert isinstance(iph, iphdr)
    return raw_v4_input(net, skb, iph, sockets)


def raw_err(sk: sock, skb: sk_buff, info: int) -> None:
    """An ICMP error about a packet that the socket may have sent."""
    icmph = skb.transport_header
    assert isinstance(icmph, icmphdr)
    inet = inet_sk(sk)
    type_, code = icmph.type, icmph.code
    if type_ == ICMP_DEST_UNREACH and code == ICMP_FRAG_NEEDED:
        route_pmtu.ipv4_sk_update_pmtu(skb, sk, info)
    elif type_ == ICMP_REDIRECT:
        route_redirect.ipv4_sk_redirect(skb, sk)
        return
    if (not inet.recverr and sk.sk_state != TCP_ESTABLISHED) or type_ == ICMP_SOURCE_QUENCH:
        return
    err, harderr = EHOSTUNREACH, 0
    if type_ == ICMP_PARAMETERPROB:
        err, harderr = EPROTO, 1
    elif type_ == ICMP_DEST_UNREACH and code <= NR_ICMP_UNREACH:
        if code == ICMP_FRAG_NEEDED:
            err, harderr = EMSGSIZE, int(inet.pmtudisc != 0)
        else:
            err, harderr = icmp.icmp_err_convert[code].errno, icmp.icmp_err_convert[code].fatal
    if inet.recverr:
        ip_icmp_error(sk, skb, err, 0, info, 0 if inet.hdrincl else (skb.data[0] & 15) * 4)
    if inet.recverr or harderr:
        sk.sk_err = err
        sk_error_report(sk)


def raw_icmp_error(skb: sk_buff, protocol: int, info: int) -> None:
    """Tell all raw sockets of the protocol about an ICMP error."""
    assert skb.dev is not None
    net = skb.dev.nd_net
    sockets = net.kernel.raw_v4_hashinfo.ht.get(protocol & 0xFF)
    if sockets is None:
        return
    iph = iphdr._from_bytes(skb.data)
    for sk in reversed(list(sockets)):
        if raw_v4_match(net, sk, iph.protocol, iph.daddr, iph.saddr, skb.dev.ifindex, 0):
            raw_err(sk, skb, info)


def raw_rcv_skb(sk: sock, skb: sk_buff) -> int:
    """Queue a packet; drops it if the buffer is full."""
    ipv4_pktinfo_prepare(sk, skb, True)
    reason = sock_queue_rcv_skb_reason(sk, skb)
    if reason:
        kfree_skb_reason(skb, reason)
        return NET_RX_DROP
    return NET_RX_SUCCESS


def raw_rcv(sk: sock, skb: sk_buff) -> int:
    """A packet for a raw socket: it sees the IP header too."""
    iph = skb.network_header
    assert isinstance(iph, iphdr)
    data = _skb_network_bytes(skb)
    skb_push(skb, iph.ihl * 4)
    skb.data = data[: skb.len]
    raw_rcv_skb(sk, skb)
    return 0
