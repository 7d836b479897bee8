"""The send queue of TCP: when to send what (net/ipv4/tcp_output.c).

Siblings: tcp_output_xmit (one segment), tcp_output_options, tcp_output_mss (MSS, windows), tcp_output_segs (cutting
packets), tcp_output_retransmit, tcp_output_syn (handshake), tcp_output_ack (ACKs, probes, FIN, RST).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.tcp import TCP_CA_CWR, TCP_CLOSE, TCPF_CLOSE_WAIT, TCPF_ESTABLISHED
from kshell.linux.include.linux.skbuff import __skb_queue_tail, __skb_unlink
from kshell.linux.include.linux.snmp import LINUX_MIB_TCPORIGDATASENT
from kshell.linux.include.linux.tcp import TSQF_THROTTLED
from kshell.linux.include.net.inet_connection_sock import ICSK_TIME_LOSS_PROBE, ICSK_TIME_PROBE0
from kshell.linux.include.net.sock import SK_PACING_NEEDED
from kshell.linux.include.net.tcp import (
    CA_EVENT_CWND_RESTART,
    TCP_CHRONO_BUSY,
    TCP_CHRONO_RWND_LIMITED,
    TCP_CHRONO_SNDBUF_LIMITED,
    TCP_CHRONO_UNSPEC,
    TCP_NAGLE_CORK,
    TCP_NAGLE_PUSH,
    TCP_RTO_MAX,
    TCP_RTO_MIN,
    TCP_TIMEOUT_INIT,
    TCP_TIMEOUT_MIN_US,
    TCPCB_REPAIRED,
    TCPHDR_FIN,
    U32,
    TCP_CA_Open,
    _s32,
    after,
    tcp_current_ssthresh,
    tcp_in_cwnd_reduction,
    tcp_is_cwnd_limited,
    tcp_packets_in_flight,
    tcp_skb_cb,
)
from kshell.linux.kernel.softirq import TASKLET_SOFTIRQ, raise_softirq
from kshell.linux.kernel.time.hrtimer import hrtimer_active, hrtimer_start
from kshell.linux.net.ipv4 import tcp_input_data, tcp_input_rtt, tcp_input_timer, tcp_output_segs
from kshell.linux.net.ipv4.inet_connection_sock import inet_csk_reset_xmit_timer
from kshell.linux.net.ipv4.tcp_output_mss import tcp_current_mss
from kshell.linux.net.ipv4.tcp_output_xmit import _mstamp_refresh, tcp_tasklet_func

if TYPE_CHECKING:
    from kshell.linux.include.linux.skbuff import sk_buff
    from kshell.linux.include.linux.tcp import tcp_sock
    from kshell.linux.init.kernel import Kernel

TCP_REPAIR_SEND_QUEUE = 2


def _tasklet_schedule(kernel: Kernel) -> None:
    raise_softirq(kernel, TASKLET_SOFTIRQ)


def _tasklet_action(kernel: Kernel) -> None:
    waiting, kernel.tsq_tasklet = kernel.tsq_tasklet, []
    for sk in waiting:
        tcp_tasklet_func(sk)


def tcp_event_new_data_sent(sk: tcp_sock, skb: sk_buff) -> None:
    """A packet left: from the write queue to the retransmit queue; the timer runs."""
    prior_packets = sk.packets_out
    cb: tcp_skb_cb = skb.cb  # type: ignore[assignment]
    sk.snd_nxt = cb.end_seq
    __skb_unlink(skb, sk.sk_write_queue)
    tcp_input_data.tcp_rbtree_insert(sk.tcp_rtx_queue, skb)
    if sk.sacked_out and sk.highest_sack is None:
        sk.highest_sack = skb
    sk.packets_out = prior_packets + cb.tcp_gso_segs
    if not prior_packets or sk.icsk_pending == ICSK_TIME_LOSS_PROBE:
        tcp_input_timer.tcp_rearm_rto(sk)
    sk.skc_net.mib.net_statistics[LINUX_MIB_TCPORIGDATASENT] += cb.tcp_gso_segs
    tcp_input_data.tcp_check_space(sk)


def tcp_cwnd_restart(sk: tcp_sock, delta: int) -> None:
    """After `delta` idle jiffies, halve the window for each RTO, down to the initial one."""
    restart_cwnd = tcp_input_rtt.tcp_init_cwnd(sk, sk.sk_dst_cache)
    cwnd = sk.snd_cwnd
    cwnd_event = sk.icsk_ca_ops.cwnd_event
    if cwnd_event is not None:
        cwnd_event(sk, CA_EVENT_CWND_RESTART)
    sk.snd_ssthresh = tcp_current_ssthresh(sk)
    restart_cwnd = min(restart_cwnd, cwnd)
    delta -= sk.icsk_rto
    while delta > 0 and cwnd > restart_cwnd:
        cwnd >>= 1
        delta -= sk.icsk_rto
    sk.snd_cwnd = max(cwnd, restart_cwnd)
    sk.snd_cwnd_stamp = sk.skc_net.kernel.jiffies & U32
    sk.snd_cwnd_used = 0


def tcp_slow_start_after_idle_check(sk: tcp_sock) -> None:
    """Restart slow start when nothing was sent for an RTO."""
    if sk.packets_out or sk.icsk_ca_ops.cong_control is not None:
        return
    net = sk.skc_net
    delta = _s32(net.kernel.jiffies - sk.lsndtime)
    if delta > sk.icsk_rto and net.ipv4.sysctl_tcp_slow_start_after_idle:
        tcp_cwnd_restart(sk, delta)


def tcp_queue_skb(sk: tcp_sock, skb: sk_buff) -> None:
    """Append a packet to the write queue and charge the socket."""
    sk.write_seq = skb.cb.end_seq  # type: ignore[attr-defined]
    __skb_queue_tail(sk.sk_write_queue, skb)
    if sk.sk_write_queue.next is skb:
        _chrono_start(sk, TCP_CHRONO_BUSY)
    sk.sk_wmem_queued += skb.truesize
    sk.sk_forward_alloc -= skb.truesize


def tcp_add_write_queue_tail(sk: tcp_sock, skb: sk_buff) -> None:
    """Append a packet to the write queue; the first one starts the busy clock."""
    __skb_queue_tail(sk.sk_write_queue, skb)
    if sk.sk_write_queue.next is skb:
        tcp_chrono_start(sk, TCP_CHRONO_BUSY)


def tcp_cwnd_application_limited(sk: tcp_sock) -> None:
    """The application did not fill the window for an RTO: bring it towards what was used."""
    socket = sk.sk_socket
    if sk.icsk_ca_state == TCP_CA_Open and socket is not None and not socket.flags >> 2 & 1:
        win_used = max(sk.snd_cwnd_used, tcp_input_rtt.tcp_init_cwnd(sk, sk.sk_dst_cache))
        if win_used < sk.snd_cwnd:
            sk.snd_ssthresh = tcp_current_ssthresh(sk)
            sk.snd_cwnd = sk.snd_cwnd + win_used >> 1
        sk.snd_cwnd_used = 0
    sk.snd_cwnd_stamp = sk.skc_net.kernel.jiffies & U32


def _cwnd_validate(sk: tcp_sock, is_cwnd_limited: bool) -> None:
    """Note whether the congestion window was the limit of what was just sent."""
    if (
        not (sk.snd_una - sk.cwnd_usage_seq) & 0x80000000
        or is_cwnd_limited
        or (not sk.is_cwnd_limited and sk.packets_out > sk.max_packets_out)
    ):
        sk.is_cwnd_limited = int(is_cwnd_limited)
        sk.max_packets_out = sk.packets_out
        sk.cwnd_usage_seq = sk.snd_nxt
    net = sk.skc_net
    now = net.kernel.jiffies & U32
    if tcp_is_cwnd_limited(sk):
        sk.snd_cwnd_used = 0
        sk.snd_cwnd_stamp = now
        return
    if sk.packets_out > sk.snd_cwnd_used:
        sk.snd_cwnd_used = sk.packets_out
    if (
        net.ipv4.sysctl_tcp_slow_start_after_idle
        and _s32(now - sk.snd_cwnd_stamp) >= sk.icsk_rto
        and sk.icsk_ca_ops.cong_control is None
    ):
        tcp_cwnd_application_limited(sk)
    socket = sk.sk_socket
    if (
        sk.write_seq == sk.snd_nxt
        and socket is not None
        and socket.flags >> 2 & 1  # SOCK_NOSPACE
        and (TCPF_ESTABLISHED | TCPF_CLOSE_WAIT) >> sk.skc_state & 1
    ):
        _chrono_start(sk, TCP_CHRONO_SNDBUF_LIMITED)


def tcp_minshall_check(tp: tcp_sock) -> bool:
    """True while a small segment is not acknowledged."""
    return after(tp.snd_sml, tp.snd_una) and not after(tp.snd_sml, tp.snd_nxt)


def tcp_nagle_check(partial: bool, tp: tcp_sock, nonagle: int) -> bool:
    """True when a partial segment has to wait: corked, or by Nagle while a small one is out."""
    return partial and bool(
        nonagle & TCP_NAGLE_CORK or (not nonagle and tp.packets_out and tcp_minshall_check(tp))
    )


def tcp_nagle_test(tp: tcp_sock, skb: sk_buff, cur_mss: int, nonagle: int) -> bool:
    """True when the segment may go."""
    if nonagle & TCP_NAGLE_PUSH:
        return True
    if tp.snd_una != tp.snd_up or skb.cb.tcp_flags & TCPHDR_FIN:  # type: ignore[attr-defined]
        return True
    return not tcp_nagle_check(skb.len < cur_mss, tp, nonagle)


def tcp_tso_autosize(sk: tcp_sock, mss_now: int, min_tso_segs: int) -> int:
    """Segments worth about 1 ms at the pacing rate, more on a path with a small RTT."""
    size = sk.sk_pacing_rate >> sk.sk_pacing_shift
    gso_max_size = sk.sk_gso_max_size
    r = sk.rtt_min.s[0][1] >> sk.skc_net.ipv4.sysctl_tcp_tso_rtt_log
    if r < 32:
        size += gso_max_size >> r
    return max(min(size, gso_max_size) // mss_now, min_tso_segs)


def tcp_tso_segs(sk: tcp_sock, mss_now: int) -> int:
    """The most segments that may leave as one GSO packet."""
    min_tso_segs = sk.icsk_ca_ops.min_tso_segs
    min_tso: int = sk.skc_net.ipv4.sysctl_tcp_min_tso_segs if min_tso_segs is None else min_tso_segs(sk)
    return min(tcp_tso_autosize(sk, mss_now, min_tso), sk.sk_gso_max_segs)


def tcp_cwnd_test(tp: tcp_sock, skb: sk_buff) -> int:
    """Segments that the congestion window still allows, at most half of it at once."""
    cb: tcp_skb_cb = skb.cb  # type: ignore[assignment]
    if cb.tcp_flags & TCPHDR_FIN and cb.tcp_gso_segs == 1:
        return 1
    in_flight = tcp_packets_in_flight(tp)
    cwnd = tp.snd_cwnd
    if in_flight >= cwnd:
        return 0
    return min(max(cwnd >> 1, 1), cwnd - in_flight)


def tcp_snd_wnd_test(tp: tcp_sock, skb: sk_buff, cur_mss: int) -> bool:
    """True when at least the packet's first segment fits the peer's window."""
    cb: tcp_skb_cb = skb.cb  # type: ignore[assignment]
    end_seq = cb.seq + cur_mss if skb.len > cur_mss else cb.end_seq
    return not after(end_seq, tp.snd_una + tp.snd_wnd)


def tcp_pacing_check(sk: tcp_sock) -> bool:
    """True when TCP paces itself and the next segment must wait."""
    if sk.sk_pacing_status != SK_PACING_NEEDED or sk.tcp_wstamp_ns <= sk.tcp_clock_cache:
        return False
    timer = tcp_output_segs._pacing_timer(sk)
    if not hrtimer_active(timer):
        hrtimer_start(sk.skc_net.kernel, timer, sk.tcp_wstamp_ns)
        sk.skc_refcnt += 1
    return True


def tcp_small_queue_check(sk: tcp_sock, skb: sk_buff, factor: int) -> bool:
    """True when enough of this socket lies in queues below already."""
    limit = max(2 * skb.truesize, sk.sk_pacing_rate >> sk.sk_pacing_shift)
    if not sk.sk_pacing_status:
        limit = min(limit, sk.skc_net.ipv4.sysctl_tcp_limit_output_bytes)
    if sk.sk_wmem_alloc > limit << factor:
        if len(sk.tcp_rtx_queue) <= 1:
            return False
        sk.sk_tsq_flags |= TSQF_THROTTLED
        return True
    return False


def tcp_chrono_set(tp: tcp_sock, new: int) -> None:
    """Account the time since the last change to what limited the sender then."""
    now = tp.skc_net.kernel.jiffies & U32
    old = tp.chrono_type
    if old > TCP_CHRONO_UNSPEC:
        tp.chrono_stat[old - 1] += now - tp.chrono_start & U32
    tp.chrono_start = now
    tp.chrono_type = new


def tcp_chrono_start(sk: tcp_sock, kind: int) -> None:
    """TCP_CHRONO_*: from now on this limits the sender, unless something weightier does."""
    _chrono_start(sk, kind)


def _chrono_start(sk: tcp_sock, kind: int) -> None:
    """The same where the compiler inlined it."""
    if kind > sk.chrono_type:
        tcp_chrono_set(sk, kind)


def tcp_chrono_stop(sk: tcp_sock, kind: int) -> None:
    """That no longer limits the sender; with all queues empty nothing does."""
    if not sk.tcp_rtx_queue and sk.write_seq == sk.snd_nxt:
        if sk.chrono_type:
            tcp_chrono_set(sk, TCP_CHRONO_UNSPEC)
    elif kind == sk.chrono_type:
        tcp_chrono_set(sk, TCP_CHRONO_BUSY)


def _may_send(sk: tcp_sock, skb: sk_buff, mss_now: int, nonagle: int, push_one: int, max_segs: int) -> str | None:
    """None when the packet (cut to what is allowed) may go, else what holds it back."""
    cb: tcp_skb_cb = skb.cb  # type: ignore[assignment]
    tso_segs = tcp_output_segs.tcp_init_tso_segs(skb, mss_now)
    cwnd_quota = tcp_cwnd_test(sk, skb)
    if not cwnd_quota:
        if push_one != 2:
            return "cwnd"
        cwnd_quota = 1
    if not tcp_snd_wnd_test(sk, skb, mss_now):
        return "rwnd"
    limit = mss_now
    if tso_segs == 1:
        if not tcp_nagle_test(sk, skb, mss_now, nonagle if skb.next is None else TCP_NAGLE_PUSH):
            return "nagle"
    else:
        if not push_one:
            held = tcp_output_segs.tcp_tso_should_defer(sk, skb, max_segs)
            if held is not None:
                return held
        if sk.snd_una == sk.snd_up:
            limit = tcp_output_segs.tcp_mss_split_point(sk, skb, mss_now, min(cwnd_quota, max_segs), nonagle)
    if skb.len > limit:
        tcp_output_segs.tso_fragment(sk, skb, limit, mss_now)
    if tcp_small_queue_check(sk, skb, 0):
        return "tsq"
    return "empty" if cb.end_seq == cb.seq else None


def tcp_write_xmit(sk: tcp_sock, mss_now: int, nonagle: int, push_one: int) -> bool:
    """Send what the windows, Nagle and the queues below allow; True when the peer's closed window needs a probe.

    push_one: 1 sends at most one packet, 2 a loss probe whatever the congestion window says.
    """
    sent_pkts = 0
    is_cwnd_limited = is_rwnd_limited = False
    _mstamp_refresh(sk)
    max_segs = tcp_tso_segs(sk, mss_now)
    queue = sk.sk_write_queue
    while (skb := queue.next) is not None:
        cb: tcp_skb_cb = skb.cb  # type: ignore[assignment]
        if sk.repair and sk.repair_queue == TCP_REPAIR_SEND_QUEUE:
            skb.tstamp = sk.tcp_wstamp_ns = sk.tcp_clock_cache
            tcp_output_segs.tcp_init_tso_segs(skb, mss_now)
            cb.sacked |= TCPCB_REPAIRED
        else:
            if sk.sk_pacing_status and tcp_pacing_check(sk):
                break
            held = _may_send(sk, skb, mss_now, nonagle, push_one, max_segs)
            if held is not None:
                is_rwnd_limited |= held == "rwnd"
                is_cwnd_limited |= held == "defer_cwnd"
                break
            if not tcp_output_segs._transmitted(sk, skb):
                break
        tcp_event_new_data_sent(sk, skb)
        if skb.len < cb.tcp_gso_segs * mss_now:
            sk.snd_sml = cb.end_seq
        sent_pkts += cb.tcp_gso_segs
        if push_one:
            break
    if is_rwnd_limited:
        _chrono_start(sk, TCP_CHRONO_RWND_LIMITED)
    else:
        tcp_chrono_stop(sk, TCP_CHRONO_RWND_LIMITED)
    is_cwnd_limited |= tcp_packets_in_flight(sk) >= sk.snd_cwnd
    if sent_pkts or is_cwnd_limited:
        _cwnd_validate(sk, is_cwnd_limited)
    if sent_pkts:
        if sk.icsk_ca_state and tcp_in_cwnd_reduction(sk):
            sk.prr_out += sent_pkts
        if push_one != 2:
            tcp_schedule_loss_probe(sk, False)
        return False
    return not sk.packets_out and sk.write_seq != sk.snd_nxt


def tcp_schedule_loss_probe(sk: tcp_sock, advancing_rto: bool) -> bool:
    """Have a probe sent two RTTs after the last segment, before the RTO; False when the RTO shall run."""
    if sk.fastopen_rsk is not None:
        return False
    if (
        sk.skc_net.ipv4.sysctl_tcp_early_retrans not in (3, 4)
        or not sk.packets_out
        or not sk.rx_opt.sack_ok
        or sk.icsk_ca_state not in (TCP_CA_Open, TCP_CA_CWR)
    ):
        return False
    if sk.srtt_us:
        timeout_us = (sk.srtt_us >> 2) + (sk.icsk_rto_min * 4000 if sk.packets_out == 1 else TCP_TIMEOUT_MIN_US)
        timeout = (timeout_us + 3999) // 4000
    else:
        timeout = TCP_TIMEOUT_INIT
    rto_delta_us = sk.icsk_rto * 4000 if advancing_rto else tcp_input_timer.tcp_rto_delta_us(sk)
    if rto_delta_us > 0:
        timeout = min(timeout, (rto_delta_us + 3999) // 4000)
    tcp_reset_xmit_timer(sk, ICSK_TIME_LOSS_PROBE, timeout, TCP_RTO_MAX)
    return True


def tcp_reset_xmit_timer(sk: tcp_sock, what: int, when: int, max_when: int) -> None:
    """Arm the retransmission timer, later by what pacing holds back."""
    if sk.sk_pacing_status:
        delay = sk.tcp_wstamp_ns - sk.tcp_clock_cache
        when += delay // 4_000_000 if delay > 0 else 0
    inet_csk_reset_xmit_timer(sk, what, when, max_when)


def __tcp_push_pending_frames(sk: tcp_sock, cur_mss: int, nonagle: int) -> None:
    """Send what may be sent; with a closed window and nothing in flight, probe it later."""
    if sk.skc_state == TCP_CLOSE:
        return
    if tcp_write_xmit(sk, cur_mss, nonagle, 0):
        tcp_check_probe_timer(sk)


def tcp_check_probe_timer(sk: tcp_sock) -> None:
    """Start the window probe timer when no other runs."""
    if not sk.packets_out and not sk.icsk_pending:
        tcp_reset_xmit_timer(sk, ICSK_TIME_PROBE0, max(sk.icsk_rto, TCP_RTO_MIN), TCP_RTO_MAX)


def tcp_push_one(sk: tcp_sock, mss_now: int) -> None:
    """Send the first packet of the write queue, which is a full one."""
    tcp_write_xmit(sk, mss_now, TCP_NAGLE_PUSH, 1)


def tcp_push_pending_frames(sk: tcp_sock) -> None:
    """Send what may be sent, if anything waits."""
    if sk.sk_write_queue.next is not None:
        __tcp_push_pending_frames(sk, tcp_current_mss(sk), sk.nonagle)


def sk_forced_mem_schedule(sk: tcp_sock, size: int) -> None:
    """Make sure that `size` bytes can be charged, whatever the limits say."""
    delta = size - sk.sk_forward_alloc
    if delta > 0:
        pages = delta + 4095 >> 12
        sk.sk_forward_alloc += pages << 12
        sk.skc_net.kernel.tcp_memory_allocated += pages

