"""Sending signals (kernel/signal.c, first half)."""

from __future__ import annotations

from typing import Final

from kshell.abi.capability import CAP_KILL
from kshell.abi.errno import EPERM, ESRCH
from kshell.abi.resource import RLIMIT_SIGPENDING
from kshell.abi.signal import (
    SI_KERNEL,
    SI_USER,
    SIG_DFL,
    SIG_IGN,
    SIGCHLD,
    SIGCONT,
    SIGKILL,
    SIGRTMIN,
    SIGSTOP,
    SIGTSTP,
    SIGTTIN,
    SIGTTOU,
    SIGURG,
    SIGWINCH,
)  # fmt: skip
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.sched import (
    __TASK_STOPPED,
    JOBCTL_STOP_PENDING,
    PF_EXITING,
    PF_KTHREAD,
    PIDTYPE_PID,
    PIDTYPE_SID,
    PIDTYPE_TGID,
    SIGNAL_GROUP_EXIT,
    SIGNAL_STOP_STOPPED,
    SIGNAL_UNKILLABLE,
    TASK_INTERRUPTIBLE,
    TASK_WAKEKILL,
    TIF_SIGPENDING,
    kernel_siginfo,
    sigpending,
    task_struct,
)
from kshell.linux.include.trace.events import SignalDeliver
from kshell.linux.kernel.capability import ns_capable
from kshell.linux.kernel.pid import __task_pid_nr_ns, task_active_pid_ns
from kshell.linux.kernel.sched.core import wake_up_state
from kshell.linux.kernel.sched.wait import wake_up
from kshell.linux.security.security import security_task_kill

SIG_KERNEL_ONLY: Final = frozenset({SIGKILL, SIGSTOP})
SIG_KERNEL_STOP: Final = frozenset({SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU})
SIG_KERNEL_IGNORE: Final = frozenset({SIGCONT, SIGCHLD, SIGWINCH, SIGURG})
SEND_SIG_NOINFO: Final = kernel_siginfo(0, SI_USER)
SEND_SIG_PRIV: Final = kernel_siginfo(0, SI_KERNEL)


def sigmask(sig: int) -> int:
    """The bit of signal sig in a set."""
    return 1 << (sig - 1)


def sig_handler_ignored(handler: int, sig: int) -> bool:
    """Whether a disposition throws the signal away."""
    return handler == SIG_IGN or (handler == SIG_DFL and sig in SIG_KERNEL_IGNORE)


def sig_task_ignored(t: task_struct, sig: int, force: bool) -> bool:
    """Whether t throws the signal away, as pid 1 does with what it has no handler for."""
    handler = t._sighand.action[sig - 1].sa_handler
    if t.flags & PF_KTHREAD:
        return True
    if t.signal.flags & SIGNAL_UNKILLABLE and handler == SIG_DFL and not (force and sig in SIG_KERNEL_ONLY):
        return True
    return sig_handler_ignored(handler, sig)


def sig_ignored(t: task_struct, sig: int, force: bool) -> bool:
    """Whether the signal need not even be queued; a blocked one is, its disposition may change."""
    if t._blocked & sigmask(sig):
        return False
    return sig_task_ignored(t, sig, force)


def recalc_sigpending(t: task_struct) -> None:
    """Set or clear TIF_SIGPENDING by what is pending and not blocked, and by a stop that t has to take part in."""
    if t.jobctl & JOBCTL_STOP_PENDING or (t._pending.signal | t.signal.shared_pending.signal) & ~t._blocked:
        t.thread_info.flags |= TIF_SIGPENDING
    else:
        t.thread_info.flags &= ~TIF_SIGPENDING


def signal_wake_up_state(t: task_struct, state: int) -> None:
    """Have t look at its signals: wake it, or interrupt it in user space."""
    t.thread_info.flags |= TIF_SIGPENDING
    if not wake_up_state(t, state | TASK_INTERRUPTIBLE):
        t.kernel.kick_user_mode(t)


def signal_wake_up(t: task_struct, fatal: bool) -> None:
    """signal_wake_up_state(); a fatal signal also ends killable and stopped sleeps."""
    signal_wake_up_state(t, TASK_WAKEKILL | __TASK_STOPPED if fatal else 0)


def _flush(mask: int, pending: sigpending) -> None:
    if pending.signal & mask:
        pending.signal &= ~mask
        pending.list = [info for info in pending.list if not sigmask(info.si_signo) & mask]


def _set_of(signals: frozenset[int]) -> int:
    return sum(sigmask(sig) for sig in signals)


def task_participate_group_stop(task: task_struct) -> bool:
    """Take part in the stop of the process; whether that completes it."""
    task.jobctl &= ~JOBCTL_STOP_PENDING
    signal = task.signal
    if signal.flags & SIGNAL_STOP_STOPPED or any(t.jobctl & JOBCTL_STOP_PENDING for t in signal._threads):
        return False
    signal.flags |= SIGNAL_STOP_STOPPED
    return True


def prepare_signal(sig: int, p: task_struct, force: bool) -> bool:
    """Side effects of stop and continue signals; whether the signal is to be queued."""
    signal = p.signal
    if signal.flags & SIGNAL_GROUP_EXIT:
        return sig == SIGKILL
    threads = signal._threads
    if sig in SIG_KERNEL_STOP:
        for pending in (signal.shared_pending, *(t._pending for t in threads)):
            _flush(sigmask(SIGCONT), pending)
    elif sig == SIGCONT:
        for pending in (signal.shared_pending, *(t._pending for t in threads)):
            _flush(_set_of(SIG_KERNEL_STOP), pending)
        signal.flags &= ~SIGNAL_STOP_STOPPED
        for t in threads:
            t.jobctl &= ~JOBCTL_STOP_PENDING
            wake_up_state(t, __TASK_STOPPED)
    return not sig_ignored(p, sig, force)


def wants_signal(sig: int, p: task_struct) -> bool:
    """Whether thread p can take a signal of its group."""
    if p._blocked & sigmask(sig) or p.flags & PF_EXITING:
        return False
    return sig == SIGKILL or not p.state & __TASK_STOPPED


def complete_signal(sig: int, p: task_struct, kind: int) -> None:
    """Find a thread to handle the signal and wake it."""
    if wants_signal(sig, p):
        target = p
    elif kind == PIDTYPE_PID:
        return
    else:
        found = next((t for t in p.signal._threads if wants_signal(sig, t)), None)
        if found is None:
            return
        target = found
    signal_wake_up(target, sig == SIGKILL)


def __sigqueue_alloc(sig: int, t: task_struct, info: kernel_siginfo) -> kernel_siginfo | None:
    """A queue entry, None beyond RLIMIT_SIGPENDING (the signal itself is not lost)."""
    waiting = len(t._pending.list) + len(t.signal.shared_pending.list)
    if sig >= SIGRTMIN and waiting >= t.signal.rlim[RLIMIT_SIGPENDING][0]:
        return None
    if info.si_signo:
        return info
    current = t.kernel.current
    queued = kernel_siginfo(sig, info.si_code)
    if info is SEND_SIG_NOINFO:
        queued.si_pid, queued.si_uid = current.tgid, current.cred.uid
    return queued


def __send_signal_locked(sig: int, info: kernel_siginfo, t: task_struct, kind: int, force: bool) -> None:
    if not prepare_signal(sig, t, force):
        if t.kernel.listening and t.signal.flags & SIGNAL_UNKILLABLE and sig not in SIG_KERNEL_IGNORE:
            sender = info.si_pid or t.kernel.current.tgid
            t.kernel.emit(SignalDeliver(t.pid, sig, info.si_code, sender, 0, "ignored"))
        return
    pending = t._pending if kind == PIDTYPE_PID else t.signal.shared_pending
    if sig < SIGRTMIN and pending.signal & sigmask(sig):
        return
    queued = __sigqueue_alloc(sig, t, info)
    if queued is not None:
        pending.list.append(queued)
    if t._sighand.signalfd_wqh.head:
        wake_up(t._sighand.signalfd_wqh)
    pending.signal |= sigmask(sig)
    complete_signal(sig, t, kind)


def send_signal_locked(sig: int, info: kernel_siginfo, t: task_struct, kind: int) -> None:
    """Send to one thread (PIDTYPE_PID) or to its group; the kernel's own signals reach even pid 1."""
    task_active_pid_ns(t)
    if info is SEND_SIG_NOINFO:
        __task_pid_nr_ns(t.kernel.current, PIDTYPE_TGID)
    force = info is SEND_SIG_PRIV or info.si_code == SI_KERNEL
    __send_signal_locked(sig, info, t, kind, force)


def do_send_sig_info(sig: int, info: kernel_siginfo, p: task_struct, kind: int) -> None:
    """send_signal_locked() unless p is dead. ESRCH."""
    if p.exit_state and not p.signal._threads:
        raise KernelError(ESRCH)
    send_signal_locked(sig, info, p, kind)


def send_sig_info(sig: int, info: kernel_siginfo, p: task_struct) -> None:
    """Send a signal with its info to thread p."""
    do_send_sig_info(sig, info, p, PIDTYPE_PID)


def send_sig(sig: int, p: task_struct, priv: int) -> None:
    """Send a signal to thread p, from the kernel when priv."""
    send_sig_info(sig, SEND_SIG_PRIV if priv else SEND_SIG_NOINFO, p)


def check_kill_permission(sig: int, info: kernel_siginfo, t: task_struct) -> None:
    """EPERM: current may not send t a signal."""
    if info is SEND_SIG_PRIV or info.si_code > 0:
        return
    current = t.kernel.current
    mine, theirs = current.cred, t.cred
    same = {mine.euid, mine.uid} & {theirs.suid, theirs.uid}
    if current.signal is not t.signal and not same and not ns_capable(current, theirs.user_ns, CAP_KILL):
        session = current.signal.pids[PIDTYPE_SID]
        if sig != SIGCONT or session is not t.signal.pids[PIDTYPE_SID]:
            raise KernelError(EPERM)
    security_task_kill(t, info, sig)


def group_send_sig_info(sig: int, info: kernel_siginfo, p: task_struct, kind: int) -> None:
    """Send to p's group what current may send; signal 0 only asks. EPERM, ESRCH."""
    check_kill_permission(sig, info, p)
    if sig:
        do_send_sig_info(sig, info, p, kind)
