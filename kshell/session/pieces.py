"""Cutting text into commands: one ends with its line, or goes on while a bracket or comment is open."""

from __future__ import annotations

import re
from collections.abc import Iterator

MOST_LINES = 2000
"""A command that goes on longer than this has an unbalanced bracket; it ends at its first line then."""

LONGEST_SCANNED = 1 << 20
"""A line longer than this is a command of its own."""

_OPEN, _CLOSE = "([{", ")]}"
_STRING = re.compile(r'"[^"\\]*"')
_INTRICATE = re.compile(r"[\"'#\\]|/[/*]")
_COMPLETE = re.compile(r"(@\w+ +)?(\w+ *= *)?\w+\(.*\).*")

_QUESTION = re.compile(r"(?<![=\s])\s*\?\s*$")


class Piece:
    """A command or comment of a script, and the number of its first line."""

    __slots__ = ("comment", "line", "text")

    def __init__(self, text: str, line: int, comment: bool) -> None:
        self.text = text
        self.line = line
        self.comment = comment


def pieces(text: str, first_line: int = 1) -> Iterator[Piece]:
    """The commands and whole-line comments of a script, in order."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    at = 0
    while at < len(lines):
        stripped = lines[at].strip()
        if not stripped:
            at += 1
        elif stripped.startswith(("#", "//")):
            yield Piece(stripped, first_line + at, True)
            at += 1
        else:
            count = _extent(lines, at)
            text = lines[at] if count == 1 else "\n".join(lines[at : at + count]).replace("\\\n", " ")
            yield Piece(text, first_line + at, False)
            at += count


def _extent(lines: list[str], at: int) -> int:
    """How many lines the command that starts at `at` has."""
    depth, quote = 0, ""
    if len(lines[at]) > LONGEST_SCANNED:
        return 1
    for count in range(1, min(MOST_LINES, len(lines) - at) + 1):
        line = lines[at + count - 1]
        if line.endswith("\\") and count < MOST_LINES:
            depth, quote = _scan(line[:-1], depth, quote)
            continue
        if count > 1 and _COMPLETE.fullmatch(line) and _scan(line, 0, "") == (0, ""):
            return 1
        depth, quote = _scan(line, depth, quote)
        if depth <= 0 and not quote:
            return count
        if count == 1 and not _may_continue(line):
            return 1
    return 1


def _may_continue(line: str) -> bool:
    return "(" in line or "=" in line


def _scan(line: str, depth: int, quote: str) -> tuple[int, str]:
    """Bracket depth and open quote (`"`, `/*` or none) at the end of a line."""
    if not quote:
        bare = _STRING.sub("", line) if '"' in line else line
        if not _INTRICATE.search(bare):
            return depth + sum(map(bare.count, _OPEN)) - sum(map(bare.count, _CLOSE)), ""
    at = 0
    while at < len(line):
        char = line[at]
        if quote == "/*":
            if line.startswith("*/", at):
                quote, at = "", at + 1
        elif quote:
            if char == "\\":
                at += 1
            elif char == quote:
                quote = ""
        elif char in "\"'":
            quote = char
        elif line.startswith("/*", at):
            quote, at = "/*", at + 1
        elif char == "#" or line.startswith("//", at):
            break
        else:
            depth += (char in _OPEN) - (char in _CLOSE)
        at += 1
    return depth, "" if quote in ('"', "'") else quote


def balance(text: str) -> int:
    """Open brackets at the end of `text`: more than none means that a command goes on."""
    depth, quote = 0, ""
    for line in text.split("\n"):
        depth, quote = _scan(line, depth, quote)
    return depth + bool(quote)


def asks(text: str) -> bool:
    """Whether a line asks for an explanation: it ends in `?`, and not as strace's `= ?`."""
    return text.rstrip().endswith("?") and _QUESTION.search(text) is not None


def question(text: str) -> str:
    """The line without the `?` that it ends in."""
    return _QUESTION.sub("", text)
