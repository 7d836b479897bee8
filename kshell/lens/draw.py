"""Object trees drawn with lines, as plain text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol


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
    """Each line with its branches before it and its sign behind it."""
    for line in lines:
        parts = [line.path + " ─ " if line.path else "", line.struct]
        if line.address:
            parts.append(f" {line.address:#x}")
        body = "".join(parts)
        gap = "   " if body and line.text else ""
        sign = f"   ({line.sign})" if line.sign in ("new", "freed") or _needs_word(line) else ""
        yield Drawn(line.sign, f"{_branches(line.last)}{body}{gap}{line.text}{sign}")


def _needs_word(line: Line) -> bool:
    """Whether a change must be said in a word, the text showing no arrow for it."""
    return line.sign == "changed" and "→" not in line.text and line.text not in ("the same object", "no longer here")


def _branches(last: tuple[bool, ...]) -> str:
    if not last:
        return ""
    bars = "".join("   " if end else "│  " for end in last[:-1])
    return bars + ("└─ " if last[-1] else "├─ ")
