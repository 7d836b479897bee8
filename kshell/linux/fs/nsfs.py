"""Namespaces as files (fs/nsfs.c): what /proc/PID/ns/net leads to, and what setns() takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.errno import EBADF, EINVAL, ENOENT, ENOTTY
from kshell.abi.ioctl import NS_GET_NSTYPE, NS_GET_OWNER_UID, NS_GET_PARENT
from kshell.abi.sched import CLONE_NEWUSER
from kshell.abi.stat import NSFS_MAGIC, S_IFREG, S_IRUGO
from kshell.linux.fs.dcache import always_delete_dentry, d_alloc_anon, d_instantiate
from kshell.linux.fs.file import fget
from kshell.linux.fs.file_table import fput
from kshell.linux.fs.inode import clear_inode, current_time, new_inode_pseudo
from kshell.linux.fs.libfs import init_pseudo, simple_statfs
from kshell.linux.fs.namespace import kern_mount, mntget
from kshell.linux.fs.seq_file import seq_puts
from kshell.linux.fs.super import kill_anon_super
from kshell.linux.include.linux.dcache import d_inode, dentry_operations
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.fs import S_IMMUTABLE, SB_NOUSER, file_operations, file_system_type, super_operations
from kshell.linux.include.linux.path import path
from kshell.linux.include.linux.proc_ns import get_proc_ns, proc_ns_operations
from kshell.linux.include.linux.uaccess import put_user

if TYPE_CHECKING:
    from kshell.linux.include.linux.dcache import dentry
    from kshell.linux.include.linux.fs import file, inode
    from kshell.linux.include.linux.fs_context import fs_context
    from kshell.linux.include.linux.ns_common import namespace
    from kshell.linux.include.linux.sched import task_struct
    from kshell.linux.include.linux.seq_file import seq_file
    from kshell.linux.init.kernel import Kernel


def _ops_of(dentry: dentry) -> proc_ns_operations:
    assert isinstance(dentry.d_fsdata, proc_ns_operations)
    return dentry.d_fsdata


def ns_dname(dentry: dentry, buffer: bytes, buflen: int) -> bytes:
    """net:[4026531840]"""
    return f"{_ops_of(dentry).name}:[{d_inode(dentry).i_ino}]".encode()


def ns_prune_dentry(dentry: dentry) -> None:
    """The file is no longer open: the next who opens it makes another."""
    if dentry.d_inode is not None:
        get_proc_ns(dentry.d_inode).ns.stashed = None


ns_dentry_operations = dentry_operations(d_prune=ns_prune_dentry, d_delete=always_delete_dentry, d_dname=ns_dname)


def nsfs_evict(inode: inode) -> None:
    """The file lets go of the namespace."""
    ns = get_proc_ns(inode)
    clear_inode(inode)
    assert ns.ns.ops is not None
    ns.ns.ops.put(ns)


def __ns_get_path(kernel: Kernel, ns: namespace) -> path:
    """The file of a namespace, whose reference it takes over."""
    mnt, ops = kernel.nsfs_mnt, ns.ns.ops
    assert ops is not None
    dentry = ns.ns.stashed
    if dentry is not None:
        dentry.d_lockref += 1
        ops.put(ns)
        return path(mntget(mnt), dentry)
    inode = new_inode_pseudo(mnt.mnt_sb)
    inode.i_ino = ns.ns.inum
    inode.i_mtime = inode.i_atime = inode.i_ctime = current_time(inode)
    inode.i_flags |= S_IMMUTABLE
    inode.i_mode = S_IFREG | S_IRUGO
    inode.i_fop = ns_file_operations
    inode.i_private = ns
    dentry = d_alloc_anon(mnt.mnt_sb)
    d_instantiate(dentry, inode)
    dentry.d_fsdata = ops
    ns.ns.stashed = dentry
    return path(mntget(mnt), dentry)


def ns_get_path(task: task_struct, ns_ops: proc_ns_operations) -> path:
    """The file of a task's namespace of that kind. ENOENT: the task is dead."""
    ns = ns_ops.get(task)
    if ns is None:
        raise KernelError(ENOENT)
    return __ns_get_path(task.kernel, ns)


def ns_ioctl(filp: file, ioctl: int, arg: int) -> int:
    """NS_GET_NSTYPE, NS_GET_PARENT, NS_GET_OWNER_UID. EINVAL; EPERM: what is around it is out of sight; ENOTTY."""
    ns = get_proc_ns(filp.f_inode)
    assert ns.ns.ops is not None
    if ioctl == NS_GET_NSTYPE:
        return ns.ns.ops.type
    if ioctl == NS_GET_PARENT:
        if ns.ns.ops.get_parent is None:
            raise KernelError(EINVAL)
        ns.ns.ops.get_parent(ns)
    if ioctl == NS_GET_OWNER_UID:
        if ns.ns.ops.type != CLONE_NEWUSER:
            raise KernelError(EINVAL)
        put_user(filp.f_inode.i_sb.kernel.current, arg, 0)
        return 0
    raise KernelError(ENOTTY)


ns_file_operations = file_operations(unlocked_ioctl=ns_ioctl)


def ns_get_name(task: task_struct, ns_ops: proc_ns_operations) -> str:
    """The kind of a task's namespace and its number. ENOENT: the task is dead."""
    ns = ns_ops.get(task)
    if ns is None:
        raise KernelError(ENOENT)
    text = f"{ns_ops.real_ns_name or ns_ops.name}:[{ns.ns.inum}]"
    ns_ops.put(ns)
    return text


def proc_ns_file(file: file) -> bool:
    """Whether a file is a namespace."""
    return file.f_op is ns_file_operations


def proc_ns_fget(current: task_struct, fd: int) -> file:
    """The file of a namespace behind a descriptor, referenced. EBADF; EINVAL: it is none."""
    file = fget(current, fd)
    if file is None:
        raise KernelError(EBADF)
    if not proc_ns_file(file):
        fput(file)
        raise KernelError(EINVAL)
    return file


def nsfs_show_path(seq: seq_file, dentry: dentry) -> None:
    """What /proc/self/mountinfo shows as the root of a bound namespace."""
    seq_puts(seq, f"{_ops_of(dentry).name}:[{d_inode(dentry).i_ino}]")


nsfs_ops = super_operations(statfs=simple_statfs, evict_inode=nsfs_evict, show_path=nsfs_show_path)


def nsfs_init_fs_context(fc: fs_context) -> None:
    """Begin to mount."""
    ctx = init_pseudo(fc, NSFS_MAGIC)
    ctx.ops = nsfs_ops
    ctx.dops = ns_dentry_operations


nsfs = file_system_type(name="nsfs", init_fs_context=nsfs_init_fs_context, kill_sb=kill_anon_super)


def nsfs_init(kernel: Kernel) -> None:
    """Mount it for the kernel's own use; its files may be bound to other names."""
    kernel.nsfs_mnt = kern_mount(kernel, nsfs)
    kernel.nsfs_mnt.mnt_sb.s_flags &= ~SB_NOUSER
