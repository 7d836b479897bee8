"""net/socket.c: socketcall(), the one system call by which i386 reached all of sockets."""

from __future__ import annotations

import struct
from collections.abc import Callable, Coroutine
from types import MappingProxyType
from typing import TYPE_CHECKING

from kshell.abi import socket as n
from kshell.abi.errno import EINVAL
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.syscalls import SYSCALL_DEFINE
from kshell.linux.include.linux.uaccess import copy_from_user
from kshell.linux.net.socket_msg import (
    __sys_recvfrom,
    __sys_recvmmsg,
    __sys_recvmsg,
    __sys_sendmmsg,
    __sys_sendmsg,
    __sys_sendto,
)
from kshell.linux.net.socket_syscalls import (
    __sys_accept4,
    __sys_bind,
    __sys_connect,
    __sys_getpeername,
    __sys_getsockname,
    __sys_getsockopt,
    __sys_listen,
    __sys_setsockopt,
    __sys_shutdown,
    __sys_socket,
    __sys_socketpair,
)

if TYPE_CHECKING:
    from kshell.linux.include.linux.sched import task_struct

Result = int | Coroutine[object, None, int]

#: how many argument words each sub-call has, by its number
NARGS = (0, 3, 3, 3, 2, 3, 3, 3, 4, 4, 4, 6, 6, 2, 5, 5, 3, 3, 4, 5, 4)


def _int(word: int) -> int:
    word &= 0xFFFFFFFF
    return word - (1 << 32) if word >> 31 else word


def _uint(word: int) -> int:
    return word & 0xFFFFFFFF


_CALLS: MappingProxyType[int, Callable[[task_struct, tuple[int, ...]], Result]] = MappingProxyType({
    n.SYS_SOCKET: lambda c, a: __sys_socket(c, _int(a[0]), _int(a[1]), _int(a[2])),
    n.SYS_BIND: lambda c, a: __sys_bind(c, _int(a[0]), a[1], _int(a[2])),
    n.SYS_CONNECT: lambda c, a: __sys_connect(c, _int(a[0]), a[1], _int(a[2])),
    n.SYS_LISTEN: lambda c, a: __sys_listen(c, _int(a[0]), _int(a[1])),
    n.SYS_ACCEPT: lambda c, a: __sys_accept4(c, _int(a[0]), a[1], a[2], 0),
    n.SYS_GETSOCKNAME: lambda c, a: __sys_getsockname(c, _int(a[0]), a[1], a[2]),
    n.SYS_GETPEERNAME: lambda c, a: __sys_getpeername(c, _int(a[0]), a[1], a[2]),
    n.SYS_SOCKETPAIR: lambda c, a: __sys_socketpair(c, _int(a[0]), _int(a[1]), _int(a[2]), a[3]),
    n.SYS_SEND: lambda c, a: __sys_sendto(c, _int(a[0]), a[1], a[2], _uint(a[3]), 0, 0),
    n.SYS_RECV: lambda c, a: __sys_recvfrom(c, _int(a[0]), a[1], a[2], _uint(a[3]), 0, 0),
    n.SYS_SENDTO: lambda c, a: __sys_sendto(c, _int(a[0]), a[1], a[2], _uint(a[3]), a[4], _int(a[5])),
    n.SYS_RECVFROM: lambda c, a: __sys_recvfrom(c, _int(a[0]), a[1], a[2], _uint(a[3]), a[4], a[5]),
    n.SYS_SHUTDOWN: lambda c, a: __sys_shutdown(c, _int(a[0]), _int(a[1])),
    n.SYS_SETSOCKOPT: lambda c, a: __sys_setsockopt(c, _int(a[0]), _int(a[1]), _int(a[2]), a[3], _int(a[4])),
    n.SYS_GETSOCKOPT: lambda c, a: __sys_getsockopt(c, _int(a[0]), _int(a[1]), _int(a[2]), a[3], a[4]),
    n.SYS_SENDMSG: lambda c, a: __sys_sendmsg(c, _int(a[0]), a[1], _uint(a[2]), True),
    n.SYS_RECVMSG: lambda c, a: __sys_recvmsg(c, _int(a[0]), a[1], _uint(a[2]), True),
    n.SYS_ACCEPT4: lambda c, a: __sys_accept4(c, _int(a[0]), a[1], a[2], _int(a[3])),
    n.SYS_RECVMMSG: lambda c, a: __sys_recvmmsg(c, _int(a[0]), a[1], _uint(a[2]), _uint(a[3]), a[4], 0),
    n.SYS_SENDMMSG: lambda c, a: __sys_sendmmsg(c, _int(a[0]), a[1], _uint(a[2]), _uint(a[3]), True),
})  # fmt: skip


@SYSCALL_DEFINE
def sys_socketcall(current: task_struct, call: int, args: int) -> Result:
    """Sub-call `call` with the argument words at `args`. EINVAL: no such sub-call; EFAULT."""
    if not 1 <= call <= n.SYS_SENDMMSG:
        raise KernelError(EINVAL)
    count = NARGS[call]
    words = struct.unpack(f"<{count}Q", copy_from_user(current, args, count * 8))
    return _CALLS[call](current, words)
