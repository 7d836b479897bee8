"""The tree of mounts: attaching, copying, taking down; the first mounts (fs/namespace.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.capability import CAP_SYS_CHROOT
from kshell.abi.errno import EBUSY, EINVAL, ENOENT, ENOSPC, ENOTDIR
from kshell.abi.sched import CLONE_NEWNS
from kshell.linux.fs.dcache import dput, is_subdir
from kshell.linux.fs.fs_struct import set_fs_pwd, set_fs_root
from kshell.linux.fs.namespace import (
    MOUNTPOINT_SIZE,
    alloc_vfsmnt,
    get_mountpoint,
    lookup_mnt,
    mntput,
    mntput_no_expire,
    vfs_kern_mount,
)
from kshell.linux.fs.pnode import (
    change_mnt_propagation,
    propagate_mount_unlock,
    propagate_umount,
)
from kshell.linux.fs.sysfs.mount import sysfs_init
from kshell.linux.include.linux.dcache import DCACHE_MOUNTED, cant_mount, d_is_dir, dentry
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.fs import SB_NOUSER
from kshell.linux.include.linux.mount import (
    MNT_LOCKED,
    MNT_SYNC_UMOUNT,
    MNT_UMOUNT,
    mnt_has_parent,
    mnt_namespace,
    mount,
    mountpoint,
    real_mount,
    vfsmount,
)
from kshell.linux.include.linux.path import path
from kshell.linux.include.linux.proc_ns import ns_alloc_inum, proc_ns_operations
from kshell.linux.init.do_mounts import rootfs_fs_type
from kshell.linux.kernel.capability import _may_setns
from kshell.linux.kernel.sched.wait import __wake_up
from kshell.linux.mm.shmem_super import shmem_init
from kshell.linux.mm.slab_common import kfree, kmem_cache_create, kzalloc

if TYPE_CHECKING:
    from kshell.linux.include.linux.ns_common import namespace
    from kshell.linux.include.linux.nsproxy import nsset
    from kshell.linux.include.linux.sched import task_struct, user_namespace
    from kshell.linux.init.kernel import Kernel

MOUNT_SIZE = 320
MNT_NAMESPACE_SIZE = 120
UMOUNT_SYNC = 1
UMOUNT_PROPAGATE = 2
UMOUNT_CONNECTED = 4


def mnt_init(kernel: Kernel) -> None:
    """Set up mounts, tmpfs, and the first tree."""
    kernel.mnt_cache = kmem_cache_create(kernel, "mnt_cache", MOUNT_SIZE)
    sysfs_init(kernel)
    shmem_init(kernel)
    init_rootfs(kernel)
    init_mount_tree(kernel)


def init_rootfs(kernel: Kernel) -> None:
    """The root file system is a tmpfs: no root device is given on the command line."""


def init_mount_tree(kernel: Kernel) -> None:
    """Mount the root file system; the first task stands there."""
    mnt = real_mount(vfs_kern_mount(kernel, rootfs_fs_type, 0, "rootfs"))
    ns = alloc_mnt_ns(kernel)
    mnt.mnt_ns = ns
    ns.root = mnt
    ns.mounts = 1
    ns.list.append(mnt)
    kernel.init_mnt_ns = ns
    kernel.init_task.nsproxy.mnt_ns = ns
    mnt.mnt_flags |= MNT_LOCKED
    fs = kernel.init_task.fs
    for _ in range(2):
        mnt._mnt_count += 1
        mnt.mnt_root.d_lockref += 1
    fs.root = path(mnt, mnt.mnt_root)
    fs.pwd = path(mnt, mnt.mnt_root)


def mnt_set_mountpoint(mnt: mount, mp: mountpoint, child: mount) -> None:
    """Let child hang on a dentry of mnt."""
    mp.m_count += 1
    mnt._mnt_count += 1
    child.mnt_mountpoint = mp.m_dentry
    child.mnt_parent = mnt
    child.mnt_mp = mp
    mp.m_list.append(child)


def __attach_mnt(mnt: mount, parent: mount) -> None:
    kernel = parent.mnt_sb.kernel
    kernel.mount_hashtable.setdefault((parent, mnt.mnt_mountpoint), []).append(mnt)
    parent.mnt_mounts.append(mnt)


def commit_tree(mnt: mount) -> None:
    """A mount that has its place becomes part of its parent's namespace."""
    ns = mnt.mnt_parent.mnt_ns
    mnt.mnt_ns = ns
    assert ns is not None
    ns.list.append(mnt)
    ns.mounts += 1
    __attach_mnt(mnt, mnt.mnt_parent)
    touch_mnt_namespace(ns)


def count_mounts(ns: mnt_namespace, mnt: mount) -> None:
    """Whether mnt, and all that hangs on it, still fits into the namespace. ENOSPC."""
    mounts, pending = 0, [mnt]
    while pending:
        pending += pending.pop().mnt_mounts
        mounts += 1
    if ns.mounts + mounts > mnt.mnt_sb.kernel.sysctl_mount_max:
        raise KernelError(ENOSPC)


def attach_recursive_mnt(source: mount, dest: mount, mp: mountpoint) -> None:
    """Hang source, and all that hangs on it, on a place of dest. ENOSPC: fs.mount-max."""
    assert dest.mnt_ns is not None
    count_mounts(dest.mnt_ns, source)
    mnt_set_mountpoint(dest, mp, source)
    commit_tree(source)
    pending = list(source.mnt_mounts)
    ns = dest.mnt_ns
    assert ns is not None
    while pending:
        child = pending.pop(0)
        child.mnt_ns = ns
        ns.list.append(child)
        ns.mounts += 1
        pending.extend(child.mnt_mounts)


def graft_tree(mnt: mount, parent: mount, mp: mountpoint) -> None:
    """Hang a mount. EINVAL: it is of a kind no user mounts; ENOTDIR: file over directory or the reverse."""
    if mnt.mnt_sb.s_flags & SB_NOUSER:
        raise KernelError(EINVAL)
    if d_is_dir(mp.m_dentry) != d_is_dir(mnt.mnt_root):
        raise KernelError(ENOTDIR)
    attach_recursive_mnt(mnt, parent, mp)


def lock_mount(place: path) -> mountpoint:
    """The mount point at the very top of what is mounted at a place; moves `place` there. ENOENT."""
    while True:
        if cant_mount(place.dentry):
            raise KernelError(ENOENT)
        mnt = lookup_mnt(place)
        if mnt is None:
            return get_mountpoint(place.mnt.mnt_sb.kernel, place.dentry)
        dput(place.dentry)
        mntput(place.mnt)
        place.mnt = mnt
        mnt.mnt_root.d_lockref += 1
        place.dentry = mnt.mnt_root


def unlock_mount(where: mountpoint) -> None:
    """Undo lock_mount()."""
    put_mountpoint(where)


def do_add_mount(newmnt: mount, mp: mountpoint, place: path, mnt_flags: int) -> None:
    """Hang a new mount. EINVAL: outside the namespace; EBUSY: the same tree is there already."""
    parent = real_mount(place.mnt)
    if parent.mnt_ns is not parent.mnt_sb.kernel.current.nsproxy.mnt_ns:
        raise KernelError(EINVAL)
    if place.mnt.mnt_sb is newmnt.mnt_sb and place.mnt.mnt_root is place.dentry:
        raise KernelError(EBUSY)
    newmnt.mnt_flags = mnt_flags
    graft_tree(newmnt, parent, mp)


def touch_mnt_namespace(ns: mnt_namespace | None) -> None:
    """Tell those who poll /proc/mounts."""
    if ns is not None:
        ns.event += 1
        __wake_up(ns.poll, 1, 1, 0)


def __touch_mnt_namespace(ns: mnt_namespace) -> None:
    ns.event += 1
    __wake_up(ns.poll, 1, 1, 0)


def next_mnt(p: mount, root: mount) -> list[mount]:
    """A mount and all below it, parents first."""
    found = [p]
    for each in found:
        found.extend(each.mnt_mounts)
    return found


def unhash_mnt(mnt: mount) -> mountpoint:
    """Take a mount off its place."""
    parent, kernel = mnt.mnt_parent, mnt.mnt_sb.kernel
    key = (parent, mnt.mnt_mountpoint)
    stack = kernel.mount_hashtable[key]
    stack.remove(mnt)
    if not stack:
        del kernel.mount_hashtable[key]
    parent.mnt_mounts.remove(mnt)
    mnt.mnt_parent = mnt
    mnt.mnt_mountpoint = mnt.mnt_root
    mp = mnt.mnt_mp
    assert mp is not None
    mp.m_list.remove(mnt)
    mnt.mnt_mp = None
    return mp


def umount_mnt(mnt: mount) -> None:
    """Take a mount off its place; a mount point that nothing uses goes."""
    put_mountpoint(unhash_mnt(mnt))


def put_mountpoint(mp: mountpoint) -> None:
    """Drop a reference."""
    __put_mountpoint(mp)


def __put_mountpoint(mp: mountpoint) -> None:
    mp.m_count -= 1
    if not mp.m_count:
        dentry = mp.m_dentry
        kernel = dentry.d_sb.kernel
        dentry.d_flags &= ~DCACHE_MOUNTED
        del kernel.mountpoint_hashtable[dentry]
        dput(dentry)
        kfree(kernel, mp, MOUNTPOINT_SIZE)


def umount_tree(mnt: mount, how: int) -> list[mount]:
    """Take a mount and all below it out of the namespace; to be ended by namespace_unlock()."""
    if how & UMOUNT_PROPAGATE:
        propagate_mount_unlock(mnt)
    tmp_list = next_mnt(mnt, mnt)
    for p in tmp_list:
        p.mnt_flags |= MNT_UMOUNT
    if how & UMOUNT_PROPAGATE:
        propagate_umount(tmp_list)
    for p in reversed(tmp_list):
        ns = p.mnt_ns
        if ns is not None:
            ns.mounts -= 1
            ns.list.remove(p)
            __touch_mnt_namespace(ns)
        p.mnt_ns = None
        if how & UMOUNT_SYNC:
            p.mnt_flags |= MNT_SYNC_UMOUNT
        if mnt_has_parent(p):
            p.mnt_parent._mnt_count -= 1
            umount_mnt(p)
        change_mnt_propagation(p)
    return tmp_list


def namespace_unlock(unmounted: list[mount]) -> None:
    """End the mounts that umount_tree() took out."""
    for m in unmounted:
        mntput_no_expire(m)


def clone_mnt(old: mount, root: dentry) -> mount:
    """Another mount of the same tree, or of a part of it."""
    sb = old.mnt_sb
    new = alloc_vfsmnt(sb.kernel, old.mnt_devname)
    new.mnt_flags = old.mnt_flags & ~MNT_UMOUNT
    sb.s_active += 1
    root.d_lockref += 1
    new.mnt_sb = sb
    new.mnt_root = root
    new.mnt_mountpoint = root
    new.mnt_parent = new
    return new


def copy_tree(old: mount, root: dentry, recursive: bool = True) -> tuple[mount, dict[mount, mount]]:
    """Copies of a mount from root on, and of all that hangs below root; also which is the copy of which."""
    top = clone_mnt(old, root)
    copies = {old: top}
    if recursive:
        for child in next_mnt(old, old)[1:]:
            if child.mnt_parent not in copies:
                continue
            if child.mnt_parent is old and not is_subdir(child.mnt_mountpoint, root):
                continue
            new = clone_mnt(child, child.mnt_root)
            parent = copies[child.mnt_parent]
            mnt_set_mountpoint(parent, get_mountpoint(child.mnt_sb.kernel, child.mnt_mountpoint), new)
            assert new.mnt_mp is not None
            new.mnt_mp.m_count -= 1
            __attach_mnt(new, parent)
            copies[child] = new
    return top, copies


def alloc_mnt_ns(kernel: Kernel) -> mnt_namespace:
    """An empty namespace."""
    ns = kzalloc(kernel, lambda: mnt_namespace(kernel.init_user_ns), MNT_NAMESPACE_SIZE)
    ns.ns.inum = ns_alloc_inum(kernel)
    ns.ns.ops = mntns_operations
    return ns


def copy_mnt_ns(new: bool, current: task_struct) -> mnt_namespace | None:
    """The mount namespace of a new nsproxy: the same one, or (CLONE_NEWNS) a copy for current."""
    ns = current.nsproxy.mnt_ns
    if ns is None or not new:
        if ns is not None:
            ns.ns.count += 1
        return ns
    kernel = current.kernel
    fresh = alloc_mnt_ns(kernel)
    assert ns.root is not None
    fresh.root, copies = copy_tree(ns.root, ns.root.mnt_root)
    for copy in copies.values():
        copy.mnt_ns = fresh
        fresh.list.append(copy)
        fresh.mounts += 1
    for place in (current.fs.root, current.fs.pwd):
        moved = copies.get(real_mount(place.mnt))
        if moved is not None:
            old: vfsmount = place.mnt
            moved._mnt_count += 1
            place.mnt = moved
            mntput(old)
    return fresh


def put_mnt_ns(ns: mnt_namespace) -> None:
    """Drop a reference; the last one takes all mounts down."""
    ns.ns.count -= 1
    if ns.ns.count or ns.root is None:
        return
    kernel = ns.root.mnt_sb.kernel
    root, ns.root = ns.root, None
    namespace_unlock(umount_tree(root, 0))
    kfree(kernel, ns, MNT_NAMESPACE_SIZE)


# ---- as files of /proc/PID/ns


def to_mnt_ns(ns: namespace) -> mnt_namespace:
    """The mount namespace that this is."""
    assert isinstance(ns, mnt_namespace)
    return ns


def mntns_get(task: task_struct) -> mnt_namespace | None:
    """That of a task, referenced."""
    if task.nsproxy is None or task.nsproxy.mnt_ns is None:
        return None
    task.nsproxy.mnt_ns.ns.count += 1
    return task.nsproxy.mnt_ns


def mntns_put(ns: namespace) -> None:
    """Drop a reference."""
    put_mnt_ns(to_mnt_ns(ns))


def mntns_install(nsset: nsset, ns: namespace) -> None:
    """Have setns() change to this tree of mounts; root and working directory become its root. EPERM; EINVAL: others
    share them."""
    mnt_ns, proxy, fs = to_mnt_ns(ns), nsset.nsproxy, nsset.fs
    assert mnt_ns.root is not None
    assert proxy is not None
    current = mnt_ns.root.mnt_sb.kernel.current
    _may_setns(current, mnt_ns.user_ns, nsset, CAP_SYS_CHROOT)
    if fs.users != 1:
        raise KernelError(EINVAL)
    mnt_ns.ns.count += 1
    old, proxy.mnt_ns = proxy.mnt_ns, mnt_ns
    if old is not None:
        put_mnt_ns(old)
    root = path(mnt_ns.root, mnt_ns.root.mnt_root)
    set_fs_pwd(fs, root)
    set_fs_root(fs, root)


def mntns_owner(ns: namespace) -> user_namespace:
    """The user namespace it belongs to."""
    return to_mnt_ns(ns).user_ns


mntns_operations = proc_ns_operations(
    name="mnt", type=CLONE_NEWNS, get=mntns_get, put=mntns_put, install=mntns_install, owner=mntns_owner
)
