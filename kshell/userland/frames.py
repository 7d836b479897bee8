"""A frame in a line, as tcpdump writes it."""

from __future__ import annotations

import struct
from typing import Final

from kshell.abi.netdevice import ETH_P_ARP, ETH_P_IP, ETH_P_IPV6
from kshell.userland import names
from kshell.userland.addresses import ipv4_of, mac

TCP, UDP, ICMP = 6, 17, 1
_TCP_FLAGS: Final = (
    (0x01, "F"), (0x02, "S"), (0x04, "R"), (0x08, "P"), (0x10, "."), (0x20, "U"), (0x40, "E"), (0x80, "W"),
)  # fmt: skip
_UNREACHABLE: Final = {0: "net {} unreachable", 1: "host {} unreachable", 13: "host {} unreachable - admin prohibited"}
_HTTP: Final = frozenset({80, 3128, 8080})
_ETHERTYPES: Final = {ETH_P_IP: "IPv4", ETH_P_ARP: "ARP", ETH_P_IPV6: "IPv6"}
_OUIS: Final = {bytes(3): "Ethernet"}
_ECN: Final = ("", ",ECT(1)", ",ECT(0)", ",CE")


class Described:
    """A frame: its line, the protocols in it, and both ends, source first; address and port each."""

    __slots__ = ("ends", "protocols", "text")

    def __init__(self, text: str, protocols: tuple[str, ...], ends: tuple[tuple[str, int], ...] = ()) -> None:
        self.text = text
        self.protocols = protocols
        self.ends = ends


class Printer:
    """What is remembered from frame to frame, and how they are to be shown.

    numeric, link, quiet, absolute: -n, -e, -q, -S. verbose: how many -v.
    """

    def __init__(
        self, numeric: bool = True, link: bool = False, verbose: int = 0, quiet: bool = False, absolute: bool = False
    ) -> None:
        self.numeric = numeric
        self.link = link
        self.verbose = verbose
        self.quiet = quiet
        self.absolute = absolute
        self._begins: dict[tuple[tuple[str, int], tuple[str, int]], tuple[int, int]] = {}

    def describe(self, frame: bytes) -> Described | None:
        """What an Ethernet frame is. None for a stump."""
        if len(frame) < 14:
            return None
        (kind,) = struct.unpack_from(">H", frame, 12)
        found = self._ip(frame[14:]) if kind == ETH_P_IP else self._arp(frame[14:]) if kind == ETH_P_ARP else None
        if found is None:
            name = {ETH_P_IPV6: "IP6"}.get(kind, f"ethertype 0x{kind:04x}")
            found = Described(f"{name}, length {len(frame) - 14}", ())
        if self.link:
            ends = f"{self._link(frame[6:12])} > {self._link(frame[:6])}"
            kind_name = _ETHERTYPES.get(kind, "Unknown")
            head = f"{ends}, {kind_name}" if self.quiet else f"{ends}, ethertype {kind_name} (0x{kind:04x})"
            found.text = f"{head}, length {len(frame)}: " + found.text.removeprefix("IP ").removeprefix("ARP, ")
        return found

    def _link(self, address: bytes) -> str:
        if self.numeric:
            return mac(address)
        return "Broadcast" if address == b"\xff" * 6 else f"{mac(address)} (oui {_OUIS.get(address[:3], 'Unknown')})"

    def _host(self, data: bytes) -> str:
        return ipv4_of(data) if self.numeric else names.host(int.from_bytes(data, "big"))

    def _end(self, address: bytes, port: int, protocol: str) -> str:
        return f"{self._host(address)}.{port if self.numeric else names.service(port, protocol)}"

    def _arp(self, data: bytes) -> Described | None:
        if len(data) < 28:
            return None
        operation = struct.unpack_from(">H", data, 6)[0]
        sender, target = data[14:18], data[24:28]
        kinds = "Ethernet (len 6), IPv4 (len 4), " if self.verbose else ""
        if operation == 1:
            text = f"Request who-has {self._host(target)} tell {self._host(sender)}"
        else:
            text = f"Reply {self._host(sender)} is-at {mac(data[8:14])}"
        ends = ((ipv4_of(sender), 0), (ipv4_of(target), 0))
        return Described(f"ARP, {kinds}{text}, length {len(data)}", ("arp",), ends)

    # ---- IP

    def _ip(self, data: bytes) -> Described | None:
        if len(data) < 20:
            return None
        header = (data[0] & 15) * 4
        total, _, fragment = struct.unpack_from(">HHH", data, 2)
        found = self._transport(data, data[header:total], fragment & 0x1FFF)
        found.text = f"IP {self._ip_header(data, header) if self.verbose else ''}{found.text}"
        return found

    def _ip_header(self, data: bytes, header: int) -> str:
        total, ident, fragment = struct.unpack_from(">HHH", data, 2)
        tos, ttl, protocol = data[1], data[8], data[9]
        flags = ["+"] * bool(fragment & 0x2000) + ["DF"] * bool(fragment & 0x4000) + ["rsvd"] * bool(fragment & 0x8000)
        name = {ICMP: "ICMP", TCP: "TCP", UDP: "UDP", 2: "IGMP"}.get(protocol, "unknown")
        text = f"(tos 0x{tos:x}{_ECN[tos & 3]}, ttl {ttl}, id {ident}, offset {(fragment & 0x1FFF) * 8}, "
        text += f"flags [{', '.join(flags) or 'none'}], proto {name} ({protocol}), length {total}"
        text += ", options (RA)" if data[20:21] == b"\x94" and header > 20 else ""
        return text + ")\n    "

    def _transport(self, data: bytes, body: bytes, offset: int) -> Described:
        protocol, source, target = data[9], data[12:16], data[16:20]
        ends = ((ipv4_of(source), 0), (ipv4_of(target), 0))
        hosts = f"{self._host(source)} > {self._host(target)}: "
        if not offset and protocol == TCP and len(body) >= 20:
            return self._tcp(data, body)
        if not offset and protocol == UDP and len(body) >= 8:
            return self._udp(data, body)
        if not offset and protocol == ICMP and len(body) >= 8:
            return Described(f"{hosts}ICMP {self._icmp(body)}", ("ip", "icmp"), ends)
        if not offset and protocol == 2 and len(body) >= 8:
            return Described(f"{hosts}igmp {_igmp(body)}", ("ip", "igmp"), ends)
        name = f"ip-proto-{protocol}" if self.numeric else names.protocol(protocol)
        kind = {TCP: "tcp", UDP: "udp", ICMP: "icmp"}.get(protocol)
        return Described(hosts + name, ("ip", kind) if kind else ("ip",), ends)

    def _udp(self, data: bytes, body: bytes) -> Described:
        sport, dport, length, checksum = struct.unpack_from(">HHHH", body)
        ends = f"{self._end(data[12:16], sport, 'udp')} > {self._end(data[16:20], dport, 'udp')}"
        note = ""
        if self.verbose > 1:
            good = not checksum or not _sum(data, body)
            note = "[no cksum] " if not checksum else "[udp sum ok] " if good else _bad_sum(data, body, checksum)
        text = f"{ends}: {note}UDP, length {length - 8}"
        return Described(text, ("ip", "udp"), ((ipv4_of(data[12:16]), sport), (ipv4_of(data[16:20]), dport)))

    def _icmp(self, body: bytes) -> str:
        kind, code, _, ident, seq = struct.unpack_from(">BBHHH", body)
        tail, inner = f", length {len(body)}", body[8:]
        if kind in (8, 0):
            return f"echo {'request' if kind == 8 else 'reply'}, id {ident}, seq {seq}{tail}"
        text = f"type-#{kind}"
        if kind == 11:
            text = "time exceeded in-transit" if not code else "ip reassembly time exceeded"
        elif kind == 3 and len(inner) >= 20:
            text = self._unreachable(code, seq, inner)
        found = self._ip(inner) if self.verbose and kind in (3, 11) else None
        return text + tail + (f"\n\t{found.text}" if found is not None else "")

    def _unreachable(self, code: int, mtu: int, inner: bytes) -> str:
        target, header, protocol = self._host(inner[16:20]), (inner[0] & 15) * 4, inner[9]
        if code == 3 and len(inner) >= header + 4:
            (port,) = struct.unpack_from(">H", inner, header + 2)
            kind = {UDP: "udp", TCP: "tcp"}.get(protocol)
            shown = port if self.numeric or kind is None else names.service(port, kind)
            return f"{target} {kind or 'protocol ' + str(protocol)} port {shown} unreachable"
        if code == 4:
            return f"{target} unreachable - need to frag (mtu {mtu})"
        return _UNREACHABLE.get(code, f"{{}} unreachable - #{code}").format(target)

    # ---- TCP

    def _tcp(self, data: bytes, body: bytes) -> Described:
        sport, dport, seq, ack, offset, flags, window, checksum, urgent = struct.unpack_from(">HHIIBBHHH", body)
        source, target = (ipv4_of(data[12:16]), sport), (ipv4_of(data[16:20]), dport)
        header = (offset >> 4) * 4
        length = len(body) - header
        ends = f"{self._end(data[12:16], sport, 'tcp')} > {self._end(data[16:20], dport, 'tcp')}: "
        if self.quiet:
            return Described(f"{ends}tcp {length}", ("ip", "tcp"), (source, target))
        letters = "".join(letter for bit, letter in _TCP_FLAGS if flags & bit) or "none"
        seq, ack = self._relative(source, target, seq, ack, flags)
        text = f"{ends}Flags [{letters}]"
        if self.verbose:
            good = "correct" if not _sum(data, body) else f"incorrect -> 0x{_right_sum(data, body, 16):04x}"
            text += f", cksum 0x{checksum:04x} ({good})"
        if length or flags & 7 or self.verbose > 1:
            text += f", seq {seq}" + (f":{(seq + length) & 0xFFFFFFFF}" if length else "")
        text += f", ack {ack}" if flags & 0x10 else ""
        text += f", win {window}"
        text += f", urg {urgent}" if flags & 0x20 else ""
        options = _options(body[20:header])
        text += f", options [{options}]" if options else ""
        text += f", length {length}"
        if length and {sport, dport} & _HTTP:
            text += ": HTTP" + _http(body[header:], bool(self.verbose))
        return Described(text, ("ip", "tcp"), (source, target))

    def _relative(
        self, source: tuple[str, int], target: tuple[str, int], seq: int, ack: int, flags: int
    ) -> tuple[int, int]:
        """Numbers counted from the beginning of a connection, once that has been seen."""
        if self.absolute or not flags & 0x10:
            return seq, ack
        forward = (source[1], source) < (target[1], target)
        key = (source, target) if forward else (target, source)
        if key not in self._begins or flags & 2:
            self._begins[key] = (seq, ack - 1) if forward else (ack - 1, seq)
            return seq, ack
        mine, other = self._begins[key] if forward else self._begins[key][::-1]
        return (seq - mine) & 0xFFFFFFFF, (ack - other) & 0xFFFFFFFF


def _http(payload: bytes, verbose: bool) -> str:
    """The first line of a request or an answer; with -v all of its head."""
    known = (b"GET ", b"PUT ", b"POST ", b"HEAD ", b"DELETE ", b"OPTIONS ", b"HTTP/")
    lines = payload.decode("latin-1").replace("\r\n", "\n").split("\n")
    if not payload.startswith(known):
        return ""
    if not verbose:
        return f": {lines[0]}"
    head = lines[: lines.index("") + 1] if "" in lines else lines
    return f", length: {len(payload)}" + "".join(f"\n\t{line}" for line in head)


def _pseudo(data: bytes, body: bytes) -> bytes:
    return data[12:20] + struct.pack(">BBH", 0, data[9], len(body)) + body + b"\0" * (len(body) % 2)


def _sum(data: bytes, body: bytes) -> int:
    """0 if the checksum over a segment and its pseudo header is right."""
    return int.from_bytes(_pseudo(data, body), "big") % 65535


def _right_sum(data: bytes, body: bytes, at: int) -> int:
    return ~(int.from_bytes(_pseudo(data, body[:at] + b"\0\0" + body[at + 2 :]), "big") % 65535) & 0xFFFF


def _bad_sum(data: bytes, body: bytes, checksum: int) -> str:
    return f"[bad udp cksum 0x{checksum:04x} -> 0x{_right_sum(data, body, 6):04x}!] "


def _igmp(body: bytes) -> str:
    kinds = {
        0x11: "query v2",
        0x16: "v2 report",
        0x17: "leave",
        0x12: "v1 report",
        0x22: "v3 report, 1 group record(s)",
    }
    group = f" {ipv4_of(body[4:8])}" if body[0] in (0x16, 0x17, 0x12) else ""
    return kinds.get(body[0], f"[type 0x{body[0]:x}]") + group


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


def dump(data: bytes, ascii_too: bool) -> str:
    """The lines of -x, or of -X."""
    lines = []
    for at in range(0, len(data), 16):
        row = data[at : at + 16]
        words = " ".join(row[index : index + 2].hex() for index in range(0, len(row), 2))
        shown = "".join(chr(byte) if 0x21 <= byte <= 0x7E else "." for byte in row)
        lines.append(f"\n\t0x{at:04x}:  " + (f"{words:<39}  {shown}" if ascii_too else words))
    return "".join(lines)
