"""stat() and readlink() (fs/stat.c)."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from kshell.abi.errno import EBADF, EINVAL, ENOENT
from kshell.abi.fcntl import AT_EMPTY_PATH, AT_FDCWD, AT_NO_AUTOMOUNT, AT_STATX_SYNC_TYPE, AT_SYMLINK_NOFOLLOW
from kshell.abi.stat import STATX__RESERVED, STATX_ATTR_MOUNT_ROOT, STATX_BASIC_STATS, STATX_MNT_ID
from kshell.linux.fs.file import __fdget_raw, fdput
from kshell.linux.fs.inode_times import touch_atime
from kshell.linux.fs.namei import filename_lookup, getname_flags, path_put, putname
from kshell.linux.include.linux.cdev import MINORBITS
from kshell.linux.include.linux.dcache import d_is_symlink
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.fs import delayed_call
from kshell.linux.include.linux.mount import real_mount
from kshell.linux.include.linux.namei import LOOKUP_AUTOMOUNT, LOOKUP_EMPTY, LOOKUP_FOLLOW
from kshell.linux.include.linux.stat import kstat
from kshell.linux.include.linux.syscalls import SYSCALL_DEFINE
from kshell.linux.include.linux.uaccess import copy_to_user
from kshell.linux.security.security import security_inode_getattr, security_inode_readlink

if TYPE_CHECKING:
    from kshell.linux.include.linux.dcache import dentry
    from kshell.linux.include.linux.fs import filename, inode
    from kshell.linux.include.linux.path import path
    from kshell.linux.include.linux.sched import task_struct, user_namespace

STAT = struct.Struct("<QQQIIIIQqqq6q24x")
STATX = struct.Struct("<IIQIIIH2xQQQQ qI4x qI4x qI4x qI4x IIIIQ 104x")


def new_encode_dev(dev: int) -> int:
    """The device number of user space from that of the kernel (major << 20 | minor)."""
    major, minor = dev >> MINORBITS, dev & 0xFFFFF
    return (minor & 0xFF) | major << 8 | (minor & ~0xFF) << 12


def generic_fillattr(mnt_userns: user_namespace, inode: inode, stat: kstat) -> None:
    """Fill in what the inode itself knows."""
    stat.dev = inode.i_sb.s_dev
    stat.ino = inode.i_ino
    stat.mode = inode.i_mode
    stat.nlink = inode.i_nlink
    stat.uid = inode.i_uid
    stat.gid = inode.i_gid
    stat.rdev = inode.i_rdev
    stat.size = inode.i_size
    stat.atime = inode.i_atime
    stat.mtime = inode.i_mtime
    stat.ctime = inode.i_ctime
    stat.blksize = 1 << inode.i_blkbits
    stat.blocks = inode.i_blocks


def vfs_getattr_nosec(place: path, request_mask: int, query_flags: int) -> kstat:
    """The attributes, by the file system's own getattr() when it has one."""
    inode = place.dentry.d_inode
    assert inode is not None
    stat = kstat()
    stat.result_mask = STATX_BASIC_STATS
    userns = place.mnt.mnt_userns
    if inode.i_op.getattr:
        inode.i_op.getattr(userns, place, stat, request_mask, query_flags & AT_STATX_SYNC_TYPE)
    else:
        generic_fillattr(userns, inode, stat)
    return stat


def vfs_getattr(place: path, request_mask: int, query_flags: int) -> kstat:
    """The attributes of the file at a place."""
    security_inode_getattr(place)
    return vfs_getattr_nosec(place, request_mask, query_flags)


def getname_statx_lookup_flags(flags: int) -> int:
    """How the AT_ flags have the path walked."""
    lookup = 0 if flags & AT_SYMLINK_NOFOLLOW else LOOKUP_FOLLOW
    if not flags & AT_NO_AUTOMOUNT:
        lookup |= LOOKUP_AUTOMOUNT
    return lookup | LOOKUP_EMPTY if flags & AT_EMPTY_PATH else lookup


def vfs_statx(current: task_struct, dfd: int, name: filename, flags: int, request_mask: int) -> kstat:
    """The attributes of the file of a name. EINVAL: flags; the errors of a walk."""
    if flags & ~(AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH | AT_STATX_SYNC_TYPE):
        raise KernelError(EINVAL)
    place = filename_lookup(current, dfd, name, getname_statx_lookup_flags(flags))
    try:
        stat = vfs_getattr(place, request_mask, flags)
        stat.mnt_id = real_mount(place.mnt).mnt_id
        stat.result_mask |= STATX_MNT_ID
        if place.mnt.mnt_root is place.dentry:
            stat.attributes |= STATX_ATTR_MOUNT_ROOT
        stat.attributes_mask |= STATX_ATTR_MOUNT_ROOT
        return stat
    finally:
        path_put(place)


def vfs_fstatat(current: task_struct, dfd: int, filename: int, flags: int) -> kstat:
    """stat() and its relatives."""
    statx_flags = flags | AT_NO_AUTOMOUNT
    name = getname_flags(current, filename, getname_statx_lookup_flags(statx_flags))
    try:
        return vfs_statx(current, dfd, name, statx_flags, STATX_BASIC_STATS)
    finally:
        putname(current, name)


def vfs_fstat(current: task_struct, fd: int) -> kstat:
    """fstat(). EBADF."""
    f, flags = __fdget_raw(current, fd)
    if f is None:
        raise KernelError(EBADF)
    try:
        return vfs_getattr(f.f_path, STATX_BASIC_STATS, 0)
    finally:
        fdput(f, flags)


def cp_new_stat(current: task_struct, stat: kstat, statbuf: int) -> int:
    """Lay a struct stat out in user memory. EFAULT."""
    data = STAT.pack(
        new_encode_dev(stat.dev), stat.ino, stat.nlink, stat.mode, stat.uid, stat.gid, 0,
        new_encode_dev(stat.rdev), stat.size, stat.blksize, stat.blocks,
        *stat.atime, *stat.mtime, *stat.ctime,
    )  # fmt: skip
    copy_to_user(current, statbuf, data)
    return 0


@SYSCALL_DEFINE
def sys_newstat(current: task_struct, filename: int, statbuf: int) -> int:
    """stat(filename, statbuf)."""
    return cp_new_stat(current, vfs_fstatat(current, AT_FDCWD, filename, 0), statbuf)


@SYSCALL_DEFINE
def sys_newlstat(current: task_struct, filename: int, statbuf: int) -> int:
    """lstat(filename, statbuf)."""
    return cp_new_stat(current, vfs_fstatat(current, AT_FDCWD, filename, AT_SYMLINK_NOFOLLOW), statbuf)


@SYSCALL_DEFINE
def sys_newfstatat(current: task_struct, dfd: int, filename: int, statbuf: int, flag: int) -> int:
    """newfstatat(dfd, filename, statbuf, flag)."""
    return cp_new_stat(current, vfs_fstatat(current, dfd, filename, flag), statbuf)


@SYSCALL_DEFINE
def sys_newfstat(current: task_struct, fd: int, statbuf: int) -> int:
    """fstat(fd, statbuf)."""
    return cp_new_stat(current, vfs_fstat(current, fd), statbuf)


def cp_statx(current: task_struct, stat: kstat, buffer: int) -> int:
    """Lay a struct statx out in user memory. EFAULT."""
    data = STATX.pack(
        stat.result_mask, stat.blksize, stat.attributes, stat.nlink, stat.uid, stat.gid, stat.mode,
        stat.ino, stat.size, stat.blocks, stat.attributes_mask,
        *stat.atime, *stat.btime, *stat.ctime, *stat.mtime,
        stat.rdev >> MINORBITS, stat.rdev & 0xFFFFF, stat.dev >> MINORBITS, stat.dev & 0xFFFFF, stat.mnt_id,
    )  # fmt: skip
    copy_to_user(current, buffer, data)
    return 0


def do_statx(current: task_struct, dfd: int, name: filename, flags: int, mask: int, buffer: int) -> int:
    """statx(). EINVAL: mask, flags."""
    if mask & STATX__RESERVED or flags & AT_STATX_SYNC_TYPE == AT_STATX_SYNC_TYPE:
        raise KernelError(EINVAL)
    return cp_statx(current, vfs_statx(current, dfd, name, flags, mask), buffer)


@SYSCALL_DEFINE
def sys_statx(current: task_struct, dfd: int, filename: int, flags: int, mask: int, buffer: int) -> int:
    """statx(dfd, filename, flags, mask, buffer)."""
    name = getname_flags(current, filename, getname_statx_lookup_flags(flags))
    try:
        return do_statx(current, dfd, name, flags, mask, buffer)
    finally:
        putname(current, name)


def readlink_copy(current: task_struct, buffer: int, buflen: int, link: bytes) -> int:
    """Give user space the text of a link, without a NUL, cut to buflen (fs/namei.c). EFAULT."""
    data = link[:buflen]
    copy_to_user(current, buffer, data)
    return len(data)


def vfs_readlink(current: task_struct, dentry: dentry, buffer: int, buflen: int) -> int:
    """The text of a link (fs/namei.c). EINVAL: it has none; EFAULT."""
    inode = dentry.d_inode
    assert inode is not None
    if inode.i_op.readlink:
        return inode.i_op.readlink(dentry, buffer, buflen)
    link = inode.i_link
    done = delayed_call()
    if link is None:
        if not inode.i_op.get_link:
            raise KernelError(EINVAL)
        link = inode.i_op.get_link(dentry, inode, done)
    res = readlink_copy(current, buffer, buflen, link or b"")
    if done.fn:
        done.fn(done.arg)
    return res


def do_readlinkat(current: task_struct, dfd: int, pathname: int, buf: int, bufsiz: int) -> int:
    """readlink(). EINVAL: bufsiz, not a link; ENOENT: an empty name of what is not a link."""
    if bufsiz <= 0:
        raise KernelError(EINVAL)
    name = getname_flags(current, pathname, LOOKUP_EMPTY)
    try:
        empty = not name.name
        place = filename_lookup(current, dfd, name, LOOKUP_EMPTY)
    finally:
        putname(current, name)
    try:
        inode = place.dentry.d_inode
        assert inode is not None
        if not d_is_symlink(place.dentry) and not inode.i_op.readlink:
            raise KernelError(ENOENT if empty else EINVAL)
        security_inode_readlink(place.dentry)
        touch_atime(place)
        return vfs_readlink(current, place.dentry, buf, bufsiz)
    finally:
        path_put(place)


@SYSCALL_DEFINE
def sys_readlinkat(current: task_struct, dfd: int, pathname: int, buf: int, bufsiz: int) -> int:
    """readlinkat(dfd, pathname, buf, bufsiz)."""
    return do_readlinkat(current, dfd, pathname, buf, bufsiz)


@SYSCALL_DEFINE
def sys_readlink(current: task_struct, path: int, buf: int, bufsiz: int) -> int:
    """readlink(path, buf, bufsiz)."""
    return do_readlinkat(current, AT_FDCWD, path, buf, bufsiz)


sys_stat, sys_lstat, sys_fstat = sys_newstat, sys_newlstat, sys_newfstat
