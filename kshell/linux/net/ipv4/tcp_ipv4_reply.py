"""Answers from outside a connection: RST and ACK (part of net/ipv4/tcp_ipv4.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from kshell.abi.rtnetlink import RTN_LOCAL
from kshell.abi.tcp import TCP_LISTEN, TCP_NEW_SYN_RECV, TCP_TIME_WAIT
from kshell.linux.include.linux.snmp import TCP_MIB_OUTRSTS, TCP_MIB_OUTSEGS
from kshell.linux.include.linux.tcp import tcp_request_sock, tcp_sock, tcp_timewait_sock
from kshell.linux.include.linux.tcp_header import tcphdr
from kshell.linux.include.net.ip import IP_REPLY_ARG_NOSRCCHECK, ip_reply_arg
from kshell.linux.include.net.tcp import TCPHDR_ACK, TCPHDR_FIN, TCPHDR_RST, TCPHDR_SYN, U32
from kshell.linux.net.ipv4.inet_timewait_sock import inet_twsk_put
from kshell.linux.net.ipv4.ip_output_push import ip_send_unicast_reply
from kshell.linux.net.ipv4.tcp_input_options import tcp_parse_md5sig_option
from kshell.linux.net.ipv4.tcp_ipv4_md5 import tcp_md5_do_lookup

if TYPE_CHECKING:
    from kshell.linux.include.linux.ip import iphdr
    from kshell.linux.include.linux.skbuff import sk_buff
    from kshell.linux.include.net.net_namespace import net
    from kshell.linux.include.net.request_sock import request_sock
    from kshell.linux.include.net.sock import sock, sock_common


def _is_full(sk: sock_common) -> bool:
    return sk.skc_state != TCP_TIME_WAIT and sk.skc_state != TCP_NEW_SYN_RECV


def _reply(net: net, sk: sock_common | None, skb: sk_buff, th: tcphdr, arg: ip_reply_arg, txhash: int) -> None:
    """Send a header by the control socket, which takes on the connection's mark and priority."""
    kernel = net.kernel
    ctl_sk = kernel.ipv4_tcp_sk
    ctl_sk.skc_net = net
    mark = priority = 0
    if sk is not None:
        mark = sk.tw_mark if isinstance(sk, tcp_timewait_sock) else getattr(sk, "sk_mark", 0)
        priority = sk.tw_priority if isinstance(sk, tcp_timewait_sock) else getattr(sk, "sk_priority", 0)
    if ctl_sk.sk_mark != mark:
        ctl_sk.sk_mark = mark
    if ctl_sk.sk_priority != priority:
        ctl_sk.sk_priority = priority
    arg.iov = th  # type: ignore[assignment]
    iph: iphdr = skb.network_header  # type: ignore[assignment]
    opt = skb.cb.h4.opt if skb.cb.h4 is not None else None  # type: ignore[attr-defined]
    ip_send_unicast_reply(ctl_sk, skb, opt, iph.saddr, iph.daddr, arg, th.doff * 4, 0, txhash)
    ctl_sk.skc_net = kernel.init_net
    net.mib.tcp_statistics[TCP_MIB_OUTSEGS] += 1


def tcp_v4_send_reset(sk: sock | None, skb: sk_buff) -> None:
    """Answer a segment that belongs nowhere with RST; never a RST with another."""
    th: tcphdr = skb.transport_header  # type: ignore[assignment]
    flags = th._flags
    if flags & TCPHDR_RST:
        return
    rt = skb._skb_refdst
    if sk is None and rt is not None and rt.rt_type != RTN_LOCAL:  # type: ignore[attr-defined]
        return
    if flags & TCPHDR_ACK:
        reply = tcphdr(th.dest, th.source, th.ack_seq, 0, TCPHDR_RST, 0)
    else:
        seg_len = int(bool(flags & TCPHDR_SYN)) + int(bool(flags & TCPHDR_FIN)) + skb.len - th.doff * 4
        reply = tcphdr(th.dest, th.source, 0, th.seq + seg_len & U32, TCPHDR_RST | TCPHDR_ACK, 0)
    iph: iphdr = skb.network_header  # type: ignore[assignment]
    tcp_parse_md5sig_option(th)
    arg = ip_reply_arg()
    txhash = 0
    if sk is not None:
        net = sk.skc_net
        if _is_full(sk):
            tcp_md5_do_lookup(cast(tcp_sock, sk), 0, iph.saddr)
            txhash = sk.sk_txhash
            if getattr(sk, "transparent", 0):
                arg.flags = IP_REPLY_ARG_NOSRCCHECK
            arg.uid = sk.sk_uid
        elif isinstance(sk, tcp_timewait_sock):
            txhash = sk.tw_txhash
        arg.bound_dev_if = sk.skc_bound_dev_if
    else:
        assert rt is not None
        net = rt.dev.nd_net
    arg.tos = iph.tos
    _reply(net, sk, skb, reply, arg, txhash)
    net.mib.tcp_statistics[TCP_MIB_OUTRSTS] += 1


def tcp_v4_send_ack(
    sk: sock_common, skb: sk_buff, seq: int, ack: int, win: int, tsval: int, tsecr: int, oif: int, reply_flags: int,
    tos: int, txhash: int,
) -> None:  # fmt: skip
    """Answer with an ACK that says where we are."""
    th: tcphdr = skb.transport_header  # type: ignore[assignment]
    options = b""
    if tsecr:
        options = b"\x01\x01\x08\x0a" + (tsval & U32).to_bytes(4, "big") + tsecr.to_bytes(4, "big")
    reply = tcphdr(th.dest, th.source, seq & U32, ack, TCPHDR_ACK, win & 0xFFFF, 0, options)
    arg = ip_reply_arg(flags=reply_flags, bound_dev_if=oif, tos=tos)
    _reply(sk.skc_net, sk, skb, reply, arg, txhash)


def _tcp_time_stamp_raw(sk: sock_common) -> int:
    kernel = sk.skc_net.kernel
    return (kernel.clock.now - kernel.boot_ns) // 1_000_000 & U32


def tcp_v4_timewait_ack(tw: tcp_timewait_sock, skb: sk_buff) -> None:
    """Acknowledge for a finished connection, and drop the reference."""
    tcp_v4_send_ack(
        tw, skb, tw.tw_snd_nxt, tw.tw_rcv_nxt, tw.tw_rcv_wnd >> tw.tw_rcv_wscale,
        _tcp_time_stamp_raw(tw) + tw.tw_ts_offset, tw.tw_ts_recent, tw.tw_bound_dev_if,
        IP_REPLY_ARG_NOSRCCHECK if tw.tw_transparent else 0, tw.tw_tos, tw.tw_txhash,
    )  # fmt: skip
    inet_twsk_put(tw)


def tcp_v4_reqsk_send_ack(sk: sock, skb: sk_buff, req: request_sock) -> None:
    """Acknowledge for a handshake under way."""
    assert isinstance(req, tcp_request_sock)
    seq = req.snt_isn + 1 if sk.skc_state == TCP_LISTEN else cast(tcp_sock, sk).snd_nxt
    iph: iphdr = skb.network_header  # type: ignore[assignment]
    tcp_md5_do_lookup(cast(tcp_sock, sk), 0, iph.saddr)
    tcp_v4_send_ack(
        sk, skb, seq, req.rcv_nxt, req.rsk_rcv_wnd >> req.rcv_wscale, _tcp_time_stamp_raw(sk) + req.ts_off,
        req.ts_recent, 0, IP_REPLY_ARG_NOSRCCHECK if req.no_srccheck else 0, iph.tos, req.txhash,
    )  # fmt: skip
