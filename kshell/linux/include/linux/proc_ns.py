"""Namespaces as files in /proc (include/linux/proc_ns.h)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kshell.linux.include.linux.fs import inode
    from kshell.linux.include.linux.ns_common import namespace
    from kshell.linux.include.linux.nsproxy import nsset
    from kshell.linux.include.linux.sched import task_struct, user_namespace
    from kshell.linux.init.kernel import Kernel

PROC_UTS_INIT_INO = 0xEFFFFFFE
PROC_USER_INIT_INO = 0xEFFFFFFD
PROC_PID_INIT_INO = 0xEFFFFFFC
PROC_DYNAMIC_FIRST = 0xF0000000


class proc_ns_operations:
    """What can be done with a kind of namespace.

    get: that of a task, referenced, None when it is dead; put: drop a reference; install: for setns(), into an nsset
    (EPERM, EINVAL); owner: the user namespace it belongs to; get_parent: the one around it.
    """

    __slots__ = ("get", "get_parent", "install", "name", "owner", "put", "real_ns_name", "type")

    def __init__(
        self,
        name: str,
        type: int,
        get: Callable[[task_struct], namespace | None],
        put: Callable[[namespace], None],
        install: Callable[[nsset, namespace], None],
        owner: Callable[[namespace], user_namespace],
        real_ns_name: str = "",
        get_parent: Callable[[namespace], namespace] | None = None,
    ) -> None:
        self.name = name
        self.real_ns_name = real_ns_name
        self.type = type
        self.get = get
        self.put = put
        self.install = install
        self.owner = owner
        self.get_parent = get_parent


def ns_alloc_inum(kernel: Kernel) -> int:
    """A number for a new namespace."""
    kernel.ns_inum += 1
    return PROC_DYNAMIC_FIRST + kernel.ns_inum - 1


def get_proc_ns(inode: inode) -> namespace:
    """The namespace that a file of nsfs is."""
    ns: namespace = inode.i_private  # type: ignore[assignment]  # set by __ns_get_path()
    return ns
