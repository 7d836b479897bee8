"""sysctl: reading and writing /proc/sys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kshell.abi.fcntl import O_TRUNC
from kshell.userland.coreutils import entries
from kshell.userland.files import read_lines, write_file
from kshell.userland.runtime import ProgramError, SystemCallError

if TYPE_CHECKING:
    from kshell.userland.runtime import Process

ROOT: Final = "/proc/sys"
ENOENT, EACCES, EPERM, EINVAL, ENOTDIR = 2, 13, 1, 22, 20


def _path(name: str) -> str:
    """net.ipv4.ip_forward → /proc/sys/net/ipv4/ip_forward; a name with slashes stays so."""
    return f"{ROOT}/{name if '/' in name else name.replace('.', '/')}"


def _key(path: str) -> str:
    return path.removeprefix(ROOT + "/").replace("/", ".")


async def main_sysctl(p: Process, argv: list[str]) -> int:
    """sysctl NAME..., sysctl -w NAME=VALUE, sysctl -a; -n: values only."""
    names = [word for word in argv[1:] if not word.startswith("-")]
    bare = "-n" in argv
    if "-a" in argv or "-A" in argv:
        await _tree(p, ROOT, bare)
        return 0
    if not names:
        raise ProgramError("no variables specified\nTry `sysctl --help' for more information.")
    status = 0
    for name in names:
        status |= await _one(p, name, bare, "-w" in argv)
    return status


async def _one(p: Process, name: str, bare: bool, write: bool) -> int:
    name, assigned, value = name.partition("=")
    path = _path(name.strip())
    try:
        if assigned:
            await write_file(p, path, value.strip().encode() + b"\n", O_TRUNC, create=False)
            p.print(value.strip() if bare else f"{_key(path)} = {value.strip()}")
        elif write:
            raise ProgramError(f'"{name}" must be of the form name=value')
        else:
            await _show(p, path, bare)
    except SystemCallError as error:
        return _complain(p, error, path, bool(assigned))
    return 0


def _complain(p: Process, error: SystemCallError, path: str, setting: bool) -> int:
    if error.errno in (ENOENT, ENOTDIR):
        p.complain(f"sysctl: cannot stat {path}: No such file or directory")
    elif error.errno in (EACCES, EPERM):
        p.complain(f'sysctl: permission denied on key "{_key(path)}"')
    elif setting:
        p.complain(f'sysctl: setting key "{_key(path)}": {str(error).rpartition(": ")[2]}')
    else:
        p.complain(f'sysctl: reading key "{_key(path)}": {str(error).rpartition(": ")[2]}')
    return 255 if setting else 1


async def _show(p: Process, path: str, bare: bool) -> None:
    for line in await read_lines(p, path):
        p.print(line if bare else f"{_key(path)} = {line}")


async def _tree(p: Process, path: str, bare: bool) -> None:
    for name in sorted([name async for name in entries(p, path) if name not in (".", "..")]):
        below = f"{path}/{name}"
        try:
            await _tree(p, below, bare)
        except SystemCallError as error:
            if error.errno != ENOTDIR:
                continue
            try:
                await _show(p, below, bare)
            except SystemCallError:  # one that can only be written
                continue
