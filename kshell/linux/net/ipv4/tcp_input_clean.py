"""Taking acknowledged packets off the retransmission queue (part of net/ipv4/tcp_input.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.linux.include.net.tcp import (
    TCP_CHRONO_BUSY,
    TCPCB_LOST,
    TCPCB_RETRANS,
    TCPCB_SACKED_ACKED,
    TCPCB_SACKED_RETRANS,
    TCPHDR_SYN,
    U32,
    TCP_CA_Open,
    ack_sample,
    after,
    before,
    between,
    tcp_skb_cb,
)
from kshell.linux.net.ipv4 import (
    tcp_input_loss,
    tcp_input_sack,
    tcp_input_undo,
    tcp_output,
    tcp_output_segs,
    tcp_recovery,
    tcp_sendmsg,
)
from kshell.linux.net.ipv4.tcp_input_flags import (
    FLAG_ACK_MAYBE_DELAYED,
    FLAG_ACKED,
    FLAG_CA_ALERT,
    FLAG_DATA_ACKED,
    FLAG_ORIG_SACK_ACKED,
    FLAG_RETRANS_DATA_ACKED,
    FLAG_SACK_RENEGING,
    FLAG_SET_XMIT_TIMER,
    FLAG_SYN_ACKED,
)
from kshell.linux.net.ipv4.tcp_input_rtt import tcp_ack_update_rtt
from kshell.linux.net.ipv4.tcp_rate import tcp_rate_skb_delivered

if TYPE_CHECKING:
    from kshell.linux.include.linux.skbuff import sk_buff
    from kshell.linux.include.linux.tcp import tcp_sock


def tcp_ack_tstamp(sk: tcp_sock, skb: sk_buff, prior_snd_una: int) -> None:
    """Report the time of an acknowledged packet to an application that asked for it."""


def tcp_tso_acked(sk: tcp_sock, skb: sk_buff) -> int:
    """Part of a GSO packet is acknowledged: cut it off; the segments it was."""
    cb: tcp_skb_cb = skb.cb  # type: ignore[assignment]
    packets_acked = cb.tcp_gso_segs
    tcp_output_segs.tcp_trim_head(sk, skb, sk.snd_una - cb.seq & U32)
    return packets_acked - cb.tcp_gso_segs


class _acked:
    """Sums over the packets that one ACK takes off the retransmit queue; times in µs."""

    __slots__ = ("first_ackt", "flag", "fully_acked", "last_ackt", "pkts_acked", "reord")

    def __init__(self, reord: int) -> None:
        self.flag = 0
        self.first_ackt = 0
        self.last_ackt = 0
        self.pkts_acked = 0
        self.reord = reord
        self.fully_acked = True


def _account_acked(
    sk: tcp_sock, skb: sk_buff, pcount: int, sums: _acked, sack: tcp_input_sack.tcp_sacktag_state, ece: bool
) -> None:
    scb: tcp_skb_cb = skb.cb  # type: ignore[assignment]
    sacked = scb.sacked
    if sacked & TCPCB_RETRANS:
        if sacked & TCPCB_SACKED_RETRANS:
            sk.retrans_out -= pcount
        sums.flag |= FLAG_RETRANS_DATA_ACKED
    elif not sacked & TCPCB_SACKED_ACKED:
        sums.last_ackt = skb.tstamp // 1000
        if not sums.first_ackt:
            sums.first_ackt = sums.last_ackt
        if before(scb.seq, sums.reord):
            sums.reord = scb.seq
        if not after(scb.end_seq, sk.high_seq):
            sums.flag |= FLAG_ORIG_SACK_ACKED
    if sacked & TCPCB_SACKED_ACKED:
        sk.sacked_out -= pcount
    elif sk.rx_opt.sack_ok:
        tcp_input_loss.tcp_count_delivered(sk, pcount, ece)
        if not sacked & TCPCB_RETRANS or not tcp_input_undo.tcp_skb_spurious_retrans(sk, skb):
            tcp_recovery.tcp_rack_advance(sk, sacked, scb.end_seq, skb.tstamp // 1000)
    if sacked & TCPCB_LOST:
        sk.lost_out -= pcount
    sk.packets_out -= pcount
    sums.pkts_acked += pcount
    tcp_rate_skb_delivered(sk, skb, sack.rate)
    if scb.tcp_flags & TCPHDR_SYN:
        sums.flag |= FLAG_SYN_ACKED
        sk.retrans_stamp = 0
    else:
        sums.flag |= FLAG_DATA_ACKED


def _forget_hints(sk: tcp_sock, skb: sk_buff, following: sk_buff | None) -> None:
    if skb is sk.retransmit_skb_hint:
        sk.retransmit_skb_hint = None
    if skb is sk.lost_skb_hint:
        sk.lost_skb_hint = None
    if skb is sk.highest_sack:
        sk.highest_sack = following


def tcp_clean_rtx_queue(
    sk: tcp_sock, ack_skb: sk_buff, prior_fack: int, prior_snd_una: int, sack: tcp_input_sack.tcp_sacktag_state,
    ece_ack: bool,
) -> int:
    """Free what the ACK covers, and take the RTT from it; FLAG_*."""
    prior_sacked = sk.sacked_out
    sums = _acked(sk.snd_nxt)
    rtx = sk.tcp_rtx_queue
    skb = None
    while rtx:
        skb = rtx[0]
        scb: tcp_skb_cb = skb.cb  # type: ignore[assignment]
        if after(scb.end_seq, sk.snd_una):
            if scb.tcp_gso_segs == 1 or not after(sk.snd_una, scb.seq):
                break
            acked_pcount = tcp_tso_acked(sk, skb)
            if not acked_pcount:
                break
            sums.fully_acked = False
        else:
            acked_pcount = scb.tcp_gso_segs
        _account_acked(sk, skb, acked_pcount, sums, sack, ece_ack)
        if not sums.fully_acked:
            break
        tcp_ack_tstamp(sk, skb, prior_snd_una)
        del rtx[0]
        if prior_sacked or sk.icsk_ca_state != TCP_CA_Open:
            _forget_hints(sk, skb, rtx[0] if rtx else None)
        tcp_sendmsg.tcp_wmem_free_skb(sk, skb)
        skb = None
    if skb is None:
        tcp_output.tcp_chrono_stop(sk, TCP_CHRONO_BUSY)
    elif skb.cb.sacked & TCPCB_SACKED_ACKED:  # type: ignore[attr-defined]
        sums.flag |= FLAG_SACK_RENEGING
    if between(sk.snd_up, prior_snd_una, sk.snd_una):
        sk.snd_up = sk.snd_una
    return _measure_acked(sk, skb, sums, sack, prior_fack, prior_snd_una, prior_sacked, ece_ack)


def _measure_acked(
    sk: tcp_sock, skb: sk_buff | None, sums: _acked, sack: tcp_input_sack.tcp_sacktag_state, prior_fack: int,
    prior_snd_una: int,
    prior_sacked: int, ece_ack: bool,
) -> int:  # fmt: skip
    flag = sums.flag
    rate = sack.rate
    now = sk.tcp_mstamp
    seq_rtt_us = sack_rtt_us = ca_rtt_us = -1
    if sums.first_ackt and not flag & FLAG_RETRANS_DATA_ACKED:
        seq_rtt_us = max(now - sums.first_ackt, 0)
        ca_rtt_us = max(now - sums.last_ackt, 0)
        if (
            sums.pkts_acked == 1
            and sums.fully_acked
            and not prior_sacked
            and sk.snd_una - prior_snd_una & U32 < sk.mss_cache
            and rate.prior_delivered + 1 == sk.delivered
            and not flag & (FLAG_CA_ALERT | FLAG_SYN_ACKED)
        ):
            flag |= FLAG_ACK_MAYBE_DELAYED
    if sack.first_sackt:
        sack_rtt_us = max(now - sack.first_sackt, 0)
        ca_rtt_us = max(now - sack.last_sackt, 0)
    rtt_update = tcp_ack_update_rtt(sk, flag, seq_rtt_us, sack_rtt_us, ca_rtt_us, rate)
    if flag & FLAG_ACKED:
        flag |= FLAG_SET_XMIT_TIMER
        if not sk.rx_opt.sack_ok:
            tcp_input_loss.tcp_remove_reno_sacks(sk, sums.pkts_acked, ece_ack)
            if flag & FLAG_RETRANS_DATA_ACKED:
                flag &= ~FLAG_ORIG_SACK_ACKED
        elif before(sums.reord, prior_fack):
            tcp_input_sack.tcp_check_sack_reordering(sk, sums.reord, 0)
    elif skb is not None and rtt_update and sack_rtt_us >= 0 and sack_rtt_us > now - skb.tstamp // 1000:
        flag |= FLAG_SET_XMIT_TIMER
    pkts_acked = sk.icsk_ca_ops.pkts_acked
    if pkts_acked is not None:
        in_flight = sk.mss_cache * (sk.delivered - rate.prior_delivered)
        pkts_acked(sk, ack_sample(sums.pkts_acked, rate.rtt_us, in_flight))
    return flag
