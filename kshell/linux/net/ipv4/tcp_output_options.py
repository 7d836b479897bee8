"""The options of outgoing TCP headers (part of net/ipv4/tcp_output.c)."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from kshell.abi.tcp import TCPOPT_FASTOPEN
from kshell.linux.include.linux.tcp import tcp_fastopen_cookie
from kshell.linux.include.linux.time64 import NSEC_PER_MSEC
from kshell.linux.include.net.tcp import (
    MAX_TCP_OPTION_SPACE,
    TCP_SYNACK_COOKIE,
    TCPOLEN_EXP_FASTOPEN_BASE,
    TCPOLEN_FASTOPEN_BASE,
    TCPOLEN_MD5SIG_ALIGNED,
    TCPOLEN_MSS_ALIGNED,
    TCPOLEN_SACK_BASE_ALIGNED,
    TCPOLEN_SACK_PERBLOCK,
    TCPOLEN_SACKPERM_ALIGNED,
    TCPOLEN_TSTAMP_ALIGNED,
    TCPOLEN_WSCALE_ALIGNED,
    TCPOPT_FASTOPEN_MAGIC,
    U32,
)
from kshell.linux.net.ipv4 import tcp_output_mss

if TYPE_CHECKING:
    from kshell.linux.include.linux.skbuff import sk_buff
    from kshell.linux.include.linux.tcp import tcp_request_sock, tcp_sock
    from kshell.linux.include.net.tcp import tcp_md5sig_key

OPTION_SACK_ADVERTISE = 1 << 0
OPTION_TS = 1 << 1
OPTION_MD5 = 1 << 2
OPTION_WSCALE = 1 << 3
OPTION_FAST_OPEN_COOKIE = 1 << 8

_TIMESTAMP = struct.Struct(">IQ")
_NOP_NOP_TS = 0x0101080A
_SACKPERM_TS = 0x0402080A


class tcp_out_options:
    """What tcp_options_write() is to write."""

    __slots__ = ("fastopen_cookie", "mss", "num_sack_blocks", "options", "tsecr", "tsval", "ws")

    def __init__(self) -> None:
        self.options = 0
        self.mss = 0
        self.ws = 0
        self.num_sack_blocks = 0
        self.tsval = 0
        self.tsecr = 0
        self.fastopen_cookie: tcp_fastopen_cookie | None = None


def bpf_skops_hdr_opt_len(sk: tcp_sock | None, skb: sk_buff | None) -> None:
    """Where a BPF program could claim option space; none is loaded."""


def bpf_skops_write_hdr_opt(sk: tcp_sock | None, skb: sk_buff) -> None:
    """Where a BPF program could write options; none is loaded."""


def tcp_options_write(tp: tcp_sock | None, opts: tcp_out_options) -> bytes:
    """The option bytes, in Linux's order."""
    options = opts.options
    if options == OPTION_TS and not opts.num_sack_blocks:
        return _TIMESTAMP.pack(_NOP_NOP_TS, opts.tsval << 32 | opts.tsecr)
    out = b""
    if options & OPTION_MD5:
        out = b"\x01\x01\x13\x12" + bytes(16)
    if opts.mss:
        out += struct.pack(">BBH", 2, 4, opts.mss)
    if options & OPTION_TS:
        head = _NOP_NOP_TS
        if options & OPTION_SACK_ADVERTISE:
            head = _SACKPERM_TS
            options &= ~OPTION_SACK_ADVERTISE
        out += _TIMESTAMP.pack(head, opts.tsval << 32 | opts.tsecr)
    if options & OPTION_SACK_ADVERTISE:
        out += b"\x01\x01\x04\x02"
    if options & OPTION_WSCALE:
        out += bytes((1, 3, 3, opts.ws))
    if opts.num_sack_blocks and tp is not None:
        out += _sack_option(tp, opts.num_sack_blocks)
    if options & OPTION_FAST_OPEN_COOKIE and opts.fastopen_cookie is not None:
        out += _fastopen_option(opts.fastopen_cookie)
    return out


def _sack_option(tp: tcp_sock, num: int) -> bytes:
    blocks = tp.duplicate_sack + tp.selective_acks if tp.rx_opt.dsack else tp.selective_acks
    out = bytes((1, 1, 5, 2 + num * TCPOLEN_SACK_PERBLOCK))
    for block in blocks[:num]:
        out += struct.pack(">II", block.start_seq, block.end_seq)
    tp.rx_opt.dsack = 0
    return out


def _fastopen_option(foc: tcp_fastopen_cookie) -> bytes:
    if foc.exp:
        out = struct.pack(">BBH", 254, TCPOLEN_EXP_FASTOPEN_BASE + foc.len, TCPOPT_FASTOPEN_MAGIC)
    else:
        out = bytes((TCPOPT_FASTOPEN, TCPOLEN_FASTOPEN_BASE + foc.len))
    out += foc.val[: foc.len]
    return out + b"\x01" * (-len(out) & 3)


def _cookie_space(foc: tcp_fastopen_cookie) -> int:
    return foc.len + (TCPOLEN_EXP_FASTOPEN_BASE if foc.exp else TCPOLEN_FASTOPEN_BASE) + 3 & ~3


def tcp_syn_options(sk: tcp_sock, skb: sk_buff, opts: tcp_out_options) -> int:
    """Choose the options of a SYN: MSS, SACK permitted, timestamps, window scale. The bytes they take."""
    ipv4 = sk.sk_net.ipv4
    remaining = MAX_TCP_OPTION_SPACE
    md5 = sk.md5sig_info is not None
    if md5:
        opts.options |= OPTION_MD5
        remaining -= TCPOLEN_MD5SIG_ALIGNED
    opts.mss = tcp_output_mss.tcp_advertise_mss(sk)
    remaining -= TCPOLEN_MSS_ALIGNED
    if ipv4.sysctl_tcp_timestamps and not md5:
        opts.options |= OPTION_TS
        opts.tsval = skb.tstamp // NSEC_PER_MSEC + sk.tsoffset & U32
        opts.tsecr = sk.rx_opt.ts_recent
        remaining -= TCPOLEN_TSTAMP_ALIGNED
    if ipv4.sysctl_tcp_window_scaling:
        opts.ws = sk.rx_opt.rcv_wscale
        opts.options |= OPTION_WSCALE
        remaining -= TCPOLEN_WSCALE_ALIGNED
    if ipv4.sysctl_tcp_sack:
        opts.options |= OPTION_SACK_ADVERTISE
        if not opts.options & OPTION_TS:
            remaining -= TCPOLEN_SACKPERM_ALIGNED
    fastopen = sk.fastopen_req
    if fastopen is not None and fastopen.cookie.len >= 0:
        need = _cookie_space(fastopen.cookie)
        if remaining >= need:
            opts.options |= OPTION_FAST_OPEN_COOKIE
            opts.fastopen_cookie = fastopen.cookie
            remaining -= need
            sk.syn_fastopen = 1
            sk.syn_fastopen_exp = 1 if fastopen.cookie.exp else 0
    bpf_skops_hdr_opt_len(sk, skb)
    return MAX_TCP_OPTION_SPACE - remaining


def tcp_synack_options(
    sk: tcp_sock, req: tcp_request_sock, mss: int, skb: sk_buff, opts: tcp_out_options,
    md5: tcp_md5sig_key | None, foc: tcp_fastopen_cookie | None, synack_type: int,
) -> int:  # fmt: skip
    """Choose the options of a SYN-ACK: what the SYN offered. The bytes they take."""
    remaining = MAX_TCP_OPTION_SPACE
    if md5 is not None:
        opts.options |= OPTION_MD5
        remaining -= TCPOLEN_MD5SIG_ALIGNED
        if synack_type != TCP_SYNACK_COOKIE:
            req.tstamp_ok &= not req.sack_ok
    opts.mss = mss
    remaining -= TCPOLEN_MSS_ALIGNED
    if req.wscale_ok:
        opts.ws = req.rcv_wscale
        opts.options |= OPTION_WSCALE
        remaining -= TCPOLEN_WSCALE_ALIGNED
    if req.tstamp_ok:
        opts.options |= OPTION_TS
        opts.tsval = skb.tstamp // NSEC_PER_MSEC + req.ts_off & U32
        opts.tsecr = req.ts_recent
        remaining -= TCPOLEN_TSTAMP_ALIGNED
    if req.sack_ok:
        opts.options |= OPTION_SACK_ADVERTISE
        if not req.tstamp_ok:
            remaining -= TCPOLEN_SACKPERM_ALIGNED
    if foc is not None and foc.len >= 0:
        need = _cookie_space(foc)
        if remaining >= need:
            opts.options |= OPTION_FAST_OPEN_COOKIE
            opts.fastopen_cookie = foc
            remaining -= need
    bpf_skops_hdr_opt_len(sk, skb)
    return MAX_TCP_OPTION_SPACE - remaining


def tcp_established_options(sk: tcp_sock, skb: sk_buff | None, opts: tcp_out_options) -> int:
    """Choose the options of a segment on a connection: timestamps, SACK blocks. The bytes they take."""
    rx_opt = sk.rx_opt
    size = 0
    if sk.md5sig_info is not None:
        opts.options |= OPTION_MD5
        size = TCPOLEN_MD5SIG_ALIGNED
    if rx_opt.tstamp_ok:
        opts.options |= OPTION_TS
        if skb is not None:
            opts.tsval = skb.tstamp // NSEC_PER_MSEC + sk.tsoffset & U32
        opts.tsecr = rx_opt.ts_recent
        size += TCPOLEN_TSTAMP_ALIGNED
    eff_sacks = rx_opt.num_sacks + rx_opt.dsack
    if eff_sacks:
        remaining = MAX_TCP_OPTION_SPACE - size
        if remaining < TCPOLEN_SACK_BASE_ALIGNED + TCPOLEN_SACK_PERBLOCK:
            return size
        opts.num_sack_blocks = min(eff_sacks, (remaining - TCPOLEN_SACK_BASE_ALIGNED) // TCPOLEN_SACK_PERBLOCK)
        size += TCPOLEN_SACK_BASE_ALIGNED + opts.num_sack_blocks * TCPOLEN_SACK_PERBLOCK
    return size
