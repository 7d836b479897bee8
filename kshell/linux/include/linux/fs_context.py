"""The making of a mount: what is wanted, and the super block that came of it (include/linux/fs_context.h)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kshell.linux.include.linux.cred import cred
    from kshell.linux.include.linux.dcache import dentry
    from kshell.linux.include.linux.fs import file_system_type
    from kshell.linux.include.linux.sched import user_namespace
    from kshell.linux.include.net.net_namespace import net
    from kshell.linux.init.kernel import Kernel

FS_CONTEXT_FOR_MOUNT = 0
FS_CONTEXT_FOR_SUBMOUNT = 1
FS_CONTEXT_FOR_RECONFIGURE = 2


class fs_context_operations:
    """What a file system does to be mounted. `parse_param(fc, key, value)` takes one mount option."""

    __slots__ = ("free", "get_tree", "parse_param", "reconfigure")

    def __init__(
        self,
        *,
        get_tree: Callable[[fs_context], None],
        free: Callable[[fs_context], None] | None = None,
        parse_param: Callable[[fs_context, str, str | None], None] | None = None,
        reconfigure: Callable[[fs_context], None] | None = None,
    ) -> None:
        self.get_tree = get_tree
        self.free = free
        self.parse_param = parse_param
        self.reconfigure = reconfigure


class fs_context:
    """A mount being set up. `kernel` leads to the machine."""

    __slots__ = (
        "_global",
        "cred",
        "fs_private",
        "fs_type",
        "kernel",
        "net_ns",
        "ops",
        "purpose",
        "root",
        "s_fs_info",
        "s_iflags",
        "sb_flags",
        "sb_flags_mask",
        "source",
        "user_ns",
    )
    ops: fs_context_operations

    def __init__(self, kernel: Kernel, fs_type: file_system_type) -> None:
        self.kernel = kernel
        self.fs_type = fs_type
        self.fs_private: object = None
        self.root: dentry | None = None
        self.user_ns: user_namespace | None = None
        self.net_ns: net | None = None
        self.cred: cred | None = None
        self.source: bytes | None = None
        self.s_fs_info: object = None
        self.sb_flags = 0
        self.sb_flags_mask = 0
        self.s_iflags = 0
        self.purpose = FS_CONTEXT_FOR_MOUNT
        self._global = False
