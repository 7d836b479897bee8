"""Shared mounts (fs/pnode.c). No mount is shared here: there is nobody to pass an event on to."""

from __future__ import annotations

from kshell.linux.include.linux.mount import mount


def propagation_next(m: mount, origin: mount) -> mount | None:
    """The next mount that shares what happens to m."""
    return None


def do_refcount_check(mnt: mount, count: int) -> bool:
    """Whether more than count hold the mount."""
    return mnt_get_count(mnt) > count


def mnt_get_count(mnt: mount) -> int:
    """How many hold the mount."""
    return mnt._mnt_count


def propagate_mount_busy(mnt: mount, refcnt: int) -> bool:
    """Whether the mount is in use, or something hangs on it."""
    if mnt.mnt_mounts or do_refcount_check(mnt, refcnt):
        return True
    return propagation_next(mnt.mnt_parent, mnt.mnt_parent) is not None


def propagate_mount_unlock(mnt: mount) -> None:
    """The mount need no longer stay where it is."""
    propagation_next(mnt.mnt_parent, mnt.mnt_parent)


def propagate_umount(mounts: list[mount]) -> None:
    """The same mounts go wherever they are shared."""
    for mnt in mounts:
        propagation_next(mnt.mnt_parent, mnt.mnt_parent)


def change_mnt_propagation(mnt: mount) -> None:
    """The mount shares nothing any more."""
