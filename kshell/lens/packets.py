"""Packets in one line, as tcpdump writes them."""

from __future__ import annotations

from kshell.lens.names import ipv4

_ICMP = {
    0: "ICMP echo reply",
    3: "ICMP destination unreachable",
    8: "ICMP echo request",
    11: "ICMP time exceeded",
}
_UNREACHABLE = {0: "net unreachable", 1: "host unreachable", 2: "protocol unreachable", 3: "port unreachable"}
_FLAGS = (
    ("syn", "S"),
    ("fin", "F"),
    ("rst", "R"),
    ("psh", "P"),
    ("urg", "U"),
    ("ece", "E"),
    ("cwr", "W"),
    ("ack", "."),
)


def packet_text(skb: object) -> str:
    """`IP 127.0.0.1.40000 > 127.0.0.1.80: Flags [S], seq 1, win 65495, length 0`."""
    ip = getattr(skb, "network_header", None)
    if ip is None or not hasattr(ip, "saddr"):
        return f"packet, length {getattr(skb, 'len', 0)}"
    header = getattr(skb, "transport_header", None)
    kind = type(header).__name__
    source, target = ipv4(ip.saddr), ipv4(ip.daddr)
    payload = len(getattr(skb, "data", b""))
    if kind in ("tcphdr", "udphdr"):
        ends = f"{source}.{header.source} > {target}.{header.dest}"  # type: ignore[union-attr]
        return f"IP {ends}: {_tcp(header, payload) if kind == 'tcphdr' else f'UDP, length {payload}'}"
    if kind == "icmphdr":
        return f"IP {source} > {target}: {_icmp(header)}, length {payload + 8}"
    return f"IP {source} > {target}: protocol {getattr(ip, 'protocol', 0)}, length {payload}"


def _tcp(header: object, payload: int) -> str:
    def get(name: str) -> int:
        return int(getattr(header, name, 0))

    flags = "".join(letter for name, letter in _FLAGS if get(name))
    parts = [f"Flags [{flags or 'none'}]"]
    if payload or get("syn") or get("fin") or get("rst"):
        parts.append(f"seq {get('seq')}" + (f":{(get('seq') + payload) & 0xFFFFFFFF}" if payload else ""))
    if get("ack"):
        parts.append(f"ack {get('ack_seq')}")
    parts.append(f"win {get('window')}")
    if get("urg"):
        parts.append(f"urg {get('urg_ptr')}")
    return ", ".join([*parts, f"length {payload}"])


def _icmp(header: object) -> str:
    kind, code = int(getattr(header, "type", 0)), int(getattr(header, "code", 0))
    text = _ICMP.get(kind, f"ICMP type {kind}")
    return f"{text} ({_UNREACHABLE.get(code, code)})" if kind == 3 else text
