"""The tree of objects that a call touched: two snapshots compared, unchanged parts folded.

`kshell.lens.merge` says what became of every object; here it is told, line by line.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from kshell.lens.merge import GONE, SAME, Alive, Merged, Merger, forever
from kshell.lens.objects import Node, Snapshot
from kshell.lens.shown import UNSET, Told, told_of

SAME_SHOWN: Final = 3
"""Neighbours with the same sign and struct that are shown before the rest is counted."""


Field = tuple[str, str, str | None]
"""A shown field: its name, its text, and its former text when it has changed, else None."""


class TreeLine:
    """One line: `last` says for each level above whether it is the last child there.

    sign: "" same, "new", "changed", "freed", "folded". note: what is said behind the fields.
    """

    __slots__ = ("address", "fields", "last", "note", "path", "sign", "struct")

    def __init__(
        self, last: tuple[bool, ...], sign: str, path: str, struct: str, address: int,
        fields: Sequence[Field] = (), note: str = "",
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
        parts = [f"{name} {text}" if old is None else f"{name} {old} → {text}" for name, text, old in self.fields]
        return "   ".join([*parts, self.note] if self.note else parts)

    def to_json(self) -> dict[str, bool | int | str | list[object] | dict[str, object] | None]:
        """The line as a JSON-ready dict."""
        return {
            "depth": len(self.last),
            "sign": self.sign,
            "path": self.path,
            "struct": self.struct,
            "address": f"{self.address:#x}" if self.address else "",
            "fields": {name: text for name, text, _ in self.fields},
            "was": {name: old for name, _, old in self.fields if old is not None},
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
    for root in Merger(before, after, alive, everything, frozenset(also)).roots():
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


class _Teller:
    """Writes merged objects as `lines`; everything: with all their fields; brief: what is not new with few."""

    def __init__(self, everything: bool, brief: bool) -> None:
        self.everything = everything
        self.brief = brief
        self.lines: list[TreeLine] = []

    def tell(self, merged: Merged, last: tuple[bool, ...]) -> None:
        """Write the line of an object, and those of what is shown below it."""
        node = merged.node
        fields = self._fields(merged, node) if merged.note != GONE else ()
        line = TreeLine(last, merged.sign, merged.edge, node.spec.struct, node.address, fields, _note(merged))
        self.lines.append(line)
        if merged.children or merged.elements or node.more:
            self._below(merged, node, last)

    def _below(self, merged: Merged, node: Node, last: tuple[bool, ...]) -> None:
        shown = [child for child in merged.children if child.touched]
        folds: list[tuple[str, str]] = []
        if len(shown) > SAME_SHOWN:
            shown, folds = _folded(shown)
        elements = merged.elements
        more = len(elements) + node.more
        if more:
            folds.append(("folded", f"… {more} more: {_range(elements)}" if elements else f"… {more} more"))
        above, left = (*last, False), len(shown) + len(folds)
        for child in shown:
            left -= 1
            self.tell(child, above if left else (*last, True))
        for sign, text in folds:
            left -= 1
            self.lines.append(TreeLine(above if left else (*last, True), sign, "", "", 0, (), text))

    def _fields(self, merged: Merged, node: Node) -> list[Field]:
        spec, raw = node.spec, node.raw
        brief = merged.note.startswith(SAME) or (self.brief and merged.sign != "new")
        told = told_of(spec, raw[spec.state] if spec.state >= 0 else None, brief, self.everything)
        if merged.sign == "changed" and merged.different:
            return self._changed_fields(merged, told)
        fields: list[Field] = []
        for index, (name, write, always, zero) in told.items():
            value = raw[index]
            if not value and (value is None or (not zero and value == 0)):
                continue
            text = write(value)
            if always or text not in UNSET:
                fields.append((name, text, None))
        return fields

    def _changed_fields(self, merged: Merged, told: Mapping[int, Told]) -> list[Field]:
        """The fields that are told of an object in any case, and between them those that have changed."""
        before, after, different = merged.before, merged.after, merged.different
        assert before is not None
        assert after is not None
        fields: list[Field] = []
        for index in sorted({*told, *different}):
            if after.raw[index] is not None:
                text = after.text(index)
                if index in different:
                    old = "-" if before.raw[index] is None else before.text(index)
                    fields.append((after.spec.names[index], text, old))
                elif told[index][2] or text not in UNSET:
                    fields.append((after.spec.names[index], text, None))
        return fields


def _note(merged: Merged) -> str:
    """What is said behind the fields: how the object is called, what became of it, what is not shown below it."""
    note = f'"{merged.name}"' if merged.name else ""
    if merged.note:
        note = f"{note}   {merged.note}" if note else merged.note
    if merged.hidden:
        more = f"… {', '.join(merged.hidden)}"
        note = f"{note}   {more}" if note else more
    return note


def _folded(touched: Iterable[Merged]) -> tuple[list[Merged], list[tuple[str, str]]]:
    """Of many objects those that get lines, and what to say of the others: elements of an array of which the same is
    to be told."""
    shown: list[Merged] = []
    repeated: dict[tuple[str, ...], list[Merged]] = {}
    for child in touched:
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
    return shown, folds


def _range(edges: list[str]) -> str:
    first, end = edges[0], edges[-1]
    index = end[end.index("[") :]
    return first if len(edges) == 1 else f"{first} to {index}" if len(edges) > 2 else f"{first}, {index}"
