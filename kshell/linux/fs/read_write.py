"""read(), write(), lseek() (fs/read_write.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.errno import EBADF, EFAULT, EFBIG, EINVAL, ENXIO, ESPIPE
from kshell.abi.fcntl import (
    __O_SYNC,
    O_APPEND,
    O_DIRECT,
    O_DSYNC,
    O_LARGEFILE,
    SEEK_CUR,
    SEEK_DATA,
    SEEK_END,
    SEEK_HOLE,
    SEEK_MAX,
)
from kshell.abi.resource import RLIM_INFINITY, RLIMIT_FSIZE
from kshell.abi.signal import SIGXFSZ
from kshell.linux.fs.file import __fdget, __fdget_pos, fdput
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.fs import (
    FMODE_PREAD,
    FMODE_PWRITE,
    FMODE_READ,
    FMODE_STREAM,
    FMODE_WRITE,
    IOCB_APPEND,
    IOCB_DIRECT,
    IOCB_DSYNC,
    IOCB_NOWAIT,
    IOCB_SYNC,
    MAX_NON_LFS,
    MAX_RW_COUNT,
    MAY_READ,
    MAY_WRITE,
    kiocb,
)
from kshell.linux.include.linux.fs_ops import FMODE_CAN_READ, FMODE_CAN_WRITE, FMODE_LSEEK
from kshell.linux.include.linux.mm_types import TASK_SIZE_MAX
from kshell.linux.include.linux.syscalls import SYSCALL_DEFINE
from kshell.linux.include.linux.uio import READ, WRITE, _kvec_iter, iov_iter
from kshell.linux.kernel.signal import send_sig
from kshell.linux.lib.iov_iter import iov_iter_truncate
from kshell.linux.security.security import security_file_permission

if TYPE_CHECKING:
    from kshell.linux.include.linux.fs import file
    from kshell.linux.include.linux.fs_ops import Ppos
    from kshell.linux.include.linux.sched import task_struct

SSIZE_MAX = (1 << 63) - 1
SYNC_FLAGS = O_APPEND | O_DIRECT | O_DSYNC | __O_SYNC


def vfs_setpos(file: file, offset: int, maxsize: int) -> int:
    """Set the position. EINVAL: negative, or above maxsize."""
    if not 0 <= offset <= maxsize:
        raise KernelError(EINVAL)
    if offset != file.f_pos:
        file.f_pos = offset
        file.f_version = 0
    return offset


def generic_file_llseek_size(file: file, offset: int, whence: int, maxsize: int, eof: int) -> int:
    """lseek() of a file whose end is at eof. ENXIO: SEEK_DATA, SEEK_HOLE beyond it."""
    if whence == SEEK_END:
        offset += eof
    elif whence == SEEK_CUR:
        if offset == 0:
            return file.f_pos
        offset += file.f_pos
    elif whence in (SEEK_DATA, SEEK_HOLE):
        if not 0 <= offset < eof:
            raise KernelError(ENXIO)
        if whence == SEEK_HOLE:
            offset = eof
    return vfs_setpos(file, offset, maxsize)


def generic_file_llseek(file: file, offset: int, whence: int) -> int:
    """lseek() of a regular file."""
    inode = file.f_inode
    return generic_file_llseek_size(file, offset, whence, inode.i_sb.s_maxbytes, inode.i_size)


def default_llseek(file: file, offset: int, whence: int) -> int:
    """lseek() of a file that has only a size. EINVAL, ENXIO."""
    return generic_file_llseek_size(file, offset, whence, SSIZE_MAX, file.f_inode.i_size)


def noop_llseek(file: file, offset: int, whence: int) -> int:
    """lseek() that succeeds and does nothing."""
    return file.f_pos


def vfs_llseek(file: file, offset: int, whence: int) -> int:
    """Move the position. ESPIPE: it has none."""
    llseek = file.f_op.llseek
    if not file.f_mode & FMODE_LSEEK or llseek is None:
        raise KernelError(ESPIPE)
    return llseek(file, offset, whence)


def ksys_lseek(current: task_struct, fd: int, offset: int, whence: int) -> int:
    """lseek(). EBADF; EINVAL: whence."""
    f, flags = __fdget_pos(current, fd)
    if f is None:
        raise KernelError(EBADF)
    try:
        if not 0 <= whence <= SEEK_MAX:
            raise KernelError(EINVAL)
        return vfs_llseek(f, offset, whence)
    finally:
        fdput(f, flags)


@SYSCALL_DEFINE
def sys_lseek(current: task_struct, fd: int, offset: int, whence: int) -> int:
    """lseek(fd, offset, whence)."""
    return ksys_lseek(current, fd, offset, whence)


def rw_verify_area(read_write: int, file: file, ppos: Ppos | None, count: int) -> None:
    """Check size and position. EINVAL; EOVERFLOW: from a negative position past zero."""
    if count > SSIZE_MAX:
        raise KernelError(EINVAL)
    if ppos is not None and (ppos[0] < 0 or ppos[0] + count > SSIZE_MAX):
        raise KernelError(EINVAL)
    security_file_permission(file, MAY_READ if read_write == READ else MAY_WRITE)


def iocb_flags(file: file) -> int:
    """How the file's flags have reads and writes done."""
    flags = file.f_flags
    if not flags & SYNC_FLAGS:
        return 0
    return (
        (IOCB_APPEND if flags & O_APPEND else 0)
        | (IOCB_DIRECT if flags & O_DIRECT else 0)
        | (IOCB_DSYNC if flags & O_DSYNC else 0)
        | (IOCB_SYNC if flags & __O_SYNC else 0)
    )


async def vfs_read(current: task_struct, file: file, buf: int, count: int, pos: Ppos | None) -> int:
    """Read into user memory at the position (None: the file has none). EBADF, EINVAL, EFAULT, what the file raises."""
    mode = file.f_mode
    if not mode & FMODE_READ:
        raise KernelError(EBADF)
    if not mode & FMODE_CAN_READ:
        raise KernelError(EINVAL)
    if buf + count > TASK_SIZE_MAX:
        raise KernelError(EFAULT)
    rw_verify_area(READ, file, pos, count)
    if count > MAX_RW_COUNT:
        count = MAX_RW_COUNT
    op = file.f_op
    if op.read:
        return await op.read(file, buf, count, pos if pos is not None else [0])
    assert op.read_iter is not None
    iocb = kiocb(file, pos[0] if pos is not None else 0, iocb_flags(file))
    ret = await op.read_iter(iocb, iov_iter(READ, current, ((buf, count),), count))
    if pos is not None:
        pos[0] = iocb.ki_pos
    return ret


async def vfs_write(current: task_struct, file: file, buf: int, count: int, pos: Ppos | None) -> int:
    """Write from user memory at the position (None: the file has none). EBADF, EINVAL, EFAULT, what the file raises."""
    mode = file.f_mode
    if not mode & FMODE_WRITE:
        raise KernelError(EBADF)
    if not mode & FMODE_CAN_WRITE:
        raise KernelError(EINVAL)
    if buf + count > TASK_SIZE_MAX:
        raise KernelError(EFAULT)
    rw_verify_area(WRITE, file, pos, count)
    if count > MAX_RW_COUNT:
        count = MAX_RW_COUNT
    op = file.f_op
    if op.write:
        return await op.write(file, buf, count, pos if pos is not None else [0])
    assert op.write_iter is not None
    iocb = kiocb(file, pos[0] if pos is not None else 0, iocb_flags(file))
    ret = await op.write_iter(iocb, iov_iter(WRITE, current, ((buf, count),), count))
    if ret > 0 and pos is not None:
        pos[0] = iocb.ki_pos
    return ret


async def ksys_read(current: task_struct, fd: int, buf: int, count: int) -> int:
    """read(). EBADF."""
    f, flags = __fdget_pos(current, fd)
    if f is None:
        raise KernelError(EBADF)
    try:
        if f.f_mode & FMODE_STREAM:
            return await vfs_read(current, f, buf, count, None)
        pos = [f.f_pos]
        ret = await vfs_read(current, f, buf, count, pos)
        f.f_pos = pos[0]
        return ret
    finally:
        if flags:
            fdput(f, flags)


@SYSCALL_DEFINE
async def sys_read(current: task_struct, fd: int, buf: int, count: int) -> int:
    """read(fd, buf, count)."""
    return await ksys_read(current, fd, buf, count)


async def ksys_write(current: task_struct, fd: int, buf: int, count: int) -> int:
    """write(). EBADF."""
    f, flags = __fdget_pos(current, fd)
    if f is None:
        raise KernelError(EBADF)
    try:
        if f.f_mode & FMODE_STREAM:
            return await vfs_write(current, f, buf, count, None)
        pos = [f.f_pos]
        ret = await vfs_write(current, f, buf, count, pos)
        f.f_pos = pos[0]
        return ret
    finally:
        if flags:
            fdput(f, flags)


@SYSCALL_DEFINE
async def sys_write(current: task_struct, fd: int, buf: int, count: int) -> int:
    """write(fd, buf, count)."""
    return await ksys_write(current, fd, buf, count)


def _fdget_at(current: task_struct, fd: int, pos: int, mode: int) -> tuple[file, int]:
    """The file that is read or written at pos. EINVAL: pos; EBADF; ESPIPE: it lacks mode, FMODE_PREAD or FMODE_PWRITE."""
    if pos < 0:
        raise KernelError(EINVAL)
    f, flags = __fdget(current, fd)
    if f is None:
        raise KernelError(EBADF)
    if not f.f_mode & mode:
        fdput(f, flags)
        raise KernelError(ESPIPE)
    return f, flags


async def ksys_pread64(current: task_struct, fd: int, buf: int, count: int, pos: int) -> int:
    """pread64(). EBADF; EINVAL: pos; ESPIPE."""
    f, flags = _fdget_at(current, fd, pos, FMODE_PREAD)
    try:
        return await vfs_read(current, f, buf, count, [pos])
    finally:
        fdput(f, flags)


@SYSCALL_DEFINE
async def sys_pread64(current: task_struct, fd: int, buf: int, count: int, pos: int) -> int:
    """pread64(fd, buf, count, pos)."""
    return await ksys_pread64(current, fd, buf, count, pos)


async def ksys_pwrite64(current: task_struct, fd: int, buf: int, count: int, pos: int) -> int:
    """pwrite64(). EBADF; EINVAL: pos; ESPIPE."""
    f, flags = _fdget_at(current, fd, pos, FMODE_PWRITE)
    try:
        return await vfs_write(current, f, buf, count, [pos])
    finally:
        fdput(f, flags)


@SYSCALL_DEFINE
async def sys_pwrite64(current: task_struct, fd: int, buf: int, count: int, pos: int) -> int:
    """pwrite64(fd, buf, count, pos)."""
    return await ksys_pwrite64(current, fd, buf, count, pos)


def generic_write_check_limits(file: file, pos: int, count: int) -> int:
    """How much of count may be written at pos. EFBIG: nothing (RLIMIT_FSIZE: SIGXFSZ too)."""
    current = file._kernel.current
    limit = current.signal.rlim[RLIMIT_FSIZE][0]
    if limit != RLIM_INFINITY:
        if pos >= limit:
            send_sig(SIGXFSZ, current, 0)
            raise KernelError(EFBIG)
        count = min(count, limit - pos)
    max_size = file.f_inode.i_sb.s_maxbytes if file.f_flags & O_LARGEFILE else MAX_NON_LFS
    if pos >= max_size:
        raise KernelError(EFBIG)
    return min(count, max_size - pos)


def generic_write_checks_count(iocb: kiocb, count: int) -> int:
    """Where and how much to write: O_APPEND goes to the end. EINVAL: IOCB_NOWAIT without O_DIRECT; EFBIG."""
    file = iocb.ki_filp
    if not count:
        return 0
    if iocb.ki_flags & IOCB_APPEND:
        iocb.ki_pos = file.f_inode.i_size
    if iocb.ki_flags & IOCB_NOWAIT and not iocb.ki_flags & IOCB_DIRECT:
        raise KernelError(EINVAL)
    return generic_write_check_limits(file, iocb.ki_pos, count)


def generic_write_checks(iocb: kiocb, from_: iov_iter) -> int:
    """How much is to be written; shortens the iterator."""
    count = generic_write_checks_count(iocb, from_.count)
    iov_iter_truncate(from_, count)
    return from_.count


async def kernel_read(file: file, count: int, pos: int) -> bytes:
    """Up to count bytes at pos, for the kernel's own use. EINVAL: the file cannot be read this way."""
    if file.f_op.read_iter is None:
        raise KernelError(EINVAL)
    sink = _kvec_iter(None, count)
    await file.f_op.read_iter(kiocb(file, pos, iocb_flags(file)), sink)
    return sink.bytes()
