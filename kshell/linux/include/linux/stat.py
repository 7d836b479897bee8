"""What stat() reports, before it is laid out for user space (include/linux/stat.h)."""

from __future__ import annotations

from kshell.linux.include.linux.time64 import TIME64_ZERO, timespec64


class kstat:
    """Attributes of an inode as one moment shows them."""

    __slots__ = (
        "atime",
        "attributes",
        "attributes_mask",
        "blksize",
        "blocks",
        "btime",
        "ctime",
        "dev",
        "gid",
        "ino",
        "mnt_id",
        "mode",
        "mtime",
        "nlink",
        "rdev",
        "result_mask",
        "size",
        "uid",
    )

    def __init__(self) -> None:
        self.result_mask = 0
        self.mode = 0
        self.nlink = 0
        self.blksize = 0
        self.attributes = 0
        self.attributes_mask = 0
        self.ino = 0
        self.dev = 0
        self.rdev = 0
        self.uid = 0
        self.gid = 0
        self.size = 0
        self.atime: timespec64 = TIME64_ZERO
        self.mtime: timespec64 = TIME64_ZERO
        self.ctime: timespec64 = TIME64_ZERO
        self.btime: timespec64 = TIME64_ZERO
        self.blocks = 0
        self.mnt_id = 0
