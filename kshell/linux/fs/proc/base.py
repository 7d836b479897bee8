"""The directories of tasks (fs/proc/base.c)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple, cast

from kshell.abi.errno import EACCES, EINVAL, ENOENT, ESRCH
from kshell.abi.stat import S_IFDIR, S_IFLNK, S_IFMT, S_IFREG, S_IRUGO, S_IRUSR, S_IRWXUGO, S_IXUGO
from kshell.linux.fs.dcache import d_set_d_op, d_splice_alias
from kshell.linux.fs.libfs import generic_read_dir
from kshell.linux.fs.libfs_dir import dir_emit_dots
from kshell.linux.fs.proc import base_inode
from kshell.linux.fs.proc.array import proc_pid_status, proc_tgid_stat
from kshell.linux.fs.proc.base_waiting import proc_pid_stack, proc_pid_syscall, proc_pid_wchan
from kshell.linux.fs.proc.fd import proc_fd_inode_operations, proc_fd_operations
from kshell.linux.fs.proc.fdinfo import proc_fdinfo_inode_operations, proc_fdinfo_operations
from kshell.linux.fs.proc.namespaces import proc_ns_dir_inode_operations, proc_ns_dir_operations
from kshell.linux.fs.proc.proc_net import proc_net_inode_operations, proc_net_operations
from kshell.linux.fs.proc.task_files import _mountinfo_show, _mounts_show, proc_pid_limits, show_map
from kshell.linux.fs.read_write import generic_file_llseek
from kshell.linux.fs.seq_file import seq_lseek, seq_puts, seq_read_iter, seq_release, single_open, single_release
from kshell.linux.include.linux.dcache import dentry
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.fs import (
    DOTS,
    dir_context,
    file_operations,
    inode,
    inode_operations,
)
from kshell.linux.include.linux.path import path
from kshell.linux.include.linux.sched import TASK_COMM_LEN
from kshell.linux.include.linux.uaccess import copy_from_user
from kshell.linux.kernel.pid import find_task_by_vpid
from kshell.linux.kernel.ptrace import ptrace_may_access

if TYPE_CHECKING:
    from kshell.linux.include.linux.fs import file, super_block
    from kshell.linux.include.linux.fs_ops import Ppos
    from kshell.linux.include.linux.sched import task_struct
    from kshell.linux.include.linux.seq_file import seq_file

FIRST_PROCESS_ENTRY = 256
Show = Callable[["seq_file", "task_struct"], None]


class pid_entry(NamedTuple):
    """A name in the directory of a task."""

    name: bytes
    mode: int
    iop: inode_operations
    fop: file_operations | None = None
    show: Show | None = None
    link: Callable[[inode], path] | None = None


def proc_single_show(m: seq_file, v: object) -> None:
    """The text about a task; the inode has the function that makes it. ESRCH: the task is gone."""
    about = cast("inode", m.private)
    show = about.i_private
    assert callable(show)
    task = base_inode.get_proc_task(about)
    if task is None:
        raise KernelError(ESRCH)
    show(m, task)


async def proc_single_open(inode: inode, filp: file) -> None:
    """open() of a text about the task."""
    single_open(filp, proc_single_show, inode)


proc_single_file_operations = file_operations(
    open=proc_single_open, read_iter=seq_read_iter, llseek=seq_lseek, release=single_release
)
proc_def_inode_operations = inode_operations()


async def comm_write(file: file, buf: int, count: int, ppos: Ppos) -> int:
    """A thread may change its name and those of its fellows. EINVAL: it is another's."""
    inode = file.f_inode
    current = inode.i_sb.kernel.current
    data = copy_from_user(current, buf, min(count, TASK_COMM_LEN - 1))
    p = base_inode.get_proc_task(inode)
    if p is None:
        raise KernelError(ESRCH)
    if p.signal is not current.signal:
        raise KernelError(EINVAL)
    p.comm = data.partition(b"\0")[0].partition(b"\n")[0].decode("latin-1")
    return count


proc_pid_set_comm_operations = file_operations(
    open=proc_single_open, read_iter=seq_read_iter, write=comm_write, llseek=seq_lseek, release=single_release
)


def proc_mem_open(inode: inode) -> None:
    """Whether the task's memory may be looked at. EACCES; ESRCH: the task is gone."""
    task = base_inode.get_proc_task(inode)
    if task is None:
        raise KernelError(ESRCH)
    if task.mm is not None and not ptrace_may_access(inode.i_sb.kernel.current, task):
        raise KernelError(EACCES)


async def pid_maps_open(inode: inode, file: file) -> None:
    """open() of /proc/PID/maps."""
    proc_mem_open(inode)
    await proc_single_open(inode, file)


def proc_map_release(inode: inode, file: file) -> None:
    """close() of /proc/PID/maps."""
    seq_release(inode, file)


proc_pid_maps_operations = file_operations(
    open=pid_maps_open, read_iter=seq_read_iter, llseek=seq_lseek, release=proc_map_release
)


def comm_show(m: seq_file, p: task_struct) -> None:
    """The name of the program."""
    seq_puts(m, f"{p.comm}\n")


def _proc_pid_cmdline(m: seq_file, p: task_struct) -> None:
    """The arguments, each ended by a NUL; a kernel thread has none."""
    if p.mm is not None:
        seq_puts(m, f"{p.comm}\0")


def proc_task_lookup(dir: inode, entry: dentry, flags: int) -> dentry | None:
    """Find a thread of the process by number. ENOENT."""
    leader = base_inode.get_proc_task(dir)
    tid = base_inode.name_to_int(entry.d_name)
    task = find_task_by_vpid(dir.i_sb.kernel.current, tid) if tid >= 0 else None
    if leader is None or task is None or task.tgid != leader.tgid:
        raise KernelError(ENOENT)
    inode = base_inode.proc_pid_make_inode(dir.i_sb, task, DIR)
    inode.i_op = proc_tid_base_inode_operations
    inode.i_fop = proc_tid_base_operations
    inode.i_nlink = 8
    d_set_d_op(entry, base_inode.pid_dentry_operations)
    return d_splice_alias(inode, entry)


def proc_task_readdir(file: file, ctx: dir_context) -> None:
    """List the threads of the process."""
    leader = base_inode.get_proc_task(file.f_inode)
    if leader is None or not dir_emit_dots(file, ctx):
        return
    for thread in leader.signal._threads[ctx.pos - DOTS :]:
        if not ctx.actor(ctx, b"%d" % thread.pid, ctx.pos, 1, S_IFDIR >> 12):
            return
        ctx.pos += 1


proc_task_inode_operations = inode_operations(lookup=proc_task_lookup)
proc_task_operations = file_operations(
    read=generic_read_dir, iterate_shared=proc_task_readdir, llseek=generic_file_llseek
)

DIR = S_IFDIR | S_IRUGO | S_IXUGO
LNK = S_IFLNK | S_IRWXUGO
REG = S_IFREG | S_IRUGO
link_ops = base_inode.proc_pid_link_inode_operations
text = (REG, proc_def_inode_operations, proc_single_file_operations)
secret = (S_IFREG | S_IRUSR, proc_def_inode_operations, proc_single_file_operations)
tgid_base_stuff = (
    pid_entry(b"task", DIR, proc_task_inode_operations, proc_task_operations),
    pid_entry(b"fd", S_IFDIR | 0o500, proc_fd_inode_operations, proc_fd_operations),
    pid_entry(b"fdinfo", DIR, proc_fdinfo_inode_operations, proc_fdinfo_operations),
    pid_entry(b"ns", S_IFDIR | 0o511, proc_ns_dir_inode_operations, proc_ns_dir_operations),
    pid_entry(b"net", DIR, proc_net_inode_operations, proc_net_operations),
    pid_entry(b"status", *text, proc_pid_status),
    pid_entry(b"limits", *text, proc_pid_limits),
    pid_entry(b"comm", S_IFREG | 0o644, proc_def_inode_operations, proc_pid_set_comm_operations, comm_show),
    pid_entry(b"syscall", *secret, proc_pid_syscall),
    pid_entry(b"cmdline", *text, _proc_pid_cmdline),
    pid_entry(b"stat", *text, proc_tgid_stat),
    pid_entry(b"cwd", LNK, link_ops, None, None, base_inode.proc_cwd_link),
    pid_entry(b"root", LNK, link_ops, None, None, base_inode.proc_root_link),
    pid_entry(b"exe", LNK, link_ops, None, None, base_inode.proc_exe_link),
    pid_entry(b"maps", REG, proc_def_inode_operations, proc_pid_maps_operations, show_map),
    pid_entry(b"mounts", *text, _mounts_show),
    pid_entry(b"mountinfo", *text, _mountinfo_show),
    pid_entry(b"wchan", *text, proc_pid_wchan),
    pid_entry(b"stack", *secret, proc_pid_stack),
)


def proc_tgid_base_lookup(dir: inode, entry: dentry, flags: int) -> dentry | None:
    """Find a name in the directory of a task. ENOENT."""
    return proc_pident_lookup(dir, entry, tgid_base_stuff)


def proc_pident_lookup(dir: inode, entry: dentry, ents: tuple[pid_entry, ...]) -> dentry | None:
    """Find a name in a table."""
    task = base_inode.get_proc_task(dir)
    found = next((ent for ent in ents if ent.name == entry.d_name.name), None)
    if task is None or found is None:
        raise KernelError(ENOENT)
    return proc_pident_instantiate(dir.i_sb, entry, task, found)


def proc_pident_instantiate(sb: super_block, entry: dentry, task: task_struct, ent: pid_entry) -> dentry | None:
    """Make the inode of a name."""
    inode = base_inode.proc_pid_make_inode(sb, task, ent.mode)
    if ent.mode & S_IFMT == S_IFDIR:
        inode.i_nlink = 2
    inode.i_op = ent.iop
    if ent.fop is not None:
        inode.i_fop = ent.fop
    inode.i_private = ent.link or ent.show
    d_set_d_op(entry, base_inode.pid_dentry_operations)
    return d_splice_alias(inode, entry)


def proc_tgid_base_readdir(file: file, ctx: dir_context) -> None:
    """List the directory of a task."""
    proc_pident_readdir(file, ctx, tgid_base_stuff)


def proc_pident_readdir(file: file, ctx: dir_context, ents: tuple[pid_entry, ...]) -> None:
    """List a table."""
    if base_inode.get_proc_task(file.f_inode) is None or not dir_emit_dots(file, ctx):
        return
    for ent in ents[ctx.pos - DOTS :]:
        if not ctx.actor(ctx, ent.name, ctx.pos, 1, ent.mode >> 12 & 15):
            return
        ctx.pos += 1


proc_tgid_base_inode_operations = inode_operations(lookup=proc_tgid_base_lookup, permission=base_inode.proc_pid_permission)
proc_tgid_base_operations = file_operations(
    read=generic_read_dir, iterate_shared=proc_tgid_base_readdir, llseek=generic_file_llseek
)


tid_base_stuff = tuple(ent for ent in tgid_base_stuff if ent.name != b"task")


def proc_tid_base_lookup(dir: inode, entry: dentry, flags: int) -> dentry | None:
    """Find a name in the directory of a thread. ENOENT."""
    return proc_pident_lookup(dir, entry, tid_base_stuff)


def proc_tid_base_readdir(file: file, ctx: dir_context) -> None:
    """List the directory of a thread."""
    proc_pident_readdir(file, ctx, tid_base_stuff)


proc_tid_base_inode_operations = inode_operations(lookup=proc_tid_base_lookup, permission=base_inode.proc_pid_permission)
proc_tid_base_operations = file_operations(
    read=generic_read_dir, iterate_shared=proc_tid_base_readdir, llseek=generic_file_llseek
)


def proc_pid_lookup(dir: inode, entry: dentry) -> bool:
    """Find a task by number; False: there is none."""
    tgid = base_inode.name_to_int(entry.d_name)
    if tgid < 0:
        return False
    task = find_task_by_vpid(dir.i_sb.kernel.current, tgid)
    if task is None:
        return False
    proc_pid_instantiate(dir.i_sb, entry, task)
    return True


def proc_pid_instantiate(sb: super_block, entry: dentry, task: task_struct) -> None:
    """Make the inode of a task's directory."""
    inode = base_inode.proc_pid_make_inode(sb, task, DIR)
    inode.i_op = proc_tgid_base_inode_operations
    inode.i_fop = proc_tgid_base_operations
    inode.i_nlink = 9
    d_set_d_op(entry, base_inode.pid_dentry_operations)
    d_splice_alias(inode, entry)


def proc_pid_readdir(file: file, ctx: dir_context) -> None:
    """List self, thread-self and the tasks."""
    kernel = file._kernel
    links = ((b"self", kernel.self_inum), (b"thread-self", kernel.thread_self_inum))
    for at, (name, ino) in enumerate(links):
        if ctx.pos == FIRST_PROCESS_ENTRY + at:
            if not ctx.actor(ctx, name, ctx.pos, ino, 10):
                return
            ctx.pos += 1
    first = ctx.pos - FIRST_PROCESS_ENTRY - len(links)
    for task in sorted(kernel.tasklist, key=lambda each: each.tgid):
        if task.pid == task.tgid and task.tgid >= first:
            ctx.pos = task.tgid + FIRST_PROCESS_ENTRY + len(links)
            if not ctx.actor(ctx, b"%d" % task.tgid, ctx.pos, 1, 4):
                return
            ctx.pos += 1
