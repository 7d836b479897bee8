"""alarm() and setitimer(ITIMER_REAL) (kernel/time/itimer.c)."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from kshell.abi.errno import EINVAL
from kshell.abi.signal import SIGALRM
from kshell.abi.time import NSEC_PER_SEC
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.hrtimer import HRTIMER_NORESTART, HRTIMER_RESTART, hrtimer
from kshell.linux.include.linux.sched import PIDTYPE_TGID, signal_struct
from kshell.linux.include.linux.syscalls import SYSCALL_DEFINE
from kshell.linux.include.linux.uaccess import copy_from_user, copy_to_user
from kshell.linux.kernel.signal import SEND_SIG_PRIV, send_signal_locked
from kshell.linux.kernel.time.hrtimer import hrtimer_cancel, hrtimer_forward, hrtimer_start
from kshell.linux.kernel.time.timekeeping import ktime_get

if TYPE_CHECKING:
    from kshell.linux.include.linux.sched import task_struct

ITIMER_REAL, ITIMER_VIRTUAL, ITIMER_PROF = range(3)
ITIMERVAL: Final = struct.Struct("<qqqq")  # interval s, us, value s, us


def it_real_fn(timer: hrtimer) -> int:
    """The alarm goes off: SIGALRM to the process."""
    sig: signal_struct = timer._owner  # type: ignore[assignment]  # the signal_struct that embeds it
    if not sig._threads:
        return HRTIMER_NORESTART
    leader = sig._threads[0]
    send_signal_locked(SIGALRM, SEND_SIG_PRIV, leader, PIDTYPE_TGID)
    if not sig.it_real_incr:
        return HRTIMER_NORESTART
    hrtimer_forward(timer, ktime_get(leader.kernel), sig.it_real_incr)
    return HRTIMER_RESTART


def _remaining(current: task_struct) -> int:
    timer = current.signal.real_timer
    return max(1, timer._softexpires - ktime_get(current.kernel)) if timer._event is not None else 0


def do_setitimer(current: task_struct, value: int, interval: int) -> tuple[int, int]:
    """Arm the real timer (ns, 0: off); the (value, interval) it had."""
    sig = current.signal
    old = _remaining(current), sig.it_real_incr
    hrtimer_cancel(sig.real_timer)
    sig.it_real_incr = interval if value else 0
    if value:
        hrtimer_start(current.kernel, sig.real_timer, ktime_get(current.kernel) + value)
    return old


def alarm_setitimer(current: task_struct, seconds: int) -> int:
    """Arm the alarm; the seconds the old one had left, rounded, at least 1 when it was set."""
    left, _ = do_setitimer(current, seconds * NSEC_PER_SEC, 0)
    whole, rest = divmod(left, NSEC_PER_SEC)
    return whole + 1 if (whole == 0 and rest) or rest >= NSEC_PER_SEC // 2 else whole


@SYSCALL_DEFINE
def sys_alarm(current: task_struct, seconds: int) -> int:
    """SIGALRM in so many seconds, 0: never."""
    return alarm_setitimer(current, seconds)


def _pack(value: int, interval: int) -> bytes:
    def split(ns: int) -> tuple[int, int]:
        return ns // NSEC_PER_SEC, ns % NSEC_PER_SEC // 1000

    return ITIMERVAL.pack(*split(interval), *split(value))


def _check_which(which: int) -> None:
    if which not in (ITIMER_REAL, ITIMER_VIRTUAL, ITIMER_PROF):
        raise KernelError(EINVAL)


@SYSCALL_DEFINE
def sys_getitimer(current: task_struct, which: int, value: int) -> int:
    """What is left of a timer. CPU time does not pass in the model: the other two are never armed."""
    _check_which(which)
    left = _remaining(current), current.signal.it_real_incr
    copy_to_user(current, value, _pack(*left) if which == ITIMER_REAL else bytes(32))
    return 0


@SYSCALL_DEFINE
def sys_setitimer(current: task_struct, which: int, value: int, ovalue: int) -> int:
    """Arm a timer; EINVAL, EFAULT."""
    interval_s, interval_us, value_s, value_us = ITIMERVAL.unpack(
        copy_from_user(current, value, 32) if value else bytes(32)
    )
    _check_which(which)
    if not (0 <= interval_us < 1_000_000 and 0 <= value_us < 1_000_000 and interval_s >= 0 and value_s >= 0):
        raise KernelError(EINVAL)
    old = (0, 0)
    if which == ITIMER_REAL:
        old = do_setitimer(
            current, value_s * NSEC_PER_SEC + value_us * 1000, interval_s * NSEC_PER_SEC + interval_us * 1000
        )
    if ovalue:
        copy_to_user(current, ovalue, _pack(*old))
    return 0
