"""Bytes as hexdump -C shows them: offset, sixteen bytes, their ASCII."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

ROW: Final = 16


def hexdump(data: bytes, start: int = 0) -> Iterator[str]:
    """The lines of a dump; rows that repeat the one before them are folded to `*`. start: address of the first byte."""
    before, folded = b"", False
    for at in range(0, len(data), ROW):
        row = data[at : at + ROW]
        if row == before and at + ROW < len(data):
            if not folded:
                yield "*"
            folded = True
            continue
        before, folded = row, False
        left, right = row[:8].hex(" "), row[8:].hex(" ")
        yield f"{start + at:08x}  {left:23}  {right:23}  |{_ascii(row)}|"


def _ascii(row: bytes) -> str:
    return "".join(chr(byte) if 0x20 <= byte < 0x7F else "." for byte in row)
