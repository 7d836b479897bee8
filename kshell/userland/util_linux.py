"""dmesg, mount."""

from __future__ import annotations

import re
from os import strerror
from typing import TYPE_CHECKING, Final

from kshell.abi.errno import ENODEV, ENOENT
from kshell.userland.files import read_lines
from kshell.userland.getopt import Getopt
from kshell.userland.runtime import ProgramError, SystemCallError

if TYPE_CHECKING:
    from kshell.userland.runtime import Process

SYSLOG_ACTION_READ_ALL: Final = 3
SYSLOG_ACTION_SIZE_BUFFER: Final = 10
_FLAGS: Final = {
    "ro": 1, "nosuid": 2, "nodev": 4, "noexec": 8, "sync": 16, "remount": 32, "bind": 4096, "rbind": 4096 | 16384,
    "rw": 0, "noatime": 1024, "relatime": 1 << 21,
}  # fmt: skip


async def main_dmesg(p: Process, argv: list[str]) -> int:
    """The kernel's log, by syslog()."""
    size = await p.call("syslog", SYSLOG_ACTION_SIZE_BUFFER, 0, 0, what="read kernel buffer failed")
    buffer = p.buffer(size)
    got = await p.call("syslog", SYSLOG_ACTION_READ_ALL, buffer, size, what="read kernel buffer failed")
    for line in p.memory(buffer, got).decode("utf-8", "backslashreplace").splitlines():
        p.print(re.sub(r"^<\d+>", "", line))
    return 0


GETOPT: Final = Getopt(
    "t:o:lrwnv", {"types=": "t", "options=": "o", "show-labels": "l", "read-only": "r", "rw": "w", "bind": "B"}, 1,
    "Try 'mount --help' for more information.",
)  # fmt: skip
MOUNT_FAILED: Final = 32
_HINT: Final = "\n       dmesg(1) may have more information after failed mount system call."


async def main_mount(p: Process, argv: list[str]) -> int:
    """mount [-t TYPE] [-o OPTIONS] SOURCE TARGET; without these what is mounted, from /proc/self/mounts."""
    found, words = GETOPT.parse(argv)
    kind = next((value for letter, value in found if letter == "t"), "")
    given = [option for letter, value in found if letter == "o" for option in value.split(",") if option]
    given += [{"r": "ro", "w": "rw", "B": "bind"}[letter] for letter, _ in found if letter in "rwB"]
    if not words:
        await _list_mounts(p, kind)
        return 0
    if len(words) == 1:
        raise ProgramError(f"{words[0]}: can't find in /etc/fstab.", 1)
    source, target = words[:2]
    flags = sum(_FLAGS[option] for option in given if option in _FLAGS)
    if not kind and not flags & (_FLAGS["bind"] | _FLAGS["remount"]):
        raise ProgramError(f"{target}: no filesystem type specified.", 1)
    data = ",".join(option for option in given if option not in _FLAGS)
    try:
        await p.call("mount", source, target, kind, flags, data)
    except SystemCallError as error:
        raise ProgramError(f"{target}: {await _why(p, error, kind, target)}", MOUNT_FAILED) from None
    return 0


async def _list_mounts(p: Process, kind: str) -> None:
    for line in await read_lines(p, "/proc/self/mounts"):
        source, target, fstype, options = line.split()[:4]
        if kind in ("", fstype):
            p.print(f"{source} on {target} type {fstype} ({options})")


async def _why(p: Process, error: SystemCallError, kind: str, target: str) -> str:
    if error.errno == ENODEV:
        return f"unknown filesystem type '{kind}'.{_HINT}"
    if error.errno == ENOENT and await p.try_call("access", target, 0) < 0:
        return f"mount point does not exist.{_HINT}"
    return f"{strerror(error.errno)}."
