"""Wait queues: who sleeps here, and how to wake them (include/linux/wait.h)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from kshell.linux.include.linux.sched import task_struct

WQ_FLAG_EXCLUSIVE: Final = 0x01
WQ_FLAG_WOKEN: Final = 0x02
WQ_FLAG_CUSTOM: Final = 0x04
WQ_FLAG_DONE: Final = 0x08
WQ_FLAG_PRIORITY: Final = 0x10

wait_queue_func_t = Callable[["wait_queue_entry", int, int, int], int]


class wait_queue_head:
    """The sleepers of one event, in the order in which they are woken."""

    __slots__ = ("head",)
    head: list[wait_queue_entry] | None  # None when nobody ever waited

    def __init__(self) -> None:
        self.head = None


class wait_queue_entry:
    """One sleeper.

    func: called by __wake_up(entry, mode, wake_flags, key); returns 1 when it woke somebody,
    -1 to stop the walk. private: the task, or what func needs.
    """

    __slots__ = ("_owner", "entry", "flags", "func", "private")
    flags: int
    private: task_struct | None
    func: wait_queue_func_t
    entry: wait_queue_head | None  # the queue it stands in, None when in none
    _owner: object  # container_of() for entries embedded in another struct

    def __init__(self, private: task_struct | None, func: wait_queue_func_t, owner: object = None) -> None:
        self.flags = 0
        self.private = private
        self.func = func
        self.entry = None
        self._owner = owner


def waitqueue_active(wq_head: wait_queue_head) -> bool:
    """Whether anybody stands in the queue."""
    return bool(wq_head.head)


wq_has_sleeper = waitqueue_active
