"""net/socket.c: the system calls that send and receive."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from kshell.abi.errno import EAGAIN, EINVAL, EMSGSIZE, ENOBUFS
from kshell.abi.fcntl import O_NONBLOCK
from kshell.abi.resource import UIO_MAXIOV
from kshell.abi.socket import MSG_BATCH, MSG_CMSG_CLOEXEC, MSG_DONTWAIT, MSG_EOR, MSG_ERRQUEUE, MSG_OOB, MSG_WAITFORONE
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.limits import INT_MAX
from kshell.linux.include.linux.sched import in_compat_syscall
from kshell.linux.include.linux.socket import MSG_CMSG_COMPAT, SOCKADDR_STORAGE_SIZE, msghdr, user_msghdr
from kshell.linux.include.linux.syscalls import SYSCALL_DEFINE
from kshell.linux.include.linux.uaccess import copy_from_user, put_user
from kshell.linux.include.linux.uio import READ, WRITE
from kshell.linux.include.net.sock import sock_error
from kshell.linux.kernel.time.timekeeping import ktime_get
from kshell.linux.lib.iov_iter import import_iovec, import_single_range
from kshell.linux.net.compat_msghdr import cmsghdr_from_user_compat_to_kern, get_compat_msghdr
from kshell.linux.net.core.sock_mem import sock_kfree_s, sock_kmalloc
from kshell.linux.net.socket import fput_light, sockfd_lookup_light
from kshell.linux.net.socket_file import __sock_sendmsg, sock_recvmsg, sock_sendmsg_nosec
from kshell.linux.net.socket_syscalls import move_addr_to_kernel, move_addr_to_user

if TYPE_CHECKING:
    from kshell.linux.include.linux.net import socket
    from kshell.linux.include.linux.sched import task_struct

MSG_SENDPAGE_NOPOLICY = 0x10000
MSG_SENDPAGE_DECRYPTED = 0x100000
MSG_INTERNAL_SENDMSG_FLAGS = MSG_SENDPAGE_NOPOLICY | MSG_SENDPAGE_DECRYPTED
_MSGHDR = struct.Struct("<Qi4xQQQQI4x")
SIZEOF_MSGHDR = 56
SIZEOF_MMSGHDR = 64
_CTL_ON_STACK = 36


class _ctl_buf:
    """Control messages too long for the stack."""

    __slots__ = ("_addr",)
    _addr: int


async def __sys_sendto(
    current: task_struct, fd: int, buff: int, length: int, flags: int, addr: int, addr_len: int
) -> int:
    """sendto()."""
    it = import_single_range(current, WRITE, buff, length)
    sock, fput_needed = sockfd_lookup_light(current, fd)
    try:
        msg = msghdr(current, it)
        if addr:
            msg.msg_name = move_addr_to_kernel(current, addr, addr_len)
            msg.msg_namelen = addr_len
        flags &= ~MSG_INTERNAL_SENDMSG_FLAGS
        if sock.file.f_flags & O_NONBLOCK:  # type: ignore[union-attr]
            flags |= MSG_DONTWAIT
        msg.msg_flags = flags
        return await __sock_sendmsg(sock, msg)
    finally:
        if fput_needed:
            fput_light(sock.file, fput_needed)


@SYSCALL_DEFINE
async def sys_sendto(
    current: task_struct, fd: int, buff: int, length: int, flags: int, addr: int, addr_len: int
) -> int:
    """Send a message, with addr to that address."""
    return await __sys_sendto(current, fd, buff, length, flags, addr, addr_len)


@SYSCALL_DEFINE
async def sys_send(current: task_struct, fd: int, buff: int, length: int, flags: int) -> int:
    """Send a message on a connected socket."""
    return await __sys_sendto(current, fd, buff, length, flags, 0, 0)


async def __sys_recvfrom(
    current: task_struct, fd: int, ubuf: int, size: int, flags: int, addr: int, addr_len: int
) -> int:
    """recvfrom()."""
    it = import_single_range(current, READ, ubuf, size)
    sock, fput_needed = sockfd_lookup_light(current, fd)
    try:
        msg = msghdr(current, it)
        msg._want_name = addr != 0
        if sock.file.f_flags & O_NONBLOCK:  # type: ignore[union-attr]
            flags |= MSG_DONTWAIT
        got = await sock_recvmsg(sock, msg, flags)
        if addr:
            move_addr_to_user(current, (msg.msg_name or b"")[: msg.msg_namelen], addr, addr_len)
        return got
    finally:
        if fput_needed:
            fput_light(sock.file, fput_needed)


@SYSCALL_DEFINE
async def sys_recvfrom(
    current: task_struct, fd: int, ubuf: int, size: int, flags: int, addr: int, addr_len: int
) -> int:
    """Receive a message, and with addr the sender's address."""
    return await __sys_recvfrom(current, fd, ubuf, size, flags, addr, addr_len)


@SYSCALL_DEFINE
async def sys_recv(current: task_struct, fd: int, ubuf: int, size: int, flags: int) -> int:
    """Receive a message."""
    return await __sys_recvfrom(current, fd, ubuf, size, flags, 0, 0)


def __copy_msghdr(current: task_struct, kmsg: msghdr, msg: user_msghdr, receiving: bool) -> int:
    """Take over a message header; the user address of the name. EINVAL, EFAULT, EMSGSIZE: too many segments."""
    kmsg.msg_control_user = msg.msg_control
    kmsg.msg_controllen = msg.msg_controllen
    kmsg.msg_flags = msg.msg_flags
    namelen = msg.msg_namelen if msg.msg_name else 0
    if namelen < 0:
        raise KernelError(EINVAL)
    namelen = min(namelen, SOCKADDR_STORAGE_SIZE)
    kmsg.msg_namelen = namelen
    if msg.msg_name and namelen:
        if not receiving:
            kmsg.msg_name = move_addr_to_kernel(current, msg.msg_name, namelen)
    else:
        kmsg.msg_name = None
        kmsg.msg_namelen = 0
    if msg.msg_iovlen > UIO_MAXIOV:
        raise KernelError(EMSGSIZE)
    return msg.msg_name


def copy_msghdr_from_user(current: task_struct, kmsg: msghdr, umsg: int, flags: int, receiving: bool) -> int:
    """A struct msghdr and its iovecs from user memory; the user address of the name."""
    if flags & MSG_CMSG_COMPAT:
        msg = get_compat_msghdr(current, umsg)
    else:
        msg = user_msghdr(*_MSGHDR.unpack(copy_from_user(current, umsg, SIZEOF_MSGHDR)))
    save_addr = __copy_msghdr(current, kmsg, msg, receiving)
    kmsg.msg_iter = import_iovec(current, READ if receiving else WRITE, msg.msg_iov, msg.msg_iovlen)
    return save_addr


class _used_address:
    """sendmmsg(): the address that the last message went to."""

    __slots__ = ("name",)

    def __init__(self) -> None:
        self.name: bytes | None = None


async def ____sys_sendmsg(
    sock: socket, msg_sys: msghdr, flags: int, used_address: _used_address | None, allowed_msghdr_flags: int
) -> int:
    """Fetch the control messages, then send. ENOBUFS: too many of them; EFAULT."""
    current = msg_sys._current
    sk = sock.sk
    assert sk is not None
    assert sock.file is not None
    ctl_len = msg_sys.msg_controllen
    if ctl_len > INT_MAX:
        raise KernelError(ENOBUFS)
    flags |= msg_sys.msg_flags & allowed_msghdr_flags
    ctl_buf: _ctl_buf | None = None
    try:
        if flags & MSG_CMSG_COMPAT and ctl_len:
            cmsghdr_from_user_compat_to_kern(msg_sys, sk)
        elif ctl_len:
            if ctl_len > _CTL_ON_STACK:
                ctl_buf = sock_kmalloc(sk, _ctl_buf, ctl_len)
                if ctl_buf is None:
                    raise KernelError(ENOBUFS)
            msg_sys.msg_control = copy_from_user(current, msg_sys.msg_control_user, ctl_len)
        flags &= ~MSG_INTERNAL_SENDMSG_FLAGS
        msg_sys.msg_flags = flags
        if sock.file.f_flags & O_NONBLOCK:
            msg_sys.msg_flags |= MSG_DONTWAIT
        if used_address is not None and msg_sys.msg_name is not None and used_address.name == msg_sys.msg_name:
            return await sock_sendmsg_nosec(sock, msg_sys)
        sent = await __sock_sendmsg(sock, msg_sys)
        if used_address is not None:
            used_address.name = msg_sys.msg_name
        return sent
    finally:
        if ctl_buf is not None:
            sock_kfree_s(sk, ctl_buf, ctl_len)


def _new_msghdr(current: task_struct) -> msghdr:
    return msghdr(current, None)  # type: ignore[arg-type]


async def ___sys_sendmsg(
    current: task_struct, sock: socket, msg: int, flags: int, used_address: _used_address | None, allowed: int
) -> tuple[int, msghdr]:
    """Send the message that a struct msghdr at `msg` describes."""
    msg_sys = _new_msghdr(current)
    copy_msghdr_from_user(current, msg_sys, msg, flags, False)
    return await ____sys_sendmsg(sock, msg_sys, flags, used_address, allowed), msg_sys


async def __sys_sendmsg(current: task_struct, fd: int, msg: int, flags: int, forbid_cmsg_compat: bool) -> int:
    """sendmsg()."""
    if forbid_cmsg_compat and flags & MSG_CMSG_COMPAT:
        raise KernelError(EINVAL)
    sock, fput_needed = sockfd_lookup_light(current, fd)
    try:
        sent, _ = await ___sys_sendmsg(current, sock, msg, flags, None, 0)
        return sent
    finally:
        if fput_needed:
            fput_light(sock.file, fput_needed)


@SYSCALL_DEFINE
async def sys_sendmsg(current: task_struct, fd: int, msg: int, flags: int) -> int:
    """Send a message with address and control messages."""
    return await __sys_sendmsg(current, fd, msg, flags, True)


async def __sys_sendmmsg(
    current: task_struct, fd: int, mmsg: int, vlen: int, flags: int, forbid_cmsg_compat: bool
) -> int:
    """sendmmsg(): how many messages went; an error only if none did."""
    if forbid_cmsg_compat and flags & MSG_CMSG_COMPAT:
        raise KernelError(EINVAL)
    vlen = min(vlen, UIO_MAXIOV)
    sock, fput_needed = sockfd_lookup_light(current, fd)
    oflags = flags
    flags |= MSG_BATCH
    used_address = _used_address()
    step, at_len = (32, 28) if flags & MSG_CMSG_COMPAT else (SIZEOF_MMSGHDR, SIZEOF_MSGHDR)
    datagrams = 0
    try:
        while datagrams < vlen:
            if datagrams == vlen - 1:
                flags = oflags
            entry = mmsg + datagrams * step
            sent, msg_sys = await ___sys_sendmsg(current, sock, entry, flags, used_address, MSG_EOR)
            put_user(current, entry + at_len, sent)
            datagrams += 1
            if msg_sys.msg_iter.count:
                break
    except KernelError:
        if not datagrams:
            raise
    finally:
        if fput_needed:
            fput_light(sock.file, fput_needed)
    return datagrams


@SYSCALL_DEFINE
async def sys_sendmmsg(current: task_struct, fd: int, mmsg: int, vlen: int, flags: int) -> int:
    """Send several messages."""
    return await __sys_sendmmsg(current, fd, mmsg, vlen, flags, True)


async def ____sys_recvmsg(sock: socket, msg_sys: msghdr, msg: int, uaddr: int, flags: int) -> int:
    """Receive, then store name, flags and the length of the control messages."""
    current = msg_sys._current
    is_compat = bool(flags & MSG_CMSG_COMPAT)
    cmsg_ptr = msg_sys.msg_control_user
    msg_sys.msg_flags = flags & (MSG_CMSG_CLOEXEC | MSG_CMSG_COMPAT)
    msg_sys.msg_name = None
    msg_sys.msg_namelen = 0
    msg_sys._want_name = True
    assert sock.file is not None
    if sock.file.f_flags & O_NONBLOCK:
        flags |= MSG_DONTWAIT
    length = await sock_recvmsg(sock, msg_sys, flags)
    at_namelen, at_controllen, at_flags, size = (4, 20, 24, 4) if is_compat else (8, 40, 48, 8)
    if uaddr:
        name = (msg_sys.msg_name or b"")[: msg_sys.msg_namelen]
        move_addr_to_user(current, name, uaddr, msg + at_namelen)
    put_user(current, msg + at_flags, msg_sys.msg_flags & ~MSG_CMSG_COMPAT)
    put_user(current, msg + at_controllen, msg_sys.msg_control_user - cmsg_ptr, size)
    return length


async def ___sys_recvmsg(current: task_struct, sock: socket, msg: int, flags: int) -> tuple[int, msghdr]:
    """Receive into what a struct msghdr at `msg` describes."""
    msg_sys = _new_msghdr(current)
    uaddr = copy_msghdr_from_user(current, msg_sys, msg, flags, True)
    return await ____sys_recvmsg(sock, msg_sys, msg, uaddr, flags), msg_sys


async def __sys_recvmsg(current: task_struct, fd: int, msg: int, flags: int, forbid_cmsg_compat: bool) -> int:
    """recvmsg()."""
    if forbid_cmsg_compat and flags & MSG_CMSG_COMPAT:
        raise KernelError(EINVAL)
    sock, fput_needed = sockfd_lookup_light(current, fd)
    try:
        got, _ = await ___sys_recvmsg(current, sock, msg, flags)
        return got
    finally:
        if fput_needed:
            fput_light(sock.file, fput_needed)


@SYSCALL_DEFINE
async def sys_recvmsg(current: task_struct, fd: int, msg: int, flags: int) -> int:
    """Receive a message with address and control messages."""
    return await __sys_recvmsg(current, fd, msg, flags, True)


async def _recv_some(current: task_struct, sock: socket, mmsg: int, vlen: int, flags: int, end: int | None) -> int:
    """Receive up to vlen messages; one error after some messages is kept for the next call."""
    step, at_len = (32, 28) if flags & MSG_CMSG_COMPAT else (SIZEOF_MMSGHDR, SIZEOF_MSGHDR)
    datagrams = 0
    try:
        while datagrams < vlen:
            entry = mmsg + datagrams * step
            got, msg_sys = await ___sys_recvmsg(current, sock, entry, flags & ~MSG_WAITFORONE)
            put_user(current, entry + at_len, got)
            datagrams += 1
            if flags & MSG_WAITFORONE:
                flags |= MSG_DONTWAIT
            if (end is not None and ktime_get(current.kernel) >= end) or msg_sys.msg_flags & MSG_OOB:
                break
    except KernelError as error:
        if not datagrams:
            raise
        if error.errno != EAGAIN and sock.sk is not None:
            sock.sk.sk_err = error.errno
    return datagrams


async def do_recvmmsg(current: task_struct, fd: int, mmsg: int, vlen: int, flags: int, end: int | None) -> int:
    """recvmmsg() until time `end` (ns), which is looked at after each message only."""
    sock, fput_needed = sockfd_lookup_light(current, fd)
    try:
        assert sock.sk is not None
        if not flags & MSG_ERRQUEUE and sock.sk.sk_err:
            raise KernelError(sock_error(sock.sk))
        return await _recv_some(current, sock, mmsg, vlen, flags, end)
    finally:
        if fput_needed:
            fput_light(sock.file, fput_needed)


async def __sys_recvmmsg(
    current: task_struct, fd: int, mmsg: int, vlen: int, flags: int, timeout: int, timeout32: int
) -> int:
    """recvmmsg(); what is left of the timeout is stored. EFAULT, EINVAL."""
    if not timeout and not timeout32:
        return await do_recvmmsg(current, fd, mmsg, vlen, flags, None)
    layout = struct.Struct("<qq" if timeout else "<ii")
    at = timeout or timeout32
    sec, nsec = layout.unpack(copy_from_user(current, at, layout.size))
    if sec < 0 or not 0 <= nsec < 1_000_000_000:
        raise KernelError(EINVAL)
    end = ktime_get(current.kernel) + sec * 1_000_000_000 + nsec
    datagrams = await do_recvmmsg(current, fd, mmsg, vlen, flags, end)
    if datagrams > 0:
        left = max(end - ktime_get(current.kernel), 0)
        put_user(current, at, left // 1_000_000_000, layout.size // 2)
        put_user(current, at + layout.size // 2, left % 1_000_000_000, layout.size // 2)
    return datagrams


@SYSCALL_DEFINE
async def sys_recvmmsg(current: task_struct, fd: int, mmsg: int, vlen: int, flags: int, timeout: int) -> int:
    """Receive several messages."""
    if flags & MSG_CMSG_COMPAT:
        raise KernelError(EINVAL)
    if in_compat_syscall(current):
        return await __sys_recvmmsg(current, fd, mmsg, vlen, flags | MSG_CMSG_COMPAT, timeout, 0)
    return await __sys_recvmmsg(current, fd, mmsg, vlen, flags, timeout, 0)
