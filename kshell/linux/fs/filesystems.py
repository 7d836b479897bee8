"""The registered kinds of file system (fs/filesystems.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.errno import EBUSY
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.fs import file_system_type

if TYPE_CHECKING:
    from kshell.linux.init.kernel import Kernel


def register_filesystem(kernel: Kernel, fs: file_system_type) -> None:
    """Let mount() find a kind of file system. EBUSY: the name is taken."""
    if fs.name in kernel.file_systems:
        raise KernelError(EBUSY)
    kernel.file_systems[fs.name] = fs


def get_filesystem(fs: file_system_type) -> file_system_type:
    """Keep the module that brings the file system."""
    return fs


def put_filesystem(fs: file_system_type) -> None:
    """Let go of the module."""


def get_fs_type(kernel: Kernel, name: str) -> file_system_type | None:
    """The kind of file system of that name."""
    return kernel.file_systems.get(name)
