"""Segments of an established connection (net/ipv4/tcp_input.c).

Siblings: tcp_input_ack, _sack, _loss, _undo, _rtt, _timer (the sender), tcp_input_data, _ofo, _options (the receiver),
tcp_input_state, _synsent (the state machine), tcp_input_request (SYNs to a listener).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.tcp import (
    TCP_ESTABLISHED,
    TCP_SYN_RECV,
    TCPF_CLOSE_WAIT,
    TCPF_CLOSING,
    TCPF_LAST_ACK,
)
from kshell.linux.include.linux.hrtimer import hrtimer
from kshell.linux.include.linux.jiffies import HZ
from kshell.linux.include.linux.skbuff import __skb_unlink
from kshell.linux.include.linux.snmp import (
    LINUX_MIB_DELAYEDACKLOST,
    LINUX_MIB_PAWSESTABREJECTED,
    LINUX_MIB_TCPACKSKIPPEDPAWS,
    LINUX_MIB_TCPACKSKIPPEDSEQ,
    LINUX_MIB_TCPHPHITS,
    LINUX_MIB_TCPSYNCHALLENGE,
    TCP_MIB_INERRS,
)
from kshell.linux.include.net.dropreason import (
    SKB_DROP_REASON_NOT_SPECIFIED,
    SKB_DROP_REASON_PKT_TOO_SMALL,
    SKB_DROP_REASON_TCP_FLAGS,
    SKB_DROP_REASON_TCP_INVALID_SEQUENCE,
    SKB_DROP_REASON_TCP_INVALID_SYN,
    SKB_DROP_REASON_TCP_RESET,
    SKB_DROP_REASON_TCP_RFC7323_PAWS,
)
from kshell.linux.include.net.inet_connection_sock import ICSK_ACK_NOW, ICSK_ACK_SCHED
from kshell.linux.include.net.sock import SOCK_DEAD, SOCK_URGINLINE, sock_flag
from kshell.linux.include.net.tcp import (
    TCP_FASTRETRANS_THRESH,
    TCP_MAX_QUICKACKS,
    TCP_URG_NOTYET,
    TCP_URG_VALID,
    TCPHDR_ACK,
    TCPHDR_RST,
    TCPHDR_SYN,
    TCPHDR_URG,
    U32,
    _s32,
    after,
    before,
    between,
    tcp_skb_cb,
)
from kshell.linux.include.net.tcp_times import TCP_PAWS_WINDOW, tcp_paws_check
from kshell.linux.include.net.tcp_window import tcp_receive_window
from kshell.linux.kernel.time.hrtimer import hrtimer_active, hrtimer_start_range_ns
from kshell.linux.net.core.skbuff import __kfree_skb, skb_dst_drop
from kshell.linux.net.core.sock import sk_send_sigurg
from kshell.linux.net.ipv4 import (
    tcp_fastopen,
    tcp_input_data,
    tcp_input_ofo,
    tcp_input_state,
    tcp_output_ack,
    tcp_timer,
)
from kshell.linux.net.ipv4.tcp_input_ack import tcp_ack, tcp_may_update_window
from kshell.linux.net.ipv4.tcp_input_challenge import (
    _now_seconds,
    tcp_oow_rate_limited,
    tcp_send_challenge_ack,
    tcp_store_ts_recent,
)
from kshell.linux.net.ipv4.tcp_input_flags import FLAG_DATA, FLAG_SLOWPATH, FLAG_UPDATE_TS_RECENT
from kshell.linux.net.ipv4.tcp_input_options import tcp_fast_parse_options, tcp_parse_aligned_timestamp
from kshell.linux.net.ipv4.tcp_input_rtt import (
    tcp_enter_quickack_mode,
    tcp_event_data_recv,
    tcp_in_quickack_mode,
    tcp_rcv_rtt_measure_ts,
)
from kshell.linux.net.ipv4.tcp_output_mss import __tcp_select_window
from kshell.linux.net.ipv4.tcp_output_xmit import tcp_mstamp_refresh

if TYPE_CHECKING:
    from kshell.linux.include.linux.skbuff import sk_buff
    from kshell.linux.include.linux.tcp import tcp_sock
    from kshell.linux.include.linux.tcp_header import tcphdr

_HP_FLAGS = 0xF7  # TCP_HP_BITS: all flags but PSH


def __tcp_ack_snd_check(sk: tcp_sock, ofo_possible: bool) -> None:
    """An ACK is owed: send it now, after a while, or (out of order data) compressed with others."""
    ack = sk.icsk_ack
    if (
        (
            sk.rcv_nxt - sk.rcv_wup & U32 > ack.rcv_mss
            and (sk.rcv_nxt - sk.copied_seq & U32 < sk.sk_rcvlowat or __tcp_select_window(sk) >= sk.rcv_wnd)
        )
        or tcp_in_quickack_mode(sk)
        or ack.pending & ICSK_ACK_NOW
    ):
        tcp_output_ack.tcp_send_ack(sk)
        return
    if not ofo_possible or not sk.out_of_order_queue:
        tcp_output_ack.tcp_send_delayed_ack(sk)
        return
    ipv4 = sk.skc_net.ipv4
    if not sk.rx_opt.sack_ok or sk.compressed_ack >= ipv4.sysctl_tcp_comp_sack_nr:
        tcp_output_ack.tcp_send_ack(sk)
        return
    if sk.compressed_ack_rcv_nxt != sk.rcv_nxt:
        sk.compressed_ack_rcv_nxt = sk.rcv_nxt
        sk.dup_ack_counter = 0
    if sk.dup_ack_counter < TCP_FASTRETRANS_THRESH:
        sk.dup_ack_counter += 1
        tcp_output_ack.tcp_send_ack(sk)
        return
    sk.compressed_ack += 1
    timer = sk.compressed_ack_timer
    if timer._owner is None:
        timer = sk.compressed_ack_timer = hrtimer(tcp_timer.tcp_compressed_ack_kick, sk)
    if hrtimer_active(timer):
        return
    rtt = sk.rcv_rtt_est.rtt_us
    if sk.srtt_us and sk.srtt_us < rtt:
        rtt = sk.srtt_us
    delay = min(ipv4.sysctl_tcp_comp_sack_delay_ns, rtt * 125 // 20)
    sk.skc_refcnt += 1
    kernel = sk.skc_net.kernel
    now = kernel.clock.now - kernel.boot_ns
    hrtimer_start_range_ns(kernel, timer, now + delay, ipv4.sysctl_tcp_comp_sack_slack_ns)


def tcp_ack_snd_check(sk: tcp_sock) -> None:
    """Send the ACK that is owed, if one is."""
    if sk.icsk_ack.pending & ICSK_ACK_SCHED:
        __tcp_ack_snd_check(sk, True)


def tcp_check_urg(sk: tcp_sock, th: tcphdr) -> None:
    """A segment announces urgent data: note where, and signal the owner."""
    ptr = th.urg_ptr
    if ptr and not sk.skc_net.ipv4.sysctl_tcp_stdurg:
        ptr -= 1
    ptr = ptr + th.seq & U32
    if after(sk.copied_seq, ptr) or before(ptr, sk.rcv_nxt):
        return
    if sk.urg_data and not after(ptr, sk.urg_seq):
        return
    sk_send_sigurg(sk)
    if (
        sk.urg_seq == sk.copied_seq
        and sk.urg_data
        and not sock_flag(sk, SOCK_URGINLINE)
        and sk.copied_seq != sk.rcv_nxt
    ):
        skb = sk.sk_receive_queue.next
        sk.copied_seq = sk.copied_seq + 1 & U32
        if skb is not None and not before(sk.copied_seq, skb.cb.end_seq):  # type: ignore[attr-defined]
            __skb_unlink(skb, sk.sk_receive_queue)
            __kfree_skb(skb)
    sk.urg_data = TCP_URG_NOTYET
    sk.urg_seq = ptr
    sk.pred_flags = 0


def tcp_urg(sk: tcp_sock, skb: sk_buff, th: tcphdr) -> None:
    """Urgent data: note its place, and the byte when it comes."""
    if th._flags & TCPHDR_URG:
        tcp_check_urg(sk, th)
    if sk.urg_data == TCP_URG_NOTYET:
        ptr = (sk.urg_seq - th.seq & U32) - th.syn
        if 0 <= ptr < len(skb.data):
            sk.urg_data = TCP_URG_VALID | skb.data[ptr]
            if not sock_flag(sk, SOCK_DEAD):
                sk.sk_data_ready(sk)


def tcp_send_dupack(sk: tcp_sock, skb: sk_buff) -> None:
    """Answer an old segment with an ACK (and a DSACK)."""
    cb: tcp_skb_cb = skb.cb  # type: ignore[assignment]
    if cb.end_seq != cb.seq and before(cb.seq, sk.rcv_nxt):
        sk.skc_net.mib.net_statistics[LINUX_MIB_DELAYEDACKLOST] += 1
        tcp_enter_quickack_mode(sk, TCP_MAX_QUICKACKS)
        if sk.rx_opt.sack_ok and sk.skc_net.ipv4.sysctl_tcp_dsack:
            tcp_input_ofo.tcp_rcv_spurious_retrans(sk, skb)
            tcp_input_ofo.tcp_dsack_set(sk, cb.seq, sk.rcv_nxt if after(cb.end_seq, sk.rcv_nxt) else cb.end_seq)
    tcp_output_ack.tcp_send_ack(sk)


def tcp_disordered_ack(sk: tcp_sock, skb: sk_buff) -> bool:
    """True for a pure, harmless ACK that was overtaken: its old timestamp is no offence."""
    th: tcphdr = skb.transport_header  # type: ignore[assignment]
    cb: tcp_skb_cb = skb.cb  # type: ignore[assignment]
    rx_opt = sk.rx_opt
    return (
        bool(th._flags & TCPHDR_ACK)
        and cb.seq == cb.end_seq == sk.rcv_nxt
        and cb.ack_seq == sk.snd_una
        and not tcp_may_update_window(sk, cb.ack_seq, cb.seq, th.window << rx_opt.snd_wscale)
        and _s32(rx_opt.ts_recent - rx_opt.rcv_tsval) <= sk.icsk_rto * 1024 // HZ
    )


def tcp_paws_discard(sk: tcp_sock, skb: sk_buff) -> bool:
    """True when the segment's timestamp shows it to be an old duplicate."""
    return not tcp_paws_check(sk.rx_opt, TCP_PAWS_WINDOW, _now_seconds(sk)) and not tcp_disordered_ack(sk, skb)


def tcp_sequence(tp: tcp_sock, seq: int, end_seq: int) -> bool:
    """True when the segment meets the window."""
    return not before(end_seq, tp.rcv_wup) and not after(seq, tp.rcv_nxt + tcp_receive_window(tp))


def tcp_reset_check(sk: tcp_sock, skb: sk_buff) -> bool:
    """True for a RST one before rcv_nxt after the peer's FIN, as some systems send it."""
    closing = TCPF_CLOSE_WAIT | TCPF_LAST_ACK | TCPF_CLOSING
    return skb.cb.seq == sk.rcv_nxt - 1 & U32 and bool(closing >> sk.skc_state & 1)  # type: ignore[attr-defined]


def _refuse(sk: tcp_sock, skb: sk_buff, mib: int, reason: int) -> bool:
    stamp = tcp_oow_rate_limited(sk.skc_net, skb, mib, sk.last_oow_ack_time)
    if stamp is not None:
        sk.last_oow_ack_time = stamp
        tcp_send_dupack(sk, skb)
    tcp_input_data.tcp_drop_reason(sk, skb, reason)
    return False


def _reset(sk: tcp_sock, skb: sk_buff) -> bool:
    tcp_input_state.tcp_reset(sk, skb)
    __kfree_skb(skb)
    return False


def _syn_challenge(sk: tcp_sock, skb: sk_buff, syn_inerr: bool) -> bool:
    mib = sk.skc_net.mib
    if syn_inerr:
        mib.tcp_statistics[TCP_MIB_INERRS] += 1
    mib.net_statistics[LINUX_MIB_TCPSYNCHALLENGE] += 1
    tcp_send_challenge_ack(sk)
    tcp_input_data.tcp_drop_reason(sk, skb, SKB_DROP_REASON_TCP_INVALID_SYN)
    return False


def _rst_in_window(sk: tcp_sock, skb: sk_buff) -> bool:
    cb: tcp_skb_cb = skb.cb  # type: ignore[assignment]
    if cb.seq == sk.rcv_nxt or tcp_reset_check(sk, skb):
        return _reset(sk, skb)
    num_sacks = sk.rx_opt.num_sacks
    if sk.rx_opt.sack_ok and num_sacks:
        blocks = sk.selective_acks[:num_sacks]
        base = sk.rcv_nxt
        if cb.seq == max((block.end_seq for block in blocks), key=lambda seq: _s32(seq - base)):
            return _reset(sk, skb)
    if sk.syn_fastopen and not sk.data_segs_in and sk.skc_state == TCP_ESTABLISHED:
        tcp_fastopen.tcp_fastopen_active_disable(sk)
    tcp_send_challenge_ack(sk)
    tcp_input_data.tcp_drop_reason(sk, skb, SKB_DROP_REASON_TCP_RESET)
    return False


def tcp_validate_incoming(sk: tcp_sock, skb: sk_buff, th: tcphdr, syn_inerr: bool) -> bool:
    """Timestamp, sequence, RST, SYN (RFC 793 and 5961); False when the segment has been dealt with."""
    flags = th._flags
    stamped = tcp_fast_parse_options(sk.skc_net, skb, th, sk) and sk.rx_opt.saw_tstamp
    if stamped and tcp_paws_discard(sk, skb) and not flags & TCPHDR_RST:
        sk.skc_net.mib.net_statistics[LINUX_MIB_PAWSESTABREJECTED] += 1
        return _refuse(sk, skb, LINUX_MIB_TCPACKSKIPPEDPAWS, SKB_DROP_REASON_TCP_RFC7323_PAWS)
    cb: tcp_skb_cb = skb.cb  # type: ignore[assignment]
    if not tcp_sequence(sk, cb.seq, cb.end_seq):
        if not flags & TCPHDR_RST:
            if flags & TCPHDR_SYN:
                return _syn_challenge(sk, skb, syn_inerr)
            return _refuse(sk, skb, LINUX_MIB_TCPACKSKIPPEDSEQ, SKB_DROP_REASON_TCP_INVALID_SEQUENCE)
        if tcp_reset_check(sk, skb):
            return _reset(sk, skb)
        tcp_input_data.tcp_drop_reason(sk, skb, SKB_DROP_REASON_TCP_INVALID_SEQUENCE)
        return False
    if flags & TCPHDR_RST:
        return _rst_in_window(sk, skb)
    if flags & TCPHDR_SYN and not (
        sk.skc_state == TCP_SYN_RECV
        and sk.sk_socket is not None
        and flags & TCPHDR_ACK
        and cb.seq + 1 & U32 == cb.end_seq == sk.rcv_nxt
        and cb.ack_seq == sk.snd_nxt
    ):
        return _syn_challenge(sk, skb, syn_inerr)
    return True


def _fast_path(sk: tcp_sock, skb: sk_buff, th: tcphdr) -> bool | None:
    """Header prediction: True when the segment is done with, False for the slow path, None to skip its checks."""
    rx_opt = sk.rx_opt
    header_len = sk.tcp_header_len
    timestamps = header_len == 32
    if timestamps and (
        not tcp_parse_aligned_timestamp(sk, th) or (rx_opt.rcv_tsval - rx_opt.ts_recent) & 0x80000000
    ):
        return False
    length = skb.len
    cb: tcp_skb_cb = skb.cb  # type: ignore[assignment]
    if length <= header_len:
        if length < header_len:
            sk.skc_net.mib.tcp_statistics[TCP_MIB_INERRS] += 1
            tcp_input_data.tcp_drop_reason(sk, skb, SKB_DROP_REASON_PKT_TOO_SMALL)
            return True
        if timestamps and sk.rcv_nxt == sk.rcv_wup:
            tcp_store_ts_recent(sk)
        tcp_ack(sk, skb, 0)
        __kfree_skb(skb)
        tcp_input_data.tcp_data_snd_check(sk)
        sk.rcv_rtt_last_tsecr = rx_opt.rcv_tsecr
        return True
    if skb.truesize > sk.sk_forward_alloc:
        return None
    if timestamps and sk.rcv_nxt == sk.rcv_wup:
        tcp_store_ts_recent(sk)
    tcp_rcv_rtt_measure_ts(sk, skb)
    sk.skc_net.mib.net_statistics[LINUX_MIB_TCPHPHITS] += 1
    skb_dst_drop(skb)
    skb.len = length - header_len
    eaten = tcp_input_data.tcp_queue_rcv(sk, skb)
    tcp_event_data_recv(sk, skb)
    if cb.ack_seq != sk.snd_una:
        tcp_ack(sk, skb, FLAG_DATA)
        tcp_input_data.tcp_data_snd_check(sk)
        if sk.icsk_ack.pending & ICSK_ACK_SCHED:
            __tcp_ack_snd_check(sk, False)
    else:
        sk.snd_wl1 = cb.seq
        __tcp_ack_snd_check(sk, False)
    if eaten:
        __kfree_skb(skb)
    tcp_input_data.tcp_data_ready(sk)
    return True


def tcp_rcv_established(sk: tcp_sock, skb: sk_buff) -> None:
    """A segment on an established connection."""
    th: tcphdr = skb.transport_header  # type: ignore[assignment]
    cb: tcp_skb_cb = skb.cb  # type: ignore[assignment]
    tcp_mstamp_refresh(sk)
    if sk.sk_rx_dst is None:
        sk.icsk_af_ops.sk_rx_dst_set(sk, skb)
    sk.rx_opt.saw_tstamp = 0
    checked = False
    if (
        th.doff << 28 | (th._flags & _HP_FLAGS) << 16 | th.window == sk.pred_flags
        and cb.seq == sk.rcv_nxt
        and between(cb.ack_seq, sk.snd_una, sk.snd_nxt)
    ):
        done = _fast_path(sk, skb, th)
        if done:
            return
        checked = done is None
    if not checked:
        if not th._flags & (TCPHDR_ACK | TCPHDR_RST | TCPHDR_SYN):
            tcp_input_data.tcp_drop_reason(sk, skb, SKB_DROP_REASON_TCP_FLAGS)
            return
        if not tcp_validate_incoming(sk, skb, th, True):
            return
    if tcp_ack(sk, skb, FLAG_SLOWPATH | FLAG_UPDATE_TS_RECENT) < 0:
        tcp_input_data.tcp_drop_reason(sk, skb, SKB_DROP_REASON_NOT_SPECIFIED)
        return
    tcp_rcv_rtt_measure_ts(sk, skb)
    tcp_urg(sk, skb, th)
    tcp_input_data.tcp_data_queue(sk, skb)
    tcp_input_data.tcp_data_snd_check(sk)
    tcp_ack_snd_check(sk)
