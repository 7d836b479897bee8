"""fsync() and its relatives (fs/sync.c, mm/fadvise.c): all files live in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.errno import EBADF, EINVAL, ESPIPE
from kshell.abi.fcntl import POSIX_FADV_NOREUSE
from kshell.abi.stat import S_IFBLK, S_IFDIR, S_IFIFO, S_IFLNK, S_IFMT, S_IFREG
from kshell.linux.fs.file import __fdget, fdput
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.fs_lock import OFFSET_MAX
from kshell.linux.include.linux.syscalls import SYSCALL_DEFINE

if TYPE_CHECKING:
    from kshell.linux.include.linux.fs import file
    from kshell.linux.include.linux.sched import task_struct

SYNC_FILE_RANGE_VALID = 7


@SYSCALL_DEFINE
def sys_sync(current: task_struct) -> int:
    """sync()."""
    return 0


@SYSCALL_DEFINE
def sys_syncfs(current: task_struct, fd: int) -> int:
    """syncfs(fd). EBADF."""
    f, flags = __fdget(current, fd)
    if f is None:
        raise KernelError(EBADF)
    fdput(f, flags)
    return 0


def vfs_fsync_range(file: file, start: int, end: int, datasync: int) -> int:
    """fsync() of a part. EINVAL: the file cannot."""
    if not file.f_op.fsync:
        raise KernelError(EINVAL)
    return file.f_op.fsync(file, start, end, datasync)


def vfs_fsync(file: file, datasync: int) -> int:
    """fsync() of all."""
    return vfs_fsync_range(file, 0, OFFSET_MAX, datasync)


def do_fsync(current: task_struct, fd: int, datasync: int) -> int:
    """fsync(). EBADF, EINVAL."""
    f, flags = __fdget(current, fd)
    if f is None:
        raise KernelError(EBADF)
    try:
        return vfs_fsync(f, datasync)
    finally:
        fdput(f, flags)


@SYSCALL_DEFINE
def sys_fsync(current: task_struct, fd: int) -> int:
    """fsync(fd)."""
    return do_fsync(current, fd, 0)


@SYSCALL_DEFINE
def sys_fdatasync(current: task_struct, fd: int) -> int:
    """fdatasync(fd)."""
    return do_fsync(current, fd, 1)


@SYSCALL_DEFINE
def sys_sync_file_range(current: task_struct, fd: int, offset: int, nbytes: int, flags: int) -> int:
    """sync_file_range(fd, offset, nbytes, flags). EBADF, EINVAL, ESPIPE."""
    f, fput_needed = __fdget(current, fd)
    if f is None:
        raise KernelError(EBADF)
    try:
        if flags & ~SYNC_FILE_RANGE_VALID or offset < 0 or nbytes < 0 or offset + nbytes > OFFSET_MAX:
            raise KernelError(EINVAL)
        if f.f_inode.i_mode & S_IFMT not in (S_IFREG, S_IFBLK, S_IFDIR, S_IFLNK):
            raise KernelError(ESPIPE)
    finally:
        fdput(f, fput_needed)
    return 0


@SYSCALL_DEFINE
def sys_fadvise64(current: task_struct, fd: int, offset: int, length: int, advice: int) -> int:
    """fadvise64(fd, offset, len, advice). EBADF; ESPIPE: a pipe; EINVAL."""
    f, flags = __fdget(current, fd)
    if f is None:
        raise KernelError(EBADF)
    try:
        if f.f_inode.i_mode & S_IFMT == S_IFIFO:
            raise KernelError(ESPIPE)
        if length < 0 or not 0 <= advice <= POSIX_FADV_NOREUSE:
            raise KernelError(EINVAL)
    finally:
        fdput(f, flags)
    return 0
