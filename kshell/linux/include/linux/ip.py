"""include/linux/ip.h: the IPv4 header as an object, and its bytes."""

import struct

IP_DF = 0x4000
IP_MF = 0x2000
IP_OFFSET = 0x1FFF


_IPHDR = struct.Struct("!BBHHHBBHII")


class iphdr:
    """An IPv4 header (20 bytes plus options).

    `check` is None for "right, computed when somebody looks at the bytes"; an int is a literal value
    that came from outside. `_options` holds the bytes of the IP options, already padded.
    """

    __slots__ = (
        "_options", "check", "daddr", "frag_off", "id", "ihl", "protocol", "saddr", "tos", "tot_len", "ttl", "version",
    )

    def __init__(
        self, tos: int = 0, tot_len: int = 0, id: int = 0, frag_off: int = 0, ttl: int = 0, protocol: int = 0,
        saddr: int = 0, daddr: int = 0, options: bytes = b"",
    ) -> None:
        self.version = 4
        self.ihl = 5 + (len(options) >> 2)
        self.tos = tos
        self.tot_len = tot_len
        self.id = id
        self.frag_off = frag_off
        self.ttl = ttl
        self.protocol = protocol
        self.check: int | None = None
        self.saddr = saddr
        self.daddr = daddr
        self._options = options

    def _copy(self) -> "iphdr":
        other = iphdr(
            self.tos, self.tot_len, self.id, self.frag_off, self.ttl, self.protocol, self.saddr, self.daddr, self._options
        )
        other.version, other.ihl, other.check = self.version, self.ihl, self.check
        return other

    def _to_bytes(self) -> bytes:
        """The header as it goes over the wire, options included, with its checksum."""
        check = self.check
        head = _IPHDR.pack(
            self.version << 4 | self.ihl, self.tos, self.tot_len, self.id, self.frag_off, self.ttl, self.protocol,
            check or 0, self.saddr, self.daddr,
        ) + self._options
        if check is None:
            head = head[:10] + _checksum(head).to_bytes(2, "big") + head[12:]
        return head

    @classmethod
    def _from_bytes(cls, data: bytes) -> "iphdr":
        """Parse at least 20 bytes; options as far as ihl and the data reach."""
        vihl, tos, tot_len, id_, frag_off, ttl, protocol, check, saddr, daddr = _IPHDR.unpack_from(data)
        self = cls(tos, tot_len, id_, frag_off, ttl, protocol, saddr, daddr, bytes(data[20:(vihl & 15) * 4]))
        self.version = vihl >> 4
        self.ihl = vihl & 15
        self.check = check
        return self


def _checksum(data: bytes) -> int:
    """The internet checksum (RFC 1071) of `data`, ready to be stored."""
    if len(data) & 1:
        data += b"\0"
    return -int.from_bytes(data, "big") % 65535 if any(data) else 0xFFFF
