"""New tasks (kernel/fork.c)."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from kshell.abi.errno import E2BIG, EAGAIN, EINVAL
from kshell.abi.resource import (
    RLIM_INFINITY,
    RLIM_NLIMITS,
    RLIMIT_CORE,
    RLIMIT_MEMLOCK,
    RLIMIT_MSGQUEUE,
    RLIMIT_NICE,
    RLIMIT_NOFILE,
    RLIMIT_NPROC,
    RLIMIT_RTPRIO,
    RLIMIT_SIGPENDING,
    RLIMIT_STACK,
)  # fmt: skip
from kshell.abi.sched import (
    CLONE_ARGS_SIZE_VER0,
    CLONE_CHILD_CLEARTID,
    CLONE_CHILD_SETTID,
    CLONE_FILES,
    CLONE_FS,
    CLONE_NEWCGROUP,
    CLONE_NEWIPC,
    CLONE_NEWNET,
    CLONE_NEWNS,
    CLONE_NEWPID,
    CLONE_NEWTIME,
    CLONE_NEWUSER,
    CLONE_NEWUTS,
    CLONE_PARENT,
    CLONE_PARENT_SETTID,
    CLONE_SIGHAND,
    CLONE_SYSVSEM,
    CLONE_THREAD,
    CLONE_VFORK,
    CLONE_VM,
)  # fmt: skip
from kshell.abi.signal import SIGCHLD
from kshell.linux.fs.file import dup_fd
from kshell.linux.fs.file_table import fput
from kshell.linux.fs.fs_struct import copy_fs_struct, unshare_fs_struct
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.fs import get_file
from kshell.linux.include.linux.hrtimer import hrtimer
from kshell.linux.include.linux.mm_types import mm_struct, vm_area_struct
from kshell.linux.include.linux.sched import (
    PF_FORKNOEXEC,
    PF_SUPERPRIV,
    PIDTYPE_PGID,
    PIDTYPE_PID,
    PIDTYPE_SID,
    PIDTYPE_TGID,
    SIGNAL_UNKILLABLE,
    TASK_NEW,
    sighand_struct,
    signal_struct,
    task_struct,
)
from kshell.linux.include.linux.syscalls import SYSCALL_DEFINE
from kshell.linux.include.linux.uaccess import copy_from_user
from kshell.linux.include.linux.wait import wait_queue_head
from kshell.linux.kernel.cred import _check_nproc, copy_creds
from kshell.linux.kernel.nsproxy import copy_namespaces, switch_task_namespaces, unshare_nsproxy_namespaces
from kshell.linux.kernel.pid import alloc_pid, attach_pid, get_task_pid, pid_vnr, put_pid
from kshell.linux.kernel.sched.core import wake_up_new_task
from kshell.linux.kernel.sched.wait import wait_event, wake_up_all
from kshell.linux.kernel.signal import recalc_sigpending
from kshell.linux.kernel.time.itimer import it_real_fn
from kshell.linux.mm.slab_common import kmem_cache_create
from kshell.linux.mm.slub import kmem_cache_alloc, kmem_cache_alloc_node, kmem_cache_free
from kshell.linux.security.security import security_task_alloc, security_task_free

if TYPE_CHECKING:
    from kshell.linux.init.kernel import Kernel

CSIGNAL: Final = 0xFF
UNSHARE_FLAGS: Final = (
    CLONE_THREAD | CLONE_FS | CLONE_NEWNS | CLONE_SIGHAND | CLONE_VM | CLONE_FILES | CLONE_SYSVSEM | CLONE_NEWUTS
    | CLONE_NEWIPC | CLONE_NEWNET | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWCGROUP | CLONE_NEWTIME
)  # fmt: skip
THREADS_MAX: Final = 23104

INIT_RLIMITS: Final[dict[int, tuple[int, int]]] = {
    RLIMIT_STACK: (8 << 20, RLIM_INFINITY),
    RLIMIT_CORE: (0, RLIM_INFINITY),
    RLIMIT_NPROC: (THREADS_MAX // 2, THREADS_MAX // 2),
    RLIMIT_NOFILE: (1024, 4096),
    RLIMIT_MEMLOCK: (8 << 20, 8 << 20),
    RLIMIT_SIGPENDING: (THREADS_MAX // 2, THREADS_MAX // 2),
    RLIMIT_MSGQUEUE: (819200, 819200),
    RLIMIT_NICE: (0, 0),
    RLIMIT_RTPRIO: (0, 0),
}


def fork_init(kernel: Kernel) -> None:
    """Set up the cache of tasks."""
    kernel.task_struct_cachep = kmem_cache_create(kernel, "task_struct", 9792)


def proc_caches_init(kernel: Kernel) -> None:
    """Set up the caches of what tasks point to."""
    kernel.sighand_cachep = kmem_cache_create(kernel, "sighand_cache", 2088)
    kernel.signal_cachep = kmem_cache_create(kernel, "signal_cache", 1112)
    kernel.files_cachep = kmem_cache_create(kernel, "files_cache", 704)
    kernel.fs_cachep = kmem_cache_create(kernel, "fs_cache", 56)
    kernel.mm_cachep = kmem_cache_create(kernel, "mm_struct", 1096)
    kernel.vm_area_cachep = kmem_cache_create(kernel, "vm_area_struct", 152)


def _new_signal_struct(kernel: Kernel) -> signal_struct:
    """A signal_struct with no limits set yet."""
    sig = kmem_cache_alloc(kernel.signal_cachep, signal_struct)
    sig.rlim = [INIT_RLIMITS.get(i, (RLIM_INFINITY, RLIM_INFINITY)) for i in range(RLIM_NLIMITS)]
    sig.real_timer = hrtimer(it_real_fn, sig)
    return sig


def mm_alloc(kernel: Kernel) -> mm_struct:
    """An empty address space."""
    return kmem_cache_alloc(kernel.mm_cachep, mm_struct)


def mmput(kernel: Kernel, mm: mm_struct) -> None:
    """A user of mm is gone; the last frees it."""
    mm.mm_users -= 1
    if mm.mm_users == 0:
        mm._vmas = []
        mm._starts = []
        if mm.exe_file is not None:
            fput(mm.exe_file)
        kmem_cache_free(kernel.mm_cachep, mm)


def dup_mm(kernel: Kernel, oldmm: mm_struct) -> mm_struct:
    """A copy of an address space."""
    mm = mm_alloc(kernel)
    dup_mmap(mm, oldmm)
    if oldmm.exe_file is not None:
        mm.exe_file = get_file(oldmm.exe_file)
    return mm


def dup_mmap(mm: mm_struct, oldmm: mm_struct) -> None:
    """Copy the mappings."""
    mm._starts = list(oldmm._starts)
    mm._vmas = [vm_area_struct(v.vm_start, bytearray(v._data), v.vm_flags) for v in oldmm._vmas]


def copy_mm(clone_flags: int, p: task_struct, current: task_struct) -> None:
    """Share or copy the address space."""
    if current.mm is None:
        return
    if clone_flags & CLONE_VM:
        current.mm.mm_users += 1
        p.mm = current.mm
    else:
        p.mm = dup_mm(p.kernel, current.mm)


def copy_fs(clone_flags: int, p: task_struct, current: task_struct) -> None:
    """Share or copy root, working directory and umask."""
    if clone_flags & CLONE_FS:
        current.fs.users += 1
        p.fs = current.fs
    else:
        p.fs = copy_fs_struct(current.kernel, current.fs)


def copy_files(clone_flags: int, p: task_struct, current: task_struct) -> None:
    """Share or copy the descriptors."""
    if clone_flags & CLONE_FILES:
        current.files.count += 1
        p.files = current.files
    else:
        p.files = dup_fd(current.kernel, current.files)


def copy_sighand(clone_flags: int, p: task_struct, current: task_struct) -> None:
    """Share or copy the signal dispositions."""
    if clone_flags & CLONE_SIGHAND:
        current._sighand.count += 1
        p._sighand = current._sighand
        return
    p._sighand = kmem_cache_alloc(p.kernel.sighand_cachep, sighand_struct)
    p._sighand.action = list(current._sighand.action)


def copy_signal(clone_flags: int, p: task_struct, current: task_struct) -> None:
    """A thread shares its process's signal_struct, a process gets one of its own."""
    if clone_flags & CLONE_THREAD:
        p.signal = current.signal
        return
    p.signal = _new_signal_struct(p.kernel)
    p.signal.rlim = list(current.signal.rlim)


def dup_task_struct(orig: task_struct) -> task_struct:
    """A task that starts as a copy."""
    kernel = orig.kernel
    p = kmem_cache_alloc_node(kernel.task_struct_cachep, lambda: task_struct(kernel))
    p.flags = (orig.flags & ~PF_SUPERPRIV) | PF_FORKNOEXEC
    p.comm = orig.comm
    p.personality = orig.personality
    p._blocked = orig._blocked
    p.state = TASK_NEW
    return p


_FORBIDDEN: Final = (
    (CLONE_NEWNS | CLONE_FS, CLONE_NEWNS | CLONE_FS),
    (CLONE_THREAD | CLONE_SIGHAND, CLONE_THREAD),
    (CLONE_SIGHAND | CLONE_VM, CLONE_SIGHAND),
    (CLONE_NEWUSER, CLONE_NEWUSER),
)


def copy_process(current: task_struct, clone_flags: int, exit_signal: int, child_tid: int) -> task_struct:
    """A new task, not yet in any list but its pid's. EINVAL: flags that exclude each other; EAGAIN."""
    if any(clone_flags & mask == bad for mask, bad in _FORBIDDEN):
        raise KernelError(EINVAL)
    if clone_flags & CLONE_PARENT and current.signal.flags & SIGNAL_UNKILLABLE:
        raise KernelError(EINVAL)
    recalc_sigpending(current)
    kernel = current.kernel
    if kernel.nr_threads >= kernel.max_threads:
        raise KernelError(EAGAIN)
    _check_nproc(current)
    p = dup_task_struct(current)
    copy_creds(p, clone_flags)
    security_task_alloc(p, clone_flags)
    copy_files(clone_flags, p, current)
    copy_fs(clone_flags, p, current)
    copy_sighand(clone_flags, p, current)
    copy_signal(clone_flags, p, current)
    copy_mm(clone_flags, p, current)
    copy_namespaces(clone_flags, p)
    p.thread_pid = alloc_pid(kernel, p.nsproxy.pid_ns_for_children)
    p.pid = p.thread_pid.numbers
    p._set_child_tid = child_tid if clone_flags & CLONE_CHILD_SETTID else 0
    p._clear_child_tid = child_tid if clone_flags & CLONE_CHILD_CLEARTID else 0
    _enter_family(p, current, clone_flags, exit_signal)
    return p


def _enter_family(p: task_struct, current: task_struct, clone_flags: int, exit_signal: int) -> None:
    """Group, parent, process group and session."""
    kernel = p.kernel
    if clone_flags & CLONE_THREAD:
        p.group_leader, p.tgid, p.exit_signal = current.group_leader, current.tgid, -1
        p.signal.nr_threads += 1
        p.signal.live += 1
        p.signal.sigcnt += 1
    else:
        p.group_leader, p.tgid = p, p.pid
        p.exit_signal = current.group_leader.exit_signal if clone_flags & CLONE_PARENT else exit_signal
    sibling = clone_flags & (CLONE_PARENT | CLONE_THREAD)
    p.real_parent = p.parent = current.real_parent if sibling else current
    p.signal._threads.append(p)
    if p.group_leader is p:
        p.signal.pids[PIDTYPE_TGID] = p.thread_pid
        p.signal.pids[PIDTYPE_PGID] = current.signal.pids[PIDTYPE_PGID]
        p.signal.pids[PIDTYPE_SID] = current.signal.pids[PIDTYPE_SID]
        p.parent.children.append(p)
        for kind in (PIDTYPE_TGID, PIDTYPE_PGID, PIDTYPE_SID):
            attach_pid(p, kind)
    attach_pid(p, PIDTYPE_PID)
    kernel.tasklist.append(p)
    kernel.nr_threads += 1
    kernel.total_forks += 1


async def kernel_clone(current: task_struct, flags: int, exit_signal: int, parent_tid: int, child_tid: int) -> int:
    """Make a task and, for vfork, wait until it lets go of our memory; its pid."""
    p = copy_process(current, flags, exit_signal, child_tid)
    struct_pid = get_task_pid(p, PIDTYPE_PID)
    nr = pid_vnr(struct_pid)
    if flags & CLONE_PARENT_SETTID and current.mm is not None:
        current.mm.write_short(parent_tid, struct.pack("<i", nr))
    if p._set_child_tid and p.mm is not None:
        p.mm.write_short(p._set_child_tid, struct.pack("<i", nr))
    done = None
    if flags & CLONE_VFORK:
        done = p._vfork_done = wait_queue_head()
    wake_up_new_task(p)
    if done is not None:
        await wait_for_vfork_done(p, done)
    put_pid(current.kernel, struct_pid)
    return nr


async def wait_for_vfork_done(child: task_struct, done: wait_queue_head) -> None:
    """Sleep until the child has called execve() or ended."""
    await wait_event(child.kernel, done, lambda: child._vfork_done is None)


def exit_mm_release(tsk: task_struct) -> None:
    """tsk stops using its mm: a parent that waits in vfork() goes on."""
    done, tsk._vfork_done = tsk._vfork_done, None
    if done is not None:
        wake_up_all(done)


def free_task(p: task_struct) -> None:
    """Give the memory of a dead task back."""
    kernel = p.kernel
    security_task_free(p)
    p._sighand.count -= 1
    if p._sighand.count == 0:
        kmem_cache_free(kernel.sighand_cachep, p._sighand)
    kmem_cache_free(kernel.task_struct_cachep, p)


def free_signal_struct(p: task_struct) -> None:
    """A thread leaves its process; the last frees the signal_struct."""
    sig = p.signal
    sig.nr_threads -= 1
    sig.sigcnt -= 1
    if sig.sigcnt == 0:
        kmem_cache_free(p.kernel.signal_cachep, sig)


@SYSCALL_DEFINE
async def sys_fork(current: task_struct) -> int:
    """A child process: a copy."""
    return await kernel_clone(current, 0, SIGCHLD, 0, 0)


@SYSCALL_DEFINE
async def sys_vfork(current: task_struct) -> int:
    """A child process that uses our memory; we sleep until it calls execve() or _exit()."""
    return await kernel_clone(current, CLONE_VFORK | CLONE_VM, SIGCHLD, 0, 0)


@SYSCALL_DEFINE
async def sys_clone(
    current: task_struct, clone_flags: int, newsp: int, parent_tidptr: int, child_tidptr: int, tls: int
) -> int:
    """A child process or thread; the low byte of clone_flags is the signal sent when it ends."""
    flags = clone_flags & 0xFFFFFFFF & ~CSIGNAL
    return await kernel_clone(current, flags, clone_flags & CSIGNAL, parent_tidptr, child_tidptr)


@SYSCALL_DEFINE
async def sys_clone3(current: task_struct, uargs: int, size: int) -> int:
    """clone() with its arguments in a struct clone_args of size bytes."""
    if size > 4096:
        raise KernelError(E2BIG)
    if size < CLONE_ARGS_SIZE_VER0:
        raise KernelError(EINVAL)
    raw = copy_from_user(current, uargs, size)
    flags, _pidfd, child_tid, parent_tid, exit_signal = struct.unpack_from("<QQQQQ", raw)
    if exit_signal & ~CSIGNAL or flags & CSIGNAL:
        raise KernelError(EINVAL)
    return await kernel_clone(current, flags, exit_signal, parent_tid, child_tid)


@SYSCALL_DEFINE
def sys_set_tid_address(current: task_struct, tidptr: int) -> int:
    """Where 0 is stored when this thread ends."""
    current._clear_child_tid = tidptr
    return current.pid


def unshare_files(current: task_struct) -> None:
    """Give current descriptors of its own when others share them."""
    if current.files.count > 1:
        new = dup_fd(current.kernel, current.files)
        current.files.count -= 1
        current.files = new


@SYSCALL_DEFINE
def sys_unshare(current: task_struct, unshare_flags: int) -> int:
    """Stop sharing files, fs or namespaces. EINVAL, EPERM."""
    return ksys_unshare(current, unshare_flags)


def ksys_unshare(current: task_struct, unshare_flags: int) -> int:
    """Body of unshare()."""
    if unshare_flags & ~UNSHARE_FLAGS:
        raise KernelError(EINVAL)
    if unshare_flags & (CLONE_THREAD | CLONE_SIGHAND | CLONE_VM) and current.signal.nr_threads > 1:
        raise KernelError(EINVAL)
    if unshare_flags & CLONE_NEWUSER:
        raise KernelError(EINVAL)
    if unshare_flags & CLONE_NEWNS:
        unshare_flags |= CLONE_FS
    new = unshare_nsproxy_namespaces(current, unshare_flags)
    if unshare_flags & CLONE_FS:
        unshare_fs_struct(current)
    if unshare_flags & CLONE_FILES:
        unshare_files(current)
    if new is not None:
        switch_task_namespaces(current, new)
    return 0


