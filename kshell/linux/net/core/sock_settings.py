"""Setting what options of SOL_SOCKET stand for (part of net/core/sock.c)."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from kshell.abi import socket as so
from kshell.abi.errno import EDOM, EINVAL, ENODEV, EOPNOTSUPP
from kshell.abi.inet import IPPROTO_TCP
from kshell.abi.netdevice import IFNAMSIZ
from kshell.abi.socket import (
    SOCK_RCVBUF_LOCK,
    SOCK_SNDBUF_LOCK,
    SOF_TIMESTAMPING_BIND_PHC,
    SOF_TIMESTAMPING_MASK,
    SOF_TIMESTAMPING_OPT_ID,
    SOF_TIMESTAMPING_OPT_STATS,
    SOF_TIMESTAMPING_OPT_TSONLY,
    SOF_TIMESTAMPING_RX_SOFTWARE,
)
from kshell.abi.tcp import TCP_CLOSE, TCP_LISTEN
from kshell.abi.time import USEC_PER_SEC
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.jiffies import HZ, MAX_SCHEDULE_TIMEOUT
from kshell.linux.include.linux.limits import INT_MAX
from kshell.linux.include.linux.sched import in_compat_syscall
from kshell.linux.include.linux.sockptr import copy_from_sockptr
from kshell.linux.include.net.sock import (
    SOCK_MIN_RCVBUF,
    SOCK_MIN_SNDBUF,
    SOCK_RCVTSTAMP,
    SOCK_RCVTSTAMPNS,
    SOCK_TIMESTAMP,
    SOCK_TIMESTAMPING_RX_SOFTWARE,
    SOCK_TSTAMP_NEW,
    sock_valbool_flag,
)
from kshell.linux.include.net.sock_dst import sk_dst_reset
from kshell.linux.kernel.capability import ns_capable
from kshell.linux.kernel.printk import pr_err
from kshell.linux.net.core import dev as net_dev
from kshell.linux.net.core.sock import sock_bindtoindex_locked, sock_enable_timestamp, sockopt_release_sock
from kshell.linux.net.core.sock_free import sock_disable_timestamp

if TYPE_CHECKING:
    from kshell.linux.include.linux.sockptr import sockptr_t
    from kshell.linux.include.net.sock import sock


def _sk_is_tcp(sk: sock) -> bool:
    return sk.sk_type == so.SOCK_STREAM and sk.sk_protocol == IPPROTO_TCP


def _ns_capable_any(sk: sock, *caps: int) -> bool:
    net = sk.skc_net
    return any(ns_capable(net.kernel.current, net.user_ns, cap) for cap in caps)


def sock_setbindtodevice(sk: sock, optval: sockptr_t, optlen: int) -> None:
    """SO_BINDTODEVICE: tie the socket to the device of that name, "" to none. EFAULT, ENODEV, EPERM."""
    optlen = min(optlen, IFNAMSIZ - 1)
    name = copy_from_sockptr(optval, optlen) if optlen else b""
    devname = name.split(b"\0", 1)[0].decode("latin-1")
    index = 0
    if devname:
        dev = net_dev.dev_get_by_name_rcu(sk.skc_net, devname)
        if dev is None:
            raise KernelError(ENODEV)
        index = dev.ifindex
    sk.sk_lock = 1
    try:
        sock_bindtoindex_locked(sk, index)
    finally:
        sockopt_release_sock(sk)


def __sock_set_rcvbuf(sk: sock, val: int) -> None:
    """Set the receive buffer to twice `val`."""
    val = min(val, INT_MAX // 2)
    sk.sk_userlocks |= SOCK_RCVBUF_LOCK
    sk.sk_rcvbuf = max(val * 2, SOCK_MIN_RCVBUF)


def _set_sndbuf(sk: sock, val: int) -> None:
    val = min(val, INT_MAX // 2)
    sk.sk_userlocks |= SOCK_SNDBUF_LOCK
    sk.sk_sndbuf = max(val * 2, SOCK_MIN_SNDBUF)
    sk.sk_write_space(sk)


def __sock_set_mark(sk: sock, val: int) -> None:
    """Set the mark; the route may depend on it."""
    if val != sk.sk_mark:
        sk.sk_mark = val
        sk_dst_reset(sk)


def sock_copy_user_timeval(sk: sock, optval: sockptr_t, optlen: int, old_timeval: bool) -> tuple[int, int]:
    """Seconds and microseconds of a timeval of the caller's layout. EINVAL: too short; EFAULT."""
    if old_timeval and in_compat_syscall(sk.skc_net.kernel.current):
        if optlen < 8:
            raise KernelError(EINVAL)
        sec, usec = struct.unpack("<ii", copy_from_sockptr(optval, 8))
        return sec, usec
    if optlen < 16:
        raise KernelError(EINVAL)
    sec, usec = struct.unpack("<qq", copy_from_sockptr(optval, 16))
    return sec, usec


def sock_set_timeout(sk: sock, optval: sockptr_t, optlen: int, old_timeval: bool) -> int:
    """SO_RCVTIMEO, SO_SNDTIMEO: the timeout in jiffies. EDOM: microseconds out of range; EINVAL, EFAULT."""
    sec, usec = sock_copy_user_timeval(sk, optval, optlen, old_timeval)
    if usec < 0 or usec >= USEC_PER_SEC:
        raise KernelError(EDOM)
    if sec < 0:
        return 0
    if (sec or usec) and sec < MAX_SCHEDULE_TIMEOUT // HZ - 1:
        return sec * HZ + -(-usec // (USEC_PER_SEC // HZ))
    return MAX_SCHEDULE_TIMEOUT


def __sock_set_timestamps(sk: sock, val: bool, new: bool, ns: bool) -> None:
    """Have received packets stamped, in micro- or nanoseconds, in the new or old layout."""
    sock_valbool_flag(sk, SOCK_RCVTSTAMP, val)
    sock_valbool_flag(sk, SOCK_RCVTSTAMPNS, val and ns)
    if val:
        sock_valbool_flag(sk, SOCK_TSTAMP_NEW, new)
        sock_enable_timestamp(sk, SOCK_TIMESTAMP)


def sock_set_timestamp(sk: sock, optname: int, valbool: bool) -> None:
    """SO_TIMESTAMP and its relatives."""
    new = optname in (so.SO_TIMESTAMP_NEW, so.SO_TIMESTAMPNS_NEW)
    ns = optname in (so.SO_TIMESTAMPNS_OLD, so.SO_TIMESTAMPNS_NEW)
    __sock_set_timestamps(sk, valbool, new, ns)


def sock_set_timestamping(sk: sock, optname: int, val: int, bind_phc: int) -> None:
    """SO_TIMESTAMPING. EINVAL, EOPNOTSUPP."""
    if val & ~SOF_TIMESTAMPING_MASK:
        raise KernelError(EINVAL)
    if val & SOF_TIMESTAMPING_OPT_ID and not sk.sk_tsflags & SOF_TIMESTAMPING_OPT_ID:
        if _sk_is_tcp(sk):
            if sk.skc_state in (TCP_CLOSE, TCP_LISTEN):
                raise KernelError(EINVAL)
            sk.sk_tskey = getattr(sk, "snd_una", 0)
        else:
            sk.sk_tskey = 0
    if val & SOF_TIMESTAMPING_OPT_STATS and not val & SOF_TIMESTAMPING_OPT_TSONLY:
        raise KernelError(EINVAL)
    if val & SOF_TIMESTAMPING_BIND_PHC:
        sock_timestamping_bind_phc(sk, bind_phc)
    sk.sk_tsflags = val
    sock_valbool_flag(sk, SOCK_TSTAMP_NEW, optname == so.SO_TIMESTAMPING_NEW)
    if val & SOF_TIMESTAMPING_RX_SOFTWARE:
        sock_enable_timestamp(sk, SOCK_TIMESTAMPING_RX_SOFTWARE)
    else:
        sock_disable_timestamp(sk, 1 << SOCK_TIMESTAMPING_RX_SOFTWARE)


def sock_timestamping_bind_phc(sk: sock, phc_index: int) -> None:
    """Use a hardware clock of the bound device; no modelled device has one. EOPNOTSUPP, EINVAL."""
    if not sk.skc_bound_dev_if or net_dev.dev_get_by_index_rcu(sk.skc_net, sk.skc_bound_dev_if) is None:
        pr_err(sk.skc_net.kernel, "sock_timestamping_bind_phc: sock not bind to device")
        raise KernelError(EOPNOTSUPP)
    raise KernelError(EINVAL)
