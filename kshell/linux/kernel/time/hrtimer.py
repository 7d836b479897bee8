"""High-resolution timers, nanosleep (kernel/time/hrtimer.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.linux.include.linux.hrtimer import HRTIMER_NORESTART, HRTIMER_RESTART, hrtimer
from kshell.linux.kernel.sched.core import schedule, wake_up_process

if TYPE_CHECKING:
    from kshell.linux.include.linux.sched import task_struct
    from kshell.linux.init.kernel import Kernel


def hrtimer_active(timer: hrtimer) -> bool:
    """Whether it is armed."""
    return timer._event is not None


def hrtimer_start_range_ns(kernel: Kernel, timer: hrtimer, tim: int, delta_ns: int) -> None:
    """Arm the timer for tim (ns of CLOCK_MONOTONIC); it fires at tim + delta_ns at the latest."""
    if timer._event is not None:
        timer._event.cancel()
    timer._softexpires = tim

    def expire() -> None:
        timer._event = None
        if timer.function(timer) == HRTIMER_RESTART:
            hrtimer_start_range_ns(kernel, timer, timer._softexpires, delta_ns)

    timer._event = kernel.clock.call_at(kernel.boot_ns + tim, expire)


def hrtimer_start(kernel: Kernel, timer: hrtimer, tim: int) -> None:
    """Arm the timer for tim (ns of CLOCK_MONOTONIC)."""
    hrtimer_start_range_ns(kernel, timer, tim, 0)


def hrtimer_try_to_cancel(timer: hrtimer) -> int:
    """Disarm the timer; 1 when it was armed."""
    event = timer._event
    if event is None:
        return 0
    timer._event = None
    event.cancel()
    return 1


def hrtimer_cancel(timer: hrtimer) -> int:
    """hrtimer_try_to_cancel(); with one CPU the function can't be running elsewhere."""
    return hrtimer_try_to_cancel(timer)


def hrtimer_forward(timer: hrtimer, now: int, interval: int) -> int:
    """Move the expiry past now by whole intervals (ns); how many."""
    if now < timer._softexpires:
        return 0
    overruns = (now - timer._softexpires) // interval + 1
    timer._softexpires += overruns * interval
    return overruns


def hrtimer_wakeup(timer: hrtimer) -> int:
    """The function of a sleeper's timer."""
    task: task_struct = timer._owner  # type: ignore[assignment]  # hrtimer_init_sleeper sets a task
    timer._owner = None
    wake_up_process(task)
    return HRTIMER_NORESTART


def hrtimer_init_sleeper(task: task_struct) -> hrtimer:
    """A timer that wakes task; its _owner is None once it fired."""
    return hrtimer(hrtimer_wakeup, task)


async def schedule_hrtimeout_range_clock(kernel: Kernel, expires: int | None, delta: int) -> bool:
    if expires == 0:
        kernel.current.state = 0
        return True
    if expires is None:
        await schedule(kernel)
        return False
    sleeper = hrtimer_init_sleeper(kernel.current)
    hrtimer_start_range_ns(kernel, sleeper, expires, delta)
    try:
        if sleeper._owner is not None:
            await schedule(kernel)
    finally:
        hrtimer_cancel(sleeper)
        kernel.current.state = 0
    return sleeper._owner is None


async def schedule_hrtimeout_range(kernel: Kernel, expires: int | None, delta: int) -> bool:
    """schedule() until expires (absolute ns, None: for ever); True when time ran out.

    Linux returns 0 for that and -EINTR when something else woke the task.
    """
    return await schedule_hrtimeout_range_clock(kernel, expires, delta)
