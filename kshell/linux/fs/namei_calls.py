"""mkdir(), mknod(), unlink(), link(), symlink(), rename() (fs/namei.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.capability import CAP_DAC_READ_SEARCH
from kshell.abi.errno import EBUSY, EINVAL, EISDIR, ENOENT, ENOTDIR, ENOTEMPTY, EPERM, EXDEV
from kshell.abi.fcntl import AT_EMPTY_PATH, AT_FDCWD, AT_REMOVEDIR, AT_SYMLINK_FOLLOW
from kshell.abi.stat import (
    S_IFBLK,
    S_IFCHR,
    S_IFDIR,
    S_IFIFO,
    S_IFMT,
    S_IFREG,
    S_IFSOCK,
    S_ISGID,
    S_ISUID,
    S_IXGRP,
)
from kshell.linux.fs.dcache import dput
from kshell.linux.fs.inode import ihold, inode_owner_or_capable, iput
from kshell.linux.fs.namei import (
    done_path_create,
    filename_create,
    filename_lookup,
    filename_parentat,
    getname,
    getname_uflags,
    lookup_one_qstr_excl,
    putname,
)
from kshell.linux.fs.namei_path import path_put
from kshell.linux.fs.namei_permission import inode_permission
from kshell.linux.fs.namei_vfs import (
    vfs_create,
    vfs_link,
    vfs_mkdir,
    vfs_mknod,
    vfs_rmdir,
    vfs_symlink,
    vfs_unlink,
)
from kshell.linux.fs.namespace import mnt_drop_write, mnt_want_write, mntput
from kshell.linux.include.linux.dcache import d_is_dir, d_is_negative
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.fs import MAY_READ, MAY_WRITE
from kshell.linux.include.linux.namei import (
    LAST_DOT,
    LAST_DOTDOT,
    LAST_NORM,
    LAST_ROOT,
    LOOKUP_DIRECTORY,
    LOOKUP_FOLLOW,
)
from kshell.linux.include.linux.syscalls import SYSCALL_DEFINE
from kshell.linux.kernel.capability import capable
from kshell.linux.security.security import (
    security_path_link,
    security_path_mkdir,
    security_path_mknod,
    security_path_rmdir,
    security_path_symlink,
    security_path_unlink,
)

if TYPE_CHECKING:
    from kshell.linux.fs.namei_nd import nameidata
    from kshell.linux.include.linux.fs import filename, inode
    from kshell.linux.include.linux.path import path
    from kshell.linux.include.linux.sched import task_struct


def _two_names(current: task_struct, first: int, second: int, uflags: int = 0) -> tuple[filename, filename]:
    name = getname_uflags(current, first, uflags)
    try:
        return name, getname(current, second)
    except KernelError:
        putname(current, name)
        raise


def may_mknod(mode: int) -> None:
    """Check the kind of a node. EPERM: a directory; EINVAL: no kind at all."""
    kind = mode & S_IFMT
    if kind == S_IFDIR:
        raise KernelError(EPERM)
    if kind not in (0, S_IFREG, S_IFCHR, S_IFBLK, S_IFIFO, S_IFSOCK):
        raise KernelError(EINVAL)


def _dir_inode(place: path) -> inode:
    assert place.dentry.d_inode is not None
    return place.dentry.d_inode


def do_mknodat(current: task_struct, dfd: int, name: filename, mode: int, dev: int) -> int:
    """Make a file of any kind but directory and link."""
    try:
        may_mknod(mode)
        dentry, place = filename_create(current, dfd, name, 0)
        try:
            security_path_mknod(place, dentry, mode, dev)
            userns = place.mnt.mnt_userns
            dir = _dir_inode(place)
            if mode & S_IFMT in (0, S_IFREG):
                vfs_create(userns, dir, dentry, mode, True)
            elif mode & S_IFMT in (S_IFCHR, S_IFBLK):
                vfs_mknod(userns, dir, dentry, mode, new_decode_dev(dev))
            else:
                vfs_mknod(userns, dir, dentry, mode, 0)
        finally:
            done_path_create(place, dentry)
    finally:
        putname(current, name)
    return 0


def new_decode_dev(dev: int) -> int:
    """A device number of the kernel (major << 20 | minor) from one of user space."""
    return (dev & 0xFFF00) >> 8 << 20 | (dev & 0xFF) | (dev >> 12 & 0xFFF00)


@SYSCALL_DEFINE
def sys_mknodat(current: task_struct, dfd: int, filename: int, mode: int, dev: int) -> int:
    """mknodat(dfd, filename, mode, dev)."""
    return do_mknodat(current, dfd, getname(current, filename), mode, dev)


@SYSCALL_DEFINE
def sys_mknod(current: task_struct, filename: int, mode: int, dev: int) -> int:
    """mknod(filename, mode, dev)."""
    return do_mknodat(current, AT_FDCWD, getname(current, filename), mode, dev)


def do_mkdirat(current: task_struct, dfd: int, name: filename, mode: int) -> int:
    """Make a directory."""
    try:
        dentry, place = filename_create(current, dfd, name, LOOKUP_DIRECTORY)
        try:
            security_path_mkdir(place, dentry, mode)
            vfs_mkdir(place.mnt.mnt_userns, _dir_inode(place), dentry, mode)
        finally:
            done_path_create(place, dentry)
    finally:
        putname(current, name)
    return 0


@SYSCALL_DEFINE
def sys_mkdirat(current: task_struct, dfd: int, pathname: int, mode: int) -> int:
    """mkdirat(dfd, pathname, mode)."""
    return do_mkdirat(current, dfd, getname(current, pathname), mode)


@SYSCALL_DEFINE
def sys_mkdir(current: task_struct, pathname: int, mode: int) -> int:
    """mkdir(pathname, mode)."""
    return do_mkdirat(current, AT_FDCWD, getname(current, pathname), mode)


def do_rmdir(current: task_struct, dfd: int, name: filename) -> int:
    """Remove a directory. ENOTEMPTY: `..`; EINVAL: `.`; EBUSY: the root."""
    try:
        place, nd = filename_parentat(current, dfd, name, 0)
        try:
            if nd.last_type != LAST_NORM:
                raise KernelError({LAST_DOTDOT: ENOTEMPTY, LAST_DOT: EINVAL, LAST_ROOT: EBUSY}[nd.last_type])
            mnt_want_write(place.mnt)
            try:
                _rmdir_last(place, nd)
            finally:
                mnt_drop_write(place.mnt)
        finally:
            path_put(place)
    finally:
        putname(current, name)
    return 0


def _rmdir_last(place: path, nd: nameidata) -> None:
    dentry = lookup_one_qstr_excl(nd.last, place.dentry, 0)
    try:
        if dentry.d_inode is None:
            raise KernelError(ENOENT)
        security_path_rmdir(place, dentry)
        vfs_rmdir(place.mnt.mnt_userns, _dir_inode(place), dentry)
    finally:
        dput(dentry)


@SYSCALL_DEFINE
def sys_rmdir(current: task_struct, pathname: int) -> int:
    """rmdir(pathname)."""
    return do_rmdir(current, AT_FDCWD, getname(current, pathname))


def do_unlinkat(current: task_struct, dfd: int, name: filename) -> int:
    """Remove a name. EISDIR: `.`, `..`, the root; ENOTDIR: slashes follow what is not a directory."""
    try:
        place, nd = filename_parentat(current, dfd, name, 0)
        try:
            if nd.last_type != LAST_NORM:
                raise KernelError(EISDIR)
            mnt_want_write(place.mnt)
            try:
                _unlink_last(place, nd)
            finally:
                mnt_drop_write(place.mnt)
        finally:
            dput(place.dentry)
            mntput(place.mnt)
    finally:
        putname(current, name)
    return 0


def _unlink_last(place: path, nd: nameidata) -> None:
    dentry = lookup_one_qstr_excl(nd.last, place.dentry, 0)
    inode = dentry.d_inode
    try:
        if nd._trailing or inode is None:
            raise KernelError(ENOENT if d_is_negative(dentry) else EISDIR if d_is_dir(dentry) else ENOTDIR)
        ihold(inode)
        try:
            security_path_unlink(place, dentry)
            vfs_unlink(place.mnt.mnt_userns, _dir_inode(place), dentry)
        except KernelError:
            iput(inode)
            raise
    finally:
        dput(dentry)
    iput(inode)


@SYSCALL_DEFINE
def sys_unlinkat(current: task_struct, dfd: int, pathname: int, flag: int) -> int:
    """unlinkat(dfd, pathname, flag). EINVAL."""
    if flag & ~AT_REMOVEDIR:
        raise KernelError(EINVAL)
    name = getname(current, pathname)
    return do_rmdir(current, dfd, name) if flag & AT_REMOVEDIR else do_unlinkat(current, dfd, name)


@SYSCALL_DEFINE
def sys_unlink(current: task_struct, pathname: int) -> int:
    """unlink(pathname)."""
    return do_unlinkat(current, AT_FDCWD, getname(current, pathname))


def do_symlinkat(current: task_struct, from_: filename, newdfd: int, to: filename) -> int:
    """Make a symbolic link."""
    try:
        dentry, place = filename_create(current, newdfd, to, 0)
        try:
            security_path_symlink(place, dentry, from_.name)
            vfs_symlink(place.mnt.mnt_userns, _dir_inode(place), dentry, from_.name)
        finally:
            done_path_create(place, dentry)
    finally:
        putname(current, to)
        putname(current, from_)
    return 0


@SYSCALL_DEFINE
def sys_symlinkat(current: task_struct, oldname: int, newdfd: int, newname: int) -> int:
    """symlinkat(oldname, newdfd, newname)."""
    old, new = _two_names(current, oldname, newname)
    return do_symlinkat(current, old, newdfd, new)


@SYSCALL_DEFINE
def sys_symlink(current: task_struct, oldname: int, newname: int) -> int:
    """symlink(oldname, newname)."""
    old, new = _two_names(current, oldname, newname)
    return do_symlinkat(current, old, AT_FDCWD, new)


def safe_hardlink_source(place: path) -> bool:
    """Whether anybody may link to the file: regular, not set-id, readable and writable."""
    inode = _dir_inode(place)
    mode = inode.i_mode
    if mode & S_IFMT != S_IFREG or mode & S_ISUID or mode & (S_ISGID | S_IXGRP) == S_ISGID | S_IXGRP:
        return False
    try:
        inode_permission(place.mnt.mnt_userns, inode, MAY_READ | MAY_WRITE)
    except KernelError:
        return False
    return True


def may_linkat(current: task_struct, link: path) -> None:
    """fs.protected_hardlinks: link only to one's own files, or to what one can write. EPERM."""
    if not current.kernel.sysctl_protected_hardlinks or safe_hardlink_source(link):
        return
    if not inode_owner_or_capable(link.mnt.mnt_userns, _dir_inode(link)):
        raise KernelError(EPERM)


def do_linkat(current: task_struct, olddfd: int, old: filename, newdfd: int, new: filename, flags: int) -> int:
    """Give a file another name. EINVAL: flags; EXDEV: on another mount; ENOENT."""
    try:
        if flags & ~(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH):
            raise KernelError(EINVAL)
        if flags & AT_EMPTY_PATH and not capable(current, CAP_DAC_READ_SEARCH):
            raise KernelError(ENOENT)
        how = LOOKUP_FOLLOW if flags & AT_SYMLINK_FOLLOW else 0
        old_path = filename_lookup(current, olddfd, old, how)
        try:
            _link_to(current, old_path, newdfd, new)
        finally:
            path_put(old_path)
    finally:
        putname(current, old)
        putname(current, new)
    return 0


def _link_to(current: task_struct, old_path: path, newdfd: int, new: filename) -> None:
    new_dentry, new_path = filename_create(current, newdfd, new, 0)
    try:
        if old_path.mnt is not new_path.mnt:
            raise KernelError(EXDEV)
        may_linkat(current, old_path)
        security_path_link(old_path.dentry, new_path, new_dentry)
        vfs_link(old_path.dentry, new_path.mnt.mnt_userns, _dir_inode(new_path), new_dentry)
    finally:
        done_path_create(new_path, new_dentry)


@SYSCALL_DEFINE
def sys_linkat(current: task_struct, olddfd: int, oldname: int, newdfd: int, newname: int, flags: int) -> int:
    """linkat(olddfd, oldname, newdfd, newname, flags)."""
    old, new = _two_names(current, oldname, newname, flags)
    return do_linkat(current, olddfd, old, newdfd, new, flags)


@SYSCALL_DEFINE
def sys_link(current: task_struct, oldname: int, newname: int) -> int:
    """link(oldname, newname)."""
    return sys_linkat(current, AT_FDCWD, oldname, AT_FDCWD, newname, 0)
