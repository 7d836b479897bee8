"""chmod(), chown(), chdir(), chroot() (fs/open.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.capability import CAP_SYS_CHROOT
from kshell.abi.errno import EBADF, EINVAL, ENOTDIR, EPERM
from kshell.abi.fcntl import AT_EMPTY_PATH, AT_FDCWD, AT_SYMLINK_NOFOLLOW
from kshell.abi.stat import S_IALLUGO, S_IFDIR, S_IFMT
from kshell.linux.fs.attr import notify_change, setattr_should_drop_sgid
from kshell.linux.fs.file import __fdget, __fdget_raw, fdput
from kshell.linux.fs.fs_struct import set_fs_pwd, set_fs_root
from kshell.linux.fs.namei import path_put, user_path_at
from kshell.linux.fs.namei_permission import inode_permission
from kshell.linux.fs.namespace import mnt_drop_write, mnt_want_write
from kshell.linux.include.linux.dcache import d_can_lookup
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.fs import MAY_CHDIR, MAY_EXEC
from kshell.linux.include.linux.fs_attr import ATTR_CTIME, ATTR_GID, ATTR_KILL_SUID, ATTR_MODE, ATTR_UID, iattr
from kshell.linux.include.linux.namei import LOOKUP_DIRECTORY, LOOKUP_EMPTY, LOOKUP_FOLLOW
from kshell.linux.include.linux.syscalls import SYSCALL_DEFINE
from kshell.linux.kernel.capability import ns_capable
from kshell.linux.security.security import security_path_chmod, security_path_chown

if TYPE_CHECKING:
    from kshell.linux.include.linux.path import path
    from kshell.linux.include.linux.sched import task_struct

NO_ID = 0xFFFFFFFF


def chmod_common(place: path, mode: int) -> None:
    """Change the mode. EROFS, EPERM, EOPNOTSUPP."""
    inode = place.dentry.d_inode
    assert inode is not None
    mnt_want_write(place.mnt)
    try:
        security_path_chmod(place, mode)
        newattrs = iattr(ATTR_MODE | ATTR_CTIME)
        newattrs.ia_mode = (mode & S_IALLUGO) | (inode.i_mode & ~S_IALLUGO)
        notify_change(place.mnt.mnt_userns, place.dentry, newattrs)
    finally:
        mnt_drop_write(place.mnt)


@SYSCALL_DEFINE
def sys_fchmod(current: task_struct, fd: int, mode: int) -> int:
    """fchmod(fd, mode)."""
    f, flags = __fdget(current, fd)
    if f is None:
        raise KernelError(EBADF)
    try:
        chmod_common(f.f_path, mode)
    finally:
        fdput(f, flags)
    return 0


def do_fchmodat(current: task_struct, dfd: int, filename: int, mode: int) -> int:
    """chmod()."""
    place = user_path_at(current, dfd, filename, LOOKUP_FOLLOW)
    try:
        chmod_common(place, mode)
    finally:
        path_put(place)
    return 0


@SYSCALL_DEFINE
def sys_fchmodat(current: task_struct, dfd: int, filename: int, mode: int) -> int:
    """fchmodat(dfd, filename, mode)."""
    return do_fchmodat(current, dfd, filename, mode)


@SYSCALL_DEFINE
def sys_chmod(current: task_struct, filename: int, mode: int) -> int:
    """chmod(filename, mode)."""
    return do_fchmodat(current, AT_FDCWD, filename, mode)


def chown_common(place: path, user: int, group: int) -> None:
    """Change owner and group (-1: leave). EPERM."""
    inode = place.dentry.d_inode
    assert inode is not None
    newattrs = iattr(ATTR_CTIME)
    if user != NO_ID:
        newattrs.ia_valid |= ATTR_UID
        newattrs.ia_uid = user
    if group != NO_ID:
        newattrs.ia_valid |= ATTR_GID
        newattrs.ia_gid = group
    if inode.i_mode & S_IFMT != S_IFDIR:
        newattrs.ia_valid |= ATTR_KILL_SUID | setattr_should_drop_sgid(place.mnt.mnt_userns, inode)
    security_path_chown(place, user, group)
    notify_change(place.mnt.mnt_userns, place.dentry, newattrs)


def do_fchownat(current: task_struct, dfd: int, filename: int, user: int, group: int, flag: int) -> int:
    """chown(). EINVAL: flag; EROFS, EPERM."""
    if flag & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH):
        raise KernelError(EINVAL)
    lookup = 0 if flag & AT_SYMLINK_NOFOLLOW else LOOKUP_FOLLOW
    if flag & AT_EMPTY_PATH:
        lookup |= LOOKUP_EMPTY
    place = user_path_at(current, dfd, filename, lookup)
    try:
        _chown_mounted(place, user, group)
    finally:
        path_put(place)
    return 0


def _chown_mounted(place: path, user: int, group: int) -> None:
    mnt_want_write(place.mnt)
    try:
        chown_common(place, user & NO_ID, group & NO_ID)
    finally:
        mnt_drop_write(place.mnt)


@SYSCALL_DEFINE
def sys_fchownat(current: task_struct, dfd: int, filename: int, user: int, group: int, flag: int) -> int:
    """fchownat(dfd, filename, user, group, flag)."""
    return do_fchownat(current, dfd, filename, user, group, flag)


@SYSCALL_DEFINE
def sys_chown(current: task_struct, filename: int, user: int, group: int) -> int:
    """chown(filename, user, group)."""
    return do_fchownat(current, AT_FDCWD, filename, user, group, 0)


@SYSCALL_DEFINE
def sys_lchown(current: task_struct, filename: int, user: int, group: int) -> int:
    """lchown(filename, user, group)."""
    return do_fchownat(current, AT_FDCWD, filename, user, group, AT_SYMLINK_NOFOLLOW)


def ksys_fchown(current: task_struct, fd: int, user: int, group: int) -> int:
    """fchown(). EBADF."""
    f, flags = __fdget(current, fd)
    if f is None:
        raise KernelError(EBADF)
    try:
        _chown_mounted(f.f_path, user, group)
    finally:
        fdput(f, flags)
    return 0


@SYSCALL_DEFINE
def sys_fchown(current: task_struct, fd: int, user: int, group: int) -> int:
    """fchown(fd, user, group)."""
    return ksys_fchown(current, fd, user, group)


def _may_enter(place: path) -> None:
    inode = place.dentry.d_inode
    assert inode is not None
    inode_permission(place.mnt.mnt_userns, inode, MAY_EXEC | MAY_CHDIR)


@SYSCALL_DEFINE
def sys_chdir(current: task_struct, filename: int) -> int:
    """chdir(filename)."""
    place = user_path_at(current, AT_FDCWD, filename, LOOKUP_FOLLOW | LOOKUP_DIRECTORY)
    try:
        _may_enter(place)
        set_fs_pwd(current.fs, place)
    finally:
        path_put(place)
    return 0


@SYSCALL_DEFINE
def sys_fchdir(current: task_struct, fd: int) -> int:
    """fchdir(fd). EBADF, ENOTDIR, EACCES."""
    f, flags = __fdget_raw(current, fd)
    if f is None:
        raise KernelError(EBADF)
    try:
        if not d_can_lookup(f.f_path.dentry):
            raise KernelError(ENOTDIR)
        _may_enter(f.f_path)
        set_fs_pwd(current.fs, f.f_path)
    finally:
        fdput(f, flags)
    return 0


@SYSCALL_DEFINE
def sys_chroot(current: task_struct, filename: int) -> int:
    """chroot(filename). EPERM: without CAP_SYS_CHROOT."""
    place = user_path_at(current, AT_FDCWD, filename, LOOKUP_FOLLOW | LOOKUP_DIRECTORY)
    try:
        _may_enter(place)
        if not ns_capable(current, current.cred.user_ns, CAP_SYS_CHROOT):
            raise KernelError(EPERM)
        set_fs_root(current.fs, place)
    finally:
        path_put(place)
    return 0


@SYSCALL_DEFINE
def sys_umask(current: task_struct, mask: int) -> int:
    """umask(mask): the old one (kernel/sys.c)."""
    old, current.fs.umask = current.fs.umask, mask & 0o777
    return old
