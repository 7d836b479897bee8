"""net/ipv4/icmp.c: ICMP messages out and in."""

from __future__ import annotations

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
    ICMP_FRAG_NEEDED,
    INADDR_DUMMY,
    IPPROTO_ICMP,
    IPTOS_PREC_INTERNETCONTROL,
)
from kshell.abi.netdevice import IFF_LOOPBACK
from kshell.abi.packet import PACKET_HOST
from kshell.abi.socket import MSG_DONTWAIT, PF_INET, SOCK_RAW
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.icmp import NR_ICMP_TYPES, icmphdr
from kshell.linux.include.linux.ip import IP_OFFSET, iphdr
from kshell.linux.include.linux.jiffies import HZ
from kshell.linux.include.linux.random import prandom_u32_max
from kshell.linux.include.linux.skbuff import CHECKSUM_NONE, SKB_TRUESIZE, sk_buff
from kshell.linux.include.linux.snmp import ICMP_MIB_OUTERRORS, ICMP_MIB_OUTMSGS, ICMP_MIB_RATELIMITGLOBAL
from kshell.linux.include.net.flow import flowi4
from kshell.linux.include.net.icmp import icmp_err as icmp_err_t
from kshell.linux.include.net.inet_sock import inet_sk, ip_options, ip_options_rcu
from kshell.linux.include.net.ip import _ipcb_opt, ipcm_cookie
from kshell.linux.include.net.net_namespace import pernet_operations
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
from kshell.linux.net.core.skbuff_bytes import _skb_network_bytes
from kshell.linux.net.core.skbuff_csum import skb_copy_and_csum_bits
from kshell.linux.net.ipv4 import (
    af_inet_ctl,
    devinet_select,
    fib_frontend,
    ip_options_echo,
    ip_output_append,
    ip_output_push,
    route_output,
)
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
        ip_output_push.ip_flush_pending_frames(sk)
        return
    skb = sk.sk_write_queue.next
    if skb is not None:
        skb.transport_header = icmp_param.icmph
        skb.ip_summed = CHECKSUM_NONE
        try:
            ip_output_push.ip_push_pending_frames(sk, fl4)
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
    if not ip_options_echo.__ip_options_echo(net, icmp_param.replyopts, skb, _ipcb_opt(skb)):
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
        saddr = devinet_select.inet_select_addr(dev, iph.saddr, 253) if dev is not None else 0
    tos = (iph.tos & 0x1E) | IPTOS_PREC_INTERNETCONTROL if type in _ERROR_TYPES else iph.tos
    mark = skb_in.mark if net.ipv4.sysctl_fwmark_reflect else 0
    param = icmp_bxm(skb_in, icmphdr(type, code, info), b"")
    if not ip_options_echo.__ip_options_echo(net, param.replyopts, skb_in, opt):
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
