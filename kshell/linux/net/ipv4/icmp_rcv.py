"""ICMP packets that arrive (part of net/ipv4/icmp.c)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from kshell.abi.inet import (
    ICMP_DEST_UNREACH,
    ICMP_ECHO,
    ICMP_ECHOREPLY,
    ICMP_EXC_FRAGTIME,
    ICMP_FRAG_NEEDED,
    ICMP_PARAMETERPROB,
    ICMP_REDIRECT,
    ICMP_TIME_EXCEEDED,
    ICMP_TIMESTAMP,
    ICMP_TIMESTAMPREPLY,
    IPPROTO_ICMP,
    IPPROTO_RAW,
)
from kshell.linux.include.linux.icmp import NR_ICMP_TYPES, NR_ICMP_UNREACH, icmphdr
from kshell.linux.include.linux.ip import iphdr
from kshell.linux.include.linux.netdevice import NET_RX_DROP, NET_RX_SUCCESS
from kshell.linux.include.linux.skbuff import sk_buff
from kshell.linux.include.linux.snmp import ICMP_MIB_CSUMERRORS, ICMP_MIB_INERRORS, ICMP_MIB_INMSGS
from kshell.linux.include.net.dropreason import SKB_DROP_REASON_NOT_SPECIFIED
from kshell.linux.include.net.icmp import icmp_control
from kshell.linux.include.net.protocol import net_protocol
from kshell.linux.include.net.rtable import RTCF_BROADCAST, RTCF_MULTICAST, rtable
from kshell.linux.net.core.skbuff import consume_skb, kfree_skb_reason
from kshell.linux.net.core.skbuff_csum import __skb_checksum_complete
from kshell.linux.net.ipv4 import ip_options as ip_options_c
from kshell.linux.net.ipv4 import ping, raw_rcv, route_pmtu, route_redirect
from kshell.linux.net.ipv4.icmp import _ERROR_TYPES, icmp_bxm, icmp_reply

if TYPE_CHECKING:
    from kshell.linux.include.net.net_namespace import net as net_t


def icmp_socket_deliver(skb: sk_buff, info: int) -> None:
    """Hand an error to the protocol and raw sockets of the packet that caused it."""
    assert skb.dev is not None
    net = skb.dev.nd_net
    iph = iphdr._from_bytes(skb.data)
    if len(skb.data) < iph.ihl * 4 + 8 or iph.protocol == IPPROTO_RAW:
        net.mib.icmp_statistics[ICMP_MIB_INERRORS] += 1
        return
    raw_rcv.raw_icmp_error(skb, iph.protocol, info)
    ipprot = net.kernel.inet_protos.get(iph.protocol)
    if ipprot is not None and ipprot.err_handler is not None:
        ipprot.err_handler(skb, info)


def icmp_tag_validation(net: net_t, proto: int) -> bool:
    """True if the protocol checks errors thoroughly."""
    ipprot = net.kernel.inet_protos.get(proto)
    return ipprot is not None and bool(ipprot.icmp_strict_tag_validation)


def icmp_unreach(skb: sk_buff) -> int:
    """Destination unreachable, time exceeded, parameter problem, source quench; skb.data is the packet in error."""
    icmph = skb.transport_header
    assert isinstance(icmph, icmphdr)
    assert skb.dev is not None
    net = skb.dev.nd_net
    if len(skb.data) < 20 or skb.data[0] & 15 < 5:
        net.mib.icmp_statistics[ICMP_MIB_INERRORS] += 1
        return SKB_DROP_REASON_NOT_SPECIFIED
    info = 0
    if icmph.type == ICMP_DEST_UNREACH:
        if icmph.code & 15 == ICMP_FRAG_NEEDED:
            disc = net.ipv4.sysctl_ip_no_pmtu_disc
            if disc == 2 or (disc == 3 and not icmp_tag_validation(net, skb.data[9])):
                return 0
            if disc in (0, 3):
                info = icmph.un & 0xFFFF
        if icmph.code > NR_ICMP_UNREACH:
            return 0
    elif icmph.type == ICMP_PARAMETERPROB:
        info = icmph.un >> 24
    elif icmph.type == ICMP_TIME_EXCEEDED and icmph.code == ICMP_EXC_FRAGTIME:
        return 0
    icmp_socket_deliver(skb, info)
    return 0


def icmp_redirect(skb: sk_buff) -> int:
    """Another gateway is better."""
    icmph = skb.transport_header
    assert isinstance(icmph, icmphdr)
    if len(skb.data) < 20:
        return SKB_DROP_REASON_NOT_SPECIFIED
    icmp_socket_deliver(skb, icmph.un)
    return 0


def icmp_echo(skb: sk_buff) -> int:
    """Answer a ping."""
    icmph = skb.transport_header
    assert isinstance(icmph, icmphdr)
    assert skb.dev is not None
    if skb.dev.nd_net.ipv4.sysctl_icmp_echo_ignore_all or icmph.type != ICMP_ECHO:
        return 0
    icmp_reply(icmp_bxm(skb, icmphdr(ICMP_ECHOREPLY, icmph.code, icmph.un), skb.data), skb)
    return 0


def icmp_timestamp(skb: sk_buff) -> int:
    """Answer with our time."""
    icmph = skb.transport_header
    assert isinstance(icmph, icmphdr)
    assert skb.dev is not None
    net = skb.dev.nd_net
    if len(skb.data) < 4:
        net.mib.icmp_statistics[ICMP_MIB_INERRORS] += 1
        return SKB_DROP_REASON_NOT_SPECIFIED
    now = ip_options_c.inet_current_timestamp(net).to_bytes(4, "big")
    icmp_reply(icmp_bxm(skb, icmphdr(ICMP_TIMESTAMPREPLY, 0, icmph.un), skb.data[:4] + now + now), skb)
    return 0


def icmp_discard(skb: sk_buff) -> int:
    """Nothing to do."""
    return 0


_Handler = Callable[[sk_buff], int]
_HANDLERS: dict[int, _Handler] = {
    3: icmp_unreach, 4: icmp_unreach, 5: icmp_redirect, 8: icmp_echo, 11: icmp_unreach, 12: icmp_unreach,
    13: icmp_timestamp,
}  # fmt: skip
icmp_pointers = tuple(
    icmp_control(_HANDLERS.get(n, icmp_discard), int(n in _ERROR_TYPES)) for n in range(NR_ICMP_TYPES + 1)
)


def _parse(skb: sk_buff) -> icmphdr | None:
    """The header, taken off the data if it came as bytes; None if the checksum is wrong."""
    header = skb.transport_header
    if (not isinstance(header, icmphdr) and len(skb.data) < 8) or __skb_checksum_complete(skb):
        return None
    if not isinstance(header, icmphdr):
        header = icmphdr._from_bytes(skb.data)
        skb.transport_header = header
        skb.data = skb.data[8:]
    return header


def icmp_rcv(skb: sk_buff) -> int:
    """An ICMP message came in."""
    rt = skb._skb_refdst
    assert isinstance(rt, rtable)
    net = rt.dev.nd_net
    stats = net.mib.icmp_statistics
    stats[ICMP_MIB_INMSGS] += 1
    icmph = _parse(skb)
    if icmph is None:
        if len(skb.data) >= 8:
            stats[ICMP_MIB_CSUMERRORS] += 1
        stats[ICMP_MIB_INERRORS] += 1
        kfree_skb_reason(skb, SKB_DROP_REASON_NOT_SPECIFIED)
        return NET_RX_DROP
    skb.len -= 8
    type_ = icmph.type
    net.mib.icmpmsg_statistics[type_] += 1
    bad = type_ > NR_ICMP_TYPES and type_ not in (42, 43)
    if rt.rt_flags & (RTCF_BROADCAST | RTCF_MULTICAST):
        ignored = type_ in (ICMP_ECHO, ICMP_TIMESTAMP) and net.ipv4.sysctl_icmp_echo_ignore_broadcasts
        bad = bad or bool(ignored) or type_ not in (ICMP_ECHO, ICMP_TIMESTAMP, 17, 18)
    if bad:
        stats[ICMP_MIB_INERRORS] += 1
        reason = SKB_DROP_REASON_NOT_SPECIFIED
    elif type_ == ICMP_ECHOREPLY or type_ == 43:
        reason = ping.ping_rcv(skb)
    elif type_ == 42:
        reason = 0
    else:
        handler: _Handler = icmp_pointers[type_].handler  # type: ignore[assignment]
        reason = handler(skb)
    if reason:
        kfree_skb_reason(skb, reason)
        return NET_RX_DROP
    consume_skb(skb)
    return NET_RX_SUCCESS


def icmp_err(skb: sk_buff, info: int) -> int:
    """An ICMP message of ours came back in an error: a ping socket may want to know."""
    inner = skb.data
    ihl = (inner[0] & 15) * 4
    if inner[ihl] == ICMP_ECHO:
        ping.ping_err(skb, ihl, info)
    icmph = skb.transport_header
    assert isinstance(icmph, icmphdr)
    assert skb.dev is not None
    if icmph.type == ICMP_REDIRECT:
        route_redirect.ipv4_redirect(skb, skb.dev.nd_net, 0, IPPROTO_ICMP)
    elif icmph.type == ICMP_DEST_UNREACH and icmph.code == ICMP_FRAG_NEEDED:
        route_pmtu.ipv4_update_pmtu(skb, skb.dev.nd_net, info, 0, IPPROTO_ICMP)
    return 0


icmp_protocol = net_protocol(handler=icmp_rcv, err_handler=icmp_err, no_policy=1)
