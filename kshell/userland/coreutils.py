"""cat, ls, echo."""

from __future__ import annotations

import struct
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Final

from kshell.abi.fcntl import AT_SYMLINK_NOFOLLOW, O_APPEND, O_DIRECTORY, O_RDONLY, O_TRUNC
from kshell.userland.files import read_file, write_file
from kshell.userland.runtime import AT_FDCWD, ProgramError, SystemCallError

if TYPE_CHECKING:
    from kshell.userland.runtime import Process

CHUNK: Final = 4096
_STAT: Final = struct.Struct("<QQQIIIIQqqq")
_TYPES: Final = {
    0o140000: "s", 0o120000: "l", 0o100000: "-", 0o060000: "b", 0o040000: "d", 0o020000: "c", 0o010000: "p",
}  # fmt: skip


async def main_cat(p: Process, argv: list[str]) -> int:
    """The contents of files, one behind the other."""
    if not argv[1:]:
        raise ProgramError("a path is missing: at the prompt there is nothing to read from standard input")
    status = 0
    for path in argv[1:]:
        try:
            p.print((await read_file(p, path)).decode("utf-8", "backslashreplace"), end="")
        except SystemCallError as error:
            p.complain(f"cat: {error}")
            status = 1
    return status


async def main_echo(p: Process, argv: list[str]) -> int:
    """The words with blanks between them; behind > or >> comes a file to write them to, as the shell does it."""
    words = argv[1:]
    for operator, flags in ((">", O_TRUNC), (">>", O_APPEND)):
        if operator in words:
            at = words.index(operator)
            if len(words) != at + 2:
                raise ProgramError(f"one path goes behind {operator}")
            await write_file(p, words[at + 1], " ".join(words[:at]).encode() + b"\n", flags)
            return 0
    p.print(" ".join(words))
    return 0


async def main_ls(p: Process, argv: list[str]) -> int:
    """Names in directories, sorted; -l with type, mode, links, owner, size."""
    long = "-l" in argv
    paths = [word for word in argv[1:] if not word.startswith("-")] or ["."]
    status = 0
    for path in paths:
        try:
            if len(paths) > 1:
                p.print(f"{path}:")
            await _list(p, path, long)
        except SystemCallError as error:
            p.complain(f"ls: cannot access '{path}': {str(error).rpartition(': ')[2]}")
            status = 2
    return status


async def _list(p: Process, path: str, long: bool) -> None:
    try:
        names = sorted([name async for name in entries(p, path) if not name.startswith(".")])
    except SystemCallError as error:
        if error.errno != 20:  # ENOTDIR
            raise
        p.print(await _long(p, path, path) if long else path)
        return
    for name in names:
        p.print(await _long(p, f"{path.rstrip('/')}/{name}", name) if long else name)


async def _long(p: Process, path: str, name: str) -> str:
    buffer = p.scratch(144)
    await p.call("newfstatat", AT_FDCWD, path, buffer, AT_SYMLINK_NOFOLLOW)
    _, _, links, mode, uid, gid, _, rdev, size, _, _ = _STAT.unpack(p.memory(buffer, _STAT.size))
    bits = "".join(c if mode >> (8 - i) & 1 else "-" for i, c in enumerate("rwxrwxrwx"))
    kind = mode & 0o170000
    shown = f"{rdev >> 8 & 0xFFF:3},{rdev & 0xFF:4}" if kind in (0o020000, 0o060000) else f"{size:8}"
    target = ""
    if kind == 0o120000:
        link = p.scratch(256)
        length = await p.call("readlinkat", AT_FDCWD, path, link, 256)
        target = " -> " + p.memory(link, length).decode("utf-8", "backslashreplace")
    return f"{_TYPES.get(kind, '?')}{bits} {links:3} {uid:5} {gid:5} {shown} {name}{target}"


async def entries(p: Process, path: str) -> AsyncIterator[str]:
    """The names that getdents64 gives."""
    fd = await p.call("openat", AT_FDCWD, path, O_RDONLY | O_DIRECTORY, 0)
    try:
        buffer = p.scratch(CHUNK)
        while got := await p.call("getdents64", fd, buffer, CHUNK):
            data, at = p.memory(buffer, got), 0
            while at < got:
                (length,) = struct.unpack_from("<H", data, at + 16)
                yield data[at + 19 : at + length].split(b"\0", 1)[0].decode("utf-8", "backslashreplace")
                at += length
    finally:
        await p.call("close", fd)
