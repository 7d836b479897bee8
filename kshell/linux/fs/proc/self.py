"""/proc/self and /proc/thread-self (fs/proc/self.c, fs/proc/thread_self.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.stat import S_IFLNK, S_IRWXUGO
from kshell.linux.fs.dcache import d_add, d_alloc
from kshell.linux.fs.inode import current_time, new_inode
from kshell.linux.fs.libfs import kfree_link
from kshell.linux.fs.proc.generic import proc_alloc_inum
from kshell.linux.include.linux.dcache import qstr
from kshell.linux.include.linux.fs import inode_operations
from kshell.linux.include.linux.proc_fs import proc_sb_info
from kshell.linux.include.linux.sched import PIDTYPE_PID, PIDTYPE_TGID
from kshell.linux.kernel.pid import __task_pid_nr_ns

if TYPE_CHECKING:
    from kshell.linux.include.linux.dcache import dentry
    from kshell.linux.include.linux.fs import delayed_call, inode, super_block
    from kshell.linux.init.kernel import Kernel


def proc_self_get_link(dentry: dentry | None, inode: inode, done: delayed_call) -> bytes | None:
    """The number of the process that looks."""
    done.fn = kfree_link
    return b"%d" % __task_pid_nr_ns(inode.i_sb.kernel.current, PIDTYPE_TGID)


def proc_thread_self_get_link(dentry: dentry | None, inode: inode, done: delayed_call) -> bytes | None:
    """The directory of the thread that looks."""
    current = inode.i_sb.kernel.current
    done.fn = kfree_link
    tgid, pid = __task_pid_nr_ns(current, PIDTYPE_TGID), __task_pid_nr_ns(current, PIDTYPE_PID)
    return b"%d/task/%d" % (tgid, pid)


proc_self_inode_operations = inode_operations(get_link=proc_self_get_link)
proc_thread_self_inode_operations = inode_operations(get_link=proc_thread_self_get_link)


def _setup(s: super_block, name: bytes, ino: int, iops: inode_operations) -> dentry:
    assert s.s_root is not None
    link = d_alloc(s.s_root, qstr(name))
    inode = new_inode(s)
    inode.i_ino = ino
    inode.i_atime = inode.i_mtime = inode.i_ctime = current_time(inode)
    inode.i_mode = S_IFLNK | S_IRWXUGO
    inode.i_op = iops
    d_add(link, inode)
    return link


def proc_setup_self(s: super_block) -> None:
    """Put the link into the root directory; it stays until the file system is unmounted."""
    proc_sb_info(s).proc_self = _setup(s, b"self", s.kernel.self_inum, proc_self_inode_operations)


def proc_setup_thread_self(s: super_block) -> None:
    """Put the link into the root directory; it stays until the file system is unmounted."""
    proc_sb_info(s).proc_thread_self = _setup(s, b"thread-self", s.kernel.thread_self_inum, proc_thread_self_inode_operations)


def proc_self_init(kernel: Kernel) -> None:
    """Give the link its number."""
    kernel.self_inum = proc_alloc_inum(kernel)


def proc_thread_self_init(kernel: Kernel) -> None:
    """Give the link its number."""
    kernel.thread_self_inum = proc_alloc_inum(kernel)
