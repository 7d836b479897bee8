"""Timers in nanoseconds (include/linux/hrtimer.h)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from kshell.linux.init.kernel import Event

HRTIMER_NORESTART: Final = 0
HRTIMER_RESTART: Final = 1
KTIME_MAX: Final = (1 << 63) - 1


class hrtimer:
    """A timer: function(timer) runs at _softexpires (ns of CLOCK_MONOTONIC).

    The function returns HRTIMER_RESTART after hrtimer_forward() to be armed again.
    """

    __slots__ = ("_event", "_owner", "_softexpires", "function")
    _event: Event | None

    def __init__(self, function: Callable[[hrtimer], int], owner: object = None) -> None:
        self.function = function
        self._owner = owner
        self._softexpires = 0
        self._event = None
