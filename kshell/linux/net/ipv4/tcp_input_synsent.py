"""The active side of the handshake (part of net/ipv4/tcp_input.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.tcp import TCP_ESTABLISHED, TCP_SYN_RECV
from kshell.linux.include.linux.net import SOCK_WAKE_IO
from kshell.linux.include.linux.snmp import (
    LINUX_MIB_PAWSACTIVEREJECTED,
    LINUX_MIB_TCPFASTOPENACTIVE,
    LINUX_MIB_TCPFASTOPENACTIVEFAIL,
)
from kshell.linux.include.linux.tcp import tcp_clear_options, tcp_fastopen_cookie, tcp_options_received
from kshell.linux.include.net.dropreason import (
    SKB_DROP_REASON_NOT_SPECIFIED,
    SKB_DROP_REASON_TCP_FLAGS,
    SKB_DROP_REASON_TCP_RESET,
    SKB_DROP_REASON_TCP_RFC7323_PAWS,
)
from kshell.linux.include.net.inet_connection_sock import (
    ICSK_TIME_DACK,
    ICSK_TIME_RETRANS,
    inet_csk_in_pingpong_mode,
    inet_csk_schedule_ack,
)
from kshell.linux.include.net.sock import SOCK_DEAD, SOCK_KEEPOPEN, sock_flag
from kshell.linux.include.net.tcp import (
    TCP_DELACK_MAX,
    TCP_ECN_OK,
    TCP_MAX_QUICKACKS,
    TCP_RTO_MAX,
    TCP_TIMEOUT_MIN,
    TCPHDR_ACK,
    TCPHDR_CWR,
    TCPHDR_ECE,
    TCPHDR_RST,
    TCPHDR_SYN,
    TCPOLEN_TSTAMP_ALIGNED,
    U32,
    after,
    between,
    tcp_skb_cb,
)
from kshell.linux.include.net.tcp_times import keepalive_time_when, tcp_paws_reject
from kshell.linux.net.core.skbuff import __kfree_skb
from kshell.linux.net.core.sock import POLL_OUT, sk_wake_async
from kshell.linux.net.ipv4 import (
    tcp,
    tcp_cong,
    tcp_fastopen,
    tcp_input_data,
    tcp_input_loss,
    tcp_input_state,
    tcp_metrics,
    tcp_output_ack,
    tcp_output_syn,
)
from kshell.linux.net.ipv4.inet_connection_sock import inet_csk_reset_keepalive_timer, inet_csk_reset_xmit_timer
from kshell.linux.net.ipv4.tcp_input_ack import tcp_ack, tcp_fast_path_on
from kshell.linux.net.ipv4.tcp_input_challenge import _now_seconds, tcp_store_ts_recent
from kshell.linux.net.ipv4.tcp_input_flags import FLAG_SLOWPATH
from kshell.linux.net.ipv4.tcp_input_options import tcp_parse_options
from kshell.linux.net.ipv4.tcp_input_rtt import (
    _init_cwnd,
    tcp_enter_quickack_mode,
    tcp_init_buffer_space,
    tcp_initialize_rcv_mss,
)
from kshell.linux.net.ipv4.tcp_output_mss import tcp_mtup_init, tcp_sync_mss
from kshell.linux.security.security import security_inet_conn_established

if TYPE_CHECKING:
    from kshell.linux.include.linux.skbuff import sk_buff
    from kshell.linux.include.linux.tcp import tcp_sock
    from kshell.linux.include.linux.tcp_header import tcphdr

TFO_DATA_NOT_ACKED = 2
TFO_SYN_RETRANSMITTED = 3


def tcp_init_transfer(sk: tcp_sock, skb: sk_buff | None) -> None:
    """The connection stands: metrics of the peer, congestion window, buffers."""
    tcp_mtup_init(sk)
    sk.icsk_af_ops.rebuild_header(sk)
    tcp_metrics.tcp_init_metrics(sk)
    if sk.total_retrans > 1 and sk.undo_marker:
        sk.snd_cwnd = 1
    else:
        sk.snd_cwnd = _init_cwnd(sk, sk.sk_dst_cache)
    sk.snd_cwnd_stamp = sk.skc_net.kernel.jiffies & U32
    if not sk.icsk_ca_initialized:
        tcp_cong.tcp_init_congestion_control(sk)
    tcp_init_buffer_space(sk)


def tcp_finish_connect(sk: tcp_sock, skb: sk_buff | None) -> None:
    """connect() has succeeded."""
    tcp.tcp_set_state(sk, TCP_ESTABLISHED)
    now = sk.skc_net.kernel.jiffies & U32
    sk.icsk_ack.lrcvtime = now
    if skb is not None:
        sk.icsk_af_ops.sk_rx_dst_set(sk, skb)
        security_inet_conn_established(sk, skb)
    tcp_init_transfer(sk, skb)
    sk.lsndtime = now
    if sock_flag(sk, SOCK_KEEPOPEN):
        inet_csk_reset_keepalive_timer(sk, keepalive_time_when(sk))
    if not sk.rx_opt.snd_wscale:
        tcp_fast_path_on(sk)
    else:
        sk.pred_flags = 0


def tcp_rcv_fastopen_synack(sk: tcp_sock, synack: sk_buff, cookie: tcp_fastopen_cookie) -> bool:
    """Fast Open: keep the cookie; True when the SYN's data was not taken and is sent again."""
    rx_opt = sk.rx_opt
    data = sk.tcp_rtx_queue[0] if sk.syn_data and sk.tcp_rtx_queue else None
    mss, try_exp, syn_drop = rx_opt.mss_clamp, 0, False
    if mss == rx_opt.user_mss:
        opt = tcp_options_received()
        tcp_parse_options(sk.skc_net, synack, opt, False, None)
        mss = opt.mss_clamp
    if not sk.syn_fastopen:
        cookie.len = -1
    elif sk.total_retrans:
        syn_drop = cookie.len < 0 and data is not None
    elif cookie.len < 0 and not sk.syn_data:
        try_exp = 2 if sk.syn_fastopen_exp else 1
    tcp_metrics.tcp_fastopen_cache_set(sk, mss, cookie, syn_drop, try_exp)
    stats = sk.skc_net.mib.net_statistics
    if data is not None:
        sk.fastopen_client_fail = TFO_SYN_RETRANSMITTED if sk.total_retrans else TFO_DATA_NOT_ACKED
        for skb in sk.tcp_rtx_queue:
            tcp_input_loss.tcp_mark_skb_lost(sk, skb)
        tcp_input_loss.tcp_non_congestion_loss_retransmit(sk)
        stats[LINUX_MIB_TCPFASTOPENACTIVEFAIL] += 1
        return True
    sk.syn_data_acked = sk.syn_data
    if sk.syn_data_acked:
        stats[LINUX_MIB_TCPFASTOPENACTIVE] += 1
        if sk.delivered > 1:
            sk.delivered -= 1
    tcp_fastopen.tcp_fastopen_add_skb(sk, synack)
    return False


def tcp_try_undo_spurious_syn(sk: tcp_sock) -> None:
    """The ACK answers the first SYN: sending it again was needless."""
    rx_opt = sk.rx_opt
    if sk.undo_marker and sk.retrans_stamp and rx_opt.saw_tstamp and sk.retrans_stamp == rx_opt.rcv_tsecr:
        sk.undo_marker = 0


def _discard(sk: tcp_sock, skb: sk_buff, saved_clamp: int, reason: int) -> int:
    tcp_clear_options(sk.rx_opt)
    sk.rx_opt.mss_clamp = saved_clamp
    tcp_input_data.tcp_drop_reason(sk, skb, reason)
    return 0


def _take_timestamp(sk: tcp_sock) -> None:
    if sk.rx_opt.saw_tstamp:
        sk.rx_opt.tstamp_ok = 1
        sk.tcp_header_len = 20 + TCPOLEN_TSTAMP_ALIGNED
        tcp_store_ts_recent(sk)
    else:
        sk.tcp_header_len = 20


def _synack_received(sk: tcp_sock, skb: sk_buff, th: tcphdr, foc: tcp_fastopen_cookie) -> int:
    """A good SYN-ACK: the connection stands; -1 to go on with the segment, 0 when it was freed."""
    rx_opt = sk.rx_opt
    cb: tcp_skb_cb = skb.cb  # type: ignore[assignment]
    if sk.ecn_flags & TCP_ECN_OK and (not th._flags & TCPHDR_ECE or th._flags & TCPHDR_CWR):
        sk.ecn_flags &= ~TCP_ECN_OK
    sk.snd_wl1 = cb.seq
    tcp_try_undo_spurious_syn(sk)
    tcp_ack(sk, skb, FLAG_SLOWPATH)
    sk.rcv_nxt = sk.rcv_wup = cb.seq + 1 & U32
    sk.snd_wnd = th.window
    if not rx_opt.wscale_ok:
        rx_opt.snd_wscale = rx_opt.rcv_wscale = 0
        sk.window_clamp = min(sk.window_clamp, 65535)
    if rx_opt.saw_tstamp:
        sk.advmss -= TCPOLEN_TSTAMP_ALIGNED
    _take_timestamp(sk)
    tcp_sync_mss(sk, sk.icsk_pmtu_cookie)
    tcp_initialize_rcv_mss(sk)
    sk.copied_seq = sk.rcv_nxt
    tcp_finish_connect(sk, skb)
    fastopen_fail = (sk.syn_fastopen or sk.syn_data) and tcp_rcv_fastopen_synack(sk, skb, foc)
    if not sock_flag(sk, SOCK_DEAD):
        sk.sk_state_change(sk)
        sk_wake_async(sk, SOCK_WAKE_IO, POLL_OUT)
    if fastopen_fail:
        return -1
    if sk.sk_write_pending or sk.icsk_accept_queue.rskq_defer_accept or inet_csk_in_pingpong_mode(sk):
        inet_csk_schedule_ack(sk)
        tcp_enter_quickack_mode(sk, TCP_MAX_QUICKACKS)
        inet_csk_reset_xmit_timer(sk, ICSK_TIME_DACK, TCP_DELACK_MAX, TCP_RTO_MAX)
        __kfree_skb(skb)
        return 0
    tcp_output_ack.tcp_send_ack(sk)
    return -1


def _syn_received(sk: tcp_sock, skb: sk_buff, th: tcphdr) -> int:
    """Simultaneous open: both sides sent a SYN."""
    cb: tcp_skb_cb = skb.cb  # type: ignore[assignment]
    tcp.tcp_set_state(sk, TCP_SYN_RECV)
    _take_timestamp(sk)
    sk.rcv_nxt = sk.copied_seq = sk.rcv_wup = cb.seq + 1 & U32
    sk.snd_wnd = sk.max_window = th.window
    sk.snd_wl1 = cb.seq
    if sk.ecn_flags & TCP_ECN_OK and th._flags & (TCPHDR_ECE | TCPHDR_CWR) != TCPHDR_ECE | TCPHDR_CWR:
        sk.ecn_flags &= ~TCP_ECN_OK
    tcp_mtup_init(sk)
    tcp_sync_mss(sk, sk.icsk_pmtu_cookie)
    tcp_initialize_rcv_mss(sk)
    tcp_output_syn.tcp_send_synack(sk)
    __kfree_skb(skb)
    return 0


def tcp_rcv_synsent_state_process(sk: tcp_sock, skb: sk_buff, th: tcphdr) -> int:
    """A segment in SYN_SENT: 1 to answer with RST, 0 when it is done with, -1 to go on with it."""
    rx_opt = sk.rx_opt
    foc = tcp_fastopen_cookie()
    saved_clamp = rx_opt.mss_clamp
    cb: tcp_skb_cb = skb.cb  # type: ignore[assignment]
    flags = th._flags
    tcp_parse_options(sk.skc_net, skb, rx_opt, False, foc)
    if rx_opt.saw_tstamp and rx_opt.rcv_tsecr:
        rx_opt.rcv_tsecr = rx_opt.rcv_tsecr - sk.tsoffset & U32
    if flags & TCPHDR_ACK:
        good = after(cb.ack_seq, sk.snd_una) and not after(cb.ack_seq, sk.snd_nxt)
        if not good and sk.icsk_retransmits == 0:
            inet_csk_reset_xmit_timer(sk, ICSK_TIME_RETRANS, TCP_TIMEOUT_MIN, TCP_RTO_MAX)
        if (
            good
            and rx_opt.saw_tstamp
            and rx_opt.rcv_tsecr
            and not between(rx_opt.rcv_tsecr, sk.retrans_stamp, sk.tcp_mstamp // 1000 & U32)
        ):
            sk.skc_net.mib.net_statistics[LINUX_MIB_PAWSACTIVEREJECTED] += 1
            good = False
        if not good:
            tcp_clear_options(rx_opt)
            rx_opt.mss_clamp = saved_clamp
            return 1
        if flags & TCPHDR_RST:
            tcp_input_state.tcp_reset(sk, skb)
            __kfree_skb(skb)
            return 0
        if not flags & TCPHDR_SYN:
            return _discard(sk, skb, saved_clamp, SKB_DROP_REASON_TCP_FLAGS)
        return _synack_received(sk, skb, th, foc)
    if flags & TCPHDR_RST:
        return _discard(sk, skb, saved_clamp, SKB_DROP_REASON_TCP_RESET)
    if rx_opt.ts_recent_stamp and rx_opt.saw_tstamp and tcp_paws_reject(rx_opt, 0, _now_seconds(sk)):
        return _discard(sk, skb, saved_clamp, SKB_DROP_REASON_TCP_RFC7323_PAWS)
    if flags & TCPHDR_SYN:
        return _syn_received(sk, skb, th)
    return _discard(sk, skb, saved_clamp, SKB_DROP_REASON_NOT_SPECIFIED)
