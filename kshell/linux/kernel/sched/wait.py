"""Sleeping on wait queues and waking sleepers (kernel/sched/wait.c)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.errno import ERESTARTSYS
from kshell.linux.include.linux.sched import (
    TASK_INTERRUPTIBLE,
    TASK_NORMAL,
    TASK_RUNNING,
    TASK_UNINTERRUPTIBLE,
    TIF_SIGPENDING,
    task_struct,
)
from kshell.linux.include.linux.wait import (
    WQ_FLAG_EXCLUSIVE,
    WQ_FLAG_WOKEN,
    wait_queue_entry,
    wait_queue_func_t,
    wait_queue_head,
)
from kshell.linux.kernel.sched.core import default_wake_function, schedule
from kshell.linux.kernel.time.timer import schedule_timeout

if TYPE_CHECKING:
    from kshell.linux.init.kernel import Kernel

WF_SYNC: Final = 0x10


def _insert(wq_head: wait_queue_head, wq_entry: wait_queue_entry, at_end: bool) -> None:
    if wq_head.head is None:
        wq_head.head = []
    if at_end:
        wq_head.head.append(wq_entry)
    else:
        wq_head.head.insert(0, wq_entry)
    wq_entry.entry = wq_head


def _unlink(wq_entry: wait_queue_entry) -> None:
    if wq_entry.entry is not None:
        if wq_entry.entry.head is not None:
            wq_entry.entry.head.remove(wq_entry)
        wq_entry.entry = None


def add_wait_queue(wq_head: wait_queue_head, wq_entry: wait_queue_entry) -> None:
    """Stand in the queue; every wake-up reaches a non-exclusive entry."""
    wq_entry.flags &= ~WQ_FLAG_EXCLUSIVE
    _insert(wq_head, wq_entry, at_end=False)


def add_wait_queue_exclusive(wq_head: wait_queue_head, wq_entry: wait_queue_entry) -> None:
    """Stand at the end of the queue; one wake-up reaches one exclusive entry."""
    wq_entry.flags |= WQ_FLAG_EXCLUSIVE
    _insert(wq_head, wq_entry, at_end=True)


def remove_wait_queue(wq_head: wait_queue_head, wq_entry: wait_queue_entry) -> None:
    """Leave the queue."""
    _unlink(wq_entry)


def __wake_up_common(wq_head: wait_queue_head, mode: int, nr_exclusive: int, wake_flags: int, key: int) -> None:
    for entry in tuple(wq_head.head or ()):
        flags = entry.flags
        woken = entry.func(entry, mode, wake_flags, key)
        if woken < 0:
            break
        if woken and flags & WQ_FLAG_EXCLUSIVE:
            nr_exclusive -= 1
            if nr_exclusive == 0:
                break


def __wake_up_common_lock(wq_head: wait_queue_head, mode: int, nr_exclusive: int, wake_flags: int, key: int) -> None:
    __wake_up_common(wq_head, mode, nr_exclusive, wake_flags, key)


def __wake_up(wq_head: wait_queue_head, mode: int, nr_exclusive: int, key: int) -> None:
    """Wake the non-exclusive sleepers and nr_exclusive others (0: all). key: the poll events, 0 for any."""
    __wake_up_common_lock(wq_head, mode, nr_exclusive, 0, key)


def __wake_up_sync_key(wq_head: wait_queue_head, mode: int, key: int) -> None:
    """As __wake_up for one exclusive sleeper; the waker is about to sleep itself."""
    if wq_head is not None:
        __wake_up_common_lock(wq_head, mode, 1, WF_SYNC, key)


def __wake_up_sync(wq_head: wait_queue_head, mode: int) -> None:
    """__wake_up_sync_key without a key."""
    __wake_up_sync_key(wq_head, mode, 0)


def wake_up(wq_head: wait_queue_head) -> None:
    """Wake one exclusive sleeper and all others."""
    __wake_up(wq_head, TASK_NORMAL, 1, 0)


def wake_up_all(wq_head: wait_queue_head) -> None:
    """Wake everybody."""
    __wake_up(wq_head, TASK_NORMAL, 0, 0)


def wake_up_interruptible(wq_head: wait_queue_head) -> None:
    """Wake one exclusive interruptible sleeper and all others."""
    __wake_up(wq_head, TASK_INTERRUPTIBLE, 1, 0)


def wake_up_interruptible_all(wq_head: wait_queue_head) -> None:
    """Wake all interruptible sleepers."""
    __wake_up(wq_head, TASK_INTERRUPTIBLE, 0, 0)


def wake_up_interruptible_poll(wq_head: wait_queue_head, mask: int) -> None:
    """Wake those who wait for one of the events in mask."""
    __wake_up(wq_head, TASK_INTERRUPTIBLE, 1, mask)


def wake_up_poll(wq_head: wait_queue_head, mask: int) -> None:
    """As wake_up_interruptible_poll, uninterruptible sleepers too."""
    __wake_up(wq_head, TASK_NORMAL, 1, mask)


def wake_up_interruptible_sync_poll(wq_head: wait_queue_head, mask: int) -> None:
    """As wake_up_interruptible_poll; the waker is about to sleep."""
    __wake_up_sync_key(wq_head, TASK_INTERRUPTIBLE, mask)


def init_wait_entry(wq_entry: wait_queue_entry, flags: int) -> None:
    """Make the entry one of the running task, leaving its queue by itself when woken."""
    wq_entry.flags = flags
    wq_entry.func = autoremove_wake_function
    wq_entry.entry = None


def init_wait(current: task_struct) -> wait_queue_entry:
    """An entry for current, as DEFINE_WAIT makes it."""
    return wait_queue_entry(current, autoremove_wake_function)


def DEFINE_WAIT_FUNC(current: task_struct, func: wait_queue_func_t) -> wait_queue_entry:
    """An entry for current with another wake function."""
    return wait_queue_entry(current, func)


def prepare_to_wait(wq_head: wait_queue_head, wq_entry: wait_queue_entry, state: int) -> None:
    """Stand in the queue and take the sleeping state; check the condition after this."""
    wq_entry.flags &= ~WQ_FLAG_EXCLUSIVE
    if wq_entry.entry is None:
        _insert(wq_head, wq_entry, at_end=False)
    assert wq_entry.private is not None
    wq_entry.private.state = state


def prepare_to_wait_exclusive(wq_head: wait_queue_head, wq_entry: wait_queue_entry, state: int) -> bool:
    """prepare_to_wait at the end of the queue; True when the queue was empty."""
    wq_entry.flags |= WQ_FLAG_EXCLUSIVE
    was_empty = not wq_head.head
    if wq_entry.entry is None:
        _insert(wq_head, wq_entry, at_end=True)
    assert wq_entry.private is not None
    wq_entry.private.state = state
    return was_empty


def prepare_to_wait_event(wq_head: wait_queue_head, wq_entry: wait_queue_entry, state: int) -> None:
    """prepare_to_wait for wait_event loops. ERESTARTSYS: a signal is pending."""
    task = wq_entry.private
    assert task is not None
    if task.thread_info.flags & TIF_SIGPENDING and state & TASK_INTERRUPTIBLE:
        _unlink(wq_entry)
        raise KernelError(ERESTARTSYS)
    if wq_entry.entry is None:
        _insert(wq_head, wq_entry, at_end=bool(wq_entry.flags & WQ_FLAG_EXCLUSIVE))
    task.state = state


def finish_wait(wq_head: wait_queue_head, wq_entry: wait_queue_entry) -> None:
    """Leave the queue and the sleeping state."""
    assert wq_entry.private is not None
    wq_entry.private.state = TASK_RUNNING
    _unlink(wq_entry)


def autoremove_wake_function(wq_entry: wait_queue_entry, mode: int, flags: int, key: int) -> int:
    """Wake the task and, when that woke it, leave the queue."""
    woken = default_wake_function(wq_entry, mode, flags, key)
    if woken:
        _unlink(wq_entry)
    return woken


def woken_wake_function(wq_entry: wait_queue_entry, mode: int, flags: int, key: int) -> int:
    """Wake function for wait_woken()."""
    wq_entry.flags |= WQ_FLAG_WOKEN
    return default_wake_function(wq_entry, mode, flags, key)


async def wait_woken(wq_entry: wait_queue_entry, mode: int, timeout: int) -> int:
    """Sleep unless woken since the last call; timeout and result in jiffies."""
    task = wq_entry.private
    assert task is not None
    task.state = mode
    if not wq_entry.flags & WQ_FLAG_WOKEN:
        timeout = await schedule_timeout(task.kernel, timeout)
    task.state = TASK_RUNNING
    wq_entry.flags &= ~WQ_FLAG_WOKEN
    return timeout


async def wait_event(kernel: Kernel, wq_head: wait_queue_head, condition: Callable[[], bool]) -> None:
    """Sleep, uninterruptibly, until condition() holds."""
    if condition():
        return
    entry = init_wait(kernel.current)
    try:
        while True:
            prepare_to_wait_event(wq_head, entry, TASK_UNINTERRUPTIBLE)
            if condition():
                return
            await schedule(kernel)
    finally:
        finish_wait(wq_head, entry)


async def wait_event_interruptible(
    kernel: Kernel, wq_head: wait_queue_head, condition: Callable[[], bool], exclusive: bool = False
) -> None:
    """Sleep until condition() holds. ERESTARTSYS: a signal came first."""
    if condition():
        return
    entry = init_wait(kernel.current)
    entry.flags = WQ_FLAG_EXCLUSIVE if exclusive else 0
    try:
        while True:
            prepare_to_wait_event(wq_head, entry, TASK_INTERRUPTIBLE)
            if condition():
                return
            await schedule(kernel)
    finally:
        finish_wait(wq_head, entry)
