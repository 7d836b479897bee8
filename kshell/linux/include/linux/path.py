"""struct path: a place in the tree, as a dentry seen through a mount (include/linux/path.h)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kshell.linux.include.linux.dcache import dentry as dentry_t
    from kshell.linux.include.linux.mount import vfsmount


class path:
    """A (mount, dentry) pair. Passed by value in Linux: copy it with `path(p.mnt, p.dentry)`."""

    __slots__ = ("dentry", "mnt")

    def __init__(self, mnt: vfsmount, dentry: dentry_t) -> None:
        self.mnt = mnt
        self.dentry = dentry
