"""include/linux/interrupt.h: handlers of interrupts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

IRQ_NONE: Final = 0
IRQ_HANDLED: Final = 1
IRQF_SHARED: Final = 0x80

irq_handler_t = Callable[[int, object], int]


class irqaction:
    """Who handles an interrupt; _count: how often it came."""

    __slots__ = ("_count", "dev_id", "flags", "handler", "irq", "name")

    def __init__(self, irq: int, handler: irq_handler_t, flags: int, name: str, dev_id: object) -> None:
        self.irq = irq
        self.handler = handler
        self.flags = flags
        self.name = name
        self.dev_id = dev_id
        self._count = 0
