"""Options of incoming TCP headers (part of net/ipv4/tcp_input.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.tcp import (
    TCPOPT_EOL,
    TCPOPT_FASTOPEN,
    TCPOPT_MD5SIG,
    TCPOPT_MSS,
    TCPOPT_NOP,
    TCPOPT_SACK,
    TCPOPT_SACK_PERM,
    TCPOPT_TIMESTAMP,
    TCPOPT_WINDOW,
)
from kshell.linux.include.linux.tcp import (
    TCP_FASTOPEN_COOKIE_MAX,
    TCP_FASTOPEN_COOKIE_MIN,
    TCP_SACK_SEEN,
    tcp_fastopen_cookie,
    tcp_options_received,
    tcp_sock,
)
from kshell.linux.include.linux.tcp_header import tcphdr
from kshell.linux.include.net.tcp import (
    TCP_MAX_WSCALE,
    TCPHDR_SYN,
    TCPOLEN_EXP_FASTOPEN_BASE,
    TCPOLEN_FASTOPEN_BASE,
    TCPOLEN_MD5SIG,
    TCPOLEN_MSS,
    TCPOLEN_SACK_BASE,
    TCPOLEN_SACK_PERBLOCK,
    TCPOLEN_SACK_PERM,
    TCPOLEN_TIMESTAMP,
    TCPOLEN_WINDOW,
    TCPOPT_EXP,
    TCPOPT_FASTOPEN_MAGIC,
    U32,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kshell.linux.include.linux.skbuff import sk_buff
    from kshell.linux.include.net.net_namespace import net

_TS_HEAD = b"\x01\x01\x08\x0a"


def _options(th: tcphdr) -> Iterator[tuple[int, int, int]]:
    """(kind, size, offset of the value) of each well-formed option; ends at the first bad one."""
    data = th._options
    at, end = 0, len(data)
    while at < end:
        kind = data[at]
        if kind == TCPOPT_EOL:
            return
        if kind == TCPOPT_NOP:
            at += 1
            continue
        if end - at < 2:
            return
        size = data[at + 1]
        if size < 2 or size > end - at:
            return
        yield kind, size, at + 2
        at += size


def tcp_parse_fastopen_option(cookie: bytes, syn: bool, foc: tcp_fastopen_cookie | None, exp_opt: bool) -> None:
    """Note a Fast Open cookie, or the request of one."""
    length = len(cookie)
    if foc is None or not syn or length & 1:
        return
    if TCP_FASTOPEN_COOKIE_MIN <= length <= TCP_FASTOPEN_COOKIE_MAX:
        foc.val = cookie
    elif length:
        length = -1
    foc.len = length
    foc.exp = exp_opt


def _parse_syn_option(net: net, data: bytes, kind: int, size: int, at: int, opt_rx: tcp_options_received) -> None:
    if kind == TCPOPT_MSS and size == TCPOLEN_MSS:
        in_mss = int.from_bytes(data[at : at + 2], "big")
        if in_mss:
            opt_rx.mss_clamp = min(opt_rx.user_mss, in_mss) if opt_rx.user_mss else in_mss
    elif kind == TCPOPT_WINDOW and size == TCPOLEN_WINDOW and net.ipv4.sysctl_tcp_window_scaling:
        opt_rx.wscale_ok = 1
        opt_rx.snd_wscale = min(data[at], TCP_MAX_WSCALE)
    elif kind == TCPOPT_SACK_PERM and size == TCPOLEN_SACK_PERM and net.ipv4.sysctl_tcp_sack:
        opt_rx.sack_ok = TCP_SACK_SEEN
        opt_rx.dsack = 0
        opt_rx.num_sacks = 0


def tcp_parse_options(
    net: net, skb: sk_buff, opt_rx: tcp_options_received, estab: bool, foc: tcp_fastopen_cookie | None
) -> None:
    """Read all options into `opt_rx`; `estab` when the connection stands and only timestamps and SACK count."""
    th: tcphdr = skb.transport_header  # type: ignore[assignment]
    data = th._options
    syn = bool(th._flags & TCPHDR_SYN)
    opt_rx.saw_tstamp = 0
    opt_rx.saw_unknown = 0
    for kind, size, at in _options(th):
        if kind in (TCPOPT_MSS, TCPOPT_WINDOW, TCPOPT_SACK_PERM):
            if syn and not estab:
                _parse_syn_option(net, data, kind, size, at, opt_rx)
        elif kind == TCPOPT_TIMESTAMP:
            if size == TCPOLEN_TIMESTAMP and (opt_rx.tstamp_ok if estab else net.ipv4.sysctl_tcp_timestamps):
                opt_rx.saw_tstamp = 1
                opt_rx.rcv_tsval = int.from_bytes(data[at : at + 4], "big")
                opt_rx.rcv_tsecr = int.from_bytes(data[at + 4 : at + 8], "big")
        elif kind == TCPOPT_SACK:
            blocks = size - TCPOLEN_SACK_BASE
            if blocks >= TCPOLEN_SACK_PERBLOCK and not blocks % TCPOLEN_SACK_PERBLOCK and opt_rx.sack_ok:
                skb.cb.sacked = at - 2 + 20  # type: ignore[attr-defined]
        elif kind == TCPOPT_FASTOPEN:
            tcp_parse_fastopen_option(data[at : at + size - TCPOLEN_FASTOPEN_BASE], syn, foc, False)
        elif (
            kind == TCPOPT_EXP
            and size >= TCPOLEN_EXP_FASTOPEN_BASE
            and int.from_bytes(data[at : at + 2], "big") == TCPOPT_FASTOPEN_MAGIC
        ):
            tcp_parse_fastopen_option(data[at + 2 : at - 2 + size], syn, foc, True)
        elif kind != TCPOPT_MD5SIG:
            opt_rx.saw_unknown = 1


def tcp_parse_aligned_timestamp(tp: tcp_sock, th: tcphdr) -> bool:
    """Read the timestamps when they stand where Linux puts them; False otherwise."""
    data = th._options
    if data[:4] != _TS_HEAD:
        return False
    rx_opt = tp.rx_opt
    rx_opt.saw_tstamp = 1
    value = int.from_bytes(data[4:12], "big")
    rx_opt.rcv_tsval = value >> 32
    tsecr = value & U32
    rx_opt.rcv_tsecr = tsecr - tp.tsoffset & U32 if tsecr else 0
    return True


def tcp_fast_parse_options(net: net, skb: sk_buff, th: tcphdr, tp: tcp_sock) -> bool:
    """Read the options of a segment on a connection; False when there are none."""
    rx_opt = tp.rx_opt
    length = len(th._options)
    if not length:
        rx_opt.saw_tstamp = 0
        return False
    if rx_opt.tstamp_ok and length == 12 and tcp_parse_aligned_timestamp(tp, th):
        return True
    tcp_parse_options(net, skb, rx_opt, True, None)
    if rx_opt.saw_tstamp and rx_opt.rcv_tsecr:
        rx_opt.rcv_tsecr = rx_opt.rcv_tsecr - tp.tsoffset & U32
    return True


def tcp_parse_md5sig_option(th: tcphdr) -> bytes | None:
    """The MD5 signature of a segment."""
    if len(th._options) < TCPOLEN_MD5SIG:
        return None
    for kind, size, at in _options(th):
        if kind == TCPOPT_MD5SIG:
            return th._options[at : at + 16] if size == TCPOLEN_MD5SIG else None
    return None
