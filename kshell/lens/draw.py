"""Object trees drawn as lines of runs: with box characters, in ASCII, or said in words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import zip_longest
from typing import TYPE_CHECKING, Final

from kshell.lens.style import GLYPHS, PLAIN, Line, Run, Style, width_of
from kshell.lens.text import cells, one_line

if TYPE_CHECKING:
    from kshell.lens.tree import Field, TreeLine

GAP: Final = "  "
BLANK: Final = "   "
SIGNS: Final = {"": "  ", "folded": "  ", "new": "+ ", "changed": "~ ", "freed": "- "}


def draw_tree(lines: Sequence[TreeLine], style: Style = PLAIN) -> Iterator[Line]:
    """Each line with its sign and its branches before it; what does not fit into the width goes on below."""
    if style.words:
        return map(_said, lines)
    drawer = _Drawer(style, any(line.sign not in ("", "folded") for line in lines))
    for line, following in zip_longest(lines, lines[1:]):
        drawer.draw(line, following is not None and len(following.last) > len(line.last))
    return iter(drawer.rows)


@lru_cache(1024)
def _start(glyphs: str, sign: str | None, last: tuple[bool, ...]) -> str:
    """What stands before a line: its sign, None for no column of signs, and its branches."""
    bar, branch, corner, *_ = GLYPHS[glyphs]
    bars = "".join([BLANK if end else bar for end in last[:-1]])
    return (SIGNS[sign] if sign is not None else "") + (bars + (corner if last[-1] else branch) if last else "")


class _Drawer:
    """Draws lines one after another into `rows`; signed: with a column of signs at the left."""

    def __init__(self, style: Style, signed: bool) -> None:
        self.style = style
        self.signed = signed
        self.rows: list[Line] = []

    def draw(self, line: TreeLine, below: bool) -> None:
        """Draw one line; below: one that hangs at it follows."""
        sign = line.sign
        start = _start(self.style.glyphs, sign if self.signed else None, line.last)
        if not line.struct:
            self.rows.append([(sign, start), ("folded", _folded(line.note, self.style))])
            return
        way = one_line(line.path) + self.style.join if line.path else ""
        row: Line = [(sign, start), ("", way)] if sign and self.signed else [("", start + way)]
        row.append((sign if sign == "new" or sign == "freed" else "struct", line.struct))
        if line.address:
            row.append(("address", f" {line.address:#x}"))
        if self.style.width:
            self._fit(row, line, below)
            return
        self.rows.append(row)
        if line.sign == "changed":
            row += _fields(line.fields, self.style)
        elif line.fields:
            row.append(("", one_line("".join([f"{GAP}{name} {text}" for name, text, _ in line.fields]))))
        if line.note:
            row += _notes(line.note, self.style)

    def _fit(self, row: Line, line: TreeLine, below: bool) -> None:
        """Put the fields behind the head, and what does not fit into the width below it."""
        width = self.style.width
        used = width_of(row)
        if line.address and used > width:
            short = f" {self.style.dots}{line.address & 0xFFFFFF:06x}"
            used += len(short) - len(row.pop()[1])
            row.append(("address", short))
        parts = _fields(line.fields, self.style)
        if line.note:
            parts += _notes(line.note, self.style)
        for kind, text in parts:
            used += cells(text)
            if used <= width:
                row.append((kind, text))
                continue
            self.rows.append(row)
            row = [("", self._rest(line.last, below)), (kind, text.removeprefix(GAP))]
            used = width_of(row)
        self.rows.append(row)

    def _rest(self, last: tuple[bool, ...], below: bool) -> str:
        """What stands before the fields that go on below a line."""
        bar = self.style.bar
        bars = "".join([BLANK if end else bar for end in last])
        return (GAP if self.signed else "") + bars + (bar if below else BLANK)


def _fields(fields: Iterable[Field], style: Style) -> list[Run]:
    """The fields that stand behind the head, each with the gap before it."""
    parts = []
    for name, text, old in fields:
        if old is None:
            parts.append(("", one_line(f"{GAP}{name} {text}")))
        else:
            parts.append(("changed", one_line(f"{GAP}{name} {old} {style.arrow} {text}")))
    return parts


def _notes(note: str, style: Style) -> list[Run]:
    """What stands behind the fields, each with the gap before it."""
    return [("folded" if part[:1] == "…" else "", _folded(f"{GAP}{part}", style)) for part in note.split("   ")]


def _folded(note: str, style: Style) -> str:
    return one_line(note if style.dots == "…" else note.replace("…", style.dots))


_SAID: Final = {"new": "new: ", "changed": "changed: ", "freed": "freed: "}


def _said(line: TreeLine) -> Line:
    """`level 2, new: fd_array[3], file 0xffff…: f_op socket_file_ops, f_count 1`"""
    if not line.struct:
        return [("folded", f"{_SAID.get(line.sign, '')}level {len(line.last)}: {one_line(line.note).replace('… ', 'and ')}")]
    what = f"{line.path}, {line.struct}" if line.path else line.struct
    head = f"level {len(line.last)}, {_SAID.get(line.sign, '')}{one_line(what)} {line.address:#x}"
    parts = [
        f"{name} {one_line(text)}" if old is None else f"{name} was {one_line(old)}, now {one_line(text)}"
        for name, text, old in line.fields
    ]
    if line.note:
        parts += [one_line(part).replace("… ", "not shown: ") for part in line.note.split("   ")]
    return [(line.sign, head), ("", f": {', '.join(parts)}" if parts else "")]
