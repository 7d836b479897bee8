"""Several descriptors for one file, and closing many (fs/file.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.errno import EBADF, EBUSY, EINVAL, EMFILE
from kshell.abi.fcntl import CLOSE_RANGE_CLOEXEC, CLOSE_RANGE_UNSHARE, O_CLOEXEC
from kshell.abi.resource import RLIMIT_NOFILE
from kshell.linux.fs.file import (
    __set_open_fd,
    alloc_fd,
    dup_fd,
    expand_files,
    fd_install,
    fget_raw,
    get_unused_fd_flags,
    last_fd,
    pick_file,
    put_files_struct,
    rlimit,
)
from kshell.linux.fs.file_table import fput
from kshell.linux.fs.open_file import filp_close
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.fdtable import fd_is_open
from kshell.linux.include.linux.syscalls import SYSCALL_DEFINE

if TYPE_CHECKING:
    from kshell.linux.include.linux.fdtable import files_struct
    from kshell.linux.include.linux.fs import file
    from kshell.linux.include.linux.sched import task_struct


def do_dup2(files: files_struct, f: file, nr: int, flags: int) -> int:
    """Let descriptor nr stand for the file too; what it stood for is closed. EBUSY: nr is being opened."""
    fdt = files.fdt
    tofree = fdt.fd[nr]
    if tofree is None and fd_is_open(nr, fdt):
        raise KernelError(EBUSY)
    f.f_count += 1
    fdt.fd[nr] = f
    __set_open_fd(nr, fdt)
    if flags & O_CLOEXEC:
        fdt.close_on_exec[nr >> 6] |= 1 << (nr & 63)
    else:
        fdt.close_on_exec[nr >> 6] &= ~(1 << (nr & 63))
    if tofree is not None:
        filp_close(tofree, files)
    return nr


def ksys_dup3(current: task_struct, oldfd: int, newfd: int, flags: int) -> int:
    """dup3(). EINVAL: oldfd is newfd, unknown flags; EBADF: no such file, or newfd is above the limit."""
    if flags & ~O_CLOEXEC or oldfd == newfd:
        raise KernelError(EINVAL)
    if newfd >= rlimit(current, RLIMIT_NOFILE):
        raise KernelError(EBADF)
    files = current.files
    try:
        expand_files(current, files, newfd)
    except KernelError as error:
        if error.errno == EMFILE or _lookup(files, oldfd) is None:
            raise KernelError(EBADF) from None
        raise
    f = _lookup(files, oldfd)
    if f is None:
        raise KernelError(EBADF)
    return do_dup2(files, f, newfd, flags)


def _lookup(files: files_struct, nr: int) -> file | None:
    return files.fdt.fd[nr] if 0 <= nr < files.fdt.max_fds else None


@SYSCALL_DEFINE
def sys_dup3(current: task_struct, oldfd: int, newfd: int, flags: int) -> int:
    """dup3(oldfd, newfd, flags)."""
    return ksys_dup3(current, oldfd, newfd, flags)


@SYSCALL_DEFINE
def sys_dup2(current: task_struct, oldfd: int, newfd: int) -> int:
    """dup2(oldfd, newfd): newfd == oldfd only checks it."""
    if newfd == oldfd:
        if _lookup(current.files, oldfd) is None:
            raise KernelError(EBADF)
        return oldfd
    return ksys_dup3(current, oldfd, newfd, 0)


@SYSCALL_DEFINE
def sys_dup(current: task_struct, fildes: int) -> int:
    """dup(fildes): the lowest free descriptor. EBADF, EMFILE."""
    f = fget_raw(current, fildes)
    if f is None:
        raise KernelError(EBADF)
    try:
        nr = get_unused_fd_flags(current, 0)
    except KernelError:
        fput(f)
        raise
    fd_install(current, nr, f)
    return nr


def f_dupfd(current: task_struct, start: int, f: file, flags: int) -> int:
    """fcntl(F_DUPFD): the lowest free descriptor from start on. EINVAL: start is above the limit."""
    nofile = rlimit(current, RLIMIT_NOFILE)
    if start >= nofile:
        raise KernelError(EINVAL)
    nr = alloc_fd(current, start, nofile, flags)
    f.f_count += 1
    fd_install(current, nr, f)
    return nr


def __range_cloexec(files: files_struct, first: int, last: int) -> None:
    fdt = files.fdt
    for nr in range(first, min(last, last_fd(fdt)) + 1):
        if fd_is_open(nr, fdt):
            fdt.close_on_exec[nr >> 6] |= 1 << (nr & 63)


def __range_close(files: files_struct, first: int, last: int) -> None:
    for nr in range(first, min(last, last_fd(files.fdt)) + 1):
        f = pick_file(files, nr)
        if f is not None:
            filp_close(f, files)


def __close_range(current: task_struct, first: int, last: int, flags: int) -> int:
    """Close descriptors first to last, or set FD_CLOEXEC; CLOSE_RANGE_UNSHARE: in a table of one's own."""
    if flags & ~(CLOSE_RANGE_UNSHARE | CLOSE_RANGE_CLOEXEC) or first > last:
        raise KernelError(EINVAL)
    shared = None
    files = current.files
    if flags & CLOSE_RANGE_UNSHARE and files.count > 1:
        hole = None if flags & CLOSE_RANGE_CLOEXEC else (first, last)
        shared, files = files, dup_fd(current.kernel, files, hole)
    if flags & CLOSE_RANGE_CLOEXEC:
        __range_cloexec(files, first, last)
    else:
        __range_close(files, first, last)
    if shared is not None:
        current.files = files
        put_files_struct(current.kernel, shared)
    return 0


@SYSCALL_DEFINE
def sys_close_range(current: task_struct, fd: int, max_fd: int, flags: int) -> int:
    """close_range(fd, max_fd, flags). EINVAL."""
    return __close_range(current, fd, max_fd, flags)
