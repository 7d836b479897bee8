"""Ethernet framing (net/ethernet/eth.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kshell.abi.errno import EADDRNOTAVAIL, EBUSY
from kshell.abi.netdevice import (
    ARPHRD_ETHER,
    ETH_ALEN,
    ETH_DATA_LEN,
    ETH_HLEN,
    ETH_MIN_MTU,
    ETH_P_802_2,
    ETH_P_802_3,
    ETH_P_802_3_MIN,
    IFF_BROADCAST,
    IFF_MULTICAST,
    NET_ADDR_RANDOM,
)
from kshell.abi.packet import PACKET_BROADCAST, PACKET_MULTICAST, PACKET_OTHERHOST
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.if_ether import eth_hdr, ethhdr, is_valid_ether_addr
from kshell.linux.include.linux.netdevice import IFF_LIVE_ADDR_CHANGE, header_ops, net_device, netif_running
from kshell.linux.include.linux.random import get_random_bytes
from kshell.linux.net.core.skbuff import skb_push

if TYPE_CHECKING:
    from kshell.linux.include.linux.skbuff import sk_buff
    from kshell.linux.include.net.neighbour import neighbour

BROADCAST: Final = b"\xff" * ETH_ALEN
DEFAULT_TX_QUEUE_LEN: Final = 1000


def eth_header(
    skb: sk_buff, dev: net_device, type: int, daddr: bytes | None, saddr: bytes | None, length: int
) -> int:
    """Put an Ethernet header before the packet; its length, negative when the destination is still missing."""
    skb_push(skb, ETH_HLEN)
    proto = length if type in (ETH_P_802_3, ETH_P_802_2) else type
    header = ethhdr(daddr or bytes(ETH_ALEN), saddr or dev.dev_addr, proto)
    skb.mac_header = header
    if daddr is not None or dev.flags & 0x88:  # IFF_LOOPBACK | IFF_NOARP
        return ETH_HLEN
    return -ETH_HLEN


def eth_header_parse(skb: sk_buff) -> bytes:
    """The sender's address."""
    return eth_hdr(skb).h_source


def eth_header_cache(neigh: neighbour, hh: object, type: int) -> int:
    """Nothing to prepare: headers are objects, made when they are needed."""
    return 0


def eth_header_cache_update(hh: object, dev: net_device, haddr: bytes) -> None:
    """Nothing prepared, nothing to update."""


def eth_header_parse_protocol(skb: sk_buff) -> int:
    """The frame's protocol."""
    return eth_hdr(skb).h_proto


def eth_type_trans(skb: sk_buff, dev: net_device) -> int:
    """Take the header off: for whom the frame is goes to pkt_type; the protocol."""
    skb.dev = dev
    skb.len -= ETH_HLEN
    eth = eth_hdr(skb)
    dest = eth.h_dest
    if dest != dev.dev_addr:
        if dest[0] & 1:
            skb.pkt_type = PACKET_BROADCAST if dest == dev.broadcast else PACKET_MULTICAST
        else:
            skb.pkt_type = PACKET_OTHERHOST
    if eth.h_proto >= ETH_P_802_3_MIN:
        return eth.h_proto
    return ETH_P_802_3 if skb.data[:2] == b"\xff\xff" else ETH_P_802_2


def eth_prepare_mac_addr_change(dev: net_device, addr: bytes) -> None:
    """Whether the device may have this address. EBUSY: it is up; EADDRNOTAVAIL: a group address, or zero."""
    if not dev.priv_flags & IFF_LIVE_ADDR_CHANGE and netif_running(dev):
        raise KernelError(EBUSY)
    if not is_valid_ether_addr(addr):
        raise KernelError(EADDRNOTAVAIL)


def eth_commit_mac_addr_change(dev: net_device, addr: bytes) -> None:
    """Give the device its address."""
    dev.dev_addr = addr


def eth_mac_addr(dev: net_device, addr: bytes) -> int:
    """Change the device's address. EBUSY, EADDRNOTAVAIL."""
    eth_prepare_mac_addr_change(dev, addr)
    eth_commit_mac_addr_change(dev, addr)
    return 0


def eth_validate_addr(dev: net_device) -> int:
    """Whether the device can come up. EADDRNOTAVAIL: its address is not that of one station."""
    if not is_valid_ether_addr(dev.dev_addr):
        raise KernelError(EADDRNOTAVAIL)
    return 0


def eth_hw_addr_random(dev: net_device) -> None:
    """Give the device an address that it makes up: of one station, administered here."""
    dev.addr_assign_type = NET_ADDR_RANDOM
    addr = bytearray(get_random_bytes(dev.nd_net.kernel, ETH_ALEN))
    addr[0] = addr[0] & 0xFE | 0x02
    dev.dev_addr = bytes(addr)


def ether_setup(dev: net_device) -> None:
    """What all Ethernet devices have in common."""
    dev.header_ops = eth_header_ops
    dev.type = ARPHRD_ETHER
    dev.hard_header_len = dev.min_header_len = ETH_HLEN
    dev.mtu = ETH_DATA_LEN
    dev.min_mtu = ETH_MIN_MTU
    dev.max_mtu = ETH_DATA_LEN
    dev.addr_len = ETH_ALEN
    dev.tx_queue_len = DEFAULT_TX_QUEUE_LEN
    dev.flags = IFF_BROADCAST | IFF_MULTICAST
    dev.broadcast = BROADCAST


eth_header_ops = header_ops(
    create=eth_header,
    parse=eth_header_parse,
    cache=eth_header_cache,
    cache_update=eth_header_cache_update,
    parse_protocol=eth_header_parse_protocol,
)
