"""/proc/PID/ns: which namespaces a task is in (fs/proc/namespaces.c). The names can be read, not opened: no setns()."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from kshell.abi.errno import EACCES, ENOENT
from kshell.abi.stat import S_IFLNK, S_IRWXUGO
from kshell.linux.fs.dcache import d_set_d_op, d_splice_alias
from kshell.linux.fs.libfs import generic_read_dir
from kshell.linux.fs.libfs_dir import dir_emit_dots
from kshell.linux.fs.proc import base
from kshell.linux.fs.read_write import generic_file_llseek
from kshell.linux.fs.stat import readlink_copy
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.fs import dir_context, file_operations, inode, inode_operations
from kshell.linux.kernel.ptrace import ptrace_may_access

if TYPE_CHECKING:
    from kshell.linux.include.linux.dcache import dentry
    from kshell.linux.include.linux.fs import file
    from kshell.linux.include.linux.sched import task_struct

PROC_PID_INIT_INO = 0xEFFFFFFC
PROC_USER_INIT_INO = 0xEFFFFFFD
DOTS = 2


def _mnt_inum(task: task_struct) -> int:
    assert task.nsproxy.mnt_ns is not None
    return task.nsproxy.mnt_ns._ns_inum


ns_entries: dict[bytes, tuple[str, Callable[[task_struct], int]]] = {
    b"mnt": ("mnt", _mnt_inum),
    b"net": ("net", lambda task: task.nsproxy.net_ns.ns_inum),
    b"pid": ("pid", lambda task: PROC_PID_INIT_INO),
    b"pid_for_children": ("pid", lambda task: PROC_PID_INIT_INO),
    b"user": ("user", lambda task: PROC_USER_INIT_INO),
    b"uts": ("uts", lambda task: task.nsproxy.uts_ns._ns_inum),
}


def ns_get_name(task: task_struct, name: bytes) -> str:
    """The kind of a namespace and its number."""
    kind, number = ns_entries[name]
    return f"{kind}:[{number(task)}]"


def proc_ns_readlink(dentry: dentry, buffer: int, buflen: int) -> int:
    """The name of a task's namespace. EACCES: the task is another's."""
    inode = dentry.d_inode
    assert inode is not None
    current = inode.i_sb.kernel.current
    task = base.get_proc_task(inode)
    if task is None or task.nsproxy is None or not ptrace_may_access(current, task):
        raise KernelError(EACCES)
    return readlink_copy(current, buffer, buflen, ns_get_name(task, dentry.d_name.name).encode())


def proc_ns_get_link(dentry: dentry | None, inode: inode, done: object) -> bytes | None:
    """Following the link would open the namespace for setns(), which this kernel lacks. EACCES."""
    raise KernelError(EACCES)


proc_ns_link_inode_operations = inode_operations(readlink=proc_ns_readlink, get_link=proc_ns_get_link)


def proc_ns_dir_lookup(dir: inode, entry: dentry, flags: int) -> dentry | None:
    """Find a kind of namespace. ENOENT."""
    task = base.get_proc_task(dir)
    if task is None or entry.d_name.name not in ns_entries:
        raise KernelError(ENOENT)
    inode = base.proc_pid_make_inode(dir.i_sb, task, S_IFLNK | S_IRWXUGO)
    inode.i_op = proc_ns_link_inode_operations
    d_set_d_op(entry, base.pid_dentry_operations)
    return d_splice_alias(inode, entry)


def proc_ns_dir_readdir(file: file, ctx: dir_context) -> None:
    """List the kinds of namespaces."""
    if base.get_proc_task(file.f_inode) is None or not dir_emit_dots(file, ctx):
        return
    for name in list(ns_entries)[ctx.pos - DOTS :]:
        if not ctx.actor(ctx, name, ctx.pos, 1, S_IFLNK >> 12):
            return
        ctx.pos += 1


proc_ns_dir_inode_operations = inode_operations(lookup=proc_ns_dir_lookup)
proc_ns_dir_operations = file_operations(
    read=generic_read_dir, iterate_shared=proc_ns_dir_readdir, llseek=generic_file_llseek
)
