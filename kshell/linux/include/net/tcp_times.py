"""include/net/tcp.h: how long a connection waits: keepalive, FIN_WAIT2, and how old a timestamp may be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.linux.include.net.tcp import U32, _s32

if TYPE_CHECKING:
    from kshell.linux.include.linux.tcp import tcp_options_received, tcp_sock

TCP_PAWS_24DAYS = 60 * 60 * 24 * 24
TCP_PAWS_MSL = 60
TCP_PAWS_WINDOW = 1


def keepalive_intvl_when(tp: tcp_sock) -> int:
    """Jiffies between keepalive probes."""
    return tp.keepalive_intvl or tp.skc_net.ipv4.sysctl_tcp_keepalive_intvl


def keepalive_time_when(tp: tcp_sock) -> int:
    """Idle jiffies before the first keepalive probe."""
    return tp.keepalive_time or tp.skc_net.ipv4.sysctl_tcp_keepalive_time


def keepalive_probes(tp: tcp_sock) -> int:
    """Unanswered probes that end the connection."""
    return tp.keepalive_probes or tp.skc_net.ipv4.sysctl_tcp_keepalive_probes


def keepalive_time_elapsed(tp: tcp_sock) -> int:
    """Jiffies since the peer was last heard."""
    now = tp.skc_net.kernel.jiffies & U32
    return min((now - tp.icsk_ack.lrcvtime) & U32, (now - tp.rcv_tstamp) & U32)


def tcp_fin_time(tp: tcp_sock) -> int:
    """Jiffies that an orphan stays in FIN_WAIT2: TCP_LINGER2 or tcp_fin_timeout, at least 3.5 RTO."""
    fin_timeout: int = tp.linger2 or tp.skc_net.ipv4.sysctl_tcp_fin_timeout
    rto = tp.icsk_rto
    return max(fin_timeout, (rto << 2) - (rto >> 1))


def tcp_paws_check(rx_opt: tcp_options_received, paws_win: int, now_s: int) -> bool:
    """True when the segment's timestamp is not older than the last one; `now_s` is ktime_get_seconds()."""
    if _s32(rx_opt.ts_recent - rx_opt.rcv_tsval) <= paws_win:
        return True
    return now_s >= rx_opt.ts_recent_stamp + TCP_PAWS_24DAYS or not rx_opt.ts_recent


def tcp_paws_reject(rx_opt: tcp_options_received, rst: int, now_s: int) -> bool:
    """True when the segment is an old duplicate by its timestamp."""
    if tcp_paws_check(rx_opt, 0, now_s):
        return False
    return not (rst and now_s >= rx_opt.ts_recent_stamp + TCP_PAWS_MSL)
