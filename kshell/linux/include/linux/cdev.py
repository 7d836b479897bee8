"""Character devices (include/linux/cdev.h)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kshell.linux.include.linux.fs import file_operations

MINORBITS = 20


class cdev:
    """A driver's range of device numbers."""

    __slots__ = ("count", "dev", "ops")

    def __init__(self, ops: file_operations) -> None:
        self.ops = ops
        self.dev = 0
        self.count = 0


def MKDEV(ma: int, mi: int) -> int:
    """A device number."""
    return ma << MINORBITS | mi


def MAJOR(dev: int) -> int:
    """Its driver."""
    return dev >> MINORBITS


def MINOR(dev: int) -> int:
    """Which of the driver's devices."""
    return dev & ((1 << MINORBITS) - 1)
