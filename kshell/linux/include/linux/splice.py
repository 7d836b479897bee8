"""Moving data between a pipe and a file (include/linux/splice.h)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final

from kshell.abi.fcntl import SPLICE_F_GIFT, SPLICE_F_MORE, SPLICE_F_MOVE, SPLICE_F_NONBLOCK
from kshell.linux.include.linux.pipe_fs_i import pipe_buffer, pipe_inode_info

if TYPE_CHECKING:
    from kshell.linux.include.linux.fs import file
    from kshell.linux.include.linux.sched import task_struct

SPLICE_F_ALL: Final = SPLICE_F_MOVE | SPLICE_F_NONBLOCK | SPLICE_F_MORE | SPLICE_F_GIFT


class splice_desc:
    """One splice: total_len bytes left, len of them in the present buffer.

    file: where to (Linux: u.file); pos: the offset there; opos: where it ends up; _current: who asks.
    """

    __slots__ = ("_current", "file", "flags", "len", "need_wakeup", "num_spliced", "opos", "pos", "total_len")
    opos: int

    def __init__(
        self, current: task_struct, filp: file, total_len: int, flags: int, pos: int = 0, opos: int = 0
    ) -> None:
        self._current = current
        self.file = filp
        self.total_len = total_len
        self.len = 0
        self.flags = flags
        self.pos = pos
        self.opos = opos
        self.num_spliced = 0
        self.need_wakeup = False


splice_actor = Callable[[pipe_inode_info, pipe_buffer, splice_desc], Awaitable[int]]
splice_direct_actor = Callable[[pipe_inode_info, splice_desc], Awaitable[int]]
