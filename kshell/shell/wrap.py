"""Long lines cut at their blanks, what goes on standing under what it belongs to."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby
from typing import TYPE_CHECKING
from unicodedata import east_asian_width

if TYPE_CHECKING:
    from kshell.lens.style import Line

_STRING = re.compile(r'"(?:[^"\\]|\\.)*"|\) = |(?<=  )\([a-z][^()]*\)$')
_STRUCT = re.compile(r"\{[^{}]{0,30}\}|" + _STRING.pattern)
_GLUE = "\x00"
"""Stands for a blank that is no place to cut."""

_GAP = re.compile(r"\S {2,}(?=\S)")
USUAL, WIDEST = 78, 100
"""Columns of running text where nothing is known of the screen, and at most."""

FULL = 70
"""A line of a paragraph that would be longer than this with the next word is one that was broken here."""

DEEPEST = 44
"""A second column further to the right is not kept."""


def width(text: str) -> int:
    """Cells of the screen that text takes."""
    return len(text) if text.isascii() else sum(2 if east_asian_width(c) in "WF" else 1 for c in text)


def wrapped(line: str, columns: int, indent: str | None = None) -> Iterator[str]:
    """The rows of a line; what is not text alone (colours) is left as it is. indent: of what goes on, None: as fits."""
    if "\x1b" in line or columns < 20 or width(line) <= columns:
        yield line
        return
    indent = " " * _hang(line, columns) if indent is None else indent
    while width(line) > columns:
        cut = _cut(line, columns, len(indent))
        yield line[:cut].rstrip()
        line = indent + line[cut:].lstrip()
    yield line


def wrapped_call(text: str, columns: int) -> list[str]:
    """The rows of a line of strace's: cut behind commas, not in a string, before the result or, if that can be, in a struct."""
    if not columns or width(text) <= columns:
        return [text]
    for whole in (_STRUCT, _STRING):
        glued = whole.sub(lambda found: found[0].replace(" ", _GLUE), text)
        if all(width(word) <= columns - 4 for word in glued.split(" ")):
            return [row.replace(_GLUE, " ") for row in wrapped(glued, columns, "    ")]
    return [text]  # the terminal cuts it


def wrapped_runs(runs: Line, columns: int) -> Iterator[Line]:
    """The rows of a line in styles."""
    text = "".join(part for _, part in runs)
    if not columns or width(text) <= columns:
        yield runs
        return
    styles = [style for style, part in runs for _ in part]
    at = 0
    for row in wrapped(text, columns):
        body = row.lstrip() if at else row
        at = text.index(body, at)
        pieces = [(styles[i], text[i]) for i in range(at, at + len(body))]
        yield [("", row[: len(row) - len(body)]), *((s, "".join(t for _, t in each)) for s, each in groupby(pieces, _style_of))]
        at += len(body)


def _style_of(piece: tuple[str, str]) -> str:
    return piece[0]


def laid_out(text: str, columns: int) -> Iterator[str]:
    """Running text: paragraphs, and what continues a second column, filled anew; all else line by line."""
    columns = min(columns - 1, WIDEST) if columns else USUAL
    held = last = ""
    for line in text.split("\n"):
        if held and _goes_on(held, last, line):
            held = f"{held} {line.strip()}"
        else:
            yield from _filled(held, columns) if held else ()
            yield from () if line else ("",)
            held = line
        last = line
    yield from _filled(held, columns) if held else ()


def _goes_on(held: str, last: str, line: str) -> bool:
    """Whether a line belongs to the one before it: below its second column, or behind a full line of a paragraph."""
    if not line.strip() or _GAP.search(line.lstrip()):
        return False
    start, gap = _indent(line), _GAP.search(held.lstrip())
    if gap:
        return start == _indent(held) + gap.end()
    return not start and not _indent(held) and len(last) + 1 + len(line.split()[0]) > FULL


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _filled(line: str, columns: int) -> Iterator[str]:
    indent = "" if not _indent(line) and not _GAP.search(line) else None
    return wrapped(line, columns, indent)


def _hang(line: str, columns: int) -> int:
    """Where what goes on begins: below the second column, else a little more to the right than the first."""
    found = _GAP.search(line.lstrip())
    start = _indent(line)
    if found and start + found.end() <= min(DEEPEST, columns // 2 + 4):
        return start + found.end()
    return min(start + 4, columns // 2)


def _cut(line: str, columns: int, after: int) -> int:
    """How many letters go on this row: up to the last blank that fits, or as many as fit."""
    fit, cells = 0, 0
    for letter in line:
        cells += width(letter)
        if cells > columns:
            break
        fit += 1
    blank = line.rfind(" ", after + 1, fit + 1)
    return blank if blank > after else max(fit, 1)
