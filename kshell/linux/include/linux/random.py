"""Random numbers from the machine's seed (include/linux/random.h, drivers/char/random.c)."""

from __future__ import annotations

import _random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kshell.linux.init.kernel import Kernel


class Random(_random.Random):
    """The generator of Python's random, whose import alone would take a tenth of a boot."""

    def randbytes(self, n: int) -> bytes:
        """n random bytes."""
        return self.getrandbits(8 * n).to_bytes(n, "little") if n else b""


def get_random_u8(kernel: Kernel) -> int:
    """8 random bits."""
    return kernel.random.getrandbits(8)


def get_random_u16(kernel: Kernel) -> int:
    """16 random bits."""
    return kernel.random.getrandbits(16)


def get_random_u32(kernel: Kernel) -> int:
    """32 random bits."""
    return kernel.random.getrandbits(32)


def get_random_u64(kernel: Kernel) -> int:
    """64 random bits."""
    return kernel.random.getrandbits(64)


def get_random_bytes(kernel: Kernel, n: int) -> bytes:
    """n random bytes."""
    return kernel.random.randbytes(n)


def prandom_u32_max(kernel: Kernel, ceil: int) -> int:
    """A number from 0 to ceil - 1 (0 when ceil is 0)."""
    return kernel.random.getrandbits(32) * ceil >> 32
