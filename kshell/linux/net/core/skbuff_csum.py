"""net/core/skbuff.c: checksums over bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.linux.include.linux.icmp import icmphdr
from kshell.linux.include.linux.ip import _checksum
from kshell.linux.net.core.skbuff_bytes import _transport_bytes

if TYPE_CHECKING:
    from kshell.linux.include.linux.skbuff import sk_buff


def __skb_checksum(data: bytes, offset: int, length: int) -> int:
    """The Internet checksum of a part, 0 if that holds its own right checksum."""
    return _checksum(data[offset : offset + length])


def skb_checksum(data: bytes, offset: int, length: int) -> int:
    """The checksum of a part of the packet's data."""
    return __skb_checksum(data, offset, length)


def __skb_checksum_complete(skb: sk_buff) -> int:
    """0 if the checksum over header and data is right, as it is where the bytes are not made yet."""
    header = skb.transport_header
    if isinstance(header, icmphdr) and header.checksum is not None:
        data = _transport_bytes(skb)
    else:
        data = skb.data
    total = skb_checksum(data, 0, len(data))
    made = isinstance(header, icmphdr) and header.checksum is None
    return 0 if made or total in (0, 0xFFFF) else 1


def skb_copy_and_csum_bits(data: bytes, offset: int, length: int) -> bytes:
    """Copy a part; its checksum is made with the packet's bytes."""
    return data[offset : offset + length]
