"""The tree of objects that a call touched: two snapshots compared, unchanged parts folded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from kshell.lens.objects import Node, brief, shown

SIGN_TEXT = {"": "", "new": "(new)", "changed": "(changed)", "freed": "(freed)", "folded": ""}
FOLD_OVER = 3


class TreeLine:
    """One line: `depth` levels down, `last` says for each level whether it is the last child there."""

    __slots__ = ("address", "depth", "last", "path", "sign", "struct", "text")

    def __init__(self, last: tuple[bool, ...], sign: str, path: str, struct: str, address: int, text: str) -> None:
        self.depth = len(last)
        self.last = last
        self.sign = sign
        self.path = path
        self.struct = struct
        self.address = address
        self.text = text


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
    """A node of the merged tree: what it was, what it is. known: a new one was, or an old one is, elsewhere too."""

    __slots__ = ("after", "before", "children", "known", "sign", "touched")

    def __init__(self, before: Node | None, after: Node | None, known: bool) -> None:
        self.before = before
        self.after = after
        self.known = known
        self.children: list[_Merged] = []
        self.sign = self._sign()
        self.touched = bool(self.sign)

    def _sign(self) -> str:
        if self.before is None:
            return "shared" if self.known else "new"
        if self.after is None:
            return "gone" if self.known else "freed"
        return "changed" if self.before.fields != self.after.fields else ""

    @property
    def node(self) -> Node:
        node = self.after or self.before
        assert node is not None
        return node


def merge(before: Node | None, after: Node | None) -> _Merged:
    """Both snapshots in one tree, every node with its sign."""
    was = {node.address for node in before.walk()} if before else set()
    now = {node.address for node in after.walk()} if after else set()
    return _merge(before, after, was & now)


def _merge(before: Node | None, after: Node | None, alive: set[int]) -> _Merged:
    node = after or before
    merged = _Merged(before, after, node is not None and node.address in alive)
    old = {child.key: child for child in before.children} if before else {}
    new = after.children if after else []
    kept = {child.key for child in new}
    for child in new:
        merged.children.append(_merge(old.get(child.key), child, alive))
    for key, child in old.items():
        if key not in kept:
            merged.children.append(_merge(child, None, alive))
    merged.children.sort(key=lambda m: _position(m.node.edge))
    merged.touched = merged.touched or any(child.touched for child in merged.children)
    return merged


def _position(edge: str) -> tuple[int, int]:
    return (1, int(edge[9:-1])) if edge.startswith("fd_array[") else (0, 0)


def changes(before: Node | None, after: Node | None) -> list[FieldChange]:
    """The fields that differ, objects in the order of the tree."""
    found: list[FieldChange] = []
    seen: set[int] = set()
    for merged in _all(merge(before, after)):
        if merged.sign == "changed" and merged.node.address not in seen and merged.before and merged.after:
            seen.add(merged.node.address)
            found += _field_changes(merged.before, merged.after)
    return found


def _field_changes(before: Node, after: Node) -> Iterator[FieldChange]:
    for name in {**before.fields, **after.fields}:
        old, new = before.fields.get(name, ""), after.fields.get(name, "")
        if old != new:
            yield FieldChange(after.struct, after.address, name, old, new)


def _all(merged: _Merged) -> Iterator[_Merged]:
    yield merged
    for child in merged.children:
        yield from _all(child)


def touched_lines(before: Node | None, after: Node | None, also: Iterable[str] = ()) -> list[TreeLine]:
    """The tree of what differs, and of `also` (edges such as `fd_array[3]`); empty: nothing to show."""
    merged = merge(before, after)
    wanted = set(also)
    for branch in _all(merged):
        if branch.node.edge in wanted:
            branch.touched = merged.touched = True
    for branch in _all(merged):
        branch.touched = branch.touched or any(child.touched for child in branch.children)
    merged.touched = merged.touched or any(child.touched for child in merged.children)
    return list(_lines(merged, ())) if merged.touched else []


def full_lines(node: Node) -> list[TreeLine]:
    """The whole tree below a node, nothing marked."""
    merged = merge(node, node)
    for branch in _all(merged):
        branch.touched = True
    return list(_lines(merged, ()))


def _lines(merged: _Merged, last: tuple[bool, ...]) -> Iterator[TreeLine]:
    node = merged.node
    yield TreeLine(last, _shown_sign(merged.sign), node.edge, node.struct, node.address, _text(merged))
    if merged.sign in ("gone", "shared"):
        return
    visible = [child for child in merged.children if child.touched]
    hidden = [child for child in merged.children if not child.touched]
    fold = _fold_text(hidden)
    for index, child in enumerate(visible):
        yield from _lines(child, (*last, index == len(visible) - 1 and not fold))
    if fold:
        yield TreeLine((*last, True), "folded", "", "", 0, fold)


def _shown_sign(sign: str) -> str:
    return "changed" if sign in ("gone", "shared") else sign


def _fold_text(hidden: list[_Merged]) -> str:
    if not hidden:
        return ""
    if len(hidden) > FOLD_OVER or (len(hidden) > 1 and hidden[0].node.edge.startswith("fd_array")):
        return f"… {len(hidden)} more"
    return "… " + ", ".join(f"{child.node.edge} {child.node.struct}" for child in hidden)


def _text(merged: _Merged) -> str:
    node = merged.node
    if merged.sign in ("gone", "shared"):
        return "no longer here" if merged.sign == "gone" else "the same object"
    old = merged.before.fields if merged.sign == "changed" and merged.before else {}
    parts: list[str] = []
    visible = dict(shown(node.fields) if merged.sign in ("new", "freed", "") else brief(node.fields))
    for name, value in {**node.fields, **old}.items():
        now = node.fields.get(name, "")
        if merged.sign == "changed" and old.get(name, "") != now:
            parts.append(f"{name} {old.get(name) or '-'} → {now or '-'}")
        elif name in visible:
            parts.append(f"{name} {value}")
    if node.note:
        parts.append(f'"{node.note}"')
    return "   ".join(parts)
