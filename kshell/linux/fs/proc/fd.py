"""/proc/PID/fd: the open files of a task (fs/proc/fd.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.errno import ECHILD, ENOENT
from kshell.abi.stat import S_IFLNK
from kshell.linux.fs.dcache import d_set_d_op, d_splice_alias
from kshell.linux.fs.libfs import generic_read_dir
from kshell.linux.fs.libfs_dir import dir_emit_dots
from kshell.linux.fs.namei_permission import generic_permission
from kshell.linux.fs.proc.base_inode import (
    get_proc_task,
    name_to_int,
    pid_delete_dentry,
    proc_fd_link,
    proc_pid_link_inode_operations,
    proc_pid_make_inode,
    task_dump_owner,
)
from kshell.linux.fs.proc.inode import PROC_I
from kshell.linux.fs.read_write import generic_file_llseek
from kshell.linux.include.linux.dcache import dentry, dentry_operations
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.fs import (
    DOTS,
    FMODE_READ,
    FMODE_WRITE,
    dir_context,
    file_operations,
    inode,
    inode_operations,
)
from kshell.linux.include.linux.namei import LOOKUP_RCU

if TYPE_CHECKING:
    from kshell.linux.include.linux.fs import file
    from kshell.linux.include.linux.sched import task_struct, user_namespace


def tid_fd_mode(task: task_struct, fd: int) -> int:
    """The mode of the file of a descriptor; 0: there is none."""
    files = task.files
    if files is None or not 0 <= fd < files.fdt.max_fds:
        return 0
    f = files.fdt.fd[fd]
    return 0 if f is None else f.f_mode or 1 << 31


def tid_fd_revalidate(dentry: dentry, flags: int) -> int:
    """Whether the descriptor is still open; asked outside RCU mode only."""
    if flags & LOOKUP_RCU:
        return -ECHILD
    inode = dentry.d_inode
    assert inode is not None
    task = get_proc_task(inode)
    mode = tid_fd_mode(task, PROC_I(inode).fd) if task is not None else 0
    if task is None or not mode:
        return 0
    tid_fd_update_inode(task, inode, mode)
    return 1


def tid_fd_update_inode(task: task_struct, inode: inode, f_mode: int) -> None:
    """Owner and mode: what the descriptor is open for."""
    inode.i_uid, inode.i_gid = task_dump_owner(task, 0)
    inode.i_mode = S_IFLNK | (0o500 if f_mode & FMODE_READ else 0) | (0o300 if f_mode & FMODE_WRITE else 0)


tid_fd_dentry_operations = dentry_operations(d_revalidate=tid_fd_revalidate, d_delete=pid_delete_dentry)


def proc_fd_permission(mnt_userns: user_namespace, inode: inode, mask: int) -> None:
    """A process may always look at its own descriptors."""
    try:
        generic_permission(mnt_userns, inode, mask)
    except KernelError:
        task = get_proc_task(inode)
        if task is None or task.signal is not inode.i_sb.kernel.current.signal:
            raise


def proc_lookupfd(dir: inode, entry: dentry, flags: int) -> dentry | None:
    """Find a descriptor. ENOENT."""
    task = get_proc_task(dir)
    fd = name_to_int(entry.d_name)
    mode = tid_fd_mode(task, fd) if task is not None else 0
    if task is None or not mode:
        raise KernelError(ENOENT)
    inode = proc_pid_make_inode(dir.i_sb, task, S_IFLNK)
    PROC_I(inode).fd = fd
    inode.i_op = proc_pid_link_inode_operations
    inode.i_private = proc_fd_link
    inode.i_size = 64
    tid_fd_update_inode(task, inode, mode)
    d_set_d_op(entry, tid_fd_dentry_operations)
    return d_splice_alias(inode, entry)


def proc_readfd(file: file, ctx: dir_context) -> None:
    """List the descriptors."""
    task = get_proc_task(file.f_inode)
    if task is None or not dir_emit_dots(file, ctx) or task.files is None:
        return
    for fd, f in enumerate(task.files.fdt.fd):
        if f is not None and fd >= ctx.pos - DOTS:
            ctx.pos = fd + DOTS
            if not ctx.actor(ctx, b"%d" % fd, ctx.pos, f.f_inode.i_ino, 10):
                return
            ctx.pos += 1


proc_fd_inode_operations = inode_operations(lookup=proc_lookupfd, permission=proc_fd_permission)
proc_fd_operations = file_operations(read=generic_read_dir, iterate_shared=proc_readfd, llseek=generic_file_llseek)
