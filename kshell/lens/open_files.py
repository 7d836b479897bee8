"""What the descriptors of a task lead to, looked up without a system call."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import compress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kshell.linux.include.linux.fdtable import files_struct
    from kshell.linux.include.linux.fs import file


def open_files(files: files_struct) -> Iterable[tuple[int, file]]:
    """The open descriptors."""
    table: list[Any] = files.fdt.fd
    return compress(enumerate(table), table)


def open_file(files: files_struct, fd: int) -> file | None:
    """The file of a descriptor; None if it is not open."""
    table = files.fdt.fd
    return table[fd] if 0 <= fd < len(table) else None


def sock_of(file: object) -> Any:
    """The struct sock of a socket's file; None if it is no such file."""
    return getattr(getattr(file, "private_data", None), "sk", None)
