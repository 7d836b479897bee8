"""epoll's structs (fs/eventpoll.c, include/linux/eventpoll.h)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kshell.abi.poll import (
    EPOLLERR,
    EPOLLET,
    EPOLLEXCLUSIVE,
    EPOLLHUP,
    EPOLLIN,
    EPOLLONESHOT,
    EPOLLOUT,
    EPOLLWAKEUP,
)
from kshell.linux.include.linux.wait import wait_queue_entry, wait_queue_head

if TYPE_CHECKING:
    from kshell.linux.include.linux.fs import file
    from kshell.linux.include.linux.user import user_struct
    from kshell.linux.init.kernel import Kernel

EP_PRIVATE_BITS: Final = EPOLLWAKEUP | EPOLLONESHOT | EPOLLET | EPOLLEXCLUSIVE
EPOLLINOUT_BITS: Final = EPOLLIN | EPOLLOUT
EPOLLEXCLUSIVE_OK_BITS: Final = EPOLLINOUT_BITS | EPOLLERR | EPOLLHUP | EPOLLWAKEUP | EPOLLET | EPOLLEXCLUSIVE
EP_MAX_NESTS: Final = 4
EPOLL_EVENT_SIZE: Final = 12  # struct epoll_event is packed on x86-64
EP_MAX_EVENTS: Final = 0x7FFFFFFF // EPOLL_EVENT_SIZE


class epoll_event:
    """What to wait for, and what to say when it comes. events: EPOLL* bits; data: the user's u64."""

    __slots__ = ("data", "events")

    def __init__(self, events: int, data: int) -> None:
        self.events = events
        self.data = data


class eppoll_entry:
    """One wait queue that an epitem stands in."""

    __slots__ = ("_addr", "base", "next", "wait", "whead")
    _addr: int
    base: epitem
    next: eppoll_entry | None
    wait: wait_queue_entry
    whead: wait_queue_head | None


class epoll_filefd:
    """The key of an epitem: the same file under another descriptor is another item."""

    __slots__ = ("fd", "file")

    def __init__(self, filp: file, fd: int) -> None:
        self.file = filp
        self.fd = fd


class epitem:
    """A watched file. rdllink: whether it stands in the ready list."""

    __slots__ = ("_addr", "_overflowed", "dying", "ep", "event", "ffd", "pwqlist", "rdllink")
    _addr: int
    ep: eventpoll
    ffd: epoll_filefd
    event: epoll_event
    pwqlist: eppoll_entry | None
    rdllink: bool
    dying: bool
    _overflowed: bool  # Linux: next != EP_UNACTIVE_PTR


class eventpoll:
    """An epoll instance.

    rbr: the watched files by (file, fd), a tree in Linux; ovflist: what became ready while events
    were handed to user space, None (EP_UNACTIVE_PTR in Linux) otherwise; refs: the items by which
    other epoll instances watch this one.
    """

    __slots__ = (
        "_addr", "_kernel", "file", "gen", "loop_check_depth", "ovflist", "poll_wait", "rbr", "rdllist", "refcount",
        "refs", "user", "wq",
    )  # fmt: skip
    _addr: int
    file: file
    user: user_struct
    _kernel: Kernel

    def __init__(self) -> None:
        self.rdllist: dict[epitem, None] = {}
        self.ovflist: list[epitem] | None = None
        self.rbr: dict[tuple[file, int], epitem] = {}
        self.refs: list[epitem] = []
        self.wq = wait_queue_head()
        self.poll_wait = wait_queue_head()
        self.gen = self.loop_check_depth = 0
        self.refcount = 1


class epitems_head(list[epitem]):
    """The epitems of a file that is no epoll file itself (file->f_ep). _listed: in tfile_check_list."""

    __slots__ = ("_addr", "_listed")
    _addr: int

    def __init__(self) -> None:
        self._listed = False
