"""modprobe, rmmod, lsmod: modules through the system calls and /proc/modules."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.fcntl import O_NONBLOCK
from kshell.linux.kernel.module.main import _find_module_file
from kshell.userland.files import read_lines
from kshell.userland.runtime import ProgramError, SystemCallError

if TYPE_CHECKING:
    from kshell.userland.runtime import Process


def _name(argv: list[str]) -> str:
    words = [word for word in argv[1:] if not word.startswith("-")]
    if not words:
        raise ProgramError("the name of a module is missing")
    return words[0]


async def main_modprobe(p: Process, argv: list[str]) -> int:
    """Find a module's file by name or alias (the index that depmod makes), give it to init_module()."""
    name = _name(argv)
    file = _find_module_file(p.machine.kernel, name)
    if file is None:
        raise ProgramError(f"FATAL: Module {name} not found in directory /lib/modules/{await _release(p)}")
    image = file.name.encode() + b"\0"
    try:
        await p.call("init_module", image, len(image), "")
    except SystemCallError as error:
        if error.errno != 17:  # EEXIST: it is there already
            raise ProgramError(f"ERROR: could not insert '{name}': {error!s}") from None
    return 0


async def _release(p: Process) -> str:
    return (await read_lines(p, "/proc/sys/kernel/osrelease"))[0]


async def main_rmmod(p: Process, argv: list[str]) -> int:
    """delete_module(), not waiting for users to go."""
    name = _name(argv)
    try:
        await p.call("delete_module", name.replace("-", "_"), O_NONBLOCK)
    except SystemCallError as error:
        reason = {2: "is not currently loaded", 11: "is in use"}.get(error.errno)
        raise ProgramError(f"ERROR: Module {name} {reason}" if reason else str(error)) from None
    return 0


async def main_lsmod(p: Process, argv: list[str]) -> int:
    """The loaded modules with their sizes and users, from /proc/modules."""
    p.print("Module                  Size  Used by")
    for line in await read_lines(p, "/proc/modules"):
        name, size, count, users = line.split()[:4]
        p.print(f"{name:<19} {size:>8}  {count}" + ("" if users == "-" else " " + users.rstrip(",")))
    return 0
