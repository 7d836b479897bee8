"""Ticks (include/linux/jiffies.h, kernel/time/time.c)."""

from typing import Final

from kshell.linux.init.kernel import HZ, INITIAL_JIFFIES, TICK_NSEC

MAX_SCHEDULE_TIMEOUT: Final = (1 << 63) - 1
MAX_JIFFY_OFFSET: Final = (1 << 62) - 2
USER_HZ: Final = 100

__all__ = ["HZ", "INITIAL_JIFFIES", "TICK_NSEC"]


def msecs_to_jiffies(m: int) -> int:
    """Milliseconds to ticks, rounded up; negative means for ever."""
    return MAX_JIFFY_OFFSET if m < 0 else (m + 3) // 4


def usecs_to_jiffies(u: int) -> int:
    """Microseconds to ticks, rounded up."""
    return (u + 3999) // 4000


def jiffies_to_msecs(j: int) -> int:
    """Ticks to milliseconds."""
    return j * 4


def jiffies_to_usecs(j: int) -> int:
    """Ticks to microseconds."""
    return j * 4000


def jiffies_to_clock_t(j: int) -> int:
    """Ticks to the 1/100 s of /proc."""
    return j * USER_HZ // HZ


def jiffies_delta_to_clock_t(delta: int) -> int:
    """As jiffies_to_clock_t, at least 0."""
    return jiffies_to_clock_t(max(0, delta))
