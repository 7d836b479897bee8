"""Pipes (include/linux/pipe_fs_i.h)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from kshell.linux.include.linux.wait import wait_queue_head

if TYPE_CHECKING:
    from kshell.linux.include.linux.fs import fasync_struct
    from kshell.linux.include.linux.user import user_struct
    from kshell.linux.init.kernel import Kernel

PIPE_DEF_BUFFERS: Final = 16
PIPE_MIN_DEF_BUFFERS: Final = 2

PIPE_BUF_FLAG_LRU: Final = 0x01
PIPE_BUF_FLAG_ATOMIC: Final = 0x02
PIPE_BUF_FLAG_GIFT: Final = 0x04
PIPE_BUF_FLAG_PACKET: Final = 0x08
PIPE_BUF_FLAG_CAN_MERGE: Final = 0x10
PIPE_BUF_FLAG_WHOLE: Final = 0x20


class page:
    """Up to 4096 bytes that a pipe holds, shared by tee(). _refcount as in Linux."""

    __slots__ = ("_data", "_refcount")

    def __init__(self, data: bytes = b"") -> None:
        self._data = data
        self._refcount = 1


class pipe_buf_operations:
    """How to treat the page of a pipe buffer."""

    __slots__ = ("confirm", "get", "release", "try_steal")

    def __init__(
        self,
        confirm: Callable[[pipe_inode_info, pipe_buffer], None] | None = None,
        release: Callable[[pipe_inode_info, pipe_buffer], None] | None = None,
        try_steal: Callable[[pipe_inode_info, pipe_buffer], bool] | None = None,
        get: Callable[[pipe_inode_info, pipe_buffer], bool] | None = None,
    ) -> None:
        self.confirm = confirm
        self.release = release
        self.try_steal = try_steal
        self.get = get


class pipe_buffer:
    """A slot of the ring: len bytes from offset of a page. ops is None in an empty slot."""

    __slots__ = ("flags", "len", "offset", "ops", "page", "private")

    def __init__(self) -> None:
        self.page: page | None = None
        self.offset = self.len = self.flags = self.private = 0
        self.ops: pipe_buf_operations | None = None


class pipe_inode_info:
    """A pipe: a ring of buffers between head (written next) and tail (read next), both ever growing."""

    __slots__ = (
        "_addr", "_kernel", "bufs", "fasync_readers", "fasync_writers", "files", "head", "max_usage", "nr_accounted",
        "poll_usage", "r_counter", "rd_wait", "readers", "ring_size", "tail", "tmp_page", "user", "w_counter",
        "wr_wait", "writers",
    )  # fmt: skip
    _addr: int
    _kernel: Kernel
    user: user_struct

    def __init__(self) -> None:
        self.rd_wait = wait_queue_head()
        self.wr_wait = wait_queue_head()
        self.head = self.tail = self.max_usage = self.ring_size = self.nr_accounted = 0
        self.readers = self.writers = self.files = 0
        self.r_counter = self.w_counter = 1
        self.poll_usage = False
        self.tmp_page: page | None = None
        self.fasync_readers: fasync_struct | None = None
        self.fasync_writers: fasync_struct | None = None
        self.bufs: list[pipe_buffer | None] = []


def pipe_empty(head: int, tail: int) -> bool:
    """Whether nothing is buffered."""
    return head == tail


def pipe_occupancy(head: int, tail: int) -> int:
    """The number of slots in use."""
    return head - tail


def pipe_full(head: int, tail: int, limit: int) -> bool:
    """Whether limit slots are in use."""
    return head - tail >= limit


def pipe_buf_confirm(pipe: pipe_inode_info, buf: pipe_buffer) -> None:
    """Make sure that the buffer's data is there."""
    if buf.ops is not None and buf.ops.confirm is not None:
        buf.ops.confirm(pipe, buf)


def pipe_buf_release(pipe: pipe_inode_info, buf: pipe_buffer) -> None:
    """Give a consumed buffer's page back."""
    ops = buf.ops
    buf.ops = None
    if ops is not None and ops.release is not None:
        ops.release(pipe, buf)


def pipe_buf_get(pipe: pipe_inode_info, buf: pipe_buffer) -> bool:
    """Take another reference to the buffer's page."""
    return buf.ops is not None and buf.ops.get is not None and buf.ops.get(pipe, buf)
