"""struct ns_common (include/linux/ns_common.h): what namespaces of every kind have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from kshell.linux.include.linux.dcache import dentry
    from kshell.linux.include.linux.proc_ns import proc_ns_operations


class ns_common:
    """count: of references; inum: its number, the inode of its file; stashed: the dentry of that file while it is open."""

    __slots__ = ("count", "inum", "ops", "stashed")

    def __init__(self, ops: proc_ns_operations | None = None, inum: int = 0) -> None:
        self.stashed: dentry | None = None
        self.ops = ops
        self.inum = inum
        self.count = 1


class namespace(Protocol):
    """What has a struct ns_common in it: a network, mount, UTS, pid or user namespace."""

    ns: ns_common
