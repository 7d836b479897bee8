"""sysctl: reading and writing /proc/sys, as in procps."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from kshell.abi.errno import EACCES, EISDIR, ENOENT, ENOTDIR, EPERM
from kshell.abi.fcntl import O_TRUNC
from kshell.abi.stat import S_IFDIR, S_IFMT
from kshell.userland.coreutils import entries
from kshell.userland.files import read_file, read_lines, write_file
from kshell.userland.getopt import Getopt
from kshell.userland.ls import STAT
from kshell.userland.runtime import AT_FDCWD, ProgramError, SystemCallError, raw

if TYPE_CHECKING:
    from kshell.userland.runtime import Process

ROOT: Final = "/proc/sys"
S_IRUSR, S_IWUSR = 0o400, 0o200
USAGE: Final = "\nUsage:\n sysctl [options] [variable[=value] ...]"
GETOPT: Final = Getopt(
    "AXaqenNbwp::f::r:hd",
    {"all": "a", "deprecated": "d", "quiet": "q", "ignore": "e", "values": "n", "names": "N", "binary": "b", "write": "w",
     "load=": "p", "pattern=": "r", "help": "h"},
    0,
    USAGE,
)  # fmt: skip


def path_of(name: str) -> str:
    """net.ipv4.ip_forward → /proc/sys/net/ipv4/ip_forward; where the first of both is a slash, dots and slashes are
    what they are, else they change places."""
    first = next((char for char in name if char in "./"), ".")
    return f"{ROOT}/{name if first == '/' else name.translate(str.maketrans('./', '/.'))}"


def key_of(path: str) -> str:
    """The other way round."""
    return path.removeprefix(ROOT + "/").translate(str.maketrans("./", "/."))


class Options:
    """The letters given; pattern: which names are wanted."""

    def __init__(self, argv: list[str]) -> None:
        found, self.names = GETOPT.parse(argv)
        self.letters = {letter for letter, _ in found}
        self.files = [value for letter, value in found if letter in "pf"]
        pattern = next((value for letter, value in found if letter == "r"), None)
        try:
            self.pattern = re.compile(pattern) if pattern is not None else None
        except re.error as error:
            raise ProgramError(f"{pattern}: {error}") from None
        if self.letters & {"h"}:
            raise ProgramError(USAGE, 0)

    def line(self, key: str, value: str) -> str:
        """A setting as -n, -N and -b want it."""
        if "N" in self.letters:
            return key
        return value if self.letters & {"n", "b"} else f"{key} = {value}"


async def main_sysctl(p: Process, argv: list[str]) -> int:
    """sysctl [-nNbeqw] NAME[=VALUE]..., sysctl -a [-r PATTERN], sysctl -p FILE"""
    o = Options(argv)
    if o.letters & {"a", "A", "X"}:
        await _tree(p, ROOT, o)
        return 0
    if o.letters & {"p", "f"}:
        return await _load(p, o)
    if not o.names:
        p.complain(USAGE)
        return 1
    status = 0
    for name in o.names:
        status |= await _set(p, o, name) if "=" in name or "w" in o.letters else await _get(p, o, name)
    return status


async def _load(p: Process, o: Options) -> int:
    status = 0
    for path in o.files or o.names or ["/etc/sysctl.conf"]:
        try:
            lines = await read_lines(p, path)
        except SystemCallError as error:
            raise ProgramError(f'cannot open "{path}": {str(error).rpartition(": ")[2]}') from None
        for line in lines:
            if line.strip() and line.strip()[0] not in "#;":
                status |= await _set(p, o, line)
    return status


async def _set(p: Process, o: Options, assignment: str) -> int:
    name, assigned, value = assignment.partition("=")
    if not assigned or not name.strip():
        raise ProgramError("command line(0): invalid syntax, continuing...")
    path, value = path_of(name.strip()), value.strip()
    try:
        mode = await _mode(p, path)
    except SystemCallError:
        return _missing(p, o, path)
    if not mode & S_IWUSR:
        p.complain(f'sysctl: setting key "{key_of(path)}": Invalid argument')
        return 0
    try:
        await write_file(p, path, raw(value) + b"\n", O_TRUNC, create=False)
    except SystemCallError as error:
        return _refused(p, path, error, "setting")
    if "q" not in o.letters:
        p.print(o.line(key_of(path), value), end="" if "b" in o.letters else "\n")
    return 0


async def _mode(p: Process, path: str) -> int:
    buffer = p.scratch(144)
    await p.call("newfstatat", AT_FDCWD, path, buffer, 0)
    return int(STAT.unpack(p.memory(buffer, STAT.size))[3])


def _missing(p: Process, o: Options, path: str) -> int:
    if "e" in o.letters:
        return 0
    p.complain(f"sysctl: cannot stat {path}: No such file or directory")
    return 1


def _refused(p: Process, path: str, error: SystemCallError, doing: str) -> int:
    if error.errno in (EACCES, EPERM):
        p.complain(f'sysctl: permission denied on key "{key_of(path)}"')
    else:
        p.complain(f'sysctl: {doing} key "{key_of(path)}": {str(error).rpartition(": ")[2]}')
    return 1


async def _get(p: Process, o: Options, name: str) -> int:
    path = path_of(name)
    try:
        mode = await _mode(p, path)
    except SystemCallError as error:
        return _missing(p, o, path) if error.errno in (ENOENT, ENOTDIR) else _refused(p, path, error, "reading")
    if mode & S_IFMT == S_IFDIR:
        await _tree(p, path, o)
        return 0
    if not mode & S_IRUSR:
        return 0
    try:
        await _show(p, path, o)
    except SystemCallError as error:
        return _refused(p, path, error, "reading")
    return 0


async def _show(p: Process, path: str, o: Options) -> None:
    key = key_of(path)
    if o.pattern is not None and not o.pattern.search(key):
        return
    if "N" in o.letters:
        p.print(key)
        return
    text = (await read_file(p, path)).decode("utf-8", "backslashreplace")
    if "b" in o.letters:
        p.print(text.removesuffix("\n"), end="")
        return
    for line in text.splitlines():
        p.print(o.line(key, line))


async def _tree(p: Process, path: str, o: Options) -> None:
    for name in sorted([name async for name in entries(p, path) if name not in (".", "..")]):
        below = f"{path}/{name}"
        try:
            await _tree(p, below, o)
        except SystemCallError as error:
            if error.errno not in (ENOTDIR, EISDIR):
                continue
            try:
                await _show(p, below, o)
            except SystemCallError:  # one that can only be written
                continue
