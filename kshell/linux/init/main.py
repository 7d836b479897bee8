"""Booting (init/main.c): from start_kernel() to a task with pid 1 in user space."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kshell.abi.fcntl import O_RDWR
from kshell.linux.drivers.base.core import driver_init
from kshell.linux.fs.dcache_init import vfs_caches_init, vfs_caches_init_early
from kshell.linux.fs.file import _init_files, fd_install, get_unused_fd_flags
from kshell.linux.fs.file_table import fput
from kshell.linux.fs.fs_struct import _init_fs
from kshell.linux.fs.nsfs import nsfs_init
from kshell.linux.fs.open import filp_open
from kshell.linux.fs.proc.proc_sysctl import _init_root
from kshell.linux.fs.proc.root import proc_root_init
from kshell.linux.fs.seq_file import seq_file_init
from kshell.linux.include.linux.cred import cred
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.ns_common import ns_common
from kshell.linux.include.linux.proc_ns import PROC_USER_INIT_INO, PROC_UTS_INIT_INO
from kshell.linux.include.linux.sched import (
    PF_IDLE,
    PF_KTHREAD,
    PIDTYPE_PGID,
    PIDTYPE_SID,
    PIDTYPE_TGID,
    SIGNAL_UNKILLABLE,
    TASK_INTERRUPTIBLE,
    new_utsname,
    nsproxy,
    pid,
    sighand_struct,
    task_struct,
    user_namespace,
    uts_namespace,
)
from kshell.linux.init.initcalls import INITCALLS, LEVELS, Initcall
from kshell.linux.init.version import COMMAND_LINE, LINUX_BANNER, UTS_RELEASE, UTS_VERSION
from kshell.linux.kernel.cred import cred_init
from kshell.linux.kernel.fork import _new_signal_struct, copy_process, fork_init, mm_alloc, proc_caches_init
from kshell.linux.kernel.nsproxy import nsproxy_cache_init
from kshell.linux.kernel.pid import pid_idr_init
from kshell.linux.kernel.printk import _printk, pr_err, pr_notice
from kshell.linux.kernel.sched.core import schedule, wake_up_new_task
from kshell.linux.kernel.user import _root_user
from kshell.linux.kernel.user_namespace import userns_operations
from kshell.linux.kernel.utsname import utsns_operations
from kshell.linux.kernel.workqueue import alloc_workqueue, worker_thread
from kshell.linux.mm.slab_common import kmem_cache_init
from kshell.linux.mm.slub import kmem_cache_alloc
from kshell.linux.net.core.net_namespace import _init_net_struct, net_ns_init
from kshell.linux.security.security import security_init

if TYPE_CHECKING:
    from kshell.linux.init.kernel import Kernel

INIT_TASK_ADDR: Final = 0xFFFFFFFF82E1A940


def start_kernel(kernel: Kernel) -> None:
    """From the first C function to the idle loop: pid 1 and pid 2 exist and are runnable then."""
    mm_init(kernel)
    sched_init(kernel)
    pr_notice(kernel, LINUX_BANNER)
    _printk(kernel, f"Command line: {COMMAND_LINE}")
    vfs_caches_init_early(kernel)
    workqueue_init_early(kernel)
    pid_idr_init(kernel)
    cred_init(kernel)
    fork_init(kernel)
    proc_caches_init(kernel)
    uts_ns_init(kernel)
    security_init(kernel)
    net_ns_init(kernel)
    vfs_caches_init(kernel)
    seq_file_init(kernel)
    proc_root_init(kernel)
    nsfs_init(kernel)
    arch_call_rest_init(kernel)


def mm_init(kernel: Kernel) -> None:
    """Set up the allocators."""
    kmem_cache_init(kernel)


def sched_init(kernel: Kernel) -> None:
    """Make the idle task, which runs start_kernel() itself (Linux links it in: init/init_task.c)."""
    kernel.init_user_ns = user_namespace(ns_common(userns_operations, PROC_USER_INIT_INO))
    _init_root(kernel)
    name = new_utsname(UTS_RELEASE, UTS_VERSION)
    kernel.init_uts_ns = uts_namespace(name, kernel.init_user_ns, ns_common(utsns_operations, PROC_UTS_INIT_INO))
    nsproxy_cache_init(kernel)
    idle = task_struct(kernel)
    idle._addr = INIT_TASK_ADDR
    idle.comm = "swapper/0"
    idle.flags = PF_IDLE | PF_KTHREAD
    kernel.init_task = kernel.current = idle
    kernel.init_cred = idle.cred = idle.real_cred = _init_cred(kernel)


def _init_cred(kernel: Kernel) -> cred:
    root = cred()
    root._addr = INIT_TASK_ADDR + 0x4000
    root.user_ns = kernel.init_user_ns
    root.user = _root_user(kernel)
    return root


def uts_ns_init(kernel: Kernel) -> None:
    """Complete the idle task: what a fork copies from it."""
    idle = kernel.init_task
    idle.real_parent = idle.parent = idle.group_leader = idle
    idle.thread_pid = pid(0)
    idle.signal = _new_signal_struct(kernel)
    idle.signal._threads.append(idle)
    for kind in (PIDTYPE_TGID, PIDTYPE_PGID, PIDTYPE_SID):
        idle.signal.pids[kind] = idle.thread_pid
    idle._sighand = kmem_cache_alloc(kernel.sighand_cachep, sighand_struct)
    idle.files = _init_files(kernel)
    idle.fs = _init_fs(kernel)
    kernel.init_net = _init_net_struct(kernel)
    idle.nsproxy = kmem_cache_alloc(
        kernel.nsproxy_cachep, lambda: nsproxy(kernel.init_uts_ns, None, kernel.init_net, kernel.init_pid_ns)
    )


def workqueue_init_early(kernel: Kernel) -> None:
    """Make the system queue; its worker comes with pid 2."""
    kernel.system_wq = alloc_workqueue(kernel, "events")


def arch_call_rest_init(kernel: Kernel) -> None:
    """rest_init() unless the architecture wants more first."""
    rest_init(kernel)


def rest_init(kernel: Kernel) -> None:
    """Make pid 1 and pid 2; from here on the first context is the idle task."""
    init = user_mode_thread(kernel)
    init._stack = kernel_init(kernel, init)
    kernel.init_pid_ns.child_reaper = init
    kernel.runqueue.append(init)
    kernel_thread(kernel, "kthreadd")


def user_mode_thread(kernel: Kernel) -> task_struct:
    """A task that will enter user space."""
    task = copy_process(kernel.init_task, 0, 17, 0)
    task.comm = "swapper/0"
    task.flags &= ~(PF_KTHREAD | PF_IDLE)
    wake_up_new_task(task)
    return task


def kernel_thread(kernel: Kernel, name: str) -> task_struct:
    """A task that never enters user space; what it does is its coroutine."""
    task = copy_process(kernel.init_task, 0, 17, 0)
    task.comm = name
    task.flags |= PF_KTHREAD
    wake_up_new_task(task)
    task._stack = kthreadd(kernel) if name == "kthreadd" else worker_thread(kernel, kernel.system_wq)
    kernel.runqueue.append(task)
    return task


async def kthreadd(kernel: Kernel) -> int:
    """Makes kernel threads: here the one worker. Sleeps for ever then."""
    worker = kernel_thread(kernel, "kworker/0:1")
    worker.real_parent = worker.parent = kernel.current
    while True:
        kernel.current.state = TASK_INTERRUPTIBLE
        await schedule(kernel)


async def kernel_init(kernel: Kernel, current: task_struct) -> int:
    """Body of pid 1 until it enters user space."""
    await kernel_init_freeable(kernel, current)
    _printk(kernel, "Run /sbin/init as init process")
    run_init_process(kernel, current, "init")
    return 0


async def kernel_init_freeable(kernel: Kernel, current: task_struct) -> None:
    """Set devices and file systems up, open the console."""
    do_basic_setup(kernel)
    await console_on_rootfs(current)


async def console_on_rootfs(current: task_struct) -> None:
    """Open the console as descriptors 0, 1 and 2."""
    try:
        file = await filp_open(current, b"/dev/console", O_RDWR, 0)
    except KernelError:
        pr_err(current.kernel, "Warning: unable to open an initial console.")
        return
    for _ in range(3):
        file.f_count += 1
        fd_install(current, get_unused_fd_flags(current, 0), file)
    fput(file)


def do_basic_setup(kernel: Kernel) -> None:
    """Now the machine is there, and drivers may set themselves up."""
    driver_init(kernel)
    do_initcalls(kernel)


def do_initcalls(kernel: Kernel) -> None:
    """Run the initcalls level by level."""
    for level in LEVELS:
        do_initcall_level(kernel, level)


def do_initcall_level(kernel: Kernel, level: str) -> None:
    """Run the initcalls of one level in link order."""
    for call in INITCALLS:
        if call.level == level:
            do_one_initcall(kernel, call)


def do_one_initcall(kernel: Kernel, call: Initcall) -> None:
    """Run one initcall."""
    call.function(kernel)


def run_init_process(kernel: Kernel, current: task_struct, name: str) -> None:
    """Enter user space: an empty address space, and signals only as pid 1 takes them."""
    current.comm = name
    current.mm = mm_alloc(kernel)
    current.signal.flags |= SIGNAL_UNKILLABLE
