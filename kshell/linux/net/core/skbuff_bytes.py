"""The bytes of packets, made only when somebody looks at them: packet sockets, filters, captures, raw receivers."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Protocol, cast

from kshell.linux.include.linux.icmp import icmphdr
from kshell.linux.include.linux.if_ether import ethhdr
from kshell.linux.include.linux.ip import _checksum, iphdr
from kshell.linux.include.linux.tcp_header import tcphdr
from kshell.linux.include.linux.udp import udphdr

if TYPE_CHECKING:
    from kshell.linux.include.linux.skbuff import sk_buff


_TCPHDR = struct.Struct("!HHIIBBHHH")


class _Header(Protocol):
    def _to_bytes(self) -> bytes: ...


def _pseudo(ip: iphdr, protocol: int, length: int) -> bytes:
    return (
        ip.saddr.to_bytes(4, "big") + ip.daddr.to_bytes(4, "big") + bytes((0, protocol)) + length.to_bytes(2, "big")
    )


def _transport_bytes(skb: sk_buff) -> bytes:
    """Transport header with its checksum, and the data; what pads a short frame is no part of the packet."""
    header, data = skb.transport_header, skb.data
    ip = skb.network_header
    if isinstance(ip, iphdr) and header is not None and 0 < ip.tot_len < skb.len:
        room = ip.tot_len - ip.ihl * 4 - (header.doff * 4 if isinstance(header, tcphdr) else 8)
        if 0 <= room < len(data) and not any(data[room:]):
            return _with_header(header, data[:room], ip) + data[room:]
    return _with_header(header, data, ip)


def _with_header(header: object, data: bytes, ip: object) -> bytes:
    """Transport header with its checksum, and the data."""
    if isinstance(header, udphdr):
        head = b"".join(n.to_bytes(2, "big") for n in (header.source, header.dest, header.len, header.check or 0))
        if header.check is None and isinstance(ip, iphdr):
            check = _checksum(_pseudo(ip, 17, header.len) + head + data) or 0xFFFF
            head = head[:6] + check.to_bytes(2, "big")
        return head + data
    if isinstance(header, tcphdr):
        head = _TCPHDR.pack(
            header.source, header.dest, header.seq, header.ack_seq, header.doff << 4, header._flags, header.window,
            header.check, header.urg_ptr,
        ) + header._options  # fmt: skip
        if not header.check and isinstance(ip, iphdr):
            check = _checksum(_pseudo(ip, 6, len(head) + len(data)) + head + data)
            head = head[:16] + check.to_bytes(2, "big") + head[18:]
        return head + data
    if isinstance(header, icmphdr):
        check = header.checksum if header.checksum is not None else _checksum(header._to_bytes(0) + data)
        return header._to_bytes(check) + data
    return data if header is None else cast(_Header, header)._to_bytes() + data


def _skb_network_bytes(skb: sk_buff) -> bytes:
    """From the network header on."""
    header = skb.network_header
    rest = _transport_bytes(skb)
    return rest if header is None else cast(_Header, header)._to_bytes() + rest


def _skb_mac_bytes(skb: sk_buff) -> bytes:
    """The whole frame."""
    header = skb.mac_header
    rest = _skb_network_bytes(skb)
    return header._pack() + rest if isinstance(header, ethhdr) else rest


def _skb_to_bytes(skb: sk_buff) -> bytes:
    """What skb->data and skb->len stand for at the layer where the packet is now."""
    length = skb.len
    if length == len(skb.data):
        return skb.data
    whole = _skb_mac_bytes(skb)
    return whole[len(whole) - length :] if length < len(whole) else whole
