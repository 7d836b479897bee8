"""statfs() (fs/statfs.c)."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from kshell.abi.errno import EBADF, ENOSYS
from kshell.abi.fcntl import AT_FDCWD
from kshell.abi.stat import (
    ST_NOATIME,
    ST_NODEV,
    ST_NODIRATIME,
    ST_NOEXEC,
    ST_NOSUID,
    ST_RDONLY,
    ST_RELATIME,
    ST_VALID,
)
from kshell.linux.fs.file import __fdget_raw, fdput
from kshell.linux.fs.namei import path_put, user_path_at
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.fs import SB_RDONLY
from kshell.linux.include.linux.mount import (
    MNT_NOATIME,
    MNT_NODEV,
    MNT_NODIRATIME,
    MNT_NOEXEC,
    MNT_NOSUID,
    MNT_READONLY,
    MNT_RELATIME,
)
from kshell.linux.include.linux.namei import LOOKUP_AUTOMOUNT, LOOKUP_FOLLOW
from kshell.linux.include.linux.statfs import kstatfs
from kshell.linux.include.linux.syscalls import SYSCALL_DEFINE
from kshell.linux.include.linux.uaccess import copy_to_user
from kshell.linux.security.security import security_sb_statfs

if TYPE_CHECKING:
    from kshell.linux.include.linux.dcache import dentry
    from kshell.linux.include.linux.path import path
    from kshell.linux.include.linux.sched import task_struct

STATFS = struct.Struct("<7QQQQQ32x")
FLAGS = (
    (MNT_READONLY, ST_RDONLY),
    (MNT_NOSUID, ST_NOSUID),
    (MNT_NODEV, ST_NODEV),
    (MNT_NOEXEC, ST_NOEXEC),
    (MNT_NOATIME, ST_NOATIME),
    (MNT_NODIRATIME, ST_NODIRATIME),
    (MNT_RELATIME, ST_RELATIME),
)


def statfs_by_dentry(dentry: dentry) -> kstatfs:
    """The figures of the file system of a dentry. ENOSYS: it has none."""
    statfs = dentry.d_sb.s_op.statfs
    if not statfs:
        raise KernelError(ENOSYS)
    buf = kstatfs()
    security_sb_statfs(dentry)
    statfs(dentry, buf)
    buf.f_frsize = buf.f_frsize or buf.f_bsize
    return buf


def calculate_f_flags(place: path) -> int:
    """The flags of the mount."""
    flags = sum(st for mnt, st in FLAGS if place.mnt.mnt_flags & mnt)
    if place.mnt.mnt_sb.s_flags & SB_RDONLY:
        flags |= ST_RDONLY
    return ST_VALID | flags


def vfs_statfs(place: path) -> kstatfs:
    """The figures of the file system at a place."""
    buf = statfs_by_dentry(place.dentry)
    buf.f_flags = calculate_f_flags(place)
    return buf


def user_statfs(current: task_struct, pathname: int) -> kstatfs:
    """By name."""
    place = user_path_at(current, AT_FDCWD, pathname, LOOKUP_FOLLOW | LOOKUP_AUTOMOUNT)
    try:
        return vfs_statfs(place)
    finally:
        path_put(place)


def fd_statfs(current: task_struct, fd: int) -> kstatfs:
    """By descriptor. EBADF."""
    f, flags = __fdget_raw(current, fd)
    if f is None:
        raise KernelError(EBADF)
    try:
        return vfs_statfs(f.f_path)
    finally:
        fdput(f, flags)


def do_statfs_native(current: task_struct, st: kstatfs, p: int) -> int:
    """Lay a struct statfs out in user memory. EFAULT."""
    data = STATFS.pack(
        st.f_type, st.f_bsize, st.f_blocks, st.f_bfree, st.f_bavail, st.f_files, st.f_ffree, st.f_fsid,
        st.f_namelen, st.f_frsize, st.f_flags,
    )  # fmt: skip
    copy_to_user(current, p, data)
    return 0


@SYSCALL_DEFINE
def sys_statfs(current: task_struct, pathname: int, buf: int) -> int:
    """statfs(pathname, buf)."""
    return do_statfs_native(current, user_statfs(current, pathname), buf)


@SYSCALL_DEFINE
def sys_fstatfs(current: task_struct, fd: int, buf: int) -> int:
    """fstatfs(fd, buf)."""
    return do_statfs_native(current, fd_statfs(current, fd), buf)
