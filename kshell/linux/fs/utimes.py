"""Setting the times of files (fs/utimes.c)."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from kshell.abi.errno import EBADF, EINVAL
from kshell.abi.fcntl import AT_EMPTY_PATH, AT_FDCWD, AT_SYMLINK_NOFOLLOW
from kshell.abi.time import NSEC_PER_SEC
from kshell.linux.fs.attr import notify_change
from kshell.linux.fs.file import __fdget, fdput
from kshell.linux.fs.namei import path_put, user_path_at
from kshell.linux.fs.namespace import mnt_drop_write, mnt_want_write
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.fs_attr import (
    ATTR_ATIME,
    ATTR_ATIME_SET,
    ATTR_CTIME,
    ATTR_MTIME,
    ATTR_MTIME_SET,
    ATTR_TIMES_SET,
    ATTR_TOUCH,
    iattr,
)
from kshell.linux.include.linux.namei import LOOKUP_EMPTY, LOOKUP_FOLLOW
from kshell.linux.include.linux.syscalls import SYSCALL_DEFINE
from kshell.linux.include.linux.time64 import timespec64
from kshell.linux.include.linux.uaccess import copy_from_user

if TYPE_CHECKING:
    from kshell.linux.include.linux.path import path
    from kshell.linux.include.linux.sched import task_struct

UTIME_NOW = (1 << 30) - 1
UTIME_OMIT = (1 << 30) - 2
Times = tuple[timespec64, timespec64]


def nsec_valid(nsec: int) -> bool:
    """Whether tv_nsec is a number of nanoseconds or one of the two special values."""
    return nsec in (UTIME_NOW, UTIME_OMIT) or 0 <= nsec < NSEC_PER_SEC


def vfs_utimes(place: path, times: Times | None) -> None:
    """Set the times; None: now. EINVAL, EROFS, EPERM, EACCES."""
    if times is not None:
        if not nsec_valid(times[0].tv_nsec) or not nsec_valid(times[1].tv_nsec):
            raise KernelError(EINVAL)
        if times[0].tv_nsec == times[1].tv_nsec == UTIME_NOW:
            times = None
    mnt_want_write(place.mnt)
    try:
        attrs = iattr(ATTR_CTIME | ATTR_MTIME | ATTR_ATIME)
        if times is None:
            attrs.ia_valid |= ATTR_TOUCH
        else:
            _set(attrs, times)
        notify_change(place.mnt.mnt_userns, place.dentry, attrs)
    finally:
        mnt_drop_write(place.mnt)


def _set(attrs: iattr, times: Times) -> None:
    atime, mtime = times
    if atime.tv_nsec == UTIME_OMIT:
        attrs.ia_valid &= ~ATTR_ATIME
    elif atime.tv_nsec != UTIME_NOW:
        attrs.ia_atime = atime
        attrs.ia_valid |= ATTR_ATIME_SET
    if mtime.tv_nsec == UTIME_OMIT:
        attrs.ia_valid &= ~ATTR_MTIME
    elif mtime.tv_nsec != UTIME_NOW:
        attrs.ia_mtime = mtime
        attrs.ia_valid |= ATTR_MTIME_SET
    attrs.ia_valid |= ATTR_TIMES_SET


def do_utimes_path(current: task_struct, dfd: int, filename: int, times: Times | None, flags: int) -> None:
    """Set the times of a name. EINVAL: flags."""
    if flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH):
        raise KernelError(EINVAL)
    lookup = 0 if flags & AT_SYMLINK_NOFOLLOW else LOOKUP_FOLLOW
    if flags & AT_EMPTY_PATH:
        lookup |= LOOKUP_EMPTY
    place = user_path_at(current, dfd, filename, lookup)
    try:
        vfs_utimes(place, times)
    finally:
        path_put(place)


def do_utimes_fd(current: task_struct, fd: int, times: Times | None, flags: int) -> None:
    """Set the times of an open file. EINVAL: flags; EBADF."""
    if flags:
        raise KernelError(EINVAL)
    f, fput_needed = __fdget(current, fd)
    if f is None:
        raise KernelError(EBADF)
    try:
        vfs_utimes(f.f_path, times)
    finally:
        fdput(f, fput_needed)


def do_utimes(current: task_struct, dfd: int, filename: int, times: Times | None, flags: int) -> int:
    """Set the times of a name, or with a NULL name of the file dfd."""
    if not filename and dfd != AT_FDCWD:
        do_utimes_fd(current, dfd, times, flags)
    else:
        do_utimes_path(current, dfd, filename, times, flags)
    return 0


@SYSCALL_DEFINE
def sys_utimensat(current: task_struct, dfd: int, filename: int, utimes: int, flags: int) -> int:
    """utimensat(dfd, filename, utimes, flags)."""
    times = None
    if utimes:
        a, an, m, mn = struct.unpack("<4q", copy_from_user(current, utimes, 32))
        times = (timespec64(a, an), timespec64(m, mn))
        if an == mn == UTIME_OMIT:
            return 0
    return do_utimes(current, dfd, filename, times, flags)


def _do_futimesat(current: task_struct, dfd: int, filename: int, utimes: int) -> int:
    times = None
    if utimes:
        a, au, m, mu = struct.unpack("<4q", copy_from_user(current, utimes, 32))
        if not (0 <= au < 1_000_000 and 0 <= mu < 1_000_000):
            raise KernelError(EINVAL)
        times = (timespec64(a, au * 1000), timespec64(m, mu * 1000))
    return do_utimes(current, dfd, filename, times, 0)


@SYSCALL_DEFINE
def sys_futimesat(current: task_struct, dfd: int, filename: int, utimes: int) -> int:
    """futimesat(dfd, filename, struct timeval utimes[2])."""
    return _do_futimesat(current, dfd, filename, utimes)


@SYSCALL_DEFINE
def sys_utimes(current: task_struct, filename: int, utimes: int) -> int:
    """utimes(filename, struct timeval utimes[2])."""
    return _do_futimesat(current, AT_FDCWD, filename, utimes)


@SYSCALL_DEFINE
def sys_utime(current: task_struct, filename: int, times: int) -> int:
    """utime(filename, struct utimbuf *times)."""
    parsed = None
    if times:
        a, m = struct.unpack("<2q", copy_from_user(current, times, 16))
        parsed = (timespec64(a), timespec64(m))
    return do_utimes(current, AT_FDCWD, filename, parsed, 0)
