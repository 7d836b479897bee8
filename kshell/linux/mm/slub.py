"""The slab allocator (mm/slub.c): objects of one kind, at stable fake addresses, exactly counted."""

from __future__ import annotations

import sys
from bisect import bisect_right
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol, TypeVar

from kshell.linux.include.linux.mm_types import PAGE_SIZE

if TYPE_CHECKING:
    from kshell.linux.init.kernel import Kernel


class _slab_object(Protocol):
    """Anything a cache can hand out."""

    _addr: int


T = TypeVar("T", bound=_slab_object)


class kmem_cache:
    """A cache of objects of one size (bytes).

    _free: addresses of free objects, the last freed is given out first.
    """

    __slots__ = ("_free", "_kernel", "_pages", "_total", "name", "object_size", "oo", "size")

    def __init__(self, kernel: Kernel, name: str, size: int) -> None:
        self._kernel = kernel
        self.name = name
        self.object_size = size
        self.size = (size + 7) & ~7
        self.oo = _order(self.size)
        self._free: list[int] = []
        self._total = self._pages = 0

    @property
    def _inuse(self) -> int:
        """Objects given out."""
        return self._total - len(self._free)


def _order(size: int) -> int:
    """Pages in a slab, as calculate_order() picks it: at least 16 objects or a sixteenth wasted."""
    for order in range(4):
        slab = PAGE_SIZE << order
        if slab >= size * 16 or (slab >= size and slab % size <= slab // 16):
            return 1 << order
    return max(8, -(-size // PAGE_SIZE))


def _new_slab(s: kmem_cache) -> None:
    kernel = s._kernel
    base = kernel._next_slab_page
    kernel._next_slab_page += s.oo * PAGE_SIZE
    kernel._slab_addresses += base.to_bytes(8, sys.byteorder)
    kernel._slab_owners.append(s)
    objects = s.oo * PAGE_SIZE // s.size
    s._free.extend(range(base + (objects - 1) * s.size, base - 1, -s.size))
    s._total += objects
    s._pages += s.oo


def _is_free(kernel: Kernel, address: int) -> bool:
    """Whether the slab object is free that an address is of: its own, or that of something inside it."""
    addresses = memoryview(kernel._slab_addresses).cast("Q")
    index = bisect_right(addresses, address) - 1
    if index < 0:
        return False
    base, s = addresses[index], kernel._slab_owners[index]
    return address - (address - base) % s.size in s._free


def kmem_cache_alloc(s: kmem_cache, cls: Callable[[], T]) -> T:
    """A new object made by cls(), with its address."""
    free = s._free
    if not free:
        _new_slab(s)
    obj = cls()
    obj._addr = free.pop()
    return obj


def kmem_cache_alloc_lru(s: kmem_cache, cls: Callable[[], T]) -> T:
    """As kmem_cache_alloc, for inodes and dentries."""
    free = s._free
    if not free:
        _new_slab(s)
    obj = cls()
    obj._addr = free.pop()
    return obj


def kmem_cache_alloc_node(s: kmem_cache, cls: Callable[[], T]) -> T:
    """As kmem_cache_alloc, for skbs and tasks."""
    free = s._free
    if not free:
        _new_slab(s)
    obj = cls()
    obj._addr = free.pop()
    return obj


def kmem_cache_free(s: kmem_cache, obj: _slab_object) -> None:
    """Give the object's place back."""
    s._free.append(obj._addr)
