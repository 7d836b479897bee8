"""Where a sleeping task is, and whether its sleep ends by itself."""

from __future__ import annotations

from collections.abc import Iterator
from types import CoroutineType, FrameType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kshell.linux.include.linux.sched import task_struct

_SCHEDULER = frozenset({"schedule", "schedule_timeout", "schedule_hrtimeout_range", "schedule_hrtimeout_range_clock",
                        "wait_woken", "do_nanosleep", "wait_event", "wait_event_interruptible"})  # fmt: skip
_CONNECT = "inet_wait_for_connect"
_ARMED_IN = {"schedule_timeout": "timer", "schedule_hrtimeout_range_clock": "sleeper", "do_nanosleep": "t"}
"""Functions that sleep with a timer of their own, and the local variable that holds it."""


def frames(task: task_struct) -> Iterator[FrameType]:
    """The frames of a parked call, outermost first; those of the tracer's twins (`<kshell …>`) are no part of it."""
    stack: object = task._stack
    while isinstance(stack, CoroutineType):
        if stack.cr_frame is not None and not stack.cr_code.co_filename.startswith("<"):
            yield stack.cr_frame
        stack = stack.cr_await


def chain_of(task: task_struct) -> list[str]:
    """The kernel functions a sleeping task is in, outermost first; helpers of the model left out."""
    return [name for frame in frames(task) if not (name := frame.f_code.co_name).startswith("_")]


def wchan_of(task: task_struct) -> str:
    """Where a task sleeps, as /proc/PID/wchan says: the scheduler's own functions left out; "" if it does not."""
    return next((name for name in reversed(chain_of(task)) if name not in _SCHEDULER), "")


def bounded(task: task_struct) -> bool:
    """Whether the sleep ends by its own timer: a timeout, a nanosleep, a connect() with its retransmissions."""
    for frame in frames(task):
        name = frame.f_code.co_name
        if name == _CONNECT:
            return True
        timer = frame.f_locals.get(_ARMED_IN[name]) if name in _ARMED_IN else None
        if timer is not None and getattr(timer, "_event", None) is not None:
            return True
    return False
