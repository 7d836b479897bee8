"""File systems that no user mounts: sockfs, pipefs, … (include/linux/pseudo_fs.h)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kshell.linux.include.linux.dcache import dentry_operations
    from kshell.linux.include.linux.fs import super_operations


class pseudo_fs_context:
    """What `init_pseudo()` hands back; the file system fills in what differs from the default."""

    __slots__ = ("dops", "magic", "ops")

    def __init__(self) -> None:
        self.ops: super_operations | None = None
        self.dops: dentry_operations | None = None
        self.magic = 0
