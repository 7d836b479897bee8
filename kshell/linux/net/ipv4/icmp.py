"""net/ipv4/icmp.c: ICMP messages out and in."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from kshell.abi.errno import (
    ECONNREFUSED,
    EHOSTDOWN,
    EHOSTUNREACH,
    EMSGSIZE,
    ENETUNREACH,
    ENONET,
    ENOPROTOOPT,
    EOPNOTSUPP,
)
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
    INADDR_DUMMY,
    IPPROTO_ICMP,
    IPPROTO_RAW,
    IPTOS_PREC_INTERNETCONTROL,
)
from kshell.abi.netdevice import IFF_LOOPBACK
from kshell.abi.packet import PACKET_HOST
from kshell.abi.socket import MSG_DONTWAIT, PF_INET, SOCK_RAW
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.icmp import NR_ICMP_TYPES, NR_ICMP_UNREACH, icmphdr
from kshell.linux.include.linux.ip import IP_OFFSET, iphdr
from kshell.linux.include.linux.jiffies import HZ
from kshell.linux.include.linux.netdevice import NET_RX_DROP, NET_RX_SUCCESS
from kshell.linux.include.linux.random import prandom_u32_max
from kshell.linux.include.linux.skbuff import CHECKSUM_NONE, SKB_TRUESIZE, sk_buff
from kshell.linux.include.linux.snmp import (
    ICMP_MIB_CSUMERRORS,
    ICMP_MIB_INERRORS,
    ICMP_MIB_INMSGS,
    ICMP_MIB_OUTERRORS,
    ICMP_MIB_OUTMSGS,
    ICMP_MIB_RATELIMITGLOBAL,
)
from kshell.linux.include.net.dropreason import SKB_DROP_REASON_NOT_SPECIFIED
from kshell.linux.include.net.flow import flowi4
from kshell.linux.include.net.icmp import icmp_control
from kshell.linux.include.net.icmp import icmp_err as icmp_err_t
from kshell.linux.include.net.inet_sock import inet_sk, ip_options, ip_options_rcu
from kshell.linux.include.net.ip import _ipcb_opt, ipcm_cookie
from kshell.linux.include.net.net_namespace import pernet_operations
from kshell.linux.include.net.protocol import net_protocol
from kshell.linux.include.net.rtable import (
    RTCF_BROADCAST,
    RTCF_LOCAL,
    RTCF_MULTICAST,
    inet_iif,
    rt_is_input_route,
    rtable,
)
from kshell.linux.include.net.sock import SOCK_USE_WRITE_QUEUE, sock_set_flag
from kshell.linux.net.core.dev import dev_get_by_index_rcu
from kshell.linux.net.core.dst import dst_release
from kshell.linux.net.core.net_namespace import register_pernet_subsys
from kshell.linux.net.core.skbuff import consume_skb, kfree_skb_reason
from kshell.linux.net.core.skbuff_bytes import _skb_network_bytes
from kshell.linux.net.core.skbuff_csum import __skb_checksum_complete, skb_copy_and_csum_bits
from kshell.linux.net.ipv4 import (
    af_inet_ctl,
    devinet,
    fib_frontend,
    ip_output_append,
    ping,
    raw_rcv,
    route_output,
    route_pmtu,
    route_redirect,
)
from kshell.linux.net.ipv4 import ip_options as ip_options_c
from kshell.linux.security.security import security_skb_classify_flow

if TYPE_CHECKING:
    from kshell.linux.include.net.net_namespace import net as net_t
    from kshell.linux.include.net.sock import sock
    from kshell.linux.init.kernel import Kernel


icmp_err_convert = (
    icmp_err_t(ENETUNREACH, 0), icmp_err_t(EHOSTUNREACH, 0), icmp_err_t(ENOPROTOOPT, 1), icmp_err_t(ECONNREFUSED, 1),
    icmp_err_t(EMSGSIZE, 0), icmp_err_t(EOPNOTSUPP, 0), icmp_err_t(ENETUNREACH, 1), icmp_err_t(EHOSTDOWN, 1),
    icmp_err_t(ENONET, 1), icmp_err_t(ENETUNREACH, 1), icmp_err_t(EHOSTUNREACH, 1), icmp_err_t(ENETUNREACH, 0),
    icmp_err_t(EHOSTUNREACH, 0), icmp_err_t(EHOSTUNREACH, 1), icmp_err_t(EHOSTUNREACH, 1), icmp_err_t(EHOSTUNREACH, 1),
)  # fmt: skip
_ERROR_TYPES = frozenset((1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12))


class icmp_bxm:
    """A message being built: header, and `_payload`, the bytes after it."""

    __slots__ = ("_payload", "icmph", "replyopts", "skb")

    def __init__(self, skb: sk_buff, icmph: icmphdr, payload: bytes) -> None:
        self.skb = skb
        self.icmph = icmph
        self._payload = payload
        self.replyopts = ip_options()


def icmp_global_allow(net: net_t) -> bool:
    """Token bucket of icmp_msgs_per_sec."""
    ipv4 = net.ipv4
    if ipv4.icmp_global_credit > 0:
        return True
    now = net.kernel.jiffies
    delta = min(now - ipv4.icmp_global_stamp, HZ)
    if delta < HZ // 50:
        return False
    incr = ipv4.sysctl_icmp_msgs_per_sec * delta // HZ
    if not incr:
        return False
    ipv4.icmp_global_stamp = now
    ipv4.icmp_global_credit = min(ipv4.icmp_global_credit + incr, ipv4.sysctl_icmp_msgs_burst)
    return True


def icmp_global_consume(net: net_t) -> None:
    """Take a token, sometimes two or none."""
    net.ipv4.icmp_global_credit -= prandom_u32_max(net.kernel, 3)


def icmpv4_global_allow(net: net_t, type: int, code: int) -> tuple[bool, bool]:
    """(may be sent, is limited per host too) of a message."""
    limited = type <= NR_ICMP_TYPES and net.ipv4.sysctl_icmp_ratemask >> type & 1
    if not limited or (type == ICMP_DEST_UNREACH and code == ICMP_FRAG_NEEDED):
        return True, False
    if icmp_global_allow(net):
        return True, True
    net.mib.icmp_statistics[ICMP_MIB_RATELIMITGLOBAL] += 1
    return False, False


def icmpv4_xrlim_allow(net: net_t, rt: rtable, apply_ratelimit: bool) -> bool:
    """The limit of each peer: none is kept, only the global one counts."""
    if apply_ratelimit:
        icmp_global_consume(net)
    return True


def icmp_xmit_lock(net: net_t) -> sock:
    """The socket that sends ICMP for the kernel."""
    sk = net.kernel.ipv4_icmp_sk
    sk.skc_net = net
    return sk


def icmp_xmit_unlock(sk: sock) -> None:
    """Done with it."""
    sk.skc_net = sk.skc_net.kernel.init_net


def icmp_out_count(net: net_t, type: int) -> None:
    """Count a message sent."""
    net.mib.icmpmsg_statistics[256 + (type & 0xFF)] += 1
    net.mib.icmp_statistics[ICMP_MIB_OUTMSGS] += 1


def icmp_glue_bits(from_: object, offset: int, length: int, skb: sk_buff) -> bytes:
    """getfrag: the bytes after the header."""
    assert isinstance(from_, icmp_bxm)
    return skb_copy_and_csum_bits(from_._payload, offset, length)


def icmp_push_reply(sk: sock, icmp_param: icmp_bxm, fl4: flowi4, ipc: ipcm_cookie, rt: rtable) -> None:
    """Build and send; takes over the reference to rt."""
    net = sk.skc_net
    try:
        ip_output_append.ip_append_data(
            sk, fl4, icmp_glue_bits, icmp_param, len(icmp_param._payload) + 8, 8, ipc, rt, MSG_DONTWAIT
        )
    except KernelError:
        net.mib.icmp_statistics[ICMP_MIB_OUTERRORS] += 1
        ip_output_append.ip_flush_pending_frames(sk)
        return
    skb = sk.sk_write_queue.next
    if skb is not None:
        skb.transport_header = icmp_param.icmph
        skb.ip_summed = CHECKSUM_NONE
        try:
            ip_output_append.ip_push_pending_frames(sk, fl4)
        except KernelError:
            pass


def icmp_reply(icmp_param: icmp_bxm, skb: sk_buff) -> None:
    """Answer a request."""
    rt = skb._skb_refdst
    iph = skb.network_header
    assert isinstance(rt, rtable)
    assert isinstance(iph, iphdr)
    assert skb.dev is not None
    net = rt.dev.nd_net
    if not ip_options_c.__ip_options_echo(net, icmp_param.replyopts, skb, _ipcb_opt(skb)):
        return
    icmph = icmp_param.icmph
    allowed, limited = icmpv4_global_allow(net, icmph.type, icmph.code)
    if not allowed:
        return
    sk = icmp_xmit_lock(net)
    inet_sk(sk).tos = iph.tos
    ipc = ipcm_cookie()
    ipc.sockc.mark = skb.mark if net.ipv4.sysctl_fwmark_reflect else 0
    daddr = ipc.addr = iph.saddr
    saddr = fib_frontend.fib_compute_spec_dst(skb)
    if icmp_param.replyopts.optlen:
        ipc.opt = ip_options_rcu(icmp_param.replyopts)
        if icmp_param.replyopts.srr:
            daddr = icmp_param.replyopts.faddr
    fl4 = flowi4(0, 0, ipc.sockc.mark, iph.tos & 0x1E, 0, IPPROTO_ICMP, 0, daddr, saddr)
    security_skb_classify_flow(skb, fl4)
    try:
        out = route_output.ip_route_output_flow(net, fl4, None)
        if out.dev.flags & IFF_LOOPBACK or icmpv4_xrlim_allow(net, out, limited):
            icmp_push_reply(sk, icmp_param, fl4, ipc, out)
            dst_release(None)  # ip_rt_put(rt): the packet has it
        else:
            dst_release(out)
    except KernelError:
        pass
    icmp_xmit_unlock(sk)


def icmp_route_lookup(
    net: net_t, fl4: flowi4, skb_in: sk_buff, iph: iphdr, saddr: int, tos: int, mark: int, type: int, code: int,
    param: icmp_bxm,
) -> rtable:  # fmt: skip
    """The route of an error message back to the sender."""
    daddr = param.replyopts.faddr if param.replyopts.srr else iph.saddr
    fl4.__init__(0, 0, mark, tos & 0x1E, 0, IPPROTO_ICMP, 0, daddr, saddr, type << 8 | code)
    security_skb_classify_flow(skb_in, fl4)
    rt = route_output.ip_route_output_key_hash(net, fl4, skb_in)
    if skb_in.dev is not None:
        fib_frontend.inet_addr_type_dev_table(net, skb_in.dev, fl4.daddr)
    return rt


def _may_send(skb_in: sk_buff, rt: rtable, iph: iphdr, type: int) -> bool:
    """No errors about broadcasts, later fragments and errors."""
    if skb_in.pkt_type != PACKET_HOST or rt.rt_flags & (RTCF_BROADCAST | RTCF_MULTICAST) or iph.frag_off & IP_OFFSET:
        return False
    if type in _ERROR_TYPES and iph.protocol == IPPROTO_ICMP:
        header = skb_in.transport_header
        inner = header.type if isinstance(header, icmphdr) else skb_in.data[0] if skb_in.data else 255
        return inner <= NR_ICMP_TYPES and inner not in _ERROR_TYPES
    return True


def __icmp_send(skb_in: sk_buff, type: int, code: int, info: int, opt: ip_options | None) -> None:
    """Tell the sender of a packet about an error. info: the second word of the header."""
    rt = skb_in._skb_refdst
    iph = skb_in.network_header
    if not isinstance(rt, rtable) or not isinstance(iph, iphdr) or not _may_send(skb_in, rt, iph, type):
        return
    net = rt.dev.nd_net
    limited = False
    if skb_in.dev is None or not skb_in.dev.flags & IFF_LOOPBACK:
        allowed, limited = icmpv4_global_allow(net, type, code)
        if not allowed:
            return
    sk = icmp_xmit_lock(net)
    saddr = iph.daddr
    if not rt.rt_flags & RTCF_LOCAL:
        dev = None
        if rt_is_input_route(rt) and net.ipv4.sysctl_icmp_errors_use_inbound_ifaddr:
            dev = dev_get_by_index_rcu(net, inet_iif(skb_in))
        saddr = devinet.inet_select_addr(dev, iph.saddr, 253) if dev is not None else 0
    tos = (iph.tos & 0x1E) | IPTOS_PREC_INTERNETCONTROL if type in _ERROR_TYPES else iph.tos
    mark = skb_in.mark if net.ipv4.sysctl_fwmark_reflect else 0
    param = icmp_bxm(skb_in, icmphdr(type, code, info), b"")
    if not ip_options_c.__ip_options_echo(net, param.replyopts, skb_in, opt):
        icmp_xmit_unlock(sk)
        return
    inet_sk(sk).tos = tos
    ipc = ipcm_cookie()
    ipc.addr = iph.saddr
    ipc.opt = ip_options_rcu(param.replyopts)
    ipc.sockc.mark = mark
    fl4 = flowi4()
    try:
        out = icmp_route_lookup(net, fl4, skb_in, iph, saddr, tos, mark, type, code, param)
    except KernelError:
        icmp_xmit_unlock(sk)
        return
    room = min(out.ops.mtu(out), 576) - 28 - param.replyopts.optlen
    if (out.dev.flags & IFF_LOOPBACK or icmpv4_xrlim_allow(net, out, limited)) and room > 20:
        param._payload = _skb_network_bytes(skb_in)[:room]
        fl4.saddr = fl4.saddr or INADDR_DUMMY
        icmp_push_reply(sk, param, fl4, ipc, out)
        dst_release(None)  # ip_rt_put(rt): the packet has it
    else:
        dst_release(out)
    icmp_xmit_unlock(sk)


def icmp_send(skb_in: sk_buff, type: int, code: int, info: int) -> None:
    """The same with the packet's own options."""
    __icmp_send(skb_in, type, code, info, _ipcb_opt(skb_in))


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


def icmp_sk_init(net: net_t) -> None:
    """The settings have their defaults."""


icmp_sk_ops = pernet_operations(init=icmp_sk_init)


def icmp_init(kernel: Kernel) -> None:
    """Make the socket that sends ICMP for the kernel."""
    sk = af_inet_ctl.inet_ctl_sock_create(PF_INET, SOCK_RAW, IPPROTO_ICMP, kernel.init_net)
    kernel.ipv4_icmp_sk = sk
    sk.sk_sndbuf = 2 * SKB_TRUESIZE(64 * 1024)
    sock_set_flag(sk, SOCK_USE_WRITE_QUEUE)
    inet_sk(sk).pmtudisc = 0
    register_pernet_subsys(kernel, icmp_sk_ops)
