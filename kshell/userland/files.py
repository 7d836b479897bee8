"""What programs do with files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kshell.abi.fcntl import O_CREAT, O_RDONLY, O_WRONLY
from kshell.userland.runtime import AT_FDCWD

if TYPE_CHECKING:
    from kshell.userland.runtime import Process

CHUNK: Final = 4096
MOST: Final = 16 << 20


async def read_file(p: Process, path: str) -> bytes:
    """open, read until end of file, close."""
    fd = await p.call("openat", AT_FDCWD, path, O_RDONLY, 0)
    try:
        buffer, parts, total = p.scratch(CHUNK), [], 0
        while total < MOST and (got := await p.call("read", fd, buffer, CHUNK, what=path)):
            parts.append(p.memory(buffer, got))
            total += got
        return b"".join(parts)
    finally:
        await p.call("close", fd)


async def read_lines(p: Process, path: str) -> list[str]:
    """The lines of a text."""
    return (await read_file(p, path)).decode("utf-8", "backslashreplace").splitlines()


async def write_file(p: Process, path: str, data: bytes, flags: int, create: bool = True) -> None:
    """open (made if need be), write, close."""
    fd = await p.call("openat", AT_FDCWD, path, O_WRONLY | (O_CREAT if create else 0) | flags, 0o644)
    try:
        await p.call("write", fd, data, len(data), what=path)
    finally:
        await p.call("close", fd)
