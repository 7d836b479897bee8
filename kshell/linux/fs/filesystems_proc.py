"""/proc/filesystems (fs/filesystems.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.linux.fs.proc.generic import proc_create_single
from kshell.linux.fs.seq_file import seq_puts
from kshell.linux.include.linux.fs import FS_REQUIRES_DEV

if TYPE_CHECKING:
    from kshell.linux.include.linux.seq_file import seq_file
    from kshell.linux.init.kernel import Kernel


def filesystems_proc_show(m: seq_file, v: object) -> None:
    """/proc/filesystems."""
    for fs in m.file._kernel.file_systems.values():
        seq_puts(m, f"{'' if fs.fs_flags & FS_REQUIRES_DEV else 'nodev'}\t{fs.name}\n")


def proc_filesystems_init(kernel: Kernel) -> None:
    """Make /proc/filesystems."""
    proc_create_single(kernel, "filesystems", 0, None, filesystems_proc_show)
