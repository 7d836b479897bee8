"""include/linux/icmp.h and its user part: the ICMP header, types and codes."""

import struct

from kshell.linux.include.linux.skbuff import sk_buff

ICMP_ECHOREPLY = 0
ICMP_DEST_UNREACH = 3
ICMP_SOURCE_QUENCH = 4
ICMP_REDIRECT = 5
ICMP_ECHO = 8
ICMP_TIME_EXCEEDED = 11
ICMP_PARAMETERPROB = 12
ICMP_TIMESTAMP = 13
ICMP_TIMESTAMPREPLY = 14
ICMP_INFO_REQUEST = 15
ICMP_INFO_REPLY = 16
ICMP_ADDRESS = 17
ICMP_ADDRESSREPLY = 18
NR_ICMP_TYPES = 18

ICMP_NET_UNREACH = 0
ICMP_HOST_UNREACH = 1
ICMP_PROT_UNREACH = 2
ICMP_PORT_UNREACH = 3
ICMP_FRAG_NEEDED = 4
ICMP_SR_FAILED = 5
ICMP_NET_UNKNOWN = 6
ICMP_HOST_UNKNOWN = 7
ICMP_HOST_ISOLATED = 8
ICMP_NET_ANO = 9
ICMP_HOST_ANO = 10
ICMP_NET_UNR_TOS = 11
ICMP_HOST_UNR_TOS = 12
ICMP_PKT_FILTERED = 13
ICMP_PREC_VIOLATION = 14
ICMP_PREC_CUTOFF = 15
NR_ICMP_UNREACH = 15

ICMP_EXC_TTL = 0
ICMP_EXC_FRAGTIME = 1

ICMP_EXT_ECHO = 42
ICMP_EXT_ECHOREPLY = 43

ICMP_FILTER = 1


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


def icmp_hdr(skb: sk_buff) -> icmphdr:
    """struct icmphdr of a packet that has reached ICMP."""
    header = skb.transport_header
    assert isinstance(header, icmphdr)
    return header


def icmp_is_err(type: int) -> bool:
    """True for the types that report an error about another packet."""
    return type in (
        ICMP_DEST_UNREACH, ICMP_SOURCE_QUENCH, ICMP_REDIRECT, ICMP_TIME_EXCEEDED, ICMP_PARAMETERPROB,
    )
