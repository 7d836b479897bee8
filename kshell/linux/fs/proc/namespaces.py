"""/proc/PID/ns: which namespaces a task is in (fs/proc/namespaces.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.errno import EACCES, ECHILD, ENOENT
from kshell.abi.stat import S_IFLNK, S_IRWXUGO
from kshell.linux.fs.dcache import d_set_d_op, d_splice_alias
from kshell.linux.fs.libfs import generic_read_dir
from kshell.linux.fs.libfs_dir import dir_emit_dots
from kshell.linux.fs.namei_nd import nd_jump_link
from kshell.linux.fs.namespace_tree import mntns_operations
from kshell.linux.fs.nsfs import ns_get_name, ns_get_path
from kshell.linux.fs.proc import base_inode
from kshell.linux.fs.read_write import generic_file_llseek
from kshell.linux.fs.stat import readlink_copy
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.fs import DOTS, dir_context, file_operations, inode, inode_operations
from kshell.linux.kernel.pid_namespace import pidns_for_children_operations, pidns_operations
from kshell.linux.kernel.ptrace import ptrace_may_access
from kshell.linux.kernel.user_namespace import userns_operations
from kshell.linux.kernel.utsname import utsns_operations
from kshell.linux.net.core.net_namespace import netns_operations

if TYPE_CHECKING:
    from kshell.linux.include.linux.dcache import dentry
    from kshell.linux.include.linux.fs import file
    from kshell.linux.include.linux.sched import task_struct

ns_entries = {
    ops.name.encode(): ops
    for ops in (
        mntns_operations, netns_operations, pidns_operations, pidns_for_children_operations, userns_operations,
        utsns_operations,
    )
}  # fmt: skip


def _task_to_look_at(inode: inode) -> task_struct:
    """The task that a link is about. EACCES: it is another's, or gone."""
    task = base_inode.get_proc_task(inode)
    if task is None or not ptrace_may_access(inode.i_sb.kernel.current, task):
        raise KernelError(EACCES)
    return task


def proc_ns_get_link(dentry: dentry | None, inode: inode, done: object) -> bytes | None:
    """Follow: jump to the file of the namespace, which setns() takes. EACCES, ENOENT; ECHILD: not while in RCU mode."""
    if dentry is None:
        raise KernelError(ECHILD)
    place = ns_get_path(_task_to_look_at(inode), ns_entries[dentry.d_name.name])
    nd = inode.i_sb.kernel._nameidata
    assert nd is not None
    nd_jump_link(nd, place)
    return None


def proc_ns_readlink(dentry: dentry, buffer: int, buflen: int) -> int:
    """The name of a task's namespace. EACCES: the task is another's; ENOENT: it is dead."""
    inode = dentry.d_inode
    assert inode is not None
    name = ns_get_name(_task_to_look_at(inode), ns_entries[dentry.d_name.name])
    return readlink_copy(inode.i_sb.kernel.current, buffer, buflen, name.encode("latin-1"))


proc_ns_link_inode_operations = inode_operations(readlink=proc_ns_readlink, get_link=proc_ns_get_link)


def proc_ns_dir_lookup(dir: inode, entry: dentry, flags: int) -> dentry | None:
    """Find a kind of namespace. ENOENT."""
    task = base_inode.get_proc_task(dir)
    if task is None or entry.d_name.name not in ns_entries:
        raise KernelError(ENOENT)
    inode = base_inode.proc_pid_make_inode(dir.i_sb, task, S_IFLNK | S_IRWXUGO)
    inode.i_op = proc_ns_link_inode_operations
    d_set_d_op(entry, base_inode.pid_dentry_operations)
    return d_splice_alias(inode, entry)


def proc_ns_dir_readdir(file: file, ctx: dir_context) -> None:
    """List the kinds of namespaces."""
    if base_inode.get_proc_task(file.f_inode) is None or not dir_emit_dots(file, ctx):
        return
    for name in list(ns_entries)[ctx.pos - DOTS :]:
        if not ctx.actor(ctx, name, ctx.pos, 1, S_IFLNK >> 12):
            return
        ctx.pos += 1


proc_ns_dir_inode_operations = inode_operations(lookup=proc_ns_dir_lookup)
proc_ns_dir_operations = file_operations(
    read=generic_read_dir, iterate_shared=proc_ns_dir_readdir, llseek=generic_file_llseek
)
