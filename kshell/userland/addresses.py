"""Addresses as programs write and read them."""

from __future__ import annotations

import struct
from typing import Final

from kshell.abi.netdevice import ARPHRD_ETHER, ARPHRD_LOOPBACK
from kshell.userland.runtime import ProgramError

LINK_KINDS: Final = {ARPHRD_ETHER: "ether", ARPHRD_LOOPBACK: "loopback", 65534: "none", 512: "ppp"}


def ipv4(number: int) -> str:
    """127.0.0.1"""
    return ".".join(str(byte) for byte in struct.pack(">I", number & 0xFFFFFFFF))


def ipv4_of(data: bytes | None) -> str:
    """The text of four bytes in network order."""
    return ipv4(int.from_bytes((data or b"")[:4].ljust(4, b"\0"), "big"))


def parse_ipv4(text: str, what: str = "") -> int:
    """The number of 127.0.0.1, or of 10.1 as inet_aton() reads it; ProgramError."""
    parts = text.split(".")
    try:
        numbers = [int(part, 0) if part.startswith("0x") else int(part) for part in parts]
    except ValueError:
        numbers = []
    if not 1 <= len(numbers) <= 4 or any(not 0 <= each <= 255 for each in numbers[:-1]):
        raise ProgramError(what or f"{text}: Unknown host")
    last = numbers[-1]
    if not 0 <= last < 1 << 8 * (5 - len(numbers)):
        raise ProgramError(what or f"{text}: Unknown host")
    return sum(byte << 24 - 8 * at for at, byte in enumerate(numbers[:-1])) | last


def parse_address(text: str, family: str = "any valid") -> int:
    """An address as iproute2 reads it. ProgramError."""
    return parse_ipv4(text, f'Error: {family} address is expected rather than "{text}".')


def parse_prefix(text: str) -> tuple[int, int]:
    """Address and length of 10.0.0.0/8 or default; 32 if no length is given. iproute2's words if it is wrong."""
    if text in ("default", "all", "any"):
        return 0, 0
    wrong = f'Error: any valid prefix is expected rather than "{text}".'
    address, slash, length = text.partition("/")
    if slash and not (length.isdecimal() and len(length) < 3 and int(length) <= 32):
        raise ProgramError(wrong)
    parts = address.split(".")
    number = parse_ipv4(".".join(parts + ["0"] * (4 - len(parts))), wrong)
    return number, int(length) if slash else 32


def mac(data: bytes | None) -> str:
    """52:54:00:12:34:56"""
    return ":".join(f"{byte:02x}" for byte in data or b"")


def parse_mac(text: str) -> bytes:
    """Six bytes; ProgramError."""
    try:
        data = bytes(int(part, 16) for part in text.split(":"))
    except ValueError:
        data = b""
    if len(data) != 6:
        raise ProgramError(f"{text}: invalid link layer address")
    return data


def sockaddr_in(address: int, port: int = 0) -> bytes:
    """struct sockaddr_in."""
    return struct.pack("<H", 2) + struct.pack(">HI", port, address) + bytes(8)


def from_sockaddr(data: bytes) -> tuple[int, int]:
    """Address and port of a struct sockaddr_in."""
    port, address = struct.unpack_from(">HI", data, 2)
    return address, port
