"""One segment on its way down: header, queue accounting, hand-over to IP (part of net/ipv4/tcp_output.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.tcp import TCPF_CLOSE_WAIT, TCPF_CLOSING, TCPF_ESTABLISHED, TCPF_FIN_WAIT1, TCPF_LAST_ACK
from kshell.linux.include.linux.skbuff import CHECKSUM_PARTIAL, skb_shinfo
from kshell.linux.include.linux.snmp import LINUX_MIB_TCPACKCOMPRESSED, TCP_MIB_OUTSEGS
from kshell.linux.include.linux.tcp import (
    TCP_DELACK_TIMER_DEFERRED,
    TCP_MTU_REDUCED_DEFERRED,
    TCP_TSQ_DEFERRED,
    TCP_WRITE_TIMER_DEFERRED,
    TCPF_DELACK_TIMER_DEFERRED,
    TCPF_MTU_REDUCED_DEFERRED,
    TCPF_TSQ_DEFERRED,
    TCPF_WRITE_TIMER_DEFERRED,
    TSQF_QUEUED,
    TSQF_THROTTLED,
    tcp_sock,
)
from kshell.linux.include.linux.tcp_header import tcphdr
from kshell.linux.include.net.inet_connection_sock import ICSK_ACK_SCHED, TCP_PINGPONG_THRESH
from kshell.linux.include.net.inet_sock import _cork_of
from kshell.linux.include.net.tcp import (
    CA_EVENT_TX_START,
    TCP_ATO_MIN,
    TCP_ECN_DEMAND_CWR,
    TCP_ECN_OK,
    TCP_ECN_QUEUE_CWR,
    TCPHDR_ACK,
    TCPHDR_CWR,
    TCPHDR_ECE,
    TCPHDR_FIN,
    TCPHDR_PSH,
    TCPHDR_SYN,
    TCPHDR_URG,
    U32,
    after,
    before,
    tcp_packets_in_flight,
    tcp_skb_cb,
)
from kshell.linux.kernel.time.hrtimer import hrtimer_try_to_cancel
from kshell.linux.net.core.skbuff import skb_clone, skb_push
from kshell.linux.net.core.sock import sock_put
from kshell.linux.net.core.sock_free import sk_free
from kshell.linux.net.core.sock_mem import __sock_wfree
from kshell.linux.net.ipv4 import tcp_input_reduce, tcp_output, tcp_output_retransmit, tcp_timer
from kshell.linux.net.ipv4.tcp_output_mss import tcp_current_mss, tcp_select_window
from kshell.linux.net.ipv4.tcp_output_options import (
    bpf_skops_write_hdr_opt,
    tcp_established_options,
    tcp_options_write,
    tcp_out_options,
    tcp_syn_options,
)
from kshell.linux.net.ipv4.tcp_rate import tcp_rate_skb_sent

if TYPE_CHECKING:
    from kshell.linux.include.linux.hrtimer import hrtimer
    from kshell.linux.include.linux.skbuff import sk_buff
    from kshell.linux.include.net.sock import sock

TCP_DEFERRED_ALL = (
    TCPF_TSQ_DEFERRED | TCPF_WRITE_TIMER_DEFERRED | TCPF_DELACK_TIMER_DEFERRED | TCPF_MTU_REDUCED_DEFERRED
)
PURE_ACK_TRUESIZE = 2  # skb_set_tcp_pure_ack(): the mark of a packet that only acknowledges


def tcp_mstamp_refresh(tp: tcp_sock) -> None:
    """Note the time, which one event reads often: tcp_clock_cache in ns, tcp_mstamp in µs."""
    _mstamp_refresh(tp)


def _mstamp_refresh(tp: tcp_sock) -> None:
    """The same where the compiler inlined it, in tcp_output.c."""
    kernel = tp.skc_net.kernel
    val = kernel.clock.now - kernel.boot_ns + 1000  # zero means never
    tp.tcp_clock_cache = val
    tp.tcp_mstamp = val // 1000


def tcp_event_data_sent(tp: tcp_sock) -> None:
    """Data leaves: wake the congestion module up, and note an interactive session."""
    if tcp_packets_in_flight(tp) == 0:
        cwnd_event = tp.icsk_ca_ops.cwnd_event
        if cwnd_event is not None:
            cwnd_event(tp, CA_EVENT_TX_START)
    now = tp.skc_net.kernel.jiffies & U32
    tp.lsndtime = now
    ack = tp.icsk_ack
    if (now - ack.lrcvtime) & U32 < ack.ato:
        ack.pingpong = TCP_PINGPONG_THRESH


def tcp_event_ack_sent(sk: tcp_sock, rcv_nxt: int) -> None:
    """An ACK leaves: nothing is owed any more."""
    if sk.compressed_ack:
        sk.skc_net.mib.net_statistics[LINUX_MIB_TCPACKCOMPRESSED] += sk.compressed_ack
        sk.compressed_ack = 0
        if hrtimer_try_to_cancel(sk.compressed_ack_timer) == 1:
            sk.skc_refcnt -= 1
    if rcv_nxt != sk.rcv_nxt:
        return
    ack = sk.icsk_ack
    if ack.quick:
        pkts = 1 if ack.pending & ICSK_ACK_SCHED else 0
        if pkts >= ack.quick:
            ack.quick = 0
            ack.ato = TCP_ATO_MIN
        else:
            ack.quick -= pkts
    ack.pending = 0
    ack.retry = 0


def tcp_ecn_send(sk: tcp_sock, skb: sk_buff, flags: int, tcp_header_len: int) -> int:
    """ECN bits of a segment: the flags with ECE and CWR added."""
    if skb.len != tcp_header_len and not before(skb.cb.seq, sk.snd_nxt):  # type: ignore[attr-defined]
        sk.tos |= 2  # INET_ECN_xmit()
        if sk.ecn_flags & TCP_ECN_QUEUE_CWR:
            sk.ecn_flags &= ~TCP_ECN_QUEUE_CWR
            flags |= TCPHDR_CWR
    else:
        sk.tos &= ~3  # INET_ECN_dontxmit()
    return flags | TCPHDR_ECE if sk.ecn_flags & TCP_ECN_DEMAND_CWR else flags


def tcp_init_nondata_skb(skb: sk_buff, seq: int, flags: int) -> None:
    """Make a packet a segment without data."""
    skb.ip_summed = CHECKSUM_PARTIAL
    end_seq = seq + 1 & U32 if flags & (TCPHDR_SYN | TCPHDR_FIN) else seq
    cb = skb.cb = tcp_skb_cb(seq, end_seq, flags)
    cb.tcp_gso_segs = 1


def _urgent_pointer(tp: tcp_sock, seq: int) -> int:
    if not before(seq, tp.snd_up):
        return 0
    if before(tp.snd_up, seq + 0x10000):
        return tp.snd_up - seq & U32
    return 0xFFFF if after(seq + 0xFFFF, tp.snd_nxt) else 0


def tcp_update_skb_after_send(sk: tcp_sock, skb: sk_buff, prior_wstamp: int) -> None:
    """With pacing, note when the next segment may leave."""
    if sk.sk_pacing_status:
        rate = sk.sk_pacing_rate
        if rate and rate != (1 << 64) - 1 and sk.data_segs_out >= 10:
            len_ns = skb.len * 1_000_000_000 // rate
            credit = sk.tcp_wstamp_ns - prior_wstamp
            sk.tcp_wstamp_ns += len_ns - min(len_ns // 2, credit)


def _count_sent(sk: tcp_sock, skb: sk_buff, tcb: tcp_skb_cb, header_size: int) -> None:
    pcount = tcb.tcp_gso_segs
    if skb.len != header_size:
        tcp_event_data_sent(sk)
        sk.data_segs_out += pcount
        sk.bytes_sent += skb.len - header_size
    if after(tcb.end_seq, sk.snd_nxt) or tcb.seq == tcb.end_seq:
        sk.skc_net.mib.tcp_statistics[TCP_MIB_OUTSEGS] += pcount
    sk.segs_out += pcount


def __tcp_transmit_skb(sk: tcp_sock, skb: sk_buff, clone_it: bool, rcv_nxt: int) -> None:
    """Send one packet (a segment, or several as one GSO packet): a clone of it when it must be kept."""
    prior_wstamp = sk.tcp_wstamp_ns
    if sk.tcp_clock_cache > prior_wstamp:
        sk.tcp_wstamp_ns = sk.tcp_clock_cache
    skb.tstamp = sk.tcp_wstamp_ns
    oskb = None
    if clone_it:
        oskb = skb
        skb = skb_clone(oskb)
        skb.dev = None
    tcb: tcp_skb_cb = skb.cb  # type: ignore[assignment]
    flags = tcb.tcp_flags
    pcount = tcb.tcp_gso_segs
    opts = tcp_out_options()
    if flags & TCPHDR_SYN:
        header_size = tcp_syn_options(sk, skb, opts) + 20
    else:
        header_size = tcp_established_options(sk, skb, opts) + 20
        if pcount > 1:
            tcb.tcp_flags = flags = flags | TCPHDR_PSH
    skb_push(skb, header_size)
    skb.sk = sk
    skb.destructor = __sock_wfree if skb.truesize == PURE_ACK_TRUESIZE else tcp_wfree
    sk.sk_wmem_alloc += skb.truesize
    urg_ptr = _urgent_pointer(sk, tcb.seq) if sk.snd_una != sk.snd_up else 0
    if urg_ptr:
        flags |= TCPHDR_URG
    if flags & TCPHDR_SYN:
        window = min(sk.rcv_wnd, 65535)
    else:
        window = tcp_select_window(sk)
        if sk.ecn_flags & TCP_ECN_OK:
            flags = tcp_ecn_send(sk, skb, flags, header_size)
    options = tcp_options_write(sk, opts)
    skb.transport_header = tcphdr(sk.inet_sport, sk.skc_dport, tcb.seq, rcv_nxt, flags, window, urg_ptr, options)
    bpf_skops_write_hdr_opt(sk, skb)
    af_ops = sk.icsk_af_ops
    af_ops.send_check(sk, skb)
    if flags & TCPHDR_ACK:
        tcp_event_ack_sent(sk, rcv_nxt)
    _count_sent(sk, skb, tcb, header_size)
    skb.hash = sk.sk_txhash
    if tcb.tcp_gso_size:
        shinfo = skb_shinfo(skb)
        shinfo.gso_segs = pcount
        shinfo.gso_size = tcb.tcp_gso_size
    skb.cb = None
    err = af_ops.queue_xmit(sk, skb, _cork_of(sk).fl)
    if err > 0:
        tcp_input_reduce.tcp_enter_cwr(sk)
    if oskb is not None:
        tcp_update_skb_after_send(sk, oskb, prior_wstamp)
        tcp_rate_skb_sent(sk, oskb)


def tcp_tsq_write(sk: tcp_sock) -> None:
    """Room came free below: go on sending."""
    if (
        TCPF_ESTABLISHED | TCPF_FIN_WAIT1 | TCPF_CLOSING | TCPF_CLOSE_WAIT | TCPF_LAST_ACK
    ) >> sk.skc_state & 1:
        if sk.lost_out > sk.retrans_out and sk.snd_cwnd > tcp_packets_in_flight(sk):
            _mstamp_refresh(sk)
            tcp_output_retransmit.tcp_xmit_retransmit_queue(sk)
        tcp_output.tcp_write_xmit(sk, tcp_current_mss(sk), sk.nonagle, 0)


def tcp_tsq_handler(sk: tcp_sock) -> None:
    """Go on sending now, or when the task that owns the socket lets go of it."""
    if not sk.sk_lock:
        tcp_tsq_write(sk)
    elif not sk.sk_tsq_flags >> TCP_TSQ_DEFERRED & 1:
        sk.sk_tsq_flags |= TCPF_TSQ_DEFERRED
        sk.skc_refcnt += 1


def tcp_tasklet_func(sk: tcp_sock) -> None:
    """The tasklet of one throttled socket."""
    sk.sk_tsq_flags &= ~TSQF_QUEUED
    tcp_tsq_handler(sk)
    sk_free(sk)


def tcp_release_cb(sk: sock) -> None:
    """Do what was put off while a task owned the socket."""
    flags = sk.sk_tsq_flags
    if not flags & TCP_DEFERRED_ALL:
        return
    assert isinstance(sk, tcp_sock)
    sk.sk_tsq_flags = flags & ~TCP_DEFERRED_ALL
    if flags >> TCP_TSQ_DEFERRED & 1:
        tcp_tsq_write(sk)
        sk.skc_refcnt -= 1
    sk.sk_lock = 0
    if flags >> TCP_WRITE_TIMER_DEFERRED & 1:
        tcp_timer.tcp_write_timer_handler(sk)
        sk.skc_refcnt -= 1
    if flags >> TCP_DELACK_TIMER_DEFERRED & 1:
        tcp_timer.tcp_delack_timer_handler(sk)
        sk.skc_refcnt -= 1
    if flags >> TCP_MTU_REDUCED_DEFERRED & 1:
        sk.icsk_af_ops.mtu_reduced(sk)
        sk.skc_refcnt -= 1


def tcp_wfree(skb: sk_buff) -> None:
    """Destructor of a data packet: below the socket its memory is free; a throttled sender goes on later."""
    sk = skb.sk
    assert sk is not None
    sk.sk_wmem_alloc -= skb.truesize - 1
    flags = sk.sk_tsq_flags
    if flags & TSQF_THROTTLED and not flags & TSQF_QUEUED:
        sk.sk_tsq_flags = flags & ~TSQF_THROTTLED | TSQF_QUEUED
        sk.skc_net.kernel.tsq_tasklet.append(sk)  # type: ignore[arg-type]  # its packets are a TCP socket's
        tcp_output._tasklet_schedule(sk.skc_net.kernel)
        return
    sk_free(sk)


def tcp_pace_kick(timer: hrtimer) -> int:
    """The pacing timer: the next segment may leave."""
    sk: tcp_sock = timer._owner  # type: ignore[assignment]
    tcp_tsq_handler(sk)
    sock_put(sk)
    return 0
