"""include/linux/if_ether.h: Ethernet frames."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from kshell.abi.netdevice import ETH_ALEN

if TYPE_CHECKING:
    from kshell.linux.include.linux.skbuff import sk_buff


class ethhdr:
    """The header of a frame; h_proto in host order."""

    __slots__ = ("h_dest", "h_proto", "h_source")

    def __init__(self, h_dest: bytes, h_source: bytes, h_proto: int) -> None:
        self.h_dest = h_dest
        self.h_source = h_source
        self.h_proto = h_proto

    def _pack(self) -> bytes:
        return self.h_dest + self.h_source + self.h_proto.to_bytes(2, "big")


def eth_hdr(skb: sk_buff) -> ethhdr:
    """The packet's Ethernet header."""
    return cast(ethhdr, skb.mac_header)


def is_multicast_ether_addr(addr: bytes) -> bool:
    """True for the address of a group."""
    return bool(addr[0] & 1)


def is_valid_ether_addr(addr: bytes) -> bool:
    """True for the address of one station."""
    return not addr[0] & 1 and addr != bytes(ETH_ALEN)
