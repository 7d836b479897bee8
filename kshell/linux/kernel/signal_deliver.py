"""Taking signals on the way to user space (kernel/signal.c, second half; arch/x86/kernel/signal.c).

User space has no code here: a handler is told of as an event and returns at once, rt_sigreturn() pops
its frame. Where programs do run their handlers (a log is replayed), kernel._handlers_run has their masks take effect.
"""

from __future__ import annotations

from typing import Final

from kshell.abi.errno import EINVAL
from kshell.abi.signal import (
    CLD_STOPPED,
    SA_NODEFER,
    SA_RESETHAND,
    SA_RESTART,
    SIG_DFL,
    SIG_IGN,
    SIGABRT,
    SIGBUS,
    SIGFPE,
    SIGILL,
    SIGKILL,
    SIGQUIT,
    SIGSEGV,
    SIGSTOP,
    SIGSYS,
    SIGTRAP,
    SIGXCPU,
    SIGXFSZ,
)  # fmt: skip
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.errno import ERESTART_RESTARTBLOCK, ERESTARTNOHAND, ERESTARTSYS
from kshell.linux.include.linux.sched import (
    __TASK_STOPPED,
    JOBCTL_STOP_PENDING,
    PF_EXITING,
    PF_SIGNALED,
    SIGNAL_GROUP_EXIT,
    SIGNAL_UNKILLABLE,
    TASK_STOPPED,
    k_sigaction,
    kernel_siginfo,
    sigpending,
    task_struct,
)
from kshell.linux.include.linux.uaccess import get_user
from kshell.linux.include.trace.events import SignalDeliver
from kshell.linux.kernel import exit as kernel_exit
from kshell.linux.kernel.sched.core import schedule
from kshell.linux.kernel.signal import (
    SIG_KERNEL_IGNORE,
    SIG_KERNEL_ONLY,
    SIG_KERNEL_STOP,
    recalc_sigpending,
    sigmask,
    signal_wake_up,
    task_participate_group_stop,
)

SIG_KERNEL_COREDUMP: Final = frozenset({
    SIGQUIT, SIGILL, SIGTRAP, SIGABRT, SIGFPE, SIGSEGV, SIGBUS, SIGSYS, SIGXCPU, SIGXFSZ,
})  # fmt: skip
SYNCHRONOUS_MASK: Final = sum(sigmask(s) for s in (SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGFPE, SIGSYS))
MAX_SIGFRAMES: Final = 16


def next_signal(pending: sigpending, mask: int) -> int:
    """The lowest pending signal outside mask, synchronous ones first; 0 for none."""
    ready = pending.signal & ~mask
    if ready & SYNCHRONOUS_MASK:
        ready &= SYNCHRONOUS_MASK
    return (ready & -ready).bit_length()


def collect_signal(sig: int, pending: sigpending) -> kernel_siginfo:
    """Take the first queued signal sig off the set."""
    info = next((i for i in pending.list if i.si_signo == sig), None)
    if info is None:
        info = kernel_siginfo(sig)
    else:
        pending.list.remove(info)
    if not any(i.si_signo == sig for i in pending.list):
        pending.signal &= ~sigmask(sig)
    return info


def dequeue_signal(task: task_struct, mask: int) -> kernel_siginfo | None:
    """Take the next signal outside mask, of the thread first, then of the process."""
    for pending in (task._pending, task.signal.shared_pending):
        sig = next_signal(pending, mask)
        if sig:
            info = collect_signal(sig, pending)
            recalc_sigpending(task)
            return info
    recalc_sigpending(task)
    return None


def _tell(task: task_struct, info: kernel_siginfo, action: str) -> None:
    if task.kernel.listening:
        record = SignalDeliver(task.pid, info.si_signo, info.si_code, info.si_pid, info.si_status, action)
        task.kernel.emit(record)


async def do_signal_stop(task: task_struct, signr: int) -> None:
    """Stop until SIGCONT or SIGKILL, and have the other threads stop; the last to do so tells the parent."""
    if not task.jobctl & JOBCTL_STOP_PENDING:
        task.signal.group_exit_code = signr
        _have_threads_stop(task)
    task.state = TASK_STOPPED
    if task_participate_group_stop(task):
        kernel_exit.do_notify_parent_cldstop(task, CLD_STOPPED, task.signal.group_exit_code)
    await schedule(task.kernel)


def _have_threads_stop(task: task_struct) -> None:
    for t in task.signal._threads:
        if t.flags & PF_EXITING or (t.state & __TASK_STOPPED and t is not task):
            continue
        t.jobctl |= JOBCTL_STOP_PENDING
        if t is not task:
            signal_wake_up(t, False)


async def get_signal(task: task_struct) -> tuple[kernel_siginfo, k_sigaction] | None:
    """The next signal that has a handler; default actions are taken here, a deadly one does not return."""
    while True:
        if task.signal.flags & SIGNAL_GROUP_EXIT:
            recalc_sigpending(task)
            await kernel_exit.do_group_exit(task, task.signal.group_exit_code)
        if task.jobctl & JOBCTL_STOP_PENDING:
            await do_signal_stop(task, 0)
            continue
        info = dequeue_signal(task, task._blocked)
        if info is None:
            return None
        sig = info.si_signo
        action = task._sighand.action[sig - 1]
        if action.sa_handler == SIG_IGN:
            _tell(task, info, "ignored")
            continue
        if action.sa_handler != SIG_DFL:
            if action.sa_flags & SA_RESETHAND:
                reset = k_sigaction(SIG_DFL, action.sa_flags, action.sa_mask, action.sa_restorer)
                task._sighand.action[sig - 1] = reset
            return info, action
        if sig in SIG_KERNEL_IGNORE or (task.signal.flags & SIGNAL_UNKILLABLE and sig not in SIG_KERNEL_ONLY):
            _tell(task, info, "ignored")
        elif sig in SIG_KERNEL_STOP:
            _tell(task, info, "stop")
            await do_signal_stop(task, sig)
        else:
            _tell(task, info, "terminate")
            task.flags |= PF_SIGNALED
            core = 0x80 if sig in SIG_KERNEL_COREDUMP else 0
            await kernel_exit.do_group_exit(task, sig | core)


async def arch_do_signal_or_restart(task: task_struct, result: int) -> bool:
    """Handle what is pending; whether the call that gave result (-errno) is to be run again."""
    restart = True
    while (signal := await get_signal(task)) is not None:
        info, action = signal
        handle_signal(task, info, action, result)
        if -result in (ERESTARTNOHAND, ERESTART_RESTARTBLOCK) or (
            -result == ERESTARTSYS and not action.sa_flags & SA_RESTART
        ):
            restart = False
        if task.kernel._handlers_run:
            result = 0
    restore_saved_sigmask(task)
    return restart


def handle_signal(task: task_struct, info: kernel_siginfo, action: k_sigaction, result: int) -> None:
    """Run the handler: it is told of, and leaves a frame for rt_sigreturn()."""
    mask = task._blocked if task._saved_sigmask is None else task._saved_sigmask
    task._sigframes.append((result, mask))
    del task._sigframes[:-MAX_SIGFRAMES]
    if task.kernel._handlers_run:
        signal_delivered(task, info, action)
    _tell(task, info, "handler")


def signal_delivered(task: task_struct, info: kernel_siginfo, action: k_sigaction) -> None:
    """The signal and those in sa_mask are blocked until the handler returns."""
    task._saved_sigmask = None
    itself = 0 if action.sa_flags & SA_NODEFER else sigmask(info.si_signo)
    set_current_blocked(task, task._blocked | action.sa_mask | itself)


def restore_saved_sigmask(task: task_struct) -> None:
    """Take back the mask that ppoll() or sigsuspend() replaced."""
    if task._saved_sigmask is not None:
        task._blocked, task._saved_sigmask = task._saved_sigmask, None
        recalc_sigpending(task)


def set_user_sigmask(task: task_struct, umask: int, sigsetsize: int) -> None:
    """Have the mask at umask (0: none) for the time of this call (ppoll, pselect, epoll_pwait). EINVAL, EFAULT."""
    if not umask:
        return
    if sigsetsize != 8:
        raise KernelError(EINVAL)
    mask = get_user(task, umask, 8, signed=False)
    task._saved_sigmask = task._blocked
    set_current_blocked(task, mask)


def restore_saved_sigmask_unless(task: task_struct, interrupted: bool) -> None:
    """End of ppoll() & co.: the old mask comes back now, or after the handler when a signal ended the call."""
    if not interrupted:
        restore_saved_sigmask(task)


def set_current_blocked(task: task_struct, mask: int) -> None:
    """Block the signals in mask and no others; SIGKILL and SIGSTOP never are."""
    task._blocked = mask & ~(sigmask(SIGKILL) | sigmask(SIGSTOP))
    recalc_sigpending(task)
