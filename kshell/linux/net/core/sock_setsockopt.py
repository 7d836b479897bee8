"""net/core/sock.c: setsockopt() at level SOL_SOCKET."""

from __future__ import annotations

import struct
from collections.abc import Callable
from types import MappingProxyType
from typing import TYPE_CHECKING

from kshell.abi import socket as so
from kshell.abi.capability import CAP_NET_ADMIN, CAP_NET_RAW
from kshell.abi.errno import EACCES, EINVAL, ENOPROTOOPT, EOPNOTSUPP, EPERM
from kshell.abi.inet import IPPROTO_UDP
from kshell.abi.socket import (
    PF_RDS,
    SOCK_BUF_LOCK_MASK,
    SOCK_TXREHASH_DEFAULT,
    SOF_TXTIME_DEADLINE_MODE,
    SOF_TXTIME_REPORT_ERRORS,
)
from kshell.abi.time import CLOCK_MONOTONIC
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.jiffies import HZ, MAX_SCHEDULE_TIMEOUT
from kshell.linux.include.linux.limits import INT_MAX
from kshell.linux.include.linux.net import SOCK_PASSCRED, SOCK_PASSSEC
from kshell.linux.include.linux.sockptr import copy_from_sockptr
from kshell.linux.include.net import sock as flags
from kshell.linux.include.net.dst import dst_negative_advice
from kshell.linux.include.net.sock import (
    SK_CAN_REUSE,
    SK_NO_REUSE,
    SK_PACING_NEEDED,
    SOCK_LINGER,
    sock_flag,
    sock_reset_flag,
    sock_set_flag,
    sock_valbool_flag,
)
from kshell.linux.include.net.sock_dst import sk_dst_reset
from kshell.linux.kernel.capability import capable
from kshell.linux.net.core import filter as net_filter
from kshell.linux.net.core import sock_reuseport, sock_settings
from kshell.linux.net.core.sock import sock_bindtoindex_locked, sockopt_release_sock

if TYPE_CHECKING:
    from kshell.linux.include.linux.net import socket
    from kshell.linux.include.linux.sockptr import sockptr_t
    from kshell.linux.include.net.sock import sock


class _call:
    """One setsockopt(): the option, its first four bytes as a signed int, and where the value lies."""

    __slots__ = ("optlen", "optname", "optval", "sock", "val")

    def __init__(self, sock: socket | None, optname: int, val: int, optval: sockptr_t, optlen: int) -> None:
        self.sock = sock
        self.optname = optname
        self.val = val
        self.optval = optval
        self.optlen = optlen


def _debug(sk: sock, c: _call) -> None:
    if c.val and not capable(sk.skc_net.kernel.current, CAP_NET_ADMIN):
        raise KernelError(EACCES)
    sock_valbool_flag(sk, flags.SOCK_DBG, c.val)


def _reuseaddr(sk: sock, c: _call) -> None:
    sk.skc_reuse = SK_CAN_REUSE if c.val else SK_NO_REUSE


def _reuseport(sk: sock, c: _call) -> None:
    if c.val and sk.skc_family not in (so.AF_INET, so.AF_INET6):
        raise KernelError(EOPNOTSUPP)
    sk.skc_reuseport = int(bool(c.val))


def _readonly(sk: sock, c: _call) -> None:
    raise KernelError(ENOPROTOOPT)


def _dontroute(sk: sock, c: _call) -> None:
    sock_valbool_flag(sk, flags.SOCK_LOCALROUTE, c.val)
    sk_dst_reset(sk)


def _sndbuf(sk: sock, c: _call) -> None:
    sock_settings._set_sndbuf(sk, min(c.val & 0xFFFFFFFF, sk.skc_net.kernel.sysctl_wmem_max))


def _sndbufforce(sk: sock, c: _call) -> None:
    if not capable(sk.skc_net.kernel.current, CAP_NET_ADMIN):
        raise KernelError(EPERM)
    sock_settings._set_sndbuf(sk, max(c.val, 0))


def _rcvbuf(sk: sock, c: _call) -> None:
    sock_settings.__sock_set_rcvbuf(sk, min(c.val & 0xFFFFFFFF, sk.skc_net.kernel.sysctl_rmem_max))


def _rcvbufforce(sk: sock, c: _call) -> None:
    if not capable(sk.skc_net.kernel.current, CAP_NET_ADMIN):
        raise KernelError(EPERM)
    sock_settings.__sock_set_rcvbuf(sk, max(c.val, 0))


def _keepalive(sk: sock, c: _call) -> None:
    keepalive = sk.skc_prot.keepalive
    if keepalive is not None:
        keepalive(sk, int(bool(c.val)))
    sock_valbool_flag(sk, flags.SOCK_KEEPOPEN, c.val)


def _no_check(sk: sock, c: _call) -> None:
    sk.sk_no_check_tx = int(bool(c.val))


def _priority(sk: sock, c: _call) -> None:
    if not 0 <= c.val <= 6 and not sock_settings._ns_capable_any(sk, CAP_NET_RAW, CAP_NET_ADMIN):
        raise KernelError(EPERM)
    sk.sk_priority = c.val & 0xFFFFFFFF


def _linger(sk: sock, c: _call) -> None:
    if c.optlen < 8:
        raise KernelError(EINVAL)
    onoff, linger = struct.unpack("<ii", copy_from_sockptr(c.optval, 8))
    if not onoff:
        sock_reset_flag(sk, SOCK_LINGER)
        return
    seconds = linger & 0xFFFFFFFFFFFFFFFF
    sk.sk_lingertime = MAX_SCHEDULE_TIMEOUT if seconds >= MAX_SCHEDULE_TIMEOUT // HZ else seconds * HZ
    sock_set_flag(sk, SOCK_LINGER)


def _nothing(sk: sock, c: _call) -> None:
    """SO_BSDCOMPAT has been without effect for long."""


def _passcred(sk: sock, c: _call) -> None:
    assert c.sock is not None
    bit = 1 << (SOCK_PASSCRED if c.optname == so.SO_PASSCRED else SOCK_PASSSEC)
    c.sock.flags = c.sock.flags | bit if c.val else c.sock.flags & ~bit


def _timestamp(sk: sock, c: _call) -> None:
    sock_settings.sock_set_timestamp(sk, c.optname, bool(c.val))


def _timestamping(sk: sock, c: _call) -> None:
    val, phc = c.val, 0
    if c.optlen == 8:
        val, phc = struct.unpack("<ii", copy_from_sockptr(c.optval, 8))
    sock_settings.sock_set_timestamping(sk, c.optname, val, phc)


def _rcvlowat(sk: sock, c: _call) -> None:
    val = INT_MAX if c.val < 0 else c.val
    ops = c.sock.ops if c.sock is not None else None
    if ops is not None and ops.set_rcvlowat is not None:
        ops.set_rcvlowat(sk, val)
    else:
        sk.sk_rcvlowat = val or 1


def _rcvtimeo(sk: sock, c: _call) -> None:
    sk.sk_rcvtimeo = sock_settings.sock_set_timeout(sk, c.optval, c.optlen, c.optname == so.SO_RCVTIMEO_OLD)


def _sndtimeo(sk: sock, c: _call) -> None:
    sk.sk_sndtimeo = sock_settings.sock_set_timeout(sk, c.optval, c.optlen, c.optname == so.SO_SNDTIMEO_OLD)


def _attach_filter(sk: sock, c: _call) -> None:
    if sock_settings._sk_is_tcp(sk) and not sock_settings._ns_capable_any(sk, CAP_NET_ADMIN):
        raise KernelError(EPERM)
    current = sk.skc_net.kernel.current
    net_filter.sk_attach_filter(net_filter.copy_bpf_fprog_from_user(current, c.optval, c.optlen), sk)


def _attach_bpf(sk: sock, c: _call) -> None:
    if c.optlen != 4:
        raise KernelError(EINVAL)
    if c.optname == so.SO_ATTACH_BPF:
        net_filter.sk_attach_bpf(c.val, sk)
    else:
        net_filter.sk_reuseport_attach_bpf(c.val, sk)


def _attach_reuseport_cbpf(sk: sock, c: _call) -> None:
    current = sk.skc_net.kernel.current
    net_filter.sk_reuseport_attach_filter(net_filter.copy_bpf_fprog_from_user(current, c.optval, c.optlen), sk)


def _detach_reuseport(sk: sock, c: _call) -> None:
    sock_reuseport.reuseport_detach_prog(sk)


def _detach_filter(sk: sock, c: _call) -> None:
    net_filter.sk_detach_filter(sk)


def _lock_filter(sk: sock, c: _call) -> None:
    if sock_flag(sk, flags.SOCK_FILTER_LOCKED) and not c.val:
        raise KernelError(EPERM)
    sock_valbool_flag(sk, flags.SOCK_FILTER_LOCKED, c.val)


def _mark(sk: sock, c: _call) -> None:
    if not sock_settings._ns_capable_any(sk, CAP_NET_RAW, CAP_NET_ADMIN):
        raise KernelError(EPERM)
    sock_settings.__sock_set_mark(sk, c.val & 0xFFFFFFFF)


def _peek_off(sk: sock, c: _call) -> None:
    ops = c.sock.ops if c.sock is not None else None
    if ops is None or ops.set_peek_off is None:
        raise KernelError(EOPNOTSUPP)
    ops.set_peek_off(sk, c.val)


def _busy_poll(sk: sock, c: _call) -> None:
    if c.val > sk.sk_ll_usec and not capable(sk.skc_net.kernel.current, CAP_NET_ADMIN):
        raise KernelError(EPERM)
    if c.val < 0:
        raise KernelError(EINVAL)
    sk.sk_ll_usec = c.val


def _prefer_busy_poll(sk: sock, c: _call) -> None:
    if c.val and not capable(sk.skc_net.kernel.current, CAP_NET_ADMIN):
        raise KernelError(EPERM)
    sk.sk_prefer_busy_poll = int(bool(c.val))


def _busy_poll_budget(sk: sock, c: _call) -> None:
    if c.val > sk.sk_busy_poll_budget and not capable(sk.skc_net.kernel.current, CAP_NET_ADMIN):
        raise KernelError(EPERM)
    if not 0 <= c.val <= 0xFFFF:
        raise KernelError(EINVAL)
    sk.sk_busy_poll_budget = c.val


def _max_pacing_rate(sk: sock, c: _call) -> None:
    unlimited = (1 << 64) - 1
    rate = unlimited if c.val == -1 else c.val & 0xFFFFFFFF
    if c.optlen >= 8:
        rate = int.from_bytes(copy_from_sockptr(c.optval, 8), "little")
    if rate != unlimited and not sk.sk_pacing_status:
        sk.sk_pacing_status = SK_PACING_NEEDED
    sk.sk_max_pacing_rate = rate
    sk.sk_pacing_rate = min(sk.sk_pacing_rate, rate)


def _incoming_cpu(sk: sock, c: _call) -> None:
    sock_reuseport.reuseport_update_incoming_cpu(sk, c.val)


def _cnx_advice(sk: sock, c: _call) -> None:
    if c.val == 1:
        dst_negative_advice(sk)


def _zerocopy(sk: sock, c: _call) -> None:
    if sk.skc_family in (so.AF_INET, so.AF_INET6):
        if not (sock_settings._sk_is_tcp(sk) or (sk.sk_type == so.SOCK_DGRAM and sk.sk_protocol == IPPROTO_UDP)):
            raise KernelError(EOPNOTSUPP)
    elif sk.skc_family != PF_RDS:
        raise KernelError(EOPNOTSUPP)
    if c.val not in (0, 1):
        raise KernelError(EINVAL)
    sock_valbool_flag(sk, flags.SOCK_ZEROCOPY, c.val)


def _txtime(sk: sock, c: _call) -> None:
    if c.optlen != 8:
        raise KernelError(EINVAL)
    clockid, txflags = struct.unpack("<iI", copy_from_sockptr(c.optval, 8))
    if txflags & ~(SOF_TXTIME_DEADLINE_MODE | SOF_TXTIME_REPORT_ERRORS):
        raise KernelError(EINVAL)
    if clockid != CLOCK_MONOTONIC and not sock_settings._ns_capable_any(sk, CAP_NET_ADMIN):
        raise KernelError(EPERM)
    sock_set_flag(sk, flags.SOCK_TXTIME)
    sk.sk_clockid = clockid & 0xFF
    sk.sk_txtime_deadline_mode = txflags & 1
    sk.sk_txtime_report_errors = txflags >> 1 & 1


def _bindtoifindex(sk: sock, c: _call) -> None:
    sock_bindtoindex_locked(sk, c.val)


def _buf_lock(sk: sock, c: _call) -> None:
    if c.val & ~SOCK_BUF_LOCK_MASK:
        raise KernelError(EINVAL)
    sk.sk_userlocks = c.val | sk.sk_userlocks & ~SOCK_BUF_LOCK_MASK


def _reserve_mem(sk: sock, c: _call) -> None:
    if c.val < 0:
        raise KernelError(EINVAL)
    if c.val >= sk.sk_reserved_mem:
        raise KernelError(EOPNOTSUPP)  # sock_reserve_memory(): only in a memory cgroup other than the root


def _txrehash(sk: sock, c: _call) -> None:
    if not -1 <= c.val <= 1:
        raise KernelError(EINVAL)
    val = c.val & 0xFF
    sk.sk_txrehash = sk.skc_net.core.sysctl_txrehash if val == SOCK_TXREHASH_DEFAULT else val


def _flag(bit: int) -> Callable[[sock, _call], None]:
    def _set(sk: sock, c: _call) -> None:
        sock_valbool_flag(sk, bit, c.val)

    return _set


_OPTIONS: MappingProxyType[int, Callable[[sock, _call], None]] = MappingProxyType({
    so.SO_DEBUG: _debug, so.SO_REUSEADDR: _reuseaddr, so.SO_REUSEPORT: _reuseport, so.SO_TYPE: _readonly,
    so.SO_PROTOCOL: _readonly, so.SO_DOMAIN: _readonly, so.SO_ERROR: _readonly, so.SO_DONTROUTE: _dontroute,
    so.SO_BROADCAST: _flag(flags.SOCK_BROADCAST), so.SO_SNDBUF: _sndbuf, so.SO_SNDBUFFORCE: _sndbufforce,
    so.SO_RCVBUF: _rcvbuf, so.SO_RCVBUFFORCE: _rcvbufforce, so.SO_KEEPALIVE: _keepalive,
    so.SO_OOBINLINE: _flag(flags.SOCK_URGINLINE), so.SO_NO_CHECK: _no_check, so.SO_PRIORITY: _priority,
    so.SO_LINGER: _linger, so.SO_BSDCOMPAT: _nothing, so.SO_PASSCRED: _passcred, so.SO_PASSSEC: _passcred,
    so.SO_TIMESTAMP_OLD: _timestamp, so.SO_TIMESTAMP_NEW: _timestamp, so.SO_TIMESTAMPNS_OLD: _timestamp,
    so.SO_TIMESTAMPNS_NEW: _timestamp, so.SO_TIMESTAMPING_OLD: _timestamping, so.SO_TIMESTAMPING_NEW: _timestamping,
    so.SO_RCVLOWAT: _rcvlowat, so.SO_RCVTIMEO_OLD: _rcvtimeo, so.SO_RCVTIMEO_NEW: _rcvtimeo,
    so.SO_SNDTIMEO_OLD: _sndtimeo, so.SO_SNDTIMEO_NEW: _sndtimeo, so.SO_ATTACH_FILTER: _attach_filter,
    so.SO_ATTACH_BPF: _attach_bpf, so.SO_ATTACH_REUSEPORT_CBPF: _attach_reuseport_cbpf,
    so.SO_ATTACH_REUSEPORT_EBPF: _attach_bpf, so.SO_DETACH_REUSEPORT_BPF: _detach_reuseport,
    so.SO_DETACH_FILTER: _detach_filter, so.SO_LOCK_FILTER: _lock_filter, so.SO_MARK: _mark,
    so.SO_RCVMARK: _flag(flags.SOCK_RCVMARK), so.SO_RXQ_OVFL: _flag(flags.SOCK_RXQ_OVFL),
    so.SO_WIFI_STATUS: _flag(flags.SOCK_WIFI_STATUS), so.SO_PEEK_OFF: _peek_off, so.SO_NOFCS: _flag(flags.SOCK_NOFCS),
    so.SO_SELECT_ERR_QUEUE: _flag(flags.SOCK_SELECT_ERR_QUEUE), so.SO_BUSY_POLL: _busy_poll,
    so.SO_PREFER_BUSY_POLL: _prefer_busy_poll, so.SO_BUSY_POLL_BUDGET: _busy_poll_budget,
    so.SO_MAX_PACING_RATE: _max_pacing_rate, so.SO_INCOMING_CPU: _incoming_cpu, so.SO_CNX_ADVICE: _cnx_advice,
    so.SO_ZEROCOPY: _zerocopy, so.SO_TXTIME: _txtime, so.SO_BINDTOIFINDEX: _bindtoifindex, so.SO_BUF_LOCK: _buf_lock,
    so.SO_RESERVE_MEM: _reserve_mem, so.SO_TXREHASH: _txrehash,
})  # fmt: skip


def sk_setsockopt(sk: sock, level: int, optname: int, optval: sockptr_t, optlen: int) -> int:
    """Set option SO_*; `optval` is at least an int except for SO_BINDTODEVICE. EINVAL, EFAULT, ENOPROTOOPT, …"""
    if optname == so.SO_BINDTODEVICE:
        sock_settings.sock_setbindtodevice(sk, optval, optlen)
        return 0
    if optlen < 4:
        raise KernelError(EINVAL)
    val = int.from_bytes(copy_from_sockptr(optval, 4), "little", signed=True)
    sk.sk_lock = 1
    try:
        option = _OPTIONS.get(optname)
        if option is None:
            raise KernelError(ENOPROTOOPT)
        option(sk, _call(sk.sk_socket, optname, val, optval, optlen))
    finally:
        sockopt_release_sock(sk)
    return 0


def sock_setsockopt(sock: socket, level: int, optname: int, optval: sockptr_t, optlen: int) -> int:
    """setsockopt() at level SOL_SOCKET."""
    assert sock.sk is not None
    return sk_setsockopt(sock.sk, level, optname, optval, optlen)
