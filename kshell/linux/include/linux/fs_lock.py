"""include/linux/fs.h: locks on files."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kshell.linux.include.linux.fs import file

FL_POSIX = 1
FL_FLOCK = 2
FL_ACCESS = 8
FL_EXISTS = 16
FL_CLOSE = 64
FL_SLEEP = 128
FL_OFDLCK = 1024
OFFSET_MAX = (1 << 63) - 1


class file_lock:
    """A POSIX or flock() lock on a range of a file; `fl_owner` is the files_struct or the file."""

    __slots__ = ("fl_end", "fl_file", "fl_flags", "fl_owner", "fl_pid", "fl_start", "fl_type")

    def __init__(self, fl_owner: object = None, fl_flags: int = 0, fl_type: int = 0) -> None:
        self.fl_owner = fl_owner
        self.fl_flags = fl_flags
        self.fl_type = fl_type
        self.fl_pid = 0
        self.fl_file: file | None = None
        self.fl_start = 0
        self.fl_end = OFFSET_MAX


class file_lock_context:
    """The locks of an inode."""

    __slots__ = ("_flc_wait", "flc_flock", "flc_posix")

    def __init__(self) -> None:
        self.flc_flock: list[file_lock] = []
        self.flc_posix: list[file_lock] = []
        self._flc_wait: object = None
