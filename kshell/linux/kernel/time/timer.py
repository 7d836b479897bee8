"""Timers in ticks (kernel/time/timer.c). The wheel is the world's event queue."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from kshell.linux.include.linux.jiffies import INITIAL_JIFFIES, MAX_SCHEDULE_TIMEOUT, TICK_NSEC
from kshell.linux.kernel.sched.core import schedule, wake_up_process
from kshell.linux.kernel.softirq import _run_as_softirq

if TYPE_CHECKING:
    from kshell.linux.include.linux.sched import task_struct
    from kshell.linux.init.kernel import Event, Kernel


class timer_list:
    """A timer: function(timer) runs in softirq context when jiffies reaches expires.

    _owner: the struct that embeds the timer (what from_timer() gives in Linux).
    """

    __slots__ = ("_event", "_owner", "expires", "function")
    _event: Event | None

    def __init__(self, function: Callable[[timer_list], None] | None = None, owner: object = None) -> None:
        self.function = function
        self.expires = 0
        self._owner = owner
        self._event = None


def timer_setup(timer: timer_list, callback: Callable[[timer_list], None], owner: object) -> None:
    """Give the timer its function and the struct that embeds it."""
    timer.function = callback
    timer._owner = owner


def timer_pending(timer: timer_list) -> bool:
    """Whether it is armed."""
    return timer._event is not None


def call_timer_fn(timer: timer_list, fn: Callable[[timer_list], None]) -> None:
    fn(timer)


def mod_timer(kernel: Kernel, timer: timer_list, expires: int) -> int:
    """Arm the timer for tick `expires` (jiffies); 1 when it was armed already."""
    event = timer._event
    if event is not None:
        if timer.expires == expires:
            return 1
        event.cancel()
    timer.expires = expires

    def expire() -> None:
        timer._event = None
        function = timer.function
        if function is not None:
            _run_as_softirq(kernel, lambda: call_timer_fn(timer, function))

    when = kernel.boot_ns + (expires - INITIAL_JIFFIES) * TICK_NSEC
    timer._event = kernel.clock.call_at(when, expire, newest_first=True)
    return int(event is not None)


def timer_delete(timer: timer_list) -> int:
    """Disarm the timer; 1 when it was armed."""
    event = timer._event
    if event is None:
        return 0
    timer._event = None
    event.cancel()
    return 1


def timer_delete_sync(timer: timer_list) -> int:
    """timer_delete(); with one CPU the function can't be running elsewhere."""
    return timer_delete(timer)


async def schedule_timeout(kernel: Kernel, timeout: int) -> int:
    """schedule() for at most timeout ticks; the ticks that were left, 0 when time ran out."""
    if timeout == MAX_SCHEDULE_TIMEOUT:
        await schedule(kernel)
        return timeout
    expire = kernel.jiffies + timeout
    timer = timer_list(_process_timeout, kernel.current)
    mod_timer(kernel, timer, expire)
    try:
        await schedule(kernel)
    finally:
        timer_delete(timer)
    return max(0, expire - kernel.jiffies)


def _process_timeout(timer: timer_list) -> None:
    task: task_struct = timer._owner  # type: ignore[assignment]  # set three lines above, a task
    wake_up_process(task)
