"""Byte layouts of the structs of the user ABI, on x86-64 and i386.

``layout("sockaddr_in").pack({"sin_family": 2, "sin_port": 80, "sin_addr": 0x7F000001})`` gives its 16 bytes,
``.unpack(data)`` the values by field. Fields that are not given are zero; bytes that are not there leave their fields
out.
"""

import struct
from collections.abc import Iterator, Mapping
from functools import cache, cached_property
from types import MappingProxyType
from typing import Final, TypeAlias

from kshell.abi.record import Record
from kshell.abi.struct_table import STRUCTS

#: what a field holds: a number, bytes (``u8[n]``, ``char[n]``), a list or a struct
Value: TypeAlias = "int | bytes | list[Value] | dict[str, Value]"

_SCALARS: Final = {
    "u8": "<B", "s8": "<b", "u16": "<H", "s16": "<h", "u32": "<I", "s32": "<i", "u64": "<Q", "s64": "<q",
    "be16": ">H", "be32": ">I", "be64": ">Q",
}  # fmt: skip
_NATIVE: Final = {
    "x86_64": {"long": "<q", "ulong": "<Q", "ptr": "<Q"},
    "i386": {"long": "<i", "ulong": "<I", "ptr": "<I"},
}


class Field(Record):
    """One field: its type as in the table, where it lies, and how to read one element of it."""

    name: str
    type: str  # "u32", "ptr", "char", "struct timeval", …
    offset: int
    size: int  # of the whole field, all elements
    count: int  # elements of an array; 0: not an array
    code: str  # struct-module code of a scalar; "" for a struct
    inner: "Struct | None"

    @property
    def is_bytes(self) -> bool:
        """Whether the field is kept as bytes."""
        return self.count > 0 and self.type in ("u8", "char")

    def pack_into(self, buffer: bytearray, value: Value) -> None:
        """Writes the field; too long bytes and lists are cut, numbers wrapped as C does."""
        if self.is_bytes:
            data = value.encode() if isinstance(value, str) else bytes(value) if isinstance(value, bytes) else b""
            buffer[self.offset : self.offset + self.size] = data[: self.size].ljust(self.size, b"\0")
            return
        values = value if isinstance(value, list) else [value]
        width = self.size // (self.count or 1)
        for index, item in enumerate(values[: self.count or 1]):
            start = self.offset + index * width
            buffer[start : start + width] = self._pack_one(item, width)

    def _pack_one(self, value: Value, width: int) -> bytes:
        if self.inner is not None:
            return self.inner.pack(value if isinstance(value, dict) else {})
        number = value if isinstance(value, int) else 0
        order = "big" if self.code[0] == ">" else "little"
        return (number & ((1 << 8 * width) - 1)).to_bytes(width, "big" if order == "big" else "little")

    def unpack_from(self, data: bytes) -> Value:
        """The value of the field in the struct's bytes, which must reach to its end."""
        if self.is_bytes:
            return data[self.offset : self.offset + self.size]
        if not self.count:
            return self._unpack_one(data, self.offset, self.size)
        width = self.size // self.count
        starts = range(self.offset, self.offset + self.size, width) if width else range(0)
        return [self._unpack_one(data, start, width) for start in starts]

    def _unpack_one(self, data: bytes, start: int, width: int) -> Value:
        if self.inner is not None:
            return self.inner.unpack(data[start : start + width])
        value: int = struct.unpack_from(self.code, data, start)[0]
        return value


class Struct(Record):
    """A struct's layout on one architecture."""

    name: str
    size: int
    align: int
    fields: tuple[Field, ...]

    @cached_property
    def _by_name(self) -> dict[str, Field]:
        return {field.name: field for field in self.fields}

    def field(self, name: str) -> Field | None:
        """The field of that name."""
        return self._by_name.get(name)

    def pack(self, values: Mapping[str, Value]) -> bytes:
        """The bytes of a struct with these values; KeyError for a name that is not a field."""
        buffer = bytearray(self.size)
        for name, value in values.items():
            self._by_name[name].pack_into(buffer, value)
        return bytes(buffer)

    def unpack(self, data: bytes) -> dict[str, Value]:
        """The values of every field that lies wholly in the data."""
        return {f.name: f.unpack_from(data) for f in self.fields if f.offset + f.size <= len(data)}

    def numbers(self, data: bytes) -> dict[str, int]:
        """As unpack, only the fields that are numbers."""
        return {name: value for name, value in self.unpack(data).items() if isinstance(value, int)}

    def visible_fields(self) -> Iterator[Field]:
        """The fields that mean something: those whose name does not start with an underscore."""
        return (f for f in self.fields if not f.name.startswith("_"))


def _definitions() -> dict[str, tuple[bool, str]]:
    entries = STRUCTS.replace("\n   ", "").strip().splitlines()
    result = {}
    for entry in entries:
        head, _, body = entry.partition(":")
        name, _, packed = head.partition(" ")
        result[name] = (packed == "packed", body.strip())
    return result


_DEFINITIONS: Final = MappingProxyType(_definitions())


def _element(ctype: str, arch: str) -> tuple[int, int, str, Struct | None]:
    """Size, alignment, code and layout of one element of a type."""
    if ctype.startswith("struct "):
        inner = layout(ctype.removeprefix("struct "), arch)
        return inner.size, inner.align, "", inner
    code = _NATIVE[arch].get(ctype) or _SCALARS.get("u8" if ctype == "char" else ctype, "")
    size = struct.calcsize(code)
    return size, min(size, 4) if arch == "i386" else size, code, None


@cache
def layout(name: str, arch: str = "x86_64") -> Struct:
    """The layout of ``struct name`` on "x86_64" or "i386"; KeyError if the table has none."""
    packed, body = _DEFINITIONS.get(f"{name}@{arch}") or _DEFINITIONS[name]
    offset, alignment, fields = 0, 1, []
    for declaration in body.split(";"):
        declared, _, field_name = declaration.strip().rpartition(" ")
        ctype, _, count_text = declared.partition("[")
        count = int(count_text.rstrip("]") or 0)
        size, align, code, inner = _element(ctype, arch)
        align = 1 if packed else align
        offset = -(-offset // align) * align
        fields.append(Field(field_name, ctype, offset, size * (count or 1), count, code, inner))
        offset += size * (count or 1)
        alignment = max(alignment, align)
    return Struct(name, -(-offset // alignment) * alignment, alignment, tuple(fields))


def names() -> tuple[str, ...]:
    """Every struct that has a layout."""
    return tuple(name for name in _DEFINITIONS if "@" not in name)


def has(name: str) -> bool:
    """Whether there is a layout of that name."""
    return name in _DEFINITIONS


def sizeof(name: str, arch: str = "x86_64") -> int:
    """``sizeof(struct name)``."""
    return layout(name, arch).size
