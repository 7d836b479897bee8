"""Numbers of namespaces (include/linux/proc_ns.h)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kshell.linux.init.kernel import Kernel

PROC_DYNAMIC_FIRST = 0xF0000000


def ns_alloc_inum(kernel: Kernel) -> int:
    """A number for a new namespace."""
    kernel.ns_inum += 1
    return PROC_DYNAMIC_FIRST + kernel.ns_inum - 1
