"""When retransmission ends (part of net/ipv4/tcp_timer.c)."""


from __future__ import annotations

from kshell.abi.errno import ETIMEDOUT
from kshell.abi.tcp import TCPF_SYN_RECV, TCPF_SYN_SENT
from kshell.linux.include.linux.jiffies import jiffies_to_msecs, msecs_to_jiffies
from kshell.linux.include.linux.snmp import (
    LINUX_MIB_TCPABORTONMEMORY,
    LINUX_MIB_TCPABORTONTIMEOUT,
    LINUX_MIB_TCPTIMEOUTREHASH,
)
from kshell.linux.include.linux.tcp import tcp_sock
from kshell.linux.include.net.sock import SOCK_DEAD
from kshell.linux.include.net.tcp import (
    TCP_RTO_MAX,
    TCP_RTO_MIN,
    TCP_TIMEOUT_INIT,
    TCP_TIMEOUT_MIN,
    TCP_TIMEWAIT_LEN,
    U32,
    _s32,
)
from kshell.linux.net.core.sock import sk_set_txhash
from kshell.linux.net.ipv4 import (
    tcp,
    tcp_close,
    tcp_fastopen,
    tcp_input_state,
    tcp_output_ack,
    tcp_output_mss,
)


def _tcp_time_stamp(tp: tcp_sock) -> int:
    return tp.tcp_mstamp // 1000 & U32


def tcp_clamp_rto_to_user_timeout(sk: tcp_sock) -> int:
    """The RTO, cut to what TCP_USER_TIMEOUT leaves."""
    if not sk.icsk_user_timeout:
        return sk.icsk_rto
    remaining = _s32(sk.icsk_user_timeout - (_tcp_time_stamp(sk) - sk.retrans_stamp & U32))
    if remaining <= 0:
        return 1
    return min(sk.icsk_rto, msecs_to_jiffies(remaining))


def tcp_clamp_probe0_to_user_timeout(sk: tcp_sock, when: int) -> int:
    """The time of the next window probe, cut to what TCP_USER_TIMEOUT leaves."""
    if not sk.icsk_user_timeout or not sk.icsk_probes_tstamp:
        return when
    elapsed = max(_s32(sk.skc_net.kernel.jiffies - sk.icsk_probes_tstamp), 0)
    remaining = msecs_to_jiffies(sk.icsk_user_timeout) - elapsed
    return min(max(remaining, TCP_TIMEOUT_MIN) if remaining > 0 else TCP_TIMEOUT_MIN, when)


def tcp_write_err(sk: tcp_sock) -> None:
    """The peer does not answer: end with ETIMEDOUT, or what ICMP said."""
    tcp_input_state.tcp_done_with_error(sk, sk.sk_err_soft or ETIMEDOUT)
    sk.skc_net.mib.net_statistics[LINUX_MIB_TCPABORTONTIMEOUT] += 1


def tcp_out_of_resources(sk: tcp_sock, do_reset: bool) -> bool:
    """Drop an orphan when memory is short; True if it is gone."""
    since = _s32(sk.skc_net.kernel.jiffies - sk.lsndtime)
    shift = int(since > 2 * TCP_RTO_MAX or not do_reset) + int(bool(sk.sk_err_soft))
    if tcp.tcp_check_oom(sk, shift):
        if since <= TCP_TIMEWAIT_LEN or (not sk.snd_wnd and not sk.packets_out):
            do_reset = True
        if do_reset:
            tcp_output_ack.tcp_send_active_reset(sk)
        tcp_close.tcp_done(sk)
        sk.skc_net.mib.net_statistics[LINUX_MIB_TCPABORTONMEMORY] += 1
        return True
    return False


def tcp_orphan_retries(sk: tcp_sock, alive: bool) -> int:
    """Retransmissions that an orphan is worth."""
    retries: int = sk.skc_net.ipv4.sysctl_tcp_orphan_retries
    if sk.sk_err_soft and not alive:
        retries = 0
    return 8 if retries == 0 and alive else retries


def tcp_mtu_probing(sk: tcp_sock) -> None:
    """Perhaps a router drops large packets silently: try smaller ones (tcp_mtu_probing)."""
    ipv4 = sk.skc_net.ipv4
    if not ipv4.sysctl_tcp_mtu_probing:
        return
    mtup = sk.icsk_mtup
    if not mtup.enabled:
        mtup.enabled = 1
        mtup.probe_timestamp = sk.skc_net.kernel.jiffies & U32
    else:
        mss = min(ipv4.sysctl_tcp_base_mss, tcp_output_mss.tcp_mtu_to_mss(sk, mtup.search_low) >> 1)
        mss = max(mss, ipv4.sysctl_tcp_mtu_probe_floor, ipv4.sysctl_tcp_min_snd_mss)
        mtup.search_low = tcp_output_mss.tcp_mss_to_mtu(sk, mss)
    tcp_output_mss.tcp_sync_mss(sk, sk.icsk_pmtu_cookie)


def tcp_model_timeout(sk: tcp_sock, boundary: int, rto_base: int) -> int:
    """Milliseconds that `boundary` retransmissions with backoff take."""
    thresh = (TCP_RTO_MAX // rto_base).bit_length() - 1
    if boundary <= thresh:
        timeout = ((2 << boundary) - 1) * rto_base
    else:
        timeout = ((2 << thresh) - 1) * rto_base + (boundary - thresh) * TCP_RTO_MAX
    return jiffies_to_msecs(timeout)


def retransmits_timed_out(sk: tcp_sock, boundary: int, timeout: int) -> bool:
    """True when retransmission has gone on for `timeout` ms, or what `boundary` retransmissions take."""
    if not sk.icsk_retransmits:
        return False
    if timeout == 0:
        rto_base = TCP_RTO_MIN
        if (TCPF_SYN_SENT | TCPF_SYN_RECV) >> sk.skc_state & 1:
            rto_base = TCP_TIMEOUT_INIT
        timeout = tcp_model_timeout(sk, boundary, rto_base)
    return _s32(_tcp_time_stamp(sk) - sk.retrans_stamp - timeout) >= 0


def __dst_negative_advice(sk: tcp_sock) -> None:
    """The route may be bad: let it be looked up again, with another hash."""
    dst = sk.sk_dst_cache
    if dst is not None and dst.ops.negative_advice is not None:
        dst.ops.negative_advice(sk, dst)


def sk_rethink_txhash(sk: tcp_sock) -> bool:
    """Take another flow hash, if SO_TXREHASH allows."""
    if sk.sk_txhash and sk.sk_txrehash == 1:
        sk_set_txhash(sk)
        return True
    return False


def tcp_write_timeout(sk: tcp_sock) -> bool:
    """Decide whether to go on retransmitting; True when the connection was given up."""
    ipv4 = sk.skc_net.ipv4
    expired = False
    if (TCPF_SYN_SENT | TCPF_SYN_RECV) >> sk.skc_state & 1:
        if sk.icsk_retransmits:
            __dst_negative_advice(sk)
        retry_until = sk.icsk_syn_retries or ipv4.sysctl_tcp_syn_retries
        expired = sk.icsk_retransmits >= retry_until
    else:
        if retransmits_timed_out(sk, ipv4.sysctl_tcp_retries1, 0):
            tcp_mtu_probing(sk)
            __dst_negative_advice(sk)
        retry_until = ipv4.sysctl_tcp_retries2
        if sk.skc_flags >> SOCK_DEAD & 1:
            alive = sk.icsk_rto < TCP_RTO_MAX
            retry_until = tcp_orphan_retries(sk, alive)
            do_reset = alive or not retransmits_timed_out(sk, retry_until, 0)
            if tcp_out_of_resources(sk, do_reset):
                return True
    if not expired:
        expired = retransmits_timed_out(sk, retry_until, sk.icsk_user_timeout)
    tcp_fastopen.tcp_fastopen_active_detect_blackhole(sk, expired)
    if expired:
        tcp_write_err(sk)
        return True
    if sk_rethink_txhash(sk):
        sk.timeout_rehash += 1
        sk.skc_net.mib.net_statistics[LINUX_MIB_TCPTIMEOUTREHASH] += 1
    return False
