"""The life of inodes (fs/inode.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.capability import CAP_FOWNER, CAP_FSETID
from kshell.abi.errno import ENXIO
from kshell.abi.stat import S_IFDIR, S_IFMT, S_ISGID, S_IXGRP
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.fs import (
    I_CLEAR,
    I_FREEING,
    I_NEW,
    SB_ACTIVE,
    file_operations,
    inode,
    inode_operations,
)
from kshell.linux.include.linux.time64 import ns_to_timespec64, timespec64
from kshell.linux.kernel.capability import ns_capable
from kshell.linux.kernel.rcu.tree import call_rcu
from kshell.linux.kernel.time.timekeeping import ktime_get_real
from kshell.linux.mm.slab_common import kmem_cache_create
from kshell.linux.mm.slub import kmem_cache_alloc_lru, kmem_cache_free
from kshell.linux.security.security import security_inode_alloc, security_inode_free

if TYPE_CHECKING:
    from kshell.linux.include.linux.fs import file, super_block
    from kshell.linux.include.linux.sched import user_namespace
    from kshell.linux.init.kernel import Kernel

INODE_SIZE = 632


async def no_open(inode: inode, filp: file) -> None:
    """open() of an inode that cannot be opened by name. ENXIO."""
    raise KernelError(ENXIO)


empty_iops = inode_operations()
no_open_fops = file_operations(open=no_open)


def inode_init(kernel: Kernel) -> None:
    """Set up the cache of inodes that belong to no larger struct."""
    kernel.inode_cachep = kmem_cache_create(kernel, "inode_cache", INODE_SIZE)
    kernel.nr_inodes = 0
    kernel.last_ino = 0


def inode_init_always(sb: super_block, inode: inode) -> None:
    """Give a new inode the values that every kind begins with."""
    inode.i_sb = sb
    inode.i_flags = 0
    inode.i_count = 1
    inode.i_op = empty_iops
    inode.i_fop = no_open_fops
    inode.i_ino = 0
    inode.i_nlink = 1
    inode.i_uid = 0
    inode.i_gid = 0
    inode.i_state = 0
    inode.i_flctx = None
    inode.i_dentry = None
    security_inode_alloc(inode)
    sb.kernel.nr_inodes += 1


def alloc_inode(sb: super_block) -> inode:
    """A new inode, by the file system's own allocator when it has one."""
    alloc = sb.s_op.alloc_inode
    new = alloc(sb) if alloc else kmem_cache_alloc_lru(sb.kernel.inode_cachep, inode)
    inode_init_always(sb, new)
    return new


def new_inode_pseudo(sb: super_block) -> inode:
    """A new inode that the super block does not list: for sockets and pipes."""
    return alloc_inode(sb)


def new_inode(sb: super_block) -> inode:
    """A new inode of a file system that can be unmounted."""
    new = new_inode_pseudo(sb)
    inode_sb_list_add(new)
    return new


def inode_sb_list_add(inode: inode) -> None:
    """Let the super block list the inode."""
    inode.i_sb.s_inodes[inode] = None


def get_next_ino(kernel: Kernel) -> int:
    """The next inode number of all file systems without numbers of their own; 32 bits, never 0."""
    kernel.last_ino = (kernel.last_ino + 1) & 0xFFFFFFFF or 1
    return kernel.last_ino


def ihold(inode: inode) -> None:
    """Take another reference."""
    inode.i_count += 1


def iput(inode: inode | None) -> None:
    """Drop a reference; the last one of an inode without names ends it."""
    if inode is None:
        return
    inode.i_count -= 1
    if not inode.i_count:
        iput_final(inode)


def iput_final(inode: inode) -> None:
    """Nobody uses the inode: end it, unless its file system wants to keep it (no hash would find it)."""
    drop_inode = inode.i_sb.s_op.drop_inode
    if drop_inode and not drop_inode(inode) and inode.i_sb.s_flags & SB_ACTIVE:
        return
    inode.i_state |= I_FREEING
    evict(inode)


def generic_delete_inode(inode: inode) -> int:
    """End every inode: for file systems that live in memory only, and pin what has a name."""
    return 1


def evict(inode: inode) -> None:
    """Free the contents, then the inode."""
    sb = inode.i_sb
    if sb.s_inodes:
        sb.s_inodes.pop(inode, None)
    evict_inode = sb.s_op.evict_inode
    if evict_inode:
        evict_inode(inode)
    else:
        inode.i_state = I_FREEING | I_CLEAR
    destroy_inode(inode)


def clear_inode(inode: inode) -> None:
    """The contents are gone."""
    inode.i_state = I_FREEING | I_CLEAR


def __destroy_inode(inode: inode) -> None:
    """Undo inode_init_always()."""
    security_inode_free(inode)
    if inode.i_flctx is not None:
        inode.i_flctx = None
    inode.i_sb.kernel.nr_inodes -= 1


def destroy_inode(inode: inode) -> None:
    """Free the struct, at once or after a grace period, as the file system has it."""
    __destroy_inode(inode)
    op = inode.i_sb.s_op
    if op.destroy_inode:
        op.destroy_inode(inode)
        if not op.free_inode:
            return
    free = op.free_inode or free_inode_nonrcu
    call_rcu(inode.i_sb.kernel, free, inode)  # type: ignore[arg-type]  # the head is always an inode


def free_inode_nonrcu(inode: inode) -> None:
    """Give the struct back to the common cache."""
    kmem_cache_free(inode.i_sb.kernel.inode_cachep, inode)


def dispose_list(inodes: list[inode]) -> None:
    """End inodes that are no longer in use."""
    for each in inodes:
        each.i_state |= I_FREEING
        evict(each)


def evict_inodes(sb: super_block) -> None:
    """Unmount: end every inode that nobody holds."""
    dispose_list([each for each in sb.s_inodes if not each.i_count and not each.i_state & (I_NEW | I_FREEING)])


def inode_init_owner(mnt_userns: user_namespace, inode: inode, dir: inode | None, mode: int) -> None:
    """Owner, group and mode of a new inode in directory dir."""
    cred = inode.i_sb.kernel.current.cred
    inode.i_uid = cred.fsuid
    if dir is not None and dir.i_mode & S_ISGID:
        inode.i_gid = dir.i_gid
        if mode & S_IFMT == S_IFDIR:
            mode |= S_ISGID
    else:
        inode.i_gid = cred.fsgid
    inode.i_mode = mode


def inode_owner_or_capable(mnt_userns: user_namespace, inode: inode) -> bool:
    """Whether current owns the inode or may act as if it did."""
    current = inode.i_sb.kernel.current
    return current.cred.fsuid == inode.i_uid or ns_capable(current, mnt_userns, CAP_FOWNER)


def in_group_p(current_cred_groups: tuple[int, ...], fsgid: int, gid: int) -> bool:
    """Whether gid is the task's group or one of its others."""
    return gid == fsgid or gid in current_cred_groups


def mode_strip_sgid(mnt_userns: user_namespace, dir: inode | None, mode: int) -> int:
    """The mode a new file may have: S_ISGID only for members of the directory's group."""
    if mode & (S_ISGID | S_IXGRP) != S_ISGID | S_IXGRP:
        return mode
    if mode & S_IFMT == S_IFDIR or dir is None or not dir.i_mode & S_ISGID:
        return mode
    current = dir.i_sb.kernel.current
    if in_group_p(current.cred.group_info, current.cred.fsgid, dir.i_gid):
        return mode
    return mode if ns_capable(current, mnt_userns, CAP_FSETID) else mode & ~S_ISGID


def current_time(inode: inode) -> timespec64:
    """The time of day for a time stamp."""
    return ns_to_timespec64(ktime_get_real(inode.i_sb.kernel))


def inode_maybe_inc_iversion(inode: inode) -> None:
    """Count a change of a directory or of attributes."""
    inode.i_version += 1


def inc_nlink(inode: inode) -> None:
    """One name more."""
    inode.i_nlink += 1


def drop_nlink(inode: inode) -> None:
    """One name less."""
    inode.i_nlink -= 1


def clear_nlink(inode: inode) -> None:
    """No name is left."""
    inode.i_nlink = 0
