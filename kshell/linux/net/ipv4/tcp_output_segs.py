"""Cutting packets into segments (part of net/ipv4/tcp_output.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.errno import ENOMEM
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.hrtimer import hrtimer
from kshell.linux.include.linux.skbuff import SKB_TRUESIZE, __skb_queue_after
from kshell.linux.include.linux.snmp import LINUX_MIB_TCPWQUEUETOOBIG
from kshell.linux.include.net.tcp import (
    TCP_FRAG_IN_RTX_QUEUE,
    TCP_FRAG_IN_WRITE_QUEUE,
    TCPCB_LOST,
    TCPCB_SACKED_ACKED,
    TCPCB_SACKED_RETRANS,
    TCPHDR_FIN,
    TCPHDR_PSH,
    U32,
    TCP_CA_Recovery,
    before,
    tcp_packets_in_flight,
    tcp_skb_cb,
)
from kshell.linux.net.ipv4 import tcp_input_data, tcp_output, tcp_sendmsg
from kshell.linux.net.ipv4.tcp_output_xmit import __tcp_transmit_skb, tcp_pace_kick

if TYPE_CHECKING:
    from kshell.linux.include.linux.skbuff import sk_buff
    from kshell.linux.include.linux.tcp import tcp_sock


def _pacing_timer(sk: tcp_sock) -> hrtimer:
    timer = sk.pacing_timer
    if timer._owner is None:
        timer = sk.pacing_timer = hrtimer(tcp_pace_kick, sk)
    return timer


def _transmitted(sk: tcp_sock, skb: sk_buff) -> bool:
    try:
        __tcp_transmit_skb(sk, skb, True, sk.rcv_nxt)
    except KernelError:
        return False
    return True


def tcp_set_skb_tso_segs(skb: sk_buff, mss_now: int) -> None:
    """Count the segments of a packet."""
    cb: tcp_skb_cb = skb.cb  # type: ignore[assignment]
    if skb.len <= mss_now:
        cb.tcp_gso_segs = 1
        cb.tcp_gso_size = 0
    else:
        cb.tcp_gso_segs = -(-skb.len // mss_now)
        cb.tcp_gso_size = mss_now


def tcp_init_tso_segs(skb: sk_buff, mss_now: int) -> int:
    """The segments of a packet, counted anew when the MSS changed."""
    cb: tcp_skb_cb = skb.cb  # type: ignore[assignment]
    segs = cb.tcp_gso_segs
    if not segs or (segs > 1 and cb.tcp_gso_size != mss_now):
        tcp_set_skb_tso_segs(skb, mss_now)
        return cb.tcp_gso_segs
    return segs


def tcp_adjust_pcount(sk: tcp_sock, skb: sk_buff, decr: int) -> None:
    """A sent packet counts `decr` segments less."""
    cb: tcp_skb_cb = skb.cb  # type: ignore[assignment]
    sk.packets_out -= decr
    if cb.sacked & TCPCB_SACKED_ACKED:
        sk.sacked_out -= decr
    if cb.sacked & TCPCB_SACKED_RETRANS:
        sk.retrans_out -= decr
    if cb.sacked & TCPCB_LOST:
        sk.lost_out -= decr
    if not sk.rx_opt.sack_ok and decr > 0:
        sk.sacked_out -= min(sk.sacked_out, decr)
    hint = sk.lost_skb_hint
    if hint is not None and before(cb.seq, hint.cb.seq) and cb.sacked & TCPCB_SACKED_ACKED:  # type: ignore[attr-defined]
        sk.lost_cnt_hint -= decr


def _split(sk: tcp_sock, skb: sk_buff, length: int, mss_now: int) -> sk_buff:
    """Cut `skb` after `length` bytes; the rest becomes a packet of its own, in no queue yet."""
    buff = tcp_sendmsg.tcp_stream_alloc_skb(sk, 0, True)
    assert buff is not None
    sk.sk_wmem_queued += buff.truesize
    sk.sk_forward_alloc -= buff.truesize
    nlen = skb.len - length
    buff.truesize += nlen
    skb.truesize -= nlen
    cb: tcp_skb_cb = skb.cb  # type: ignore[assignment]
    cut = cb.seq + length & U32
    new = buff.cb = tcp_skb_cb(cut, cb.end_seq, cb.tcp_flags)
    cb.end_seq = cut
    cb.tcp_flags &= ~(TCPHDR_FIN | TCPHDR_PSH)
    new.sacked = cb.sacked
    new.eor, cb.eor = cb.eor, 0
    new.txstamp_ack, cb.txstamp_ack = cb.txstamp_ack, 0
    if cb.delivered_mstamp:
        new.delivered_mstamp = cb.delivered_mstamp
        new.delivered = cb.delivered
        new.first_tx_mstamp = cb.first_tx_mstamp
        new.is_app_limited = cb.is_app_limited
    buff.data = skb.data[length:]
    buff.len = nlen
    skb.data = skb.data[:length]
    skb.len = length
    buff.tstamp = skb.tstamp
    tcp_set_skb_tso_segs(skb, mss_now)
    tcp_set_skb_tso_segs(buff, mss_now)
    return buff


def tcp_fragment(sk: tcp_sock, tcp_queue: int, skb: sk_buff, length: int, mss_now: int) -> None:
    """Cut a queued packet in two; what was sent of it stays counted. ENOMEM when the queue holds too many."""
    limit = sk.sk_sndbuf + 2 * SKB_TRUESIZE(65536)
    rtx = sk.tcp_rtx_queue
    if sk.sk_wmem_queued >> 1 > limit and tcp_queue != TCP_FRAG_IN_WRITE_QUEUE and skb not in (rtx[0], rtx[-1]):
        sk.skc_net.mib.net_statistics[LINUX_MIB_TCPWQUEUETOOBIG] += 1
        raise KernelError(ENOMEM)
    old_factor: int = skb.cb.tcp_gso_segs  # type: ignore[attr-defined]
    buff = _split(sk, skb, length, mss_now)
    cb: tcp_skb_cb = skb.cb  # type: ignore[assignment]
    new: tcp_skb_cb = buff.cb  # type: ignore[assignment]
    if not before(sk.snd_nxt, new.end_seq):
        diff = old_factor - cb.tcp_gso_segs - new.tcp_gso_segs
        if diff:
            tcp_adjust_pcount(sk, skb, diff)
    if tcp_queue == TCP_FRAG_IN_RTX_QUEUE:
        tcp_input_data.tcp_rbtree_insert(rtx, buff)
    else:
        __skb_queue_after(sk.sk_write_queue, skb, buff)


def tso_fragment(sk: tcp_sock, skb: sk_buff, length: int, mss_now: int) -> None:
    """Cut a packet of the write queue in two."""
    __skb_queue_after(sk.sk_write_queue, skb, _split(sk, skb, length, mss_now))


def tcp_trim_head(sk: tcp_sock, skb: sk_buff, length: int) -> None:
    """Take acknowledged bytes off the front of a sent packet."""
    skb.data = skb.data[length:]
    skb.len -= length
    skb.truesize -= length
    sk.sk_wmem_queued -= length
    sk.sk_forward_alloc += length
    cb: tcp_skb_cb = skb.cb  # type: ignore[assignment]
    cb.seq = cb.seq + length & U32
    if cb.tcp_gso_segs > 1:
        tcp_set_skb_tso_segs(skb, cb.tcp_gso_size)


def tcp_mss_split_point(sk: tcp_sock, skb: sk_buff, mss_now: int, max_segs: int, nonagle: int) -> int:
    """Bytes of a packet to send now: whole segments, the window's worth; the rest as Nagle says."""
    window: int = sk.snd_una + sk.snd_wnd - skb.cb.seq & U32  # type: ignore[attr-defined]
    max_len = mss_now * max_segs
    if max_len <= window and skb.next is not None:
        return max_len
    needed = min(skb.len, window)
    if max_len <= needed:
        return max_len
    partial = needed % mss_now
    if tcp_output.tcp_nagle_check(partial != 0, sk, nonagle):
        return needed - partial
    return needed


def tcp_tso_should_defer(sk: tcp_sock, skb: sk_buff, max_segs: int) -> str | None:
    """What a GSO packet had better wait for (a larger window), None to send it now."""
    if sk.icsk_ca_state >= TCP_CA_Recovery or sk.tcp_clock_cache - sk.tcp_wstamp_ns - 1_000_000 > 0:
        return None
    send_win = sk.snd_una + sk.snd_wnd - skb.cb.seq & U32  # type: ignore[attr-defined]
    cong_win = (sk.snd_cwnd - tcp_packets_in_flight(sk)) * sk.mss_cache
    limit = min(send_win, cong_win)
    if limit >= max_segs * sk.mss_cache or (skb.next is not None and limit >= skb.len):
        return None
    win_divisor = sk.skc_net.ipv4.sysctl_tcp_tso_win_divisor
    if win_divisor:
        if limit >= min(sk.snd_wnd, sk.snd_cwnd * sk.mss_cache) // win_divisor:
            return None
    elif limit > 3 * sk.mss_cache:
        return None
    if not sk.tcp_rtx_queue:
        return None
    srtt_in_ns = (1000 >> 3) * sk.srtt_us
    how_far_is_the_ack = sk.tcp_rtx_queue[0].tstamp + srtt_in_ns - sk.tcp_clock_cache
    if how_far_is_the_ack - min(srtt_in_ns >> 1, 1_000_000) > 0:
        return None
    if cong_win < send_win:
        if cong_win <= skb.len:
            return "defer_cwnd"
    elif send_win <= skb.len:
        return "rwnd"
    if skb.cb.tcp_flags & TCPHDR_FIN or skb.cb.eor:  # type: ignore[attr-defined]
        return None
    return "defer"
