"""Figures about a file system (include/linux/statfs.h)."""

from __future__ import annotations


class kstatfs:
    """What statfs() reports."""

    __slots__ = (
        "f_bavail",
        "f_bfree",
        "f_blocks",
        "f_bsize",
        "f_ffree",
        "f_files",
        "f_flags",
        "f_frsize",
        "f_fsid",
        "f_namelen",
        "f_type",
    )

    def __init__(self) -> None:
        self.f_type = 0
        self.f_bsize = 0
        self.f_blocks = 0
        self.f_bfree = 0
        self.f_bavail = 0
        self.f_files = 0
        self.f_ffree = 0
        self.f_fsid = 0
        self.f_namelen = 0
        self.f_frsize = 0
        self.f_flags = 0
