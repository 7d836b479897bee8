"""Seconds and nanoseconds (include/linux/time64.h)."""

from __future__ import annotations

from typing import NamedTuple

from kshell.abi.time import NSEC_PER_SEC

NSEC_PER_MSEC = 1_000_000
NSEC_PER_USEC = 1000


class timespec64(NamedTuple):
    """A time or a span; `tv_nsec` lies between 0 and 999 999 999."""

    tv_sec: int = 0
    tv_nsec: int = 0


TIME64_ZERO = timespec64(0, 0)


def ns_to_timespec64(nsec: int) -> timespec64:
    """Split nanoseconds."""
    return timespec64(*divmod(nsec, NSEC_PER_SEC))
