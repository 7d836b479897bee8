"""Asking a file what it is ready for, and being told later (include/linux/poll.h)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from kshell.abi.poll import EPOLLIN, EPOLLOUT, EPOLLRDNORM, EPOLLWRNORM
from kshell.linux.include.linux.wait import wait_queue_head

if TYPE_CHECKING:
    from kshell.linux.include.linux.fs import file

DEFAULT_POLLMASK: Final = EPOLLIN | EPOLLOUT | EPOLLRDNORM | EPOLLWRNORM
ALL_EVENTS: Final = 0xFFFFFFFF
_POLL_BITS: Final = 0x27FF  # the bits that poll(2) and epoll(7) share, in the same places

poll_queue_proc = Callable[["file", wait_queue_head, "poll_table_struct"], None]


class poll_table_struct:
    """What a poller hands to f_op->poll: how to stand in a wait queue, and the events it cares about."""

    __slots__ = ("_key", "_owner", "_qproc")
    _qproc: poll_queue_proc | None
    _key: int
    _owner: object  # container_of(): the poll_wqueues or ep_pqueue around it

    def __init__(self, qproc: poll_queue_proc | None = None, owner: object = None) -> None:
        self._qproc = qproc
        self._key = ALL_EVENTS
        self._owner = owner


poll_table = poll_table_struct


def poll_wait(filp: file, wait_address: wait_queue_head | None, p: poll_table | None) -> None:
    """Let the poller stand in a queue whose wake-up may make the file ready."""
    if p is not None and p._qproc is not None and wait_address is not None:
        p._qproc(filp, wait_address, p)


def poll_requested_events(p: poll_table | None) -> int:
    """The events that the poller asked for."""
    return ALL_EVENTS if p is None else p._key


def init_poll_funcptr(pt: poll_table, qproc: poll_queue_proc | None) -> None:
    """Set the queueing function, and all events."""
    pt._qproc = qproc
    pt._key = ALL_EVENTS


def file_can_poll(filp: file) -> bool:
    """Whether the file has a poll operation; those that have none are always ready."""
    return filp.f_op.poll is not None


def vfs_poll(filp: file, pt: poll_table | None) -> int:
    """The events (EPOLL*) that the file is ready for."""
    poll = filp.f_op.poll
    if poll is None:
        return DEFAULT_POLLMASK
    return poll(filp, pt)


def mangle_poll(val: int) -> int:
    """EPOLL* to POLL* bits."""
    return val & _POLL_BITS


def demangle_poll(val: int) -> int:
    """POLL* to EPOLL* bits."""
    return val & _POLL_BITS
