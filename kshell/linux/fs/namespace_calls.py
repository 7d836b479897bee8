"""mount() and umount() (fs/namespace.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.capability import CAP_SYS_ADMIN
from kshell.abi.errno import EAGAIN, EBUSY, EFAULT, EINVAL, ENODEV, EPERM
from kshell.abi.fcntl import AT_FDCWD
from kshell.abi.resource import PATH_MAX
from kshell.abi.stat import (
    MNT_DETACH,
    MNT_EXPIRE,
    MNT_FORCE,
    MS_BIND,
    MS_MGC_MSK,
    MS_MGC_VAL,
    MS_MOVE,
    MS_NOATIME,
    MS_NODEV,
    MS_NODIRATIME,
    MS_NOEXEC,
    MS_NOSUID,
    MS_NOSYMFOLLOW,
    MS_PRIVATE,
    MS_RDONLY,
    MS_REC,
    MS_RELATIME,
    MS_REMOUNT,
    MS_SHARED,
    MS_SLAVE,
    MS_STRICTATIME,
    MS_UNBINDABLE,
    UMOUNT_NOFOLLOW,
)
from kshell.linux.fs.dcache import dput
from kshell.linux.fs.filesystems import get_fs_type
from kshell.linux.fs.fs_context import (
    fs_context_for_mount,
    fs_context_for_reconfigure,
    parse_monolithic_mount_data,
    put_fs_context,
    vfs_parse_fs_string,
)
from kshell.linux.fs.namei import kern_path, path_put, user_path_at
from kshell.linux.fs.namespace import check_mnt, mntput, mntput_no_expire, vfs_create_mount
from kshell.linux.fs.namespace_tree import (
    UMOUNT_PROPAGATE,
    UMOUNT_SYNC,
    copy_tree,
    do_add_mount,
    graft_tree,
    lock_mount,
    namespace_unlock,
    umount_tree,
    unlock_mount,
)
from kshell.linux.fs.nsfs import ns_dentry_operations
from kshell.linux.fs.pnode import mnt_get_count, propagate_mount_busy
from kshell.linux.fs.super import vfs_get_tree
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.fs import SB_RDONLY
from kshell.linux.include.linux.mm_types import PAGE_SIZE
from kshell.linux.include.linux.mount import (
    MNT_LOCKED,
    MNT_NOATIME,
    MNT_NODEV,
    MNT_NODIRATIME,
    MNT_NOEXEC,
    MNT_NOSUID,
    MNT_NOSYMFOLLOW,
    MNT_READONLY,
    MNT_RELATIME,
    MNT_USER_SETTABLE_MASK,
    mnt_has_parent,
    real_mount,
)
from kshell.linux.include.linux.namei import LOOKUP_AUTOMOUNT, LOOKUP_FOLLOW, LOOKUP_MOUNTPOINT
from kshell.linux.include.linux.syscalls import SYSCALL_DEFINE
from kshell.linux.include.linux.uaccess import raw_copy_from_user, strncpy_from_user
from kshell.linux.kernel.capability import ns_capable
from kshell.linux.security.security import security_sb_kern_mount, security_sb_mount, security_sb_umount

if TYPE_CHECKING:
    from kshell.linux.include.linux.mount import mount
    from kshell.linux.include.linux.path import path
    from kshell.linux.include.linux.sched import task_struct

MNT_ATIME_MASK = MNT_NOATIME | MNT_NODIRATIME | MNT_RELATIME
ATIME_FLAGS = MS_NOATIME | MS_NODIRATIME | MS_RELATIME | MS_STRICTATIME
MOUNT_FLAGS = (
    (MS_NOSUID, MNT_NOSUID),
    (MS_NODEV, MNT_NODEV),
    (MS_NOEXEC, MNT_NOEXEC),
    (MS_NOATIME, MNT_NOATIME),
    (MS_NODIRATIME, MNT_NODIRATIME),
    (MS_RDONLY, MNT_READONLY),
    (MS_NOSYMFOLLOW, MNT_NOSYMFOLLOW),
)


def may_mount(current: task_struct) -> bool:
    """Whether current may change its mounts."""
    ns = current.nsproxy.mnt_ns
    return ns is not None and ns_capable(current, ns.user_ns, CAP_SYS_ADMIN)


def do_new_mount(
    current: task_struct, place: path, fstype: str, sb_flags: int, mnt_flags: int, name: str, data: str
) -> None:
    """Mount a file system. ENODEV: no such kind; EINVAL, EPERM, EBUSY, ENOTDIR."""
    type = get_fs_type(current.kernel, fstype)
    if type is None:
        raise KernelError(ENODEV)
    fc = fs_context_for_mount(current.kernel, type, sb_flags)
    try:
        if name:
            vfs_parse_fs_string(fc, "source", name)
        parse_monolithic_mount_data(fc, data)
        vfs_get_tree(fc)
        security_sb_kern_mount(fc)
        mnt = vfs_create_mount(fc)
        try:
            _add(place, mnt, mnt_flags)
        except KernelError:
            mntput(mnt)
            raise
    finally:
        put_fs_context(fc)


def _add(place: path, mnt: mount, mnt_flags: int) -> None:
    mp = lock_mount(place)
    try:
        do_add_mount(mnt, mp, place, mnt_flags)
    finally:
        unlock_mount(mp)


def do_remount(place: path, sb_flags: int, mnt_flags: int, data: str) -> None:
    """Change options and flags of a mount. EINVAL: not a mount."""
    mnt = real_mount(place.mnt)
    if not check_mnt(mnt) or place.dentry is not mnt.mnt_root:
        raise KernelError(EINVAL)
    fc = fs_context_for_reconfigure(place.dentry, sb_flags)
    try:
        parse_monolithic_mount_data(fc, data)
        if fc.ops.reconfigure:
            fc.ops.reconfigure(fc)
        sb = mnt.mnt_sb
        sb.s_flags = sb.s_flags & ~SB_RDONLY | fc.sb_flags & SB_RDONLY
        set_mount_attributes(mnt, mnt_flags)
    finally:
        put_fs_context(fc)


def set_mount_attributes(mnt: mount, mnt_flags: int) -> None:
    """Change the flags that users may set."""
    mnt.mnt_flags = mnt.mnt_flags & ~MNT_USER_SETTABLE_MASK | mnt_flags


def do_reconfigure_mnt(place: path, mnt_flags: int) -> None:
    """MS_REMOUNT | MS_BIND: change the flags of one mount. EINVAL: not a mount."""
    mnt = real_mount(place.mnt)
    if not check_mnt(mnt) or place.dentry is not mnt.mnt_root:
        raise KernelError(EINVAL)
    set_mount_attributes(mnt, mnt_flags)


def do_loopback(current: task_struct, place: path, old_name: bytes, recurse: int) -> None:
    """MS_BIND: let a tree be seen at a second place. EINVAL, ENOTDIR."""
    if not old_name:
        raise KernelError(EINVAL)
    old_path = kern_path(current, old_name, LOOKUP_FOLLOW | LOOKUP_AUTOMOUNT)
    try:
        mp = lock_mount(place)
        try:
            parent = real_mount(place.mnt)
            a_namespace = old_path.dentry.d_op is ns_dentry_operations
            if not check_mnt(parent) or not (check_mnt(real_mount(old_path.mnt)) or a_namespace):
                raise KernelError(EINVAL)
            mnt, _ = copy_tree(real_mount(old_path.mnt), old_path.dentry, bool(recurse))
            try:
                graft_tree(mnt, parent, mp)
            except KernelError:
                namespace_unlock(umount_tree(mnt, UMOUNT_SYNC))
                raise
        finally:
            unlock_mount(mp)
    finally:
        path_put(old_path)


def do_change_type(place: path, flags: int) -> None:
    """MS_SHARED and its relatives: nothing is ever shared here. EINVAL: not a mount."""
    if place.dentry is not place.mnt.mnt_root:
        raise KernelError(EINVAL)


def _mnt_flags(place: path, flags: int) -> int:
    mnt_flags = 0 if flags & MS_NOATIME else MNT_RELATIME
    for ms, mnt in MOUNT_FLAGS:
        if flags & ms:
            mnt_flags |= mnt
    if flags & MS_STRICTATIME:
        mnt_flags &= ~(MNT_RELATIME | MNT_NOATIME)
    if flags & MS_REMOUNT and not flags & ATIME_FLAGS:
        mnt_flags = mnt_flags & ~MNT_ATIME_MASK | place.mnt.mnt_flags & MNT_ATIME_MASK
    return mnt_flags


def path_mount(
    current: task_struct, dev_name: bytes, place: path, type_page: str | None, flags: int, data: str
) -> None:
    """mount() at a place. EPERM: without CAP_SYS_ADMIN; EINVAL."""
    if flags & MS_MGC_MSK == MS_MGC_VAL:
        flags &= ~MS_MGC_MSK
    security_sb_mount(dev_name, place, type_page, flags, data)
    if not may_mount(current):
        raise KernelError(EPERM)
    mnt_flags = _mnt_flags(place, flags)
    if flags & (MS_REMOUNT | MS_BIND) == MS_REMOUNT | MS_BIND:
        do_reconfigure_mnt(place, mnt_flags)
    elif flags & MS_REMOUNT:
        do_remount(place, flags & SB_RDONLY, mnt_flags, data)
    elif flags & MS_BIND:
        do_loopback(current, place, dev_name, flags & MS_REC)
    elif flags & (MS_SHARED | MS_PRIVATE | MS_SLAVE | MS_UNBINDABLE):
        do_change_type(place, flags)
    elif flags & MS_MOVE or type_page is None:
        raise KernelError(EINVAL)
    else:
        name = dev_name.decode("latin-1")
        do_new_mount(current, place, type_page, flags & SB_RDONLY, mnt_flags, name, data)


def copy_mount_string(current: task_struct, data: int) -> bytes:
    """A string argument; NULL is empty. EFAULT; EINVAL: too long."""
    if not data:
        return b""
    text = strncpy_from_user(current, data, PATH_MAX)
    if len(text) >= PATH_MAX:
        raise KernelError(EINVAL)
    return text


def copy_mount_options(current: task_struct, data: int) -> str:
    """The options: a string, at most a page, as far as memory is good. EFAULT."""
    if not data:
        return ""
    page = raw_copy_from_user(current, data, PAGE_SIZE)
    if not page:
        page = raw_copy_from_user(current, data, PAGE_SIZE - (data & (PAGE_SIZE - 1)))
    if not page:
        raise KernelError(EFAULT)
    return page[: PAGE_SIZE - 1].split(b"\0", 1)[0].decode("latin-1")


@SYSCALL_DEFINE
def sys_mount(current: task_struct, dev_name: int, dir_name: int, type: int, flags: int, data: int) -> int:
    """mount(dev_name, dir_name, type, flags, data)."""
    kernel_type = copy_mount_string(current, type).decode("latin-1") if type else None
    kernel_dev = copy_mount_string(current, dev_name)
    options = copy_mount_options(current, data)
    place = user_path_at(current, AT_FDCWD, dir_name, LOOKUP_FOLLOW)
    try:
        path_mount(current, kernel_dev, place, kernel_type, flags, options)
    finally:
        path_put(place)
    return 0


def can_umount(current: task_struct, place: path, flags: int) -> None:
    """EPERM: without CAP_SYS_ADMIN; EINVAL: not a mount of this namespace."""
    mnt = real_mount(place.mnt)
    if not may_mount(current):
        raise KernelError(EPERM)
    if place.dentry is not mnt.mnt_root or not check_mnt(mnt) or mnt.mnt_flags & MNT_LOCKED:
        raise KernelError(EINVAL)


def do_umount(current: task_struct, mnt: mount, flags: int) -> None:
    """Take a mount out. EBUSY: it is in use; EAGAIN: MNT_EXPIRE, marked now; EINVAL."""
    security_sb_umount(mnt, flags)
    if flags & MNT_EXPIRE:
        if mnt is current.fs.root.mnt or flags & (MNT_FORCE | MNT_DETACH):
            raise KernelError(EINVAL)
        if mnt_get_count(mnt) != 2:
            raise KernelError(EBUSY)
        if not mnt.mnt_expiry_mark:
            mnt.mnt_expiry_mark = 1
            raise KernelError(EAGAIN)
    if not mnt_has_parent(mnt):
        raise KernelError(EINVAL)
    if flags & MNT_DETACH:
        unmounted = umount_tree(mnt, UMOUNT_PROPAGATE)
    elif propagate_mount_busy(mnt, 2):
        raise KernelError(EBUSY)
    else:
        unmounted = umount_tree(mnt, UMOUNT_PROPAGATE | UMOUNT_SYNC)
    namespace_unlock(unmounted)


def path_umount(current: task_struct, place: path, flags: int) -> None:
    """umount() of a place; drops its references."""
    try:
        can_umount(current, place, flags)
        do_umount(current, real_mount(place.mnt), flags)
    finally:
        dput(place.dentry)
        mntput_no_expire(real_mount(place.mnt))


def ksys_umount(current: task_struct, name: int, flags: int) -> int:
    """umount(). EINVAL: flags."""
    if flags & ~(MNT_FORCE | MNT_DETACH | MNT_EXPIRE | UMOUNT_NOFOLLOW):
        raise KernelError(EINVAL)
    lookup = LOOKUP_MOUNTPOINT | (0 if flags & UMOUNT_NOFOLLOW else LOOKUP_FOLLOW)
    place = user_path_at(current, AT_FDCWD, name, lookup)
    path_umount(current, place, flags)
    return 0


@SYSCALL_DEFINE
def sys_umount(current: task_struct, name: int, flags: int) -> int:
    """umount2(name, flags)."""
    return ksys_umount(current, name, flags)


sys_umount2 = sys_umount
