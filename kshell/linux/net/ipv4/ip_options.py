"""net/ipv4/ip_options.c: checking, building, echoing IP options.

`opt._data` holds the option bytes; offsets such as opt.srr count from the start of the IP header, 20 bytes before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.capability import CAP_NET_RAW
from kshell.abi.errno import EINVAL, EPERM
from kshell.abi.inet import (
    ICMP_PARAMETERPROB,
    IPOPT_CIPSO,
    IPOPT_COPY,
    IPOPT_END,
    IPOPT_LSRR,
    IPOPT_NOOP,
    IPOPT_RA,
    IPOPT_RR,
    IPOPT_SSRR,
    IPOPT_TIMESTAMP,
    IPOPT_TS_PRESPEC,
    IPOPT_TS_TSANDADDR,
    IPOPT_TS_TSONLY,
)
from kshell.abi.packet import PACKET_HOST
from kshell.abi.rtnetlink import RTN_LOCAL, RTN_UNICAST
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.ip import iphdr
from kshell.linux.include.linux.skbuff import sk_buff
from kshell.linux.include.linux.sockptr import copy_from_sockptr
from kshell.linux.include.net.inet_sock import ip_options, ip_options_rcu
from kshell.linux.include.net.ip import IPCB
from kshell.linux.include.net.rtable import rtable
from kshell.linux.kernel.capability import ns_capable
from kshell.linux.kernel.time.timekeeping import ktime_get_real
from kshell.linux.net.core.dst import dst_release
from kshell.linux.net.ipv4 import fib_frontend, icmp, route, route_input

if TYPE_CHECKING:
    from kshell.linux.include.linux.netdevice import net_device
    from kshell.linux.include.linux.sockptr import sockptr_t
    from kshell.linux.include.net.net_namespace import net as net_t


_IPH = 20


def inet_current_timestamp(net: net_t) -> int:
    """Milliseconds since midnight UTC, as IP and ICMP time stamps have them."""
    return ktime_get_real(net.kernel) // 1_000_000 % 86_400_000


def ip_options_build(skb: sk_buff, opt: ip_options, daddr: int, rt: rtable) -> None:
    """Put options into a packet that starts here."""
    iph = skb.network_header
    assert isinstance(iph, iphdr)
    data = bytearray(opt._data)
    cb_opt = IPCB(skb).opt
    for name in ip_options.__slots__:
        setattr(cb_opt, name, getattr(opt, name))
    cb_opt._data = data
    if opt.srr:
        at = opt.srr - _IPH
        at += data[at + 1] - 4
        data[at : at + 4] = daddr.to_bytes(4, "big")
    if opt.rr_needaddr:
        at = opt.rr - _IPH
        at += data[at + 2] - 5
        data[at : at + 4] = route.ip_rt_get_source(skb, rt).to_bytes(4, "big")
    if opt.ts_needaddr:
        at = opt.ts - _IPH
        at += data[at + 2] - 9
        data[at : at + 4] = route.ip_rt_get_source(skb, rt).to_bytes(4, "big")
    if opt.ts_needtime:
        at = opt.ts - _IPH
        at += data[at + 2] - 5
        data[at : at + 4] = inet_current_timestamp(rt.dev.nd_net).to_bytes(4, "big")
    iph._options = bytes(data)
    iph.ihl = 5 + (len(data) >> 2)


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


def ip_options_fragment(skb: sk_buff) -> None:
    """Overwrite the options that only a first fragment has."""
    opt = IPCB(skb).opt
    data = opt._data
    at = 0
    while at < len(data):
        kind = data[at]
        if kind == IPOPT_END:
            return
        if kind == IPOPT_NOOP:
            at += 1
            continue
        optlen = data[at + 1]
        if optlen < 2 or optlen > len(data) - at:
            return
        if not kind & IPOPT_COPY:
            data[at : at + optlen] = bytes((IPOPT_NOOP,)) * optlen
        at += optlen
    opt.ts = opt.rr = opt.rr_needaddr = opt.ts_needaddr = opt.ts_needtime = 0
    iph = skb.network_header
    assert isinstance(iph, iphdr)
    iph._options = bytes(data)


class _BadOption(Exception):
    """at: offset of the wrong byte in the options."""

    def __init__(self, at: int) -> None:
        self.at = at


class _compile_state:
    """What the checks of the single options share."""

    __slots__ = ("data", "net", "opt", "rt", "skb", "spec_dst")

    def __init__(self, net: net_t, opt: ip_options, skb: sk_buff | None) -> None:
        self.net = net
        self.opt = opt
        self.skb = skb
        self.rt = skb._skb_refdst if skb is not None else None
        self.data = opt._data
        self.spec_dst = 0


def spec_dst_fill(st: _compile_state) -> bytes:
    """Our address towards the sender, looked up once."""
    if not st.spec_dst:
        assert st.skb is not None
        st.spec_dst = fib_frontend.fib_compute_spec_dst(st.skb)
    return st.spec_dst.to_bytes(4, "big")


def _compile_srr(st: _compile_state, at: int, optlen: int) -> None:
    data, opt = st.data, st.opt
    if optlen < 3:
        raise _BadOption(at + 1)
    if data[at + 2] < 4:
        raise _BadOption(at + 2)
    if opt.srr:
        raise _BadOption(at)
    if st.skb is None:
        if data[at + 2] != 4 or optlen < 7 or (optlen - 3) & 3:
            raise _BadOption(at + 1)
        opt.faddr = int.from_bytes(data[at + 3 : at + 7], "big")
        if optlen > 7:
            data[at + 3 : at + optlen - 4] = data[at + 7 : at + optlen]
    opt.is_strictroute = int(data[at] == IPOPT_SSRR)
    opt.srr = at + _IPH


def _compile_rr(st: _compile_state, at: int, optlen: int) -> None:
    data, opt = st.data, st.opt
    if opt.rr:
        raise _BadOption(at)
    if optlen < 3:
        raise _BadOption(at + 1)
    pointer = data[at + 2]
    if pointer < 4:
        raise _BadOption(at + 2)
    if pointer <= optlen:
        if pointer + 3 > optlen:
            raise _BadOption(at + 2)
        if st.rt is not None:
            data[at + pointer - 1 : at + pointer + 3] = spec_dst_fill(st)
            opt.is_changed = 1
        data[at + 2] += 4
        opt.rr_needaddr = 1
    opt.rr = at + _IPH


def _compile_timestamp(st: _compile_state, at: int, optlen: int) -> None:
    data, opt = st.data, st.opt
    if opt.ts:
        raise _BadOption(at)
    if optlen < 4:
        raise _BadOption(at + 1)
    pointer = data[at + 2]
    if pointer < 5:
        raise _BadOption(at + 2)
    if pointer <= optlen:
        _compile_ts_entry(st, at, optlen, pointer)
    elif data[at + 3] & 0xF != IPOPT_TS_PRESPEC:
        overflow = data[at + 3] >> 4
        if overflow == 15:
            raise _BadOption(at + 3)
        if st.skb is not None:
            data[at + 3] = (data[at + 3] & 0xF) | (overflow + 1) << 4
            opt.is_changed = 1
    opt.ts = at + _IPH


def _compile_ts_entry(st: _compile_state, at: int, optlen: int, pointer: int) -> None:
    data, opt = st.data, st.opt
    if pointer + 3 > optlen:
        raise _BadOption(at + 2)
    mode = data[at + 3] & 0xF
    timeptr = 0
    if mode == IPOPT_TS_TSONLY:
        timeptr = at + pointer - 1 if st.skb is not None else 0
        opt.ts_needtime = 1
        data[at + 2] += 4
    elif mode == IPOPT_TS_TSANDADDR:
        if pointer + 7 > optlen:
            raise _BadOption(at + 2)
        if st.rt is not None:
            data[at + pointer - 1 : at + pointer + 3] = spec_dst_fill(st)
            timeptr = at + pointer + 3
        opt.ts_needaddr = opt.ts_needtime = 1
        data[at + 2] += 8
    elif mode == IPOPT_TS_PRESPEC:
        if pointer + 7 > optlen:
            raise _BadOption(at + 2)
        addr = int.from_bytes(data[at + pointer - 1 : at + pointer + 3], "big")
        if fib_frontend.inet_addr_type(st.net, addr) != RTN_UNICAST:
            timeptr = at + pointer + 3 if st.skb is not None else 0
            opt.ts_needtime = 1
            data[at + 2] += 8
    elif st.skb is None and not _may_set_any(st.net):
        raise _BadOption(at + 3)
    if timeptr:
        data[timeptr : timeptr + 4] = inet_current_timestamp(st.net).to_bytes(4, "big")
        opt.is_changed = 1


def _may_set_any(net: net_t) -> bool:
    return ns_capable(net.kernel.current, net.user_ns, CAP_NET_RAW)


def _compile_one(st: _compile_state, at: int, optlen: int) -> None:
    kind = st.data[at]
    if kind in (IPOPT_SSRR, IPOPT_LSRR):
        _compile_srr(st, at, optlen)
    elif kind == IPOPT_RR:
        _compile_rr(st, at, optlen)
    elif kind == IPOPT_TIMESTAMP:
        _compile_timestamp(st, at, optlen)
    elif kind == IPOPT_RA:
        if optlen < 4:
            raise _BadOption(at + 1)
        if not st.data[at + 2] and not st.data[at + 3]:
            st.opt.router_alert = at + _IPH
    elif kind == IPOPT_CIPSO:
        if (st.skb is None and not _may_set_any(st.net)) or st.opt.cipso:
            raise _BadOption(at)
        st.opt.cipso = at + _IPH
        if optlen < 8:
            raise _BadOption(at)
    elif st.skb is None and not _may_set_any(st.net):
        raise _BadOption(at)


def __ip_options_compile(net: net_t, opt: ip_options, skb: sk_buff | None) -> int | None:
    """Check the options and note where each is; None, or the offset of what is wrong in the IP header."""
    st = _compile_state(net, opt, skb)
    data = st.data
    at = 0
    try:
        while at < len(data):
            if data[at] == IPOPT_END:
                if any(data[at + 1 :]):
                    data[at:] = bytes(len(data) - at)
                    opt.is_changed = 1
                break
            if data[at] == IPOPT_NOOP:
                at += 1
                continue
            if len(data) - at < 2:
                raise _BadOption(at)
            optlen = data[at + 1]
            if optlen < 2 or optlen > len(data) - at:
                raise _BadOption(at)
            _compile_one(st, at, optlen)
            at += optlen
    except _BadOption as bad:
        return bad.at + _IPH
    return None


def ip_options_compile(net: net_t, opt: ip_options, skb: sk_buff | None) -> None:
    """The same for setsockopt (skb None) or a received packet, which is answered by ICMP when bad. EINVAL."""
    bad = __ip_options_compile(net, opt, skb)
    if bad is None:
        return
    if skb is not None:
        icmp.icmp_send(skb, ICMP_PARAMETERPROB, 0, bad << 24)
    raise KernelError(EINVAL)


def ip_options_undo(opt: ip_options) -> None:
    """The options as the user gave them."""
    data = opt._data
    if opt.srr:
        at = opt.srr - _IPH
        optlen = data[at + 1]
        data[at + 7 : at + optlen] = data[at + 3 : at + optlen - 4]
        data[at + 3 : at + 7] = opt.faddr.to_bytes(4, "big")
    if opt.rr_needaddr:
        at = opt.rr - _IPH
        data[at + 2] -= 4
        _zero(data, at + data[at + 2] - 1)
    if opt.ts:
        at = opt.ts - _IPH
        if opt.ts_needtime:
            data[at + 2] -= 4
            _zero(data, at + data[at + 2] - 1)
            if data[at + 3] & 0xF == IPOPT_TS_PRESPEC:
                data[at + 2] -= 4
        if opt.ts_needaddr:
            data[at + 2] -= 4
            _zero(data, at + data[at + 2] - 1)


def _zero(data: bytearray, at: int) -> None:
    data[at : at + 4] = bytes(4)


def ip_options_get(net: net_t, data: sockptr_t | bytes, optlen: int) -> ip_options_rcu:
    """Options from the user. EFAULT, EINVAL, EPERM (source route without CAP_NET_RAW)."""
    raw = data[:optlen] if isinstance(data, bytes) else copy_from_sockptr(data, optlen) if optlen else b""
    opt = ip_options_rcu(ip_options(raw + bytes(-optlen & 3)))
    if optlen:
        ip_options_compile(net, opt.opt, None)
    if opt.opt.srr and not _may_set_any(net):
        raise KernelError(EPERM)
    return opt


def ip_forward_options(skb: sk_buff) -> None:
    """Fill in what a router fills in."""
    opt = IPCB(skb).opt
    rt = skb._skb_refdst
    iph = skb.network_header
    assert isinstance(rt, rtable)
    assert isinstance(iph, iphdr)
    raw = bytearray(iph._options)
    if opt.rr_needaddr:
        at = opt.rr - _IPH
        at += raw[at + 2] - 5
        raw[at : at + 4] = route.ip_rt_get_source(skb, rt).to_bytes(4, "big")
        opt.is_changed = 1
    if opt.srr_is_hit:
        _forward_source_route(skb, rt, opt, iph, raw)
    iph._options = bytes(raw)
    if opt.is_changed:
        opt.is_changed = 0
        iph.check = None


def _forward_source_route(skb: sk_buff, rt: rtable, opt: ip_options, iph: iphdr, raw: bytearray) -> None:
    at = opt.srr - _IPH
    srrptr, srrspace = raw[at + 2], raw[at + 1]
    nexthop = opt.nexthop.to_bytes(4, "big")
    while srrptr + 3 <= srrspace and raw[at + srrptr - 1 : at + srrptr + 3] != nexthop:
        srrptr += 4
    if srrptr + 3 <= srrspace:
        opt.is_changed = 1
        iph.daddr = opt.nexthop
        raw[at + srrptr - 1 : at + srrptr + 3] = route.ip_rt_get_source(skb, rt).to_bytes(4, "big")
        raw[at + 2] = srrptr + 4
    if opt.ts_needaddr:
        at = opt.ts - _IPH
        at += raw[at + 2] - 9
        raw[at : at + 4] = route.ip_rt_get_source(skb, rt).to_bytes(4, "big")
        opt.is_changed = 1


def ip_options_rcv_srr(skb: sk_buff, dev: net_device) -> bool:
    """Follow a source route that leads through this host; False: drop the packet."""
    opt = IPCB(skb).opt
    iph = skb.network_header
    rt = skb._skb_refdst
    assert isinstance(iph, iphdr)
    if rt is None:
        return True
    assert isinstance(rt, rtable)
    if skb.pkt_type != PACKET_HOST:
        return False
    if rt.rt_type == RTN_UNICAST:
        if not opt.is_strictroute:
            return True
        icmp.icmp_send(skb, ICMP_PARAMETERPROB, 0, 16 << 24)
        return False
    if rt.rt_type != RTN_LOCAL:
        return False
    data, at = opt._data, opt.srr - _IPH
    srrptr, srrspace = data[at + 2], data[at + 1]
    nexthop = 0
    while srrptr <= srrspace:
        if srrptr + 3 > srrspace:
            icmp.icmp_send(skb, ICMP_PARAMETERPROB, 0, (opt.srr + 2) << 24)
            return False
        nexthop = int.from_bytes(data[at + srrptr - 1 : at + srrptr + 3], "big")
        old = skb._skb_refdst
        skb._skb_refdst = None
        err = route_input.ip_route_input(skb, nexthop, iph.saddr, iph.tos, dev)
        rt2 = skb._skb_refdst
        if err or not isinstance(rt2, rtable) or rt2.rt_type not in (RTN_UNICAST, RTN_LOCAL):
            dst_release(rt2)
            skb._skb_refdst = old
            return False
        dst_release(old)
        if rt2.rt_type != RTN_LOCAL:
            break
        iph.daddr = nexthop
        opt.is_changed = 1
        srrptr += 4
    if srrptr <= srrspace:
        opt.srr_is_hit = 1
        opt.nexthop = nexthop
        opt.is_changed = 1
    return True
