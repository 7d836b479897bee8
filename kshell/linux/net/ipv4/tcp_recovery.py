"""RACK: losses found by time (net/ipv4/tcp_recovery.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.linux.include.linux.tcp import TCP_RACK_RECOVERY_THRESH
from kshell.linux.include.net.inet_connection_sock import ICSK_TIME_REO_TIMEOUT, ICSK_TIME_RETRANS
from kshell.linux.include.net.tcp import (
    TCP_FRAG_IN_RTX_QUEUE,
    TCP_RACK_NO_DUPTHRESH,
    TCP_RACK_STATIC_REO_WND,
    TCP_TIMEOUT_MIN_US,
    TCPCB_LOST,
    TCPCB_RETRANS,
    TCPCB_SACKED_ACKED,
    TCPCB_SACKED_RETRANS,
    TCP_CA_Recovery,
    after,
    before,
    rate_sample,
    tcp_packets_in_flight,
    tcp_skb_cb,
)
from kshell.linux.net.ipv4 import (
    tcp_input_loss,
    tcp_input_reduce,
    tcp_input_timer,
    tcp_output_retransmit,
    tcp_output_segs,
)
from kshell.linux.net.ipv4.inet_connection_sock import inet_csk_reset_xmit_timer

if TYPE_CHECKING:
    from kshell.linux.include.linux.skbuff import sk_buff
    from kshell.linux.include.linux.tcp import tcp_sock


def tcp_rack_reo_wnd(sk: tcp_sock) -> int:
    """Microseconds by which segments may be reordered."""
    if not sk.reord_seen:
        if sk.icsk_ca_state >= TCP_CA_Recovery:
            return 0
        if sk.sacked_out >= sk.reordering and not sk.skc_net.ipv4.sysctl_tcp_recovery & TCP_RACK_NO_DUPTHRESH:
            return 0
    return min((sk.rtt_min.s[0][1] >> 2) * sk.rack.reo_wnd_steps, sk.srtt_us >> 3)


def tcp_rack_skb_timeout(tp: tcp_sock, skb: sk_buff, reo_wnd: int) -> int:
    """Microseconds until a packet counts as lost."""
    return tp.rack.rtt_us + reo_wnd - max(tp.tcp_mstamp - skb.tstamp // 1000, 0)


def tcp_rack_detect_loss(sk: tcp_sock) -> int:
    """Mark what was sent before the latest delivered packet and is overdue; µs until the next would be."""
    reo_timeout = 0
    reo_wnd = tcp_rack_reo_wnd(sk)
    rack = sk.rack
    for skb in list(sk.tcp_rtx_queue):
        cb: tcp_skb_cb = skb.cb  # type: ignore[assignment]
        if cb.sacked & TCPCB_SACKED_ACKED or (cb.sacked & TCPCB_LOST and not cb.sacked & TCPCB_SACKED_RETRANS):
            continue
        sent = skb.tstamp // 1000
        if not (rack.mstamp > sent or (rack.mstamp == sent and after(rack.end_seq, cb.end_seq))):
            continue
        remaining = tcp_rack_skb_timeout(sk, skb, reo_wnd)
        if remaining <= 0:
            tcp_input_loss.tcp_mark_skb_lost(sk, skb)
        else:
            reo_timeout = max(reo_timeout, remaining)
    return reo_timeout


def tcp_rack_mark_lost(sk: tcp_sock) -> bool:
    """After news of a delivery: mark losses; True when a timer for more was set."""
    if not sk.rack.advanced:
        return False
    sk.rack.advanced = 0
    timeout = tcp_rack_detect_loss(sk)
    if timeout:
        jiffies = (timeout + TCP_TIMEOUT_MIN_US + 3999) // 4000
        inet_csk_reset_xmit_timer(sk, ICSK_TIME_REO_TIMEOUT, jiffies, sk.icsk_rto)
    return bool(timeout)


def tcp_rack_advance(tp: tcp_sock, sacked: int, end_seq: int, xmit_time: int) -> None:
    """A packet sent at xmit_time (µs) was delivered."""
    rtt_us = max(tp.tcp_mstamp - xmit_time, 0)
    if rtt_us < tp.rtt_min.s[0][1] and sacked & TCPCB_RETRANS:
        return
    rack = tp.rack
    rack.advanced = 1
    rack.rtt_us = rtt_us
    if xmit_time > rack.mstamp or (xmit_time == rack.mstamp and after(end_seq, rack.end_seq)):
        rack.mstamp = xmit_time
        rack.end_seq = end_seq


def tcp_rack_reo_timeout(sk: tcp_sock) -> None:
    """The reordering timer: what is still missing is lost."""
    prior_inflight = tcp_packets_in_flight(sk)
    lost = sk.lost
    tcp_rack_detect_loss(sk)
    if prior_inflight != tcp_packets_in_flight(sk):
        if sk.icsk_ca_state != TCP_CA_Recovery:
            tcp_input_loss.tcp_enter_recovery(sk, False)
            if sk.icsk_ca_ops.cong_control is None:
                tcp_input_reduce.tcp_cwnd_reduction(sk, 1, sk.lost - lost, 0)
        tcp_output_retransmit.tcp_xmit_retransmit_queue(sk)
    if sk.icsk_pending != ICSK_TIME_RETRANS:
        tcp_input_timer.tcp_rearm_rto(sk)


def tcp_rack_update_reo_wnd(sk: tcp_sock, rs: rate_sample) -> None:
    """Widen the reordering window while DSACKs show retransmissions to be needless."""
    if sk.skc_net.ipv4.sysctl_tcp_recovery & TCP_RACK_STATIC_REO_WND or not rs.prior_delivered:
        return
    rack = sk.rack
    if before(rs.prior_delivered, rack.last_delivered):
        rack.dsack_seen = 0
    if rack.dsack_seen:
        rack.reo_wnd_steps = min(0xFF, rack.reo_wnd_steps + 1)
        rack.dsack_seen = 0
        rack.last_delivered = sk.delivered
        rack.reo_wnd_persist = TCP_RACK_RECOVERY_THRESH
    elif not rack.reo_wnd_persist:
        rack.reo_wnd_steps = 1


def tcp_newreno_mark_lost(sk: tcp_sock, snd_una_advanced: bool) -> None:
    """Without SACK: the first segment is lost after enough duplicate ACKs, and after each partial ACK."""
    state = sk.icsk_ca_state
    if (state < TCP_CA_Recovery and sk.sacked_out >= sk.reordering) or (
        state == TCP_CA_Recovery and snd_una_advanced
    ):
        skb = sk.tcp_rtx_queue[0]
        cb: tcp_skb_cb = skb.cb  # type: ignore[assignment]
        if cb.sacked & TCPCB_LOST:
            return
        mss = cb.tcp_gso_size
        if cb.tcp_gso_segs > 1 and skb.len > mss:
            tcp_output_segs.tcp_fragment(sk, TCP_FRAG_IN_RTX_QUEUE, skb, mss, mss)
        tcp_input_loss.tcp_mark_skb_lost(sk, skb)
