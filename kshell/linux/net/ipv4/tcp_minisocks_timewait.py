"""TIME_WAIT (part of net/ipv4/tcp_minisocks.c)."""


from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.tcp import TCP_FIN_WAIT2, TCP_TIME_WAIT
from kshell.linux.include.linux.snmp import (
    LINUX_MIB_PAWSESTABREJECTED,
    LINUX_MIB_TCPACKSKIPPEDFINWAIT2,
    LINUX_MIB_TCPACKSKIPPEDTIMEWAIT,
    LINUX_MIB_TCPTIMEWAITOVERFLOW,
)
from kshell.linux.include.linux.tcp import tcp_options_received, tcp_sock, tcp_timewait_sock
from kshell.linux.include.linux.tcp_header import tcphdr
from kshell.linux.include.net.tcp import (
    TCP_TIMEWAIT_LEN,
    TCP_TW_ACK,
    TCP_TW_RST,
    TCP_TW_SUCCESS,
    TCP_TW_SYN,
    TCPHDR_ACK,
    TCPHDR_FIN,
    TCPHDR_RST,
    TCPHDR_SYN,
    U32,
    _s32,
    after,
    before,
    tcp_skb_cb,
)
from kshell.linux.include.net.tcp_times import tcp_paws_reject
from kshell.linux.include.net.tcp_window import tcp_receive_window
from kshell.linux.net.ipv4 import tcp_close, tcp_input_challenge, tcp_metrics
from kshell.linux.net.ipv4.inet_timewait_sock import (
    inet_twsk_alloc,
    inet_twsk_deschedule_put,
    inet_twsk_hashdance,
    inet_twsk_put,
    inet_twsk_reschedule,
    inet_twsk_schedule,
)
from kshell.linux.net.ipv4.tcp_input_options import tcp_parse_options

if TYPE_CHECKING:
    from kshell.linux.include.linux.skbuff import sk_buff
    from kshell.linux.include.net.inet_timewait_sock import inet_timewait_sock


def tcp_in_window(seq: int, end_seq: int, s_win: int, e_win: int) -> bool:
    """True when some of [seq, end_seq) lies in the window."""
    if seq == s_win:
        return True
    if after(end_seq, s_win) and before(seq, e_win):
        return True
    return seq == e_win and seq == end_seq


def tcp_timewait_check_oow_rate_limit(tw: tcp_timewait_sock, skb: sk_buff, mib_idx: int) -> int:
    """Whether a segment that is out of place gets an ACK."""
    stamp = tcp_input_challenge.tcp_oow_rate_limited(tw.tw_net, skb, mib_idx, tw.tw_last_oow_ack_time)
    if stamp is not None:
        tw.tw_last_oow_ack_time = stamp
        return TCP_TW_ACK
    inet_twsk_put(tw)
    return TCP_TW_SUCCESS


def _seconds(tw: inet_timewait_sock) -> int:
    kernel = tw.tw_net.kernel
    return (kernel.clock.now - kernel.boot_ns) // 1_000_000_000 + 1


def _tw_fin_wait2(tw: tcp_timewait_sock, skb: sk_buff, th: tcphdr, opt: tcp_options_received, paws: bool) -> int:
    cb: tcp_skb_cb = skb.cb  # type: ignore[assignment]
    rcv_nxt = tw.tw_rcv_nxt
    if paws or not tcp_in_window(cb.seq, cb.end_seq, rcv_nxt, rcv_nxt + tw.tw_rcv_wnd & U32):
        return tcp_timewait_check_oow_rate_limit(tw, skb, LINUX_MIB_TCPACKSKIPPEDFINWAIT2)
    flags = th._flags
    if flags & TCPHDR_RST:
        inet_twsk_deschedule_put(tw)
        return TCP_TW_SUCCESS
    if flags & TCPHDR_SYN and not before(cb.seq, rcv_nxt):
        return TCP_TW_RST
    if not flags & TCPHDR_ACK or not after(cb.end_seq, rcv_nxt) or cb.end_seq == cb.seq:
        inet_twsk_put(tw)
        return TCP_TW_SUCCESS
    if not flags & TCPHDR_FIN or cb.end_seq != rcv_nxt + 1 & U32:
        return TCP_TW_RST
    tw.tw_substate = TCP_TIME_WAIT
    tw.tw_rcv_nxt = cb.end_seq
    if opt.saw_tstamp:
        tw.tw_ts_recent_stamp = _seconds(tw)
        tw.tw_ts_recent = opt.rcv_tsval
    inet_twsk_reschedule(tw, TCP_TIMEWAIT_LEN)
    return TCP_TW_ACK


def tcp_timewait_state_process(tw: tcp_timewait_sock, skb: sk_buff, th: tcphdr) -> int:
    """A segment for a finished connection: TCP_TW_* says what to answer; the reference stays with ACK, RST, SYN."""
    cb: tcp_skb_cb = skb.cb  # type: ignore[assignment]
    opt = tcp_options_received()
    paws = False
    flags = th._flags
    rst = flags & TCPHDR_RST
    if th.doff > 5 and tw.tw_ts_recent_stamp:
        tcp_parse_options(tw.tw_net, skb, opt, False, None)
        if opt.saw_tstamp:
            if opt.rcv_tsecr:
                opt.rcv_tsecr = opt.rcv_tsecr - tw.tw_ts_offset & U32
            opt.ts_recent = tw.tw_ts_recent
            opt.ts_recent_stamp = tw.tw_ts_recent_stamp
            paws = tcp_paws_reject(opt, rst, _seconds(tw))
    if tw.tw_substate == TCP_FIN_WAIT2:
        return _tw_fin_wait2(tw, skb, th, opt, paws)
    if not paws and cb.seq == tw.tw_rcv_nxt and (cb.seq == cb.end_seq or rst):
        if rst:
            if not tw.tw_net.ipv4.sysctl_tcp_rfc1337:
                inet_twsk_deschedule_put(tw)
                return TCP_TW_SUCCESS
        else:
            inet_twsk_reschedule(tw, TCP_TIMEWAIT_LEN)
        if opt.saw_tstamp:
            tw.tw_ts_recent = opt.rcv_tsval
            tw.tw_ts_recent_stamp = _seconds(tw)
        inet_twsk_put(tw)
        return TCP_TW_SUCCESS
    if (
        flags & (TCPHDR_SYN | TCPHDR_RST | TCPHDR_ACK) == TCPHDR_SYN
        and not paws
        and (after(cb.seq, tw.tw_rcv_nxt) or (opt.saw_tstamp and _s32(tw.tw_ts_recent - opt.rcv_tsval) < 0))
    ):
        cb.tcp_tw_isn = (tw.tw_snd_nxt + 65535 + 2 & U32) or 1
        return TCP_TW_SYN
    if paws:
        tw.tw_net.mib.net_statistics[LINUX_MIB_PAWSESTABREJECTED] += 1
    if not rst:
        if paws or flags & TCPHDR_ACK:
            inet_twsk_reschedule(tw, TCP_TIMEWAIT_LEN)
        return tcp_timewait_check_oow_rate_limit(tw, skb, LINUX_MIB_TCPACKSKIPPEDTIMEWAIT)
    inet_twsk_put(tw)
    return TCP_TW_SUCCESS


def tcp_time_wait(sk: tcp_sock, state: int, timeo: int) -> None:
    """The connection is over: leave a small socket in its place for `timeo` jiffies, and end this one."""
    net = sk.skc_net
    dr = net.ipv4.tcp_death_row
    tw = inet_twsk_alloc(sk, dr, state)
    if tw is not None:
        rto = (sk.icsk_rto << 2) - (sk.icsk_rto >> 1)
        rx_opt = sk.rx_opt
        if sk.sk_mark:
            tw.tw_mark = sk.sk_mark
        if sk.sk_priority:
            tw.tw_priority = sk.sk_priority
        tw.tw_rcv_wscale = rx_opt.rcv_wscale
        tw.tw_rcv_nxt = sk.rcv_nxt
        tw.tw_snd_nxt = sk.snd_nxt
        tw.tw_rcv_wnd = tcp_receive_window(sk)
        tw.tw_ts_recent = rx_opt.ts_recent
        tw.tw_ts_recent_stamp = rx_opt.ts_recent_stamp
        tw.tw_ts_offset = sk.tsoffset
        tw.tw_last_oow_ack_time = 0
        tw.tw_tx_delay = sk.tcp_tx_delay
        timeo = TCP_TIMEWAIT_LEN if state == TCP_TIME_WAIT else max(timeo, rto)
        inet_twsk_schedule(tw, timeo)
        inet_twsk_hashdance(tw, sk, dr.hashinfo)
    else:
        net.mib.net_statistics[LINUX_MIB_TCPTIMEWAITOVERFLOW] += 1
    tcp_metrics.tcp_update_metrics(sk)
    tcp_close.tcp_done(sk)


def tcp_twsk_destructor(tw: inet_timewait_sock) -> None:
    """Free the MD5 key."""
