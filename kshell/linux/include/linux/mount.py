"""File systems seen at places of the tree (include/linux/mount.h, fs/mount.h)."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from kshell.linux.include.linux.ns_common import ns_common
from kshell.linux.include.linux.wait import wait_queue_head

if TYPE_CHECKING:
    from kshell.linux.include.linux.dcache import dentry
    from kshell.linux.include.linux.fs import super_block
    from kshell.linux.include.linux.sched import user_namespace

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
    """What file systems and paths see of a mount. Every one is the embedded part of a `mount`."""

    __slots__ = ("_mnt_count", "mnt_flags", "mnt_root", "mnt_sb", "mnt_userns")
    mnt_root: dentry
    mnt_sb: super_block
    mnt_flags: int
    mnt_userns: user_namespace
    _mnt_count: int
    """References (mnt_pcp.mnt_count, summed)."""


class mount(vfsmount):
    """A mount: where it hangs and what hangs on it."""

    __slots__ = (
        "_addr",
        "_mnt_writers",
        "mnt_devname",
        "mnt_expiry_mark",
        "mnt_group_id",
        "mnt_id",
        "mnt_mountpoint",
        "mnt_mounts",
        "mnt_mp",
        "mnt_ns",
        "mnt_parent",
    )
    _addr: int
    mnt_parent: mount
    mnt_mountpoint: dentry

    def __init__(self) -> None:
        self.mnt_flags = 0
        self._mnt_count = 1
        self._mnt_writers = 0
        self.mnt_mounts: list[mount] = []
        self.mnt_devname = b""
        self.mnt_ns: mnt_namespace | None = None
        self.mnt_mp: mountpoint | None = None
        self.mnt_id = 0
        self.mnt_group_id = 0
        self.mnt_expiry_mark = 0

    @property
    def mnt(self) -> vfsmount:
        """The embedded vfsmount."""
        return self


class mountpoint:
    """A dentry on which something is mounted."""

    __slots__ = ("_addr", "m_count", "m_dentry", "m_list")
    _addr: int

    def __init__(self, m_dentry: dentry) -> None:
        self.m_dentry = m_dentry
        self.m_list: list[mount] = []
        self.m_count = 1


class mnt_namespace:
    """A tree of mounts."""

    __slots__ = (
        "_addr",
        "event",
        "list",
        "mounts",
        "ns",
        "pending_mounts",
        "poll",
        "root",
        "seq",
        "user_ns",
    )
    _addr: int

    def __init__(self, user_ns: user_namespace) -> None:
        self.ns = ns_common()
        self.root: mount | None = None
        self.list: list[mount] = []
        self.user_ns = user_ns
        self.seq = 0
        self.mounts = 0
        self.pending_mounts = 0
        self.poll = wait_queue_head()
        self.event = 0


def real_mount(mnt: vfsmount) -> mount:
    """The mount that a vfsmount is part of."""
    return cast("mount", mnt)


def mnt_has_parent(mnt: mount) -> bool:
    """Whether the mount hangs on another one."""
    return mnt.mnt_parent is not mnt


def mnt_user_ns(mnt: vfsmount) -> user_namespace:
    """The user namespace in which the mount's owners are translated."""
    return mnt.mnt_userns
