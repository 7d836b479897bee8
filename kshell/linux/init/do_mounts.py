"""The root file system's type (init/do_mounts.c; it is a tmpfs)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.linux.fs.super import kill_litter_super
from kshell.linux.include.linux.fs import file_system_type
from kshell.linux.mm.shmem_super import shmem_init_fs_context

if TYPE_CHECKING:
    from kshell.linux.include.linux.fs_context import fs_context


def rootfs_init_fs_context(fc: fs_context) -> None:
    """Begin to mount the root."""
    shmem_init_fs_context(fc)


rootfs_fs_type = file_system_type(
    name="rootfs", init_fs_context=rootfs_init_fs_context, kill_sb=kill_litter_super
)
