"""net/ipv4/tcp_metrics.c: what past connections taught about a peer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.linux.include.linux.jiffies import HZ
from kshell.linux.include.linux.tcp import tcp_fastopen_cookie
from kshell.linux.include.net.tcp import (
    TCP_INFINITE_SSTHRESH,
    TCP_TIMEOUT_FALLBACK,
    TCP_CA_Open,
)

if TYPE_CHECKING:
    from kshell.linux.include.linux.tcp import tcp_request_sock, tcp_sock
    from kshell.linux.include.net.dst import dst_entry
    from kshell.linux.include.net.net_namespace import net
    from kshell.linux.init.kernel import Kernel

TCP_METRIC_RTT = 0
TCP_METRIC_RTTVAR = 1
TCP_METRIC_SSTHRESH = 2
TCP_METRIC_CWND = 3
TCP_METRIC_REORDERING = 4
TCP_METRIC_MAX = 5
TCP_METRICS_TIMEOUT = 60 * 60 * HZ
_FALLBACK_US = 3000000


class tcp_fastopen_metrics:
    """Fast Open: the peer's MSS and cookie."""

    __slots__ = ("cookie", "last_syn_loss", "mss", "syn_loss", "try_exp")

    def __init__(self) -> None:
        self.mss = self.syn_loss = self.try_exp = self.last_syn_loss = 0
        self.cookie = tcp_fastopen_cookie(0)


class tcp_metrics_block:
    """Values for one pair of addresses; times in µs."""

    __slots__ = ("tcpm_daddr", "tcpm_fastopen", "tcpm_lock", "tcpm_saddr", "tcpm_stamp", "tcpm_vals")

    def __init__(self, saddr: int, daddr: int, stamp: int) -> None:
        self.tcpm_saddr = saddr
        self.tcpm_daddr = daddr
        self.tcpm_stamp = stamp
        self.tcpm_lock = 0
        self.tcpm_vals = [0] * TCP_METRIC_MAX
        self.tcpm_fastopen = tcp_fastopen_metrics()


def tcpm_suck_dst(tm: tcp_metrics_block, dst: dst_entry, now: int) -> None:
    """Start from what the route says."""
    metrics = dst._metrics or {}
    tm.tcpm_stamp = now
    tm.tcpm_lock = 0
    vals = tm.tcpm_vals
    vals[TCP_METRIC_RTT] = metrics.get(4, 0) * 1000
    vals[TCP_METRIC_RTTVAR] = metrics.get(5, 0) * 1000
    vals[TCP_METRIC_SSTHRESH] = metrics.get(6, 0)
    vals[TCP_METRIC_CWND] = metrics.get(7, 0)
    vals[TCP_METRIC_REORDERING] = metrics.get(9, 0)


def addr_same(a: tuple[int, int], b: tuple[int, int]) -> bool:
    """Whether an entry is that of a pair of addresses."""
    return a == b


def __tcp_get_metrics(net: net, saddr: int, daddr: int) -> tcp_metrics_block | None:
    """The entry of a pair of addresses."""
    tm = net.ipv4._tcp_metrics.get((saddr, daddr))
    if tm is not None and addr_same((tm.tcpm_saddr, tm.tcpm_daddr), (saddr, daddr)):
        return tm
    return None


def _tcp_get_metrics(net: net, saddr: int, daddr: int, dst: dst_entry, create: bool) -> tcp_metrics_block | None:
    now = net.kernel.jiffies
    tm = __tcp_get_metrics(net, saddr, daddr)
    if tm is None:
        if not create:
            return None
        tm = tcpm_new(net, saddr, daddr, dst)
    elif now > tm.tcpm_stamp + TCP_METRICS_TIMEOUT:
        tcpm_suck_dst(tm, dst, now)
    return tm


def tcpm_new(net: net, saddr: int, daddr: int, dst: dst_entry) -> tcp_metrics_block:
    """An entry for a pair of addresses."""
    now = net.kernel.jiffies
    tm = net.ipv4._tcp_metrics[saddr, daddr] = tcp_metrics_block(saddr, daddr, now)
    tcpm_suck_dst(tm, dst, now)
    return tm


def __tcp_get_metrics_req(req: tcp_request_sock, dst: dst_entry) -> tcp_metrics_block | None:
    """The entry for a handshake's peer."""
    return _tcp_get_metrics(req.ireq_net, req.ir_loc_addr, req.ir_rmt_addr, dst, False)


def tcp_get_metrics(sk: tcp_sock, dst: dst_entry | None, create: bool) -> tcp_metrics_block | None:
    """The entry for a connection's peer."""
    if dst is None:
        return None
    return _tcp_get_metrics(sk.skc_net, sk.inet_saddr, sk.inet_daddr, dst, create)


def _locked(tm: tcp_metrics_block, idx: int) -> int:
    return tm.tcpm_lock & 1 << idx


def tcp_update_metrics(sk: tcp_sock) -> None:
    """A connection ends: keep what it measured."""
    dst = sk.sk_dst_cache
    ipv4 = sk.skc_net.ipv4
    if dst is not None and not sk.sk_dst_pending_confirm:
        sk.sk_dst_pending_confirm = 1
    if ipv4.sysctl_tcp_nometrics_save or dst is None:
        return
    if sk.icsk_backoff or not sk.srtt_us:
        tm = tcp_get_metrics(sk, dst, False)
        if tm is not None and not _locked(tm, TCP_METRIC_RTT):
            tm.tcpm_vals[TCP_METRIC_RTT] = 0
        return
    tm = tcp_get_metrics(sk, dst, True)
    assert tm is not None
    _keep_rtt(sk, tm)
    _keep_window(sk, tm)
    tm.tcpm_stamp = sk.skc_net.kernel.jiffies


def _keep_rtt(sk: tcp_sock, tm: tcp_metrics_block) -> None:
    vals = tm.tcpm_vals
    rtt = vals[TCP_METRIC_RTT]
    m = rtt - sk.srtt_us
    if not _locked(tm, TCP_METRIC_RTT):
        vals[TCP_METRIC_RTT] = sk.srtt_us if m <= 0 else rtt - (m >> 3)
    if not _locked(tm, TCP_METRIC_RTTVAR):
        m = max(abs(m) >> 1, sk.mdev_us)
        var = vals[TCP_METRIC_RTTVAR]
        vals[TCP_METRIC_RTTVAR] = m if m >= var else var - (var - m >> 2)


def _set(tm: tcp_metrics_block, idx: int, val: int) -> None:
    if not tm.tcpm_lock & 1 << idx:
        tm.tcpm_vals[idx] = val


def _keep_window(sk: tcp_sock, tm: tcp_metrics_block) -> None:
    ipv4 = sk.skc_net.ipv4
    vals = tm.tcpm_vals
    save_ssthresh = not ipv4.sysctl_tcp_no_ssthresh_metrics_save
    cwnd, ssthresh = sk.snd_cwnd, sk.snd_ssthresh
    if ssthresh >= TCP_INFINITE_SSTHRESH:
        if save_ssthresh and vals[TCP_METRIC_SSTHRESH] and cwnd >> 1 > vals[TCP_METRIC_SSTHRESH]:
            _set(tm, TCP_METRIC_SSTHRESH, cwnd >> 1)
        if cwnd > vals[TCP_METRIC_CWND]:
            _set(tm, TCP_METRIC_CWND, cwnd)
    elif cwnd >= ssthresh and sk.icsk_ca_state == TCP_CA_Open:
        if save_ssthresh:
            _set(tm, TCP_METRIC_SSTHRESH, max(cwnd >> 1, ssthresh))
        _set(tm, TCP_METRIC_CWND, vals[TCP_METRIC_CWND] + cwnd >> 1)
    else:
        _set(tm, TCP_METRIC_CWND, vals[TCP_METRIC_CWND] + ssthresh >> 1)
        if save_ssthresh and vals[TCP_METRIC_SSTHRESH] and ssthresh > vals[TCP_METRIC_SSTHRESH]:
            _set(tm, TCP_METRIC_SSTHRESH, ssthresh)
        if vals[TCP_METRIC_REORDERING] < sk.reordering and sk.reordering != ipv4.sysctl_tcp_reordering:
            _set(tm, TCP_METRIC_REORDERING, sk.reordering)


def tcp_init_metrics(sk: tcp_sock) -> None:
    """A connection begins: start from what is known."""
    dst = sk.sk_dst_cache
    ipv4 = sk.skc_net.ipv4
    if dst is not None and not sk.sk_dst_pending_confirm:
        sk.sk_dst_pending_confirm = 1
    sk.snd_ssthresh = TCP_INFINITE_SSTHRESH
    tm = tcp_get_metrics(sk, dst, False)
    crtt = 0
    if tm is not None:
        vals = tm.tcpm_vals
        if _locked(tm, TCP_METRIC_CWND):
            sk.snd_cwnd_clamp = vals[TCP_METRIC_CWND]
        val = 0 if ipv4.sysctl_tcp_no_ssthresh_metrics_save else vals[TCP_METRIC_SSTHRESH]
        if val:
            sk.snd_ssthresh = min(val, sk.snd_cwnd_clamp)
        val = vals[TCP_METRIC_REORDERING]
        if val and sk.reordering != val:
            sk.reordering = val
        crtt = vals[TCP_METRIC_RTT]
    if crtt > sk.srtt_us:
        crtt //= 8 * 1000000 // HZ
        sk.icsk_rto = crtt + max(2 * crtt, sk.icsk_rto_min)
    elif sk.srtt_us == 0:
        sk.rttvar_us = sk.mdev_us = sk.mdev_max_us = _FALLBACK_US
        sk.icsk_rto = TCP_TIMEOUT_FALLBACK


def tcp_peer_is_proven(req: tcp_request_sock, dst: dst_entry | None) -> bool:
    """True when a connection with this peer stood before."""
    if dst is None:
        return False
    tm = __tcp_get_metrics_req(req, dst)
    return tm is not None and tm.tcpm_vals[TCP_METRIC_RTT] != 0


def tcp_fastopen_cache_get(sk: tcp_sock, mss: int, cookie: tcp_fastopen_cookie) -> int:
    """Fill in the peer's cookie; the peer's MSS, or `mss` if it is not known."""
    tm = tcp_get_metrics(sk, sk.sk_dst_cache, False)
    if tm is not None:
        tfom = tm.tcpm_fastopen
        mss = tfom.mss or mss
        cookie.len, cookie.val, cookie.exp = tfom.cookie.len, tfom.cookie.val, tfom.cookie.exp
        if cookie.len <= 0 and tfom.try_exp == 1:
            cookie.exp = True
    return mss


def tcp_fastopen_cache_set(
    sk: tcp_sock, mss: int, cookie: tcp_fastopen_cookie | None, syn_lost: bool, try_exp: int
) -> None:
    """Keep the peer's cookie and MSS."""
    tm = tcp_get_metrics(sk, sk.sk_dst_cache, True)
    if tm is None:
        return
    tfom = tm.tcpm_fastopen
    if mss:
        tfom.mss = mss
    if cookie is not None and cookie.len > 0:
        tfom.cookie = tcp_fastopen_cookie(cookie.len, cookie.val, cookie.exp)
    elif try_exp > tfom.try_exp and tfom.cookie.len <= 0 and not tfom.cookie.exp:
        tfom.try_exp = try_exp
    if syn_lost:
        tfom.syn_loss += 1
        tfom.last_syn_loss = sk.skc_net.kernel.jiffies
    else:
        tfom.syn_loss = 0


def tcp_net_metrics_init(net: net) -> None:
    """A namespace starts knowing nothing."""
    net.ipv4._tcp_metrics = {}


def tcp_metrics_init(kernel: Kernel) -> None:
    """At boot."""
    del kernel
