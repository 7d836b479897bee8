"""Two traces as one tree: what both do once, and where they part ways.

Calls of the same name at the same place are the same call; what only the first does has the sign `-`, what only
the second does `+`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Protocol

from kshell.abi.errno import errno_name
from kshell.lens.trace_graph import WIDTH
from kshell.lens.trace_parts import Part, Segment
from kshell.lens.trace_text import shown_name

ALIKE = 3
"""Calls below that do the same are shown when there are no more of them than this, else counted."""


@dataclass(frozen=True, slots=True)
class DiffLine:
    """One call: its sign (` `, `-`, `+`), how deep it is, its name, Linux's file, and what is to be said of it."""

    sign: str
    depth: int
    name: str
    file: str
    note: str = ""


def diff_lines(first: Sequence[Segment], second: Sequence[Segment]) -> list[DiffLine]:
    """The calls of both, in order."""
    one = [part for segment in first for part in segment.parts if part.opens]
    two = [part for segment in second for part in segment.parts if part.opens]
    return list(_both(one, two))


def _both(first: Sequence[Part], second: Sequence[Part]) -> Iterator[DiffLine]:
    one, two = ([part.node.name for part in parts] for parts in (first, second))
    for kind, a, b, c, d in SequenceMatcher(None, one, two, autojunk=False).get_opcodes():
        if kind == "equal":
            for left, right in zip(first[a:b], second[c:d], strict=True):
                yield from _same(left, right)
            continue
        for part in first[a:b]:
            yield from _only("-", part)
        for part in second[c:d]:
            yield from _only("+", part)


def _same(one: Part, two: Part) -> Iterator[DiffLine]:
    """A call that both make."""
    results = [_result(part) for part in (one, two)]
    note = results[0] if results[0] == results[1] else f"{results[0] or ' = ok'} /{results[1] or ' = ok'}"
    if _names(one) == _names(two):
        hidden = sum(1 for _ in one.walk()) - 1
        if hidden > ALIKE:
            yield _line(" ", one, f"{note}   {hidden} calls below, the same")
            return
    yield _line(" ", one, note)
    yield from _both(one.parts, two.parts)


def _names(part: Part) -> list[tuple[int, str]]:
    return [(below.depth, below.node.name) for below in part.walk()]


def _only(sign: str, part: Part) -> Iterator[DiffLine]:
    yield _line(sign, part, _result(part))
    for below in part.parts:
        yield from _only(sign, below)


def _line(sign: str, part: Part, note: str = "") -> DiffLine:
    times = f"   [x{part.count}]" if part.count > 1 else ""
    return DiffLine(sign, part.depth, shown_name(part.node), part.node.file, note + times)


def _result(part: Part) -> str:
    return f" = -{errno_name(part.node.errno)}" if part.node.errno else ""


class Compared(Protocol):
    """What `drawn` shows: two commands, by number and text, and the lines of their traces."""

    first: int
    second: int
    first_text: str
    second_text: str
    lines: list[DiffLine]
    side: bool


def drawn(found: Compared, width: int) -> Iterator[tuple[str, str]]:
    """Sign and text of each line, with a head; width 0: nobody knows how wide the screen is."""
    width = width or WIDTH
    half = (width - 3) // 2
    if found.side:
        left, right = (f"{n}: {text}"[:half] for n, text in _commands(found))
        yield "", f"{left:{half}} | {right}"
        yield from beside(found.lines, width)
        return
    for sign, (n, text) in zip("-+", _commands(found), strict=True):
        yield sign, f"{sign * 3} {n}: {text}"[:width]
    yield from unified(found.lines, width)


def _commands(found: Compared) -> list[tuple[int, str]]:
    return [(found.first, found.first_text), (found.second, found.second_text)]


def unified(lines: Sequence[DiffLine], width: int) -> Iterator[tuple[str, str]]:
    """Sign and text of each line: one column, the file at the right margin."""
    step = _step(lines, width - 40)
    for line in lines:
        left = f"{line.sign} {' ' * (line.depth * step)}{line.name}(){line.note}"
        room = width - len(left) - 2
        file = line.file if len(line.file) <= room else line.file.rpartition("/")[2]
        yield line.sign, f"{left}{file:>{room + 2}}" if len(file) <= room else left


def beside(lines: Sequence[DiffLine], width: int) -> Iterator[tuple[str, str]]:
    """Sign and text of each line: the first's calls at the left, the second's at the right, those of both in both."""
    half = (width - 3) // 2
    step = _step(lines, half - 20)
    pending: list[str] = []
    for line in lines:
        text = f"{' ' * (line.depth * step)}{line.name}(){line.note}"
        cell = text if len(text) <= half else text[: half - 1] + "…"
        if line.sign == "-":
            pending.append(cell)
            continue
        if line.sign == "+":
            left = pending.pop(0) if pending else ""
            yield ("~" if left else "+"), f"{left:{half}} | {cell}"
            continue
        yield from (("-", f"{left:{half}} |") for left in pending)
        pending = []
        yield " ", f"{cell:{half}} | {cell}"
    yield from (("-", f"{left:{half}} |") for left in pending)


def _step(lines: Sequence[DiffLine], room: int) -> int:
    deepest = max((line.depth for line in lines), default=0)
    return 2 if deepest * 2 <= room else 1
