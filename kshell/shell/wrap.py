"""Long lines cut at their blanks, what goes on standing under what it belongs to."""

from __future__ import annotations

import re
from collections.abc import Iterator
from unicodedata import east_asian_width

_GAP = re.compile(r"\S {2,}(?=\S)")
DEEPEST = 44
"""A second column further to the right is not kept."""


def width(text: str) -> int:
    """Cells of the screen that text takes."""
    return len(text) if text.isascii() else sum(2 if east_asian_width(c) in "WF" else 1 for c in text)


def wrapped(line: str, columns: int) -> Iterator[str]:
    """The rows of a line; what is not text alone (colours) is left as it is."""
    if "\x1b" in line or columns < 20 or width(line) <= columns:
        yield line
        return
    indent = " " * _hang(line, columns)
    while width(line) > columns:
        cut = _cut(line, columns, len(indent))
        yield line[:cut].rstrip()
        line = indent + line[cut:].lstrip()
    yield line


def _hang(line: str, columns: int) -> int:
    """Where what goes on begins: below the second column, else a little more to the right than the first."""
    found = _GAP.search(line.lstrip())
    start = len(line) - len(line.lstrip())
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
