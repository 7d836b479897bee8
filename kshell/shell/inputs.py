"""Reading the files that the command line names."""

from __future__ import annotations

import sys
from codecs import BOM_UTF8
from typing import Final

from kshell.lens.text import one_line
from kshell.session.kinds import kind_of

MOST_BYTES: Final = 1 << 28
"""Of a file that is read: no script or log is as long, but /dev/zero is."""


class Unreadable(Exception):
    """A file cannot be read, or is of no kind that kshell takes; says which and why."""

    def __str__(self) -> str:
        return one_line(super().__str__())


class Input:
    """A file: its name, its bytes and what it is."""

    __slots__ = ("data", "kind", "name")

    def __init__(self, name: str, data: bytes) -> None:
        self.name = name
        self.data = data
        self.kind = kind_of(name, data)

    @property
    def text(self) -> str:
        """The file as text; Unreadable where it is none."""
        try:
            return self.data.removeprefix(BOM_UTF8).decode()
        except UnicodeDecodeError as error:
            line = self.data.count(b"\n", 0, error.start) + 1
            raise Unreadable(f"{self.name}:{line}:1: not UTF-8 text (byte {error.start})") from None


def _bounded(data: bytes) -> bytes:
    if len(data) > MOST_BYTES:
        raise OSError(f"longer than {MOST_BYTES >> 20} MiB")
    return data


def read(name: str) -> Input:
    """Read FILE, or standard input for `-`."""
    try:
        if name == "-":
            stream = getattr(sys.stdin, "buffer", None)
            found = Input("<stdin>", _bounded(stream.read(MOST_BYTES + 1)) if stream is not None else b"")
        else:
            with open(name, "rb") as file:
                found = Input(name, _bounded(file.read(MOST_BYTES + 1)))
    except OSError as error:
        raise Unreadable(f"kshell: {name}: {error.strerror or error}") from None
    except MemoryError:
        raise Unreadable(f"kshell: {name}: too large for this computer's memory") from None
    if found.kind == "not text":
        raise Unreadable(f"{found.name}:1:1: neither text nor a gzip of call records")
    return found
