"""Iterators over the memory that a read or write names (include/linux/uio.h)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from kshell.linux.include.linux.sched import task_struct

READ: Final = 0
WRITE: Final = 1
ITER_UBUF: Final = 6
ITER_IOVEC: Final = 0
ITER_KVEC: Final = 1


class iov_iter:
    """Where data comes from or goes to: segments (address, length) of user memory, or kernel bytes.

    count: bytes left. _segments: all of them; _segment, iov_offset: where we are.
    _kvec: the bytes of a kernel iterator, None for user memory.
    """

    __slots__ = ("_current", "_kvec", "_segment", "_segments", "count", "data_source", "iov_offset", "iter_type")

    def __init__(
        self,
        direction: int,
        current: task_struct | None,
        segments: tuple[tuple[int, int], ...],
        count: int,
        kvec: bytearray | None = None,
    ) -> None:
        self.data_source = direction == WRITE
        self.iter_type = ITER_KVEC if kvec is not None else (ITER_UBUF if len(segments) == 1 else ITER_IOVEC)
        self._current = current
        self._segments = segments
        self._segment = 0
        self.iov_offset = 0
        self.count = count
        self._kvec = kvec

    def bytes(self) -> bytes:
        """What a kernel iterator holds: all of a source, what was stored in a destination."""
        assert self._kvec is not None
        return bytes(self._kvec) if self.data_source else bytes(self._kvec[: self.iov_offset])


def iov_iter_ubuf(current: task_struct, direction: int, buf: int, count: int) -> iov_iter:
    """An iterator over one user buffer."""
    return iov_iter(direction, current, ((buf, count),), count)


def iov_iter_kvec(direction: int, data: bytes | bytearray, count: int) -> iov_iter:
    """An iterator over kernel memory: a source holds data, a destination has room for count bytes."""
    return iov_iter(direction, None, (), count, bytearray(data))


def _kvec_iter(data: bytes | None, n: int = 0) -> iov_iter:
    """A source of data, or with None a destination with room for n bytes."""
    if data is None:
        return iov_iter_kvec(READ, bytearray(n), n)
    return iov_iter_kvec(WRITE, data, len(data))
