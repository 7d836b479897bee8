"""open(), close() and the calls on names that are not about making them (fs/open.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.errno import EINVAL
from kshell.abi.fcntl import (
    __O_SYNC,
    __O_TMPFILE,
    AT_FDCWD,
    O_ACCMODE,
    O_APPEND,
    O_CLOEXEC,
    O_CREAT,
    O_DIRECT,
    O_DIRECTORY,
    O_DSYNC,
    O_EXCL,
    O_LARGEFILE,
    O_NOATIME,
    O_NOCTTY,
    O_NOFOLLOW,
    O_NONBLOCK,
    O_PATH,
    O_SYNC,
    O_TMPFILE,
    O_TRUNC,
    O_WRONLY,
)
from kshell.abi.stat import S_IALLUGO, S_IFREG
from kshell.linux.fs.file import (
    close_fd,
    fd_install,
    get_unused_fd_flags,
    put_unused_fd,
)
from kshell.linux.fs.internal import open_flags
from kshell.linux.fs.namei import getname, getname_kernel, putname
from kshell.linux.fs.namei_open import do_filp_open
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.fs import (
    FASYNC,
    MAY_APPEND,
    MAY_WRITE,
)
from kshell.linux.include.linux.namei import (
    LOOKUP_CREATE,
    LOOKUP_DIRECTORY,
    LOOKUP_EXCL,
    LOOKUP_FOLLOW,
    LOOKUP_OPEN,
)
from kshell.linux.include.linux.syscalls import SYSCALL_DEFINE

if TYPE_CHECKING:
    from kshell.linux.include.linux.fs import file
    from kshell.linux.include.linux.sched import task_struct

VALID_OPEN_FLAGS = (
    O_ACCMODE | O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_APPEND | O_NONBLOCK | __O_SYNC | O_DSYNC | FASYNC
    | O_DIRECT | O_LARGEFILE | O_DIRECTORY | O_NOFOLLOW | O_NOATIME | O_CLOEXEC | O_PATH | __O_TMPFILE
)  # fmt: skip
O_PATH_FLAGS = O_DIRECTORY | O_NOFOLLOW | O_PATH | O_CLOEXEC
ACC_MODE = (4, 2, 6, 6)
assert O_SYNC == __O_SYNC | O_DSYNC
assert O_TMPFILE == __O_TMPFILE | O_DIRECTORY


def build_open_flags(flags: int, mode: int) -> open_flags:
    """Work out what open() wants. EINVAL: flags that do not go together."""
    op = open_flags()
    acc_mode = ACC_MODE[flags & O_ACCMODE]
    flags &= ~O_CLOEXEC
    if flags & (O_CREAT | __O_TMPFILE):
        op.mode = mode | S_IFREG
    if flags & (O_DIRECTORY | O_CREAT) == O_DIRECTORY | O_CREAT:
        raise KernelError(EINVAL)
    if flags & __O_TMPFILE and not (flags & O_DIRECTORY and acc_mode & MAY_WRITE):
        raise KernelError(EINVAL)
    if flags & O_PATH:
        acc_mode = 0
    if flags & __O_SYNC:
        flags |= O_DSYNC
    op.open_flag = flags
    if flags & O_TRUNC:
        acc_mode |= MAY_WRITE
    if flags & O_APPEND:
        acc_mode |= MAY_APPEND
    op.acc_mode = acc_mode
    op.intent = 0 if flags & O_PATH else LOOKUP_OPEN
    if flags & O_CREAT:
        op.intent |= LOOKUP_CREATE
        if flags & O_EXCL:
            op.intent |= LOOKUP_EXCL
            flags |= O_NOFOLLOW
    op.lookup_flags = LOOKUP_DIRECTORY if flags & O_DIRECTORY else 0
    if not flags & O_NOFOLLOW:
        op.lookup_flags |= LOOKUP_FOLLOW
    return op


async def do_sys_openat2(current: task_struct, dfd: int, filename: int, flags: int, mode: int) -> int:
    """Open a file and give it a descriptor."""
    op = build_open_flags(flags, mode)
    tmp = getname(current, filename)
    try:
        fd = get_unused_fd_flags(current, flags)
        try:
            f = await do_filp_open(current, dfd, tmp, op)
        except KernelError:
            put_unused_fd(current, fd)
            raise
        fd_install(current, fd, f)
        return fd
    finally:
        putname(current, tmp)


async def do_sys_open(current: task_struct, dfd: int, filename: int, flags: int, mode: int) -> int:
    """open(), with unknown flags dropped."""
    flags &= O_PATH_FLAGS if flags & O_PATH else VALID_OPEN_FLAGS
    mode = mode & S_IALLUGO if flags & (O_CREAT | __O_TMPFILE) else 0
    return await do_sys_openat2(current, dfd, filename, flags, mode)


@SYSCALL_DEFINE
async def sys_open(current: task_struct, filename: int, flags: int, mode: int) -> int:
    """open(filename, flags, mode)."""
    return await do_sys_open(current, AT_FDCWD, filename, flags | O_LARGEFILE, mode)


@SYSCALL_DEFINE
async def sys_openat(current: task_struct, dfd: int, filename: int, flags: int, mode: int) -> int:
    """openat(dfd, filename, flags, mode)."""
    return await do_sys_open(current, dfd, filename, flags | O_LARGEFILE, mode)


@SYSCALL_DEFINE
async def sys_creat(current: task_struct, pathname: int, mode: int) -> int:
    """creat(pathname, mode)."""
    return await do_sys_open(current, AT_FDCWD, pathname, O_CREAT | O_WRONLY | O_TRUNC | O_LARGEFILE, mode)


async def filp_open(current: task_struct, filename: bytes, flags: int, mode: int) -> file:
    """Open a file for the kernel's own use."""
    name = getname_kernel(current, filename)
    try:
        return await do_filp_open(current, AT_FDCWD, name, build_open_flags(flags, mode))
    finally:
        putname(current, name)


@SYSCALL_DEFINE
def sys_close(current: task_struct, fd: int) -> int:
    """close(fd). EBADF."""
    close_fd(current, fd)
    return 0
