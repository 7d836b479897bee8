"""Files that share one nameless inode: epoll, eventfd, … (fs/anon_inodes.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.fcntl import O_ACCMODE, O_NONBLOCK
from kshell.abi.stat import ANON_INODE_FS_MAGIC
from kshell.linux.fs.file import fd_install, get_unused_fd_flags, put_unused_fd
from kshell.linux.fs.file_table import alloc_file_pseudo
from kshell.linux.fs.inode import ihold, iput
from kshell.linux.fs.libfs import alloc_anon_inode, init_pseudo
from kshell.linux.fs.namespace import kern_mount
from kshell.linux.fs.super import kill_anon_super
from kshell.linux.include.linux.dcache import dentry_operations
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.fs import file_system_type

if TYPE_CHECKING:
    from kshell.linux.include.linux.dcache import dentry
    from kshell.linux.include.linux.fs import file, file_operations
    from kshell.linux.include.linux.fs_context import fs_context
    from kshell.linux.include.linux.sched import task_struct
    from kshell.linux.init.kernel import Kernel



def anon_inodefs_dname(dentry: dentry, buffer: bytes, buflen: int) -> bytes:
    """The name that /proc/PID/fd shows."""
    return b"anon_inode:" + dentry.d_name.name


anon_inodefs_dentry_operations = dentry_operations(d_dname=anon_inodefs_dname)


def anon_inodefs_init_fs_context(fc: fs_context) -> None:
    """Describe anon_inodefs to the mount code."""
    init_pseudo(fc, ANON_INODE_FS_MAGIC).dops = anon_inodefs_dentry_operations


anon_inode_fs_type = file_system_type(
    name="anon_inodefs", init_fs_context=anon_inodefs_init_fs_context, kill_sb=kill_anon_super
)


def __anon_inode_getfile(kernel: Kernel, name: str, fops: file_operations, priv: object, flags: int) -> file:
    inode = kernel.anon_inode_inode
    ihold(inode)
    try:
        f = alloc_file_pseudo(inode, kernel.anon_inode_mnt, name, flags & (O_ACCMODE | O_NONBLOCK), fops)
    except KernelError:
        iput(inode)
        raise
    f.private_data = priv
    return f


def anon_inode_getfile(kernel: Kernel, name: str, fops: file_operations, priv: object, flags: int) -> file:
    """A file of a class ("[eventfd]") with its operations and its own data. ENFILE."""
    return __anon_inode_getfile(kernel, name, fops, priv, flags)


def anon_inode_getfd(current: task_struct, name: str, fops: file_operations, priv: object, flags: int) -> int:
    """anon_inode_getfile() under a new descriptor. EMFILE, ENFILE."""
    fd = get_unused_fd_flags(current, flags)
    try:
        f = __anon_inode_getfile(current.kernel, name, fops, priv, flags)
    except KernelError:
        put_unused_fd(current, fd)
        raise
    fd_install(current, fd, f)
    return fd


def anon_inode_init(kernel: Kernel) -> None:
    """Initcall: mount anon_inodefs and make its inode."""
    kernel.anon_inode_mnt = kern_mount(kernel, anon_inode_fs_type)
    kernel.anon_inode_inode = alloc_anon_inode(kernel.anon_inode_mnt.mnt_sb)
