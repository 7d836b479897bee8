"""ACKs (part of net/ipv4/tcp_input.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.tcp import TCP_SYN_SENT
from kshell.linux.include.linux.snmp import (
    LINUX_MIB_TCPDELIVERED,
    LINUX_MIB_TCPDELIVEREDCE,
    LINUX_MIB_TCPHPACKS,
    LINUX_MIB_TCPPUREACKS,
)
from kshell.linux.include.net.inet_connection_sock import ICSK_ACK_NOW
from kshell.linux.include.net.tcp import (
    CA_ACK_ECE,
    CA_ACK_SLOWPATH,
    CA_ACK_WIN_UPDATE,
    TCP_ECN_DEMAND_CWR,
    TCP_ECN_OK,
    TCP_NAGLE_OFF,
    TCPHDR_ACK,
    TCPHDR_CWR,
    TCPHDR_ECE,
    TCPHDR_SYN,
    U32,
    TCP_CA_Open,
    after,
    before,
    rate_sample,
    tcp_in_cwnd_reduction,
    tcp_packets_in_flight,
    tcp_skb_cb,
)
from kshell.linux.net.ipv4 import (
    tcp_input_challenge,
    tcp_input_loss,
    tcp_input_reduce,
    tcp_input_sack,
    tcp_input_timer,
    tcp_output,
    tcp_output_retransmit,
    tcp_recovery,
)
from kshell.linux.net.ipv4.tcp_input_clean import tcp_clean_rtx_queue
from kshell.linux.net.ipv4.tcp_input_flags import (
    FLAG_ACK_MAYBE_DELAYED,
    FLAG_CA_ALERT,
    FLAG_DATA,
    FLAG_DATA_ACKED,
    FLAG_DSACKING_ACK,
    FLAG_ECE,
    FLAG_FORWARD_PROGRESS,
    FLAG_NO_CHALLENGE_ACK,
    FLAG_NOT_DUP,
    FLAG_SET_XMIT_TIMER,
    FLAG_SLOWPATH,
    FLAG_SND_UNA_ADVANCED,
    FLAG_UPDATE_TS_RECENT,
    FLAG_WIN_UPDATE,
)
from kshell.linux.net.ipv4.tcp_input_rtt import tcp_update_pacing_rate
from kshell.linux.net.ipv4.tcp_output_mss import tcp_current_mss, tcp_sync_mss
from kshell.linux.net.ipv4.tcp_rate import tcp_rate_gen

if TYPE_CHECKING:
    from kshell.linux.include.linux.skbuff import sk_buff
    from kshell.linux.include.linux.tcp import tcp_sock
    from kshell.linux.include.linux.tcp_header import tcphdr

# What tcp_ack() returns: 1 for a good ACK, 0 for an old one, or the negative reason to drop the segment.
ACK_TOO_OLD = -1
ACK_UNSENT_DATA = -2


def tcp_ack_is_dubious(sk: tcp_sock, flag: int) -> bool:
    """True when the ACK hints at a loss, or recovery is under way."""
    return not flag & FLAG_NOT_DUP or bool(flag & FLAG_CA_ALERT) or sk.icsk_ca_state != TCP_CA_Open


def tcp_may_raise_cwnd(sk: tcp_sock, flag: int) -> bool:
    """True when the ACK may let the window grow."""
    if sk.reordering > sk.skc_net.ipv4.sysctl_tcp_reordering:
        return bool(flag & FLAG_FORWARD_PROGRESS)
    return bool(flag & FLAG_DATA_ACKED)


def tcp_cong_avoid(sk: tcp_sock, ack: int, acked: int) -> None:
    """Let the congestion module raise the window."""
    cong_avoid = sk.icsk_ca_ops.cong_avoid
    assert cong_avoid is not None
    cong_avoid(sk, ack, acked)
    sk.snd_cwnd_stamp = sk.skc_net.kernel.jiffies & U32


def tcp_cong_control(sk: tcp_sock, ack: int, acked_sacked: int, flag: int, rs: rate_sample) -> None:
    """Set the congestion window after an ACK."""
    cong_control = sk.icsk_ca_ops.cong_control
    if cong_control is not None:
        cong_control(sk, rs)
        return
    if sk.icsk_ca_state and tcp_in_cwnd_reduction(sk):
        tcp_input_reduce.tcp_cwnd_reduction(sk, acked_sacked, rs.losses, flag)
    elif tcp_may_raise_cwnd(sk, flag):
        tcp_cong_avoid(sk, ack, acked_sacked)
    tcp_update_pacing_rate(sk)


def tcp_may_update_window(tp: tcp_sock, ack: int, ack_seq: int, nwin: int) -> bool:
    """True when the segment is newer than the one that gave the window."""
    return (
        after(ack, tp.snd_una)
        or after(ack_seq, tp.snd_wl1)
        or (ack_seq == tp.snd_wl1 and nwin > tp.snd_wnd)
    )


def tcp_snd_una_update(tp: tcp_sock, ack: int) -> None:
    """Everything below `ack` is acknowledged."""
    tp.bytes_acked += ack - tp.snd_una & U32
    tp.snd_una = ack


def tcp_ack_update_window(sk: tcp_sock, skb: sk_buff, ack: int, ack_seq: int) -> int:
    """Take the window a segment offers; FLAG_WIN_UPDATE or 0."""
    flag = 0
    th: tcphdr = skb.transport_header  # type: ignore[assignment]
    nwin = th.window
    if not th._flags & TCPHDR_SYN:
        nwin <<= sk.rx_opt.snd_wscale
    if tcp_may_update_window(sk, ack, ack_seq, nwin):
        flag = FLAG_WIN_UPDATE
        sk.snd_wl1 = ack_seq
        if sk.snd_wnd != nwin:
            sk.snd_wnd = nwin
            sk.pred_flags = 0
            tcp_fast_path_check(sk)
            if sk.write_seq != sk.snd_nxt:
                tcp_output.tcp_slow_start_after_idle_check(sk)
            if nwin > sk.max_window:
                sk.max_window = nwin
                tcp_sync_mss(sk, sk.icsk_pmtu_cookie)
    tcp_snd_una_update(sk, ack)
    return flag


def tcp_fast_path_on(tp: tcp_sock) -> None:
    """Predict the next header: ACK alone, the same window."""
    tp.pred_flags = tp.tcp_header_len << 26 | TCPHDR_ACK << 16 | tp.snd_wnd >> tp.rx_opt.snd_wscale


def tcp_fast_path_check(sk: tcp_sock) -> None:
    """Predict the next header unless something needs a closer look."""
    if not sk.out_of_order_queue and sk.rcv_wnd and sk.sk_rmem_alloc < sk.sk_rcvbuf and not sk.urg_data:
        tcp_fast_path_on(sk)


def tcp_in_ack_event(sk: tcp_sock, flag: int) -> None:
    """Tell the congestion module of every ACK."""
    in_ack_event = sk.icsk_ca_ops.in_ack_event
    if in_ack_event is not None:
        flags = CA_ACK_WIN_UPDATE if flag & FLAG_WIN_UPDATE else 0
        if flag & FLAG_SLOWPATH:
            flags |= CA_ACK_SLOWPATH | (CA_ACK_ECE if flag & FLAG_ECE else 0)
        in_ack_event(sk, flags)


def tcp_xmit_recovery(sk: tcp_sock, rexmit: int) -> None:
    """Send what recovery calls for: new data (F-RTO) or what was lost."""
    if rexmit == tcp_input_loss.REXMIT_NONE or sk.skc_state == TCP_SYN_SENT:
        return
    if rexmit == tcp_input_loss.REXMIT_NEW:
        tcp_output.__tcp_push_pending_frames(sk, tcp_current_mss(sk), TCP_NAGLE_OFF)
        if after(sk.snd_nxt, sk.high_seq):
            return
        sk.frto = 0
    tcp_output_retransmit.tcp_xmit_retransmit_queue(sk)


def tcp_newly_delivered(sk: tcp_sock, prior_delivered: int, flag: int) -> int:
    """Segments that this ACK showed to be delivered."""
    delivered = sk.delivered - prior_delivered
    stats = sk.skc_net.mib.net_statistics
    stats[LINUX_MIB_TCPDELIVERED] += delivered
    if flag & FLAG_ECE:
        stats[LINUX_MIB_TCPDELIVEREDCE] += delivered
    return delivered


def _take_ack(
    sk: tcp_sock, skb: sk_buff, flag: int, prior_snd_una: int, sack_state: tcp_input_sack.tcp_sacktag_state
) -> int:
    cb: tcp_skb_cb = skb.cb  # type: ignore[assignment]
    stats = sk.skc_net.mib.net_statistics
    if flag & (FLAG_SLOWPATH | FLAG_SND_UNA_ADVANCED) == FLAG_SND_UNA_ADVANCED:
        sk.snd_wl1 = cb.seq
        tcp_snd_una_update(sk, cb.ack_seq)
        stats[LINUX_MIB_TCPHPACKS] += 1
        return flag | FLAG_WIN_UPDATE
    if cb.seq != cb.end_seq:
        flag |= FLAG_DATA
    else:
        stats[LINUX_MIB_TCPPUREACKS] += 1
    flag |= tcp_ack_update_window(sk, skb, cb.ack_seq, cb.seq)
    if cb.sacked:
        flag |= tcp_input_sack.tcp_sacktag_write_queue(sk, skb, prior_snd_una, sack_state)
    if cb.tcp_flags & TCPHDR_ECE and not cb.tcp_flags & TCPHDR_SYN and sk.ecn_flags & TCP_ECN_OK:
        flag |= FLAG_ECE
    if sack_state.sack_delivered:
        tcp_input_loss.tcp_count_delivered(sk, sack_state.sack_delivered, bool(flag & FLAG_ECE))
    return flag


def tcp_ecn_accept_cwr(sk: tcp_sock, skb: sk_buff) -> None:
    """The peer reduced its window: no more ECE."""
    cb: tcp_skb_cb = skb.cb  # type: ignore[assignment]
    if cb.tcp_flags & TCPHDR_CWR:
        sk.ecn_flags &= ~TCP_ECN_DEMAND_CWR
        if cb.seq != cb.end_seq:
            sk.icsk_ack.pending |= ICSK_ACK_NOW


def _old_ack(sk: tcp_sock, skb: sk_buff, flag: int) -> int:
    cb: tcp_skb_cb = skb.cb  # type: ignore[assignment]
    prior_snd_una = sk.snd_una
    max_window = min(sk.max_window, sk.bytes_acked)
    if before(cb.ack_seq, prior_snd_una - max_window):
        if not flag & FLAG_NO_CHALLENGE_ACK:
            tcp_input_challenge.tcp_send_challenge_ack(sk)
        return ACK_TOO_OLD
    if flag & FLAG_UPDATE_TS_RECENT:
        tcp_input_challenge.tcp_replace_ts_recent(sk, cb.seq)
    if cb.sacked:
        prior_delivered = sk.delivered
        flag |= tcp_input_sack.tcp_sacktag_write_queue(sk, skb, prior_snd_una, tcp_input_sack.tcp_sacktag_state())
        flag, rexmit = tcp_input_loss.tcp_fastretrans_alert(sk, prior_snd_una, 0, flag)
        tcp_newly_delivered(sk, prior_delivered, flag)
        tcp_xmit_recovery(sk, rexmit)
    return 0


def _ack_without_queue(sk: tcp_sock, ack: int, flag: int, prior_snd_una: int, prior_delivered: int) -> None:
    """An ACK while nothing is in flight: of a window probe, or a late DSACK."""
    tcp_in_ack_event(sk, flag)
    if flag & FLAG_DSACKING_ACK:
        flag, _ = tcp_input_loss.tcp_fastretrans_alert(sk, prior_snd_una, 0, flag)
        tcp_newly_delivered(sk, prior_delivered, flag)
    tcp_input_timer.tcp_ack_probe(sk)
    if sk.tlp_high_seq:
        tcp_input_loss.tcp_process_tlp_ack(sk, ack, flag)


def tcp_ack(sk: tcp_sock, skb: sk_buff, flag: int) -> int:
    """Process a segment's ACK; 1 good, 0 old, negative: drop the segment."""
    cb: tcp_skb_cb = skb.cb  # type: ignore[assignment]
    ack = cb.ack_seq
    prior_snd_una = sk.snd_una
    if before(ack, prior_snd_una):
        return _old_ack(sk, skb, flag)
    if after(ack, sk.snd_nxt):
        return ACK_UNSENT_DATA
    prior_packets = sk.packets_out
    if ack != prior_snd_una:
        flag |= FLAG_SND_UNA_ADVANCED
        sk.icsk_retransmits = 0
    sack_state = tcp_input_sack.tcp_sacktag_state()
    prior_fack = tcp_input_sack.tcp_highest_sack_seq(sk) if sk.rx_opt.sack_ok else prior_snd_una
    sack_state.rate.prior_in_flight = tcp_packets_in_flight(sk)
    prior_delivered, prior_lost, is_sack_reneg = sk.delivered, sk.lost, sk.is_sack_reneg
    if flag & FLAG_UPDATE_TS_RECENT:
        tcp_input_challenge.tcp_replace_ts_recent(sk, cb.seq)
    flag = _take_ack(sk, skb, flag, prior_snd_una, sack_state)
    if cb.tcp_flags & TCPHDR_CWR:
        tcp_ecn_accept_cwr(sk, skb)
    if sk.sk_err_soft:
        sk.sk_err_soft = 0
    sk.icsk_probes_out = 0
    sk.rcv_tstamp = sk.skc_net.kernel.jiffies & U32
    if not prior_packets:
        _ack_without_queue(sk, ack, flag, prior_snd_una, prior_delivered)
        return 1
    rexmit = tcp_input_loss.REXMIT_NONE
    flag |= tcp_clean_rtx_queue(sk, skb, prior_fack, prior_snd_una, sack_state, bool(flag & FLAG_ECE))
    rate = sack_state.rate
    tcp_recovery.tcp_rack_update_reo_wnd(sk, rate)
    tcp_in_ack_event(sk, flag)
    if sk.tlp_high_seq:
        tcp_input_loss.tcp_process_tlp_ack(sk, ack, flag)
    if tcp_ack_is_dubious(sk, flag):
        num_dupack = 0
        if not flag & (FLAG_SND_UNA_ADVANCED | FLAG_NOT_DUP | FLAG_DSACKING_ACK):
            shinfo = skb._shinfo
            num_dupack = max(1, shinfo.gso_segs if shinfo is not None and not flag & FLAG_DATA else 1)
        flag, rexmit = tcp_input_loss.tcp_fastretrans_alert(sk, prior_snd_una, num_dupack, flag)
    if flag & FLAG_SET_XMIT_TIMER:
        tcp_input_timer.tcp_set_xmit_timer(sk)
    delivered = tcp_newly_delivered(sk, prior_delivered, flag)
    rate.is_ack_delayed = bool(flag & FLAG_ACK_MAYBE_DELAYED)
    tcp_rate_gen(sk, delivered, sk.lost - prior_lost, bool(is_sack_reneg), rate)
    tcp_cong_control(sk, ack, delivered, flag, rate)
    tcp_xmit_recovery(sk, rexmit)
    return 1
