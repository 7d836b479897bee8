"""Two snapshots compared object by object: what is new, changed, freed, or reached by another way now."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from kshell.lens.objects import ASIDE, Node, Snapshot, node_of

SAME: Final = "the same as"
GONE: Final = "no longer here"
OLD: Final = "existed before"
ORPHAN: Final = "orphan: no descriptor leads here any more"

Alive = Callable[[object], bool]
"""Whether an object that the task no longer reaches still exists."""

_MAIN: Final = frozenset({"private_data", "sk"})
"""Pointers from a file to what it is about."""

_WAY: Final = frozenset({"files"})
"""Pointers from a task to its descriptors."""

_NOTHING: Final[frozenset[str]] = frozenset()


def forever(value: object) -> bool:
    """Nothing is ever freed."""
    return True


class Merged:
    """A pointer and its object in both snapshots: what the object was, what it is.

    hidden, elements: the edges to what hangs below and is not shown, those to elements of its lists apart.
    """

    __slots__ = (
        "after", "aside", "before", "children", "edge", "elements", "hidden", "name", "note", "sign", "touched",
        "was_here",
    )  # fmt: skip

    def __init__(self, before: Node | None, after: Node | None, pointer: Node, was_here: bool) -> None:
        self.before = before
        self.after = after
        self.edge = pointer.edge
        self.name = pointer.note
        self.aside = pointer.edge in ASIDE
        self.was_here = was_here
        self.children: list[Merged] = []
        self.hidden: list[str] = []
        self.elements: list[str] = []
        self.note = ""
        self.sign = ""
        self.touched = False

    @property
    def node(self) -> Node:
        node = self.after or self.before
        assert node is not None
        return node

    def add(self, child: Merged) -> None:
        """Something hangs below that was looked into."""
        self.children.append(child)
        if child.touched:
            self.touched = True
        else:
            self.hide(child.edge)

    def hide(self, edge: str) -> None:
        """Something hangs below that is not shown."""
        if "[" in edge:
            self.elements.append(edge)
        elif edge not in ASIDE:
            self.hidden.append(edge)


class Merger:
    """Compares two snapshots object by object: what an object is does not depend on the way that leads to it.

    What both snapshots share is not looked into, unless something below it is wanted.
    """

    def __init__(self, before: Snapshot, after: Snapshot, alive: Alive = forever, everything: bool = False) -> None:
        self.before = before
        self.after = after
        self.alive = alive
        self.everything = everything
        self.gone: set[int] = set()
        self._places: dict[int, str] = {}

    def roots(self, wanted: frozenset[str] = _NOTHING) -> list[Merged]:
        """The tasks of both snapshots; wanted: edges of the first that are shown even if nothing changed there."""
        old = {root.identity: root for root in self.before.roots}
        found = []
        for index, root in enumerate(self.after.roots):
            was = old.pop(root.identity, None)
            found.append(self.pair(was, root, _NOTHING if index else wanted))
        return found + [self.pair(root, None, _NOTHING) for root in old.values()]

    def pair(self, was: Node | None, now: Node | None, wanted: frozenset[str]) -> Merged:
        """The pointer `was` → `now` (the same field of the same object) with what hangs below it."""
        node = now or was
        assert node is not None
        key = node.identity
        merged = Merged(self.before.nodes.get(key), self.after.nodes.get(key), node, was is not None)
        asked = node.edge in wanted
        if now is not None and merged.after is not now:
            merged.note = f"{SAME} {self._place(key)}"
            merged.sign = "" if merged.was_here else "new"
            merged.touched = bool(merged.sign) and not merged.aside
        elif now is None and (merged.after is not None or key in self.gone):
            merged.sign, merged.note, merged.touched = "freed", GONE, not merged.aside
        else:
            if now is None:
                self.gone.add(key)
            self._sign(merged)
            self._below(merged, wanted | _MAIN if asked else wanted - _MAIN)
        merged.touched = merged.touched or asked or self.everything
        return merged

    def _place(self, key: int) -> str:
        """Where an object stands in the tree."""
        if not self._places:
            self._note_places(self.after.roots, "")
        return self._places[key]

    def _note_places(self, nodes: Iterable[Node], above: str) -> None:
        for node in nodes:
            path = f"{above}->{node.edge}" if above and "fd_array" not in node.edge else node.edge
            self._places.setdefault(node.identity, path or node.struct)
            self._note_places(node.children, path)

    def _sign(self, merged: Merged) -> None:
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
        pairs = zip(before.spec.names, before.raw, after.raw, strict=False)
        return any(old != new and name not in quiet for name, old, new in pairs)

    def _below(self, merged: Merged, wanted: frozenset[str]) -> None:
        before = merged.before.children if merged.before is not None else []
        after = merged.after.children if merged.after is not None else []
        if not before and not after:
            return
        shared = set(before).intersection(after)
        old = {(child.edge, child.identity): child for child in before if child not in shared}
        for child in after:
            if child not in shared:
                merged.add(self.pair(old.pop((child.edge, child.identity), None), child, wanted))
            elif self.everything or child.edge in wanted or (wanted and child.edge in _WAY):
                merged.add(self.pair(child, child, wanted))
            else:
                merged.hide(child.edge)
        for child in old.values():
            merged.add(self.pair(child, None, wanted))
        if old:
            merged.children.sort(key=lambda m: _position(m.edge))


def _position(edge: str) -> tuple[int, int]:
    """Elements of arrays in the order of their index; other fields stay where they are."""
    name, _, index = edge.rstrip("]").partition("[")
    return (1, int(index)) if name == "fd_array" and index.isdigit() else (0, 0)
