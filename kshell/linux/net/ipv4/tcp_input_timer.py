"""The retransmission timer as ACKs move it (part of net/ipv4/tcp_input.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.linux.include.net.inet_connection_sock import (
    ICSK_TIME_LOSS_PROBE,
    ICSK_TIME_PROBE0,
    ICSK_TIME_REO_TIMEOUT,
    ICSK_TIME_RETRANS,
)
from kshell.linux.include.net.tcp import TCP_RTO_MAX, after
from kshell.linux.net.ipv4 import tcp_output, tcp_output_ack, tcp_timer_giveup

if TYPE_CHECKING:
    from kshell.linux.include.linux.tcp import tcp_sock


def tcp_rto_delta_us(sk: tcp_sock) -> int:
    """Microseconds until the RTO of the oldest segment."""
    rtx = sk.tcp_rtx_queue
    if not rtx:
        return sk.icsk_rto * 4000
    return rtx[0].tstamp // 1000 + sk.icsk_rto * 4000 - sk.tcp_mstamp


def tcp_rearm_rto(sk: tcp_sock) -> None:
    """Start the RTO anew, or clear it when nothing is in flight."""
    if sk.fastopen_rsk is not None:
        return
    if not sk.packets_out:
        sk.icsk_pending = 0
        return
    rto = sk.icsk_rto
    if sk.icsk_pending in (ICSK_TIME_REO_TIMEOUT, ICSK_TIME_LOSS_PROBE):
        rto = (max(tcp_rto_delta_us(sk), 1) + 3999) // 4000
    tcp_output.tcp_reset_xmit_timer(sk, ICSK_TIME_RETRANS, rto, TCP_RTO_MAX)


def tcp_set_xmit_timer(sk: tcp_sock) -> None:
    """Progress was made: arm the loss probe, or else the RTO."""
    if not tcp_output.tcp_schedule_loss_probe(sk, True):
        tcp_rearm_rto(sk)


def tcp_ack_probe(sk: tcp_sock) -> None:
    """With nothing in flight: stop probing when the window opened, else go on."""
    head = sk.sk_write_queue.next
    if head is None:
        return
    if not after(head.cb.end_seq, sk.snd_una + sk.snd_wnd):  # type: ignore[attr-defined]
        sk.icsk_backoff = 0
        sk.icsk_probes_tstamp = 0
        sk.icsk_pending = 0
        return
    when = tcp_output_ack.tcp_probe0_when(sk, TCP_RTO_MAX)
    when = tcp_timer_giveup.tcp_clamp_probe0_to_user_timeout(sk, when)
    tcp_output.tcp_reset_xmit_timer(sk, ICSK_TIME_PROBE0, when, TCP_RTO_MAX)
