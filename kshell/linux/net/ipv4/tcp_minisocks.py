"""net/ipv4/tcp_minisocks.c: the small sockets before and after a connection: handshake and TIME_WAIT."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from kshell.abi.rtnetlink import RTAX_INITRWND, RTAX_WINDOW
from kshell.abi.socket import SOCK_RCVBUF_LOCK
from kshell.abi.tcp import TCP_MSS_DEFAULT, TCP_SYN_RECV
from kshell.linux.include.linux.jiffies import HZ
from kshell.linux.include.linux.snmp import (
    LINUX_MIB_EMBRYONICRSTS,
    LINUX_MIB_PAWSESTABREJECTED,
    LINUX_MIB_TCPACKSKIPPEDSYNRECV,
    LINUX_MIB_TCPDEFERACCEPTDROP,
    TCP_MIB_ATTEMPTFAILS,
    TCP_MIB_PASSIVEOPENS,
)
from kshell.linux.include.linux.tcp import tcp_mss_clamp, tcp_options_received, tcp_request_sock, tcp_sock
from kshell.linux.include.linux.tcp_header import tcphdr
from kshell.linux.include.net.dst import dst_metric
from kshell.linux.include.net.inet_connection_sock import reqsk_timeout
from kshell.linux.include.net.sock import SOCK_KEEPOPEN
from kshell.linux.include.net.sock_space import __sk_add_backlog as __sk_add_backlog
from kshell.linux.include.net.tcp import (
    TCP_CA_UNSPEC,
    TCP_ECN_OK,
    TCP_RTO_MAX,
    TCPHDR_ACK,
    TCPHDR_RST,
    TCPHDR_SYN,
    TCPOLEN_MD5SIG_ALIGNED,
    TCPOLEN_TSTAMP_ALIGNED,
    U32,
    TCP_CA_Open,
    after,
    tcp_skb_cb,
)
from kshell.linux.include.net.tcp_times import keepalive_time_when, tcp_paws_reject
from kshell.linux.include.net.tcp_window import tcp_full_space
from kshell.linux.kernel.time.timer import mod_timer, timer_pending
from kshell.linux.net.core.request_sock import reqsk_fastopen_remove
from kshell.linux.net.core.sock_free import sk_free
from kshell.linux.net.ipv4 import (
    tcp_input_challenge,
    tcp_input_state,
    tcp_minisocks_timewait,
    tcp_timer,
)
from kshell.linux.net.ipv4.inet_connection_sock import inet_csk_clone_lock, inet_csk_reset_keepalive_timer
from kshell.linux.net.ipv4.inet_connection_sock_req import (
    inet_csk_complete_hashdance,
    inet_csk_reqsk_queue_drop,
    inet_rtx_syn_ack,
)
from kshell.linux.net.ipv4.tcp_cong import tcp_assign_congestion_control, tcp_set_ca_state
from kshell.linux.net.ipv4.tcp_input_options import tcp_parse_options
from kshell.linux.net.ipv4.tcp_input_rtt import tcp_synack_rtt_meas
from kshell.linux.net.ipv4.tcp_output_mss import tcp_dst_advmss, tcp_select_initial_window

if TYPE_CHECKING:
    from kshell.linux.include.linux.skbuff import sk_buff
    from kshell.linux.include.net.dst import dst_entry
    from kshell.linux.include.net.sock import sock



def tcp_openreq_init_rwin(req: tcp_request_sock, sk_listener: tcp_sock, dst: dst_entry) -> None:
    """The window to offer in the SYN-ACK."""
    full_space = tcp_full_space(sk_listener)
    mss = tcp_mss_clamp(sk_listener, tcp_dst_advmss(dst))
    window_clamp = sk_listener.window_clamp or dst_metric(dst, RTAX_WINDOW)
    if sk_listener.sk_userlocks & SOCK_RCVBUF_LOCK and (window_clamp > full_space or window_clamp == 0):
        window_clamp = full_space
    rcv_wnd = dst_metric(dst, RTAX_INITRWND)
    if rcv_wnd and full_space < rcv_wnd * mss:
        full_space = rcv_wnd * mss
    req.rsk_rcv_wnd, req.rsk_window_clamp, req.rcv_wscale = tcp_select_initial_window(
        sk_listener,
        full_space,
        mss - (TCPOLEN_TSTAMP_ALIGNED if req.tstamp_ok else 0),
        window_clamp,
        req.wscale_ok,
        rcv_wnd,
    )


def tcp_ca_openreq_child(sk: tcp_sock, dst: dst_entry) -> None:
    """The congestion control of a new connection: the listener's if it was set there, else the default."""
    ca_key = dst_metric(dst, 16)  # RTAX_CC_ALGO
    if ca_key == TCP_CA_UNSPEC and not sk.icsk_ca_setsockopt:
        tcp_assign_congestion_control(sk)
    tcp_set_ca_state(sk, TCP_CA_Open)


def _fresh_parts(newsk: tcp_sock, sk: tcp_sock) -> None:
    """What C copies with the struct: embedded structs of its own for the clone; they come up when used."""
    newsk.icsk_bind_hash = newsk.icsk_bind2_hash = newsk.icsk_ca_priv = None
    newsk.out_of_order_queue, newsk.tcp_rtx_queue = [], []
    for name in (*tcp_sock._EMBEDDED, "pacing_timer", "compressed_ack_timer", "cork", "md5sig_info", "fastopen_req",
                 "fastopen_rsk", "saved_syn", "ooo_last_skb", "retransmit_skb_hint", "lost_skb_hint",
                 "highest_sack"):  # fmt: skip
        newsk.__dict__.pop(name, None)
    if sk.rx_opt.user_mss:
        newsk.rx_opt.user_mss = sk.rx_opt.user_mss
    newsk.icsk_ack.pingpong = sk.icsk_ack.pingpong


def tcp_create_openreq_child(sk: tcp_sock, req: tcp_request_sock, skb: sk_buff) -> tcp_sock:
    """A full socket from a listener and a request."""
    newtp = inet_csk_clone_lock(sk, req)
    _fresh_parts(newtp, sk)
    kernel = sk.skc_net.kernel
    th: tcphdr = skb.transport_header  # type: ignore[assignment]
    now = kernel.jiffies & U32
    newtp.pred_flags = 0
    newtp.rcv_wup = newtp.copied_seq = newtp.rcv_nxt = req.rcv_isn + 1 & U32
    newtp.segs_in = 1
    seq = req.snt_isn + 1 & U32
    newtp.snd_sml = newtp.snd_una = newtp.snd_nxt = newtp.snd_up = seq
    newtp.snd_wl1 = req.rcv_isn
    newtp.icsk_ack.lrcvtime = now
    newtp.lsndtime = now
    newtp.sk_txhash = req.txhash
    newtp.total_retrans = req.num_retrans
    tcp_timer.tcp_init_xmit_timers(newtp)
    newtp.write_seq = newtp.pushed_seq = seq
    if newtp.skc_flags >> SOCK_KEEPOPEN & 1:
        inet_csk_reset_keepalive_timer(newtp, keepalive_time_when(newtp))
    _take_options(newtp, req, th)
    if req.num_timeout:
        newtp.undo_marker = req.snt_isn
        newtp.retrans_stamp = req.snt_synack // 1000
    newtp.tsoffset = req.ts_off
    if req.af_specific.req_md5_lookup(sk, cast("sock", req)) is not None:
        newtp.tcp_header_len += TCPOLEN_MD5SIG_ALIGNED
    if skb.len >= TCP_MSS_DEFAULT + newtp.tcp_header_len:
        newtp.icsk_ack.last_seg_size = skb.len - newtp.tcp_header_len
    newtp.rx_opt.mss_clamp = req.mss
    if req.ecn_ok:
        newtp.ecn_flags = TCP_ECN_OK
    sk.skc_net.mib.tcp_statistics[TCP_MIB_PASSIVEOPENS] += 1
    return newtp


def _take_options(newtp: tcp_sock, req: tcp_request_sock, th: tcphdr) -> None:
    rx_opt = newtp.rx_opt
    rx_opt.tstamp_ok = req.tstamp_ok
    rx_opt.sack_ok = req.sack_ok
    newtp.window_clamp = req.rsk_window_clamp
    newtp.rcv_ssthresh = newtp.rcv_wnd = req.rsk_rcv_wnd
    rx_opt.wscale_ok = req.wscale_ok
    if req.wscale_ok:
        rx_opt.snd_wscale = req.snd_wscale
        rx_opt.rcv_wscale = req.rcv_wscale
    else:
        newtp.window_clamp = min(newtp.window_clamp, 65535)
    newtp.snd_wnd = newtp.max_window = th.window << rx_opt.snd_wscale
    if req.tstamp_ok:
        kernel = newtp.skc_net.kernel
        rx_opt.ts_recent = req.ts_recent
        rx_opt.ts_recent_stamp = (kernel.clock.now - kernel.boot_ns) // 1_000_000_000 + 1
        newtp.tcp_header_len = 20 + TCPOLEN_TSTAMP_ALIGNED
    else:
        newtp.tcp_header_len = 20


def _paws_rejects(sk: tcp_sock, skb: sk_buff, req: tcp_request_sock, opt: tcp_options_received) -> bool:
    th: tcphdr = skb.transport_header  # type: ignore[assignment]
    if th.doff <= 5:
        return False
    tcp_parse_options(sk.skc_net, skb, opt, False, None)
    if not opt.saw_tstamp:
        return False
    opt.ts_recent = req.ts_recent
    if opt.rcv_tsecr:
        opt.rcv_tsecr = opt.rcv_tsecr - req.ts_off & U32
    now = tcp_input_challenge._now_seconds(sk)
    opt.ts_recent_stamp = now - reqsk_timeout(req, TCP_RTO_MAX) // HZ
    return tcp_paws_reject(opt, th._flags & TCPHDR_RST, now)


def _again(sk: tcp_sock, skb: sk_buff, req: tcp_request_sock, fastopen: bool) -> None:
    """The SYN came again: so does the SYN-ACK."""
    net = sk.skc_net
    stamp = tcp_input_challenge.tcp_oow_rate_limited(net, skb, LINUX_MIB_TCPACKSKIPPEDSYNRECV, req.last_oow_ack_time)
    if stamp is None:
        return
    req.last_oow_ack_time = stamp
    if inet_rtx_syn_ack(sk, req) and not fastopen and req.rsk_timer is not None and timer_pending(req.rsk_timer):
        mod_timer(net.kernel, req.rsk_timer, net.kernel.jiffies + reqsk_timeout(req, TCP_RTO_MAX))


def _out_of_window(sk: tcp_sock, skb: sk_buff, req: tcp_request_sock, flags: int, paws: bool) -> None:
    net = sk.skc_net
    if not flags & TCPHDR_RST:
        stamp = tcp_input_challenge.tcp_oow_rate_limited(
            net, skb, LINUX_MIB_TCPACKSKIPPEDSYNRECV, req.last_oow_ack_time
        )
        if stamp is not None:
            req.last_oow_ack_time = stamp
            req.rsk_ops.send_ack(sk, skb, req)
    if paws:
        net.mib.net_statistics[LINUX_MIB_PAWSESTABREJECTED] += 1


def tcp_check_req(
    sk: tcp_sock, skb: sk_buff, req: tcp_request_sock, fastopen: bool, req_stolen: list[bool]
) -> sock | None:
    """A segment for a handshake under way: the new connection, `sk` to treat it as one for the listener, or None."""
    cb: tcp_skb_cb = skb.cb  # type: ignore[assignment]
    th: tcphdr = skb.transport_header  # type: ignore[assignment]
    flags = th._flags & (TCPHDR_RST | TCPHDR_SYN | TCPHDR_ACK)
    opt = tcp_options_received()
    paws = _paws_rejects(sk, skb, req, opt)
    if cb.seq == req.rcv_isn and flags == TCPHDR_SYN and not paws:
        _again(sk, skb, req, fastopen)
        return None
    if flags & TCPHDR_ACK and not flags & TCPHDR_RST and not fastopen and cb.ack_seq != req.snt_isn + 1 & U32:
        return sk
    window_end = req.rcv_nxt + req.rsk_rcv_wnd & U32
    if paws or not tcp_minisocks_timewait.tcp_in_window(cb.seq, cb.end_seq, req.rcv_nxt, window_end):
        _out_of_window(sk, skb, req, flags, paws)
        return None
    if cb.seq == req.rcv_isn:
        flags &= ~TCPHDR_SYN
    if flags & TCPHDR_RST and cb.seq != req.rcv_nxt:
        tcp_input_challenge.tcp_reqsk_send_challenge_ack(sk, skb, req)
        return None
    if flags & (TCPHDR_RST | TCPHDR_SYN):
        sk.skc_net.mib.tcp_statistics[TCP_MIB_ATTEMPTFAILS] += 1
        _embryonic_reset(sk, skb, req, fastopen, flags, req_stolen)
        return None
    if not flags & TCPHDR_ACK:
        return None
    if fastopen:
        return sk
    if req.num_timeout < sk.icsk_accept_queue.rskq_defer_accept and cb.end_seq == req.rcv_isn + 1 & U32:
        req.acked = 1
        sk.skc_net.mib.net_statistics[LINUX_MIB_TCPDEFERACCEPTDROP] += 1
        return None
    return _make_child(sk, skb, req, fastopen, flags, opt, req_stolen)


def _make_child(
    sk: tcp_sock, skb: sk_buff, req: tcp_request_sock, fastopen: bool, flags: int, opt: tcp_options_received,
    req_stolen: list[bool],
) -> sock | None:  # fmt: skip
    cb: tcp_skb_cb = skb.cb  # type: ignore[assignment]
    own_req = [False]
    child = sk.icsk_af_ops.syn_recv_sock(sk, skb, req, None, req, own_req)
    if child is None:
        if not sk.skc_net.ipv4.sysctl_tcp_abort_on_overflow:
            req.acked = 1
            return None
        _embryonic_reset(sk, skb, req, fastopen, flags, req_stolen)
        return None
    newtp = cast(tcp_sock, child)
    if own_req[0] and opt.saw_tstamp and not after(cb.seq, req.rcv_nxt):
        newtp.rx_opt.ts_recent = opt.rcv_tsval
    if own_req[0] and req.rsk_listener is None:
        return child
    tcp_synack_rtt_meas(newtp, req)
    req_stolen[0] = not own_req[0]
    return inet_csk_complete_hashdance(sk, child, req, own_req[0])


def _embryonic_reset(
    sk: tcp_sock, skb: sk_buff, req: tcp_request_sock, fastopen: bool, flags: int, req_stolen: list[bool]
) -> None:
    if not flags & TCPHDR_RST:
        req.rsk_ops.send_reset(sk, skb)
    elif fastopen:
        reqsk_fastopen_remove(sk, req, True)
        tcp_input_state.tcp_reset(sk, skb)
    if not fastopen:
        unlinked = inet_csk_reqsk_queue_drop(sk, req)
        if unlinked:
            sk.skc_net.mib.net_statistics[LINUX_MIB_EMBRYONICRSTS] += 1
        req_stolen[0] = not unlinked


def tcp_child_process(parent: sock, child: tcp_sock, skb: sk_buff) -> int:
    """Hand the segment that finished the handshake to the new connection; the listener's readers wake."""
    ret = 0
    state = child.skc_state
    child.segs_in += (skb._shinfo.gso_segs or 1) if skb._shinfo is not None else 1
    if skb.len > 20:
        child.data_segs_in += 1
    if not child.sk_lock:
        ret = tcp_input_state.tcp_rcv_state_process(child, skb)
        if state == TCP_SYN_RECV and child.skc_state != state:
            parent.sk_data_ready(parent)
    else:
        __sk_add_backlog(child, skb)
    child.skc_refcnt -= 1
    if not child.skc_refcnt:
        sk_free(child)
    return ret
