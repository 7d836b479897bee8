"""The system calls about signals (kernel/signal.c, third part)."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from kshell.abi.errno import EAGAIN, EFAULT, EINTR, EINVAL, EPERM, ESRCH
from kshell.abi.signal import SI_TKILL, SI_USER, SIG_BLOCK, SIG_SETMASK, SIG_UNBLOCK, SIGKILL, SIGSTOP, SS_DISABLE
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.errno import ERESTARTNOHAND
from kshell.linux.include.linux.sched import (
    PIDTYPE_PGID,
    PIDTYPE_PID,
    PIDTYPE_TGID,
    TASK_INTERRUPTIBLE,
    k_sigaction,
    kernel_siginfo,
    signal_pending,
    task_struct,
)
from kshell.linux.include.linux.signal import NSIG, valid_signal
from kshell.linux.include.linux.syscalls import SYSCALL_DEFINE
from kshell.linux.include.linux.uaccess import copy_from_user, copy_to_user
from kshell.linux.kernel.pid import find_vpid, pid_task
from kshell.linux.kernel.sched.core import schedule
from kshell.linux.kernel.signal import (
    _flush,
    check_kill_permission,
    do_send_sig_info,
    group_send_sig_info,
    recalc_sigpending,
    sig_handler_ignored,
    sigmask,
)
from kshell.linux.kernel.signal_deliver import dequeue_signal, set_current_blocked
from kshell.linux.kernel.time.hrtimer import schedule_hrtimeout_range
from kshell.linux.kernel.time.posix_timers import get_timespec64
from kshell.linux.kernel.time.timekeeping import ktime_get

if TYPE_CHECKING:
    from kshell.linux.include.linux.sched import pid

SIGSET_SIZE: Final = 8
SIGACTION: Final = struct.Struct("<QQQQ")  # handler, flags, restorer, mask
SIGALTSTACK: Final = struct.Struct("<QixxxxQ")


def kill_pid_info(sig: int, info: kernel_siginfo, struct_pid: pid | None) -> None:
    """Send to the process that bears the pid. ESRCH, EPERM, EINVAL."""
    p = pid_task(struct_pid, PIDTYPE_PID)
    if p is None:
        raise KernelError(ESRCH)
    if not valid_signal(sig):
        raise KernelError(EINVAL)
    group_send_sig_info(sig, info, p, PIDTYPE_TGID)


def kill_proc_info(current: task_struct, sig: int, info: kernel_siginfo, nr: int) -> None:
    """kill_pid_info() by number."""
    kill_pid_info(sig, info, find_vpid(current, nr))


def _kill_many(sig: int, info: kernel_siginfo, targets: list[task_struct]) -> None:
    """Success when one of them could be sent it, else the last error. ESRCH: nobody there."""
    error: KernelError | None = KernelError(ESRCH)
    done = False
    for p in targets:
        try:
            group_send_sig_info(sig, info, p, PIDTYPE_TGID)
            done = True
        except KernelError as failure:
            error = failure
    if not done and error is not None:
        raise error


def kill_something_info(current: task_struct, sig: int, info: kernel_siginfo, nr: int) -> None:
    """kill() by what nr says: a process, our group (0), a group (< -1), everybody but pid 1 and us (-1)."""
    if nr > 0:
        kill_proc_info(current, sig, info, nr)
    elif nr == -(1 << 31):
        raise KernelError(ESRCH)
    elif nr == -1:
        others = [p for p in current.kernel.tasklist if p.group_leader is p and p.pid > 1 and p.mm is not None]
        _kill_many(sig, info, [p for p in others if p.tgid != current.tgid])
    else:
        group = current.signal.pids[PIDTYPE_PGID] if nr == 0 else find_vpid(current, -nr)
        _kill_many(sig, info, list(group.tasks[PIDTYPE_PGID]) if group else [])


def prepare_kill_siginfo(current: task_struct, sig: int, code: int) -> kernel_siginfo:
    """Who sends."""
    info = kernel_siginfo(sig, code)
    info.si_pid, info.si_uid = current.tgid, current.cred.uid
    return info


@SYSCALL_DEFINE
def sys_kill(current: task_struct, pid: int, sig: int) -> int:
    """Send sig (0: only ask whether we may). EINVAL, ESRCH, EPERM."""
    info = prepare_kill_siginfo(current, sig, SI_USER)
    if not valid_signal(sig):
        raise KernelError(EINVAL if pid <= 0 or find_vpid(current, pid) else ESRCH)
    kill_something_info(current, sig, info, pid)
    return 0


def do_send_specific(current: task_struct, tgid: int, nr: int, sig: int) -> int:
    """Send to one thread. ESRCH, EPERM, EINVAL."""
    p = pid_task(find_vpid(current, nr), PIDTYPE_PID)
    if p is None or (tgid > 0 and p.tgid != tgid):
        raise KernelError(ESRCH)
    if not valid_signal(sig):
        raise KernelError(EINVAL)
    info = prepare_kill_siginfo(current, sig, SI_TKILL)
    check_kill_permission(sig, info, p)
    if sig:
        do_send_sig_info(sig, info, p, PIDTYPE_PID)
    return 0


@SYSCALL_DEFINE
def sys_tgkill(current: task_struct, tgid: int, pid: int, sig: int) -> int:
    """Send to thread pid of process tgid."""
    if pid <= 0 or tgid <= 0:
        raise KernelError(EINVAL)
    return do_send_specific(current, tgid, pid, sig)


@SYSCALL_DEFINE
def sys_tkill(current: task_struct, pid: int, sig: int) -> int:
    """Send to thread pid."""
    if pid <= 0:
        raise KernelError(EINVAL)
    return do_send_specific(current, 0, pid, sig)


@SYSCALL_DEFINE
def sys_rt_sigaction(current: task_struct, sig: int, act: int, oact: int, sigsetsize: int) -> int:
    """Set and read a disposition. EINVAL: a bad signal, SIGKILL, SIGSTOP; EFAULT."""
    if sigsetsize != SIGSET_SIZE:
        raise KernelError(EINVAL)
    new = SIGACTION.unpack(copy_from_user(current, act, SIGACTION.size)) if act else None
    if not 1 <= sig <= NSIG or (new and sig in (SIGKILL, SIGSTOP)):
        raise KernelError(EINVAL)
    action = current._sighand.action[sig - 1]
    old = (action.sa_handler, action.sa_flags, action.sa_restorer, action.sa_mask)
    if new:
        handler, sa_flags, restorer, mask = new
        mask &= ~(sigmask(SIGKILL) | sigmask(SIGSTOP))
        current._sighand.action[sig - 1] = k_sigaction(handler, sa_flags, mask, restorer)
        if sig_handler_ignored(handler, sig):
            for pending in (current.signal.shared_pending, *(t._pending for t in current.signal._threads)):
                _flush(sigmask(sig), pending)
    if oact:
        copy_to_user(current, oact, SIGACTION.pack(*old))
    return 0


@SYSCALL_DEFINE
def sys_rt_sigprocmask(current: task_struct, how: int, nset: int, oset: int, sigsetsize: int) -> int:
    """Change and read the mask. EINVAL, EFAULT."""
    if sigsetsize != SIGSET_SIZE:
        raise KernelError(EINVAL)
    old = current._blocked
    if nset:
        bits = int.from_bytes(copy_from_user(current, nset, SIGSET_SIZE), "little")
        if how == SIG_BLOCK:
            set_current_blocked(current, old | bits)
        elif how == SIG_UNBLOCK:
            set_current_blocked(current, old & ~bits)
        elif how == SIG_SETMASK:
            set_current_blocked(current, bits)
        else:
            raise KernelError(EINVAL)
    if oset:
        copy_to_user(current, oset, old.to_bytes(SIGSET_SIZE, "little"))
    return 0


@SYSCALL_DEFINE
def sys_rt_sigpending(current: task_struct, uset: int, sigsetsize: int) -> int:
    """Which blocked signals are pending."""
    if sigsetsize > SIGSET_SIZE:
        raise KernelError(EINVAL)
    pending = (current._pending.signal | current.signal.shared_pending.signal) & current._blocked
    copy_to_user(current, uset, pending.to_bytes(SIGSET_SIZE, "little")[:sigsetsize])
    return 0


async def _sleep_for_signal(current: task_struct) -> int:
    while not signal_pending(current):
        current.state = TASK_INTERRUPTIBLE
        await schedule(current.kernel)
    raise KernelError(ERESTARTNOHAND)


@SYSCALL_DEFINE
async def sys_pause(current: task_struct) -> int:
    """Sleep until a signal has been handled: EINTR."""
    return await _sleep_for_signal(current)


@SYSCALL_DEFINE
async def sys_rt_sigsuspend(current: task_struct, unewset: int, sigsetsize: int) -> int:
    """pause() with another mask for the time."""
    if sigsetsize != SIGSET_SIZE:
        raise KernelError(EINVAL)
    mask = int.from_bytes(copy_from_user(current, unewset, SIGSET_SIZE), "little")
    current._saved_sigmask = current._blocked
    set_current_blocked(current, mask)
    return await _sleep_for_signal(current)


@SYSCALL_DEFINE
async def sys_rt_sigtimedwait(current: task_struct, uthese: int, uinfo: int, uts: int, sigsetsize: int) -> int:
    """Take one of a set of signals without its handler. EAGAIN: none came in time."""
    if sigsetsize != SIGSET_SIZE:
        raise KernelError(EINVAL)
    these = int.from_bytes(copy_from_user(current, uthese, SIGSET_SIZE), "little")
    timeout = get_timespec64(current, uts) if uts else None
    mask = ~(these & ~(sigmask(SIGKILL) | sigmask(SIGSTOP))) & ((1 << 64) - 1)
    info = dequeue_signal(current, mask)
    if info is None and timeout != 0:
        blocked, current._blocked = current._blocked, current._blocked & mask
        recalc_sigpending(current)
        current.state = TASK_INTERRUPTIBLE
        await schedule_hrtimeout_range(
            current.kernel, None if timeout is None else ktime_get(current.kernel) + timeout, 0
        )
        current._blocked = blocked
        info = dequeue_signal(current, mask)
        if info is None and signal_pending(current):
            raise KernelError(EINTR)
    if info is None:
        raise KernelError(EAGAIN)
    if uinfo:
        copy_to_user(current, uinfo, _siginfo_bytes(info))
    return info.si_signo


def _siginfo_bytes(info: kernel_siginfo) -> bytes:
    """siginfo_t: signo, errno, code, pid, uid, status."""
    head = struct.pack("<iiixxxxiIi", info.si_signo, 0, info.si_code, info.si_pid, info.si_uid, info.si_status)
    return head.ljust(128, b"\0")


@SYSCALL_DEFINE
def sys_rt_sigqueueinfo(current: task_struct, pid: int, sig: int, uinfo: int) -> int:
    """Send a signal with a value. EPERM: pretending to be the kernel."""
    raw = copy_from_user(current, uinfo, 128)
    _, _, code = struct.unpack_from("<iii", raw)
    info = kernel_siginfo(sig, code)
    info.si_pid, info.si_uid, info.si_status = struct.unpack_from("<iIi", raw, 16)
    if (code >= 0 or code == SI_TKILL) and pid != current.tgid:
        raise KernelError(EPERM)
    kill_proc_info(current, sig, info, pid)
    return 0


@SYSCALL_DEFINE
def sys_rt_sigreturn(current: task_struct) -> int:
    """Return from a handler: the interrupted call's result comes back."""
    if not current._sigframes:
        raise KernelError(EFAULT)
    result, mask = current._sigframes.pop()
    set_current_blocked(current, mask)
    return -EINTR if -result >= 512 else result


@SYSCALL_DEFINE
def sys_sigaltstack(current: task_struct, uss: int, uoss: int) -> int:
    """Accepted: handlers take no stack here. The old one reads as disabled."""
    if uss:
        copy_from_user(current, uss, SIGALTSTACK.size)
    if uoss:
        copy_to_user(current, uoss, SIGALTSTACK.pack(0, SS_DISABLE, 0))
    return 0


