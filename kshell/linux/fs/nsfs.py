"""Namespaces as files (fs/nsfs.c): the file system is there, nothing is in it yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.stat import NSFS_MAGIC
from kshell.linux.fs.libfs import init_pseudo, simple_statfs
from kshell.linux.fs.namespace import kern_mount
from kshell.linux.fs.super import kill_anon_super
from kshell.linux.include.linux.fs import file_system_type, super_operations

if TYPE_CHECKING:
    from kshell.linux.include.linux.fs_context import fs_context
    from kshell.linux.init.kernel import Kernel

nsfs_ops = super_operations(statfs=simple_statfs)


def nsfs_init_fs_context(fc: fs_context) -> None:
    """Begin to mount."""
    init_pseudo(fc, NSFS_MAGIC).ops = nsfs_ops


nsfs = file_system_type(name="nsfs", init_fs_context=nsfs_init_fs_context, kill_sb=kill_anon_super)


def nsfs_init(kernel: Kernel) -> None:
    """Mount it for the kernel's own use."""
    kernel.nsfs_mnt = kern_mount(kernel, nsfs)
