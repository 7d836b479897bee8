"""Where a task stands in the tree, and its umask (include/linux/fs_struct.h)."""

from __future__ import annotations

from kshell.linux.include.linux.path import path


class fs_struct:
    """Root and working directory; shared by tasks cloned with CLONE_FS."""

    __slots__ = ("_addr", "in_exec", "pwd", "root", "umask", "users")
    _addr: int
    root: path
    pwd: path

    def __init__(self) -> None:
        self.users = 1
        self.umask = 0o022
        self.in_exec = 0
