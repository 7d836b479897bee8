"""Where a sleeping task is, and whether its sleep ends by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.linux.kernel.sched.core import get_wchan
from kshell.linux.kernel.stacktrace import _chain, _frames

if TYPE_CHECKING:
    from kshell.linux.include.linux.sched import task_struct

_CONNECT = "inet_wait_for_connect"
_ARMED_IN = {"schedule_timeout": "timer", "schedule_hrtimeout_range_clock": "sleeper", "do_nanosleep": "t"}
"""Functions that sleep with a timer of their own, and the local variable that holds it."""


def chain_of(task: task_struct) -> list[str]:
    """The kernel functions a sleeping task is in, outermost first; helpers of the model left out."""
    return _chain(task)


def wchan_of(task: task_struct) -> str:
    """Where a task sleeps, as /proc/PID/wchan says; "" if it does not."""
    return get_wchan(task)


def bounded(task: task_struct) -> bool:
    """Whether the sleep ends by its own timer: a timeout, a nanosleep, a connect() with its retransmissions."""
    for frame in _frames(task):
        name = frame.f_code.co_name
        if name == _CONNECT:
            return True
        timer = frame.f_locals.get(_ARMED_IN[name]) if name in _ARMED_IN else None
        if timer is not None and getattr(timer, "_event", None) is not None:
            return True
    return False
