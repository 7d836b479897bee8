"""truncate(), fallocate(), access() (fs/open.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.errno import EACCES, EBADF, EFBIG, EINVAL, EISDIR, ENODEV, EOPNOTSUPP, EPERM, EROFS, ESPIPE
from kshell.abi.fcntl import (
    AT_EACCESS,
    AT_EMPTY_PATH,
    AT_FDCWD,
    AT_SYMLINK_NOFOLLOW,
    FALLOC_FL_COLLAPSE_RANGE,
    FALLOC_FL_INSERT_RANGE,
    FALLOC_FL_KEEP_SIZE,
    FALLOC_FL_PUNCH_HOLE,
    FALLOC_FL_UNSHARE_RANGE,
    FALLOC_FL_ZERO_RANGE,
)
from kshell.abi.stat import S_IFDIR, S_IFIFO, S_IFMT, S_IFREG
from kshell.linux.fs.file import (
    __fdget,
    fdput,
)
from kshell.linux.fs.namei import path_put, user_path_at
from kshell.linux.fs.namei_open import do_truncate
from kshell.linux.fs.namei_permission import inode_permission
from kshell.linux.fs.namespace import __mnt_is_readonly, mnt_drop_write, mnt_want_write
from kshell.linux.fs.open_file import get_write_access, put_write_access, special_file
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.fs import FMODE_WRITE, MAY_ACCESS, MAY_EXEC, MAY_WRITE, S_APPEND, S_IMMUTABLE
from kshell.linux.include.linux.fs_attr import ATTR_CTIME, ATTR_MTIME
from kshell.linux.include.linux.mount import MNT_NOEXEC
from kshell.linux.include.linux.namei import (
    LOOKUP_EMPTY,
    LOOKUP_FOLLOW,
)
from kshell.linux.include.linux.syscalls import SYSCALL_DEFINE
from kshell.linux.kernel.cred import prepare_creds, put_cred
from kshell.linux.security.security import security_path_truncate

if TYPE_CHECKING:
    from kshell.linux.include.linux.cred import cred
    from kshell.linux.include.linux.fs import file
    from kshell.linux.include.linux.path import path
    from kshell.linux.include.linux.sched import task_struct

FALLOC_FL_SUPPORTED_MASK = (
    FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE | FALLOC_FL_COLLAPSE_RANGE | FALLOC_FL_ZERO_RANGE
    | FALLOC_FL_INSERT_RANGE | FALLOC_FL_UNSHARE_RANGE
)  # fmt: skip


def vfs_truncate(place: path, length: int) -> None:
    """truncate(). EISDIR, EINVAL (not a regular file), EACCES, EPERM, ETXTBSY, EROFS, EFBIG."""
    inode = place.dentry.d_inode
    assert inode is not None
    kind = inode.i_mode & S_IFMT
    if kind != S_IFREG:
        raise KernelError(EISDIR if kind == S_IFDIR else EINVAL)
    mnt_want_write(place.mnt)
    try:
        userns = place.mnt.mnt_userns
        inode_permission(userns, inode, MAY_WRITE)
        if inode.i_flags & S_APPEND:
            raise KernelError(EPERM)
        get_write_access(inode)
        try:
            security_path_truncate(place)
            do_truncate(userns, place.dentry, length, 0, None)
        finally:
            put_write_access(inode)
    finally:
        mnt_drop_write(place.mnt)


@SYSCALL_DEFINE
def sys_truncate(current: task_struct, pathname: int, length: int) -> int:
    """truncate(path, length)."""
    if length < 0:
        raise KernelError(EINVAL)
    place = user_path_at(current, AT_FDCWD, pathname, LOOKUP_FOLLOW)
    try:
        vfs_truncate(place, length)
    finally:
        path_put(place)
    return 0


def do_sys_ftruncate(current: task_struct, fd: int, length: int) -> int:
    """ftruncate(). EINVAL: not a regular file open for writing; EBADF, EPERM, EFBIG."""
    if length < 0:
        raise KernelError(EINVAL)
    f, flags = __fdget(current, fd)
    if f is None:
        raise KernelError(EBADF)
    try:
        inode = f.f_inode
        if inode.i_mode & S_IFMT != S_IFREG or not f.f_mode & FMODE_WRITE:
            raise KernelError(EINVAL)
        if inode.i_flags & S_APPEND:
            raise KernelError(EPERM)
        security_path_truncate(f.f_path)
        do_truncate(f.f_path.mnt.mnt_userns, f.f_path.dentry, length, ATTR_MTIME | ATTR_CTIME, f)
    finally:
        fdput(f, flags)
    return 0


@SYSCALL_DEFINE
def sys_ftruncate(current: task_struct, fd: int, length: int) -> int:
    """ftruncate(fd, length)."""
    return do_sys_ftruncate(current, fd, length)


def vfs_fallocate(f: file, mode: int, offset: int, length: int) -> int:
    """fallocate(). EINVAL, EOPNOTSUPP, EBADF, EPERM, ETXTBSY, ESPIPE (a pipe), EISDIR, ENODEV, EFBIG."""
    inode = f.f_inode
    if offset < 0 or length <= 0:
        raise KernelError(EINVAL)
    both = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE
    if mode & ~FALLOC_FL_SUPPORTED_MASK or mode & both == both:
        raise KernelError(EOPNOTSUPP)
    if mode & FALLOC_FL_PUNCH_HOLE and not mode & FALLOC_FL_KEEP_SIZE:
        raise KernelError(EOPNOTSUPP)
    alone = (FALLOC_FL_COLLAPSE_RANGE, FALLOC_FL_INSERT_RANGE)
    if any(mode & one and mode & ~one for one in alone):
        raise KernelError(EINVAL)
    if mode & FALLOC_FL_UNSHARE_RANGE and mode & ~(FALLOC_FL_UNSHARE_RANGE | FALLOC_FL_KEEP_SIZE):
        raise KernelError(EINVAL)
    if not f.f_mode & FMODE_WRITE:
        raise KernelError(EBADF)
    if (mode & ~FALLOC_FL_KEEP_SIZE and inode.i_flags & S_APPEND) or inode.i_flags & S_IMMUTABLE:
        raise KernelError(EPERM)
    kind = inode.i_mode & S_IFMT
    if kind != S_IFREG:
        raise KernelError({S_IFIFO: ESPIPE, S_IFDIR: EISDIR}.get(kind, ENODEV))
    if offset + length > inode.i_sb.s_maxbytes:
        raise KernelError(EFBIG)
    if not f.f_op.fallocate:
        raise KernelError(EOPNOTSUPP)
    return f.f_op.fallocate(f, mode, offset, length)


@SYSCALL_DEFINE
def sys_fallocate(current: task_struct, fd: int, mode: int, offset: int, length: int) -> int:
    """fallocate(fd, mode, offset, len)."""
    f, flags = __fdget(current, fd)
    if f is None:
        raise KernelError(EBADF)
    try:
        return vfs_fallocate(f, mode, offset, length)
    finally:
        fdput(f, flags)


def access_override_creds(current: task_struct) -> cred | None:
    """Check as the real user, not the effective one; the old credentials, None when there is no difference."""
    old = current.cred
    new = prepare_creds(current)
    new.fsuid, new.fsgid = old.uid, old.gid
    new.cap_effective = new.cap_permitted if old.uid == 0 else 0
    current.cred = new
    return old


def do_faccessat(current: task_struct, dfd: int, filename: int, mode: int, flags: int) -> int:
    """access(). EINVAL; EACCES, EROFS, and the errors of a walk."""
    if mode & ~7 or flags & ~(AT_EACCESS | AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH):
        raise KernelError(EINVAL)
    lookup = 0 if flags & AT_SYMLINK_NOFOLLOW else LOOKUP_FOLLOW
    if flags & AT_EMPTY_PATH:
        lookup |= LOOKUP_EMPTY
    old = None if flags & AT_EACCESS else access_override_creds(current)
    try:
        place = user_path_at(current, dfd, filename, lookup)
        try:
            _check_access(place, mode)
        finally:
            path_put(place)
    finally:
        if old is not None:
            checked, current.cred = current.cred, old
            put_cred(current.kernel, checked)
    return 0


def _check_access(place: path, mode: int) -> None:
    inode = place.dentry.d_inode
    assert inode is not None
    regular = inode.i_mode & S_IFMT == S_IFREG
    if mode & MAY_EXEC and regular and place.mnt.mnt_flags & MNT_NOEXEC:
        raise KernelError(EACCES)
    inode_permission(place.mnt.mnt_userns, inode, mode | MAY_ACCESS)
    if mode & MAY_WRITE and not special_file(inode.i_mode) and __mnt_is_readonly(place.mnt):
        raise KernelError(EROFS)


@SYSCALL_DEFINE
def sys_faccessat(current: task_struct, dfd: int, filename: int, mode: int) -> int:
    """faccessat(dfd, filename, mode)."""
    return do_faccessat(current, dfd, filename, mode, 0)


@SYSCALL_DEFINE
def sys_faccessat2(current: task_struct, dfd: int, filename: int, mode: int, flags: int) -> int:
    """faccessat2(dfd, filename, mode, flags)."""
    return do_faccessat(current, dfd, filename, mode, flags)


@SYSCALL_DEFINE
def sys_access(current: task_struct, filename: int, mode: int) -> int:
    """access(filename, mode)."""
    return do_faccessat(current, AT_FDCWD, filename, mode, 0)
