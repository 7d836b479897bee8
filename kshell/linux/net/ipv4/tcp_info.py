"""TCP_INFO (part of net/ipv4/tcp.c)."""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING

from kshell.abi.tcp import (
    TCP_LISTEN,
    TCPI_OPT_ECN,
    TCPI_OPT_ECN_SEEN,
    TCPI_OPT_SACK,
    TCPI_OPT_SYN_DATA,
    TCPI_OPT_TIMESTAMPS,
    TCPI_OPT_WSCALE,
)
from kshell.linux.include.linux.jiffies import jiffies_to_msecs, jiffies_to_usecs
from kshell.linux.include.net.tcp import (
    TCP_CHRONO_BUSY,
    TCP_CHRONO_RWND_LIMITED,
    TCP_CHRONO_SNDBUF_LIMITED,
    TCP_ECN_OK,
    TCP_ECN_SEEN,
    U32,
    _s32,
)
from kshell.linux.net.core.sock_lock import lock_sock_fast, unlock_sock_fast

if TYPE_CHECKING:
    from kshell.linux.include.linux.tcp import tcp_sock

_TCP_INFO = Struct("<8B24I4Q6I4Q2I2Q4I")
_RATE_MAX = 0xFFFFFFFFFFFFFFFF


def tcp_compute_delivery_rate(tp: tcp_sock) -> int:
    """Bytes per second of the last rate sample."""
    rate, interval = tp.rate_delivered, tp.rate_interval_us
    return rate * tp.mss_cache * 1000000 // interval if rate and interval else 0


def tcp_get_info_chrono_stats(tp: tcp_sock) -> tuple[int, int, int]:
    """µs (busy, limited by the peer's window, limited by the send buffer)."""
    now = tp.skc_net.kernel.jiffies & U32
    stats = []
    for kind in (TCP_CHRONO_BUSY, TCP_CHRONO_RWND_LIMITED, TCP_CHRONO_SNDBUF_LIMITED):
        value = tp.chrono_stat[kind - 1]
        if kind == tp.chrono_type:
            value += now - tp.chrono_start & U32
        stats.append(value * 4000)
    return sum(stats), stats[1], stats[2]


def _options(tp: tcp_sock) -> int:
    rx_opt = tp.rx_opt
    return (
        (TCPI_OPT_TIMESTAMPS if rx_opt.tstamp_ok else 0)
        | (TCPI_OPT_SACK if rx_opt.sack_ok else 0)
        | (TCPI_OPT_WSCALE if rx_opt.wscale_ok else 0)
        | (TCPI_OPT_ECN if tp.ecn_flags & TCP_ECN_OK else 0)
        | (TCPI_OPT_ECN_SEEN if tp.ecn_flags & TCP_ECN_SEEN else 0)
        | (TCPI_OPT_SYN_DATA if tp.syn_data_acked else 0)
    )


def tcp_get_info(sk: tcp_sock) -> bytes:
    """struct tcp_info as user space reads it, 232 bytes."""
    state = sk.skc_state
    pacing = sk.sk_pacing_rate & _RATE_MAX
    max_pacing = sk.sk_max_pacing_rate & _RATE_MAX
    if state == TCP_LISTEN:
        u32s = [0] * 24
        u32s[4], u32s[5] = sk.sk_ack_backlog, sk.sk_max_ack_backlog
        u32s[18], u32s[20] = sk.snd_cwnd, sk.reordering
        return _TCP_INFO.pack(state, 0, 0, 0, 0, 0, 0, 0, *u32s, pacing, max_pacing, *([0] * 20))
    slow = lock_sock_fast(sk)
    info = _pack(sk, pacing, max_pacing)
    unlock_sock_fast(sk, slow)
    return info


def _pack(sk: tcp_sock, pacing: int, max_pacing: int) -> bytes:
    rx_opt, ack = sk.rx_opt, sk.icsk_ack
    now = sk.skc_net.kernel.jiffies & U32
    wscale = rx_opt.snd_wscale | rx_opt.rcv_wscale << 4 if rx_opt.wscale_ok else 0
    limits = (1 if sk.rate_app_limited else 0) | sk.fastopen_client_fail << 1
    return _TCP_INFO.pack(
        sk.skc_state, sk.icsk_ca_state, sk.icsk_retransmits, sk.icsk_probes_out, sk.icsk_backoff, _options(sk), wscale,
        limits,
        jiffies_to_usecs(sk.icsk_rto), jiffies_to_usecs(ack.ato), sk.mss_cache, ack.rcv_mss,
        sk.packets_out, sk.sacked_out, sk.lost_out, sk.retrans_out, 0,
        jiffies_to_msecs(now - sk.lsndtime & U32) & U32, 0, jiffies_to_msecs(now - ack.lrcvtime & U32) & U32,
        jiffies_to_msecs(now - sk.rcv_tstamp & U32) & U32,
        sk.icsk_pmtu_cookie, sk.rcv_ssthresh, sk.srtt_us >> 3, sk.mdev_us >> 2, sk.snd_ssthresh, sk.snd_cwnd,
        sk.advmss, sk.reordering, sk.rcv_rtt_est.rtt_us >> 3, sk.rcvq_space.space, sk.total_retrans,
        pacing, max_pacing, sk.bytes_acked, sk.bytes_received,
        sk.segs_out, sk.segs_in, max(_s32(sk.write_seq - sk.snd_nxt), 0), sk.rtt_min.s[0][1], sk.data_segs_in,
        sk.data_segs_out,
        tcp_compute_delivery_rate(sk), *tcp_get_info_chrono_stats(sk),
        sk.delivered, sk.delivered_ce, sk.bytes_sent, sk.bytes_retrans,
        sk.dsack_dups, sk.reord_seen, sk.rcv_ooopack, sk.snd_wnd,
    )  # fmt: skip
