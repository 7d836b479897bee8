"""dmesg, mount."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from kshell.userland.files import read_lines
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


async def main_mount(p: Process, argv: list[str]) -> int:
    """mount [-t TYPE] [-o OPTIONS] SOURCE TARGET; without arguments what is mounted, from /proc/self/mounts."""
    words, kind, options = [], "", ""
    rest = iter(argv[1:])
    for word in rest:
        if word in ("-t", "-o"):
            value = next(rest, "")
            kind, options = (value, options) if word == "-t" else (kind, value)
        else:
            words.append(word)
    if not words:
        for line in await read_lines(p, "/proc/self/mounts"):
            source, target, fstype, opts = line.split()[:4]
            p.print(f"{source} on {target} type {fstype} ({opts})")
        return 0
    if len(words) != 2:
        raise ProgramError("bad usage: mount -t TYPE SOURCE TARGET", 1)
    given = [option for option in options.split(",") if option]
    flags = sum(_FLAGS[option] for option in given if option in _FLAGS)
    data = ",".join(option for option in given if option not in _FLAGS)
    try:
        await p.call("mount", words[0], words[1], kind, flags, data)
    except SystemCallError as error:
        raise ProgramError(f"{words[1]}: {str(error).rpartition(': ')[2]}.", 32) from None
    return 0
