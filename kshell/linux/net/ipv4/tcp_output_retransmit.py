"""Sending again (part of net/ipv4/tcp_output.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.errno import EAGAIN, EBUSY
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.snmp import (
    LINUX_MIB_TCPFASTRETRANS,
    LINUX_MIB_TCPLOSSPROBES,
    LINUX_MIB_TCPRETRANSFAIL,
    LINUX_MIB_TCPSLOWSTARTRETRANS,
    LINUX_MIB_TCPSPURIOUS_RTX_HOSTQUEUES,
    LINUX_MIB_TCPSYNRETRANS,
    TCP_MIB_RETRANSSEGS,
)
from kshell.linux.include.linux.tcp import TSQF_THROTTLED
from kshell.linux.include.linux.time64 import NSEC_PER_MSEC
from kshell.linux.include.net.inet_connection_sock import ICSK_TIME_REO_TIMEOUT, ICSK_TIME_RETRANS
from kshell.linux.include.net.tcp import (
    TCP_FRAG_IN_RTX_QUEUE,
    TCP_NAGLE_OFF,
    TCP_RTO_MAX,
    TCPCB_EVER_RETRANS,
    TCPCB_LOST,
    TCPCB_RETRANS,
    TCPCB_SACKED_ACKED,
    TCPCB_SACKED_RETRANS,
    TCPHDR_CWR,
    TCPHDR_ECE,
    TCPHDR_SYN,
    TCPHDR_SYN_ECN,
    U32,
    TCP_CA_Loss,
    _s32,
    after,
    before,
    tcp_in_cwnd_reduction,
    tcp_packets_in_flight,
    tcp_skb_cb,
)
from kshell.linux.net.ipv4 import tcp_input_timer, tcp_output, tcp_output_segs, tcp_output_xmit, tcp_sendmsg
from kshell.linux.net.ipv4.tcp_output_mss import tcp_current_mss

if TYPE_CHECKING:
    from kshell.linux.include.linux.skbuff import sk_buff
    from kshell.linux.include.linux.tcp import tcp_sock


def skb_still_in_host_queue(sk: tcp_sock, skb: sk_buff) -> bool:
    """True while the clone sent last still lies in a queue of this machine."""
    other = skb._fclones
    if other is not None and other.sk is sk:
        sk.sk_tsq_flags |= TSQF_THROTTLED
        sk.skc_net.mib.net_statistics[LINUX_MIB_TCPSPURIOUS_RTX_HOSTQUEUES] += 1
        return True
    return False


def tcp_send_loss_probe(sk: tcp_sock) -> None:
    """Tail loss probe: send new data, or the last segment again, so that an ACK tells what is missing."""
    mss = tcp_current_mss(sk)
    if not sk.tlp_high_seq and _send_probe(sk, mss):
        sk.tlp_high_seq = sk.snd_nxt
        sk.skc_net.mib.net_statistics[LINUX_MIB_TCPLOSSPROBES] += 1
        sk.icsk_pending = 0
    elif not sk.tcp_rtx_queue:
        sk.icsk_pending = 0
        return
    tcp_input_timer.tcp_rearm_rto(sk)


def _send_probe(sk: tcp_sock, mss: int) -> bool:
    sk.tlp_retrans = 0
    skb = sk.sk_write_queue.next
    if skb is not None and tcp_output.tcp_snd_wnd_test(sk, skb, mss):
        pcount = sk.packets_out
        tcp_output.tcp_write_xmit(sk, mss, TCP_NAGLE_OFF, 2)
        return sk.packets_out > pcount
    if not sk.tcp_rtx_queue:
        return False
    skb = sk.tcp_rtx_queue[-1]
    if skb_still_in_host_queue(sk, skb):
        return False
    pcount = skb.cb.tcp_gso_segs  # type: ignore[attr-defined]
    try:
        if pcount > 1 and skb.len > (pcount - 1) * mss:
            tcp_output_segs.tcp_fragment(sk, TCP_FRAG_IN_RTX_QUEUE, skb, (pcount - 1) * mss, mss)
            skb = sk.tcp_rtx_queue[-1]
        __tcp_retransmit_skb(sk, skb, 1)
    except KernelError:
        return False
    sk.tlp_retrans = 1
    return True


def tcp_collapse_retrans(sk: tcp_sock, skb: sk_buff, next_skb: sk_buff) -> None:
    """Merge a sent packet with the one that follows."""
    cb: tcp_skb_cb = skb.cb  # type: ignore[assignment]
    ncb: tcp_skb_cb = next_skb.cb  # type: ignore[assignment]
    skb.data += next_skb.data
    skb.len += next_skb.len
    skb.truesize += next_skb.len
    next_skb.truesize -= next_skb.len
    if sk.highest_sack is next_skb:
        sk.highest_sack = skb
    cb.end_seq = ncb.end_seq
    cb.tcp_flags |= ncb.tcp_flags
    cb.sacked |= ncb.sacked & TCPCB_EVER_RETRANS
    cb.eor = ncb.eor
    sk.lost_skb_hint = None
    if sk.retransmit_skb_hint is next_skb:
        sk.retransmit_skb_hint = skb
    tcp_output_segs.tcp_adjust_pcount(sk, next_skb, ncb.tcp_gso_segs)
    sk.tcp_rtx_queue.remove(next_skb)
    tcp_sendmsg.tcp_wmem_free_skb(sk, next_skb)


def tcp_can_collapse(skb: sk_buff) -> bool:
    """True when a sent packet may be merged with its neighbour."""
    cb: tcp_skb_cb = skb.cb  # type: ignore[assignment]
    return cb.tcp_gso_segs <= 1 and skb._fclones is None and not cb.sacked & TCPCB_SACKED_ACKED


def tcp_retrans_try_collapse(sk: tcp_sock, to: sk_buff, space: int) -> None:
    """Fill a small packet that is to be sent again with the data that follows."""
    to_cb: tcp_skb_cb = to.cb  # type: ignore[assignment]
    if not sk.skc_net.ipv4.sysctl_tcp_retrans_collapse or to_cb.tcp_flags & TCPHDR_SYN or not tcp_can_collapse(to):
        return
    space -= to.len
    rtx = sk.tcp_rtx_queue
    at = rtx.index(to) + 1
    while at < len(rtx):
        skb = rtx[at]
        cb: tcp_skb_cb = skb.cb  # type: ignore[assignment]
        if not tcp_can_collapse(skb) or to_cb.eor:
            break
        space -= skb.len
        if space < 0 or after(cb.end_seq, sk.snd_una + sk.snd_wnd):
            break
        tcp_collapse_retrans(sk, to, skb)


def __tcp_retransmit_skb(sk: tcp_sock, skb: sk_buff, segs: int) -> None:
    """Send up to `segs` segments of a packet again. EBUSY while its last copy is in a queue, EAGAIN, EHOSTUNREACH."""
    sk.icsk_mtup.probe_size = 0
    if skb_still_in_host_queue(sk, skb):
        raise KernelError(EBUSY)
    cb: tcp_skb_cb = skb.cb  # type: ignore[assignment]
    if before(cb.seq, sk.snd_una) and cb.tcp_flags & TCPHDR_SYN:
        cb.tcp_flags &= ~TCPHDR_SYN
        cb.seq = cb.seq + 1 & U32
    if before(cb.seq, sk.snd_una):
        tcp_output_segs.tcp_trim_head(sk, skb, sk.snd_una - cb.seq & U32)
    sk.icsk_af_ops.rebuild_header(sk)
    cur_mss = tcp_current_mss(sk)
    avail_wnd = _s32(sk.snd_una + sk.snd_wnd - cb.seq)
    if avail_wnd <= 0:
        if cb.seq != sk.snd_una:
            raise KernelError(EAGAIN)
        avail_wnd = cur_mss
    length = cur_mss * (1 if sk.snd_una != sk.snd_up else segs)
    if length > avail_wnd:
        length = avail_wnd - avail_wnd % cur_mss or avail_wnd
    if skb.len > length:
        tcp_output_segs.tcp_fragment(sk, TCP_FRAG_IN_RTX_QUEUE, skb, length, cur_mss)
    else:
        diff = cb.tcp_gso_segs
        tcp_output_segs.tcp_set_skb_tso_segs(skb, cur_mss)
        diff -= cb.tcp_gso_segs
        if diff:
            tcp_output_segs.tcp_adjust_pcount(sk, skb, diff)
        avail_wnd = min(avail_wnd, cur_mss)
        if skb.len < avail_wnd:
            tcp_retrans_try_collapse(sk, skb, avail_wnd)
    if cb.tcp_flags & TCPHDR_SYN_ECN == TCPHDR_SYN_ECN and sk.skc_net.ipv4.sysctl_tcp_ecn_fallback:
        cb.tcp_flags &= ~(TCPHDR_ECE | TCPHDR_CWR)
    segs = cb.tcp_gso_segs
    mib = sk.skc_net.mib
    mib.tcp_statistics[TCP_MIB_RETRANSSEGS] += segs
    if cb.tcp_flags & TCPHDR_SYN:
        mib.net_statistics[LINUX_MIB_TCPSYNRETRANS] += 1
    sk.total_retrans += segs
    sk.bytes_retrans += skb.len
    try:
        tcp_output_xmit.__tcp_transmit_skb(sk, skb, True, sk.rcv_nxt)
    except KernelError as e:
        if e.errno != EBUSY:
            mib.net_statistics[LINUX_MIB_TCPRETRANSFAIL] += segs
        raise
    finally:
        cb.sacked |= TCPCB_EVER_RETRANS


def tcp_retransmit_skb(sk: tcp_sock, skb: sk_buff, segs: int) -> int:
    """Send a packet again and count it as retransmitted; a negative errno when that failed."""
    err = 0
    cb: tcp_skb_cb = skb.cb  # type: ignore[assignment]
    try:
        __tcp_retransmit_skb(sk, skb, segs)
        cb.sacked |= TCPCB_RETRANS & ~0x10
        sk.retrans_out += cb.tcp_gso_segs
    except KernelError as e:
        err = -e.errno
    if not sk.retrans_stamp:
        sk.retrans_stamp = skb.tstamp // NSEC_PER_MSEC & U32
    sk.undo_retrans = max(sk.undo_retrans, 0) + cb.tcp_gso_segs
    return err


def tcp_xmit_retransmit_queue(sk: tcp_sock) -> None:
    """Send again what is marked lost, as far as the congestion window goes."""
    if not sk.packets_out:
        return
    rtx = sk.tcp_rtx_queue
    rtx_head = rtx[0]
    hint = sk.retransmit_skb_hint
    max_segs = tcp_output.tcp_tso_segs(sk, tcp_current_mss(sk))
    hole = None
    rearm_timer = False
    for skb in rtx[rtx.index(hint) if hint is not None and hint in rtx else 0 :]:
        if sk.sk_pacing_status and tcp_output.tcp_pacing_check(sk):
            break
        if hole is None:
            sk.retransmit_skb_hint = skb
        segs = sk.snd_cwnd - tcp_packets_in_flight(sk)
        if segs <= 0 or sk.retrans_out >= sk.lost_out:
            break
        cb: tcp_skb_cb = skb.cb  # type: ignore[assignment]
        sacked = cb.sacked
        if not sacked & TCPCB_LOST:
            if hole is None and not sacked & (TCPCB_SACKED_RETRANS | TCPCB_SACKED_ACKED):
                hole = skb
            continue
        if sacked & (TCPCB_SACKED_ACKED | TCPCB_SACKED_RETRANS):
            continue
        if tcp_output.tcp_small_queue_check(sk, skb, 1) or tcp_retransmit_skb(sk, skb, min(segs, max_segs)):
            break
        loss = sk.icsk_ca_state == TCP_CA_Loss
        mib = LINUX_MIB_TCPSLOWSTARTRETRANS if loss else LINUX_MIB_TCPFASTRETRANS
        sk.skc_net.mib.net_statistics[mib] += cb.tcp_gso_segs
        if tcp_in_cwnd_reduction(sk):
            sk.prr_out += cb.tcp_gso_segs
        if skb is rtx_head and sk.icsk_pending != ICSK_TIME_REO_TIMEOUT:
            rearm_timer = True
    if rearm_timer:
        tcp_output.tcp_reset_xmit_timer(sk, ICSK_TIME_RETRANS, sk.icsk_rto, TCP_RTO_MAX)
