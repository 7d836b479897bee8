"""A file system seen at a place of the tree (include/linux/mount.h)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kshell.linux.include.linux.dcache import dentry
    from kshell.linux.include.linux.fs import super_block
    from kshell.linux.include.linux.user_namespace import user_namespace

MNT_NOSUID = 0x01
MNT_NODEV = 0x02
MNT_NOEXEC = 0x04
MNT_NOATIME = 0x08
MNT_NODIRATIME = 0x10
MNT_RELATIME = 0x20
MNT_READONLY = 0x40
MNT_NOSYMFOLLOW = 0x80
MNT_SHRINKABLE = 0x100
MNT_WRITE_HOLD = 0x200
MNT_SHARED = 0x1000
MNT_UNBINDABLE = 0x2000
MNT_INTERNAL = 0x4000
MNT_LOCK_ATIME = 0x040000
MNT_LOCK_NOEXEC = 0x080000
MNT_LOCK_NOSUID = 0x100000
MNT_LOCK_NODEV = 0x200000
MNT_LOCK_READONLY = 0x400000
MNT_LOCKED = 0x800000
MNT_DOOMED = 0x1000000
MNT_SYNC_UMOUNT = 0x2000000
MNT_MARKED = 0x4000000
MNT_UMOUNT = 0x8000000
MNT_USER_SETTABLE_MASK = (
    MNT_NOSUID | MNT_NODEV | MNT_NOEXEC | MNT_NOATIME | MNT_NODIRATIME | MNT_RELATIME | MNT_READONLY
    | MNT_NOSYMFOLLOW
)


class vfsmount:
    """What file systems and paths see of a mount; `real_mount()` (fs/mount.py) gives the rest."""

    __slots__ = ("mnt_root", "mnt_sb", "mnt_flags", "mnt_userns")
    mnt_root: dentry
    mnt_sb: super_block
    mnt_flags: int
    mnt_userns: user_namespace


def mnt_user_ns(mnt: vfsmount) -> user_namespace:
    """The user namespace in which the mount's owners are translated."""
    return mnt.mnt_userns
