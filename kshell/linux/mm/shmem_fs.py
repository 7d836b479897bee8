"""tmpfs: what it keeps of its inodes and of each mount (include/linux/shmem_fs.h, mm/shmem.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from kshell.linux.include.linux.fs import inode
from kshell.linux.include.linux.mm_types import PAGE_SIZE
from kshell.linux.include.linux.time64 import TIME64_ZERO, timespec64

if TYPE_CHECKING:
    from kshell.linux.include.linux.fs import super_block

BLOCKS_PER_PAGE = PAGE_SIZE // 512
BOGO_DIRENT_SIZE = 20
SHORT_SYMLINK_LEN = 128
TOTALRAM_PAGES = 738_223
"""Pages of the recorded machine (3 GB)."""
ZERO_PAGE = bytes(PAGE_SIZE)


class shmem_inode_info(inode):
    """An inode of tmpfs."""

    __slots__ = ("alloced", "i_crtime", "seals")
    alloced: int
    seals: int
    i_crtime: timespec64

    def __init__(self) -> None:
        self.alloced = 0
        self.seals = 0
        self.i_crtime = TIME64_ZERO


class shmem_sb_info:
    """A mounted tmpfs: its limits (0: none) and what is used of them."""

    __slots__ = ("_addr", "free_inodes", "gid", "max_blocks", "max_inodes", "mode", "next_ino", "uid", "used_blocks")
    _addr: int

    def __init__(self) -> None:
        self.max_blocks = 0
        self.used_blocks = 0
        self.max_inodes = 0
        self.free_inodes = 0
        self.mode = 0
        self.uid = 0
        self.gid = 0
        self.next_ino = 0


class shmem_options:
    """The mount options of a tmpfs; None: not given."""

    __slots__ = ("blocks", "gid", "inodes", "mode", "uid")

    def __init__(self) -> None:
        self.blocks: int | None = None
        self.inodes: int | None = None
        self.mode = 0o1777
        self.uid = 0
        self.gid = 0


def SHMEM_I(inode: inode) -> shmem_inode_info:
    """The tmpfs inode around an inode."""
    return cast(shmem_inode_info, inode)


def SHMEM_SB(sb: super_block) -> shmem_sb_info:
    """What tmpfs keeps of a mount."""
    return cast(shmem_sb_info, sb.s_fs_info)
