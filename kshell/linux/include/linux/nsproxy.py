"""struct nsset (include/linux/nsproxy.h): the namespaces that setns() is about to give a task."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kshell.linux.include.linux.cred import cred
    from kshell.linux.include.linux.fs_struct import fs_struct
    from kshell.linux.include.linux.sched import nsproxy as nsproxy_t


class nsset:
    """flags: CLONE_NEW* of what changes; fs: where root and working directory are to be put."""

    __slots__ = ("cred", "flags", "fs", "nsproxy")

    def __init__(self, flags: int, nsproxy: nsproxy_t, fs: fs_struct, cred: cred) -> None:
        self.flags = flags
        self.nsproxy: nsproxy_t | None = nsproxy
        self.fs = fs
        self.cred = cred
