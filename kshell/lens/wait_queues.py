"""The wait queues that a sleeping task stands in, by the names that Linux's code has for them: `sk->sk_wq->wait`."""

from __future__ import annotations

from collections.abc import Iterator
from types import FrameType
from typing import TYPE_CHECKING

from kshell.lens.expr import members
from kshell.linux.fs.select import poll_wqueues
from kshell.linux.include.linux.wait import wait_queue_entry, wait_queue_head
from kshell.linux.kernel.stacktrace import _frames

if TYPE_CHECKING:
    from kshell.linux.include.linux.sched import task_struct

DEEPEST = 3
"""Steps from a local variable to the queue, at most."""


def queues_of(task: task_struct) -> list[str]:
    """The names of the queues, [] if the task waits for time alone or does not sleep."""
    frames = list(_frames(task))
    names = [*_own(frames, task), *_polled(frames)]
    return list(dict.fromkeys(name for name in names if name))


def _own(frames: list[FrameType], task: task_struct) -> Iterator[str]:
    """The queues that functions of the call stand in with an entry of their own."""
    for frame in frames:
        for value in frame.f_locals.values():
            if isinstance(value, wait_queue_entry) and value.private is task and value.entry is not None:
                yield _nearest(frames, value.entry)


def _polled(frames: list[FrameType]) -> Iterator[str]:
    """The queues of the files that a poll() or select() looks at."""
    for frame in frames:
        for table in frame.f_locals.values():
            if isinstance(table, poll_wqueues):
                for polled in table._entries:
                    paths = (_path(polled.filp, polled.wait_address, depth) for depth in range(1, DEEPEST + 1))
                    yield next(("->".join(["filp", *path]) for path in paths if path is not None), "")
                return


def _nearest(frames: list[FrameType], head: wait_queue_head) -> str:
    """The shortest way from a variable of one of the functions to the queue, those nearest to the sleep first."""
    for depth in range(1, DEEPEST + 1):
        for frame in reversed(frames):
            for name, value in frame.f_locals.items():
                path = _path(value, head, depth)
                if path is not None:
                    return "->".join([name, *path])
    return ""


def _path(value: object, head: wait_queue_head, depth: int) -> list[str] | None:
    """The members that lead from an object to the queue in `depth` steps."""
    if not type(value).__module__.startswith("kshell.linux") or callable(value) or isinstance(value, wait_queue_entry):
        return None
    for name in members(value):
        below = getattr(value, name, None)
        if depth == 1:
            if below is head:
                return [name]
        elif (path := _path(below, head, depth - 1)) is not None:
            return [name, *path]
    return None
