"""Capture files as Wireshark reads them (pcapng): packets with their device, direction and time in nanoseconds."""

from __future__ import annotations

import struct
from typing import Final, Protocol

LINKTYPE_ETHERNET: Final = 1
LINKTYPE_RAW: Final = 101
"""The packet begins with its IP header."""

INBOUND: Final = 1
OUTBOUND: Final = 2

_SECTION: Final = 0x0A0D0D0A
_INTERFACE: Final = 1
_PACKET: Final = 6
_MAGIC: Final = 0x1A2B3C4D
_OPT_APPLICATION: Final = 4
_OPT_NAME: Final = 2
_OPT_RESOLUTION: Final = 9
_OPT_FLAGS: Final = 2


class Sink(Protocol):
    """Where the bytes go."""

    def write(self, data: bytes, /) -> object:
        """Take bytes."""


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)


def _option(code: int, value: bytes) -> bytes:
    return struct.pack("<HH", code, len(value)) + _padded(value)


def _block(kind: int, body: bytes) -> bytes:
    length = struct.pack("<I", len(body) + 12)
    return struct.pack("<I", kind) + length + body + length


class Writer:
    """Writes one capture file."""

    def __init__(self, sink: Sink, application: str = "kshell") -> None:
        self._sink = sink
        self._interfaces: dict[str, int] = {}
        self.packets = 0
        options = _option(_OPT_APPLICATION, application.encode()) + bytes(4)
        sink.write(_block(_SECTION, struct.pack("<IHHq", _MAGIC, 1, 0, -1) + options))

    def _interface(self, name: str, linktype: int) -> int:
        """The number of an interface; a new one is described first."""
        if name not in self._interfaces:
            self._interfaces[name] = len(self._interfaces)
            options = _option(_OPT_NAME, name.encode("utf-8", "replace")) + _option(_OPT_RESOLUTION, b"\x09") + bytes(4)
            self._sink.write(_block(_INTERFACE, struct.pack("<HHI", linktype, 0, 0) + options))
        return self._interfaces[name]

    def write(self, name: str, linktype: int, when: int, direction: int, packet: bytes) -> None:
        """A packet that passed interface `name` at `when` (ns since 1970), INBOUND or OUTBOUND."""
        number = self._interface(name, linktype)
        head = struct.pack("<IIIII", number, when >> 32, when & 0xFFFFFFFF, len(packet), len(packet))
        options = _option(_OPT_FLAGS, struct.pack("<I", direction)) + bytes(4)
        self._sink.write(_block(_PACKET, head + _padded(packet) + options))
        self.packets += 1
