"""Frames as they are on the wire: values that belong to no machine.

A driver's transmitter makes them of sk_buffs, its receiver makes sk_buffs of them. Headers stay objects, copied once
when a frame is sent, so that nothing of one machine can be reached from another; bytes with checksums are made of
them only where somebody looks (a capture, a raw receiver). Large packets leave as the segments that the device cuts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from kshell.abi.netdevice import ETH_HLEN
from kshell.linux.include.linux.icmp import icmphdr
from kshell.linux.include.linux.if_arp import arphdr
from kshell.linux.include.linux.if_ether import ethhdr
from kshell.linux.include.linux.ip import iphdr
from kshell.linux.include.linux.tcp_header import tcphdr
from kshell.linux.include.linux.udp import udphdr
from kshell.linux.net.core.gso import _segments
from kshell.linux.net.core.skbuff import __netdev_alloc_skb
from kshell.linux.net.core.skbuff_bytes import _skb_mac_bytes

if TYPE_CHECKING:
    from collections.abc import Callable

    from kshell.linux.include.linux.netdevice import net_device
    from kshell.linux.include.linux.skbuff import sk_buff
    from kshell.linux.init.kernel import Kernel

Header = iphdr | arphdr | None
Transport = tcphdr | udphdr | icmphdr | None

FCS_AND_GAP: Final = 24
"""Bytes that a frame costs on the wire beside its own: preamble, checksum, gap."""


class Frame:
    """An Ethernet frame; len counts from the destination address to the end of the padding."""

    __slots__ = ("data", "h_dest", "h_proto", "h_source", "len", "network", "transport")

    def __init__(
        self, h_dest: bytes, h_source: bytes, h_proto: int, network: Header, transport: Transport, data: bytes, length: int
    ) -> None:
        self.h_dest = h_dest
        self.h_source = h_source
        self.h_proto = h_proto
        self.network = network
        self.transport = transport
        self.data = data
        self.len = length

    def copy(self) -> Frame:
        """Another frame that shares nothing that can change."""
        return Frame(
            self.h_dest, self.h_source, self.h_proto, _network(self.network), _transport(self.transport), self.data, self.len
        )  # fmt: skip


class Phy(Protocol):
    """The end of a cable, as a driver sees it."""

    def transmit(self, frame: Frame) -> int:
        """Put a frame on the wire: how long (ns) from now the wire is busy with it and those before it."""

    def carrier(self) -> bool:
        """Whether there is somebody at the other end."""

    def connect(
        self, device: net_device | None, receive: Callable[[Frame], None] | None, changed: Callable[[], None] | None
    ) -> None:
        """A driver has taken the adapter over (None: left it): it gets the frames, and hears of the cable."""


def _network(header: object) -> Header:
    return header._copy() if isinstance(header, (iphdr, arphdr)) else None


def _transport(header: object) -> Transport:
    if isinstance(header, tcphdr):
        copy = tcphdr(
            header.source, header.dest, header.seq, header.ack_seq, header._flags, header.window, header.urg_ptr,
            header._options,
        )  # fmt: skip
        copy.doff, copy.check = header.doff, header.check
        return copy
    if isinstance(header, udphdr):
        return udphdr(header.source, header.dest, header.len, header.check)
    if isinstance(header, icmphdr):
        return icmphdr(header.type, header.code, header.un, header.checksum)
    return None


def _frames_of(skb: sk_buff) -> list[Frame]:
    """The frames that a packet is on the wire: one, or the segments of a large one."""
    eth = skb.mac_header
    assert isinstance(eth, ethhdr)
    shinfo = skb._shinfo
    if shinfo is not None and shinfo.gso_size:
        return [
            Frame(eth.h_dest, eth.h_source, eth.h_proto, ip, th, data, ETH_HLEN + ip.tot_len)
            for ip, th, data in _segments(skb)
        ]
    network, transport = _network(skb.network_header), _transport(skb.transport_header)
    data = skb.data
    if (network is None and skb.network_header is not None) or (
        transport is None and skb.transport_header is not None
    ):
        network = transport = None
        data = _skb_mac_bytes(skb)[ETH_HLEN:]
    return [Frame(eth.h_dest, eth.h_source, eth.h_proto, network, transport, data, skb.len)]


def _skb_of(kernel: Kernel, frame: Frame) -> sk_buff:
    """A received packet, its link header still before it; takes over the frame's headers."""
    skb = __netdev_alloc_skb(kernel, frame.len)
    skb.mac_header = ethhdr(frame.h_dest, frame.h_source, frame.h_proto)
    skb.network_header = frame.network
    skb.transport_header = frame.transport
    skb.data = frame.data
    skb.len = frame.len
    return skb
