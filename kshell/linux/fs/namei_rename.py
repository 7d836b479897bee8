"""rename() (part of fs/namei.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.errno import EBUSY, EEXIST, EINVAL, ENOENT, ENOTDIR, ENOTEMPTY, EXDEV
from kshell.abi.fcntl import AT_FDCWD, RENAME_EXCHANGE, RENAME_NOREPLACE, RENAME_WHITEOUT
from kshell.linux.fs.dcache import d_ancestor, dput
from kshell.linux.fs.namei import filename_parentat, lookup_one_qstr_excl, putname
from kshell.linux.fs.namei_calls import _dir_inode, _two_names
from kshell.linux.fs.namei_path import path_put
from kshell.linux.fs.namei_vfs import vfs_rename
from kshell.linux.fs.namespace import mnt_drop_write, mnt_want_write
from kshell.linux.include.linux.dcache import d_is_dir, d_is_negative
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.namei import LAST_NORM, LOOKUP_RENAME_TARGET
from kshell.linux.include.linux.syscalls import SYSCALL_DEFINE
from kshell.linux.security.security import security_path_rename

if TYPE_CHECKING:
    from kshell.linux.fs.namei_nd import nameidata
    from kshell.linux.include.linux.dcache import dentry
    from kshell.linux.include.linux.fs import filename
    from kshell.linux.include.linux.path import path
    from kshell.linux.include.linux.sched import task_struct


def lock_rename(p1: dentry, p2: dentry) -> dentry | None:
    """The child of one directory that leads to the other: it cannot be moved into itself."""
    if p1 is p2:
        return None
    return d_ancestor(p2, p1) or d_ancestor(p1, p2)


def do_renameat2(current: task_struct, olddfd: int, from_: filename, newdfd: int, to: filename, flags: int) -> int:
    """Move a name. EINVAL: flags, or into itself; EXDEV, EBUSY, EEXIST, ENOENT, ENOTDIR, ENOTEMPTY."""
    try:
        if flags & ~(RENAME_NOREPLACE | RENAME_EXCHANGE | RENAME_WHITEOUT):
            raise KernelError(EINVAL)
        if flags & (RENAME_NOREPLACE | RENAME_WHITEOUT) and flags & RENAME_EXCHANGE:
            raise KernelError(EINVAL)
        old_path, old_nd = filename_parentat(current, olddfd, from_, 0)
        try:
            new_path, new_nd = filename_parentat(current, newdfd, to, 0)
            try:
                _rename_between(old_path, old_nd, new_path, new_nd, flags)
            finally:
                path_put(new_path)
        finally:
            path_put(old_path)
    finally:
        putname(current, from_)
        putname(current, to)
    return 0


def _rename_between(old_path: path, old_nd: nameidata, new_path: path, new_nd: nameidata, flags: int) -> None:
    if old_path.mnt is not new_path.mnt:
        raise KernelError(EXDEV)
    if old_nd.last_type != LAST_NORM:
        raise KernelError(EBUSY)
    if new_nd.last_type != LAST_NORM:
        raise KernelError(EEXIST if flags & RENAME_NOREPLACE else EBUSY)
    mnt_want_write(old_path.mnt)
    try:
        trap = lock_rename(new_path.dentry, old_path.dentry)
        old_dentry = lookup_one_qstr_excl(old_nd.last, old_path.dentry, 0)
        try:
            target_flags = 0 if flags & RENAME_EXCHANGE else LOOKUP_RENAME_TARGET
            if d_is_negative(old_dentry):
                raise KernelError(ENOENT)
            new_dentry = lookup_one_qstr_excl(new_nd.last, new_path.dentry, target_flags)
            try:
                _check_rename(old_dentry, old_nd, new_dentry, new_nd, trap, flags)
                security_path_rename(old_path, old_dentry, new_path, new_dentry, flags)
                vfs_rename(
                    old_path.mnt.mnt_userns, _dir_inode(old_path), old_dentry, _dir_inode(new_path), new_dentry, flags
                )
            finally:
                dput(new_dentry)
        finally:
            dput(old_dentry)
    finally:
        mnt_drop_write(old_path.mnt)


def _check_rename(
    old: dentry, old_nd: nameidata, new: dentry, new_nd: nameidata, trap: dentry | None, flags: int
) -> None:
    if flags & RENAME_NOREPLACE and not d_is_negative(new):
        raise KernelError(EEXIST)
    if flags & RENAME_EXCHANGE:
        if d_is_negative(new):
            raise KernelError(ENOENT)
        if not d_is_dir(new) and new_nd._trailing:
            raise KernelError(ENOTDIR)
    if not d_is_dir(old) and (old_nd._trailing or (not flags & RENAME_EXCHANGE and new_nd._trailing)):
        raise KernelError(ENOTDIR)
    if old is trap:
        raise KernelError(EINVAL)
    if new is trap:
        raise KernelError(EINVAL if flags & RENAME_EXCHANGE else ENOTEMPTY)


@SYSCALL_DEFINE
def sys_renameat2(current: task_struct, olddfd: int, oldname: int, newdfd: int, newname: int, flags: int) -> int:
    """renameat2(olddfd, oldname, newdfd, newname, flags)."""
    old, new = _two_names(current, oldname, newname)
    return do_renameat2(current, olddfd, old, newdfd, new, flags)


@SYSCALL_DEFINE
def sys_renameat(current: task_struct, olddfd: int, oldname: int, newdfd: int, newname: int) -> int:
    """renameat(olddfd, oldname, newdfd, newname)."""
    return sys_renameat2(current, olddfd, oldname, newdfd, newname, 0)


@SYSCALL_DEFINE
def sys_rename(current: task_struct, oldname: int, newname: int) -> int:
    """rename(oldname, newname)."""
    return sys_renameat2(current, AT_FDCWD, oldname, AT_FDCWD, newname, 0)
