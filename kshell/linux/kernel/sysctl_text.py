"""Numbers and sets of numbers in the text of a setting (kernel/sysctl.c).

A text that is read is consumed: what was understood is deleted at its front. `left` is a box: bytes still to do.
"""

from __future__ import annotations

from typing import cast

from kshell.abi.errno import EINVAL
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.sysctl import Box, Pointer, ctl_table

TMPBUFLEN = 22
SPACES = b" \t\n\v\f\r"
DIGITS = {8: b"01234567", 10: b"0123456789", 16: b"0123456789abcdefABCDEF"}


def proc_skip_spaces(buf: bytearray, size: Box) -> None:
    """Pass over white space."""
    while size[0] and buf[0] in SPACES:
        del buf[0]
        size[0] -= 1


def proc_skip_char(buf: bytearray, size: Box, v: int) -> None:
    """Pass over one character, as often as it stands there."""
    while size[0] and buf[0] == v:
        del buf[0]
        size[0] -= 1


def strtoul_lenient(text: bytes) -> tuple[int, int]:
    """The number (decimal, 0octal, 0xhex) that a text begins with, and how long it is. EINVAL: over 64 bits."""
    base, at = 10, 0
    if text[:1] == b"0":
        hexadecimal = text[1:2] in (b"x", b"X") and text[2:3] != b"" and text[2] in DIGITS[16]
        base, at = (16, 2) if hexadecimal else (8, 0)
    end = at
    while end < len(text) and text[end] in DIGITS[base]:
        end += 1
    value = int(text[at:end], base)
    if value >= 1 << 64:
        raise KernelError(EINVAL)
    return value, end


def proc_get_long(buf: bytearray, size: Box, perm_tr: bytes) -> int:
    """Take a number that ends there or before one of the characters perm_tr. EINVAL."""
    if size[0] <= 0:
        raise KernelError(EINVAL)
    tmp = bytes(buf[: min(size[0], TMPBUFLEN - 1)])
    sign = int(tmp[:1] == b"-" and size[0] > 1)
    if tmp[sign : sign + 1] == b"" or tmp[sign] not in DIGITS[10]:
        raise KernelError(EINVAL)
    value, length = strtoul_lenient(tmp[sign:])
    length += sign
    if length == TMPBUFLEN - 1 or (length < size[0] and buf[length] not in perm_tr):
        raise KernelError(EINVAL)
    del buf[:length]
    size[0] -= length
    return -value if sign else value


def proc_put_long(buf: bytearray, size: Box, val: int, neg: bool) -> None:
    """Add a number in decimal, as much of it as there is room for."""
    text = f"{'-' if neg else ''}{val}".encode()[: size[0]]
    buf += text
    size[0] -= len(text)


def proc_put_char(buf: bytearray, size: Box, c: str) -> None:
    """Add a character if there is room."""
    if size[0]:
        buf += c.encode()
        size[0] -= 1


def proc_do_large_bitmap(table: ctl_table, write: int, buffer: bytearray, lenp: Box, ppos: Box) -> None:
    """A set of numbers below maxlen, as "1,3-5". EINVAL."""
    data = cast(Pointer, table.data)
    bitmap = cast("set[int]", data.get())
    if not table.maxlen or not lenp[0] or (ppos[0] and not write):
        lenp[0] = 0
        return
    if write:
        new = _parse_bitmap(buffer[: lenp[0]], table.maxlen)
        data.set(bitmap | new if ppos[0] else new)
    else:
        left = [lenp[0]]
        _show_bitmap(sorted(bitmap), buffer, left)
        lenp[0] -= left[0]
    ppos[0] += lenp[0]


def _parse_bitmap(text: bytearray, bitmap_len: int) -> set[int]:
    found: set[int] = set()
    left = [len(text)]
    proc_skip_char(text, left, 10)
    while left[0]:
        first = last = proc_get_long(text, left, b"-,\n")
        separator = text[0] if left[0] else 0
        _drop(text, left)
        if separator == ord("-"):
            last = proc_get_long(text, left, b",\n")
            _drop(text, left)
        if not 0 <= first <= last < bitmap_len:
            raise KernelError(EINVAL)
        found.update(range(first, last + 1))
        proc_skip_char(text, left, 10)
    return found


def _drop(text: bytearray, left: Box) -> None:
    if left[0]:
        del text[0]
        left[0] -= 1


def _show_bitmap(numbers: list[int], buffer: bytearray, left: Box) -> None:
    at = 0
    while at < len(numbers):
        end = at
        while end + 1 < len(numbers) and numbers[end + 1] == numbers[end] + 1:
            end += 1
        if at:
            proc_put_char(buffer, left, ",")
        proc_put_long(buffer, left, numbers[at], False)
        if end > at:
            proc_put_char(buffer, left, "-")
            proc_put_long(buffer, left, numbers[end], False)
        at = end + 1
    proc_put_char(buffer, left, "\n")
