"""net/ipv4/tcp_cubic.c: CUBIC congestion control with HyStart."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.linux.include.linux.jiffies import HZ, usecs_to_jiffies
from kshell.linux.include.linux.snmp import (
    LINUX_MIB_TCPHYSTARTDELAYCWND,
    LINUX_MIB_TCPHYSTARTDELAYDETECT,
    LINUX_MIB_TCPHYSTARTTRAINCWND,
    LINUX_MIB_TCPHYSTARTTRAINDETECT,
)
from kshell.linux.include.net.tcp import (
    CA_EVENT_TX_START,
    U32,
    TCP_CA_Loss,
    _s32,
    after,
    tcp_congestion_ops,
    tcp_is_cwnd_limited,
)
from kshell.linux.net.ipv4.tcp_cong import (
    tcp_cong_avoid_ai,
    tcp_register_congestion_control,
    tcp_reno_undo_cwnd,
    tcp_slow_start,
)

if TYPE_CHECKING:
    from kshell.linux.include.linux.tcp import tcp_sock
    from kshell.linux.include.net.tcp import ack_sample
    from kshell.linux.init.kernel import Kernel

BICTCP_BETA_SCALE = 1024
BICTCP_HZ = 10
HYSTART_MIN_SAMPLES = 8
HYSTART_DELAY_MIN = 4000
HYSTART_DELAY_MAX = 16000
_BETA = 717
_HYSTART_LOW_WINDOW = 16
_HYSTART_ACK_DELTA_US = 2000
_BETA_SCALE = 8 * (BICTCP_BETA_SCALE + _BETA) // 3 // (BICTCP_BETA_SCALE - _BETA)
_CUBE_RTT_SCALE = 410
_CUBE_FACTOR = (1 << 10 + 3 * BICTCP_HZ) // _CUBE_RTT_SCALE
_CUBE_ROOTS = (
    0, 54, 54, 54, 118, 118, 118, 118, 123, 129, 134, 138, 143, 147, 151, 156, 157, 161, 164, 168, 170, 173, 176, 179,
    181, 185, 187, 190, 192, 194, 197, 199, 200, 202, 204, 206, 209, 211, 213, 215, 217, 219, 221, 222, 224, 225, 227,
    229, 231, 232, 234, 236, 237, 239, 240, 242, 244, 245, 246, 248, 250, 251, 252, 254,
)  # fmt: skip


class bictcp:
    """The state of one connection."""

    __slots__ = (
        "ack_cnt", "bic_K", "bic_origin_point", "cnt", "curr_rtt", "delay_min", "end_seq", "epoch_start", "found",
        "last_ack", "last_cwnd", "last_max_cwnd", "last_time", "round_start", "sample_cnt", "tcp_cwnd",
    )  # fmt: skip

    def __init__(self) -> None:
        self.end_seq = self.last_ack = self.round_start = self.sample_cnt = self.curr_rtt = 0
        self.cnt = self.last_max_cwnd = self.last_cwnd = self.last_time = self.bic_origin_point = self.bic_K = 0
        self.delay_min = self.epoch_start = self.ack_cnt = self.tcp_cwnd = self.found = 0


def bictcp_reset(ca: bictcp) -> None:
    """Forget the past."""
    ca.cnt = ca.last_max_cwnd = ca.last_cwnd = ca.last_time = ca.bic_origin_point = ca.bic_K = 0
    ca.delay_min = ca.epoch_start = ca.ack_cnt = ca.tcp_cwnd = ca.found = 0


def _inet_csk_ca(sk: tcp_sock) -> bictcp:
    ca: bictcp | None = sk.icsk_ca_priv  # type: ignore[assignment]
    if ca is None:
        ca = bictcp()
        sk.icsk_ca_priv = ca
    return ca


def bictcp_hystart_reset(sk: tcp_sock) -> None:
    """A round trip begins."""
    ca = _inet_csk_ca(sk)
    ca.round_start = ca.last_ack = sk.tcp_mstamp & U32
    ca.end_seq = sk.snd_nxt
    ca.curr_rtt = U32
    ca.sample_cnt = 0


def cubictcp_init(sk: tcp_sock) -> None:
    """A connection begins."""
    bictcp_reset(_inet_csk_ca(sk))
    bictcp_hystart_reset(sk)


def cubictcp_cwnd_event(sk: tcp_sock, event: int) -> None:
    """Idle time does not count for growth."""
    if event == CA_EVENT_TX_START:
        ca = _inet_csk_ca(sk)
        now = sk.skc_net.kernel.jiffies & U32
        delta = _s32(now - sk.lsndtime)
        if ca.epoch_start and delta > 0:
            ca.epoch_start = ca.epoch_start + delta & U32
            if after(ca.epoch_start, now):
                ca.epoch_start = now


def cubic_root(a: int) -> int:
    """The cube root, to about 0.2 %."""
    b = a.bit_length()
    if b < 7:
        return _CUBE_ROOTS[a] + 35 >> 6
    b = (b * 84 >> 8) - 1
    shift = a >> b * 3
    x = (_CUBE_ROOTS[shift] + 10 << b & U32) >> 6
    x = 2 * x + a // (x * (x - 1))
    return x * 341 >> 10


def bictcp_update(ca: bictcp, cwnd: int, acked: int, now: int) -> None:
    """How many acknowledged segments the window should grow by one for."""
    ca.ack_cnt += acked
    if ca.last_cwnd == cwnd and _s32(now - ca.last_time) <= HZ // 32:
        return
    if not (ca.epoch_start and now == ca.last_time):
        ca.last_cwnd = cwnd
        ca.last_time = now
        if ca.epoch_start == 0:
            ca.epoch_start = now
            ca.ack_cnt = acked
            ca.tcp_cwnd = cwnd
            if ca.last_max_cwnd <= cwnd:
                ca.bic_K = 0
                ca.bic_origin_point = cwnd
            else:
                ca.bic_K = cubic_root(_CUBE_FACTOR * (ca.last_max_cwnd - cwnd))
                ca.bic_origin_point = ca.last_max_cwnd
        _aim(ca, cwnd, now)
    delta = cwnd * _BETA_SCALE >> 3
    while ca.ack_cnt > delta:
        ca.ack_cnt -= delta
        ca.tcp_cwnd += 1
    if ca.tcp_cwnd > cwnd:
        ca.cnt = min(ca.cnt, cwnd // (ca.tcp_cwnd - cwnd))
    ca.cnt = max(ca.cnt, 2)


def _aim(ca: bictcp, cwnd: int, now: int) -> None:
    t = (_s32(now - ca.epoch_start) + usecs_to_jiffies(ca.delay_min) << BICTCP_HZ) // HZ
    offs = abs(t - ca.bic_K)
    delta = _CUBE_RTT_SCALE * offs * offs * offs >> 10 + 3 * BICTCP_HZ
    target = ca.bic_origin_point - delta if t < ca.bic_K else ca.bic_origin_point + delta
    ca.cnt = cwnd // (target - cwnd) if target > cwnd else 100 * cwnd
    if ca.last_max_cwnd == 0 and ca.cnt > 20:
        ca.cnt = 20


def cubictcp_cong_avoid(sk: tcp_sock, ack: int, acked: int) -> None:
    """Segments were acknowledged: grow the window."""
    if not tcp_is_cwnd_limited(sk):
        return
    if sk.snd_cwnd < sk.snd_ssthresh:
        acked = tcp_slow_start(sk, acked)
        if not acked:
            return
    ca = _inet_csk_ca(sk)
    bictcp_update(ca, sk.snd_cwnd, acked, sk.skc_net.kernel.jiffies & U32)
    tcp_cong_avoid_ai(sk, ca.cnt, acked)


def cubictcp_recalc_ssthresh(sk: tcp_sock) -> int:
    """Seven tenths of the window."""
    ca = _inet_csk_ca(sk)
    ca.epoch_start = 0
    cwnd = sk.snd_cwnd
    if cwnd < ca.last_max_cwnd:
        ca.last_max_cwnd = cwnd * (BICTCP_BETA_SCALE + _BETA) // (2 * BICTCP_BETA_SCALE)
    else:
        ca.last_max_cwnd = cwnd
    return max(cwnd * _BETA // BICTCP_BETA_SCALE, 2)


def cubictcp_state(sk: tcp_sock, new_state: int) -> None:
    """After a timeout all begins anew."""
    if new_state == TCP_CA_Loss:
        bictcp_reset(_inet_csk_ca(sk))
        bictcp_hystart_reset(sk)


def hystart_ack_delay(sk: tcp_sock) -> int:
    """µs that ACKs of the largest packets may lag."""
    rate = sk.sk_pacing_rate
    if not rate:
        return 0
    return min(1000, sk.sk_gso_max_size * 4 * 1000000 // rate)


def hystart_update(sk: tcp_sock, delay: int) -> None:
    """Leave slow start when ACKs come in long trains or late."""
    ca = _inet_csk_ca(sk)
    if after(sk.snd_una, ca.end_seq):
        bictcp_hystart_reset(sk)
    if sk.snd_cwnd < _HYSTART_LOW_WINDOW:
        return
    mib = sk.skc_net.mib.net_statistics
    now = sk.tcp_mstamp & U32
    if _s32(now - ca.last_ack) <= _HYSTART_ACK_DELTA_US:
        ca.last_ack = now
        threshold = ca.delay_min + hystart_ack_delay(sk)
        if sk.sk_pacing_status == 0:
            threshold >>= 1
        if _s32(now - ca.round_start) > threshold:
            ca.found = 1
            mib[LINUX_MIB_TCPHYSTARTTRAINDETECT] += 1
            mib[LINUX_MIB_TCPHYSTARTTRAINCWND] += sk.snd_cwnd
            sk.snd_ssthresh = sk.snd_cwnd
    ca.curr_rtt = min(ca.curr_rtt, delay)
    if ca.sample_cnt < HYSTART_MIN_SAMPLES:
        ca.sample_cnt += 1
    elif ca.curr_rtt > ca.delay_min + min(max(ca.delay_min >> 3, HYSTART_DELAY_MIN), HYSTART_DELAY_MAX):
        ca.found = 1
        mib[LINUX_MIB_TCPHYSTARTDELAYDETECT] += 1
        mib[LINUX_MIB_TCPHYSTARTDELAYCWND] += sk.snd_cwnd
        sk.snd_ssthresh = sk.snd_cwnd


def cubictcp_acked(sk: tcp_sock, sample: ack_sample) -> None:
    """A round trip was measured."""
    if sample.rtt_us < 0:
        return
    ca = _inet_csk_ca(sk)
    if ca.epoch_start and _s32(sk.skc_net.kernel.jiffies - ca.epoch_start) < HZ:
        return
    delay = sample.rtt_us or 1
    if ca.delay_min == 0 or ca.delay_min > delay:
        ca.delay_min = delay
    if not ca.found and sk.snd_cwnd < sk.snd_ssthresh:
        hystart_update(sk, delay)


cubictcp = tcp_congestion_ops(
    name="cubic",
    init=cubictcp_init,
    ssthresh=cubictcp_recalc_ssthresh,
    cong_avoid=cubictcp_cong_avoid,
    set_state=cubictcp_state,
    undo_cwnd=tcp_reno_undo_cwnd,
    cwnd_event=cubictcp_cwnd_event,
    pkts_acked=cubictcp_acked,
)


def cubictcp_register(kernel: Kernel) -> None:
    """At boot: add Cubic."""
    tcp_register_congestion_control(kernel, cubictcp)
