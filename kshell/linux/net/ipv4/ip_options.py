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
from kshell.abi.rtnetlink import RTN_UNICAST
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.ip import iphdr
from kshell.linux.include.linux.skbuff import sk_buff
from kshell.linux.include.linux.sockptr import copy_from_sockptr
from kshell.linux.include.net.inet_sock import ip_options, ip_options_rcu
from kshell.linux.include.net.ip import IPCB
from kshell.linux.include.net.rtable import rtable
from kshell.linux.kernel.capability import ns_capable
from kshell.linux.kernel.time.timekeeping import ktime_get_real
from kshell.linux.net.ipv4 import fib_frontend, icmp, route

if TYPE_CHECKING:
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
