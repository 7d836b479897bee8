"""Memory for what a command names: strings, structs and buffers in the task's own address space.

What a command needs only while its call runs is taken back afterwards; what variables name stays. All lies below
4 GiB, so that a 32-bit call can point to it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kshell.linux.include.linux.sched import task_struct

BASE = 0x4000_0000
SLOT = 0x0200_0000
SLOTS = 32
CHUNK = 0x0004_0000
ALIGN = 16


class Arena:
    """The memory that a session owns in one task."""

    __slots__ = ("_base", "_floor", "_scratch", "task")

    def __init__(self, task: task_struct) -> None:
        self.task = task
        self._base = BASE + task.pid % SLOTS * SLOT
        self._scratch = self._floor = self._base

    def take(self, size: int) -> int:
        """Address of `size` bytes that stay until `release`."""
        address = self._scratch
        if address + size > self._base + SLOT:
            raise MemoryError(f"a command needs more than {SLOT} bytes of memory")
        self._scratch = _aligned(address + size)
        self._reach(address, size)
        return address

    def put(self, data: bytes) -> int:
        """Address of a copy of `data` that stays until `release`."""
        address = self.take(len(data))
        self.store(address, data)
        return address

    def store(self, address: int, data: bytes) -> None:
        """Put bytes into the task's memory."""
        assert self.task.mm is not None, "a kernel thread has no memory"
        self.task.mm.write(address, data)

    def map(self, address: int, length: int) -> None:
        """Map zeroed memory."""
        assert self.task.mm is not None, "a kernel thread has no memory"
        self.task.mm.map(address, length)

    @property
    def extent(self) -> tuple[int, int]:
        """Where the next bytes go, and from where `release` frees."""
        return self._scratch, self._floor

    @extent.setter
    def extent(self, extent: tuple[int, int]) -> None:
        self._scratch, self._floor = extent

    def hold(self) -> None:
        """What has been taken so far stays for good."""
        self._floor = self._scratch

    def release(self) -> None:
        """Everything taken since `hold` is free again."""
        self._scratch = self._floor

    def _reach(self, address: int, size: int) -> None:
        mm = self.task.mm
        assert mm is not None, "a kernel thread has no memory"
        end = address + max(size, 1)
        chunk = address - address % CHUNK
        while chunk < end:
            if mm.find_vma(chunk) is None:
                self.map(chunk, CHUNK)
            chunk += CHUNK


def _aligned(address: int) -> int:
    return (address + ALIGN - 1) // ALIGN * ALIGN
