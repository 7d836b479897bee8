"""Bob Jenkins' hash "lookup3" of bytes (include/linux/jhash.h)."""

from __future__ import annotations

from typing import Final

JHASH_INITVAL: Final = 0xDEADBEEF

_BLOCK = 12
_MASK = 0xFFFFFFFF


def rol32(word: int, shift: int) -> int:
    """A 32-bit word rotated left."""
    return (word << shift | word >> 32 - shift) & _MASK


def _mix(a: int, b: int, c: int) -> tuple[int, int, int]:
    a = a - c & _MASK ^ rol32(c, 4)
    c = c + b & _MASK
    b = b - a & _MASK ^ rol32(a, 6)
    a = a + c & _MASK
    c = c - b & _MASK ^ rol32(b, 8)
    b = b + a & _MASK
    a = a - c & _MASK ^ rol32(c, 16)
    c = c + b & _MASK
    b = b - a & _MASK ^ rol32(a, 19)
    a = a + c & _MASK
    c = c - b & _MASK ^ rol32(b, 4)
    b = b + a & _MASK
    return a, b, c


def _final(a: int, b: int, c: int) -> int:
    c = (c ^ b) - rol32(b, 14) & _MASK
    a = (a ^ c) - rol32(c, 11) & _MASK
    b = (b ^ a) - rol32(a, 25) & _MASK
    c = (c ^ b) - rol32(b, 16) & _MASK
    a = (a ^ c) - rol32(c, 4) & _MASK
    b = (b ^ a) - rol32(a, 14) & _MASK
    return (c ^ b) - rol32(b, 24) & _MASK


def _add(words: tuple[int, int, int], block: bytes) -> tuple[int, int, int]:
    added = (int.from_bytes(block[at : at + 4], "little") for at in (0, 4, 8))
    a, b, c = (word + more & _MASK for word, more in zip(words, added, strict=True))
    return a, b, c


def jhash(key: bytes, initval: int) -> int:
    """u32: the hash of `key`, the same in every run; initval: u32, another one for another hash."""
    start = JHASH_INITVAL + len(key) + initval & _MASK
    words = start, start, start
    while len(key) > _BLOCK:
        words, key = _mix(*_add(words, key[:_BLOCK])), key[_BLOCK:]
    return _final(*_add(words, key)) if key else start
