"""What a receiver and a sender measure: RTTs, MSS, buffer and window sizes (part of net/ipv4/tcp_input.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.rtnetlink import RTAX_INITCWND, RTAX_QUICKACK
from kshell.abi.socket import SOCK_RCVBUF_LOCK, SOCK_SNDBUF_LOCK
from kshell.abi.tcp import TCP_MSS_DEFAULT
from kshell.linux.include.linux.jiffies import HZ
from kshell.linux.include.linux.skbuff import SKB_OBJ_SIZE, SKB_SHINFO_SIZE, SKB_TRUESIZE
from kshell.linux.include.net.inet_connection_sock import ICSK_ACK_PUSHED, ICSK_ACK_PUSHED2, ICSK_ACK_SCHED
from kshell.linux.include.net.tcp import (
    MAX_TCP_HEADER,
    TCP_ATO_MIN,
    TCP_INIT_CWND,
    TCP_MAX_QUICKACKS,
    TCP_MIN_MSS,
    TCP_RTO_MAX,
    TCPHDR_FIN,
    TCPHDR_PSH,
    TCPHDR_SYN,
    TCPHDR_URG,
    U32,
    after,
    before,
    rate_sample,
    tcp_skb_cb,
)
from kshell.linux.include.net.tcp_window import tcp_full_space, tcp_space, tcp_win_from_space
from kshell.linux.lib.win_minmax import minmax_running_min
from kshell.linux.net.ipv4.tcp_input_flags import FLAG_ACK_MAYBE_DELAYED, FLAG_ACKED, FLAG_SYN_ACKED
from kshell.linux.net.ipv4.tcp_output_mss import tcp_adjust_rcv_ssthresh
from kshell.linux.net.ipv4.tcp_output_xmit import tcp_mstamp_refresh

if TYPE_CHECKING:
    from kshell.linux.include.linux.skbuff import sk_buff
    from kshell.linux.include.linux.tcp import tcp_request_sock, tcp_sock
    from kshell.linux.include.linux.tcp_header import tcphdr
    from kshell.linux.include.net.dst import dst_entry


_REMNANT = TCPHDR_FIN | TCPHDR_URG | TCPHDR_SYN | TCPHDR_PSH
_INT_MAX_MS = 0x7FFFFFFF // 1000


def tcp_measure_rcv_mss(sk: tcp_sock, skb: sk_buff) -> None:
    """Guess the peer's segment size, for delayed ACKs and window updates."""
    ack = sk.icsk_ack
    cb: tcp_skb_cb = skb.cb  # type: ignore[assignment]
    lss = ack.last_seg_size
    ack.last_seg_size = 0
    shinfo = skb._shinfo
    length = (shinfo.gso_size if shinfo is not None else 0) or skb.len
    if length >= ack.rcv_mss:
        ack.rcv_mss = min(length, sk.advmss)
        if cb.tcp_flags & TCPHDR_PSH:
            ack.pending |= ICSK_ACK_PUSHED
        return
    th: tcphdr = skb.transport_header  # type: ignore[assignment]
    length += th.doff << 2
    if length >= TCP_MSS_DEFAULT + 20 or (length >= TCP_MIN_MSS + 20 and not th._flags & _REMNANT):
        length -= sk.tcp_header_len
        ack.last_seg_size = length
        if length == lss:
            ack.rcv_mss = length
            return
    if ack.pending & ICSK_ACK_PUSHED:
        ack.pending |= ICSK_ACK_PUSHED2
    ack.pending |= ICSK_ACK_PUSHED


def tcp_incr_quickack(sk: tcp_sock, max_quickacks: int) -> None:
    """Acknowledge the next segments at once."""
    quickacks = min(sk.rcv_wnd // (2 * sk.icsk_ack.rcv_mss) or 2, max_quickacks)
    if quickacks > sk.icsk_ack.quick:
        sk.icsk_ack.quick = quickacks


def tcp_enter_quickack_mode(sk: tcp_sock, max_quickacks: int) -> None:
    """Acknowledge the next segments at once and no longer wait for replies to ride on."""
    tcp_incr_quickack(sk, max_quickacks)
    sk.icsk_ack.pingpong = 0
    sk.icsk_ack.ato = TCP_ATO_MIN


def tcp_in_quickack_mode(sk: tcp_sock) -> bool:
    """True when every segment is acknowledged at once."""
    ack = sk.icsk_ack
    if ack.quick and not ack.pingpong:
        return True
    dst = sk.sk_dst_cache
    return dst is not None and dst._metrics is not None and bool(dst._metrics.get(RTAX_QUICKACK))


def tcp_sndbuf_expand(sk: tcp_sock) -> None:
    """Grow the send buffer to twice the congestion window."""
    per_mss = max(sk.rx_opt.mss_clamp, sk.mss_cache) + MAX_TCP_HEADER + SKB_SHINFO_SIZE
    per_mss = (1 << (per_mss - 1).bit_length()) + SKB_OBJ_SIZE
    nr_segs = max(TCP_INIT_CWND, sk.snd_cwnd, sk.reordering + 1)
    expand = sk.icsk_ca_ops.sndbuf_expand
    sndmem = (2 if expand is None else expand(sk)) * nr_segs * per_mss
    if sk.sk_sndbuf < sndmem:
        sk.sk_sndbuf = min(sndmem, sk.skc_net.ipv4.sysctl_tcp_wmem[2])


def __tcp_grow_window(sk: tcp_sock, skb: sk_buff, skbtruesize: int) -> int:
    truesize = tcp_win_from_space(sk, skbtruesize) >> 1
    window = tcp_win_from_space(sk, sk.skc_net.ipv4.sysctl_tcp_rmem[2]) >> 1
    while sk.rcv_ssthresh <= window:
        if truesize <= skb.len:
            return 2 * sk.icsk_ack.rcv_mss
        truesize >>= 1
        window >>= 1
    return 0


def tcp_grow_window(sk: tcp_sock, skb: sk_buff, adjust: bool) -> None:
    """Offer a larger window when segments use their memory well."""
    room = min(sk.window_clamp, tcp_space(sk)) - sk.rcv_ssthresh
    if room <= 0:
        return
    if sk.skc_net.kernel.tcp_memory_pressure:
        tcp_adjust_rcv_ssthresh(sk, 4 * sk.advmss)
        return
    truesize = skb.truesize
    if adjust and truesize - SKB_TRUESIZE(704) >= skb.len:
        truesize -= SKB_TRUESIZE(704)
    incr = 2 * sk.advmss if tcp_win_from_space(sk, truesize) <= skb.len else __tcp_grow_window(sk, skb, truesize)
    if incr:
        sk.rcv_ssthresh += min(room, max(incr, 2 * skb.len))
        sk.icsk_ack.quick |= 1


def tcp_init_buffer_space(sk: tcp_sock) -> None:
    """Size the buffers once the connection stands."""
    if not sk.sk_userlocks & SOCK_SNDBUF_LOCK:
        tcp_sndbuf_expand(sk)
    tcp_mstamp_refresh(sk)
    rcvq = sk.rcvq_space
    rcvq.time = sk.tcp_mstamp
    rcvq.seq = sk.copied_seq
    tcp_app_win = sk.skc_net.ipv4.sysctl_tcp_app_win
    maxwin = tcp_full_space(sk)
    advmss = sk.advmss
    if sk.window_clamp >= maxwin:
        sk.window_clamp = maxwin
        if tcp_app_win and maxwin > 4 * advmss:
            sk.window_clamp = max(maxwin - (maxwin >> tcp_app_win), 4 * advmss)
    if tcp_app_win and sk.window_clamp > 2 * advmss and sk.window_clamp + advmss > maxwin:
        sk.window_clamp = max(2 * advmss, maxwin - advmss)
    sk.rcv_ssthresh = min(sk.rcv_ssthresh, sk.window_clamp)
    sk.snd_cwnd_stamp = sk.skc_net.kernel.jiffies & U32
    rcvq.space = min(sk.rcv_ssthresh, sk.rcv_wnd, TCP_INIT_CWND * advmss)


def tcp_clamp_window(sk: tcp_sock) -> None:
    """The receive buffer is over-full: raise it while memory is no issue, offer less."""
    sk.icsk_ack.quick = 0
    net = sk.skc_net
    kernel = net.kernel
    rmem2 = net.ipv4.sysctl_tcp_rmem[2]
    if (
        sk.sk_rcvbuf < rmem2
        and not sk.sk_userlocks & SOCK_RCVBUF_LOCK
        and not kernel.tcp_memory_pressure
        and kernel.tcp_memory_allocated < kernel.sysctl_tcp_mem[0]
    ):
        sk.sk_rcvbuf = min(sk.sk_rmem_alloc, rmem2)
    if sk.sk_rmem_alloc > sk.sk_rcvbuf:
        sk.rcv_ssthresh = min(sk.window_clamp, 2 * sk.advmss)


def tcp_initialize_rcv_mss(sk: tcp_sock) -> None:
    """A careful first guess of the peer's segment size."""
    hint = min(sk.advmss, sk.mss_cache, sk.rcv_wnd // 2, TCP_MSS_DEFAULT)
    sk.icsk_ack.rcv_mss = max(hint, TCP_MIN_MSS)


def tcp_rcv_rtt_update(tp: tcp_sock, sample: int, win_dep: bool) -> None:
    """Smooth the receiver's RTT (µs << 3); a sample that depends on the window only bounds it from above."""
    est = tp.rcv_rtt_est
    old = est.rtt_us
    m = sample << 3
    if old == 0 or m < old:
        est.rtt_us = m
    elif not win_dep:
        est.rtt_us = old - (old >> 3) + sample


def tcp_rcv_rtt_measure(tp: tcp_sock) -> None:
    """Receiver RTT without timestamps: the time that a window full of data takes."""
    est = tp.rcv_rtt_est
    if est.time:
        if before(tp.rcv_nxt, est.seq):
            return
        tcp_rcv_rtt_update(tp, max(tp.tcp_mstamp - est.time, 1), True)
    est.seq = tp.rcv_nxt + tp.rcv_wnd & U32
    est.time = tp.tcp_mstamp


def tcp_rcv_rtt_measure_ts(sk: tcp_sock, skb: sk_buff) -> None:
    """Receiver RTT from the timestamp that a full segment echoes."""
    tsecr = sk.rx_opt.rcv_tsecr
    if tsecr == sk.rcv_rtt_last_tsecr:
        return
    sk.rcv_rtt_last_tsecr = tsecr
    cb: tcp_skb_cb = skb.cb  # type: ignore[assignment]
    if cb.end_seq - cb.seq & U32 >= sk.icsk_ack.rcv_mss:
        delta = sk.tcp_mstamp // 1000 - tsecr & U32
        if delta < _INT_MAX_MS:
            tcp_rcv_rtt_update(sk, (delta or 1) * 1000, False)


def tcp_rcv_space_adjust(sk: tcp_sock) -> None:
    """Once per RTT: grow the receive buffer to what the application read in one, doubled and more."""
    tcp_mstamp_refresh(sk)
    rcvq = sk.rcvq_space
    rtt = sk.rcv_rtt_est.rtt_us
    if rtt == 0 or sk.tcp_mstamp - rcvq.time < rtt >> 3:
        return
    copied = sk.copied_seq - rcvq.seq & U32
    if copied > rcvq.space:
        ipv4 = sk.skc_net.ipv4
        if ipv4.sysctl_tcp_moderate_rcvbuf and not sk.sk_userlocks & SOCK_RCVBUF_LOCK:
            advmss = sk.advmss
            rcvwin = (copied << 1) + 16 * advmss
            rcvwin += rcvwin * (copied - rcvq.space) // rcvq.space << 1
            rcvmem = SKB_TRUESIZE(advmss + MAX_TCP_HEADER)
            while tcp_win_from_space(sk, rcvmem) < advmss:
                rcvmem += 128
            rcvbuf = min(rcvwin // advmss * rcvmem, ipv4.sysctl_tcp_rmem[2])
            if rcvbuf > sk.sk_rcvbuf:
                sk.sk_rcvbuf = rcvbuf
                sk.window_clamp = tcp_win_from_space(sk, rcvbuf)
        rcvq.space = copied
    rcvq.seq = sk.copied_seq
    rcvq.time = sk.tcp_mstamp


def tcp_event_data_recv(sk: tcp_sock, skb: sk_buff) -> None:
    """Data came: an ACK is owed; adapt the delayed ACK timeout to the rhythm of arrival."""
    ack = sk.icsk_ack
    ack.pending |= ICSK_ACK_SCHED
    tcp_measure_rcv_mss(sk, skb)
    tcp_rcv_rtt_measure(sk)
    now = sk.skc_net.kernel.jiffies & U32
    if not ack.ato:
        tcp_incr_quickack(sk, TCP_MAX_QUICKACKS)
        ack.ato = TCP_ATO_MIN
    else:
        m = now - ack.lrcvtime & U32
        if m <= TCP_ATO_MIN // 2:
            ack.ato = (ack.ato >> 1) + TCP_ATO_MIN // 2
        elif m < ack.ato:
            ack.ato = min((ack.ato >> 1) + m, sk.icsk_rto)
        elif m > sk.icsk_rto:
            tcp_incr_quickack(sk, TCP_MAX_QUICKACKS)
    ack.lrcvtime = now
    if sk.ecn_flags:
        tcp_ecn_check_ce(sk, skb)
    if skb.len >= 128:
        tcp_grow_window(sk, skb, True)


def tcp_ecn_check_ce(sk: tcp_sock, skb: sk_buff) -> None:
    """Note the ECN bits of a data segment's IP header."""
    if not sk.ecn_flags & 1:
        return
    dsfield = skb.cb.ip_dsfield & 3  # type: ignore[attr-defined]
    if dsfield == 0:
        if sk.ecn_flags & 8:
            tcp_enter_quickack_mode(sk, 2)
        return
    if dsfield == 3 and not sk.ecn_flags & 4:
        tcp_enter_quickack_mode(sk, 2)
        sk.ecn_flags |= 4
    sk.ecn_flags |= 8


def tcp_rtt_estimator(sk: tcp_sock, mrtt_us: int) -> None:
    """Smoothed RTT and its deviation (Jacobson), in µs << 3 and µs << 2."""
    m = mrtt_us
    srtt = sk.srtt_us
    rto_min_us = sk.icsk_rto_min * 4000
    if srtt:
        m -= srtt >> 3
        srtt += m
        if m < 0:
            m = -m - (sk.mdev_us >> 2)
            if m > 0:
                m >>= 3
        else:
            m -= sk.mdev_us >> 2
        sk.mdev_us += m
        if sk.mdev_us > sk.mdev_max_us:
            sk.mdev_max_us = sk.mdev_us
            if sk.mdev_max_us > sk.rttvar_us:
                sk.rttvar_us = sk.mdev_max_us
        if after(sk.snd_una, sk.rtt_seq):
            if sk.mdev_max_us < sk.rttvar_us:
                sk.rttvar_us -= sk.rttvar_us - sk.mdev_max_us >> 2
            sk.rtt_seq = sk.snd_nxt
            sk.mdev_max_us = rto_min_us
    else:
        srtt = m << 3
        sk.mdev_us = m << 1
        sk.rttvar_us = sk.mdev_max_us = max(sk.mdev_us, rto_min_us)
        sk.rtt_seq = sk.snd_nxt
    sk.srtt_us = max(1, srtt)


def tcp_update_pacing_rate(sk: tcp_sock) -> None:
    """The pacing rate: 200 % of cwnd / RTT in slow start, 120 % after."""
    ipv4 = sk.skc_net.ipv4
    rate = sk.mss_cache * 80000
    cwnd = sk.snd_cwnd
    rate *= ipv4.sysctl_tcp_pacing_ss_ratio if cwnd < sk.snd_ssthresh // 2 else ipv4.sysctl_tcp_pacing_ca_ratio
    rate *= max(cwnd, sk.packets_out)
    if sk.srtt_us:
        rate //= sk.srtt_us
    sk.sk_pacing_rate = min(rate, sk.sk_max_pacing_rate)


def tcp_set_rto(sk: tcp_sock) -> None:
    """The retransmission timeout from the RTT."""
    sk.icsk_rto = min(((sk.srtt_us >> 3) + sk.rttvar_us + 3999) // 4000, TCP_RTO_MAX)


def tcp_init_cwnd(tp: tcp_sock, dst: dst_entry | None) -> int:
    """The initial congestion window: ten segments, or the route's."""
    return _init_cwnd(tp, dst)


def _init_cwnd(tp: tcp_sock, dst: dst_entry | None) -> int:
    """The same where the compiler inlined it."""
    cwnd = dst._metrics.get(RTAX_INITCWND, 0) if dst is not None and dst._metrics is not None else 0
    return min(cwnd or TCP_INIT_CWND, tp.snd_cwnd_clamp)


def tcp_update_rtt_min(sk: tcp_sock, rtt_us: int, flag: int) -> None:
    """Note the smallest RTT of the last five minutes."""
    if flag & FLAG_ACK_MAYBE_DELAYED and rtt_us > sk.rtt_min.s[0][1]:
        return
    wlen = sk.skc_net.ipv4.sysctl_tcp_min_rtt_wlen * HZ
    minmax_running_min(sk.rtt_min, wlen, sk.skc_net.kernel.jiffies & U32, rtt_us or 4000)


def tcp_ack_update_rtt(
    sk: tcp_sock, flag: int, seq_rtt_us: int, sack_rtt_us: int, ca_rtt_us: int, rs: rate_sample
) -> bool:
    """Take an RTT sample (-1: none; then from timestamps): smooth it, set the RTO. False without one."""
    if seq_rtt_us < 0:
        seq_rtt_us = sack_rtt_us
    rx_opt = sk.rx_opt
    if seq_rtt_us < 0 and rx_opt.saw_tstamp and rx_opt.rcv_tsecr and flag & FLAG_ACKED:
        delta = sk.tcp_mstamp // 1000 - rx_opt.rcv_tsecr & U32
        if delta < _INT_MAX_MS:
            seq_rtt_us = ca_rtt_us = (delta or 1) * 1000
    rs.rtt_us = ca_rtt_us
    if seq_rtt_us < 0:
        return False
    tcp_update_rtt_min(sk, ca_rtt_us, flag)
    tcp_rtt_estimator(sk, seq_rtt_us)
    tcp_set_rto(sk)
    sk.icsk_backoff = 0
    return True


def tcp_synack_rtt_meas(sk: tcp_sock, req: tcp_request_sock | None) -> None:
    """The first RTT sample of a passive connection: from SYN-ACK to ACK."""
    rtt_us = -1
    if req is not None and not req.num_retrans and req.snt_synack:
        kernel = sk.skc_net.kernel
        rtt_us = max((kernel.clock.now - kernel.boot_ns + 1000) // 1000 - req.snt_synack, 0)
    tcp_ack_update_rtt(sk, FLAG_SYN_ACKED, rtt_us, -1, rtt_us, rate_sample())
