"""Directory entries: names bound to inodes (include/linux/dcache.h)."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kshell.linux.include.linux.fs import inode, super_block

DCACHE_OP_HASH = 0x00000001
DCACHE_OP_COMPARE = 0x00000002
DCACHE_OP_REVALIDATE = 0x00000004
DCACHE_OP_DELETE = 0x00000008
DCACHE_OP_PRUNE = 0x00000010
DCACHE_DISCONNECTED = 0x00000020
DCACHE_REFERENCED = 0x00000040
DCACHE_DONTCACHE = 0x00000080
DCACHE_CANT_MOUNT = 0x00000100
DCACHE_GENOCIDE = 0x00000200
DCACHE_SHRINK_LIST = 0x00000400
DCACHE_OP_WEAK_REVALIDATE = 0x00000800
DCACHE_DENTRY_KILLED = 0x00008000
DCACHE_MOUNTED = 0x00010000
DCACHE_NEED_AUTOMOUNT = 0x00020000
DCACHE_MANAGE_TRANSIT = 0x00040000
DCACHE_LRU_LIST = 0x00080000
DCACHE_ENTRY_TYPE = 0x00700000
DCACHE_MISS_TYPE = 0x00000000
DCACHE_WHITEOUT_TYPE = 0x00100000
DCACHE_DIRECTORY_TYPE = 0x00200000
DCACHE_AUTODIR_TYPE = 0x00300000
DCACHE_REGULAR_TYPE = 0x00400000
DCACHE_SPECIAL_TYPE = 0x00500000
DCACHE_SYMLINK_TYPE = 0x00600000
DCACHE_NORCU = 0x40000000


class qstr:
    """A name of a dentry, with its length and hash. Never changed once made."""

    __slots__ = ("name",)

    def __init__(self, name: bytes) -> None:
        self.name = name

    @property
    def len(self) -> int:
        """u32: bytes in the name."""
        return len(self.name)

    @property
    def hash(self) -> int:
        """u32: a hash of the name that is the same in every run."""
        return zlib.crc32(self.name)


SLASH_NAME = qstr(b"/")


class dentry_operations:
    """What a file system does itself about its dentries."""

    __slots__ = (
        "_flags",
        "d_compare",
        "d_delete",
        "d_dname",
        "d_init",
        "d_iput",
        "d_prune",
        "d_release",
        "d_revalidate",
        "d_weak_revalidate",
    )

    def __init__(
        self,
        *,
        d_revalidate: Callable[[dentry, int], int] | None = None,
        d_weak_revalidate: Callable[[dentry, int], int] | None = None,
        d_compare: Callable[[dentry, int, bytes, qstr], int] | None = None,
        d_delete: Callable[[dentry], int] | None = None,
        d_init: Callable[[dentry], int] | None = None,
        d_release: Callable[[dentry], None] | None = None,
        d_prune: Callable[[dentry], None] | None = None,
        d_iput: Callable[[dentry, inode], None] | None = None,
        d_dname: Callable[[dentry, bytes, int], bytes] | None = None,
    ) -> None:
        self.d_revalidate = d_revalidate
        self.d_weak_revalidate = d_weak_revalidate
        self.d_compare = d_compare
        self.d_delete = d_delete
        self.d_init = d_init
        self.d_release = d_release
        self.d_prune = d_prune
        self.d_iput = d_iput
        self.d_dname = d_dname
        self._flags = (
            (DCACHE_OP_COMPARE if d_compare else 0)
            | (DCACHE_OP_REVALIDATE if d_revalidate else 0)
            | (DCACHE_OP_WEAK_REVALIDATE if d_weak_revalidate else 0)
            | (DCACHE_OP_DELETE if d_delete else 0)
            | (DCACHE_OP_PRUNE if d_prune else 0)
        )


class dentry:
    """A directory entry. `d_inode` is None while the name is known not to exist (a negative dentry).

    __d_alloc() gives every field its first value.
    """

    __slots__ = (
        "_addr",
        "_d_parent",
        "d_flags",
        "d_fsdata",
        "d_hash",
        "d_inode",
        "d_lockref",
        "d_name",
        "d_op",
        "d_sb",
        "d_subdirs",
        "d_time",
        "d_u",
    )
    _addr: int
    d_flags: int
    _d_parent: dentry | None
    """None: the dentry is its own parent (a root)."""
    d_name: qstr
    d_inode: inode | None
    d_op: dentry_operations | None
    d_sb: super_block
    d_lockref: int
    """Its `count`: how many hold the dentry (a child holds its parent)."""
    d_u: dentry | None
    """d_alias: the next dentry of the same inode."""
    d_hash: bool
    """Whether lookups find the dentry (it hangs in `kernel.dentry_hashtable`)."""
    d_fsdata: object
    d_time: int
    d_subdirs: dict[dentry, None] | None
    """The children, oldest first."""

    @property
    def d_parent(self) -> dentry:
        """The directory it is in."""
        return self._d_parent or self


def dget(dentry: dentry) -> dentry:
    """Take a reference."""
    dentry.d_lockref += 1
    return dentry


def d_unlinked(dentry: dentry) -> bool:
    """Whether the name was removed while the dentry is still in use (a root is never hashed)."""
    return not dentry.d_hash and dentry._d_parent is not None


def IS_ROOT(dentry: dentry) -> bool:
    """Whether the dentry has no parent but itself."""
    return dentry._d_parent is None


def d_is_negative(dentry: dentry) -> bool:
    """Whether nothing of this name exists."""
    return not dentry.d_flags & DCACHE_ENTRY_TYPE


def d_is_dir(dentry: dentry) -> bool:
    """Whether the dentry is a directory in which names can be looked up."""
    return dentry.d_flags & DCACHE_ENTRY_TYPE in (DCACHE_DIRECTORY_TYPE, DCACHE_AUTODIR_TYPE)


def d_can_lookup(dentry: dentry) -> bool:
    """Whether names can be looked up in the dentry."""
    return dentry.d_flags & DCACHE_ENTRY_TYPE == DCACHE_DIRECTORY_TYPE


def d_is_symlink(dentry: dentry) -> bool:
    """Whether the dentry is a symbolic link."""
    return dentry.d_flags & DCACHE_ENTRY_TYPE == DCACHE_SYMLINK_TYPE


def cant_mount(dentry: dentry) -> bool:
    """Whether nothing may be mounted here any more: the directory was removed."""
    return bool(dentry.d_flags & DCACHE_CANT_MOUNT)


def dont_mount(dentry: dentry) -> None:
    """Forbid mounts on a directory that is being removed."""
    dentry.d_flags |= DCACHE_CANT_MOUNT


def d_backing_inode(upper: dentry) -> inode:
    """The inode behind a positive dentry."""
    assert upper.d_inode is not None
    return upper.d_inode


d_inode = d_backing_inode
