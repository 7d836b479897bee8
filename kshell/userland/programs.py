"""cat, ls, echo: programs that only make system calls. Each takes its process and words, gives its output."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator

from kshell.userland.runtime import AT_FDCWD, Process, ProgramError

O_RDONLY, O_WRONLY, O_CREAT, O_TRUNC, O_APPEND, O_DIRECTORY = 0, 1, 0o100, 0o1000, 0o2000, 0o200000
AT_SYMLINK_NOFOLLOW = 0x100
CHUNK = 4096
MOST = 16 << 20

_STAT = struct.Struct("<QQQIIIIQqqq")
_TYPES = {
    0o140000: "s",
    0o120000: "l",
    0o100000: "-",
    0o060000: "b",
    0o040000: "d",
    0o020000: "c",
    0o010000: "p",
}


def cat(process: Process, words: list[str]) -> str:
    """The contents of files, one behind the other."""
    if not words:
        raise ProgramError("cat wants a path")
    return b"".join(read_file(process, path) for path in words).decode("utf-8", "backslashreplace")


def read_file(process: Process, path: str) -> bytes:
    """open, read until end of file, close."""
    fd = process.call("openat", AT_FDCWD, path, O_RDONLY, 0)
    try:
        buffer, parts, total = process.buffer(CHUNK), [], 0
        while total < MOST and (got := process.call("read", fd, buffer, CHUNK)):
            parts.append(process.memory(buffer, got))
            total += got
        return b"".join(parts)
    finally:
        process.call("close", fd)


def echo(process: Process, words: list[str]) -> str:
    """The words with blanks between them; behind > or >> comes a file to write them to."""
    for operator, flags in ((">", O_TRUNC), (">>", O_APPEND)):
        if operator in words:
            at = words.index(operator)
            if len(words) != at + 2:
                raise ProgramError(f"one path goes behind {operator}")
            write_file(process, words[at + 1], " ".join(words[:at]).encode() + b"\n", flags)
            return ""
    return " ".join(words) + "\n"


def write_file(process: Process, path: str, data: bytes, flags: int) -> None:
    """open (made if need be), write, close."""
    fd = process.call("openat", AT_FDCWD, path, O_WRONLY | O_CREAT | flags, 0o644)
    try:
        process.call("write", fd, data, len(data))
    finally:
        process.call("close", fd)


def ls(process: Process, words: list[str]) -> str:
    """Names in directories, sorted; -l with type, mode, links, owner, size."""
    long = "-l" in words
    paths = [word for word in words if word != "-l"] or ["."]
    return "".join(_listing(process, path, long) for path in paths)


def _listing(process: Process, path: str, long: bool) -> str:
    names = sorted(name for name in entries(process, path) if not name.startswith("."))
    if not long:
        return "".join(name + "\n" for name in names)
    return "".join(_long(process, f"{path.rstrip('/')}/{name}", name) for name in names)


def _long(process: Process, path: str, name: str) -> str:
    buffer = process.buffer(144)
    process.call("newfstatat", AT_FDCWD, path, buffer, AT_SYMLINK_NOFOLLOW)
    _, _, links, mode, uid, gid, _, _, size, _, _ = _STAT.unpack(process.memory(buffer, _STAT.size))
    bits = "".join(c if mode >> (8 - i) & 1 else "-" for i, c in enumerate("rwxrwxrwx"))
    return f"{_TYPES.get(mode & 0o170000, '?')}{bits} {links:3} {uid:5} {gid:5} {size:8} {name}\n"


def entries(process: Process, path: str) -> Iterator[str]:
    """The names that getdents64 gives."""
    fd = process.call("openat", AT_FDCWD, path, O_RDONLY | O_DIRECTORY, 0)
    try:
        buffer = process.buffer(CHUNK)
        while got := process.call("getdents64", fd, buffer, CHUNK):
            data, at = process.memory(buffer, got), 0
            while at < got:
                (length,) = struct.unpack_from("<H", data, at + 16)
                yield data[at + 19 : at + length].split(b"\0", 1)[0].decode("utf-8", "backslashreplace")
                at += length
    finally:
        process.call("close", fd)


PROGRAMS: dict[str, Callable[[Process, list[str]], str]] = {"cat": cat, "ls": ls, "echo": echo}
