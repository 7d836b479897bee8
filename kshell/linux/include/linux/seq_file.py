"""Files whose text is made record by record as it is read (include/linux/seq_file.h)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kshell.linux.include.linux.fs import file
    from kshell.linux.include.net.net_namespace import net

SEQ_SKIP = 1
SEQ_START_TOKEN: object = "SEQ_START_TOKEN"
"""What `start` returns for position 0 when a header line comes first."""


class seq_operations:
    """An iteration: `start(m, pos)` and `next(m, v, pos)` give a record or None at the end.

    `pos` is a box of one position; `next` must add 1 to it. `show` writes the record, SEQ_SKIP drops it.
    """

    __slots__ = ("next", "show", "start", "stop")

    def __init__(
        self,
        *,
        start: Callable[[seq_file, list[int]], object],
        stop: Callable[[seq_file, object], None],
        next: Callable[[seq_file, object, list[int]], object],
        show: Callable[[seq_file, object], int | None],
    ) -> None:
        self.start = start
        self.stop = stop
        self.next = next
        self.show = show


class seq_file:
    """A reader's state: the buffer of text not yet read and where the iteration stands."""

    __slots__ = (
        "_addr",
        "_from",
        "buf",
        "count",
        "file",
        "index",
        "op",
        "pad_until",
        "private",
        "read_pos",
        "size",
    )
    _addr: int

    def __init__(self) -> None:
        self.buf: bytearray | None = None
        self.size = 0
        self._from = 0
        self.count = 0
        self.pad_until = 0
        self.index = 0
        self.read_pos = 0
        self.op: seq_operations
        self.file: file
        self.private: object = None


class seq_net_private:
    """The private part of a seq_file that shows a network namespace; subclass it for more state."""

    __slots__ = ("__dict__", "_addr", "net")
    _addr: int
    net: net


def seq_has_overflowed(m: seq_file) -> bool:
    """Whether the record did not fit into the buffer (it is then made again in a larger one)."""
    return m.count == m.size
