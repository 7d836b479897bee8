"""Two snapshots compared object by object: what is new, changed, freed, or reached by another way now."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
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

    different: places of the fields that have changed, as far as that is shown. hidden, elements: the edges to what
    hangs below and is not shown, those to elements of its lists apart.
    """

    __slots__ = (
        "after", "before", "children", "different", "edge", "elements", "hidden", "name", "note", "sign", "touched",
    )  # fmt: skip

    def __init__(self, before: Node | None, after: Node | None, pointer: Node) -> None:
        self.before = before
        self.after = after
        self.edge = pointer.edge
        self.name = pointer.note
        self.children: list[Merged] = []
        self.different: Sequence[int] = ()
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

    def __init__(
        self, before: Snapshot, after: Snapshot, alive: Alive = forever, everything: bool = False,
        wanted: frozenset[str] = _NOTHING,
    ) -> None:  # fmt: skip
        """wanted: edges below the first task that are shown even if nothing changed there."""
        self.before = before
        self.after = after
        self.alive = alive
        self.everything = everything
        self.wanted = wanted
        self.main = wanted | _MAIN
        self.gone: set[int] = set()
        self._places: dict[int, str] = {}

    def roots(self) -> list[Merged]:
        """The tasks of both snapshots."""
        old = {root.identity: root for root in self.before.roots}
        found = []
        for index, root in enumerate(self.after.roots):
            was = old.pop(root.identity, None)
            found.append(self.pair(was, root, _NOTHING if index else self.wanted))
        return found + [self.pair(root, None, _NOTHING) for root in old.values()]

    def pair(self, was: Node | None, now: Node | None, wanted: frozenset[str]) -> Merged:
        """The pointer `was` → `now` (the same field of the same object) with what hangs below it."""
        node = now or was
        assert node is not None
        key, edge = node.identity, node.edge
        before, after = self.before.nodes.get(key), self.after.nodes.get(key)
        merged = Merged(before, after, node)
        asked = edge in wanted
        if now is not None and after is not now:
            merged.note = f"{SAME} {self._place(key)}"
            if was is None:
                merged.sign, merged.touched = "new", edge not in ASIDE
        elif now is None and (after is not None or key in self.gone):
            merged.sign, merged.note, merged.touched = "freed", GONE, edge not in ASIDE
        else:
            if now is None:
                self.gone.add(key)
            self._sign(merged, was)
            if (before and before.children) or (after and after.children):
                self._below(merged, self.main if asked else self.wanted if wanted else wanted)
        if asked or self.everything:
            merged.touched = True
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

    def _sign(self, merged: Merged, was: Node | None) -> None:
        before, after = merged.before, merged.after
        if before is None:
            merged.sign, merged.touched = "new", True
            return
        if after is None:
            if not self.alive(before.value):
                merged.sign, merged.touched = "freed", True
                return
            after = merged.after = node_of(before.edge, before.value)
            merged.name, merged.note, merged.sign = "", ORPHAN, "changed"
        if before.raw != after.raw:
            merged.different = self._different(before, after)
            if merged.different:
                merged.sign = "changed"
        if was is None:
            merged.sign, merged.note = "new", OLD
        merged.touched = bool(merged.sign) and not (merged.note and merged.edge in ASIDE)

    def _different(self, before: Node, after: Node) -> Sequence[int]:
        """The places of the fields that have changed and are shown."""
        spec, pairs = after.spec, zip(before.raw, after.raw, strict=False)
        places = [place for place, (was, now) in enumerate(pairs) if was != now and place < len(spec.names)]
        if spec.quiet and not self.everything:
            return [place for place in places if spec.names[place] not in spec.quiet]
        return places

    def _below(self, merged: Merged, wanted: frozenset[str]) -> None:
        before = merged.before.children if merged.before is not None else ()
        after = merged.after.children if merged.after is not None else ()
        if not before:
            for child in after:
                self._add(merged, self.pair(None, child, wanted))
            return
        shared = set(before).intersection(after)
        old = {(child.edge, child.identity): child for child in before if child not in shared}
        for child in after:
            if child not in shared:
                was = old.pop((child.edge, child.identity), None) if old else None
                self._add(merged, self.pair(was, child, wanted))
            elif self.everything or child.edge in wanted or (wanted and child.edge in _WAY):
                self._add(merged, self.pair(child, child, wanted))
            else:
                merged.hide(child.edge)
        for child in old.values():
            self._add(merged, self.pair(child, None, wanted))
        if old and len(merged.children) > 1:
            merged.children.sort(key=lambda m: _position(m.edge))

    def _add(self, merged: Merged, child: Merged) -> None:
        """Something hangs below that was looked into."""
        merged.children.append(child)
        if child.touched:
            merged.touched = True
        else:
            merged.hide(child.edge)


def _position(edge: str) -> tuple[int, int]:
    """Elements of arrays in the order of their index; other fields stay where they are."""
    name, _, index = edge.rstrip("]").partition("[")
    return (1, int(index)) if name == "fd_array" and index.isdigit() else (0, 0)
