"""Deferred work in process context (include/linux/workqueue.h)."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING

from kshell.linux.include.linux.wait import wait_queue_head

if TYPE_CHECKING:
    from kshell.linux.kernel.time.timer import timer_list

work_func_t = Callable[["work_struct"], Coroutine[object, None, None]]


class work_struct:
    """A piece of work; func is awaited with it by a worker. _owner: the struct that embeds it."""

    __slots__ = ("_owner", "_pending", "func")

    def __init__(self, func: work_func_t, owner: object = None) -> None:
        self.func = func
        self._owner = owner
        self._pending = False


class delayed_work:
    """Work that is queued when a timer fires."""

    __slots__ = ("timer", "work")
    timer: timer_list

    def __init__(self, work: work_struct, timer: timer_list) -> None:
        self.work = work
        self.timer = timer


class workqueue_struct:
    """A queue of work, served by one kernel thread."""

    __slots__ = ("_idle", "_works", "name")

    def __init__(self, name: str) -> None:
        self.name = name
        self._works: deque[work_struct] = deque()
        self._idle = wait_queue_head()
