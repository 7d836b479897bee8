"""Values printed in drgn's notation: `*(struct socket *)0xffff… = { .state = (socket_state)SS_CONNECTED, … }`.

Members stand in the order of Linux 6.1's layout, with its types, embedded structs inside one another as there. What is
0 or NULL is left out unless all is asked for; then also members that the model does not keep are named, marked so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from kshell.lens import fields, layouts, names, values
from kshell.lens.expr import members
from kshell.lens.layouts import LayoutField
from kshell.lens.members import Missing, find
from kshell.lens.style import Line

MOST_ITEMS: Final = 8
DEEPEST: Final = 12
INDENT: Final = "    "


class Form:
    """How to print: full: zeros and members that the model lacks too; hexed: numbers in hexadecimal; only: members."""

    __slots__ = ("full", "hexed", "only")

    def __init__(self, full: bool = False, hexed: bool = False, only: Sequence[str] = ()) -> None:
        self.full = full
        self.hexed = hexed
        self.only = tuple(only)


DEFAULT: Final = Form()


def printed(value: object, form: Form = DEFAULT) -> Iterator[Line]:
    """A value as lines."""
    if not names.struct_name(value):
        yield [("", _bare(value, form))]
        return
    struct = names.struct_name(value)
    head: Line = [("", "*("), ("struct", f"struct {struct}"), ("", " *)"), ("address", values.where(value)), ("", " = {")]
    yield head
    count = _Count()
    yield from _members(value, struct, 1, form, count)
    for name in form.only:
        if name not in count.shown and hasattr(value, name):  # a macro of Linux's, or one of the model's own names
            yield from _member(value, LayoutField(name, "", 0, 0, None, ()), 1, form, count)
    if not form.full and not form.only and (count.zero or count.lacking):
        yield [("folded", f"{INDENT}/* {count.text()} */")]
    yield [("", "}")]


class _Count:
    """Members that are left out, and the names of those that were asked for and shown."""

    def __init__(self) -> None:
        self.zero = self.lacking = 0
        self.shown: set[str] = set()

    def text(self) -> str:
        zero = f"{self.zero} more are 0 or NULL" if self.zero else ""
        lacking = f"{self.lacking} not in the model" if self.lacking else ""
        return "; ".join(filter(None, (zero, lacking))) + ": print/full"


def _members(value: object, struct: str, depth: int, form: Form, count: _Count) -> Iterator[Line]:
    layout = layouts.layout(struct)
    if layout is None:
        for name in members(value):
            yield from _member(value, LayoutField(name, "", 0, 0, None, ()), depth, form, count)
        return
    for field in layout.fields:
        yield from _member(value, field, depth, form, count)


def _member(owner: object, field: LayoutField, depth: int, form: Form, count: _Count) -> Iterator[Line]:
    if not field.name:
        for inner in field.fields:
            yield from _member(owner, inner, depth, form, count)
        return
    value = find(owner, field.name, field.type)
    inside = value is owner
    if form.only and not inside and field.name not in form.only:
        return
    if form.only and not inside:
        count.shown.add(field.name)
    if isinstance(value, Missing):
        count.lacking += 1
        if form.full:
            yield _line(depth, field.name, "folded", "/* not in the model */", "")
    elif field.fields and value is not None and not isinstance(value, (int, str, bytes)):
        yield from _unnamed(value, field, depth, form, count)
    elif depth < DEEPEST and (inside or _is_embedded(field, value)):
        yield from _embedded(owner, value, field, depth, form, count)
    elif form.full or form.only or not _is_zero(value):
        yield _line(depth, field.name, "", _text(owner, field, value, form), _cast(field.type, value))
    else:
        count.zero += 1


def _embedded(
    owner: object, value: object, field: LayoutField, depth: int, form: Form, count: _Count
) -> Iterator[Line]:
    """A struct inside another one; left out when all its members are."""
    struct = field.type.removeprefix("struct ").removesuffix("_t")
    if layouts.layout(struct) is None:
        struct = "" if value is owner else names.struct_name(value)
    lines = list(_members(value, struct, depth + 1, form, count)) if struct else []
    if lines:
        indent = INDENT * depth
        yield [("", f"{indent}.{field.name} = ({field.type or f'struct {struct}'}){{")]
        yield from lines
        yield [("", f"{indent}}},")]


def _unnamed(value: object, field: LayoutField, depth: int, form: Form, count: _Count) -> Iterator[Line]:
    """A member that is a struct or union without a name of its own, such as sk_backlog."""
    lines = [line for inner in field.fields for line in _member(value, inner, depth + 1, form, count)]
    if lines:
        yield [("", f"{INDENT * depth}.{field.name} = {{")]
        yield from lines
        yield [("", f"{INDENT * depth}}},")]


def _is_embedded(field: LayoutField, value: object) -> bool:
    """Whether a value is a struct that is part of its owner: by its type, or because it has no address of its own."""
    struct = names.struct_name(value)
    if field.type.endswith("*") or not struct or struct == "sk_buff_head":
        return False
    return field.type == f"struct {struct}" or values.where(value) == "…"


def _line(depth: int, name: str, style: str, text: str, cast: str) -> Line:
    return [("", f"{INDENT * depth}.{name} = "), ("address", cast), (style, f"{text},")]


def _cast(ctype: str, value: object) -> str:
    if not ctype:
        return "" if not names.struct_name(value) else f"(struct {names.struct_name(value)} *)"
    if names.struct_name(value) and ctype.endswith("*") and ctype.startswith(("struct ", "const struct ")):
        return f"({'const ' * ctype.startswith('const ')}struct {names.struct_name(value)} *)"
    return f"({ctype})"


def _text(owner: object, field: LayoutField, value: object, form: Form) -> str:
    if value is None:
        return "0x0" if field.type.endswith("*") or not field.type else "{}"
    if isinstance(value, (bool, int)) and not form.hexed:
        return fields.text(owner, field.name, value)
    if names.struct_name(value) and names.struct_name(value) != "sk_buff_head":
        return values.where(value)
    return _bare(value, form)


def _bare(value: object, form: Form) -> str:
    """A value that is no struct."""
    if isinstance(value, (bool, int)):
        return hex(value) if form.hexed else str(int(value))
    if isinstance(value, (bytes, bytearray)):
        return names.data(bytes(value))
    if callable(value) and hasattr(value, "__name__"):
        return str(value.__name__)
    if isinstance(value, Mapping):
        pairs = [f"[{values.plain(key)}] = {_item(value[key], form)}" for key in _first(value)]
        return _items(pairs, len(value))
    if isinstance(value, (list, tuple, set, frozenset)) or names.struct_name(value) == "sk_buff_head":
        count = len(value)  # type: ignore[arg-type]
        return _items([_item(item, form) for item in _first(value)], count)
    return values.plain(value)


def _item(value: object, form: Form) -> str:
    return values.pointer(value) if names.struct_name(value) else _bare(value, form)


def _first(found: object) -> list[object]:
    kept: list[object] = []
    for item in found:  # type: ignore[attr-defined]
        if len(kept) == MOST_ITEMS:
            break
        kept.append(item)
    return kept


def _items(shown: list[str], count: int) -> str:
    more = f", … {count - len(shown)} more" if count > len(shown) else ""
    return f"{{ {', '.join(shown)}{more} }}" if shown else "{}"


def _is_zero(value: object) -> bool:
    if value is None or (isinstance(value, (int, str, bytes, bytearray)) and not value):
        return True
    if isinstance(value, (list, tuple)):
        return all(_is_zero(item) for item in value)
    return hasattr(value, "__len__") and not len(value)
