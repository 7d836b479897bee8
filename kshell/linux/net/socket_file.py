"""net/socket.c: the operations of a file that is a socket, and the sending and receiving that they come to."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from kshell.abi.errno import EINVAL, ENODEV, ESPIPE
from kshell.abi.fcntl import O_NONBLOCK
from kshell.abi.socket import MSG_DONTWAIT, MSG_EOR, SOCK_SEQPACKET
from kshell.linux.fs.fcntl import fasync_helper
from kshell.linux.fs.splice_to_pipe import generic_file_splice_read
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.fs import IOCB_NOWAIT
from kshell.linux.include.linux.socket import msghdr
from kshell.linux.include.linux.uio import _kvec_iter
from kshell.linux.include.net.sock import SOCK_FASYNC, sock_reset_flag, sock_set_flag
from kshell.linux.net.core.sock_lock import lock_sock, release_sock
from kshell.linux.security.security import security_socket_recvmsg, security_socket_sendmsg

if TYPE_CHECKING:
    from kshell.linux.include.linux.fs import file, kiocb
    from kshell.linux.include.linux.fs_ops import Ppos
    from kshell.linux.include.linux.net import socket
    from kshell.linux.include.linux.pipe_fs_i import pipe_inode_info
    from kshell.linux.include.linux.poll import poll_table
    from kshell.linux.include.linux.seq_file import seq_file
    from kshell.linux.include.linux.uio import iov_iter


async def sock_sendmsg_nosec(sock: socket, msg: msghdr) -> int:
    """Send by the family's operation."""
    assert sock.ops is not None
    return await sock.ops.sendmsg(sock, msg, msg.msg_iter.count)


async def __sock_sendmsg(sock: socket, msg: msghdr) -> int:
    """Send a message: how many bytes went."""
    size = msg.msg_iter.count
    security_socket_sendmsg(sock, msg, size)
    return await sock.ops.sendmsg(sock, msg, size)  # type: ignore[union-attr]


async def sock_recvmsg(sock: socket, msg: msghdr, flags: int) -> int:
    """Receive a message: how many bytes came."""
    size = msg.msg_iter.count
    security_socket_recvmsg(sock, msg, size, flags)
    return await sock.ops.recvmsg(sock, msg, size, flags)  # type: ignore[union-attr]


async def kernel_sendmsg(sock: socket, data: bytes, flags: int) -> int:
    """Send bytes of the kernel's own."""
    assert sock.sk is not None
    return await __sock_sendmsg(sock, msghdr(sock.sk.skc_net.kernel.current, _kvec_iter(data), flags))


async def sock_read_iter(iocb: kiocb, to: iov_iter) -> int:
    """read() and readv(). ESPIPE: at an offset."""
    f = iocb.ki_filp
    sock = cast("socket", f.private_data)
    flags = MSG_DONTWAIT if f.f_flags & O_NONBLOCK or iocb.ki_flags & IOCB_NOWAIT else 0
    if iocb.ki_pos != 0:
        raise KernelError(ESPIPE)
    if not to.count:
        return 0
    assert sock.sk is not None
    msg = msghdr(sock.sk.skc_net.kernel.current, to, flags)
    msg.msg_iocb = iocb
    return await sock_recvmsg(sock, msg, flags)


async def sock_write_iter(iocb: kiocb, source: iov_iter) -> int:
    """write() and writev(). ESPIPE: at an offset."""
    f = iocb.ki_filp
    sock = cast("socket", f.private_data)
    if iocb.ki_pos != 0:
        raise KernelError(ESPIPE)
    flags = MSG_DONTWAIT if f.f_flags & O_NONBLOCK or iocb.ki_flags & IOCB_NOWAIT else 0
    if sock.type == SOCK_SEQPACKET:
        flags |= MSG_EOR
    assert sock.sk is not None
    msg = msghdr(sock.sk.skc_net.kernel.current, source, flags)
    msg.msg_iocb = iocb
    return await __sock_sendmsg(sock, msg)


def sock_poll(f: file, wait: poll_table | None) -> int:
    """What the socket is ready for."""
    sock = cast("socket", f.private_data)
    return sock.ops.poll(f, sock, wait)  # type: ignore[union-attr]


def sock_mmap(f: file, vma: object) -> int:
    """mmap(). ENODEV: the family has none."""
    sock = cast("socket", f.private_data)
    assert sock.ops is not None
    if sock.ops.mmap is None:
        raise KernelError(ENODEV)
    return sock.ops.mmap(f, sock, vma)


def sock_fasync(fd: int, f: file, on: int) -> int:
    """O_ASYNC is set or cleared: send SIGIO or don't. EINVAL: the socket is closed."""
    sock = cast("socket", f.private_data)
    sk = sock.sk
    if sk is None:
        raise KernelError(EINVAL)
    lock_sock(sk)
    fasync_helper(fd, f, on, sock.wq, "fasync_list")
    if sock.wq.fasync_list is None:
        sock_reset_flag(sk, SOCK_FASYNC)
    else:
        sock_set_flag(sk, SOCK_FASYNC)
    release_sock(sk)
    return 0


async def sock_sendpage(f: file, page: bytes, offset: int, size: int, ppos: Ppos | None, more: int) -> int:
    """splice() and sendfile() to a socket."""
    sock = cast("socket", f.private_data)
    flags = (MSG_DONTWAIT if f.f_flags & O_NONBLOCK else 0) | more
    assert sock.ops is not None
    data = page[offset : offset + size]
    if sock.ops.sendpage is not None:
        return await sock.ops.sendpage(sock, data, flags)
    return await kernel_sendmsg(sock, data, flags)


async def sock_splice_read(f: file, ppos: Ppos, pipe: pipe_inode_info, length: int, flags: int) -> int:
    """splice() from a socket."""
    sock = cast("socket", f.private_data)
    assert sock.ops is not None
    if sock.ops.splice_read is None:
        return await generic_file_splice_read(f, ppos, pipe, length, flags)
    return await sock.ops.splice_read(sock, ppos, pipe, length, flags)


def sock_splice_eof(f: file) -> None:
    """No more will be spliced: send what was held back."""
    sock = cast("socket", f.private_data)
    if sock.ops is not None and sock.ops.splice_eof is not None:
        sock.ops.splice_eof(sock)


def sock_show_fdinfo(m: seq_file, f: file) -> None:
    """/proc/PID/fdinfo."""
    sock = cast("socket", f.private_data)
    if sock.ops is not None and sock.ops.show_fdinfo is not None:
        sock.ops.show_fdinfo(m, sock)
