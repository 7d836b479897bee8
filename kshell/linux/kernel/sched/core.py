"""Giving up the CPU and getting it back (kernel/sched/core.c). One CPU, no preemption."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING

from kshell.linux.include.linux.sched import (
    TASK_INTERRUPTIBLE,
    TASK_NEW,
    TASK_NORMAL,
    TASK_RUNNING,
    TASK_WAKEKILL,
    TIF_SIGPENDING,
    fatal_signal_pending,
    task_struct,
)
from kshell.linux.include.trace.events import SchedWakeup
from kshell.linux.kernel.stacktrace import __get_wchan

if TYPE_CHECKING:
    from kshell.linux.include.linux.wait import wait_queue_entry
    from kshell.linux.init.kernel import Kernel


class _switch_to:
    """Parks the await chain: control goes back to whoever drives the task."""

    __slots__ = ()

    def __await__(self) -> Generator[None, None, None]:
        yield


_SWITCH = _switch_to()


async def schedule(kernel: Kernel) -> None:
    """Sleep in the state that current has set, until something wakes it.

    Returns at once when the task was made runnable in between, or a signal is pending.
    """
    current = kernel.current
    state = current.state
    if state == TASK_RUNNING:
        return
    if current.thread_info.flags & TIF_SIGPENDING and (
        state & TASK_INTERRUPTIBLE or (state & TASK_WAKEKILL and fatal_signal_pending(current))
    ):
        current.state = TASK_RUNNING
        return
    kernel.nr_context_switches += 1
    await _SWITCH


def try_to_wake_up(p: task_struct, state: int, wake_flags: int) -> int:
    """Make p runnable when it sleeps in one of the states; 1 when it did."""
    if not p.state & state:
        return 0
    kernel = p.kernel
    p.state = TASK_RUNNING
    if p._stack is not None:
        _enqueue(p)
        if kernel.listening:
            kernel.emit(SchedWakeup(p.pid, p.comm))
    return 1


def _enqueue(p: task_struct) -> None:
    """Let p have the CPU when its turn comes."""
    kernel = p.kernel
    if kernel.kick_idle_cpu is not None and not kernel.runqueue:
        kernel.kick_idle_cpu()
    kernel.runqueue.append(p)


def default_wake_function(curr: wait_queue_entry, mode: int, wake_flags: int, key: int) -> int:
    """The wake function of a plain wait: try_to_wake_up() of the entry's task."""
    assert curr.private is not None
    return try_to_wake_up(curr.private, mode, wake_flags)


def wake_up_process(p: task_struct) -> int:
    """Wake p from any normal sleep."""
    return try_to_wake_up(p, TASK_NORMAL, 0)


def wake_up_state(p: task_struct, state: int) -> int:
    """Wake p when it sleeps in one of the states."""
    return try_to_wake_up(p, state, 0)


def get_wchan(p: task_struct) -> str:
    """The function that p sleeps in, "" if it does not sleep."""
    return __get_wchan(p) if p.state and p._stack is not None else ""


def wake_up_new_task(p: task_struct) -> None:
    """A forked task may run: it is in user space, where commands are its program."""
    if p.state == TASK_NEW:
        p.state = TASK_RUNNING
