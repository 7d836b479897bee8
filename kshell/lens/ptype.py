"""The layout of a struct in Linux 6.1, as pahole prints it: types, offsets, sizes, holes; what the model lacks is marked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from kshell.lens.layouts import Layout, LayoutField
from kshell.lens.members import keeps, struct_class
from kshell.lens.style import Line

INDENT: Final = "    "
CACHE_LINE: Final = 64
"""A gap that is not shorter can be no padding: the members there were not recorded."""

BLANK: Final = " " * 13


def ptype(layout: Layout) -> Iterator[Line]:
    """The lines of a struct: offset, size and declaration of each member."""
    model = struct_class(layout.name)
    table = _Table(model, "hole" if _is_whole(layout) else "not recorded")
    yield [("folded", "offset   size  "), ("struct", f"{layout.kind} {layout.name} {{")]
    yield from table.fields(layout.fields, 0, layout.size, 1, layout.kind == "union")
    yield [("", BLANK + "  "), ("struct", "}"), ("folded", f"; /* {_summary(layout, model)} */")]


def _summary(layout: Layout, model: type | None) -> str:
    size = f"size: {layout.size}"
    if model is None:
        return f"{size}; the model has no such struct"
    lacking = sum(not keeps(model, field.name, field.type) for field in layout.fields if field.name)
    return f"{size}; - {lacking} members are not in the model" if lacking else size


def _is_whole(layout: Layout) -> bool:
    """Whether all members were recorded: no gap is as long as a cache line."""
    at = 0
    for field in layout.fields:
        if field.offset - at >= CACHE_LINE:
            return False
        at = max(at, field.offset + field.size)
    return True


class _Table:
    """Members one below the other; gap: what the space between them is."""

    def __init__(self, model: type | None, gap: str) -> None:
        self.model = model
        self.gap = gap

    def fields(
        self, fields: tuple[LayoutField, ...], start: int, end: int, depth: int, union: bool
    ) -> Iterator[Line]:
        """The members from `start` to `end`, the space between them named."""
        at = start
        for field in fields:
            if not union and field.offset > at:
                yield self._gap(at, field.offset - at, depth)
            yield from self._field(field, depth)
            at = max(at, field.offset + field.size)
        if not union and fields and end > at:
            yield self._gap(at, end - at, depth)

    def _gap(self, at: int, size: int, depth: int) -> Line:
        return [("folded", f"{at:6} {size:6}  {INDENT * depth}/* {self.gap} */")]

    def _field(self, field: LayoutField, depth: int) -> Iterator[Line]:
        there = self.model is None or keeps(self.model, field.name, field.type) or not field.name
        sign, style = ("  ", "") if there else (" -", "folded")
        yield [("folded", _place(field)), (style, sign + _declaration(field, depth))]
        if field.fields:
            inside = _Table(None if field.name else self.model, self.gap)
            end = field.offset + field.size
            yield from inside.fields(field.fields, field.offset, end, depth + 1, field.type.startswith("union"))
            yield [(style, f"{BLANK}  {INDENT * depth}}}{' ' + field.name if field.name else ''};")]


def _place(field: LayoutField) -> str:
    """Offset and size; of a bit field byte:bit and the number of bits."""
    if field.bits is None:
        return f"{field.offset:6} {field.size:6}"
    first, count = field.bits
    return f"{f'{field.offset}:{first - field.offset * 8}':>6} {f'{count} bit':>6}"


def _declaration(field: LayoutField, depth: int) -> str:
    """`struct file *file;`, `void (*sk_data_ready)(struct sock *);`, `int tcpct:4;`"""
    indent = INDENT * depth
    ctype, name = field.type, field.name
    if field.fields:
        return f"{indent}{ctype.split(' ', 1)[0] if ctype else 'struct'} {{"
    if "(*)" in ctype:
        return f"{indent}{ctype.replace('(*)', f'(*{name})', 1)};"
    ctype, bracket, length = ctype.partition("[")
    gap = "" if ctype.endswith("*") else " "
    bits = f":{field.bits[1]}" if field.bits is not None else ""
    return f"{indent}{ctype}{gap}{name}{bracket}{length}{bits};"
