"""SIGINT: what may be broken off is broken off at once; anywhere else Ctrl-C is kept for whoever looks next.

Python's own handler raises KeyboardInterrupt wherever it happens to be, in the middle of the editor's cleaning up too.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class CtrlC:
    """The handler of SIGINT."""

    def __init__(self) -> None:
        self._breaks = False
        self._kept = False

    def install(self) -> None:
        """Handle SIGINT from now on."""
        signal.signal(signal.SIGINT, self._handle)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self._breaks:
            self._breaks = False  # whoever is told once cleans up undisturbed
            raise KeyboardInterrupt
        self._kept = True

    @contextmanager
    def breaks(self, may: bool = True) -> Iterator[None]:
        """KeyboardInterrupt may come inside (may: or may not)."""
        before, self._breaks = self._breaks, may
        try:
            yield
        finally:
            self._breaks = before

    def look(self) -> None:
        """KeyboardInterrupt if Ctrl-C was pressed meanwhile."""
        if self._kept:
            self._kept = False
            raise KeyboardInterrupt
