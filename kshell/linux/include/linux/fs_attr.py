"""include/linux/fs.h: the attributes of an inode that are to be changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.linux.include.linux.time64 import TIME64_ZERO

if TYPE_CHECKING:
    from kshell.linux.include.linux.fs import file

ATTR_MODE = 1 << 0
ATTR_UID = 1 << 1
ATTR_GID = 1 << 2
ATTR_SIZE = 1 << 3
ATTR_ATIME = 1 << 4
ATTR_MTIME = 1 << 5
ATTR_CTIME = 1 << 6
ATTR_ATIME_SET = 1 << 7
ATTR_MTIME_SET = 1 << 8
ATTR_FORCE = 1 << 9
ATTR_KILL_SUID = 1 << 11
ATTR_KILL_SGID = 1 << 12
ATTR_FILE = 1 << 13
ATTR_KILL_PRIV = 1 << 14
ATTR_OPEN = 1 << 15
ATTR_TIMES_SET = 1 << 16
ATTR_TOUCH = 1 << 17


class iattr:
    """Attributes to set; `ia_valid` says which."""

    __slots__ = (
        "ia_atime",
        "ia_ctime",
        "ia_file",
        "ia_gid",
        "ia_mode",
        "ia_mtime",
        "ia_size",
        "ia_uid",
        "ia_valid",
    )

    def __init__(self, ia_valid: int = 0) -> None:
        self.ia_valid = ia_valid
        self.ia_mode = 0
        self.ia_uid = 0
        self.ia_gid = 0
        self.ia_size = 0
        self.ia_atime = TIME64_ZERO
        self.ia_mtime = TIME64_ZERO
        self.ia_ctime = TIME64_ZERO
        self.ia_file: file | None = None
