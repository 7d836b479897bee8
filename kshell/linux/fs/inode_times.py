"""Time stamps that reading and writing leave (fs/inode.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.errno import EAGAIN
from kshell.abi.fcntl import O_NOATIME
from kshell.abi.stat import S_IFDIR, S_IFMT, S_IFREG
from kshell.linux.fs.attr import notify_change, setattr_should_drop_suidgid
from kshell.linux.fs.inode import current_time
from kshell.linux.fs.namespace import __mnt_drop_write, __mnt_is_readonly, __mnt_want_write
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.fs import IOCB_NOWAIT, S_NOATIME, S_NOCMTIME, inode
from kshell.linux.include.linux.fs_attr import ATTR_FORCE, iattr
from kshell.linux.include.linux.mount import MNT_NOATIME, MNT_NODIRATIME, MNT_RELATIME, mnt_user_ns
from kshell.linux.security.security import security_inode_need_killpriv

if TYPE_CHECKING:
    from kshell.linux.include.linux.dcache import dentry
    from kshell.linux.include.linux.fs import file
    from kshell.linux.include.linux.mount import vfsmount
    from kshell.linux.include.linux.path import path
    from kshell.linux.include.linux.sched import user_namespace
    from kshell.linux.include.linux.time64 import timespec64

DAY = 24 * 60 * 60


def relatime_need_update(mnt: vfsmount, inode: inode, now: timespec64) -> bool:
    """Whether the time of the last reading is older than a change, or than a day."""
    if not mnt.mnt_flags & MNT_RELATIME:
        return True
    if inode.i_atime <= inode.i_mtime or inode.i_atime <= inode.i_ctime:
        return True
    return now.tv_sec - inode.i_atime.tv_sec >= DAY


def atime_needs_update(path: path, inode: inode) -> bool:
    """Whether reading must be noted."""
    flags = path.mnt.mnt_flags
    if inode.i_flags & S_NOATIME or flags & MNT_NOATIME or __mnt_is_readonly(path.mnt):
        return False
    if flags & MNT_NODIRATIME and inode.i_mode & S_IFMT == S_IFDIR:
        return False
    now = current_time(inode)
    return relatime_need_update(path.mnt, inode, now) and inode.i_atime != now


def touch_atime(path: path) -> None:
    """Note that the file was read."""
    inode = path.dentry.d_inode
    assert inode is not None
    if atime_needs_update(path, inode):
        __mnt_want_write(path.mnt)
        inode.i_atime = current_time(inode)
        __mnt_drop_write(path.mnt)


def file_accessed(file: file) -> None:
    """Note that the file was read, unless it was opened with O_NOATIME."""
    if not file.f_flags & O_NOATIME:
        touch_atime(file.f_path)


def file_update_time(file: file) -> None:
    """Note that the file was written."""
    inode = file.f_inode
    now = current_time(inode)
    if not inode.i_flags & S_NOCMTIME and (inode.i_mtime != now or inode.i_ctime != now):
        inode.i_mtime = inode.i_ctime = now


def dentry_needs_remove_privs(mnt_userns: user_namespace, dentry: dentry) -> int:
    """Which of the set-id bits a write must take away."""
    inode = dentry.d_inode
    assert inode is not None
    mask = setattr_should_drop_suidgid(mnt_userns, inode)
    security_inode_need_killpriv(dentry)
    return mask


def __remove_privs(mnt_userns: user_namespace, dentry: dentry, kill: int) -> None:
    notify_change(mnt_userns, dentry, iattr(ATTR_FORCE | kill))


def __file_remove_privs(file: file, flags: int) -> None:
    inode = file.f_inode
    if inode.i_mode & S_IFMT != S_IFREG:
        return
    mnt_userns = mnt_user_ns(file.f_path.mnt)
    kill = dentry_needs_remove_privs(mnt_userns, file.f_path.dentry)
    if kill:
        if flags & IOCB_NOWAIT:
            raise KernelError(EAGAIN)
        __remove_privs(mnt_userns, file.f_path.dentry, kill)


def file_remove_privs(file: file) -> None:
    """Take set-id bits away before the file changes."""
    __file_remove_privs(file, 0)


def file_modified(file: file) -> None:
    """The contents change otherwise than by write()."""
    __file_remove_privs(file, 0)
    file_update_time(file)
