"""Packets in one line, as tcpdump writes them: sequence numbers count from the start of a connection once its start
was seen."""

from __future__ import annotations

from typing import Final

from kshell.abi.inet import IPPROTO_ICMP
from kshell.lens.names import ipv4
from kshell.linux.include.linux.icmp import icmphdr

_UNREACHABLE: Final = {
    0: "net {to} unreachable", 1: "host {to} unreachable", 2: "{to} protocol {proto} unreachable",
    3: "{to} {name} port {port} unreachable", 4: "{to} unreachable - need to frag", 13: "host {to} unreachable - admin"
    " prohibited filter",
}  # fmt: skip
ICMP_HEADER: Final = 8
_PROTOCOLS: Final = {1: "icmp", 2: "igmp", 6: "tcp", 17: "udp", 136: "udplite"}
_FLAGS: Final = ("F", "S", "R", "P", ".", "U", "E", "W")
_ORDER: Final = (0, 1, 2, 3, 5, 6, 7, 4)
MASK: Final = 0xFFFFFFFF


class Bases:
    """Where the sequence numbers of a connection begin, by the end that sends: ("127.0.0.1", 80) → number."""

    __slots__ = ("_bases",)

    def __init__(self) -> None:
        self._bases: dict[tuple[object, ...], int] = {}

    def relative(self, ip: object, header: object) -> tuple[int, int]:
        """seq and ack of a segment as tcpdump prints them."""
        mine = (ip.saddr, header.source, ip.daddr, header.dest)  # type: ignore[attr-defined]
        other = (ip.daddr, header.dest, ip.saddr, header.source)  # type: ignore[attr-defined]
        seq, ack = header.seq, header.ack_seq  # type: ignore[attr-defined]
        if header.syn:  # type: ignore[attr-defined]
            self._bases[mine] = seq
            return seq, ack
        base, peer = self._bases.get(mine), self._bases.get(other)
        return seq if base is None else (seq - base) & MASK, ack if peer is None else (ack - peer) & MASK


def packet_text(skb: object, bases: Bases | None = None) -> str:
    """`IP 127.0.0.1.40000 > 127.0.0.1.80: Flags [S], seq 1, win 65495, length 0`."""
    ip = getattr(skb, "network_header", None)
    if type(ip).__name__ == "arphdr":
        return _arp(ip)
    if ip is None or not hasattr(ip, "saddr"):
        return f"packet, length {getattr(skb, 'len', 0)}"
    source, target = ends(skb)
    return f"IP {source} > {target}: {_inside(skb, ip, bases)}"


def ends(skb: object) -> tuple[str, str]:
    """Source and destination: address and port with a dot between, as tcpdump has them; "" for no IP packet."""
    ip, header = getattr(skb, "network_header", None), getattr(skb, "transport_header", None)
    if not hasattr(ip, "saddr"):
        return "", ""
    source, target = ipv4(ip.saddr), ipv4(ip.daddr)  # type: ignore[union-attr]
    if type(header).__name__ in ("tcphdr", "udphdr"):
        return f"{source}.{header.source}", f"{target}.{header.dest}"  # type: ignore[union-attr]
    return source, target


def _inside(skb: object, ip: object, bases: Bases | None) -> str:
    header = getattr(skb, "transport_header", None)
    data: bytes = getattr(skb, "data", b"")
    kind = type(header).__name__
    if kind == "tcphdr":
        return _tcp(ip, header, len(data), bases)
    if kind == "udphdr":
        return f"UDP, length {len(data)}"
    if kind == "icmphdr":
        return f"{_icmp(header, data)}, length {len(data) + 8}"
    protocol = int(getattr(ip, "protocol", 0))
    if protocol == IPPROTO_ICMP and len(data) >= ICMP_HEADER:  # as ping and raw sockets write them
        return f"{_icmp(icmphdr._from_bytes(data), data[ICMP_HEADER:])}, length {len(data)}"
    return f"{_PROTOCOLS.get(protocol, f'ip-proto-{protocol}')} {len(data)}"


def _tcp(ip: object, header: object, payload: int, bases: Bases | None) -> str:
    bits = int(header._flags)  # type: ignore[attr-defined]
    flags = "".join(_FLAGS[bit] for bit in _ORDER if bits >> bit & 1)
    seq, ack = bases.relative(ip, header) if bases else (header.seq, header.ack_seq)  # type: ignore[attr-defined]
    parts = [f"Flags [{flags or 'none'}]"]
    if payload or bits & 7:
        parts.append(f"seq {seq}" + (f":{(seq + payload) & MASK}" if payload else ""))
    if bits & 0x10:
        parts.append(f"ack {ack}")
    parts.append(f"win {header.window}")  # type: ignore[attr-defined]
    if bits & 0x20:
        parts.append(f"urg {header.urg_ptr}")  # type: ignore[attr-defined]
    options = tcp_options(bytes(getattr(header, "_options", b"")))
    if options:
        parts.append(f"options [{options}]")
    return ", ".join([*parts, f"length {payload}"])


def tcp_options(data: bytes) -> str:
    """The options of a TCP header: `mss 65495,sackOK,TS val 1 ecr 0,nop,wscale 7`."""
    found, at = [], 0
    while at < len(data):
        kind = data[at]
        if kind < 2:
            found.append("nop" if kind else "eol")
            at += 1
            continue
        length = data[at + 1] if at + 1 < len(data) else 0
        if length < 2 or at + length > len(data):
            break
        found.append(_option(kind, data[at + 2 : at + length]))
        at += length
    return ",".join(found)


def _option(kind: int, body: bytes) -> str:
    words = [int.from_bytes(body[at : at + 4], "big") for at in range(0, len(body), 4)]
    if kind in (2, 3) and body:
        return f"{'mss' if kind == 2 else 'wscale'} {int.from_bytes(body, 'big')}"
    if kind == 4:
        return "sackOK"
    if kind == 5:
        pairs = " ".join(f"{{{a}:{b}}}" for a, b in zip(words[::2], words[1::2], strict=False))
        return f"sack {len(words) // 2} {pairs}"
    if kind == 8 and len(words) == 2:
        return f"TS val {words[0]} ecr {words[1]}"
    return f"tfo cookie {body.hex()}" if kind == 34 and body else "tfo cookiereq" if kind == 34 else f"unknown-{kind}"


def _icmp(header: object, data: bytes) -> str:
    kind, code = int(header.type), int(header.code)  # type: ignore[attr-defined]
    if kind in (0, 8):
        name = "request" if kind else "reply"
        return f"ICMP echo {name}, id {header._id}, seq {header._sequence}"  # type: ignore[attr-defined]
    if kind == 3 and len(data) >= 20:
        inner = data[(data[0] & 15) * 4 :]
        proto = data[9]
        about = {
            "to": ipv4(int.from_bytes(data[16:20], "big")), "proto": proto,
            "name": _PROTOCOLS.get(proto, str(proto)), "port": int.from_bytes(inner[2:4], "big"),
        }  # fmt: skip
        return "ICMP " + _UNREACHABLE.get(code, f"{{to}} unreachable - code {code}").format(**about)
    if kind == 11:
        return "ICMP time exceeded in-transit" if code == 0 else "ICMP ip reassembly time exceeded"
    return f"ICMP redirect, code {code}" if kind == 5 else f"ICMP type-{kind}"


def _arp(header: object) -> str:
    target, sender = ipv4(header._ar_tip), ipv4(header._ar_sip)  # type: ignore[attr-defined]
    if header.ar_op == 1:  # type: ignore[attr-defined]
        return f"ARP, Request who-has {target} tell {sender}, length 28"
    return f"ARP, Reply {sender} is-at {header._ar_sha.hex(':')}, length 28"  # type: ignore[attr-defined]
