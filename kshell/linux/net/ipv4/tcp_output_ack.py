"""Segments without data: ACK, FIN, RST, probes (part of net/ipv4/tcp_output.c)."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from kshell.abi.tcp import TCP_CLOSE, TCP_ESTABLISHED
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.jiffies import HZ
from kshell.linux.include.linux.snmp import LINUX_MIB_TCPABORTFAILED, LINUX_MIB_TCPWINPROBE, TCP_MIB_OUTRSTS
from kshell.linux.include.net.inet_connection_sock import (
    ICSK_ACK_PUSHED,
    ICSK_ACK_SCHED,
    ICSK_ACK_TIMER,
    ICSK_TIME_PROBE0,
    inet_csk_in_pingpong_mode,
)
from kshell.linux.include.net.tcp import (
    MAX_TCP_HEADER,
    TCP_DELACK_MAX,
    TCP_DELACK_MIN,
    TCP_FRAG_IN_WRITE_QUEUE,
    TCP_NAGLE_OFF,
    TCP_RESOURCE_PROBE_INTERVAL,
    TCP_RTO_MAX,
    TCP_RTO_MIN,
    TCPHDR_ACK,
    TCPHDR_FIN,
    TCPHDR_PSH,
    TCPHDR_RST,
    U32,
    before,
    between,
    tcp_skb_cb,
)
from kshell.linux.net.core.skbuff import alloc_skb, alloc_skb_fclone
from kshell.linux.net.ipv4 import tcp_output, tcp_output_segs, tcp_timer_giveup
from kshell.linux.net.ipv4.inet_connection_sock import _reset_delack_timer
from kshell.linux.net.ipv4.tcp_output_mss import tcp_current_mss
from kshell.linux.net.ipv4.tcp_output_xmit import (
    PURE_ACK_TRUESIZE,
    __tcp_transmit_skb,
    _mstamp_refresh,
    tcp_init_nondata_skb,
)

if TYPE_CHECKING:
    from kshell.linux.include.linux.tcp import tcp_sock


def tcp_acceptable_seq(sk: tcp_sock) -> int:
    """A sequence number that the peer takes even if it shrank its window: snd_nxt or the window's end."""
    wnd_end = sk.snd_una + sk.snd_wnd & U32
    if not before(wnd_end, sk.snd_nxt) or (
        sk.rx_opt.wscale_ok and sk.snd_nxt - wnd_end & U32 < 1 << sk.rx_opt.rcv_wscale
    ):
        return sk.snd_nxt
    return wnd_end


def tcp_send_fin(sk: tcp_sock) -> None:
    """Send FIN, on the last packet that waits or on one of its own."""
    tail = sk.sk_write_queue.prev
    if tail is not None:
        cb: tcp_skb_cb = tail.cb  # type: ignore[assignment]
        cb.tcp_flags |= TCPHDR_FIN
        cb.end_seq = cb.end_seq + 1 & U32
        sk.write_seq = sk.write_seq + 1 & U32
    else:
        skb = alloc_skb_fclone(sk.skc_net.kernel, MAX_TCP_HEADER)
        tcp_output.sk_forced_mem_schedule(sk, skb.truesize)
        tcp_init_nondata_skb(skb, sk.write_seq, TCPHDR_ACK | TCPHDR_FIN)
        tcp_output.tcp_queue_skb(sk, skb)
    tcp_output.__tcp_push_pending_frames(sk, tcp_current_mss(sk), TCP_NAGLE_OFF)


def tcp_send_active_reset(sk: tcp_sock) -> None:
    """Send RST: the connection is given up."""
    mib = sk.skc_net.mib
    mib.tcp_statistics[TCP_MIB_OUTRSTS] += 1
    skb = alloc_skb(sk.skc_net.kernel, MAX_TCP_HEADER)
    tcp_init_nondata_skb(skb, tcp_acceptable_seq(sk), TCPHDR_ACK | TCPHDR_RST)
    _mstamp_refresh(sk)
    try:
        __tcp_transmit_skb(sk, skb, False, sk.rcv_nxt)
    except KernelError:
        mib.net_statistics[LINUX_MIB_TCPABORTFAILED] += 1


def tcp_send_delayed_ack(sk: tcp_sock) -> None:
    """Have an ACK sent soon, in the hope that it can ride on data."""
    kernel = sk.skc_net.kernel
    ack = sk.icsk_ack
    ato = ack.ato
    if ato > TCP_DELACK_MIN:
        max_ato = HZ // 2
        if inet_csk_in_pingpong_mode(sk) or ack.pending & ICSK_ACK_PUSHED:
            max_ato = TCP_DELACK_MAX
        if sk.srtt_us:
            max_ato = min(max_ato, max(((sk.srtt_us >> 3) + 3999) // 4000, TCP_DELACK_MIN))
        ato = min(ato, max_ato)
    ato = min(ato, sk.icsk_delack_max)
    now = kernel.jiffies
    timeout = now + ato
    if ack.pending & ICSK_ACK_TIMER:
        if ack.timeout <= now + (ato >> 2):
            tcp_send_ack(sk)
            return
        timeout = min(timeout, ack.timeout)
    ack.pending |= ICSK_ACK_SCHED | ICSK_ACK_TIMER
    ack.timeout = timeout
    _reset_delack_timer(sk, timeout)


def __tcp_send_ack(sk: tcp_sock, rcv_nxt: int) -> None:
    """Send an ACK up to rcv_nxt."""
    if sk.skc_state == TCP_CLOSE:
        return
    buff = alloc_skb(sk.skc_net.kernel, MAX_TCP_HEADER)
    tcp_init_nondata_skb(buff, tcp_acceptable_seq(sk), TCPHDR_ACK)
    buff.truesize = PURE_ACK_TRUESIZE
    with contextlib.suppress(KernelError):
        __tcp_transmit_skb(sk, buff, False, rcv_nxt)


def tcp_send_ack(sk: tcp_sock) -> None:
    """Acknowledge all that came."""
    __tcp_send_ack(sk, sk.rcv_nxt)


def tcp_xmit_probe_skb(sk: tcp_sock, urgent: int, mib: int) -> None:
    """Send an ACK that the peer must answer: its sequence number is one too old, or announces urgent data."""
    skb = alloc_skb(sk.skc_net.kernel, MAX_TCP_HEADER)
    tcp_init_nondata_skb(skb, sk.snd_una - (not urgent) & U32, TCPHDR_ACK)
    sk.skc_net.mib.net_statistics[mib] += 1
    __tcp_transmit_skb(sk, skb, False, sk.rcv_nxt)


def tcp_send_window_probe(sk: tcp_sock) -> None:
    """Ask for the peer's window, after TCP_REPAIR."""
    if sk.skc_state == TCP_ESTABLISHED:
        sk.snd_wl1 = sk.rcv_nxt - 1 & U32
        _mstamp_refresh(sk)
        tcp_xmit_probe_skb(sk, 0, LINUX_MIB_TCPWINPROBE)


def tcp_write_wakeup(sk: tcp_sock, mib: int) -> None:
    """Probe the peer: with data if any fits its window, else with an empty segment."""
    skb = sk.sk_write_queue.next
    if skb is not None and before(skb.cb.seq, sk.snd_una + sk.snd_wnd):  # type: ignore[attr-defined]
        cb: tcp_skb_cb = skb.cb  # type: ignore[assignment]
        mss = tcp_current_mss(sk)
        seg_size = sk.snd_una + sk.snd_wnd - cb.seq & U32
        if before(sk.pushed_seq, cb.end_seq):
            sk.pushed_seq = cb.end_seq
        if seg_size < (cb.end_seq - cb.seq & U32) or skb.len > mss:
            seg_size = min(seg_size, mss)
            cb.tcp_flags |= TCPHDR_PSH
            tcp_output_segs.tcp_fragment(sk, TCP_FRAG_IN_WRITE_QUEUE, skb, seg_size, mss)
        elif not cb.tcp_gso_segs:
            tcp_output_segs.tcp_set_skb_tso_segs(skb, mss)
        cb.tcp_flags |= TCPHDR_PSH
        __tcp_transmit_skb(sk, skb, True, sk.rcv_nxt)
        tcp_output.tcp_event_new_data_sent(sk, skb)
        return
    if between(sk.snd_up, sk.snd_una + 1 & U32, sk.snd_una + 0xFFFF & U32):
        tcp_xmit_probe_skb(sk, 1, mib)
    tcp_xmit_probe_skb(sk, 0, mib)


def tcp_probe0_when(sk: tcp_sock, max_when: int) -> int:
    """Jiffies to the next window probe: doubled per unanswered one."""
    backoff = min((TCP_RTO_MAX // TCP_RTO_MIN).bit_length(), sk.icsk_backoff)
    return min(max(sk.icsk_rto, TCP_RTO_MIN) << backoff, max_when)


def tcp_send_probe0(sk: tcp_sock) -> None:
    """Probe a closed window and set the timer for the next probe."""
    failed = False
    try:
        tcp_write_wakeup(sk, LINUX_MIB_TCPWINPROBE)
    except KernelError:
        failed = True
    if sk.packets_out or sk.write_seq == sk.snd_nxt:
        sk.icsk_probes_out = 0
        sk.icsk_backoff = 0
        sk.icsk_probes_tstamp = 0
        return
    sk.icsk_probes_out += 1
    if not failed:
        if sk.icsk_backoff < sk.skc_net.ipv4.sysctl_tcp_retries2:
            sk.icsk_backoff += 1
        timeout = tcp_probe0_when(sk, TCP_RTO_MAX)
    else:
        timeout = TCP_RESOURCE_PROBE_INTERVAL
    timeout = tcp_timer_giveup.tcp_clamp_probe0_to_user_timeout(sk, timeout)
    tcp_output.tcp_reset_xmit_timer(sk, ICSK_TIME_PROBE0, timeout, TCP_RTO_MAX)
