"""Layouts of kernel structs in Linux 6.1: fields with C types, offsets and sizes, for sizeof, offsetof and ptype.

Recorded facts (``struct_layouts.json``); of about 200 structs, the model's among them.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from kshell.abi.record import Record


class LayoutField(Record):
    """A field: offset and size in bytes; bits (offset, size) of a bit field; inner fields of an anonymous part."""

    name: str
    type: str
    offset: int
    size: int
    bits: tuple[int, int] | None
    fields: tuple["LayoutField", ...]


class Layout(Record):
    """A struct or union."""

    name: str
    kind: str
    size: int
    fields: tuple[LayoutField, ...]

    def find(self, name: str) -> LayoutField | None:
        """The field of that name, inside anonymous parts too."""
        return next((f for f in _named(self.fields) if f.name == name), None)

    def names(self) -> list[str]:
        """The names of all fields."""
        return [f.name for f in _named(self.fields)]


def _named(fields: tuple[LayoutField, ...]) -> Iterator[LayoutField]:
    for field in fields:
        if field.name:
            yield field
        else:
            yield from _named(field.fields)


def _field(row: list[Any]) -> LayoutField:
    name, ctype, offset, size, *rest = row
    bits = (rest[0][0], rest[0][1]) if rest and rest[0] else None
    inner = tuple(_field(r) for r in rest[1]) if len(rest) > 1 else ()
    return LayoutField(name, ctype, offset, size, bits, inner)


@cache
def _rows() -> Mapping[str, list[Any]]:
    text = Path(__file__).with_name("struct_layouts.json").read_text()
    rows: dict[str, list[Any]] = import_module("json").loads(text)
    return rows


@cache
def layout(name: str) -> Layout | None:
    """The layout of ``struct name``, None if it was not recorded."""
    row = _rows().get(name)
    if row is None:
        return None
    return Layout(name, row[0], row[1], tuple(_field(r) for r in row[2]))


def names() -> list[str]:
    """Every struct with a recorded layout."""
    return list(_rows())


def sizeof(name: str) -> int | None:
    """``sizeof(struct name)``"""
    found = layout(name)
    return found.size if found is not None else None


_COMMON = (
    "family", "state", "reuse", "reuseport", "bound_dev_if", "prot", "net", "flags", "refcnt", "hash", "num", "dport",
    "daddr", "rcv_saddr", "cookie", "node", "ipv6only", "net_refcnt", "incoming_cpu",
)  # fmt: skip
_MACROS = {
    **{("sock", f"sk_{name}"): f"__sk_common.skc_{name}" for name in _COMMON},
    **{("inet_sock", f"inet_{name}"): f"sk.__sk_common.skc_{name}" for name in ("num", "dport", "daddr", "rcv_saddr")},
    ("task_struct", "state"): "__state",
}
"""Members that are macros in Linux: what they stand for."""


def _expanded(name: str, member: str) -> str:
    first, dot, rest = member.partition(".")
    return _MACROS.get((name, first), first) + dot + rest


def offsetof(name: str, member: str) -> int | None:
    """``offsetof(struct name, member)``; member may be a path such as ``sk.sk_state``."""
    total = 0
    for part in _expanded(name, member).split("."):
        found = layout(name)
        field = found.find(part) if found is not None else None
        if field is None:
            return None
        total += field.offset
        name = field.type.removeprefix("struct ").removeprefix("union ")
    return total
