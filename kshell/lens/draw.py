"""Object trees drawn with lines, as plain text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol

GAP = "   "
SPEAKING = ("the same object", "no longer here")


class Line(Protocol):
    """What a line of a tree must have (`kshell.lens.tree.TreeLine`, `kshell.session.events.ObjectLine`)."""

    last: tuple[bool, ...]
    sign: str
    path: str
    struct: str
    address: int
    text: str


class Drawn:
    """A line ready to print, with its sign."""

    __slots__ = ("sign", "text")

    def __init__(self, sign: str, text: str) -> None:
        self.sign = sign
        self.text = text


def draw_tree(lines: Iterable[Line], width: int = 0) -> Iterator[Drawn]:
    """Each line with its branches before it and its sign behind it; width: longer lines go on below (0: never)."""
    drawn = list(lines)
    for index, line in enumerate(drawn):
        below = index + 1 < len(drawn) and len(drawn[index + 1].last) > len(line.last)
        yield from _drawn(line, below, width)


def _drawn(line: Line, below: bool, width: int) -> Iterator[Drawn]:
    head = (line.path + " ─ " if line.path else "") + line.struct
    if line.address:
        head += f" {line.address:#x}"
    parts = ([head] if head else []) + (line.text.split(GAP) if line.text else [])
    if line.sign in ("new", "freed") or _needs_word(line):
        parts.append(f"({line.sign})")
    prefix, row = _branches(line.last), ""
    rest = _bars(line.last) + ("│  " if below else GAP) + "  "
    for part in parts:
        if row and width and len(prefix) + len(row) + len(GAP) + len(part) > width:
            yield Drawn(line.sign, prefix + row)
            prefix, row = rest, part
        else:
            row = f"{row}{GAP}{part}" if row else part
    yield Drawn(line.sign, prefix + row)


def _needs_word(line: Line) -> bool:
    """Whether a change must be said in a word, the text showing no arrow for it."""
    return line.sign == "changed" and "→" not in line.text and line.text not in SPEAKING


def _bars(last: tuple[bool, ...]) -> str:
    return "".join(GAP if end else "│  " for end in last)


def _branches(last: tuple[bool, ...]) -> str:
    if not last:
        return ""
    return _bars(last[:-1]) + ("└─ " if last[-1] else "├─ ")
