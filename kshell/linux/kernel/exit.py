"""The end of a task, and waiting for it (kernel/exit.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from kshell.abi.signal import (
    CLD_DUMPED,
    CLD_EXITED,
    CLD_KILLED,
    CLD_STOPPED,
    SA_NOCLDSTOP,
    SA_NOCLDWAIT,
    SIG_IGN,
    SIGCHLD,
)
from kshell.linux.fs.file import exit_files
from kshell.linux.fs.fs_struct import exit_fs
from kshell.linux.fs.pipe_info import free_pipe_info
from kshell.linux.include.linux.sched import (
    EXIT_DEAD,
    EXIT_ZOMBIE,
    JOBCTL_STOP_PENDING,
    PF_EXITING,
    PIDTYPE_PGID,
    PIDTYPE_PID,
    PIDTYPE_SID,
    PIDTYPE_TGID,
    SIGNAL_GROUP_EXIT,
    TASK_DEAD,
    TASK_INTERRUPTIBLE,
    kernel_siginfo,
    task_struct,
)
from kshell.linux.include.linux.signal import valid_signal
from kshell.linux.include.linux.uaccess import raw_copy_to_user
from kshell.linux.include.trace.events import ProcessExit
from kshell.linux.kernel.cred import put_cred
from kshell.linux.kernel.fork import exit_mm_release, free_signal_struct, free_task, mmput
from kshell.linux.kernel.nsproxy import exit_task_namespaces
from kshell.linux.kernel.pid import __task_pid_nr_ns, detach_pid, task_active_pid_ns
from kshell.linux.kernel.sched.wait import __wake_up, __wake_up_sync_key
from kshell.linux.kernel.signal import __send_signal_locked, sigmask, signal_wake_up, task_participate_group_stop
from kshell.linux.kernel.task_work import task_work_run
from kshell.linux.kernel.time.hrtimer import hrtimer_cancel

if TYPE_CHECKING:
    from kshell.linux.init.kernel import Kernel



class TaskDead(BaseException):
    """do_task_dead(): the task's stack is gone. Caught by whoever drives tasks, by nobody else."""


async def do_group_exit(current: task_struct, exit_code: int) -> NoReturn:
    """End every thread of the process. exit_code: as wait4() gives it."""
    sig = current.signal
    if sig.flags & SIGNAL_GROUP_EXIT:
        exit_code = sig.group_exit_code
    else:
        sig.group_exit_code = exit_code
        sig.flags = SIGNAL_GROUP_EXIT
        zap_other_threads(current)
    await do_exit(current, exit_code)


def zap_other_threads(p: task_struct) -> None:
    """Send SIGKILL to the other threads of p's process."""
    for t in p.signal._threads:
        t.jobctl &= ~JOBCTL_STOP_PENDING
        if t is not p and not t.exit_state:
            t._pending.signal |= sigmask(9)
            signal_wake_up(t, True)


async def do_exit(current: task_struct, code: int) -> NoReturn:
    """End this task: memory, files and namespaces go, the parent is told."""
    exit_signals(current)
    sig = current.signal
    sig.live -= 1
    if sig.live == 0:
        exit_itimers(current)
        if sig.group_exit_code == 0 and not sig.flags & SIGNAL_GROUP_EXIT:
            sig.group_exit_code = code
    current.exit_code = code
    exit_mm(current)
    exit_files(current)
    exit_fs(current)
    exit_task_namespaces(current)
    rest = task_work_run(current)
    if rest is not None:
        await rest
    if current.splice_pipe is not None:
        free_pipe_info(current.splice_pipe)
        current.splice_pipe = None
    exit_notify(current)
    do_task_dead(current)


def exit_signals(tsk: task_struct) -> None:
    """From now on tsk takes no signals; a stop of its process does not wait for it."""
    tsk.flags |= PF_EXITING
    if tsk.jobctl & JOBCTL_STOP_PENDING and task_participate_group_stop(tsk):
        do_notify_parent_cldstop(tsk, CLD_STOPPED, tsk.signal.group_exit_code)


def exit_itimers(tsk: task_struct) -> None:
    """The process's alarm is off."""
    hrtimer_cancel(tsk.signal.real_timer)


def exit_mm(current: task_struct) -> None:
    """Leave the address space."""
    exit_mm_release(current)
    if current._clear_child_tid and current.mm is not None and current.mm.mm_users > 1:
        raw_copy_to_user(current, current._clear_child_tid, bytes(4))
    mm, current.mm = current.mm, None
    if mm is not None:
        mmput(current.kernel, mm)


def exit_notify(tsk: task_struct) -> None:
    """Give the children to pid 1, tell the parent, or vanish at once."""
    forget_original_parent(tsk)
    tsk.exit_state = EXIT_ZOMBIE
    kernel = tsk.kernel
    if kernel.listening:
        kernel.emit(ProcessExit(tsk.pid, tsk.comm, tsk.exit_code))
    leader = tsk.group_leader is tsk
    autoreap = not leader
    others = [t for t in tsk.signal._threads if t is not tsk and not t.exit_state]
    if leader and not others:
        autoreap = do_notify_parent(tsk, tsk.exit_signal)
    if autoreap:
        tsk.exit_state = EXIT_DEAD
        release_task(tsk)
        chief = tsk.group_leader
        last_of_zombie = chief is not tsk and chief.exit_state == EXIT_ZOMBIE and chief.signal._threads == [chief]
        if last_of_zombie and do_notify_parent(chief, chief.exit_signal):
            chief.exit_state = EXIT_DEAD
            release_task(chief)


def forget_original_parent(father: task_struct) -> None:
    """father's children get a living parent: another thread, or pid 1."""
    reaper = find_child_reaper(father)
    children, father.children = father.children, []
    for child in children:
        child.real_parent = child.parent = reaper
        reaper.children.append(child)
        if child.exit_state == EXIT_ZOMBIE and child.group_leader is child and do_notify_parent(child, SIGCHLD):
            child.exit_state = EXIT_DEAD
            release_task(child)


def find_child_reaper(father: task_struct) -> task_struct:
    """Who takes orphans. Linux panics when pid 1 itself dies; so do we."""
    for t in father.signal._threads:
        if t is not father and not t.flags & PF_EXITING:
            return t
    reaper = task_active_pid_ns(father).child_reaper
    assert reaper is not None
    if reaper is father:
        father.kernel.panic(f"Attempted to kill init! exitcode=0x{father.exit_code:08x}")
    return reaper


def do_notify_pidfd(task: task_struct) -> None:
    """Wake those who poll a pidfd of task."""
    __wake_up(task.thread_pid.wait_pidfd, TASK_INTERRUPTIBLE, 0, 0)


def do_notify_parent(tsk: task_struct, sig: int) -> bool:
    """Tell the parent that tsk ended; True when the parent does not care for children."""
    do_notify_pidfd(tsk)
    task_active_pid_ns(tsk.parent)
    __task_pid_nr_ns(tsk, PIDTYPE_PID)
    code = tsk.signal.group_exit_code if tsk.signal.flags & SIGNAL_GROUP_EXIT else tsk.exit_code
    tsk.exit_code = code
    info = kernel_siginfo(sig, CLD_DUMPED if code & 0x80 else CLD_KILLED if code & 0x7F else CLD_EXITED)
    info.si_pid, info.si_uid = tsk.pid, tsk.cred.uid
    info.si_status = code & 0x7F if code & 0x7F else code >> 8
    action = tsk.parent._sighand.action[SIGCHLD - 1]
    autoreap = sig == SIGCHLD and (action.sa_handler == SIG_IGN or bool(action.sa_flags & SA_NOCLDWAIT))
    if sig and valid_signal(sig) and not (autoreap and action.sa_handler == SIG_IGN):
        __send_signal_locked(sig, info, tsk.parent, PIDTYPE_TGID, False)
    __wake_up_parent(tsk, tsk.parent)
    return autoreap


def do_notify_parent_cldstop(tsk: task_struct, why: int, status: int) -> None:
    """Tell the parent that tsk stopped or goes on."""
    parent = tsk.group_leader.parent
    action = parent._sighand.action[SIGCHLD - 1]
    if action.sa_handler != SIG_IGN and not action.sa_flags & SA_NOCLDSTOP:
        info = kernel_siginfo(SIGCHLD, why)
        info.si_pid, info.si_uid, info.si_status = tsk.pid, tsk.cred.uid, status
        __send_signal_locked(SIGCHLD, info, parent, PIDTYPE_TGID, False)
    __wake_up_parent(tsk, parent)


def __wake_up_parent(p: task_struct, parent: task_struct) -> None:
    __wake_up_sync_key(parent.signal.wait_chldexit, TASK_INTERRUPTIBLE, 0)


def do_task_dead(current: task_struct) -> NoReturn:
    """Never runs again."""
    current.state = TASK_DEAD
    current._stack = None
    raise TaskDead


def release_task(p: task_struct) -> None:
    """Forget a dead task altogether."""
    __exit_signal(p)
    if p in p.real_parent.children:
        p.real_parent.children.remove(p)
    p._last_error = None
    free_task(p)


def __exit_signal(tsk: task_struct) -> None:
    __unhash_process(tsk, tsk.group_leader is tsk)
    tsk.signal._threads.remove(tsk)
    put_cred(tsk.kernel, tsk.cred)
    free_signal_struct(tsk)


def __unhash_process(p: task_struct, group_dead: bool) -> None:
    kernel: Kernel = p.kernel
    kernel.nr_threads -= 1
    kernel.tasklist.remove(p)
    if group_dead:
        for kind in (PIDTYPE_TGID, PIDTYPE_PGID, PIDTYPE_SID):
            detach_pid(p, kind)
    detach_pid(p, PIDTYPE_PID)
