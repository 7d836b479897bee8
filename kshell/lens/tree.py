"""The tree of objects that a call touched: two snapshots compared, unchanged parts folded."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from kshell.lens.objects import Node, node_of
from kshell.lens.shown import TELLING, UNSET, value_text, visible

SAME_SHOWN: Final = 3
"""Neighbours with the same sign and struct that are shown before the rest is counted."""

SAME: Final = "the same as"
GONE: Final = "no longer here"
OLD: Final = "existed before"
ORPHAN: Final = "orphan: no descriptor leads here any more"

Alive = Callable[[object], bool]
"""Whether an object that the task no longer reaches still exists."""


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


class _Merged:
    """A pointer and its object in both snapshots: what the object was, what it is."""

    __slots__ = ("after", "aside", "before", "children", "edge", "name", "note", "sign", "touched", "was_here")

    def __init__(self, before: Node | None, after: Node | None, pointer: Node, was_here: bool) -> None:
        self.before = before
        self.after = after
        self.edge = pointer.edge
        self.name = pointer.note
        self.aside = pointer.aside
        self.was_here = was_here
        self.children: list[_Merged] = []
        self.note = ""
        self.sign = ""
        self.touched = False

    @property
    def node(self) -> Node:
        node = self.after or self.before
        assert node is not None
        return node


class _Merger:
    """Compares two snapshots object by object: what an object is does not depend on the way that leads to it."""

    def __init__(self, before: Node | None, after: Node | None, alive: Alive, everything: bool) -> None:
        self.alive = alive
        self.everything = everything
        self.old = _by_identity(before)
        self.new = _by_identity(after)
        self.placed: dict[int, str] = {}

    def pair(self, was: Node | None, now: Node | None, above: str = "") -> _Merged:
        """The pointer `was` → `now` (the same field of the same object) with what hangs below it."""
        node = now or was
        assert node is not None
        key = node.identity
        merged = _Merged(self.old.get(key), self.new.get(key), node, was is not None)
        if key in self.placed and now is not None:
            merged.note = f"{SAME} {self.placed[key]}"
            merged.sign = "" if merged.was_here else "new"
            merged.touched = bool(merged.sign) and not merged.aside
            return merged
        if now is None and (key in self.placed or merged.after is not None):
            merged.sign, merged.note, merged.touched = "freed", GONE, not merged.aside
            return merged
        path = f"{above}->{node.edge}" if above and "fd_array" not in node.edge else node.edge
        self.placed[key] = path or node.struct
        self._sign(merged)
        self._below(merged, path)
        return merged

    def _sign(self, merged: _Merged) -> None:
        before, after = merged.before, merged.after
        if before is None:
            merged.sign = "new"
        elif after is None:
            if not self.alive(before.value):
                merged.sign = "freed"
            else:
                merged.after = after = node_of(before.edge, before.value)
                merged.name, merged.note, merged.sign = "", ORPHAN, "changed"
        if before is not None and after is not None and self._differ(before, after):
            merged.sign = "changed"
        if before is not None and not merged.was_here:
            merged.sign, merged.note = "new", OLD
        merged.touched = bool(merged.sign) and not (merged.aside and merged.note)

    def _differ(self, before: Node, after: Node) -> bool:
        """Whether a field has changed that is shown."""
        if before.raw == after.raw:
            return False
        quiet = () if self.everything else before.spec.quiet
        pairs = zip(before.spec.names, before.raw, after.raw, strict=True)
        return any(old != new and name not in quiet for name, old, new in pairs)

    def _below(self, merged: _Merged, path: str) -> None:
        new = merged.after.children if merged.after is not None else []
        old = {(child.edge, child.identity): child for child in merged.before.children} if merged.before else {}
        for child in new:
            merged.children.append(self.pair(old.pop((child.edge, child.identity), None), child, path))
        for child in old.values():
            merged.children.append(self.pair(child, None, path))
        if old:
            merged.children.sort(key=lambda m: _position(m.edge))
        merged.touched = merged.touched or any(child.touched for child in merged.children)


def _by_identity(root: Node | None) -> dict[int, Node]:
    """The nodes of a snapshot, those with children before those that only point to them."""
    found: dict[int, Node] = {}
    waiting = [root] if root is not None else []
    while waiting:
        node = waiting.pop()
        identity = node.address or id(node.value)
        if node.children:
            waiting += node.children
            found[identity] = node
        elif identity not in found:
            found[identity] = node
    return found


def _position(edge: str) -> tuple[int, int]:
    """Elements of arrays in the order of their index; other fields stay where they are."""
    name, _, index = edge.rstrip("]").partition("[")
    return (1, int(index)) if name == "fd_array" and index.isdigit() else (0, 0)


def _merge(before: Node | None, after: Node | None, alive: Alive, everything: bool = False) -> _Merged:
    return _Merger(before, after, alive, everything).pair(before, after)


def _forever(value: object) -> bool:
    return True


def changes(before: Node | None, after: Node | None, alive: Alive = _forever) -> list[FieldChange]:
    """The fields that differ, objects in the order of the tree."""
    found: list[FieldChange] = []
    for merged in _all(_merge(before, after, alive)):
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


def _all(merged: _Merged) -> Iterator[_Merged]:
    yield merged
    for child in merged.children:
        yield from _all(child)


def touched_lines(
    before: Node | None, after: Node | None, also: Iterable[str] = (), everything: bool = False,
    alive: Alive = _forever,
) -> list[TreeLine]:  # fmt: skip
    """The tree of what differs, and of `also` (edges of the first task, such as `fd_array[3]`); empty: nothing to show.

    everything: all fields, and unchanged branches too. A root without a struct is no line: its children are.
    """
    merged = _merge(before, after, alive, everything)
    roots = [merged] if merged.node.struct else merged.children
    for index, root in enumerate(roots):
        _touch(root, frozenset(also if index == 0 else ()), everything)
    return [line for root in roots if root.touched for line in _lines(root, (), everything)]


def _touch(merged: _Merged, also: frozenset[str], everything: bool, asked: bool = False) -> bool:
    """Mark what is shown; whether the branch is. asked: a file that the call named stands above."""
    edge = merged.edge
    asked = edge in also or (asked and edge in _MAIN)
    below = [_touch(child, also, everything, asked) for child in merged.children]
    merged.touched = merged.touched or everything or asked or any(below)
    return merged.touched


_MAIN: Final = frozenset({"private_data", "sk"})
"""Pointers from a file to what it is about."""


def full_lines(node: Node, everything: bool = False) -> list[TreeLine]:
    """The whole tree below a node, nothing marked."""
    merged = _merge(node, node, _forever)
    _touch(merged, frozenset(), True)
    return list(_lines(merged, (), everything))


def _lines(merged: _Merged, last: tuple[bool, ...], everything: bool) -> Iterator[TreeLine]:
    node = merged.node
    shown, hidden, more = _visible(merged)
    note = _quoted_note(merged)
    named = [child.edge for child in hidden if "[" not in child.edge and not child.aside]
    if named:
        note = f"{note}   " * bool(note) + f"… {', '.join(named)}"
    fields = () if merged.note == GONE else tuple(_fields(merged, everything))
    yield TreeLine(last, merged.sign, merged.edge, node.struct, node.address, fields, note)
    folds = [*more, *_unchanged(node, hidden)]
    for index, child in enumerate(shown):
        yield from _lines(child, (*last, index == len(shown) - 1 and not folds), everything)
    for index, (sign, text) in enumerate(folds):
        yield TreeLine((*last, index == len(folds) - 1), sign, "", "", 0, (), text)


def _quoted_note(merged: _Merged) -> str:
    parts = [f'"{merged.name}"'] if merged.name else []
    return "   ".join([*parts, merged.note] if merged.note else parts)


def _visible(merged: _Merged) -> tuple[list[_Merged], list[_Merged], list[tuple[str, str]]]:
    """The children that get lines, those that did not change, and what to say of repeated ones."""
    shown: list[_Merged] = []
    hidden: list[_Merged] = []
    repeated: dict[tuple[str, ...], list[_Merged]] = {}
    for child in merged.children:
        if not child.touched:
            hidden.append(child)
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
            folds.append((sign or "folded", f"… {len(rest)} more {struct}: {_range(rest)}"))
    return shown, hidden, folds


def _unchanged(node: Node, hidden: list[_Merged]) -> list[tuple[str, str]]:
    """The fold line of elements that did not change, or were never followed."""
    elements = [child for child in hidden if "[" in child.edge]
    count = len(elements) + node.more
    if not count:
        return []
    return [("folded", f"… {count} more" + (f": {_range(elements)}" if elements else ""))]


def _range(children: list[_Merged]) -> str:
    first, end = children[0].edge, children[-1].edge
    index = end[end.index("[") :]
    return first if len(children) == 1 else f"{first} to {index}" if len(children) > 2 else f"{first}, {index}"


def _fields(merged: _Merged, everything: bool) -> Iterator[Field]:
    node, spec = merged.node, merged.node.spec
    old = merged.before.raw if merged.sign == "changed" and merged.before is not None else None
    always, never = visible(spec, _state(node), everything)
    repeated = merged.note.startswith(SAME)
    brief = repeated or (not everything and merged.sign != "new" and merged.before is not merged.after)
    for index, (name, raw) in enumerate(zip(spec.names, node.raw, strict=True)):
        if raw is None:
            continue
        if old is not None and old[index] != raw and (everything or name not in spec.quiet):
            yield Field(name, value_text(node.value, name, raw), _old_text(merged, name, old[index]))
        elif name in TELLING if brief else name in always or name not in never:
            text = value_text(node.value, name, raw)
            if everything or text not in UNSET or name in always:
                yield Field(name, text)


def _old_text(merged: _Merged, name: str, raw: object) -> str:
    assert merged.before is not None
    return "-" if raw is None else value_text(merged.before.value, name, raw)


def _state(node: Node) -> str:
    """The TCP state of a sock; "" for what has none."""
    if "sk_state" not in node.spec.names:
        return ""
    raw = node.raw[node.spec.names.index("sk_state")]
    return value_text(node.value, "sk_state", raw)
