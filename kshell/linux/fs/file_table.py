"""The life of `struct file` (fs/file_table.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.capability import CAP_SYS_ADMIN
from kshell.abi.errno import ENFILE
from kshell.abi.fcntl import O_ACCMODE
from kshell.linux.fs import eventpoll
from kshell.linux.fs.dcache import d_alloc_pseudo, d_instantiate, dput
from kshell.linux.fs.locks import locks_remove_file
from kshell.linux.fs.namei_path import path_get, path_put
from kshell.linux.fs.namespace import __mnt_drop_write, mntput
from kshell.linux.include.linux.dcache import qstr
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.fs import FASYNC, FMODE_READ, FMODE_WRITE, FMODE_WRITER, file, files_stat_struct
from kshell.linux.include.linux.fs_ops import FMODE_OPENED
from kshell.linux.include.linux.path import path
from kshell.linux.include.linux.sched import PF_KTHREAD
from kshell.linux.include.linux.workqueue import work_struct
from kshell.linux.kernel.capability import capable
from kshell.linux.kernel.cred import put_cred
from kshell.linux.kernel.pid import put_pid
from kshell.linux.kernel.printk import pr_info
from kshell.linux.kernel.rcu.tree import call_rcu
from kshell.linux.kernel.task_work import task_work_add
from kshell.linux.kernel.workqueue import schedule_work
from kshell.linux.mm.shmem_fs import TOTALRAM_PAGES
from kshell.linux.mm.slab_common import kmem_cache_create
from kshell.linux.mm.slub import kmem_cache_alloc, kmem_cache_free
from kshell.linux.security.security import security_file_alloc, security_file_free

if TYPE_CHECKING:
    from kshell.linux.include.linux.cred import cred
    from kshell.linux.include.linux.fs import file_operations, inode
    from kshell.linux.include.linux.mount import vfsmount
    from kshell.linux.include.linux.sched import Rest
    from kshell.linux.init.kernel import Kernel

FILP_SIZE = 256
FMODE_RW = FMODE_READ | FMODE_WRITE
PSEUDO_NAMES_KEPT = 64


def files_init(kernel: Kernel) -> None:
    """Set up the cache of open files."""
    kernel.filp_cachep = kmem_cache_create(kernel, "filp", FILP_SIZE)
    kernel.delayed_fput_list = []
    kernel.delayed_fput_work = work_struct(delayed_fput, kernel)


def files_maxfiles_init(kernel: Kernel) -> None:
    """Set the limit of open files in the system (fs.file-max)."""
    kernel.files_stat = files_stat_struct(max_files=TOTALRAM_PAGES * 4 // 10)


def get_max_files(kernel: Kernel) -> int:
    """How many files may be open in the system."""
    return kernel.files_stat.max_files


def alloc_empty_file(kernel: Kernel, flags: int, cred: cred) -> file:
    """A file that is not open yet. ENFILE: the system has too many."""
    stat = kernel.files_stat
    if stat.nr_files >= stat.max_files and not capable(kernel.current, CAP_SYS_ADMIN):
        pr_info(kernel, f"VFS: file-max limit {stat.max_files} reached")
        raise KernelError(ENFILE)
    f = __alloc_file(kernel, flags, cred)
    stat.nr_files += 1
    return f


def __alloc_file(kernel: Kernel, flags: int, cred: cred) -> file:
    f = kmem_cache_alloc(kernel.filp_cachep, file)
    cred.usage += 1
    f.f_cred = cred
    f._kernel = kernel
    security_file_alloc(f)
    f.f_count = 1
    f.f_pos = f.f_version = 0
    f.f_owner = f.f_ep = f.f_mapping = f.private_data = None
    f.f_flags = flags
    f.f_mode = (flags + 1) & O_ACCMODE
    return f


def alloc_file(path: path, flags: int, fop: file_operations) -> file:
    """An open file of an inode that needs no open(); takes over the references of path."""
    kernel = path.mnt.mnt_sb.kernel
    f = alloc_empty_file(kernel, flags, kernel.current.cred)
    f.f_path = path
    inode = path.dentry.d_inode
    assert inode is not None
    f.f_inode = inode
    mode = f.f_mode
    f.f_mode = mode | fop._caps[mode & FMODE_RW]
    f.f_op = fop
    if mode & FMODE_RW == FMODE_READ:
        inode.i_readcount += 1
    return f


def alloc_file_pseudo(inode: inode, mnt: vfsmount, name: str, flags: int, fops: file_operations) -> file:
    """An open file of an inode that has no name in any directory (socket, pipe, …).

    name: what d_dname shows. Takes over the caller's reference to inode only when it succeeds. ENFILE.
    """
    sb = mnt.mnt_sb
    dentry = d_alloc_pseudo(sb, sb.kernel._pseudo_names.get(name) or _pseudo_name(sb.kernel, name))
    mnt._mnt_count += 1
    d_instantiate(dentry, inode)
    place = path(mnt, dentry)
    try:
        return alloc_file(place, flags, fops)
    except KernelError:
        inode.i_count += 1
        path_put(place)
        raise


def _pseudo_name(kernel: Kernel, name: str) -> qstr:
    fresh = qstr(name.encode("latin-1"))
    if len(kernel._pseudo_names) < PSEUDO_NAMES_KEPT:
        kernel._pseudo_names[name] = fresh
    return fresh


def alloc_file_clone(base: file, flags: int, fops: file_operations) -> file:
    """Another open file of the same inode: the other end of a pipe."""
    f = alloc_file(path(base.f_path.mnt, base.f_path.dentry), flags, fops)
    path_get(f.f_path)
    return f


def fput(f: file) -> None:
    """Drop a reference; the last one has the file closed when the task returns to user space."""
    f.f_count -= 1
    if f.f_count:
        return
    kernel = f._kernel
    task = kernel.current
    if not kernel.in_serving_softirq and not task.flags & PF_KTHREAD:
        task_work_add(task, ____fput, f)  # type: ignore[arg-type]  # work is always a file
        return
    kernel.delayed_fput_list.append(f)
    schedule_work(kernel, kernel.delayed_fput_work)


def ____fput(work: file) -> Rest | None:
    """Task work: the last reference is gone."""
    return __fput(work)


async def delayed_fput(work: work_struct) -> None:
    """Work queue: files whose last reference went in an interrupt."""
    kernel = work._owner
    pending, kernel.delayed_fput_list = kernel.delayed_fput_list, []  # type: ignore[attr-defined]
    for f in pending:
        rest = __fput(f)
        if rest is not None:
            await rest


def __fput(f: file) -> Rest | None:
    """Close: tell the file system, then give everything back."""
    if not f.f_mode & FMODE_OPENED:
        file_free(f)
        return None
    inode = f.f_inode
    if f.f_ep:
        eventpoll.eventpoll_release_file(f)
    locks_remove_file(f)
    fop = f.f_op
    if f.f_flags & FASYNC and fop.fasync:
        fop.fasync(-1, f, 0)
    if fop.release:
        rest = fop.release(inode, f)
        if rest is not None:
            return _rest_of___fput(f, rest)
    _put_parts(f)
    return None


async def _rest_of___fput(f: file, rest: Rest) -> None:
    await rest
    _put_parts(f)


def _put_parts(f: file) -> None:
    """Let go of all that the file held, and of itself."""
    mode = f.f_mode
    place = f.f_path
    if f.f_owner is not None:
        put_pid(f._kernel, f.f_owner.pid)
        f.f_owner = None
    if mode & FMODE_RW == FMODE_READ:
        f.f_inode.i_readcount -= 1
    if mode & FMODE_WRITER:
        f.f_inode.i_writecount -= 1
        __mnt_drop_write(place.mnt)
    dput(place.dentry)
    mntput(place.mnt)
    file_free(f)


def file_free(f: file) -> None:
    """Give the struct back after a grace period."""
    security_file_free(f)
    f._kernel.files_stat.nr_files -= 1
    call_rcu(f._kernel, file_free_rcu, f)  # type: ignore[arg-type]  # head is always a file


def file_free_rcu(head: file) -> None:
    """End of the grace period."""
    if head.f_cred.usage > 1:
        head.f_cred.usage -= 1
    else:
        put_cred(head._kernel, head.f_cred)
    kmem_cache_free(head._kernel.filp_cachep, head)
