"""Inodes below /proc/PID, whose they are, and links to files (part of fs/proc/base.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.errno import EACCES, ECHILD, ENOENT, ESRCH
from kshell.abi.resource import PATH_MAX
from kshell.linux.fs import namei_nd
from kshell.linux.fs.d_path import d_path
from kshell.linux.fs.file import fget_task
from kshell.linux.fs.file_table import fput
from kshell.linux.fs.inode import current_time, new_inode
from kshell.linux.fs.namei_path import path_get, path_put
from kshell.linux.fs.namei_permission import generic_permission
from kshell.linux.fs.proc.generic import proc_alloc_inum
from kshell.linux.fs.proc.inode import PROC_I
from kshell.linux.fs.stat import readlink_copy
from kshell.linux.include.linux.cred import ROOT_GID, ROOT_UID
from kshell.linux.include.linux.dcache import dentry, dentry_operations, qstr
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.fs import (
    inode,
    inode_operations,
)
from kshell.linux.include.linux.path import path
from kshell.linux.include.linux.sched import PIDTYPE_PID
from kshell.linux.kernel.pid import get_pid, get_pid_task, pid_task
from kshell.linux.kernel.ptrace import ptrace_may_access

if TYPE_CHECKING:
    from kshell.linux.include.linux.fs import super_block
    from kshell.linux.include.linux.fs_struct import fs_struct
    from kshell.linux.include.linux.sched import task_struct, user_namespace


def get_proc_task(inode: inode) -> task_struct | None:
    """The task of an inode; None: it is gone."""
    return get_pid_task(PROC_I(inode).pid, PIDTYPE_PID)


def task_dump_owner(task: task_struct, mode: int) -> tuple[int, int]:
    """Who owns the task's entries."""
    return (task.cred.euid, task.cred.egid) if not task.exit_state else (ROOT_UID, ROOT_GID)


def pid_update_inode(task: task_struct, inode: inode) -> None:
    """Give the inode its present owner."""
    inode.i_uid, inode.i_gid = task_dump_owner(task, inode.i_mode)


def proc_pid_make_inode(sb: super_block, task: task_struct, mode: int) -> inode:
    """An inode of a task."""
    inode = new_inode(sb)
    inode.i_mode = mode
    inode.i_ino = proc_alloc_inum(sb.kernel)
    sb.kernel.proc_inum_ida.discard(inode.i_ino - 0xF0000000)
    inode.i_atime = inode.i_mtime = inode.i_ctime = current_time(inode)
    PROC_I(inode).pid = get_pid(task.thread_pid)
    pid_update_inode(task, inode)
    return inode


def pid_revalidate(dentry: dentry, flags: int) -> int:
    """Whether the task still exists."""
    inode = dentry.d_inode
    assert inode is not None
    task = pid_task(PROC_I(inode).pid, PIDTYPE_PID)
    if task is None:
        return 0
    pid_update_inode(task, inode)
    return 1


def pid_delete_dentry(dentry: dentry) -> int:
    """A dentry of a task that is gone is worth nothing."""
    inode = dentry.d_inode
    assert inode is not None
    return int(pid_task(PROC_I(inode).pid, PIDTYPE_PID) is None)


pid_dentry_operations = dentry_operations(d_revalidate=pid_revalidate, d_delete=pid_delete_dentry)


def proc_pid_permission(mnt_userns: user_namespace, inode: inode, mask: int) -> None:
    """Permission in the directory of a task (hidepid is off)."""
    if get_proc_task(inode) is None:
        raise KernelError(ESRCH)
    generic_permission(mnt_userns, inode, mask)


def _task_of(inode: inode) -> task_struct:
    task = get_proc_task(inode)
    if task is None:
        raise KernelError(ENOENT)
    return task


def _fs_of(inode: inode) -> fs_struct:
    fs = _task_of(inode).fs
    if fs is None:
        raise KernelError(ENOENT)
    return fs


def proc_cwd_link(inode: inode) -> path:
    """The working directory."""
    fs = _fs_of(inode)
    path_get(fs.pwd)
    return path(fs.pwd.mnt, fs.pwd.dentry)


def proc_root_link(inode: inode) -> path:
    """The root directory."""
    fs = _fs_of(inode)
    path_get(fs.root)
    return path(fs.root.mnt, fs.root.dentry)


def proc_exe_link(inode: inode) -> path:
    """The program. ENOENT: it is not known which file that is."""
    mm = _task_of(inode).mm
    exe = mm.exe_file if mm is not None else None
    if exe is None:
        raise KernelError(ENOENT)
    path_get(exe.f_path)
    return path(exe.f_path.mnt, exe.f_path.dentry)


def proc_fd_link(inode: inode) -> path:
    """The open file of a descriptor. ENOENT."""
    f = fget_task(_task_of(inode), PROC_I(inode).fd)
    if f is None:
        raise KernelError(ENOENT)
    path_get(f.f_path)
    found = path(f.f_path.mnt, f.f_path.dentry)
    fput(f)
    return found


def call_proc_get_link(inode: inode) -> path:
    """Where the link leads, with references. EACCES: the task is another's."""
    task = _task_of(inode)
    if not ptrace_may_access(inode.i_sb.kernel.current, task):
        raise KernelError(EACCES)
    link = inode.i_private
    assert callable(link)
    found = link(inode)
    assert isinstance(found, path)
    return found


def proc_pid_get_link(dentry: dentry | None, inode: inode, done: object) -> bytes | None:
    """Follow: jump straight to the place."""
    if dentry is None:
        raise KernelError(ECHILD)
    nd = inode.i_sb.kernel._nameidata
    assert nd is not None
    namei_nd.nd_jump_link(nd, call_proc_get_link(inode))
    return None


def proc_pid_readlink(dentry: dentry, buffer: int, buflen: int) -> int:
    """The name of the place."""
    inode = dentry.d_inode
    assert inode is not None
    place = call_proc_get_link(inode)
    try:
        return do_proc_readlink(inode.i_sb.kernel.current, place, buffer, buflen)
    finally:
        path_put(place)


def do_proc_readlink(current: task_struct, place: path, buffer: int, buflen: int) -> int:
    """Give user space the name of a place."""
    return readlink_copy(current, buffer, min(buflen, PATH_MAX), d_path(current, place))


proc_pid_link_inode_operations = inode_operations(readlink=proc_pid_readlink, get_link=proc_pid_get_link)


def name_to_int(name: qstr) -> int:
    """The number that a name spells; -1: none (fs/proc/util.c)."""
    text = name.name
    if not text.isdigit() or (len(text) > 1 and text[:1] == b"0") or len(text) > 10:
        return -1
    return int(text)
