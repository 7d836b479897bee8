"""The tree of objects that a call touched: two snapshots compared, unchanged parts folded.

`kshell.lens.merge` says what became of every object; here it is told, line by line.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from kshell.lens.merge import GONE, SAME, Alive, Merged, Merger, forever
from kshell.lens.objects import Node, Snapshot
from kshell.lens.shown import UNSET, told_of, value_text

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
    for name, old, new in zip(after.spec.names, before.raw, after.raw, strict=True):
        if old != new:
            yield FieldChange(
                after.struct, after.address, name,
                value_text(before.value, name, old), value_text(after.value, name, new),
            )  # fmt: skip


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
    roots = Merger(before, after, alive, everything).roots(frozenset(also))
    teller = _Teller(everything, not everything and before is not after)
    return [line for root in roots if root.touched for line in teller.lines(root, ())]


def full_lines(node: Node, everything: bool = False) -> list[TreeLine]:
    """The whole tree below a node, nothing marked."""
    whole = Snapshot.of(node)
    (root,) = Merger(whole, whole, everything=True).roots()
    return list(_Teller(everything, brief=False).lines(root, ()))


class _Teller:
    """Writes merged objects as lines; everything: with all their fields; brief: what is not new with few."""

    def __init__(self, everything: bool, brief: bool) -> None:
        self.everything = everything
        self.brief = brief

    def lines(self, merged: Merged, last: tuple[bool, ...]) -> Iterator[TreeLine]:
        """The line of an object, and those of what is shown below it."""
        node = merged.node
        fields = () if merged.note == GONE else tuple(self._fields(merged))
        yield TreeLine(last, merged.sign, merged.edge, node.struct, node.address, fields, _note(merged))
        shown, folds = _visible(merged)
        folds += _unchanged(merged)
        for index, child in enumerate(shown):
            yield from self.lines(child, (*last, index == len(shown) - 1 and not folds))
        for index, (sign, text) in enumerate(folds):
            yield TreeLine((*last, index == len(folds) - 1), sign, "", "", 0, (), text)

    def _fields(self, merged: Merged) -> Iterator[Field]:
        node, spec = merged.node, merged.node.spec
        brief = merged.note.startswith(SAME) or (self.brief and merged.sign != "new")
        told = told_of(spec, _state(node), brief, self.everything)
        changed = self._changed(merged)
        for index in sorted({*told, *changed}) if changed else told:
            name, raw = spec.names[index], node.raw[index]
            if raw is None:
                continue
            text = value_text(node.value, name, raw)
            if index in changed:
                yield Field(name, text, changed[index])
            elif told[index] or text not in UNSET:
                yield Field(name, text)

    def _changed(self, merged: Merged) -> dict[int, str]:
        """The former texts of the fields that have changed, by their places."""
        before, after = merged.before, merged.after
        if merged.sign != "changed" or before is None or after is None:
            return {}
        names = after.spec.names
        quiet = () if self.everything else after.spec.quiet
        pairs = enumerate(zip(before.raw, after.raw, strict=True))
        different = [(index, old) for index, (old, new) in pairs if old != new and names[index] not in quiet]
        return {i: "-" if old is None else value_text(before.value, names[i], old) for i, old in different}


def _state(node: Node) -> str:
    """The TCP state of a sock; "" for what has none."""
    if "sk_state" not in node.spec.names:
        return ""
    raw = node.raw[node.spec.names.index("sk_state")]
    return value_text(node.value, "sk_state", raw)


def _note(merged: Merged) -> str:
    """What is said behind the fields: how the object is called, what became of it, what is not shown below it."""
    named = [edge for edge in merged.hidden if "[" not in edge]
    parts = (f'"{merged.name}"' if merged.name else "", merged.note, f"… {', '.join(named)}" if named else "")
    return "   ".join(filter(None, parts))


def _visible(merged: Merged) -> tuple[list[Merged], list[tuple[str, str]]]:
    """The children that get lines, and what to say of repeated ones."""
    shown: list[Merged] = []
    repeated: dict[tuple[str, ...], list[Merged]] = {}
    for child in merged.children:
        if not child.touched:
            continue
        key = (child.sign, child.node.struct, child.edge.partition("[")[0], child.note)
        same = repeated.setdefault(key, [])
        same.append(child)
        if len(same) <= SAME_SHOWN or "[" not in child.edge:
            shown.append(child)
    folds = []
    for (sign, struct, *_), same in repeated.items():
        rest = [child for child in same if child not in shown]
        if len(rest) == 1:
            shown.append(rest[0])
        elif rest:
            folds.append((sign or "folded", f"… {len(rest)} more {struct}: {_range([c.edge for c in rest])}"))
    return shown, folds


def _unchanged(merged: Merged) -> list[tuple[str, str]]:
    """The fold line of elements that did not change, or were never followed."""
    elements = [edge for edge in merged.hidden if "[" in edge]
    count = len(elements) + merged.node.more
    if not count:
        return []
    return [("folded", f"… {count} more" + (f": {_range(elements)}" if elements else ""))]


def _range(edges: list[str]) -> str:
    first, end = edges[0], edges[-1]
    index = end[end.index("[") :]
    return first if len(edges) == 1 else f"{first} to {index}" if len(edges) > 2 else f"{first}, {index}"
