"""cat and echo."""

from __future__ import annotations

import re
import struct
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Final

from kshell.abi.fcntl import O_APPEND, O_DIRECTORY, O_RDONLY, O_TRUNC
from kshell.userland.files import read_file, write_file
from kshell.userland.getopt import Getopt
from kshell.userland.runtime import AT_FDCWD, ProgramError, SystemCallError, raw

if TYPE_CHECKING:
    from kshell.userland.runtime import Process

CHUNK: Final = 4096
MOST_SHOWN: Final = 1 << 20


GETOPT: Final = Getopt(
    "AbeEnstTuv",
    {"show-all": "A", "number-nonblank": "b", "show-ends": "E", "number": "n", "squeeze-blank": "s", "show-tabs": "T",
     "show-nonprinting": "v"},
    1,
    "Try 'cat --help' for more information.",
)  # fmt: skip


async def main_cat(p: Process, argv: list[str]) -> int:
    """The contents of files, one behind the other: cat [-AbEnsTv] PATH..."""
    found, paths = GETOPT.parse(argv)
    if not paths:
        raise ProgramError("a path is missing: at the prompt there is nothing to read from standard input")
    text = _Text({letter for letter, _ in found})
    status = 0
    for path in paths:
        try:
            data = await read_file(p, path)
            p.print(text.shown(data[:MOST_SHOWN].decode("utf-8", "backslashreplace")), end="")
            if len(data) > MOST_SHOWN:
                p.complain(f"cat: {path}: the first {MOST_SHOWN >> 10} KiB are shown")
        except SystemCallError as error:
            p.complain(f"cat: {error}")
            status = 1
    return status


class _Text:
    """What is made of the lines; they are numbered through all files."""

    def __init__(self, letters: set[str]) -> None:
        self.letters = letters
        self.number = 0
        self.blank = False
        self.ends = bool(letters & {"A", "E", "e"})
        self.tabs = bool(letters & {"A", "T", "t"})

    def shown(self, text: str) -> str:
        """The text of a file."""
        return "".join(self._line(line) for line in text.splitlines(keepends=True)) if self.letters else text

    def _line(self, line: str) -> str:
        blank = line == "\n"
        if blank and self.blank and "s" in self.letters:
            return ""
        self.blank = blank
        if "b" in self.letters:
            number = not blank
        else:
            number = "n" in self.letters
        self.number += number
        line = line.replace("\t", "^I") if self.tabs else line
        line = line.replace("\n", "$\n") if self.ends else line
        return (f"{self.number:6}\t" if number else "") + line


async def main_echo(p: Process, argv: list[str]) -> int:
    """The words with blanks between them; behind > or >> comes a file to write them to, as the shell does it."""
    words, end, escapes = argv[1:], "\n", False
    while words and len(words[0]) > 1 and words[0][0] == "-" and set(words[0][1:]) <= set("neE"):
        option = words.pop(0)[1:]
        end = "" if "n" in option else end
        escapes = option.rstrip("n").endswith("e") if set(option) & set("eE") else escapes
    for operator, flags in ((">", O_TRUNC), (">>", O_APPEND)):
        if operator in words:
            at = words.index(operator)
            if len(words) != at + 2:
                raise ProgramError(f"one path goes behind {operator}")
            await write_file(p, words[at + 1], raw(_echoed(words[:at], escapes) + end), flags)
            return 0
    p.print(_echoed(words, escapes), end=end)
    return 0


_ESCAPES: Final = {"\\": "\\", "a": "\a", "b": "\b", "e": "\x1b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


def _echoed(words: list[str], escapes: bool) -> str:
    text = " ".join(words)
    if not escapes:
        return text
    return re.sub(r"\\(.)", lambda found: _ESCAPES.get(found[1], found[0]), text)


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
