"""include/linux/icmp.h and its user part: the ICMP header, types and codes."""

import struct

NR_ICMP_TYPES = 18

NR_ICMP_UNREACH = 15


class icmphdr:
    """ICMP header (8 bytes). `un` is the second word in network order, as an int.

    `checksum` None means right (made when the bytes are looked at).
    """

    __slots__ = ("checksum", "code", "type", "un")

    def __init__(self, type: int, code: int, un: int = 0, checksum: int | None = None) -> None:
        self.type = type
        self.code = code
        self.checksum = checksum
        self.un = un

    @property
    def _id(self) -> int:
        """un.echo.id."""
        return self.un >> 16

    @property
    def _sequence(self) -> int:
        """un.echo.sequence."""
        return self.un & 0xFFFF

    @property
    def _mtu(self) -> int:
        """un.frag.mtu."""
        return self.un & 0xFFFF

    def _to_bytes(self, check: int) -> bytes:
        return struct.pack("!BBHI", self.type, self.code, check, self.un)

    @classmethod
    def _from_bytes(cls, data: bytes) -> "icmphdr":
        type_, code, check, un = struct.unpack_from("!BBHI", data)
        return cls(type_, code, un, check)


class icmp_filter:
    """struct icmp_filter: a bit for each ICMP type that a raw socket does not want."""

    __slots__ = ("data",)

    def __init__(self, data: int = 0) -> None:
        self.data = data
