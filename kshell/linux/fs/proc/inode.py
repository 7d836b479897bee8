"""/proc inodes and what open /proc files do (fs/proc/inode.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from kshell.abi.errno import EINVAL, EIO, ENOTTY
from kshell.abi.stat import S_IFMT, S_IFREG
from kshell.linux.fs.inode import clear_inode, current_time, generic_delete_inode, new_inode
from kshell.linux.fs.libfs import simple_statfs
from kshell.linux.fs.proc import generic
from kshell.linux.fs.proc.proc_sysctl_register import proc_sys_evict_inode
from kshell.linux.fs.splice_to_pipe import generic_file_splice_read
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.fs import file_operations, inode, super_operations
from kshell.linux.include.linux.fs_ops import FMODE_LSEEK
from kshell.linux.include.linux.poll import DEFAULT_POLLMASK
from kshell.linux.kernel.pid import put_pid
from kshell.linux.mm.slab_common import kmem_cache_create
from kshell.linux.mm.slub import kmem_cache_alloc_lru, kmem_cache_free

if TYPE_CHECKING:
    from kshell.linux.include.linux.dcache import dentry
    from kshell.linux.include.linux.fs import file, kiocb, super_block
    from kshell.linux.include.linux.fs_ops import Ppos
    from kshell.linux.include.linux.poll import poll_table_struct
    from kshell.linux.include.linux.proc_fs import proc_dir_entry, proc_ops
    from kshell.linux.include.linux.sched import pid
    from kshell.linux.include.linux.seq_file import seq_file
    from kshell.linux.include.linux.sysctl import ctl_dir, ctl_table, ctl_table_header
    from kshell.linux.include.linux.uio import iov_iter
    from kshell.linux.init.kernel import Kernel

PROC_INODE_SIZE = 704
PROC_DIR_ENTRY_SIZE = 192


class proc_inode(inode):
    """An inode of /proc: of a registered entry, or of a task (pid; fd: the descriptor)."""

    __slots__ = ("fd", "pde", "pid", "sysctl", "sysctl_entry")

    def __init__(self) -> None:
        self.pde: proc_dir_entry | None = None
        self.pid: pid | None = None
        self.fd = -1
        self.sysctl: ctl_table_header | ctl_dir | None = None
        self.sysctl_entry: ctl_table | None = None


def PROC_I(inode: inode) -> proc_inode:
    """The /proc inode around an inode."""
    return cast(proc_inode, inode)


def PDE(inode: inode) -> proc_dir_entry:
    """The entry behind an inode."""
    pde = PROC_I(inode).pde
    assert pde is not None
    return pde


def proc_init_kmemcache(kernel: Kernel) -> None:
    """Set up the caches of inodes and entries."""
    kernel.proc_inode_cachep = kmem_cache_create(kernel, "proc_inode_cache", PROC_INODE_SIZE)
    kernel.proc_dir_entry_cache = kmem_cache_create(kernel, "proc_dir_entry", PROC_DIR_ENTRY_SIZE)


def proc_alloc_inode(sb: super_block) -> inode:
    """A new struct for an inode."""
    return kmem_cache_alloc_lru(sb.kernel.proc_inode_cachep, proc_inode)


def proc_free_inode(inode: inode) -> None:
    """Free the struct."""
    kmem_cache_free(inode.i_sb.kernel.proc_inode_cachep, inode)


def proc_evict_inode(inode: inode) -> None:
    """The inode goes: it lets go of its entry or task."""
    clear_inode(inode)
    info = PROC_I(inode)
    if info.pid is not None:
        put_pid(inode.i_sb.kernel, info.pid)
        info.pid = None
    if info.pde is not None:
        generic.pde_put(info.pde)
        info.pde = None
    if info.sysctl is not None:
        proc_sys_evict_inode(inode, info.sysctl)
        info.sysctl = info.sysctl_entry = None


def proc_show_options(seq: seq_file, root: dentry) -> None:
    """The options of /proc in /proc/mounts: none."""


proc_sops = super_operations(
    alloc_inode=proc_alloc_inode,
    free_inode=proc_free_inode,
    drop_inode=generic_delete_inode,
    evict_inode=proc_evict_inode,
    statfs=simple_statfs,
    show_options=proc_show_options,
)


def _ops(file: file) -> proc_ops:
    pde = PDE(file.f_inode)
    if pde.parent is None and pde is not pde._kernel.proc_root:
        raise KernelError(EIO)
    assert pde.proc_ops is not None
    return pde.proc_ops


def proc_reg_llseek(file: file, offset: int, whence: int) -> int:
    """lseek(): the entry's own. EINVAL."""
    lseek = _ops(file).proc_lseek
    if lseek is None:
        raise KernelError(EINVAL)
    return lseek(file, offset, whence)


async def proc_reg_read_iter(iocb: kiocb, iter: iov_iter) -> int:
    """read(): the entry's own."""
    read_iter = _ops(iocb.ki_filp).proc_read_iter
    assert read_iter is not None
    return await read_iter(iocb, iter)


async def proc_reg_read(file: file, buf: int, count: int, ppos: Ppos) -> int:
    """read(): the entry's own. EIO: the entry is gone, or cannot be read."""
    read = _ops(file).proc_read
    if read is None:
        raise KernelError(EIO)
    return await read(file, buf, count, ppos)


async def proc_reg_write(file: file, buf: int, count: int, ppos: Ppos) -> int:
    """write(): the entry's own. EIO: the entry is gone, or cannot be written."""
    write = _ops(file).proc_write
    if write is None:
        raise KernelError(EIO)
    return await write(file, buf, count, ppos)


def proc_reg_poll(file: file, pts: poll_table_struct | None) -> int:
    """poll(): the entry's own; without one the file is always ready."""
    poll = _ops(file).proc_poll
    return poll(file, pts) if poll else DEFAULT_POLLMASK


def proc_reg_unlocked_ioctl(file: file, cmd: int, arg: int) -> int:
    """ioctl(): the entry's own. ENOTTY."""
    ioctl = _ops(file).proc_ioctl
    if ioctl is None:
        raise KernelError(ENOTTY)
    return ioctl(file, cmd, arg)


async def proc_reg_open(inode: inode, file: file) -> None:
    """open(): the entry's own."""
    ops = _ops(file)
    if not ops.proc_lseek:
        file.f_mode &= ~FMODE_LSEEK
    if ops.proc_open:
        ops.proc_open(inode, file)


def proc_reg_release(inode: inode, file: file) -> None:
    """close(): the entry's own."""
    ops = PDE(inode).proc_ops
    assert ops is not None
    if ops.proc_release:
        ops.proc_release(inode, file)


proc_reg_file_ops = file_operations(
    llseek=proc_reg_llseek,
    read=proc_reg_read,
    write=proc_reg_write,
    poll=proc_reg_poll,
    unlocked_ioctl=proc_reg_unlocked_ioctl,
    open=proc_reg_open,
    release=proc_reg_release,
)
proc_iter_file_ops = file_operations(
    llseek=proc_reg_llseek,
    read_iter=proc_reg_read_iter,
    write=proc_reg_write,
    splice_read=generic_file_splice_read,
    poll=proc_reg_poll,
    unlocked_ioctl=proc_reg_unlocked_ioctl,
    open=proc_reg_open,
    release=proc_reg_release,
)


def proc_get_inode(sb: super_block, de: proc_dir_entry) -> inode:
    """An inode for an entry, whose reference it takes over."""
    inode = new_inode(sb)
    PROC_I(inode).pde = de
    inode.i_ino = de.low_ino
    inode.i_atime = inode.i_mtime = inode.i_ctime = current_time(inode)
    inode.i_mode = de.mode
    inode.i_uid = de.uid
    inode.i_gid = de.gid
    if de.size:
        inode.i_size = de.size
    inode.i_nlink = de.nlink
    if de.proc_iops is not None:
        inode.i_op = de.proc_iops
    if inode.i_mode & S_IFMT == S_IFREG and de.proc_ops is not None:
        inode.i_fop = proc_iter_file_ops if de.proc_ops.proc_read_iter else proc_reg_file_ops
    elif de.proc_dir_ops is not None:
        inode.i_fop = de.proc_dir_ops
    return inode
