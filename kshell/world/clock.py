"""Virtual time: it stands still while anything runs and jumps to the next event when nothing can."""

from __future__ import annotations

from collections.abc import Callable
from heapq import heapify, heappop, heappush


class Timer:
    """An entry of a clock's queue."""

    __slots__ = ("_clock", "function", "when")

    def __init__(self, clock: VirtualClock, when: int, function: Callable[[], None]) -> None:
        self._clock: VirtualClock | None = clock
        self.when = when
        self.function = function

    def cancel(self) -> None:
        """Take it out of the queue; nothing happens when it is out already."""
        if self._clock is not None:
            self._clock._cancelled(self)


class VirtualClock:
    """A clock in ns and the queue of what will happen.

    Events of one moment run in the order of their making, after those that want to be first.
    """

    def __init__(self) -> None:
        self.now = 0
        self._queue: list[tuple[int, int, Timer]] = []
        self._made = 0
        self._dead = 0

    def call_at(self, when: int, function: Callable[[], None], newest_first: bool = False) -> Timer:
        """Have function called at `when` (ns); at once, but not from here, when that is past.

        newest_first: before what else is due then (a timer wheel puts a timer at the head of its list).
        """
        timer = Timer(self, when, function)
        if when <= self.now:
            newest_first = False
        heappush(self._queue, (max(when, self.now), -self._made if newest_first else self._made, timer))
        self._made += 1
        return timer

    def _cancelled(self, timer: Timer) -> None:
        timer._clock = None
        self._dead += 1
        if self._dead > 64 and self._dead * 2 > len(self._queue):
            self._queue = [entry for entry in self._queue if entry[2]._clock is not None]
            heapify(self._queue)
            self._dead = 0

    def next_event(self) -> int | None:
        """When the next event is due (ns), None when there is none."""
        while self._queue and self._queue[0][2]._clock is None:
            heappop(self._queue)
            self._dead -= 1
        return self._queue[0][0] if self._queue else None

    def run_next(self) -> bool:
        """Jump to the next event and run it; False when there is none."""
        if self.next_event() is None:
            return False
        when, _, timer = heappop(self._queue)
        self.now = when
        timer._clock = None
        timer.function()
        return True
