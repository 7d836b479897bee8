"""readv(), writev() and their relatives (fs/read_write.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.errno import EBADF, EINVAL, EOPNOTSUPP
from kshell.abi.fcntl import RWF_HIPRI, RWF_NOWAIT, RWF_SUPPORTED, RWF_SYNC
from kshell.linux.fs.file import __fdget_pos, fdput
from kshell.linux.fs.read_write import _fdget_at, iocb_flags, rw_verify_area
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.fs import (
    FMODE_NOWAIT,
    FMODE_PREAD,
    FMODE_PWRITE,
    FMODE_READ,
    FMODE_STREAM,
    FMODE_WRITE,
    IOCB_DSYNC,
    IOCB_NOIO,
    kiocb,
)
from kshell.linux.include.linux.fs_ops import FMODE_CAN_READ, FMODE_CAN_WRITE
from kshell.linux.include.linux.syscalls import SYSCALL_DEFINE
from kshell.linux.include.linux.uio import READ, WRITE
from kshell.linux.lib.iov_iter import import_iovec, iov_iter_advance

if TYPE_CHECKING:
    from kshell.linux.include.linux.fs import file
    from kshell.linux.include.linux.fs_ops import Ppos
    from kshell.linux.include.linux.sched import task_struct
    from kshell.linux.include.linux.uio import iov_iter


def kiocb_set_rw_flags(ki: kiocb, flags: int) -> None:
    """Take the flags of preadv2(), pwritev2(). EOPNOTSUPP."""
    if not flags:
        return
    if flags & ~RWF_SUPPORTED:
        raise KernelError(EOPNOTSUPP)
    if flags & RWF_NOWAIT:
        if not ki.ki_filp.f_mode & FMODE_NOWAIT:
            raise KernelError(EOPNOTSUPP)
        ki.ki_flags |= IOCB_NOIO
    ki.ki_flags |= flags
    if flags & RWF_SYNC:
        ki.ki_flags |= IOCB_DSYNC


async def do_iter_readv_writev(filp: file, iter: iov_iter, ppos: Ppos | None, type: int, flags: int) -> int:
    """Read or write all segments in one go."""
    iocb = kiocb(filp, ppos[0] if ppos is not None else 0, iocb_flags(filp))
    kiocb_set_rw_flags(iocb, flags)
    call = filp.f_op.read_iter if type == READ else filp.f_op.write_iter
    assert call is not None
    ret = await call(iocb, iter)
    if ppos is not None:
        ppos[0] = iocb.ki_pos
    return ret


async def do_loop_readv_writev(filp: file, iter: iov_iter, ppos: Ppos | None, type: int, flags: int) -> int:
    """Read or write segment by segment, for files that cannot do more at a time. EOPNOTSUPP: flags."""
    if flags & ~RWF_HIPRI:
        raise KernelError(EOPNOTSUPP)
    call = filp.f_op.read if type == READ else filp.f_op.write
    assert call is not None
    pos = ppos if ppos is not None else [0]
    ret = 0
    while iter.count:
        base, length = iter._segments[iter._segment]
        base, length = base + iter.iov_offset, length - iter.iov_offset
        try:
            nr = await call(filp, base, length, pos)
        except KernelError:
            if ret:
                break
            raise
        ret += nr
        if nr != length:
            break
        iov_iter_advance(iter, nr)
    return ret


async def do_iter_read(file: file, iter: iov_iter, pos: Ppos | None, flags: int) -> int:
    """Read into an iterator. EBADF, EINVAL."""
    if not file.f_mode & FMODE_READ:
        raise KernelError(EBADF)
    if not file.f_mode & FMODE_CAN_READ:
        raise KernelError(EINVAL)
    if not iter.count:
        return 0
    rw_verify_area(READ, file, pos, iter.count)
    if file.f_op.read_iter:
        return await do_iter_readv_writev(file, iter, pos, READ, flags)
    return await do_loop_readv_writev(file, iter, pos, READ, flags)


async def do_iter_write(file: file, iter: iov_iter, pos: Ppos | None, flags: int) -> int:
    """Write from an iterator. EBADF, EINVAL."""
    if not file.f_mode & FMODE_WRITE:
        raise KernelError(EBADF)
    if not file.f_mode & FMODE_CAN_WRITE:
        raise KernelError(EINVAL)
    if not iter.count:
        return 0
    rw_verify_area(WRITE, file, pos, iter.count)
    if file.f_op.write_iter:
        return await do_iter_readv_writev(file, iter, pos, WRITE, flags)
    return await do_loop_readv_writev(file, iter, pos, WRITE, flags)


async def vfs_iter_write(file: file, iter: iov_iter, ppos: Ppos | None, flags: int) -> int:
    """Write, for the kernel's own use. EINVAL: the file has no write_iter()."""
    if not file.f_op.write_iter:
        raise KernelError(EINVAL)
    return await do_iter_write(file, iter, ppos, flags)


async def vfs_readv(current: task_struct, file: file, vec: int, vlen: int, pos: Ppos | None, flags: int) -> int:
    """Read into the struct iovec array at vec."""
    return await do_iter_read(file, import_iovec(current, READ, vec, vlen), pos, flags)


async def vfs_writev(current: task_struct, file: file, vec: int, vlen: int, pos: Ppos | None, flags: int) -> int:
    """Write from the struct iovec array at vec."""
    return await do_iter_write(file, import_iovec(current, WRITE, vec, vlen), pos, flags)


async def _at_file_position(current: task_struct, fd: int, vec: int, vlen: int, flags: int, write: bool) -> int:
    f, fput_needed = __fdget_pos(current, fd)
    if f is None:
        raise KernelError(EBADF)
    try:
        pos = None if f.f_mode & FMODE_STREAM else [f.f_pos]
        ret = await (vfs_writev if write else vfs_readv)(current, f, vec, vlen, pos, flags)
        if pos is not None:
            f.f_pos = pos[0]
        return ret
    finally:
        fdput(f, fput_needed)


async def do_readv(current: task_struct, fd: int, vec: int, vlen: int, flags: int) -> int:
    """readv(). EBADF."""
    return await _at_file_position(current, fd, vec, vlen, flags, False)


async def do_writev(current: task_struct, fd: int, vec: int, vlen: int, flags: int) -> int:
    """writev(). EBADF."""
    return await _at_file_position(current, fd, vec, vlen, flags, True)


async def do_preadv(current: task_struct, fd: int, vec: int, vlen: int, pos: int, flags: int) -> int:
    """preadv(). EINVAL: pos; EBADF; ESPIPE."""
    f, fput_needed = _fdget_at(current, fd, pos, FMODE_PREAD)
    try:
        return await vfs_readv(current, f, vec, vlen, [pos], flags)
    finally:
        fdput(f, fput_needed)


async def do_pwritev(current: task_struct, fd: int, vec: int, vlen: int, pos: int, flags: int) -> int:
    """pwritev(). EINVAL: pos; EBADF; ESPIPE."""
    f, fput_needed = _fdget_at(current, fd, pos, FMODE_PWRITE)
    try:
        return await vfs_writev(current, f, vec, vlen, [pos], flags)
    finally:
        fdput(f, fput_needed)


def pos_from_hilo(high: int, low: int) -> int:
    """The position from two registers: on x86-64 it is all in the first."""
    return low - (1 << 64) if low >> 63 else low


@SYSCALL_DEFINE
async def sys_readv(current: task_struct, fd: int, vec: int, vlen: int) -> int:
    """readv(fd, vec, vlen)."""
    return await do_readv(current, fd, vec, vlen, 0)


@SYSCALL_DEFINE
async def sys_writev(current: task_struct, fd: int, vec: int, vlen: int) -> int:
    """writev(fd, vec, vlen)."""
    return await do_writev(current, fd, vec, vlen, 0)


@SYSCALL_DEFINE
async def sys_preadv(current: task_struct, fd: int, vec: int, vlen: int, pos_l: int, pos_h: int) -> int:
    """preadv(fd, vec, vlen, pos)."""
    return await do_preadv(current, fd, vec, vlen, pos_from_hilo(pos_h, pos_l), 0)


@SYSCALL_DEFINE
async def sys_pwritev(current: task_struct, fd: int, vec: int, vlen: int, pos_l: int, pos_h: int) -> int:
    """pwritev(fd, vec, vlen, pos)."""
    return await do_pwritev(current, fd, vec, vlen, pos_from_hilo(pos_h, pos_l), 0)


@SYSCALL_DEFINE
async def sys_preadv2(
    current: task_struct, fd: int, vec: int, vlen: int, pos_l: int, pos_h: int, flags: int
) -> int:
    """preadv2(fd, vec, vlen, pos, flags); pos -1: the file's own position."""
    pos = pos_from_hilo(pos_h, pos_l)
    if pos == -1:
        return await do_readv(current, fd, vec, vlen, flags)
    return await do_preadv(current, fd, vec, vlen, pos, flags)


@SYSCALL_DEFINE
async def sys_pwritev2(
    current: task_struct, fd: int, vec: int, vlen: int, pos_l: int, pos_h: int, flags: int
) -> int:
    """pwritev2(fd, vec, vlen, pos, flags); pos -1: the file's own position."""
    pos = pos_from_hilo(pos_h, pos_l)
    if pos == -1:
        return await do_writev(current, fd, vec, vlen, flags)
    return await do_pwritev(current, fd, vec, vlen, pos, flags)
