"""copy_file_range() (fs/read_write.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.errno import EBADF, EINVAL, EISDIR, EOVERFLOW, EXDEV
from kshell.abi.fcntl import O_APPEND
from kshell.linux.fs.file import fdget, fdput
from kshell.linux.fs.read_write import generic_write_check_limits, rw_verify_area
from kshell.linux.fs.splice import do_splice_direct
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.fs import FMODE_READ, FMODE_WRITE, MAX_RW_COUNT
from kshell.linux.include.linux.syscalls import SYSCALL_DEFINE
from kshell.linux.include.linux.uaccess import get_user, put_user
from kshell.linux.include.linux.uio import READ, WRITE

if TYPE_CHECKING:
    from kshell.linux.include.linux.fs import file
    from kshell.linux.include.linux.sched import task_struct

S_IFMT, S_IFDIR, S_IFREG = 0o170000, 0o040000, 0o100000
LOFF_MAX = (1 << 63) - 1


def generic_file_rw_checks(file_in: file, file_out: file) -> None:
    """EISDIR; EINVAL: not a regular file; EBADF: not open for that, or O_APPEND."""
    kinds = [f.f_inode.i_mode & S_IFMT for f in (file_in, file_out)]
    if S_IFDIR in kinds:
        raise KernelError(EISDIR)
    if kinds != [S_IFREG, S_IFREG]:
        raise KernelError(EINVAL)
    if not file_in.f_mode & FMODE_READ or not file_out.f_mode & FMODE_WRITE or file_out.f_flags & O_APPEND:
        raise KernelError(EBADF)


def generic_copy_file_checks(file_in: file, pos_in: int, file_out: file, pos_out: int, req_count: int) -> int:
    """How many bytes may be copied. EXDEV: another file system; EOVERFLOW; EINVAL: the ranges overlap."""
    generic_file_rw_checks(file_in, file_out)
    inode_in, inode_out = file_in.f_inode, file_out.f_inode
    if inode_in.i_sb is not inode_out.i_sb:
        raise KernelError(EXDEV)
    if pos_in + req_count > LOFF_MAX or pos_out + req_count > LOFF_MAX:
        raise KernelError(EOVERFLOW)
    count = 0 if pos_in >= inode_in.i_size else min(req_count, inode_in.i_size - pos_in)
    count = generic_write_check_limits(file_out, pos_out, count)
    if inode_in is inode_out and pos_out + count > pos_in and pos_out < pos_in + count:
        raise KernelError(EINVAL)
    return count


async def generic_copy_file_range(
    current: task_struct, file_in: file, pos_in: int, file_out: file, pos_out: int, length: int
) -> int:
    """Copy by splicing."""
    return await do_splice_direct(current, file_in, [pos_in], file_out, [pos_out], min(length, MAX_RW_COUNT), 0)


async def vfs_copy_file_range(
    current: task_struct, file_in: file, pos_in: int, file_out: file, pos_out: int, length: int
) -> int:
    """Copy a range of a regular file to another of the same file system; how many bytes."""
    length = generic_copy_file_checks(file_in, pos_in, file_out, pos_out, length)
    rw_verify_area(READ, file_in, [pos_in], length)
    rw_verify_area(WRITE, file_out, [pos_out], length)
    if length == 0:
        return 0
    return await generic_copy_file_range(current, file_in, pos_in, file_out, pos_out, length)


@SYSCALL_DEFINE
async def sys_copy_file_range(
    current: task_struct, fd_in: int, off_in: int, fd_out: int, off_out: int, len: int, flags: int
) -> int:
    """Copy between regular files inside the kernel. EBADF, EFAULT, EINVAL, EISDIR, EXDEV, EOVERFLOW."""
    f_in, iput = fdget(current, fd_in)
    if f_in is None:
        raise KernelError(EBADF)
    try:
        f_out, oput = fdget(current, fd_out)
        if f_out is None:
            raise KernelError(EBADF)
        try:
            pos_in = get_user(current, off_in, 8) if off_in else f_in.f_pos
            pos_out = get_user(current, off_out, 8) if off_out else f_out.f_pos
            if flags:
                raise KernelError(EINVAL)
            ret = await vfs_copy_file_range(current, f_in, pos_in, f_out, pos_out, len)
            if ret > 0:
                _advance(current, f_in, off_in, pos_in + ret)
                _advance(current, f_out, off_out, pos_out + ret)
            return ret
        finally:
            fdput(f_out, oput)
    finally:
        fdput(f_in, iput)


def _advance(current: task_struct, f: file, offset: int, pos: int) -> None:
    if offset:
        put_user(current, offset, pos, 8)
    else:
        f.f_pos = pos
