"""Mounting /proc; its root directory (fs/proc/root.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.errno import EINVAL
from kshell.abi.stat import PROC_SUPER_MAGIC, S_IFDIR, S_IRUGO, S_IXUGO
from kshell.linux.fs.dcache import d_make_root, dput
from kshell.linux.fs.filesystems import register_filesystem
from kshell.linux.fs.fs_context import vfs_parse_fs_param_source
from kshell.linux.fs.libfs import generic_read_dir
from kshell.linux.fs.proc.base import FIRST_PROCESS_ENTRY, proc_pid_lookup, proc_pid_readdir
from kshell.linux.fs.proc.generic import (
    pde_get,
    proc_create_mount_point,
    proc_lookup,
    proc_mkdir,
    proc_readdir,
    proc_symlink,
)
from kshell.linux.fs.proc.inode import proc_get_inode, proc_init_kmemcache, proc_sops
from kshell.linux.fs.proc.proc_net import proc_net_init
from kshell.linux.fs.proc.proc_sysctl import proc_sys_init
from kshell.linux.fs.proc.self import proc_self_init, proc_setup_self, proc_setup_thread_self, proc_thread_self_init
from kshell.linux.fs.read_write import generic_file_llseek
from kshell.linux.fs.stat import generic_fillattr
from kshell.linux.fs.super import get_tree_single, kill_anon_super
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.fs import (
    FS_DISALLOW_NOTIFY_PERM,
    FS_USERNS_MOUNT,
    SB_I_NODEV,
    SB_I_NOEXEC,
    dir_context,
    file_operations,
    file_system_type,
    inode,
    inode_operations,
    super_block,
)
from kshell.linux.include.linux.fs_context import fs_context, fs_context_operations
from kshell.linux.include.linux.proc_fs import proc_dir_entry, proc_fs_info, proc_sb_info
from kshell.linux.mm.slab_common import kfree, kzalloc
from kshell.linux.mm.slub import kmem_cache_alloc

if TYPE_CHECKING:
    from kshell.linux.include.linux.dcache import dentry
    from kshell.linux.include.linux.fs import file
    from kshell.linux.include.linux.path import path
    from kshell.linux.include.linux.sched import user_namespace
    from kshell.linux.include.linux.stat import kstat
    from kshell.linux.init.kernel import Kernel

PROC_ROOT_INO = 1
SIZEOF_PROC_FS_INFO = 32
NO_OPTIONS = ("hidepid", "gid", "subset")


def proc_parse_param(fc: fs_context, key: str, value: str | None) -> None:
    """Take a mount option: hidepid, gid and subset are accepted and change nothing. EINVAL."""
    if not vfs_parse_fs_param_source(fc, key, value) and key not in NO_OPTIONS:
        raise KernelError(EINVAL)


def proc_fill_super(s: super_block, fc: fs_context) -> None:
    """The tree of registered entries, with the links self and thread-self."""
    s.s_iflags |= SB_I_NOEXEC | SB_I_NODEV
    s.s_blocksize, s.s_blocksize_bits = 1024, 10
    s.s_magic = PROC_SUPER_MAGIC
    s.s_op = proc_sops
    s.s_fs_info = kzalloc(s.kernel, proc_fs_info, SIZEOF_PROC_FS_INFO)
    root = proc_get_inode(s, pde_get(s.kernel.proc_root))
    s.s_root = d_make_root(root)
    proc_setup_self(s)
    proc_setup_thread_self(s)


def proc_get_tree(fc: fs_context) -> None:
    """Mount: one instance serves all (there is one pid namespace)."""
    get_tree_single(fc, proc_fill_super)


def proc_fs_context_free(fc: fs_context) -> None:
    """Nothing of its own to free."""


proc_fs_context_ops = fs_context_operations(
    free=proc_fs_context_free, parse_param=proc_parse_param, get_tree=proc_get_tree
)


def proc_init_fs_context(fc: fs_context) -> None:
    """Begin to mount."""
    fc.ops = proc_fs_context_ops


def proc_kill_sb(sb: super_block) -> None:
    """Unmount."""
    fs_info = proc_sb_info(sb)
    dput(fs_info.proc_self)
    dput(fs_info.proc_thread_self)
    kill_anon_super(sb)
    kfree(sb.kernel, fs_info, SIZEOF_PROC_FS_INFO)


proc_fs_type = file_system_type(
    name="proc",
    init_fs_context=proc_init_fs_context,
    kill_sb=proc_kill_sb,
    fs_flags=FS_USERNS_MOUNT | FS_DISALLOW_NOTIFY_PERM,
)


def set_proc_pid_nlink() -> None:
    """Link counts of task directories are fixed."""


def proc_tty_init(kernel: Kernel) -> None:
    """Make /proc/tty."""
    proc_mkdir(kernel, "tty", None)


def proc_root_init(kernel: Kernel) -> None:
    """Register the first entries and the file system."""
    proc_init_kmemcache(kernel)
    kernel.proc_root = _make_root(kernel)
    set_proc_pid_nlink()
    proc_self_init(kernel)
    proc_thread_self_init(kernel)
    proc_symlink(kernel, "mounts", None, "self/mounts")
    proc_net_init(kernel)
    proc_mkdir(kernel, "fs", None)
    proc_mkdir(kernel, "driver", None)
    proc_create_mount_point(kernel, "fs/nfsd")
    proc_tty_init(kernel)
    proc_mkdir(kernel, "bus", None)
    proc_sys_init(kernel)
    register_filesystem(kernel, proc_fs_type)


def _make_root(kernel: Kernel) -> proc_dir_entry:
    mode = S_IFDIR | S_IRUGO | S_IXUGO
    root = kmem_cache_alloc(kernel.proc_dir_entry_cache, lambda: proc_dir_entry(kernel, b"/proc", mode))
    root.low_ino = PROC_ROOT_INO
    root.nlink = 2
    root.parent = root
    root.proc_iops = proc_root_inode_operations
    root.proc_dir_ops = proc_root_operations
    return root


def proc_root_getattr(
    mnt_userns: user_namespace, path: path, stat: kstat, request_mask: int, query_flags: int
) -> None:
    """Attributes: each task counts as a link."""
    inode = path.dentry.d_inode
    assert inode is not None
    generic_fillattr(mnt_userns, inode, stat)
    kernel = inode.i_sb.kernel
    stat.nlink = kernel.proc_root.nlink + kernel.nr_threads


def proc_root_lookup(dir: inode, dentry: dentry, flags: int) -> dentry | None:
    """Find a task by number, or a registered entry. ENOENT."""
    if proc_pid_lookup(dir, dentry):
        return None
    return proc_lookup(dir, dentry, flags)


def proc_root_readdir(file: file, ctx: dir_context) -> None:
    """List the registered entries, then the tasks."""
    if ctx.pos < FIRST_PROCESS_ENTRY:
        before = ctx.pos
        proc_readdir(file, ctx)
        if ctx.pos - 2 < len(file._kernel.proc_root.subdir) and ctx.pos >= before:
            return
        ctx.pos = FIRST_PROCESS_ENTRY
    proc_pid_readdir(file, ctx)


proc_root_operations = file_operations(
    read=generic_read_dir, iterate_shared=proc_root_readdir, llseek=generic_file_llseek
)
proc_root_inode_operations = inode_operations(lookup=proc_root_lookup, getattr=proc_root_getattr)
