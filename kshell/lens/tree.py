"""The tree of objects that a call touched: two snapshots compared, unchanged parts folded.

`kshell.lens.merge` says what became of every object; here it is told, line by line.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from kshell.lens.merge import GONE, SAME, Alive, Merged, Merger, forever
from kshell.lens.objects import Node, Snapshot
from kshell.lens.shown import UNSET, told_of

SAME_SHOWN: Final = 3
"""Neighbours with the same sign and struct that are shown before the rest is counted."""


class Field:
    """A shown field; `old` is its former text when it has changed, else None."""

    __slots__ = ("name", "old", "text")

    def __init__(self, name: str, text: str, old: str | None = None) -> None:
        self.name = name
        self.text = text
        self.old = old


class TreeLine:
    """One line: `last` says for each level above whether it is the last child there.

    sign: "" same, "new", "changed", "freed", "folded". note: what is said behind the fields.
    """

    __slots__ = ("address", "fields", "last", "note", "path", "sign", "struct")

    def __init__(
        self, last: tuple[bool, ...], sign: str, path: str, struct: str, address: int,
        fields: tuple[Field, ...] = (), note: str = "",
    ) -> None:  # fmt: skip
        self.last = last
        self.sign = sign
        self.path = path
        self.struct = struct
        self.address = address
        self.fields = fields
        self.note = note

    @property
    def text(self) -> str:
        """The fields and the note in one string."""
        parts = [f"{f.name} {f.text}" if f.old is None else f"{f.name} {f.old} → {f.text}" for f in self.fields]
        return "   ".join([*parts, self.note] if self.note else parts)

    def to_json(self) -> dict[str, bool | int | str | list[object] | dict[str, object] | None]:
        """The line as a JSON-ready dict."""
        return {
            "depth": len(self.last),
            "sign": self.sign,
            "path": self.path,
            "struct": self.struct,
            "address": f"{self.address:#x}" if self.address else "",
            "fields": {field.name: field.text for field in self.fields},
            "was": {field.name: field.old for field in self.fields if field.old is not None},
            "note": self.note,
            "text": self.text,
        }


class FieldChange:
    """A field that differs between two snapshots."""

    __slots__ = ("address", "field", "new", "old", "struct")

    def __init__(self, struct: str, address: int, field: str, old: str, new: str) -> None:
        self.struct = struct
        self.address = address
        self.field = field
        self.old = old
        self.new = new


def changes(before: Snapshot, after: Snapshot, alive: Alive = forever) -> list[FieldChange]:
    """The fields that differ, objects in the order of the tree."""
    found: list[FieldChange] = []
    for root in Merger(before, after, alive).roots():
        for merged in _all(root):
            if merged.sign == "changed" and merged.before and merged.after:
                found += _field_changes(merged.before, merged.after)
    return found


def _field_changes(before: Node, after: Node) -> Iterator[FieldChange]:
    for index, name in enumerate(after.spec.names):
        if before.raw[index] != after.raw[index]:
            yield FieldChange(after.struct, after.address, name, before.text(index), after.text(index))


def _all(merged: Merged) -> Iterator[Merged]:
    yield merged
    for child in merged.children:
        yield from _all(child)


def touched_lines(
    before: Snapshot, after: Snapshot, also: Iterable[str] = (), everything: bool = False, alive: Alive = forever
) -> list[TreeLine]:
    """The trees of what differs, and of `also` (edges of the first task, such as `fd_array[3]`); empty: nothing to show.

    everything: all fields, and unchanged branches too.
    """
    teller = _Teller(everything, brief=not everything and before is not after)
    for root in Merger(before, after, alive, everything).roots(frozenset(also)):
        if root.touched:
            teller.tell(root, ())
    return teller.lines


def full_lines(node: Node, everything: bool = False) -> list[TreeLine]:
    """The whole tree below a node, nothing marked."""
    whole = Snapshot.of(node)
    (root,) = Merger(whole, whole, everything=True).roots()
    teller = _Teller(everything, brief=False)
    teller.tell(root, ())
    return teller.lines


_UNCHANGED: Final[Mapping[int, str]] = {}


class _Teller:
    """Writes merged objects as `lines`; everything: with all their fields; brief: what is not new with few."""

    def __init__(self, everything: bool, brief: bool) -> None:
        self.everything = everything
        self.brief = brief
        self.lines: list[TreeLine] = []

    def tell(self, merged: Merged, last: tuple[bool, ...]) -> None:
        """Write the line of an object, and those of what is shown below it."""
        node = merged.node
        fields = () if merged.note == GONE else tuple(self._fields(merged, node))
        self.lines.append(TreeLine(last, merged.sign, merged.edge, node.struct, node.address, fields, _note(merged)))
        if not merged.children and not merged.elements and not node.more:
            return
        shown, folds = _visible(merged)
        left = len(shown) + len(folds)
        for child in shown:
            left -= 1
            self.tell(child, (*last, not left))
        for sign, text in folds:
            left -= 1
            self.lines.append(TreeLine((*last, not left), sign, "", "", 0, (), text))

    def _fields(self, merged: Merged, node: Node) -> list[Field]:
        spec, raw = node.spec, node.raw
        brief = merged.note.startswith(SAME) or (self.brief and merged.sign != "new")
        told = told_of(spec, node.state, brief, self.everything)
        changed = self._changed(merged) if merged.sign == "changed" else _UNCHANGED
        fields = []
        for index in sorted({*told, *changed}) if changed else told:
            if raw[index] is not None:
                text = spec.write[index](raw[index])
                if index in changed or told[index] or text not in UNSET:
                    fields.append(Field(spec.names[index], text, changed.get(index)))
        return fields

    def _changed(self, merged: Merged) -> dict[int, str]:
        """The former texts of the fields that have changed, by their places."""
        before, after = merged.before, merged.after
        if before is None or after is None:
            return {}
        quiet = () if self.everything else after.spec.quiet
        names, was, now = after.spec.names, before.raw, after.raw
        different = [i for i in range(len(names)) if was[i] != now[i] and names[i] not in quiet]
        return {i: "-" if was[i] is None else before.text(i) for i in different}


def _note(merged: Merged) -> str:
    """What is said behind the fields: how the object is called, what became of it, what is not shown below it."""
    note = f'"{merged.name}"' if merged.name else ""
    if merged.note:
        note = f"{note}   {merged.note}" if note else merged.note
    if merged.hidden:
        more = f"… {', '.join(merged.hidden)}"
        note = f"{note}   {more}" if note else more
    return note


def _visible(merged: Merged) -> tuple[list[Merged], list[tuple[str, str]]]:
    """The children that get lines, and what to say of the others: repeated ones, and those that did not change."""
    shown: list[Merged] = []
    repeated: dict[tuple[str, ...], list[Merged]] = {}
    for child in merged.children:
        if not child.touched:
            continue
        array, index, _ = child.edge.partition("[")
        same = repeated.setdefault((child.sign, child.node.struct, array, child.note), []) if index else [child]
        if index:
            same.append(child)
        if len(same) <= SAME_SHOWN:
            shown.append(child)
    folds = []
    for (sign, struct, *_), same in repeated.items():
        rest = same[SAME_SHOWN:]
        if len(rest) == 1:
            shown += rest
        elif rest:
            folds.append((sign or "folded", f"… {len(rest)} more {struct}: {_range([c.edge for c in rest])}"))
    elements = merged.elements
    more = len(elements) + merged.node.more
    if more:
        folds.append(("folded", f"… {more} more" + (f": {_range(elements)}" if elements else "")))
    return shown, folds


def _range(edges: list[str]) -> str:
    first, end = edges[0], edges[-1]
    index = end[end.index("[") :]
    return first if len(edges) == 1 else f"{first} to {index}" if len(edges) > 2 else f"{first}, {index}"
