"""net/core/sock.c: getsockopt() at level SOL_SOCKET."""

from __future__ import annotations

import struct
from collections.abc import Callable
from types import MappingProxyType
from typing import TYPE_CHECKING

from kshell.abi import socket as so
from kshell.abi.errno import EINVAL, ENODATA, ENOPROTOOPT, ENOTCONN, EOPNOTSUPP, ERANGE
from kshell.abi.netdevice import IFNAMSIZ
from kshell.abi.socket import SOCK_BUF_LOCK_MASK
from kshell.abi.tcp import TCP_LISTEN
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.jiffies import HZ, MAX_SCHEDULE_TIMEOUT
from kshell.linux.include.linux.net import SOCK_PASSCRED, SOCK_PASSSEC
from kshell.linux.include.linux.sched import in_compat_syscall
from kshell.linux.include.linux.sockptr import USER_SOCKPTR, copy_from_sockptr, copy_to_sockptr
from kshell.linux.include.net import sock as flags
from kshell.linux.include.net.sock import SOCK_RCVTSTAMP, SOCK_RCVTSTAMPNS, SOCK_TSTAMP_NEW, sock_flag
from kshell.linux.kernel.pid import pid_vnr
from kshell.linux.net.core import dev as net_dev
from kshell.linux.net.core import filter as net_filter
from kshell.linux.net.core.sock_diag import sk_get_meminfo, sock_gen_cookie
from kshell.linux.net.core.sock_lock import lock_sock, release_sock
from kshell.linux.security.security import security_socket_getpeersec_stream

if TYPE_CHECKING:
    from kshell.linux.include.linux.net import socket
    from kshell.linux.include.linux.sockptr import sockptr_t
    from kshell.linux.include.net.sock import sock

_BITS32 = 0xFFFFFFFF


def _int(val: int) -> bytes:
    return (val & _BITS32).to_bytes(4, "little")


def _u64(val: int) -> bytes:
    return val.to_bytes(8, "little")


def _sockflag(bit: int) -> Callable[[sock, int], bytes]:
    return lambda sk, length: _int(sock_flag(sk, bit))


def _field(name: str) -> Callable[[sock, int], bytes]:
    return lambda sk, length: _int(getattr(sk, name))


def _error(sk: sock, length: int) -> bytes:
    """SO_ERROR: the pending error, else the soft one; either is cleared."""
    err = sk.sk_err
    if err:
        sk.sk_err = 0
    elif sk.sk_err_soft:
        err = sk.sk_err_soft
        sk.sk_err_soft = 0
    return _int(err)


def _timestamp(new: bool, ns: bool) -> Callable[[sock, int], bytes]:
    def _get(sk: sock, length: int) -> bytes:
        if ns:
            on = sock_flag(sk, SOCK_RCVTSTAMPNS)
        else:
            on = sock_flag(sk, SOCK_RCVTSTAMP) and (new or not sock_flag(sk, SOCK_RCVTSTAMPNS))
        return _int(on and sock_flag(sk, SOCK_TSTAMP_NEW) == new)

    return _get


def _timestamping_old(sk: sock, length: int) -> bytes:
    return struct.pack("<ii", sk.sk_tsflags, sk.sk_bind_phc)


def _timestamping_new(sk: sock, length: int) -> bytes:
    return _timestamping_old(sk, length) if sock_flag(sk, SOCK_TSTAMP_NEW) else bytes(8)


def sock_get_timeout(sk: sock, timeo: int, old_timeval: bool) -> bytes:
    """A timeout in jiffies as a timeval of the caller's layout."""
    if timeo == MAX_SCHEDULE_TIMEOUT:
        sec = usec = 0
    else:
        sec, usec = timeo // HZ, timeo % HZ * 1_000_000 // HZ
    compat = old_timeval and in_compat_syscall(sk.skc_net.kernel.current)
    return struct.pack("<ii" if compat else "<qq", sec, usec)


def _max_pacing_rate(sk: sock, length: int) -> bytes:
    rate = sk.sk_max_pacing_rate
    return _u64(rate) if length >= 8 else _int(min(rate, _BITS32))


def _cookie(sk: sock, length: int) -> bytes:
    if length < 8:
        raise KernelError(EINVAL)
    return _u64(sock_gen_cookie(sk))


def _netns_cookie(sk: sock, length: int) -> bytes:
    if length != 8:
        raise KernelError(EINVAL)
    return _u64(sk.skc_net.net_cookie)


def _socket_bit(bit: int) -> Callable[[sock, int], bytes]:
    return lambda sk, length: _int(sk.sk_socket is not None and sk.sk_socket.flags >> bit & 1)


def _peek_off(sk: sock, length: int) -> bytes:
    if sk.sk_socket is None or sk.sk_socket.ops is None or sk.sk_socket.ops.set_peek_off is None:
        raise KernelError(EOPNOTSUPP)
    return _int(sk.sk_peek_off)


def _txtime(sk: sock, length: int) -> bytes:
    return struct.pack("<iI", sk.sk_clockid, sk.sk_txtime_deadline_mode | sk.sk_txtime_report_errors << 1)


def _linger(sk: sock, length: int) -> bytes:
    return struct.pack("<iI", sock_flag(sk, flags.SOCK_LINGER), sk.sk_lingertime // HZ & _BITS32)


_OPTIONS: MappingProxyType[int, Callable[[sock, int], bytes]] = MappingProxyType({
    so.SO_DEBUG: _sockflag(flags.SOCK_DBG), so.SO_DONTROUTE: _sockflag(flags.SOCK_LOCALROUTE),
    so.SO_BROADCAST: _sockflag(flags.SOCK_BROADCAST), so.SO_SNDBUF: _field("sk_sndbuf"),
    so.SO_RCVBUF: _field("sk_rcvbuf"), so.SO_REUSEADDR: _field("skc_reuse"), so.SO_REUSEPORT: _field("skc_reuseport"),
    so.SO_KEEPALIVE: _sockflag(flags.SOCK_KEEPOPEN), so.SO_TYPE: _field("sk_type"), so.SO_PROTOCOL: _field("sk_protocol"),
    so.SO_DOMAIN: _field("skc_family"), so.SO_ERROR: _error, so.SO_OOBINLINE: _sockflag(flags.SOCK_URGINLINE),
    so.SO_NO_CHECK: _field("sk_no_check_tx"), so.SO_PRIORITY: _field("sk_priority"), so.SO_LINGER: _linger,
    so.SO_BSDCOMPAT: lambda sk, length: _int(0), so.SO_TIMESTAMP_OLD: _timestamp(False, False),
    so.SO_TIMESTAMPNS_OLD: _timestamp(False, True), so.SO_TIMESTAMP_NEW: _timestamp(True, False),
    so.SO_TIMESTAMPNS_NEW: _timestamp(True, True), so.SO_TIMESTAMPING_OLD: _timestamping_old,
    so.SO_TIMESTAMPING_NEW: _timestamping_new,
    so.SO_RCVTIMEO_OLD: lambda sk, length: sock_get_timeout(sk, sk.sk_rcvtimeo, True),
    so.SO_RCVTIMEO_NEW: lambda sk, length: sock_get_timeout(sk, sk.sk_rcvtimeo, False),
    so.SO_SNDTIMEO_OLD: lambda sk, length: sock_get_timeout(sk, sk.sk_sndtimeo, True),
    so.SO_SNDTIMEO_NEW: lambda sk, length: sock_get_timeout(sk, sk.sk_sndtimeo, False),
    so.SO_RCVLOWAT: _field("sk_rcvlowat"), so.SO_SNDLOWAT: lambda sk, length: _int(1),
    so.SO_PASSCRED: _socket_bit(SOCK_PASSCRED), so.SO_ACCEPTCONN: lambda sk, length: _int(sk.skc_state == TCP_LISTEN),
    so.SO_PASSSEC: _socket_bit(SOCK_PASSSEC), so.SO_MARK: _field("sk_mark"), so.SO_RCVMARK: _sockflag(flags.SOCK_RCVMARK),
    so.SO_RXQ_OVFL: _sockflag(flags.SOCK_RXQ_OVFL), so.SO_WIFI_STATUS: _sockflag(flags.SOCK_WIFI_STATUS),
    so.SO_PEEK_OFF: _peek_off, so.SO_NOFCS: _sockflag(flags.SOCK_NOFCS),
    so.SO_LOCK_FILTER: _sockflag(flags.SOCK_FILTER_LOCKED),
    so.SO_BPF_EXTENSIONS: lambda sk, length: _int(net_filter.bpf_tell_extensions()),
    so.SO_SELECT_ERR_QUEUE: _sockflag(flags.SOCK_SELECT_ERR_QUEUE), so.SO_BUSY_POLL: _field("sk_ll_usec"),
    so.SO_PREFER_BUSY_POLL: _field("sk_prefer_busy_poll"), so.SO_MAX_PACING_RATE: _max_pacing_rate,
    so.SO_INCOMING_CPU: _field("sk_incoming_cpu"), so.SO_INCOMING_NAPI_ID: _field("sk_napi_id"), so.SO_COOKIE: _cookie,
    so.SO_ZEROCOPY: _sockflag(flags.SOCK_ZEROCOPY), so.SO_TXTIME: _txtime, so.SO_BINDTOIFINDEX: _field("skc_bound_dev_if"),
    so.SO_NETNS_COOKIE: _netns_cookie, so.SO_BUF_LOCK: lambda sk, length: _int(sk.sk_userlocks & SOCK_BUF_LOCK_MASK),
    so.SO_RESERVE_MEM: _field("sk_reserved_mem"), so.SO_TXREHASH: _field("sk_txrehash"),
})  # fmt: skip


def cred_to_ucred(sk: sock) -> bytes:
    """struct ucred of the peer: pid 0 and ids -1 if there is none."""
    cred = sk.sk_peer_cred
    uid, gid = (_BITS32, _BITS32) if cred is None else (cred.euid, cred.egid)
    pid = pid_vnr(sk.sk_peer_pid) if sk.sk_peer_pid is not None else 0
    return struct.pack("<iII", pid, uid, gid)


def _peercred(sk: sock, optval: sockptr_t, optlen: sockptr_t, length: int) -> int:
    length = min(length, 12)
    copy_to_sockptr(optval, cred_to_ucred(sk)[:length])
    return length


def _peergroups(sk: sock, optval: sockptr_t, optlen: sockptr_t, length: int) -> int:
    cred = sk.sk_peer_cred
    if cred is None:
        raise KernelError(ENODATA)
    groups = cred.group_info
    if length < len(groups) * 4:
        copy_to_sockptr(optlen, _int(len(groups) * 4))
        raise KernelError(ERANGE)
    copy_to_sockptr(optval, b"".join(_int(gid) for gid in groups))
    return len(groups) * 4


def _peername(sk: sock, optval: sockptr_t, optlen: sockptr_t, length: int) -> int:
    sock = sk.sk_socket
    assert sock is not None
    assert sock.ops is not None
    try:
        address = sock.ops.getname(sock, 2)
    except KernelError:
        raise KernelError(ENOTCONN) from None
    if len(address) < length:
        raise KernelError(EINVAL)
    copy_to_sockptr(optval, address[:length])
    return length


def sock_getbindtodevice(sk: sock, optval: sockptr_t, optlen: sockptr_t, length: int) -> int:
    """SO_BINDTODEVICE: the device's name, nothing if the socket is tied to none. EINVAL: too short; ENODEV."""
    if not sk.skc_bound_dev_if:
        return 0
    if length < IFNAMSIZ:
        raise KernelError(EINVAL)
    name = net_dev.netdev_get_name(sk.skc_net, sk.skc_bound_dev_if).encode("latin-1") + b"\0"
    copy_to_sockptr(optval, name)
    return len(name)


def _get_filter(sk: sock, optval: sockptr_t, optlen: sockptr_t, length: int) -> int:
    lock_sock(sk)
    try:
        return net_filter.sk_get_filter(sk, optval, length)
    finally:
        release_sock(sk)


def _meminfo(sk: sock, optval: sockptr_t, optlen: sockptr_t, length: int) -> int:
    data = b"".join(_int(each) for each in sk_get_meminfo(sk))[:length]
    copy_to_sockptr(optval, data)
    return len(data)


_SPECIAL: MappingProxyType[int, Callable[[sock, sockptr_t, sockptr_t, int], int]] = MappingProxyType({
    so.SO_PEERCRED: _peercred, so.SO_PEERGROUPS: _peergroups, so.SO_PEERNAME: _peername,
    so.SO_BINDTODEVICE: sock_getbindtodevice, so.SO_GET_FILTER: _get_filter, so.SO_MEMINFO: _meminfo,
})  # fmt: skip


def sk_getsockopt(sk: sock, level: int, optname: int, optval: sockptr_t, optlen: sockptr_t) -> int:
    """Store option SO_* and its length; at most as much as *optlen says. EINVAL, EFAULT, ENOPROTOOPT, …"""
    length = int.from_bytes(copy_from_sockptr(optlen, 4), "little", signed=True)
    if length < 0:
        raise KernelError(EINVAL)
    if optname == so.SO_PEERSEC:
        assert sk.sk_socket is not None
        security_socket_getpeersec_stream(sk.sk_socket, optval, optlen, length)
        raise KernelError(ENOPROTOOPT)
    special = _SPECIAL.get(optname)
    if special is not None:
        length = special(sk, optval, optlen, length)
    else:
        option = _OPTIONS.get(optname)
        if option is None:
            raise KernelError(ENOPROTOOPT)
        value = option(sk, length)
        length = min(length, len(value))
        copy_to_sockptr(optval, value[:length])
    copy_to_sockptr(optlen, _int(length))
    return 0


def sock_getsockopt(sock: socket, level: int, optname: int, optval: int, optlen: int) -> int:
    """getsockopt() at level SOL_SOCKET; the arguments are user addresses."""
    sk = sock.sk
    assert sk is not None
    current = sk.skc_net.kernel.current
    return sk_getsockopt(sk, level, optname, USER_SOCKPTR(current, optval), USER_SOCKPTR(current, optlen))
