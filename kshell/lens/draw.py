"""Object trees drawn as lines of runs: with box characters, in ASCII, or said in words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Final

from kshell.lens.style import PLAIN, Line, Run, Style
from kshell.lens.text import cells, one_line

if TYPE_CHECKING:
    from kshell.lens.tree import TreeLine

GAP: Final = "  "
SIGNS: Final = {"": "  ", "folded": "  ", "new": "+ ", "changed": "~ ", "freed": "- "}


def draw_tree(lines: Sequence[TreeLine], style: Style = PLAIN) -> Iterator[Line]:
    """Each line with its sign and its branches before it; what does not fit into the width goes on below."""
    if style.words:
        yield from (_said(line) for line in lines)
        return
    if not lines:
        return
    signed = any(line.sign not in ("", "folded") for line in lines)
    depths = [len(line.last) for line in lines[1:]]
    for line, below in zip(lines, [*depths, 0], strict=True):
        yield from _drawn(line, below > len(line.last), signed, style)


def _drawn(line: TreeLine, below: bool, signed: bool, style: Style) -> Iterator[Line]:
    bars = "".join([GAP + " " if end else style.bar for end in line.last[:-1]])
    stem = bars + (style.corner if line.last[-1] else style.branch) if line.last else bars
    sign = line.sign
    start: Line = [(sign, SIGNS[sign] + stem)] if signed else [("", stem)] if stem else []
    if not line.struct:
        yield [*start, ("folded", _folded(line.note, style))]
        return
    used = len(stem) + (2 if signed else 0)
    row = start
    head = _head(line, style)
    row += head
    used += sum([cells(text) for _, text in head])
    rest = None
    for part in _parts(line, style):
        size = cells(part[1])
        if style.width and used + size + 2 > style.width:
            if rest is None:
                deeper = bars + (GAP + " " if not line.last or line.last[-1] else style.bar) if line.last else ""
                rest = (GAP if signed else "") + deeper + (style.bar if below else GAP + " ")
            yield row
            row, used = [("", rest), part], len(rest) + size
        else:
            row = [*row, ("", GAP), part] if used else [part]
            used += size + 2
    yield row


def _head(line: TreeLine, style: Style) -> Line:
    """`sk ─ tcp_sock 0xffff…`"""
    runs: Line = [("", one_line(line.path) + style.join)] if line.path else []
    runs.append((line.sign if line.sign in ("new", "freed") else "struct", line.struct))
    if line.address:
        runs.append(("address", f" {line.address:#x}"))
    return runs


def _parts(line: TreeLine, style: Style) -> Iterable[Run]:
    for field in line.fields:
        if field.old is None:
            yield "", f"{field.name} {one_line(field.text)}"
        else:
            yield "changed", f"{field.name} {one_line(field.old)} {style.arrow} {one_line(field.text)}"
    if line.note:
        for part in line.note.split("   "):
            yield ("folded" if part[:1] == "…" else ""), _folded(part, style)


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
        f"{f.name} {one_line(f.text)}" if f.old is None else f"{f.name} was {one_line(f.old)}, now {one_line(f.text)}"
        for f in line.fields
    ]
    if line.note:
        parts += [one_line(part).replace("… ", "not shown: ") for part in line.note.split("   ")]
    return [(line.sign, head), ("", f": {', '.join(parts)}" if parts else "")]
