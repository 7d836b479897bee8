"""flock() and the lock commands of fcntl() (fs/locks.c)."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from kshell.abi.errno import EBADF, EINVAL, EOVERFLOW
from kshell.abi.fcntl import (
    F_OFD_GETLK,
    F_OFD_SETLK,
    F_OFD_SETLKW,
    F_RDLCK,
    F_SETLKW,
    F_UNLCK,
    F_WRLCK,
    LOCK_EX,
    LOCK_MAND,
    LOCK_NB,
    LOCK_SH,
    LOCK_UN,
    SEEK_CUR,
    SEEK_END,
    SEEK_SET,
)
from kshell.linux.fs.file import __fdget, fdput
from kshell.linux.fs.locks import (
    flock_lock_inode,
    locks_lock_inode_wait,
    posix_lock_inode,
    posix_test_lock,
)
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.fs import FMODE_READ, FMODE_WRITE
from kshell.linux.include.linux.fs_lock import FL_FLOCK, FL_OFDLCK, FL_POSIX, FL_SLEEP, OFFSET_MAX, file_lock
from kshell.linux.include.linux.syscalls import SYSCALL_DEFINE
from kshell.linux.include.linux.uaccess import copy_from_user, copy_to_user
from kshell.linux.security.security import security_file_lock

if TYPE_CHECKING:
    from kshell.linux.include.linux.fs import file
    from kshell.linux.include.linux.sched import task_struct

FLOCK = struct.Struct("<hh4xqqi4x")
flock = tuple[int, int, int, int, int]
"""struct flock: l_type, l_whence, l_start, l_len, l_pid."""


def flock_to_posix_lock(filp: file, fl: file_lock, l: flock) -> None:  # noqa: E741
    """The range and kind that a struct flock asks for. EINVAL, EOVERFLOW."""
    l_type, l_whence, l_start, l_len, _ = l
    if l_whence not in (SEEK_SET, SEEK_CUR, SEEK_END):
        raise KernelError(EINVAL)
    start = l_start + {SEEK_SET: 0, SEEK_CUR: filp.f_pos, SEEK_END: filp.f_inode.i_size}[l_whence]
    if start > OFFSET_MAX:
        raise KernelError(EOVERFLOW)
    if start < 0:
        raise KernelError(EINVAL)
    end = OFFSET_MAX
    if l_len > 0:
        end = start + l_len - 1
        if end > OFFSET_MAX:
            raise KernelError(EOVERFLOW)
    elif l_len < 0:
        if start + l_len < 0:
            raise KernelError(EINVAL)
        start, end = start + l_len, start - 1
    if l_type not in (F_RDLCK, F_WRLCK, F_UNLCK):
        raise KernelError(EINVAL)
    fl.fl_start, fl.fl_end, fl.fl_type = start, end, l_type


def _request(current: task_struct, filp: file, cmd: int, l: flock) -> file_lock:  # noqa: E741
    fl = file_lock(current.files, FL_POSIX)
    fl.fl_file = filp
    fl.fl_pid = current.tgid
    flock_to_posix_lock(filp, fl, l)
    if cmd in (F_OFD_GETLK, F_OFD_SETLK, F_OFD_SETLKW):
        if l[4]:
            raise KernelError(EINVAL)
        fl.fl_flags |= FL_OFDLCK
        fl.fl_owner = filp
        fl.fl_pid = -1
    return fl


def fcntl_getlk(current: task_struct, filp: file, cmd: int, arg: int) -> int:
    """F_GETLK: a lock that would stand in the way, or F_UNLCK. EINVAL, EFAULT."""
    l = FLOCK.unpack(copy_from_user(current, arg, 32))  # noqa: E741
    if cmd != F_OFD_GETLK and l[0] not in (F_RDLCK, F_WRLCK):
        raise KernelError(EINVAL)
    other = posix_test_lock(filp, _request(current, filp, cmd, l))
    if other is None:
        answer = (F_UNLCK, *l[1:])
    else:
        length = 0 if other.fl_end == OFFSET_MAX else other.fl_end - other.fl_start + 1
        answer = (other.fl_type, SEEK_SET, other.fl_start, length, other.fl_pid)
    copy_to_user(current, arg, FLOCK.pack(*answer))
    return 0


def check_fmode_for_setlk(filp: file, fl: file_lock) -> None:
    """EBADF: a read lock needs a file open for reading, a write lock one for writing."""
    if fl.fl_type == F_RDLCK and not filp.f_mode & FMODE_READ:
        raise KernelError(EBADF)
    if fl.fl_type == F_WRLCK and not filp.f_mode & FMODE_WRITE:
        raise KernelError(EBADF)


async def fcntl_setlk(current: task_struct, fd: int, filp: file, cmd: int, arg: int) -> int:
    """F_SETLK, F_SETLKW. EAGAIN, EBADF, EDEADLK, EINVAL, EFAULT."""
    fl = _request(current, filp, cmd, FLOCK.unpack(copy_from_user(current, arg, 32)))
    check_fmode_for_setlk(filp, fl)
    security_file_lock(filp, fl.fl_type)
    if cmd in (F_SETLKW, F_OFD_SETLKW):
        fl.fl_flags |= FL_SLEEP
        await locks_lock_inode_wait(filp.f_inode, fl)
    else:
        posix_lock_inode(filp.f_inode, fl)
    return 0


def flock_translate_cmd(cmd: int) -> int:
    """The kind of lock that flock() asks for. EINVAL."""
    kinds = {LOCK_SH: F_RDLCK, LOCK_EX: F_WRLCK, LOCK_UN: F_UNLCK}
    if cmd not in kinds:
        raise KernelError(EINVAL)
    return kinds[cmd]


@SYSCALL_DEFINE
async def sys_flock(current: task_struct, fd: int, cmd: int) -> int:
    """flock(fd, cmd). EINVAL, EBADF; EAGAIN: LOCK_NB and another holds it."""
    if cmd & LOCK_MAND:
        return 0
    type = flock_translate_cmd(cmd & ~LOCK_NB)
    f, flags = __fdget(current, fd)
    if f is None:
        raise KernelError(EBADF)
    try:
        if type != F_UNLCK and not f.f_mode & (FMODE_READ | FMODE_WRITE):
            raise KernelError(EBADF)
        security_file_lock(f, type)
        fl = file_lock(f, FL_FLOCK, type)
        if cmd & LOCK_NB or type == F_UNLCK:
            flock_lock_inode(f.f_inode, fl)
        else:
            fl.fl_flags |= FL_SLEEP
            await locks_lock_inode_wait(f.f_inode, fl)
        return 0
    finally:
        fdput(f, flags)
