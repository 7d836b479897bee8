"""ioctl(): what every file knows, then the file's own (fs/ioctl.c)."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import TYPE_CHECKING

from kshell.abi.errno import EBADF, ENOTTY
from kshell.abi.fcntl import O_NONBLOCK
from kshell.abi.ioctl import FICLONE, FICLONERANGE, FIOASYNC, FIOCLEX, FIONBIO, FIONCLEX, FIONREAD, FIOQSIZE
from kshell.abi.stat import S_IFDIR, S_IFLNK, S_IFMT, S_IFREG
from kshell.linux.fs.file import __fdget, fdput, set_close_on_exec
from kshell.linux.fs.remap_range import vfs_clone_file_range
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.errno import ENOIOCTLCMD
from kshell.linux.include.linux.fs import FASYNC
from kshell.linux.include.linux.syscalls import COMPAT_SYSCALL_DEFINE, SYSCALL_DEFINE
from kshell.linux.include.linux.uaccess import copy_from_user, get_user, put_user
from kshell.linux.security.security import security_file_ioctl

if TYPE_CHECKING:
    from kshell.linux.include.linux.fs import file
    from kshell.linux.include.linux.sched import task_struct


def vfs_ioctl(filp: file, cmd: int, arg: int) -> int:
    """The file's own ioctl(). ENOTTY: it has none, or does not know cmd."""
    if not filp.f_op.unlocked_ioctl:
        raise KernelError(ENOTTY)
    try:
        return filp.f_op.unlocked_ioctl(filp, cmd, arg)
    except KernelError as error:
        if error.errno == ENOIOCTLCMD:
            raise KernelError(ENOTTY) from error
        raise


def file_ioctl(current: task_struct, filp: file, cmd: int, arg: int) -> int:
    """Those of regular files. ENOIOCTLCMD: not one of them."""
    if cmd == FIONREAD:
        put_user(current, arg, filp.f_inode.i_size - filp.f_pos)
        return 0
    raise KernelError(ENOIOCTLCMD)


def ioctl_fionbio(current: task_struct, filp: file, argp: int) -> int:
    """FIONBIO: set or clear O_NONBLOCK. EFAULT."""
    if get_user(current, argp):
        filp.f_flags |= O_NONBLOCK
    else:
        filp.f_flags &= ~O_NONBLOCK
    return 0


def ioctl_fioasync(current: task_struct, fd: int, filp: file, argp: int) -> int:
    """FIOASYNC: set or clear O_ASYNC. EFAULT; ENOTTY: the file sends no signals."""
    on = get_user(current, argp)
    flag = FASYNC if on else 0
    if (flag ^ filp.f_flags) & FASYNC:
        if not filp.f_op.fasync:
            raise KernelError(ENOTTY)
        filp.f_op.fasync(fd, filp, int(bool(on)))
    return 0


def ioctl_file_clone(current: task_struct, dst_file: file, srcfd: int) -> int:
    """FICLONE: have a file share the blocks of another. EBADF, EXDEV, EISDIR, EINVAL, EOPNOTSUPP."""
    src_file, flags = __fdget(current, srcfd)
    if src_file is None:
        raise KernelError(EBADF)
    try:
        return vfs_clone_file_range(src_file, dst_file)
    finally:
        fdput(src_file, flags)


def ioctl_file_clone_range(current: task_struct, file: file, argp: int) -> int:
    """FICLONERANGE: the same for a part, by a struct file_clone_range. EFAULT."""
    src_fd, _, _, _ = struct.unpack("<qQQQ", copy_from_user(current, argp, 32))
    return ioctl_file_clone(current, file, src_fd & 0xFFFFFFFF)


def _fioqsize(current: task_struct, filp: file, argp: int) -> int:
    """FIOQSIZE: the size, as 64 bits. ENOTTY: it has none; EFAULT."""
    inode = filp.f_inode
    if inode.i_mode & S_IFMT not in (S_IFDIR, S_IFREG, S_IFLNK):
        raise KernelError(ENOTTY)
    put_user(current, argp, inode.i_blocks * 512, 8)
    return 0


def do_vfs_ioctl(current: task_struct, filp: file, fd: int, cmd: int, arg: int) -> int:
    """Those that every file knows. ENOIOCTLCMD: not one of them."""
    if cmd == FIOCLEX:
        set_close_on_exec(current, fd, 1)
        return 0
    if cmd == FIONCLEX:
        set_close_on_exec(current, fd, 0)
        return 0
    if cmd == FIONBIO:
        return ioctl_fionbio(current, filp, arg)
    if cmd == FIOASYNC:
        return ioctl_fioasync(current, fd, filp, arg)
    if cmd == FICLONE:
        return ioctl_file_clone(current, filp, arg)
    if cmd == FICLONERANGE:
        return ioctl_file_clone_range(current, filp, arg)
    if cmd == FIOQSIZE:
        return _fioqsize(current, filp, arg)
    if cmd == FIONREAD and filp.f_inode.i_mode & S_IFMT != S_IFREG:
        return vfs_ioctl(filp, cmd, arg)
    if filp.f_inode.i_mode & S_IFMT == S_IFREG:
        return file_ioctl(current, filp, cmd, arg)
    raise KernelError(ENOIOCTLCMD)


def _ioctl(current: task_struct, fd: int, cmd: int, arg: int, driver: Callable[[file, int, int], int]) -> int:
    """What all files know, else what the driver of this one does."""
    f, flags = __fdget(current, fd)
    if f is None:
        raise KernelError(EBADF)
    try:
        security_file_ioctl(f, cmd, arg)
        try:
            return do_vfs_ioctl(current, f, fd, cmd, arg)
        except KernelError as error:
            if error.errno != ENOIOCTLCMD:
                raise
        return driver(f, cmd, arg)
    finally:
        fdput(f, flags)


@SYSCALL_DEFINE
def sys_ioctl(current: task_struct, fd: int, cmd: int, arg: int) -> int:
    """ioctl(fd, cmd, arg). EBADF, ENOTTY, EFAULT."""
    return _ioctl(current, fd, cmd, arg, vfs_ioctl)


def compat_ptr_ioctl(f: file, cmd: int, arg: int) -> int:
    """For files whose arguments are the same in 32 and 64 bits. ENOIOCTLCMD."""
    if f.f_op.unlocked_ioctl is None:
        raise KernelError(ENOIOCTLCMD)
    return f.f_op.unlocked_ioctl(f, cmd, arg)


def _compat_ioctl(f: file, cmd: int, arg: int) -> int:
    if f.f_op.compat_ioctl is None:
        raise KernelError(ENOTTY)
    try:
        return f.f_op.compat_ioctl(f, cmd, arg)
    except KernelError as error:
        if error.errno != ENOIOCTLCMD:
            raise
        raise KernelError(ENOTTY) from error


@COMPAT_SYSCALL_DEFINE
def compat_sys_ioctl(current: task_struct, fd: int, cmd: int, arg: int) -> int:
    """ioctl() of a 32-bit program. EBADF, ENOTTY, EFAULT."""
    return _ioctl(current, fd, cmd, arg, _compat_ioctl)
