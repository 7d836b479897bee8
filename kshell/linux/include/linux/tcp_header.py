"""include/linux/tcp.h (and its part for user space): the header of a segment."""

from __future__ import annotations

import struct
from typing import Final

_TCPHDR: Final = struct.Struct(">HHIIBBHHH")


class tcphdr:
    """struct tcphdr in host byte order; `_flags` is its 14th byte, `_options` the option bytes, padded to 32 bits."""

    __slots__ = ("_flags", "_options", "ack_seq", "check", "dest", "doff", "seq", "source", "urg_ptr", "window")

    def __init__(
        self, source: int, dest: int, seq: int, ack_seq: int, flags: int, window: int, urg_ptr: int = 0,
        options: bytes = b"",
    ) -> None:
        self.source = source
        self.dest = dest
        self.seq = seq
        self.ack_seq = ack_seq
        self.doff = 5 + (len(options) >> 2)
        self._flags = flags
        self.window = window
        self.check = 0
        self.urg_ptr = urg_ptr
        self._options = options

    @classmethod
    def _from_bytes(cls, data: bytes) -> tcphdr:
        """Parse at least 20 bytes; options as far as doff and the data reach."""
        source, dest, seq, ack_seq, offset, flags, window, check, urg_ptr = _TCPHDR.unpack_from(data)
        self = cls(source, dest, seq, ack_seq, flags, window, urg_ptr, bytes(data[20 : (offset >> 4) * 4]))
        self.doff = offset >> 4
        self.check = check
        return self

    @property
    def fin(self) -> int:
        return self._flags & 1

    @property
    def syn(self) -> int:
        return self._flags >> 1 & 1

    @property
    def rst(self) -> int:
        return self._flags >> 2 & 1

    @property
    def psh(self) -> int:
        return self._flags >> 3 & 1

    @property
    def ack(self) -> int:
        return self._flags >> 4 & 1

    @property
    def urg(self) -> int:
        return self._flags >> 5 & 1

    @property
    def ece(self) -> int:
        return self._flags >> 6 & 1

    @property
    def cwr(self) -> int:
        return self._flags >> 7 & 1
