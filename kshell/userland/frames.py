"""A frame in a line, as tcpdump writes it."""

from __future__ import annotations

import struct
from typing import Final

from kshell.userland.addresses import ipv4_of, mac

ETH_P_IP, ETH_P_ARP, ETH_P_IPV6 = 0x0800, 0x0806, 0x86DD
_TCP_FLAGS: Final = (
    (0x02, "S"),
    (0x01, "F"),
    (0x08, "P"),
    (0x04, "R"),
    (0x20, "U"),
    (0x10, "."),
    (0x40, "E"),
    (0x80, "W"),
)
_UNREACHABLE: Final = {0: "net", 1: "host", 2: "protocol", 3: "port"}


class Described:
    """A frame: its line, the protocols in it, and both ends."""

    __slots__ = ("ends", "protocols", "text")

    def __init__(self, text: str, protocols: tuple[str, ...], ends: tuple[tuple[str, int], ...] = ()) -> None:
        self.text = text
        self.protocols = protocols
        self.ends = ends


def describe(frame: bytes, link: bool) -> Described | None:
    """What an Ethernet frame is; link: with its header. None for a stump."""
    if len(frame) < 14:
        return None
    (kind,) = struct.unpack_from(">H", frame, 12)
    found = _ip(frame[14:]) if kind == ETH_P_IP else _arp(frame[14:]) if kind == ETH_P_ARP else None
    if found is None:
        name = {ETH_P_IPV6: "IP6"}.get(kind, f"ethertype 0x{kind:04x}")
        found = Described(f"{name}, length {len(frame) - 14}", ())
    if link:
        names = {ETH_P_IP: "IPv4", ETH_P_ARP: "ARP", ETH_P_IPV6: "IPv6"}
        head = f"{mac(frame[6:12])} > {mac(frame[:6])}, ethertype {names.get(kind, '?')} (0x{kind:04x}), length {len(frame)}: "
        found.text = head + found.text.removeprefix("IP ")
    return found


def _arp(data: bytes) -> Described | None:
    if len(data) < 28:
        return None
    operation = struct.unpack_from(">H", data, 6)[0]
    sender, target = ipv4_of(data[14:18]), ipv4_of(data[24:28])
    if operation == 1:
        text = f"ARP, Request who-has {target} tell {sender}, length {len(data)}"
    else:
        text = f"ARP, Reply {sender} is-at {mac(data[8:14])}, length {len(data)}"
    return Described(text, ("arp",), ((sender, 0), (target, 0)))


def _ip(data: bytes) -> Described | None:
    if len(data) < 20:
        return None
    header = (data[0] & 15) * 4
    total, _, fragment = struct.unpack_from(">HHH", data, 2)
    protocol = data[9]
    source, target = ipv4_of(data[12:16]), ipv4_of(data[16:20])
    body = data[header:total]
    if fragment & 0x1FFF:
        return Described(f"IP {source} > {target}: ip-proto-{protocol}", ("ip",), ((source, 0), (target, 0)))
    if protocol == 6 and len(body) >= 20:
        return _tcp(body, source, target)
    if protocol == 17 and len(body) >= 8:
        sport, dport, length = struct.unpack_from(">HHH", body)
        text = f"IP {source}.{sport} > {target}.{dport}: UDP, length {length - 8}"
        return Described(text, ("ip", "udp"), ((source, sport), (target, dport)))
    if protocol == 1 and len(body) >= 8:
        text = f"IP {source} > {target}: ICMP {_icmp(body)}, length {len(body)}"
        return Described(text, ("ip", "icmp"), ((source, 0), (target, 0)))
    names = {2: "igmp"}
    return Described(
        f"IP {source} > {target}: {names.get(protocol, f'ip-proto-{protocol}')} {len(body)}",
        ("ip",),
        ((source, 0), (target, 0)),
    )


def _icmp(body: bytes) -> str:
    kind, code, _, ident, seq = struct.unpack_from(">BBHHH", body)
    if kind in (8, 0):
        return f"echo {'request' if kind == 8 else 'reply'}, id {ident}, seq {seq}"
    inner = body[8:]
    if kind == 3 and len(inner) >= 20:
        target, header = ipv4_of(inner[16:20]), (inner[0] & 15) * 4
        if code == 3 and len(inner) >= header + 4:
            names = {17: "udp", 6: "tcp"}
            return f"{target} {names.get(inner[9], 'ip')} port {struct.unpack_from('>H', inner, header + 2)[0]} unreachable"
        return f"{_UNREACHABLE.get(code, str(code))} {target} unreachable"
    return "time exceeded in-transit" if kind == 11 else f"type-#{kind}"


def _tcp(body: bytes, source: str, target: str) -> Described:
    sport, dport, seq, ack, offset, flags, window = struct.unpack_from(">HHIIBBH", body)
    header = (offset >> 4) * 4
    length = len(body) - header
    letters = "".join(letter for bit, letter in _TCP_FLAGS if flags & bit) or "none"
    text = f"IP {source}.{sport} > {target}.{dport}: Flags [{letters}]"
    if length or flags & 7:
        text += f", seq {seq}" + (f":{(seq + length) & 0xFFFFFFFF}" if length else "")
    text += f", ack {ack}" if flags & 0x10 else ""
    text += f", win {window}"
    options = _options(body[20:header])
    text += f", options [{options}]" if options else ""
    return Described(f"{text}, length {length}", ("ip", "tcp"), ((source, sport), (target, dport)))


def _options(data: bytes) -> str:
    words, at = [], 0
    while at < len(data):
        kind = data[at]
        if kind in (0, 1):
            words.append("eol" if kind == 0 else "nop")
            at += 1
            if kind == 0:
                break
            continue
        length = data[at + 1] if at + 1 < len(data) else 0
        if length < 2:
            break
        words.append(_option(kind, data[at + 2 : at + length]))
        at += length
    return ",".join(words)


def _option(kind: int, value: bytes) -> str:
    if kind == 2:
        return f"mss {int.from_bytes(value, 'big')}"
    if kind == 3:
        return f"wscale {value[0]}"
    if kind == 4:
        return "sackOK"
    if kind == 8:
        return "TS val {} ecr {}".format(*struct.unpack(">II", value))
    if kind == 5:
        edges = struct.unpack(f">{len(value) // 4}I", value)
        blocks = "".join(f"{{{left}:{right}}}" for left, right in zip(edges[::2], edges[1::2], strict=False))
        return f"sack {len(edges) // 2} {blocks}"
    return f"unknown-{kind}"
