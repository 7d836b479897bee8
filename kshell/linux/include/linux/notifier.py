"""include/linux/notifier.h: chains of functions told of an event."""

from __future__ import annotations

from collections.abc import Callable

NOTIFY_DONE = 0x0000
NOTIFY_OK = 0x0001
NOTIFY_STOP_MASK = 0x8000
NOTIFY_BAD = NOTIFY_STOP_MASK | 0x0002
NOTIFY_STOP = NOTIFY_OK | NOTIFY_STOP_MASK


class notifier_block:
    """One function of a chain; a higher priority is called earlier. Constant: the chain holds the order."""

    __slots__ = ("notifier_call", "priority")

    def __init__(self, *, notifier_call: Callable[[notifier_block, int, object], int], priority: int = 0) -> None:
        self.notifier_call = notifier_call
        self.priority = priority


def notifier_to_errno(ret: int) -> int:
    """The positive errno in a chain's answer, 0 if none objected."""
    ret &= ~NOTIFY_STOP_MASK
    return ret - NOTIFY_OK if ret > NOTIFY_OK else 0
