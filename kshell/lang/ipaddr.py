"""IP addresses as text. (Python's ipaddress is loaded for IPv6 alone: it is slow to load.)"""

from importlib import import_module
from typing import Final

_MAPPED: Final = bytes(10) + b"\xff\xff"


def ipv4_text(value: int) -> str:
    """``127.0.0.1`` of a number in host order."""
    return f"{value >> 24 & 255}.{value >> 16 & 255}.{value >> 8 & 255}.{value & 255}"


def ipv4_number(text: str) -> int | None:
    """The number of four decimal parts, None for anything else."""
    parts = text.split(".")
    if len(parts) != 4 or not all(p.isascii() and p.isdigit() and len(p) <= 3 and int(p) < 256 for p in parts):
        return None
    value = 0
    for part in parts:
        value = value << 8 | int(part)
    return value


def ipv6_text(data: bytes) -> str:
    """``::1`` of 16 bytes; an IPv4 address in IPv6 clothes as ``::ffff:127.0.0.1``."""
    if data.startswith(_MAPPED) and len(data) >= 16:
        return f"::ffff:{ipv4_text(int.from_bytes(data[12:16], 'big'))}"
    return str(import_module("ipaddress").IPv6Address(data.ljust(16, b"\0")[:16]))


def ip_bytes(text: str) -> bytes | None:
    """The 4 or 16 bytes of an address of either kind, None if it is none."""
    number = ipv4_number(text)
    if number is not None:
        return number.to_bytes(4, "big")
    try:
        packed: bytes = import_module("ipaddress").IPv6Address(text).packed
    except ValueError:
        return None
    return packed
