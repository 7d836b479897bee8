"""User memory for tests of the language: one mapping from which pieces are given out."""

import pytest


class Memory:
    """Places, reserves and reads; addresses lie within 32 bits, so that socketcall can use them."""

    base = 0x20000000

    def __init__(self, size: int = 1 << 20) -> None:
        self.data = bytearray(size)
        self.used = 0x100

    def place(self, data: bytes) -> int:
        start = self.used
        self.data[start : start + len(data)] = data
        self.used += (len(data) + 31) & ~15
        return self.base + start

    def reserve(self, size: int) -> int:
        return self.place(bytes(size))

    def read(self, address: int, size: int) -> bytes | None:
        start = address - self.base
        return bytes(self.data[start : start + size]) if 0 <= start < len(self.data) else None

    def write(self, address: int, data: bytes) -> None:
        self.data[address - self.base : address - self.base + len(data)] = data


@pytest.fixture
def memory() -> Memory:
    """Fresh user memory."""
    return Memory()
