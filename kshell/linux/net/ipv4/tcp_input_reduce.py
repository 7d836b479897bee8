"""Reducing the congestion window (part of net/ipv4/tcp_input.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.tcp import TCP_CA_CWR
from kshell.linux.include.net.tcp import (
    CA_EVENT_COMPLETE_CWR,
    TCP_ECN_OK,
    TCP_ECN_QUEUE_CWR,
    TCP_INFINITE_SSTHRESH,
    U32,
    tcp_packets_in_flight,
)
from kshell.linux.net.ipv4.tcp_cong import tcp_set_ca_state
from kshell.linux.net.ipv4.tcp_input_flags import FLAG_SND_UNA_ADVANCED

if TYPE_CHECKING:
    from kshell.linux.include.linux.tcp import tcp_sock


def _ca_event(sk: tcp_sock, event: int) -> None:
    cwnd_event = sk.icsk_ca_ops.cwnd_event
    if cwnd_event is not None:
        cwnd_event(sk, event)


def tcp_ecn_queue_cwr(tp: tcp_sock) -> None:
    """Tell the peer that the window was reduced."""
    if tp.ecn_flags & TCP_ECN_OK:
        tp.ecn_flags |= TCP_ECN_QUEUE_CWR


def tcp_init_cwnd_reduction(sk: tcp_sock) -> None:
    """Begin a proportional rate reduction to the new threshold."""
    sk.high_seq = sk.snd_nxt
    sk.tlp_high_seq = 0
    sk.snd_cwnd_cnt = 0
    sk.prior_cwnd = sk.snd_cwnd
    sk.prr_delivered = 0
    sk.prr_out = 0
    sk.snd_ssthresh = sk.icsk_ca_ops.ssthresh(sk)
    tcp_ecn_queue_cwr(sk)


def tcp_cwnd_reduction(sk: tcp_sock, newly_acked_sacked: int, newly_lost: int, flag: int) -> None:
    """Proportional rate reduction: the window for this ACK."""
    if newly_acked_sacked <= 0 or not sk.prior_cwnd:
        return
    delta = sk.snd_ssthresh - tcp_packets_in_flight(sk)
    sk.prr_delivered += newly_acked_sacked
    if delta < 0:
        dividend = sk.snd_ssthresh * sk.prr_delivered + sk.prior_cwnd - 1
        sndcnt = dividend // sk.prior_cwnd - sk.prr_out
    else:
        sndcnt = max(sk.prr_delivered - sk.prr_out, newly_acked_sacked)
        if flag & FLAG_SND_UNA_ADVANCED and not newly_lost:
            sndcnt += 1
        sndcnt = min(delta, sndcnt)
    sk.snd_cwnd = tcp_packets_in_flight(sk) + max(sndcnt, 0 if sk.prr_out else 1)


def tcp_end_cwnd_reduction(sk: tcp_sock) -> None:
    """The reduction is complete."""
    if sk.icsk_ca_ops.cong_control is not None:
        return
    if sk.snd_ssthresh < TCP_INFINITE_SSTHRESH and (sk.icsk_ca_state == TCP_CA_CWR or sk.undo_marker):
        sk.snd_cwnd = sk.snd_ssthresh
        sk.snd_cwnd_stamp = sk.skc_net.kernel.jiffies & U32
    _ca_event(sk, CA_EVENT_COMPLETE_CWR)


def tcp_enter_cwr(sk: tcp_sock) -> None:
    """Congestion without loss (ECN, a full local queue): reduce the window."""
    sk.prior_ssthresh = 0
    if sk.icsk_ca_state < TCP_CA_CWR:
        sk.undo_marker = 0
        tcp_init_cwnd_reduction(sk)
        tcp_set_ca_state(sk, TCP_CA_CWR)
