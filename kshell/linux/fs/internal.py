"""What open() wants, worked out from its flags (fs/internal.h)."""

from __future__ import annotations


class open_flags:
    """Flags, mode and the rights to check."""

    __slots__ = ("acc_mode", "intent", "lookup_flags", "mode", "open_flag")

    def __init__(self) -> None:
        self.open_flag = 0
        self.mode = 0
        self.acc_mode = 0
        self.intent = 0
        self.lookup_flags = 0
