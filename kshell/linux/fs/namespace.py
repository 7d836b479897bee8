"""Mounts and how they are found (fs/namespace.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.errno import EINVAL, ENOENT, EROFS
from kshell.linux.fs.dcache import dput
from kshell.linux.fs.fs_context import (
    fs_context_for_mount,
    parse_monolithic_mount_data,
    put_fs_context,
    vfs_parse_fs_string,
)
from kshell.linux.fs.super import deactivate_super, vfs_get_tree
from kshell.linux.include.linux.dcache import DCACHE_MOUNTED, dentry
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.fs import SB_KERNMOUNT, SB_RDONLY
from kshell.linux.include.linux.mount import (
    MNT_DOOMED,
    MNT_INTERNAL,
    MNT_READONLY,
    mount,
    mountpoint,
    real_mount,
    vfsmount,
)
from kshell.linux.include.linux.sched import PF_KTHREAD
from kshell.linux.kernel.rcu.tree import call_rcu
from kshell.linux.kernel.task_work import task_work_add
from kshell.linux.mm.slab_common import kzalloc
from kshell.linux.mm.slub import kmem_cache_alloc, kmem_cache_free

if TYPE_CHECKING:
    from kshell.linux.include.linux.fs import file_system_type
    from kshell.linux.include.linux.fs_context import fs_context
    from kshell.linux.include.linux.path import path
    from kshell.linux.init.kernel import Kernel

MOUNTPOINT_SIZE = 40


def alloc_vfsmnt(kernel: Kernel, name: bytes) -> mount:
    """A new mount that hangs nowhere."""
    mnt = kmem_cache_alloc(kernel.mnt_cache, mount)
    mnt_alloc_id(kernel, mnt)
    mnt.mnt_devname = name
    mnt.mnt_userns = kernel.init_user_ns
    return mnt


def mnt_alloc_id(kernel: Kernel, mnt: mount) -> None:
    """The lowest free mount number."""
    used = kernel.mnt_id_ida
    mnt.mnt_id = next(n for n in range(1, len(used) + 2) if n not in used)
    used.add(mnt.mnt_id)


def mnt_free_id(kernel: Kernel, mnt: mount) -> None:
    """Give the number back."""
    kernel.mnt_id_ida.discard(mnt.mnt_id)


def vfs_create_mount(fc: fs_context) -> mount:
    """A mount of fc.root that hangs nowhere. EINVAL: there is no root."""
    root = fc.root
    if root is None:
        raise KernelError(EINVAL)
    mnt = alloc_vfsmnt(fc.kernel, fc.source or b"none")
    if fc.sb_flags & SB_KERNMOUNT:
        mnt.mnt_flags = MNT_INTERNAL
    root.d_sb.s_active += 1
    root.d_lockref += 1
    mnt.mnt_sb = root.d_sb
    mnt.mnt_root = root
    mnt.mnt_mountpoint = root
    mnt.mnt_parent = mnt
    return mnt


def fc_mount(fc: fs_context) -> mount:
    """Make the tree, then a mount of it."""
    vfs_get_tree(fc)
    return vfs_create_mount(fc)


def vfs_kern_mount(kernel: Kernel, fs_type: file_system_type, flags: int, name: str, data: str = "") -> mount:
    """Mount a file system, for the kernel's own use."""
    fc = fs_context_for_mount(kernel, fs_type, flags)
    try:
        if name:
            vfs_parse_fs_string(fc, "source", name)
        parse_monolithic_mount_data(fc, data)
        return fc_mount(fc)
    finally:
        put_fs_context(fc)


def kern_mount(kernel: Kernel, fs_type: file_system_type) -> vfsmount:
    """Mount a file system that no directory shows."""
    return vfs_kern_mount(kernel, fs_type, SB_KERNMOUNT, fs_type.name)


def mntget(mnt: vfsmount) -> vfsmount:
    """Take a reference."""
    mnt._mnt_count += 1
    return mnt


def mntput(mnt: vfsmount | None) -> None:
    """Drop a reference; the last one to a mount outside any namespace ends it."""
    if mnt is not None:
        if mnt._mnt_count > 1:
            mnt._mnt_count -= 1
        else:
            mntput_no_expire(real_mount(mnt))


def mntput_no_expire(mnt: mount) -> None:
    """Drop a reference; after the last one clean up, when the task returns to user space if it can."""
    mnt._mnt_count -= 1
    if mnt._mnt_count or mnt.mnt_ns is not None or mnt.mnt_flags & MNT_DOOMED:
        return
    mnt.mnt_flags |= MNT_DOOMED
    task = mnt.mnt_sb.kernel.current
    if not mnt.mnt_flags & MNT_INTERNAL and not task.flags & PF_KTHREAD:
        task_work_add(task, __cleanup_mnt, mnt)
        return
    cleanup_mnt(mnt)


def __cleanup_mnt(head: object) -> None:
    """Task work: a mount has gone."""
    assert isinstance(head, mount)
    cleanup_mnt(head)


def cleanup_mnt(mnt: mount) -> None:
    """Let go of the tree, which may end the file system."""
    kernel = mnt.mnt_sb.kernel
    dput(mnt.mnt_root)
    deactivate_super(mnt.mnt_sb)
    mnt_free_id(kernel, mnt)
    call_rcu(kernel, delayed_free_vfsmnt, mnt)


def delayed_free_vfsmnt(head: object) -> None:
    """End of the grace period."""
    assert isinstance(head, mount)
    free_vfsmnt(head)


def free_vfsmnt(mnt: mount) -> None:
    """Give the struct back."""
    del mnt.mnt_parent
    kmem_cache_free(mnt.mnt_sb.kernel.mnt_cache, mnt)


def __lookup_mnt(mnt: vfsmount, dentry: dentry) -> mount | None:
    """What is mounted on a dentry of a mount, without a reference."""
    found = mnt.mnt_sb.kernel.mount_hashtable.get((mnt, dentry))
    return found[-1] if found else None


def lookup_mnt(place: path) -> vfsmount | None:
    """What is mounted at a place, with a reference."""
    child = __lookup_mnt(place.mnt, place.dentry)
    if child is not None:
        child._mnt_count += 1
    return child


def __mnt_is_readonly(mnt: vfsmount) -> bool:
    """Whether nothing can be written there."""
    return bool(mnt.mnt_flags & MNT_READONLY or mnt.mnt_sb.s_flags & SB_RDONLY)


def __mnt_want_write(m: vfsmount) -> None:
    """Keep the mount from becoming read-only. EROFS: it is."""
    if __mnt_is_readonly(m):
        raise KernelError(EROFS)
    real_mount(m)._mnt_writers += 1


def mnt_want_write(m: vfsmount) -> None:
    """As __mnt_want_write(), with the file system kept from being frozen."""
    __mnt_want_write(m)


def __mnt_drop_write(mnt: vfsmount) -> None:
    """Undo __mnt_want_write()."""
    real_mount(mnt)._mnt_writers -= 1


def mnt_drop_write(mnt: vfsmount) -> None:
    """Undo mnt_want_write()."""
    real_mount(mnt)._mnt_writers -= 1


def get_mountpoint(kernel: Kernel, dentry: dentry) -> mountpoint:
    """The dentry as a place for mounts. ENOENT: the directory was removed."""
    mp = kernel.mountpoint_hashtable.get(dentry)
    if mp is not None:
        mp.m_count += 1
        return mp
    if not dentry.d_hash and dentry._d_parent is not None:
        raise KernelError(ENOENT)
    mp = kzalloc(kernel, lambda: mountpoint(dentry), MOUNTPOINT_SIZE)
    dentry.d_flags |= DCACHE_MOUNTED
    dentry.d_lockref += 1
    kernel.mountpoint_hashtable[dentry] = mp
    return mp


def check_mnt(mnt: mount) -> bool:
    """Whether the mount is in the namespace of current."""
    return mnt.mnt_ns is mnt.mnt_sb.kernel.current.nsproxy.mnt_ns


def is_local_mountpoint(dentry: dentry) -> bool:
    """Whether something is mounted on the dentry in the namespace of current."""
    if not dentry.d_flags & DCACHE_MOUNTED:
        return False
    kernel = dentry.d_sb.kernel
    mp = kernel.mountpoint_hashtable[dentry]
    return any(mnt.mnt_ns is kernel.current.nsproxy.mnt_ns for mnt in mp.m_list)
