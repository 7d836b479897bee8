"""Calls on files that the kernel makes itself while it boots (fs/init.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.fcntl import AT_FDCWD
from kshell.linux.fs.attr import notify_change
from kshell.linux.fs.namei import done_path_create, kern_path, kern_path_create, path_put
from kshell.linux.fs.namei_vfs import vfs_mkdir, vfs_mknod, vfs_symlink
from kshell.linux.fs.namespace_calls import path_mount
from kshell.linux.include.linux.fs_attr import ATTR_CTIME, ATTR_MODE, iattr
from kshell.linux.include.linux.namei import LOOKUP_DIRECTORY, LOOKUP_FOLLOW

if TYPE_CHECKING:
    from kshell.linux.include.linux.fs import inode
    from kshell.linux.include.linux.path import path
    from kshell.linux.include.linux.sched import task_struct



def _inode(place: path) -> inode:
    assert place.dentry.d_inode is not None
    return place.dentry.d_inode


def init_mkdir(current: task_struct, pathname: bytes, mode: int) -> None:
    """mkdir()."""
    dentry, place = kern_path_create(current, AT_FDCWD, pathname, LOOKUP_DIRECTORY)
    try:
        vfs_mkdir(place.mnt.mnt_userns, _inode(place), dentry, mode)
    finally:
        done_path_create(place, dentry)


def init_mknod(current: task_struct, filename: bytes, mode: int, dev: int) -> None:
    """mknod(); dev as the kernel has it."""
    dentry, place = kern_path_create(current, AT_FDCWD, filename, 0)
    try:
        vfs_mknod(place.mnt.mnt_userns, _inode(place), dentry, mode, dev)
    finally:
        done_path_create(place, dentry)


def init_symlink(current: task_struct, oldname: bytes, newname: bytes) -> None:
    """symlink()."""
    dentry, place = kern_path_create(current, AT_FDCWD, newname, 0)
    try:
        vfs_symlink(place.mnt.mnt_userns, _inode(place), dentry, oldname)
    finally:
        done_path_create(place, dentry)


def init_chmod(current: task_struct, filename: bytes, mode: int) -> None:
    """chmod()."""
    place = kern_path(current, filename, LOOKUP_FOLLOW)
    try:
        attrs = iattr(ATTR_MODE | ATTR_CTIME)
        attrs.ia_mode = mode & 0o7777 | _inode(place).i_mode & ~0o7777
        notify_change(place.mnt.mnt_userns, place.dentry, attrs)
    finally:
        path_put(place)


def init_mount(current: task_struct, dev_name: bytes, dir_name: bytes, type: str, flags: int, data: str) -> None:
    """mount()."""
    place = kern_path(current, dir_name, LOOKUP_FOLLOW)
    try:
        path_mount(current, dev_name, place, type, flags, data)
    finally:
        path_put(place)
