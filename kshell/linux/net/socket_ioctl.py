"""net/socket.c: ioctl() on sockets."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, cast

from kshell.abi import ioctl as i
from kshell.abi.capability import CAP_NET_ADMIN
from kshell.abi.errno import ENOENT, ENOPKG, ENOTTY, EPERM
from kshell.linux.fs.fcntl import f_getown, f_setown
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.errno import ENOIOCTLCMD
from kshell.linux.include.linux.sched import in_compat_syscall
from kshell.linux.include.linux.uaccess import copy_from_user, copy_to_user, get_user, put_user
from kshell.linux.include.net.sock import SOCK_TIMESTAMP
from kshell.linux.kernel.capability import ns_capable
from kshell.linux.kernel.kmod import request_module
from kshell.linux.kernel.time.timekeeping import ktime_get_real
from kshell.linux.net.core import sock as sock_c
from kshell.linux.net.core.dev_ioctl import _ifreq, dev_ifconf, dev_ioctl

if TYPE_CHECKING:
    from kshell.linux.include.linux.fs import file
    from kshell.linux.include.linux.net import socket
    from kshell.linux.include.linux.sched import task_struct
    from kshell.linux.include.net.net_namespace import net

_BRIDGE = (i.SIOCGIFBR, i.SIOCSIFBR, i.SIOCBRADDBR, i.SIOCBRDELBR, i.SIOCBRADDIF, i.SIOCBRDELIF)
_STAMP_OLD = (i.SIOCGSTAMP_OLD, i.SIOCGSTAMPNS_OLD)
_STAMP_NEW = (i.SIOCGSTAMP_NEW, i.SIOCGSTAMPNS_NEW)
_PRIVATE = range(i.SIOCDEVPRIVATE, i.SIOCDEVPRIVATE + 16)


def get_user_ifreq(current: task_struct, arg: int) -> _ifreq:
    """A struct ifreq from user memory. EFAULT."""
    return _ifreq(copy_from_user(current, arg, 32 if in_compat_syscall(current) else 40))


def put_user_ifreq(current: task_struct, ifr: _ifreq, arg: int) -> None:
    """Store a struct ifreq. EFAULT."""
    copy_to_user(current, arg, ifr._to_bytes())


def is_socket_ioctl_cmd(cmd: int) -> bool:
    """True for the numbers that belong to sockets."""
    return cmd >> 8 & 0xFF == 0x89


def _device_ioctl(current: task_struct, net: net, cmd: int, arg: int) -> int:
    ifr = get_user_ifreq(current, arg)
    if dev_ioctl(net, cmd, ifr):
        put_user_ifreq(current, ifr, arg)
    return ifr._result


def sock_do_ioctl(net: net, sock: socket, cmd: int, arg: int) -> int:
    """Let the family try, then the devices. ENOTTY."""
    assert sock.ops is not None
    try:
        return sock.ops.ioctl(sock, cmd, arg)
    except KernelError as error:
        if error.errno != ENOIOCTLCMD:
            raise
    if not is_socket_ioctl_cmd(cmd):
        raise KernelError(ENOTTY)
    return _device_ioctl(net.kernel.current, net, cmd, arg)


def sock_gettstamp(sock: socket, userstamp: int, timeval: bool, time32: bool) -> int:
    """When the last packet came, as timeval or timespec. ENOENT: none was stamped."""
    sk = sock.sk
    assert sk is not None
    net = sk.skc_net
    sock_c.sock_enable_timestamp(sk, SOCK_TIMESTAMP)
    stamp = sk.sk_stamp
    if stamp == -1_000_000_000:
        raise KernelError(ENOENT)
    if stamp == 0:
        stamp = sk.sk_stamp = ktime_get_real(net.kernel)
    sec, nsec = divmod(stamp, 1_000_000_000)
    values = (sec, nsec // 1000 if timeval else nsec)
    copy_to_user(net.kernel.current, userstamp, struct.pack("<ii" if time32 else "<qq", *values))
    return 0


def _gettstamp(sock: socket, cmd: int, arg: int, time32: bool) -> int:
    assert sock.ops is not None
    if sock.ops.gettstamp is None:
        raise KernelError(ENOIOCTLCMD)
    return sock.ops.gettstamp(sock, arg, cmd in (i.SIOCGSTAMP_OLD, i.SIOCGSTAMP_NEW), time32)


def _special(net: net, cmd: int) -> int:
    """Bridges, VLANs and namespaces by ioctl."""
    if cmd == i.SIOCGSKNS:
        if not ns_capable(net.kernel.current, net.user_ns, CAP_NET_ADMIN):
            raise KernelError(EPERM)
        raise KernelError(ENOTTY)
    request_module(net.kernel, "bridge" if cmd in _BRIDGE else "8021q")
    raise KernelError(ENOPKG)


def sock_ioctl(f: file, cmd: int, arg: int) -> int:
    """ioctl() on a socket."""
    sock = cast("socket", f.private_data)
    assert sock.sk is not None
    net = sock.sk.skc_net
    current = net.kernel.current
    if cmd in _PRIVATE:
        return _device_ioctl(current, net, cmd, arg)
    if cmd in (i.FIOSETOWN, i.SIOCSPGRP):
        f_setown(f, get_user(current, arg), 1)
        return 0
    if cmd in (i.FIOGETOWN, i.SIOCGPGRP):
        put_user(current, arg, f_getown(f))
        return 0
    if cmd in _BRIDGE or cmd in (i.SIOCGIFVLAN, i.SIOCSIFVLAN, i.SIOCGSKNS):
        return _special(net, cmd)
    if cmd in _STAMP_OLD or cmd in _STAMP_NEW:
        return _gettstamp(sock, cmd, arg, False)
    if cmd == i.SIOCGIFCONF:
        return dev_ifconf(net, arg)
    return sock_do_ioctl(net, sock, cmd, arg)


def compat_sock_ioctl(f: file, cmd: int, arg: int) -> int:
    """ioctl() on a socket by a 32-bit program."""
    sock = cast("socket", f.private_data)
    assert sock.ops is not None
    if sock.ops.compat_ioctl is not None:
        try:
            return sock.ops.compat_ioctl(sock, cmd, arg)
        except KernelError as error:
            if error.errno != ENOIOCTLCMD:
                raise
    if cmd in _STAMP_OLD:
        return _gettstamp(sock, cmd, arg, True)
    return sock_ioctl(f, cmd, arg)
