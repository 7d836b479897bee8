"""What a strace log tells of files: what was there before, strings and paths as strace writes them."""

from __future__ import annotations

import codecs
import re
from posixpath import normpath
from typing import Final

from kshell.abi.fcntl import O_RDWR

STATS: Final = frozenset({"stat", "lstat", "newfstatat", "fstat", "statx", "fstatat64"})

_STRING = re.compile(r'"((?:[^"\\]|\\.)*)"(\.\.\.)?', re.DOTALL)


def unescape(text: str) -> bytes:
    """The bytes of a string as strace escapes it, without its quotes."""
    data = text.encode("utf-8", "surrogateescape")
    return bytes(codecs.escape_decode(data)[0]) if b"\\" in data else data


def string_of(argument: str) -> tuple[bytes, bool] | None:
    """(bytes, whether they are all) of a string argument; None if it is none."""
    match = _STRING.fullmatch(argument)
    return (unescape(match[1]), match[2] is None) if match else None


def number_of(argument: str) -> int:
    """The number that an argument begins with, a descriptor perhaps; -1 if it begins with none."""
    match = re.match(r"-?\d{1,20}", argument)
    return int(match[0]) if match else -1


def absolute(cwd: str, name: str) -> str:
    """`name` seen from `cwd`, without . and .. ."""
    path = normpath(name if name.startswith("/") else f"{cwd}/{name}")
    return "/" + path.lstrip("/")


class Node:
    """Something that was there before. kind: S_IFREG, S_IFDIR, S_IFLNK, S_IFCHR; contents by offset."""

    __slots__ = ("contents", "filler", "flags", "here", "kind", "mode", "rdev", "size", "target")

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.mode = 0o755 if kind == "S_IFDIR" else 0o644
        self.size: int | None = None
        self.contents: dict[int, bytes] = {}
        self.target = b""
        self.rdev = (0, 0)
        self.filler: tuple[int, int] | None = None
        self.flags = O_RDWR
        self.here = False  # a standard descriptor's: whether its file lies where the log's files do


class Cover:
    """A file that only the log knows: its text by offset, as its latest read found it, in lines."""

    def __init__(self) -> None:
        self.texts: dict[int, bytes] = {}
        self.lines: list[bytes] = []

    def found(self, at: int, text: bytes) -> None:
        """A read at `at` gives `text`."""
        self.texts[at] = text
        self.lines[:] = b"".join(self.texts[offset] for offset in sorted(self.texts)).splitlines(keepends=True)
