"""Delivery rate samples (net/ipv4/tcp_rate.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.linux.include.linux.skbuff import SKB_TRUESIZE
from kshell.linux.include.net.tcp import (
    TCPCB_RETRANS,
    TCPCB_SACKED_ACKED,
    U32,
    after,
    rate_sample,
    tcp_packets_in_flight,
    tcp_skb_cb,
)

if TYPE_CHECKING:
    from kshell.linux.include.linux.skbuff import sk_buff
    from kshell.linux.include.linux.tcp import tcp_sock

_SMALL = SKB_TRUESIZE(1)


def tcp_rate_skb_sent(sk: tcp_sock, skb: sk_buff) -> None:
    """Note on a sent packet how much had been delivered by then."""
    if not sk.packets_out:
        sk.first_tx_mstamp = sk.delivered_mstamp = skb.tstamp // 1000
    cb: tcp_skb_cb = skb.cb  # type: ignore[assignment]
    cb.first_tx_mstamp = sk.first_tx_mstamp
    cb.delivered_mstamp = sk.delivered_mstamp
    cb.delivered = sk.delivered
    cb.is_app_limited = 1 if sk.app_limited else 0


def tcp_rate_skb_delivered(sk: tcp_sock, skb: sk_buff, rs: rate_sample) -> None:
    """A packet was delivered: the sample reaches back to the latest sent one of an ACK."""
    cb: tcp_skb_cb = skb.cb  # type: ignore[assignment]
    if not cb.delivered_mstamp:
        return
    tx_tstamp = skb.tstamp // 1000
    if (
        not rs.prior_delivered
        or tx_tstamp > sk.first_tx_mstamp
        or (tx_tstamp == sk.first_tx_mstamp and after(cb.end_seq, rs.last_end_seq))
    ):
        rs.prior_delivered = cb.delivered
        rs.prior_mstamp = cb.delivered_mstamp
        rs.is_app_limited = bool(cb.is_app_limited)
        rs.is_retrans = bool(cb.sacked & TCPCB_RETRANS)
        rs.last_end_seq = cb.end_seq
        sk.first_tx_mstamp = tx_tstamp
        rs.interval_us = max(tx_tstamp - cb.first_tx_mstamp, 0)
    if cb.sacked & TCPCB_SACKED_ACKED:
        cb.delivered_mstamp = 0


def tcp_rate_gen(sk: tcp_sock, delivered: int, lost: int, is_sack_reneg: bool, rs: rate_sample) -> None:
    """Complete the sample of an ACK, and keep it as the connection's rate when it says more than the last."""
    if sk.app_limited and after(sk.delivered, sk.app_limited):
        sk.app_limited = 0
    if delivered:
        sk.delivered_mstamp = sk.tcp_mstamp
    rs.acked_sacked = delivered
    rs.losses = lost
    if not rs.prior_mstamp or is_sack_reneg:
        rs.delivered = -1
        rs.interval_us = -1
        return
    rs.delivered = sk.delivered - rs.prior_delivered
    snd_us = rs.interval_us
    ack_us = max(sk.tcp_mstamp - rs.prior_mstamp, 0)
    rs.interval_us = max(snd_us, ack_us)
    rs.snd_interval_us = snd_us
    rs.rcv_interval_us = ack_us
    if rs.interval_us < sk.rtt_min.s[0][1]:
        rs.interval_us = -1
        return
    if not rs.is_app_limited or rs.delivered * sk.rate_interval_us >= sk.rate_delivered * rs.interval_us:
        sk.rate_delivered = rs.delivered
        sk.rate_interval_us = rs.interval_us
        sk.rate_app_limited = int(rs.is_app_limited)


def tcp_rate_check_app_limited(sk: tcp_sock) -> None:
    """The application has not kept the pipe full: samples from here on say little."""
    if (
        sk.write_seq - sk.snd_nxt & U32 < sk.mss_cache
        and sk.sk_wmem_alloc - 1 < _SMALL
        and tcp_packets_in_flight(sk) < sk.snd_cwnd
        and sk.lost_out <= sk.retrans_out
    ):
        sk.app_limited = sk.delivered + tcp_packets_in_flight(sk) or 1


