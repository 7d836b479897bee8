"""User memory (include/linux/mm_types.h): one bytearray a mapping."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, Final

from kshell.abi.errno import EFAULT
from kshell.linux.include.linux.err import KernelError

if TYPE_CHECKING:
    from kshell.linux.include.linux.fs import file

VM_READ: Final = 0x1
VM_WRITE: Final = 0x2
VM_EXEC: Final = 0x4
VM_SHARED: Final = 0x8
PAGE_SHIFT: Final = 12
PAGE_SIZE: Final = 1 << PAGE_SHIFT
TASK_SIZE_MAX: Final = (1 << 47) - PAGE_SIZE


class vm_area_struct:
    """A mapping: addresses vm_start to vm_end - 1, its bytes in _data."""

    __slots__ = ("_addr", "_data", "vm_end", "vm_flags", "vm_pgoff", "vm_start")
    _addr: int

    def __init__(self, start: int, data: bytearray, flags: int) -> None:
        self.vm_start = start
        self.vm_end = start + len(data)
        self.vm_flags = flags
        self.vm_pgoff = 0
        self._data = data


class mm_struct:
    """An address space. mm_users: tasks that run in it."""

    __slots__ = ("_addr", "_starts", "_vmas", "exe_file", "mm_count", "mm_users")
    _addr: int
    exe_file: file | None

    def __init__(self) -> None:
        self.mm_users = self.mm_count = 1
        self._starts: list[int] = []
        self._vmas: list[vm_area_struct] = []
        self.exe_file = None

    def map(self, addr: int, length: int, flags: int = VM_READ | VM_WRITE) -> vm_area_struct:
        """Map zeroed bytes at addr (bytes; both rounded out to pages). ValueError: they overlap another mapping."""
        start = addr & -PAGE_SIZE
        size = (addr + length - start + PAGE_SIZE - 1) & -PAGE_SIZE
        at = bisect_right(self._starts, start)
        before = self._vmas[at - 1] if at else None
        if (before and before.vm_end > start) or (at < len(self._starts) and self._starts[at] < start + size):
            raise ValueError(f"{start:#x}+{size:#x} overlaps a mapping")
        vma = vm_area_struct(start, bytearray(size), flags)
        self._starts.insert(at, start)
        self._vmas.insert(at, vma)
        return vma

    def unmap(self, addr: int) -> None:
        """Remove the mapping that starts at addr. ValueError: there is none."""
        at = self._starts.index(addr)
        del self._starts[at], self._vmas[at]

    def find_vma(self, addr: int) -> vm_area_struct | None:
        """The mapping that holds addr."""
        at = bisect_right(self._starts, addr) - 1
        if at >= 0 and addr < self._vmas[at].vm_end:
            return self._vmas[at]
        return None

    def read(self, addr: int, length: int) -> bytes:
        """length bytes at addr. EFAULT: some of them are not mapped or not readable."""
        data = self.read_short(addr, length)
        if len(data) != length:
            raise KernelError(EFAULT)
        return data

    def read_short(self, addr: int, length: int) -> bytes:
        """As many of length bytes at addr as can be read before the first bad page."""
        vma = self.find_vma(addr)
        if vma is None or not vma.vm_flags & VM_READ:
            return b""
        offset = addr - vma.vm_start
        data = bytes(memoryview(vma._data)[offset : offset + length])
        if len(data) < length:
            return data + self.read_short(vma.vm_end, length - len(data))
        return data

    def write(self, addr: int, data: bytes) -> None:
        """Store data at addr. EFAULT: not all of it could be; what came before the bad page is stored."""
        if self.write_short(addr, data) != len(data):
            raise KernelError(EFAULT)

    def write_short(self, addr: int, data: bytes) -> int:
        """Store data at addr up to the first bad page; how many bytes."""
        vma = self.find_vma(addr)
        if vma is None or not vma.vm_flags & VM_WRITE:
            return 0
        offset = addr - vma.vm_start
        length = len(data)
        room = len(vma._data) - offset
        if length <= room:
            vma._data[offset : offset + length] = data
            return length
        vma._data[offset:] = data[:room]
        return room + self.write_short(vma.vm_end, data[room:])
