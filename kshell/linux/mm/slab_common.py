"""Caches by name and kmalloc (mm/slab_common.c)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, TypeVar

from kshell.linux.mm.slub import _new_slab, _slab_object, kmem_cache

if TYPE_CHECKING:
    from kshell.linux.init.kernel import Kernel

T = TypeVar("T", bound=_slab_object)

KMALLOC_SIZES: Final = (8, 16, 32, 64, 96, 128, 192, 256, 512, 1024, 2048, 4096, 8192)


def kmem_cache_create(kernel: Kernel, name: str, size: int) -> kmem_cache:
    """A new cache for objects of size bytes (the real struct's size)."""
    return kmem_cache_create_usercopy(kernel, name, size)


def kmem_cache_create_usercopy(kernel: Kernel, name: str, size: int) -> kmem_cache:
    """As kmem_cache_create(), for objects of which a part is copied to or from user space."""
    cache = kmem_cache(kernel, name, size)
    kernel.slab_caches.append(cache)
    return cache


def kmem_cache_destroy(kernel: Kernel, cache: kmem_cache) -> None:
    """Remove an empty cache."""
    kernel.slab_caches.remove(cache)


def kmem_cache_init(kernel: Kernel) -> None:
    """Set up the kmalloc-N caches."""
    for size in KMALLOC_SIZES:
        label = f"{size // 1024}k" if size >= 1024 else str(size)
        kernel.kmalloc_caches[size] = kmem_cache_create(kernel, f"kmalloc-{label}", size)


def _kmalloc_slab(kernel: Kernel, size: int) -> kmem_cache:
    for limit, cache in kernel.kmalloc_caches.items():
        if size <= limit:
            return cache
    return kernel.kmalloc_caches[8192]


def kzalloc(kernel: Kernel, cls: Callable[[], T], size: int) -> T:
    """An object of size bytes from the kmalloc caches."""
    cache = _kmalloc_slab(kernel, size)
    free = cache._free
    if not free:
        _new_slab(cache)
    obj = cls()
    obj._addr = free.pop()
    return obj


def kfree(kernel: Kernel, obj: _slab_object, size: int) -> None:
    """Give back what kzalloc(…, size) gave."""
    _kmalloc_slab(kernel, size)._free.append(obj._addr)
