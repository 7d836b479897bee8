"""Clocks and sleeping (kernel/time/posix-timers.c, time.c, and nanosleep of hrtimer.c)."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from kshell.abi.errno import EINTR, EINVAL, EOPNOTSUPP, EPERM
from kshell.abi.time import CLOCK_TAI, NSEC_PER_SEC, TIMER_ABSTIME
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.errno import ERESTART_RESTARTBLOCK, ERESTARTNOHAND
from kshell.linux.include.linux.sched import TASK_INTERRUPTIBLE, signal_pending
from kshell.linux.include.linux.syscalls import SYSCALL_DEFINE
from kshell.linux.include.linux.uaccess import copy_from_user, copy_to_user, put_user
from kshell.linux.kernel.time.hrtimer import schedule_hrtimeout_range
from kshell.linux.kernel.time.timekeeping import ktime_get, ktime_get_real

if TYPE_CHECKING:
    from kshell.linux.include.linux.sched import task_struct
    from kshell.linux.init.kernel import Kernel

CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID, CLOCK_MONOTONIC_RAW = range(5)
CLOCK_REALTIME_COARSE, CLOCK_MONOTONIC_COARSE, CLOCK_BOOTTIME = 5, 6, 7
REAL_CLOCKS: Final = frozenset({CLOCK_REALTIME, CLOCK_REALTIME_COARSE, CLOCK_TAI})
CPU_CLOCKS: Final = frozenset({CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID})
CLOCKS: Final = frozenset({*range(8), CLOCK_TAI})
SLEEP_CLOCKS: Final = frozenset({CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME, CLOCK_TAI})
TIMESPEC: Final = struct.Struct("<qq")


def _read_clock(kernel: Kernel, which: int) -> int:
    """ns of a clock; CPU clocks stand still, the model does not count CPU time."""
    if which not in CLOCKS:
        raise KernelError(EINVAL)
    if which in CPU_CLOCKS:
        return 0
    return ktime_get_real(kernel) if which in REAL_CLOCKS else ktime_get(kernel)


def get_timespec64(current: task_struct, uts: int) -> int:
    """The struct timespec at uts in ns. EFAULT; EINVAL: negative or ns out of range."""
    seconds, nanoseconds = TIMESPEC.unpack(copy_from_user(current, uts, 16))
    if seconds < 0 or not 0 <= nanoseconds < NSEC_PER_SEC:
        raise KernelError(EINVAL)
    return int(seconds * NSEC_PER_SEC + nanoseconds)


def put_timespec64(current: task_struct, ns: int, uts: int) -> None:
    """Store ns as a struct timespec. EFAULT."""
    copy_to_user(current, uts, TIMESPEC.pack(ns // NSEC_PER_SEC, ns % NSEC_PER_SEC))


@SYSCALL_DEFINE
def sys_clock_gettime(current: task_struct, which_clock: int, tp: int) -> int:
    """Read a clock."""
    put_timespec64(current, _read_clock(current.kernel, which_clock), tp)
    return 0


@SYSCALL_DEFINE
def sys_clock_getres(current: task_struct, which_clock: int, tp: int) -> int:
    """Resolution of a clock: 1 ns, a tick for the coarse ones."""
    if which_clock not in CLOCKS:
        raise KernelError(EINVAL)
    coarse = which_clock in (CLOCK_REALTIME_COARSE, CLOCK_MONOTONIC_COARSE)
    if tp:
        put_timespec64(current, 4_000_000 if coarse else 1, tp)
    return 0


@SYSCALL_DEFINE
def sys_clock_settime(current: task_struct, which_clock: int, tp: int) -> int:
    """Refused: time is virtual and the same for the whole world. EPERM, EINVAL."""
    raise KernelError(EPERM if which_clock == CLOCK_REALTIME else EINVAL)


@SYSCALL_DEFINE
def sys_gettimeofday(current: task_struct, tv: int, tz: int) -> int:
    """Wall clock time in us."""
    if tv:
        ns = ktime_get_real(current.kernel)
        copy_to_user(current, tv, TIMESPEC.pack(ns // NSEC_PER_SEC, ns % NSEC_PER_SEC // 1000))
    if tz:
        copy_to_user(current, tz, bytes(8))
    return 0


@SYSCALL_DEFINE
def sys_time(current: task_struct, tloc: int) -> int:
    """Wall clock time in s."""
    seconds = ktime_get_real(current.kernel) // NSEC_PER_SEC
    if tloc:
        put_user(current, tloc, seconds, 8)
    return seconds


async def hrtimer_nanosleep(current: task_struct, expires: int, rmtp: int, absolute: bool) -> int:
    """Sleep until expires (ns of CLOCK_MONOTONIC). A signal: the rest is stored at rmtp, and a restart goes on."""
    await do_nanosleep(current, expires)
    left = expires - ktime_get(current.kernel)
    if left <= 0:
        return 0
    if absolute:
        raise KernelError(ERESTARTNOHAND)
    if rmtp:
        put_timespec64(current, left, rmtp)
    current._restart_block.fn = lambda: hrtimer_nanosleep(current, expires, rmtp, False)
    raise KernelError(ERESTART_RESTARTBLOCK)


async def do_nanosleep(current: task_struct, expires: int) -> None:
    """Sleep until expires or a signal."""
    kernel = current.kernel
    while ktime_get(kernel) < expires and not signal_pending(current):
        current.state = TASK_INTERRUPTIBLE
        await schedule_hrtimeout_range(kernel, expires, 0)


@SYSCALL_DEFINE
async def sys_nanosleep(current: task_struct, rqtp: int, rmtp: int) -> int:
    """Sleep for a struct timespec. EINVAL, EFAULT; EINTR with the rest in rmtp."""
    request = get_timespec64(current, rqtp)
    return await hrtimer_nanosleep(current, ktime_get(current.kernel) + request, rmtp, False)


async def common_nsleep(current: task_struct, which_clock: int, flags: int, rqtp: int, rmtp: int) -> int:
    """Sleep for rqtp (ns), or until it, by a clock that can be set."""
    absolute = bool(flags & TIMER_ABSTIME)
    wait = rqtp - _read_clock(current.kernel, which_clock) if absolute else rqtp
    return await hrtimer_nanosleep(current, ktime_get(current.kernel) + wait, rmtp, absolute)


async def common_nsleep_timens(current: task_struct, which_clock: int, flags: int, rqtp: int, rmtp: int) -> int:
    """common_nsleep() by a clock that a time namespace may shift; there is only the first, which does not."""
    absolute = bool(flags & TIMER_ABSTIME)
    wait = rqtp - _read_clock(current.kernel, which_clock) if absolute else rqtp
    return await hrtimer_nanosleep(current, ktime_get(current.kernel) + wait, rmtp, absolute)


@SYSCALL_DEFINE
async def sys_clock_nanosleep(current: task_struct, which_clock: int, flags: int, rqtp: int, rmtp: int) -> int:
    """Sleep by a clock, with TIMER_ABSTIME until a time of it."""
    if which_clock not in CLOCKS or which_clock == CLOCK_THREAD_CPUTIME_ID:
        raise KernelError(EINVAL)
    if which_clock not in SLEEP_CLOCKS:
        raise KernelError(EOPNOTSUPP)
    request = get_timespec64(current, rqtp)
    nsleep = common_nsleep_timens if which_clock in (CLOCK_MONOTONIC, CLOCK_BOOTTIME) else common_nsleep
    return await nsleep(current, which_clock, flags, request, rmtp)


@SYSCALL_DEFINE
async def sys_restart_syscall(current: task_struct) -> int:
    """Go on with the call that a signal interrupted. EINTR: there is none."""
    function, current._restart_block.fn = current._restart_block.fn, None
    if function is None:
        raise KernelError(EINTR)
    return await function()
