"""ls: names in directories, as coreutils lists them."""

from __future__ import annotations

import struct
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from kshell.abi.stat import S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO, S_IFLNK, S_IFMT, S_IFREG, S_IFSOCK
from kshell.userland import names
from kshell.userland.coreutils import entries
from kshell.userland.getopt import Getopt
from kshell.userland.runtime import AT_FDCWD, SystemCallError

if TYPE_CHECKING:
    from kshell.userland.runtime import Process

AT_SYMLINK_NOFOLLOW: Final = 0x100
CLOCK_REALTIME: Final = 0
LAST_DATE: Final = 253_402_300_800
"""The year 10000."""

HALF_A_YEAR: Final = 31556952 // 2
STAT: Final = struct.Struct("<QQQIIIIQqqqqqqqqq")
TYPES: Final = {
    S_IFSOCK: "s", S_IFLNK: "l", S_IFREG: "-", S_IFBLK: "b", S_IFDIR: "d", S_IFCHR: "c", S_IFIFO: "p",
}  # fmt: skip
_MARKS: Final = {S_IFDIR: "/", S_IFLNK: "@", S_IFIFO: "|", S_IFSOCK: "="}
GETOPT: Final = Getopt(
    "aAlnd1rStFpRhigo",
    {"all": "a", "almost-all": "A", "numeric-uid-gid": "n", "directory": "d", "reverse": "r", "classify": "F",
     "recursive": "R", "human-readable": "h", "inode": "i", "no-group": "G"},
    2,
    "Try 'ls --help' for more information.",
)  # fmt: skip


class Entry:
    """A name with what stat() tells of it."""

    def __init__(self, name: str, data: bytes, target: str) -> None:
        self.name = name
        self.target = target
        fields = STAT.unpack(data)
        _, self.inode, self.links, self.mode, self.uid, self.gid, _, self.rdev, self.size, _, self.blocks = fields[:11]
        self.mtime: tuple[int, int] = fields[13:15]

    @property
    def kind(self) -> int:
        """S_IFDIR and so on."""
        return int(self.mode) & S_IFMT

    @property
    def device(self) -> bool:
        """Whether it has a number instead of a size."""
        return self.kind in (0o020000, 0o060000)

    def permissions(self) -> str:
        """drwxr-xr-x"""
        bits = [letter if self.mode >> 8 - at & 1 else "-" for at, letter in enumerate("rwxrwxrwx")]
        for bit, at, letter in ((0o4000, 2, "s"), (0o2000, 5, "s"), (0o1000, 8, "t")):
            if self.mode & bit:
                bits[at] = letter if bits[at] == "x" else letter.upper()
        return TYPES.get(self.kind, "?") + "".join(bits)


async def main_ls(p: Process, argv: list[str]) -> int:
    """ls [-aAlnd1rStFpRhi] [PATH...]"""
    found, paths = GETOPT.parse(argv)
    listing = _Listing(p, {letter for letter, _ in found})
    return await listing.run(paths or ["."])


class _Listing:
    def __init__(self, p: Process, letters: set[str]) -> None:
        self.p = p
        self.letters = letters
        self.long = bool(letters & {"l", "n", "g", "o"})
        self.status = 0
        self.now = 0

    async def run(self, paths: list[str]) -> int:
        await self._look_at_the_clock()
        plain: list[Entry] = []
        directories: list[Entry] = []
        for path in paths:
            try:
                entry = await self._stat(path, path)
            except SystemCallError as error:
                self._complain("access", path, error, 2)
                continue
            shown = entry.kind == S_IFDIR or (
                entry.kind == S_IFLNK and not self.long and await self._leads_to_one(path)
            )
            (directories if shown and "d" not in self.letters else plain).append(entry)
        await self._print(self._sorted(plain), False)
        titled = len(paths) > 1 or "R" in self.letters
        for at, entry in enumerate(self._sorted(directories)):
            if plain or at:
                self.p.print()
            await self._directory(entry.name, titled)
        return self.status

    async def _look_at_the_clock(self) -> None:
        if self.long:
            clock = self.p.scratch(16)
            await self.p.call("clock_gettime", CLOCK_REALTIME, clock)
            self.now = int.from_bytes(self.p.memory(clock, 8), "little")

    def _complain(self, what: str, path: str, error: SystemCallError, status: int) -> None:
        self.p.complain(f"ls: cannot {what} '{path}': {str(error).rpartition(': ')[2]}")
        self.status = max(self.status, status)

    async def _stat(self, path: str, name: str) -> Entry:
        buffer = self.p.scratch(144)
        await self.p.call("newfstatat", AT_FDCWD, path, buffer, AT_SYMLINK_NOFOLLOW)
        data, target = self.p.memory(buffer, STAT.size), ""
        if self.long and int.from_bytes(data[24:28], "little") & S_IFMT == S_IFLNK:
            link = self.p.scratch(256)
            length = await self.p.try_call("readlinkat", AT_FDCWD, path, link, 256)
            target = self.p.memory(link, length).decode("utf-8", "backslashreplace") if length > 0 else ""
        return Entry(name, data, target)

    async def _leads_to_one(self, path: str) -> bool:
        buffer = self.p.scratch(144)
        if await self.p.try_call("newfstatat", AT_FDCWD, path, buffer, 0) < 0:
            return False
        return int.from_bytes(self.p.memory(buffer, 28)[24:28], "little") & S_IFMT == S_IFDIR

    async def _directory(self, path: str, titled: bool) -> None:
        try:
            found = [name async for name in entries(self.p, path) if self._wants(name)]
        except SystemCallError as error:
            self._complain("open directory", path, error, 2)
            return
        if titled:
            self.p.print(f"{path}:")
        listed: list[Entry] = []
        for name in found:
            below = f"{path.rstrip('/')}/{name}"
            try:
                listed.append(await self._stat(below, name))
            except SystemCallError as error:
                self._complain("access", below, error, 1)
        listed = self._sorted(listed)
        await self._print(listed, True)
        if "R" in self.letters:
            for entry in listed:
                if entry.kind == S_IFDIR and entry.name not in (".", ".."):
                    self.p.print()
                    await self._directory(f"{path.rstrip('/')}/{entry.name}", True)

    def _wants(self, name: str) -> bool:
        if "a" in self.letters:
            return True
        return not name.startswith(".") or ("A" in self.letters and name not in (".", ".."))

    def _sorted(self, found: list[Entry]) -> list[Entry]:
        found = sorted(found, key=lambda entry: entry.name)
        if "S" in self.letters:
            found.sort(key=lambda entry: -entry.size)
        elif "t" in self.letters:
            found.sort(key=lambda entry: (-entry.mtime[0], -entry.mtime[1]))
        return found[::-1] if "r" in self.letters else found

    # ---- printing

    async def _print(self, found: list[Entry], total: bool) -> None:
        if self.long and total:
            blocks = sum(entry.blocks for entry in found) // 2
            self.p.print(f"total {_human(blocks * 1024) if 'h' in self.letters else blocks}")
        cells = [self._cells(entry) for entry in found]
        widths = [max((len(cell[at]) for cell in cells), default=0) for at in range(6)]
        minors = max((len(str(_minor(entry))) for entry in found if entry.device), default=0)
        majors = max((len(str(_major(entry))) for entry in found if entry.device), default=0)
        widths[5] = max(widths[5], majors + 2 + minors if minors else 0)
        for entry, cell in zip(found, cells, strict=True):
            inode = f"{cell[0]:>{widths[0]}} " if "i" in self.letters else ""
            if not self.long:
                self.p.print(f"{inode}{entry.name}{self._mark(entry, entry.kind)}")
                continue
            size = cell[5]
            if entry.device:
                size = f"{_major(entry):>{widths[5] - minors - 2}}, {_minor(entry):>{minors}}"
            owner = "" if "g" in self.letters else f"{cell[3]:<{widths[3]}} "
            group = "" if "o" in self.letters else f"{cell[4]:<{widths[4]}} "
            line = f"{inode}{cell[1]} {cell[2]:>{widths[2]}} {owner}{group}{size:>{widths[5]}} {self._date(entry)} "
            tail = f" -> {entry.target}" if entry.target else self._mark(entry, entry.kind)
            self.p.print(f"{line}{entry.name}{tail}")

    def _cells(self, entry: Entry) -> list[str]:
        numeric = "n" in self.letters
        size = "" if entry.device else _human(entry.size) if "h" in self.letters else str(entry.size)
        return [
            str(entry.inode), entry.permissions(), str(entry.links),
            str(entry.uid) if numeric else names.user(entry.uid), str(entry.gid) if numeric else names.user(entry.gid),
            size,
        ]  # fmt: skip

    def _mark(self, entry: Entry, kind: int) -> str:
        if "F" not in self.letters:
            return "/" if "p" in self.letters and kind == S_IFDIR else ""
        return _MARKS.get(kind, "*" if entry.mode & 0o111 and kind == 0o100000 else "")

    def _date(self, entry: Entry) -> str:
        """With the time of day if it was in the last half year."""
        if not 0 <= entry.mtime[0] < LAST_DATE:
            return str(entry.mtime[0])
        when = datetime.fromtimestamp(entry.mtime[0], UTC)
        recent = self.now - HALF_A_YEAR < entry.mtime[0] < self.now
        return when.strftime("%b ") + f"{when.day:2} " + (when.strftime("%H:%M") if recent else f"{when.year:5}")


def _major(entry: Entry) -> int:
    return int(entry.rdev) >> 8 & 0xFFF


def _minor(entry: Entry) -> int:
    return int(entry.rdev) & 0xFF


def _human(size: int) -> str:
    """12, 1.5K, 13K, in powers of 1024 and rounded up."""
    if size < 1024:
        return str(size)
    power, unit = next(
        (1024**at, letter) for at, letter in ((1, "K"), (2, "M"), (3, "G"), (4, "T")) if size < 1024 ** (at + 1)
    )
    tenths = -(-size * 10 // power)
    return f"{tenths / 10:.1f}{unit}" if tenths < 100 else f"{-(-size // power)}{unit}"
