"""Seconds and nanoseconds (include/linux/time64.h)."""

from __future__ import annotations

from collections import namedtuple

from kshell.abi.time import NSEC_PER_SEC

NSEC_PER_MSEC = 1_000_000
NSEC_PER_USEC = 1000


class timespec64(namedtuple("timespec64", ("tv_sec", "tv_nsec"), defaults=(0, 0))):
    """A time or a span; `tv_nsec` lies between 0 and 999 999 999."""

    __slots__ = ()
    tv_sec: int
    tv_nsec: int


TIME64_ZERO = timespec64(0, 0)


def ns_to_timespec64(nsec: int) -> timespec64:
    """Split nanoseconds."""
    return timespec64(*divmod(nsec, NSEC_PER_SEC))
