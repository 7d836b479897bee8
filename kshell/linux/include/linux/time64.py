"""Seconds and nanoseconds (include/linux/time64.h)."""

from __future__ import annotations

from typing import Self

from kshell.abi.time import NSEC_PER_SEC

NSEC_PER_MSEC = 1_000_000
NSEC_PER_USEC = 1000


class timespec64(tuple[int, int]):
    """A time or a span, compared as such; `tv_nsec` lies between 0 and 999 999 999."""

    __slots__ = ()

    def __new__(cls, tv_sec: int = 0, tv_nsec: int = 0) -> Self:
        return tuple.__new__(cls, (tv_sec, tv_nsec))

    @property
    def tv_sec(self) -> int:
        """time64_t: the whole seconds."""
        return self[0]

    @property
    def tv_nsec(self) -> int:
        """long: the nanoseconds beside them."""
        return self[1]


TIME64_ZERO = timespec64(0, 0)


def ns_to_timespec64(nsec: int) -> timespec64:
    """Split nanoseconds."""
    return timespec64(*divmod(nsec, NSEC_PER_SEC))
