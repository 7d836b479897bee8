"""Throwing whole trees of dentries away: unmounting, stale directories (fs/dcache.c)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from kshell.linux.fs.dcache import __d_drop, __dentry_kill, dput
from kshell.linux.include.linux.dcache import DCACHE_GENOCIDE, dentry

if TYPE_CHECKING:
    from kshell.linux.include.linux.fs import super_block

_Data = TypeVar("_Data")

D_WALK_CONTINUE = 0
D_WALK_QUIT = 1
D_WALK_SKIP = 3


def d_walk(parent: dentry, data: _Data, enter: Callable[[_Data, dentry], int]) -> None:
    """Visit the tree, parents first; enter(data, entry) says how to go on."""
    if enter(data, parent) != D_WALK_CONTINUE:
        return
    pending = list(parent.d_subdirs or ())
    while pending:
        entry = pending.pop()
        verdict = enter(data, entry)
        if verdict == D_WALK_QUIT:
            return
        if verdict == D_WALK_CONTINUE:
            pending.extend(entry.d_subdirs or ())


def d_genocide_kill(root: dentry, entry: dentry) -> int:
    """Drop the reference that pins a name, once."""
    if entry is not root:
        if not entry.d_hash or entry.d_inode is None:
            return D_WALK_SKIP
        if not entry.d_flags & DCACHE_GENOCIDE:
            entry.d_flags |= DCACHE_GENOCIDE
            entry.d_lockref -= 1
    return D_WALK_CONTINUE


def d_genocide(parent: dentry) -> None:
    """Drop the reference that pins each name of a file system that lives in memory."""
    d_walk(parent, parent, d_genocide_kill)


class select_data:
    """What a walk for unused dentries begins at, and what it has found."""

    __slots__ = ("dispose", "start")

    def __init__(self, start: dentry) -> None:
        self.start = start
        self.dispose: list[dentry] = []


def select_collect(data: select_data, entry: dentry) -> int:
    """Collect a dentry that nobody uses."""
    if entry is not data.start and entry.d_lockref == 0 and not entry.d_subdirs:
        data.dispose.append(entry)
    return D_WALK_CONTINUE


def shrink_dcache_parent(parent: dentry) -> None:
    """Free every unused dentry below parent."""
    while True:
        data = select_data(parent)
        d_walk(parent, data, select_collect)
        if not data.dispose:
            return
        shrink_dentry_list(data.dispose)


def shrink_dentry_list(entries: list[dentry]) -> None:
    """Free unused dentries."""
    for entry in entries:
        dput(__dentry_kill(entry))


def umount_check(root: dentry, entry: dentry) -> int:
    """No dentry may be in use by now."""
    assert entry is root or entry.d_subdirs, f"dentry still in use ({entry.d_lockref}) [{entry.d_name.name!r}]"
    return D_WALK_CONTINUE


def do_one_tree(root: dentry) -> None:
    """Free the tree of a file system that is being unmounted."""
    shrink_dcache_parent(root)
    d_walk(root, root, umount_check)
    __d_drop(root)
    dput(root)


def shrink_dcache_for_umount(sb: super_block) -> None:
    """The file system goes: so do all its dentries."""
    root, sb.s_root = sb.s_root, None
    if root is not None:
        do_one_tree(root)


def d_invalidate(entry: dentry) -> None:
    """The name is stale: lookups find neither it nor anything below."""
    if not entry.d_hash:
        return
    __d_drop(entry)
    if entry.d_inode is not None:
        shrink_dcache_parent(entry)
