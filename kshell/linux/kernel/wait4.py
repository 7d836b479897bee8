"""wait4() and waitid() (kernel/exit.c, second half)."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from kshell.abi.errno import ECHILD, EINVAL, ESRCH
from kshell.abi.sched import WCONTINUED, WEXITED, WNOHANG, WNOWAIT, WUNTRACED
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.errno import ERESTARTSYS
from kshell.linux.include.linux.sched import (
    EXIT_DEAD,
    EXIT_ZOMBIE,
    PIDTYPE_PGID,
    SIGNAL_STOP_STOPPED,
    TASK_INTERRUPTIBLE,
    TASK_RUNNING,
    signal_pending,
    task_struct,
)
from kshell.linux.include.linux.syscalls import SYSCALL_DEFINE
from kshell.linux.include.linux.uaccess import copy_to_user, put_user
from kshell.linux.include.linux.wait import wait_queue_entry
from kshell.linux.kernel.exit import release_task
from kshell.linux.kernel.pid import find_vpid
from kshell.linux.kernel.sched.core import default_wake_function, schedule
from kshell.linux.kernel.sched.wait import add_wait_queue, remove_wait_queue

if TYPE_CHECKING:
    from collections.abc import Callable

    from kshell.linux.include.linux.sched import pid

__WNOTHREAD: Final = 0x20000000
__WALL: Final = 0x40000000
__WCLONE: Final = 0x80000000
RUSAGE_SIZE: Final = 144
P_ALL, P_PID, P_PGID, P_PIDFD = range(4)


class wait_opts:
    """What a waiter waits for, and what it got: wo_stat is the status word."""

    __slots__ = ("child_wait", "notask_error", "wo_flags", "wo_matches", "wo_stat", "wo_task")

    def __init__(self, flags: int, matches: Callable[[task_struct], bool]) -> None:
        self.wo_flags = flags
        self.wo_matches = matches
        self.wo_stat = 0
        self.wo_task: task_struct | None = None
        self.notask_error = ECHILD
        self.child_wait: wait_queue_entry | None = None


def eligible_child(wo: wait_opts, p: task_struct) -> bool:
    """Whether p is one of those waited for (clone children with another signal need __WCLONE or __WALL)."""
    if not wo.wo_matches(p):
        return False
    return bool(wo.wo_flags & __WALL) or (p.exit_signal != 17) == bool(wo.wo_flags & __WCLONE)


def wait_task_zombie(wo: wait_opts, p: task_struct) -> int:
    """Take the exit status of a dead child."""
    if not wo.wo_flags & WEXITED:
        return 0
    wo.wo_stat = p.exit_code
    wo.wo_task = p
    nr = p.pid
    if not wo.wo_flags & WNOWAIT:
        p.exit_state = EXIT_DEAD
        release_task(p)
    return nr


def wait_task_stopped(wo: wait_opts, p: task_struct) -> int:
    """Take the stop status of a stopped child."""
    if not wo.wo_flags & WUNTRACED or not p.signal.group_exit_code:
        return 0
    wo.wo_stat = p.signal.group_exit_code << 8 | 0x7F
    wo.wo_task = p
    if not wo.wo_flags & WNOWAIT:
        p.signal.group_exit_code = 0
    return p.pid


def wait_consider_task(wo: wait_opts, p: task_struct) -> int:
    """Whether child p ends the wait: its pid, else 0."""
    if p.exit_state == EXIT_DEAD or not eligible_child(wo, p):
        return 0
    if p.exit_state == EXIT_ZOMBIE and p.signal._threads == [p]:
        return wait_task_zombie(wo, p)
    wo.notask_error = 0
    if p.signal.flags & SIGNAL_STOP_STOPPED:
        return wait_task_stopped(wo, p)
    return 0


def do_wait_thread(wo: wait_opts, tsk: task_struct) -> int:
    """wait_consider_task() over the children of one thread."""
    for p in tuple(tsk.children):
        nr = wait_consider_task(wo, p)
        if nr:
            return nr
    return 0


def __do_wait(wo: wait_opts, current: task_struct) -> int:
    """One look at the children. ECHILD: nothing to wait for."""
    wo.notask_error = ECHILD
    for thread in current.signal._threads:
        nr = do_wait_thread(wo, thread)
        if nr:
            return nr
        if wo.wo_flags & __WNOTHREAD:
            break
    if wo.notask_error:
        raise KernelError(wo.notask_error)
    return 0


def child_wait_callback(wq_entry: wait_queue_entry, mode: int, flags: int, key: int) -> int:
    """Wake the waiter."""
    return default_wake_function(wq_entry, mode, flags, key)


async def do_wait(current: task_struct, wo: wait_opts) -> int:
    """Wait for a child: its pid, 0 with WNOHANG when none is ready. ECHILD, ERESTARTSYS."""
    entry = wait_queue_entry(current, child_wait_callback)
    add_wait_queue(current.signal.wait_chldexit, entry)
    try:
        while True:
            current.state = TASK_INTERRUPTIBLE
            nr = __do_wait(wo, current)
            if nr or wo.wo_flags & WNOHANG:
                return nr
            if signal_pending(current):
                raise KernelError(ERESTARTSYS)
            await schedule(current.kernel)
    finally:
        current.state = TASK_RUNNING
        remove_wait_queue(current.signal.wait_chldexit, entry)


def _matcher(current: task_struct, upid: int) -> Callable[[task_struct], bool]:
    if upid == -1:
        return lambda p: True
    if upid > 0:
        return lambda p: p.tgid == upid
    group: pid | None = current.signal.pids[PIDTYPE_PGID] if upid == 0 else find_vpid(current, -upid)
    return lambda p: p.signal.pids[PIDTYPE_PGID] is group


async def kernel_wait4(current: task_struct, upid: int, stat_addr: int, options: int, ru: int) -> int:
    """Body of wait4(). EINVAL: unknown option; ESRCH, EFAULT, ECHILD."""
    if options & ~(WNOHANG | WUNTRACED | WCONTINUED | __WNOTHREAD | __WCLONE | __WALL):
        raise KernelError(EINVAL)
    if upid == -(1 << 31):
        raise KernelError(ESRCH)
    wo = wait_opts(options | WEXITED, _matcher(current, upid))
    nr = await do_wait(current, wo)
    if nr and stat_addr:
        put_user(current, stat_addr, wo.wo_stat)
    if nr and ru:
        copy_to_user(current, ru, bytes(RUSAGE_SIZE))
    return nr


@SYSCALL_DEFINE
async def sys_wait4(current: task_struct, upid: int, stat_addr: int, options: int, ru: int) -> int:
    """Wait for a child: pid, status word, resource use (all zero: the model does not count CPU time)."""
    return await kernel_wait4(current, upid, stat_addr, options, ru)


@SYSCALL_DEFINE
async def sys_waitid(current: task_struct, which: int, upid: int, infop: int, options: int, ru: int) -> int:
    """Wait for a child's change of state, told as a siginfo_t."""
    if options & ~(WNOHANG | WNOWAIT | WEXITED | WUNTRACED | WCONTINUED | __WNOTHREAD | __WCLONE | __WALL):
        raise KernelError(EINVAL)
    if not options & (WEXITED | WUNTRACED | WCONTINUED) or which not in (P_ALL, P_PID, P_PGID):
        raise KernelError(EINVAL)
    if (which == P_PID and upid <= 0) or (which == P_PGID and upid < 0):
        raise KernelError(EINVAL)
    target = {P_ALL: -1, P_PID: upid, P_PGID: -upid}[which]
    wo = wait_opts(options, _matcher(current, target))
    nr = await do_wait(current, wo)
    if infop:
        copy_to_user(current, infop, _siginfo(wo, nr))
    if nr and ru:
        copy_to_user(current, ru, bytes(RUSAGE_SIZE))
    return 0


def _siginfo(wo: wait_opts, nr: int) -> bytes:
    """The siginfo_t of waitid(): signo, errno, code, pid, uid, status."""
    if not nr or wo.wo_task is None:
        return bytes(28)
    killed, core = wo.wo_stat & 0x7F, wo.wo_stat & 0x80
    code, status = (1, wo.wo_stat >> 8) if not killed else (3 if core else 2, killed)
    if wo.wo_stat & 0xFF == 0x7F:
        code, status = 5, wo.wo_stat >> 8
    return struct.pack("<iiiiiIi", 17, 0, code, 0, nr, wo.wo_task.cred.uid, status)


