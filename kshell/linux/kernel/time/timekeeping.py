"""What time it is (kernel/time/timekeeping.c), all in ns of virtual time."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kshell.linux.init.kernel import Kernel


def ktime_get(kernel: Kernel) -> int:
    """CLOCK_MONOTONIC: ns since boot."""
    return kernel.clock.now - kernel.boot_ns


def ktime_get_real(kernel: Kernel) -> int:
    """CLOCK_REALTIME: ns since 1970."""
    return kernel.epoch_ns + kernel.clock.now - kernel.boot_ns
