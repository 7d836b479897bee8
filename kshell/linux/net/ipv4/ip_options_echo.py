"""The options of an answer (part of net/ipv4/ip_options.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.inet import IPOPT_END, IPOPT_TS_PRESPEC
from kshell.abi.rtnetlink import RTN_UNICAST
from kshell.linux.include.linux.skbuff import sk_buff
from kshell.linux.include.net.inet_sock import ip_options
from kshell.linux.net.ipv4 import fib_frontend
from kshell.linux.net.ipv4.ip_options import _IPH

if TYPE_CHECKING:
    from kshell.linux.include.net.net_namespace import net as net_t


def __ip_options_echo(net: net_t, dopt: ip_options, skb: sk_buff, sopt: ip_options | None) -> bool:
    """Make the options of an answer from those received; False if they are bad."""
    if sopt is None or not sopt._data:
        return True
    src = skb.network_header._options  # type: ignore[attr-defined]
    out = dopt._data
    if sopt.rr:
        piece = _option_at(src, sopt.rr)
        optlen, soffset = piece[1], piece[2]
        dopt.rr = len(out) + _IPH
        if sopt.rr_needaddr and soffset <= optlen:
            if soffset + 3 > optlen:
                return False
            piece[2] = soffset + 4
            dopt.rr_needaddr = 1
        out += piece
    if sopt.ts and not _echo_timestamp(net, dopt, sopt, _option_at(src, sopt.ts)):
        return False
    if sopt.srr:
        _echo_source_route(dopt, sopt, _option_at(src, sopt.srr), skb)
    if sopt.cipso:
        dopt.cipso = len(out) + _IPH
        out += _option_at(src, sopt.cipso)
    while len(out) & 3:
        out.append(IPOPT_END)
    return True


def _option_at(src: bytes, offset: int) -> bytearray:
    at = offset - _IPH
    return bytearray(src[at : at + src[at + 1]])


def _echo_timestamp(net: net_t, dopt: ip_options, sopt: ip_options, piece: bytearray) -> bool:
    optlen, soffset = piece[1], piece[2]
    dopt.ts = len(dopt._data) + _IPH
    if soffset <= optlen:
        if sopt.ts_needaddr:
            if soffset + 3 > optlen:
                return False
            dopt.ts_needaddr = 1
            soffset += 4
        if sopt.ts_needtime:
            if soffset + 3 > optlen:
                return False
            if piece[3] & 0xF != IPOPT_TS_PRESPEC:
                dopt.ts_needtime = 1
                soffset += 4
            elif soffset + 7 <= optlen:
                addr = int.from_bytes(piece[soffset - 1 : soffset + 3], "big")
                if fib_frontend.inet_addr_type(net, addr) != RTN_UNICAST:
                    dopt.ts_needtime = 1
                    soffset += 8
        piece[2] = soffset
    dopt._data += piece
    return True


def _echo_source_route(dopt: ip_options, sopt: ip_options, start: bytearray, skb: sk_buff) -> None:
    """The way back is the way here, reversed."""
    optlen, soffset = start[1], start[2]
    hops = []
    soffset = min(soffset, optlen + 1) - 4
    if soffset <= 3:
        return
    faddr = int.from_bytes(start[soffset - 1 : soffset + 3], "big")
    soffset -= 4
    while soffset > 3:
        hops.append(bytes(start[soffset - 1 : soffset + 3]))
        soffset -= 4
    saddr = skb.network_header.saddr  # type: ignore[attr-defined]
    count = len(hops) + 1
    if saddr == int.from_bytes(start[soffset + 3 : soffset + 7], "big"):
        count -= 1
    if count > 0:
        body = b"".join(hops)[: (count - 1) * 4 + 4]
        body = body.ljust(count * 4 - 0, b"\0")[: count * 4]
        dopt.faddr = faddr
        dopt.srr = len(dopt._data) + _IPH
        dopt._data += bytes((start[0], count * 4 + 3, 4)) + body
        dopt.is_strictroute = sopt.is_strictroute
