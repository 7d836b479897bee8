"""The table of a process's open files (include/linux/fdtable.h)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kshell.linux.include.linux.fs import file

BITS_PER_LONG = 64
NR_OPEN_DEFAULT = BITS_PER_LONG


class fdtable:
    """Descriptor → file, with a bit in words of 64 for each descriptor in use or reserved."""

    __slots__ = ("close_on_exec", "fd", "full_fds_bits", "max_fds", "open_fds")

    def __init__(self, max_fds: int) -> None:
        words = max_fds // BITS_PER_LONG
        self.max_fds = max_fds
        self.fd: list[file | None] = [None] * max_fds
        self.close_on_exec = [0] * words
        self.open_fds = [0] * words
        self.full_fds_bits = [0] * -(-words // BITS_PER_LONG)
        """Bit N: word N of `open_fds` has no zero left."""


class files_struct:
    """The open files of a process; shared by tasks cloned with CLONE_FILES."""

    __slots__ = ("_addr", "count", "fdt", "fdtab", "next_fd")
    _addr: int

    def __init__(self) -> None:
        self.count = 1
        self.next_fd = 0
        self.fdtab = fdtable(NR_OPEN_DEFAULT)
        self.fdt = self.fdtab

    @property
    def fd_array(self) -> list[file | None]:
        """The embedded array for the first 64 descriptors."""
        return self.fdtab.fd


def close_on_exec(fd: int, fdt: fdtable) -> bool:
    """Whether execve() closes the descriptor."""
    return bool(fdt.close_on_exec[fd >> 6] >> (fd & 63) & 1)


def fd_is_open(fd: int, fdt: fdtable) -> bool:
    """Whether the descriptor is in use or reserved."""
    return bool(fdt.open_fds[fd >> 6] >> (fd & 63) & 1)
