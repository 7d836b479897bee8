"""Segment size, path MTU and receive window (part of net/ipv4/tcp_output.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.linux.include.linux.snmp import (
    LINUX_MIB_TCPFROMZEROWINDOWADV,
    LINUX_MIB_TCPTOZEROWINDOWADV,
    LINUX_MIB_TCPWANTZEROWINDOWADV,
)
from kshell.linux.include.linux.tcp import tcp_sock
from kshell.linux.include.net.tcp import MAX_TCP_WINDOW, TCP_MAX_WSCALE, TCP_MIN_MSS
from kshell.linux.include.net.tcp_window import tcp_bound_to_half_wnd, tcp_full_space, tcp_receive_window, tcp_space
from kshell.linux.net.ipv4 import tcp_output_options

if TYPE_CHECKING:
    from kshell.linux.include.net.dst import dst_entry
    from kshell.linux.include.net.sock import sock

U16_MAX = 0xFFFF
TCPHDR_LEN = 20


def tcp_dst_advmss(dst: dst_entry) -> int:
    """The MSS to advertise on a route."""
    return _dst_advmss(dst)


def _dst_advmss(dst: dst_entry) -> int:
    """dst_metric_advmss()."""
    return max(dst.ops.default_advmss(dst), TCP_MIN_MSS)


def tcp_advertise_mss(sk: tcp_sock) -> int:
    """The MSS for the SYN: the route may have shrunk since the socket noted it."""
    mss = sk.advmss
    dst = sk.sk_dst_cache
    if dst is not None:
        metric = _dst_advmss(dst)
        if metric < mss:
            mss = sk.advmss = metric
    return mss


def tcp_select_initial_window(
    sk: sock, space: int, mss: int, window_clamp: int, wscale_ok: int, init_rcv_wnd: int
) -> tuple[int, int, int]:
    """(rcv_wnd, window_clamp, rcv_wscale) for a SYN from the receive buffer's `space`."""
    ipv4 = sk.skc_net.ipv4
    space = max(space, 0)
    if window_clamp == 0:
        window_clamp = U16_MAX << TCP_MAX_WSCALE
    space = min(window_clamp, space)
    if space > mss:
        space -= space % mss
    rcv_wnd = min(space, MAX_TCP_WINDOW if ipv4.sysctl_tcp_workaround_signed_windows else U16_MAX)
    if init_rcv_wnd:
        rcv_wnd = min(rcv_wnd, init_rcv_wnd * mss)
    rcv_wscale = 0
    if wscale_ok:
        space = max(space, ipv4.sysctl_tcp_rmem[2], sk.skc_net.kernel.sysctl_rmem_max)
        space = min(space, window_clamp)
        rcv_wscale = min(max(space.bit_length() - 1 - 15, 0), TCP_MAX_WSCALE)
    return rcv_wnd, min(U16_MAX << rcv_wscale, window_clamp), rcv_wscale


def tcp_adjust_rcv_ssthresh(tp: tcp_sock, new_ssthresh: int) -> None:
    """Hold the advertised window down under memory pressure."""
    tp.rcv_ssthresh = min(tp.rcv_ssthresh, new_ssthresh)


def __tcp_select_window(sk: tcp_sock) -> int:
    """The window to offer: free receive space, without silly small steps; never shrunk by the caller."""
    ipv4 = sk.skc_net.ipv4
    rx_opt = sk.rx_opt
    mss = sk.icsk_ack.rcv_mss
    free_space = tcp_space(sk)
    allowed_space = tcp_full_space(sk)
    full_space = min(sk.window_clamp, allowed_space)
    if mss > full_space:
        mss = full_space
        if mss <= 0:
            return 0
    wscale = rx_opt.rcv_wscale
    scale = (1 << wscale) - 1
    shrink = ipv4.sysctl_tcp_shrink_window and wscale
    if shrink:
        free_space &= ~scale
    if free_space < full_space >> 1:
        sk.icsk_ack.quick = 0
        if sk.skc_net.kernel.tcp_memory_pressure:
            tcp_adjust_rcv_ssthresh(sk, 4 * sk.advmss)
        free_space &= ~scale
        if free_space < allowed_space >> 4 or free_space < mss or (shrink and free_space < 1 << wscale):
            return 0
    if free_space > sk.rcv_ssthresh:
        free_space = sk.rcv_ssthresh
        if shrink:
            return free_space + scale & ~scale
    if shrink:
        return free_space
    if wscale:
        return free_space + scale & ~scale
    window = sk.rcv_wnd
    if window <= free_space - mss or window > free_space:
        window = free_space - free_space % mss
    elif mss == full_space and free_space > window + (full_space >> 1):
        window = free_space
    return window


def tcp_select_window(sk: tcp_sock) -> int:
    """The window field of the segment about to be sent; what it promises is noted in rcv_wnd, rcv_wup."""
    old_win = sk.rcv_wnd
    cur_win = tcp_receive_window(sk)
    new_win = __tcp_select_window(sk)
    net = sk.skc_net
    wscale = sk.rx_opt.rcv_wscale
    if new_win < cur_win and not (net.ipv4.sysctl_tcp_shrink_window and wscale):
        if new_win == 0:
            net.mib.net_statistics[LINUX_MIB_TCPWANTZEROWINDOWADV] += 1
        scale = (1 << wscale) - 1
        new_win = cur_win + scale & ~scale
    sk.rcv_wnd = new_win
    sk.rcv_wup = sk.rcv_nxt
    if not wscale and net.ipv4.sysctl_tcp_workaround_signed_windows:
        new_win = min(new_win, MAX_TCP_WINDOW)
    else:
        new_win = min(new_win, 65535 << wscale)
    new_win >>= wscale
    if new_win == 0:
        sk.pred_flags = 0
        if old_win:
            net.mib.net_statistics[LINUX_MIB_TCPTOZEROWINDOWADV] += 1
    elif old_win == 0:
        net.mib.net_statistics[LINUX_MIB_TCPFROMZEROWINDOWADV] += 1
    return new_win


def __tcp_mtu_to_mss(sk: tcp_sock, pmtu: int) -> int:
    mss_now = min(pmtu - sk.icsk_af_ops.net_header_len - TCPHDR_LEN, sk.rx_opt.mss_clamp)
    return max(mss_now - sk.icsk_ext_hdr_len, sk.skc_net.ipv4.sysctl_tcp_min_snd_mss)


def tcp_mtu_to_mss(sk: tcp_sock, pmtu: int) -> int:
    """Payload bytes of a segment on a path of this MTU, options taken off."""
    return __tcp_mtu_to_mss(sk, pmtu) - (sk.tcp_header_len - TCPHDR_LEN)


def tcp_mss_to_mtu(sk: tcp_sock, mss: int) -> int:
    """The MTU that such segments need."""
    return mss + sk.tcp_header_len + sk.icsk_ext_hdr_len + sk.icsk_af_ops.net_header_len


def tcp_mtup_init(sk: tcp_sock) -> None:
    """Set up path MTU probing (off unless tcp_mtu_probing is 2)."""
    ipv4 = sk.skc_net.ipv4
    mtup = sk.icsk_mtup
    mtup.enabled = int(ipv4.sysctl_tcp_mtu_probing > 1)
    mtup.search_high = sk.rx_opt.mss_clamp + TCPHDR_LEN + sk.icsk_af_ops.net_header_len
    mtup.search_low = tcp_mss_to_mtu(sk, ipv4.sysctl_tcp_base_mss)
    mtup.probe_size = 0
    if mtup.enabled:
        mtup.probe_timestamp = sk.skc_net.kernel.jiffies


def tcp_sync_mss(sk: tcp_sock, pmtu: int) -> int:
    """Note a new path MTU; the MSS that follows, at most half of the largest window the peer offered."""
    mtup = sk.icsk_mtup
    if mtup.search_high > pmtu:
        mtup.search_high = pmtu
    mss_now = tcp_bound_to_half_wnd(sk, tcp_mtu_to_mss(sk, pmtu))
    sk.icsk_pmtu_cookie = pmtu
    if mtup.enabled:
        mss_now = min(mss_now, tcp_mtu_to_mss(sk, mtup.search_low))
    sk.mss_cache = mss_now
    return mss_now


def tcp_current_mss(sk: tcp_sock) -> int:
    """The MSS now: the cached one, less what options take beyond the usual."""
    mss_now = sk.mss_cache
    dst = sk.sk_dst_cache
    if dst is not None:
        mtu = dst.ops.mtu(dst)
        if mtu != sk.icsk_pmtu_cookie:
            mss_now = tcp_sync_mss(sk, mtu)
    opts = tcp_output_options.tcp_out_options()
    header_len = tcp_output_options.tcp_established_options(sk, None, opts) + TCPHDR_LEN
    return mss_now - (header_len - sk.tcp_header_len)


tcp_sock.icsk_sync_mss = staticmethod(tcp_sync_mss)  # type: ignore[assignment]  # as tcp_init_sock() does
