"""net/compat.c: socket calls of 32-bit programs, whose structs and argument words have 32 bits."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from kshell.abi import socket as n
from kshell.abi.errno import EINVAL
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.socket import MSG_CMSG_COMPAT
from kshell.linux.include.linux.syscalls import COMPAT_SYSCALL_DEFINE
from kshell.linux.include.linux.uaccess import copy_from_user
from kshell.linux.net import socket_msg, socket_socketcall

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from kshell.linux.include.linux.sched import task_struct

    Result = int | Coroutine[object, None, int]


@COMPAT_SYSCALL_DEFINE
async def compat_sys_sendmsg(current: task_struct, fd: int, msg: int, flags: int) -> int:
    """sendmsg() with a 32-bit struct msghdr."""
    return await socket_msg.__sys_sendmsg(current, fd, msg, flags | MSG_CMSG_COMPAT, False)


@COMPAT_SYSCALL_DEFINE
async def compat_sys_sendmmsg(current: task_struct, fd: int, mmsg: int, vlen: int, flags: int) -> int:
    """sendmmsg() with 32-bit structs."""
    return await socket_msg.__sys_sendmmsg(current, fd, mmsg, vlen, flags | MSG_CMSG_COMPAT, False)


@COMPAT_SYSCALL_DEFINE
async def compat_sys_recvmsg(current: task_struct, fd: int, msg: int, flags: int) -> int:
    """recvmsg() with a 32-bit struct msghdr."""
    return await socket_msg.__sys_recvmsg(current, fd, msg, flags | MSG_CMSG_COMPAT, False)


@COMPAT_SYSCALL_DEFINE
async def compat_sys_recvmmsg_time32(current: task_struct, fd: int, mmsg: int, vlen: int, flags: int, timeout: int) -> int:
    """recvmmsg() with 32-bit structs."""
    return await socket_msg.__sys_recvmmsg(current, fd, mmsg, vlen, flags | MSG_CMSG_COMPAT, 0, timeout)


@COMPAT_SYSCALL_DEFINE
def compat_sys_socketcall(current: task_struct, call: int, args: int) -> Result:
    """socketcall() with 32-bit argument words. EINVAL: no such sub-call; EFAULT."""
    if not 1 <= call <= n.SYS_SENDMMSG:
        raise KernelError(EINVAL)
    count = socket_socketcall.NARGS[call]
    a = struct.unpack(f"<{count}I", copy_from_user(current, args, count * 4))
    if call == n.SYS_SENDMSG:
        return socket_msg.__sys_sendmsg(current, socket_socketcall._int(a[0]), a[1], a[2] | MSG_CMSG_COMPAT, False)
    if call == n.SYS_RECVMSG:
        return socket_msg.__sys_recvmsg(current, socket_socketcall._int(a[0]), a[1], a[2] | MSG_CMSG_COMPAT, False)
    if call == n.SYS_SENDMMSG:
        return socket_msg.__sys_sendmmsg(
            current, socket_socketcall._int(a[0]), a[1], a[2], a[3] | MSG_CMSG_COMPAT, False
        )
    if call == n.SYS_RECVMMSG:
        return socket_msg.__sys_recvmmsg(
            current, socket_socketcall._int(a[0]), a[1], a[2], a[3] | MSG_CMSG_COMPAT, 0, a[4]
        )
    return socket_socketcall._CALLS[call](current, a)
