"""route, as in net-tools: the routing table from /proc/net/route, changed by SIOCADDRT and SIOCDELRT."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from kshell.abi.ioctl import SIOCADDRT, SIOCDELRT
from kshell.abi.socket import AF_INET, SOCK_DGRAM
from kshell.userland.addresses import ipv4, parse_ipv4, sockaddr_in
from kshell.userland.files import read_lines
from kshell.userland.runtime import ProgramError, in_own_words

if TYPE_CHECKING:
    from kshell.userland.runtime import Process

RTF_UP, RTF_GATEWAY, RTF_HOST, RTF_MTU, RTF_WINDOW, RTF_REJECT = 1, 2, 4, 0x40, 0x80, 0x200
RTENTRY: Final = struct.Struct("<8x16s16s16sHh4xQBB6xh6xQQQH6x")
_LETTERS: Final = (
    (RTF_REJECT, "!"), (RTF_UP, "U"), (RTF_GATEWAY, "G"), (RTF_HOST, "H"), (0x8, "R"), (0x10, "D"), (0x20, "M"),
)  # fmt: skip


@in_own_words
async def main_route(p: Process, argv: list[str]) -> int:
    """route [-n] [add|del ...]"""
    words = [word for word in argv[1:] if word not in ("-n", "-v", "-4", "-A", "inet")]
    if not words or words[0] in ("-e", "-ee"):
        await show_routes(p, wide=bool(words))
        return 0
    if words[0] not in ("add", "del", "delete"):
        raise ProgramError(f"route: {words[0]}: add or del is expected", 3)
    await _change(p, words[0] == "add", words[1:])
    return 0


async def show_routes(p: Process, wide: bool) -> None:
    """The table, with addresses in numbers. wide: as netstat -r shows it."""
    p.print("Kernel IP routing table")
    last = "  MSS Window  irtt Iface" if wide else "Metric Ref    Use Iface"
    p.print(f"Destination     Gateway         Genmask         Flags {last}")
    for line in (await read_lines(p, "/proc/net/route"))[1:]:
        device, target, gateway, hexflags, refcnt, use, metric, mask, mss, window, irtt = line.split()
        flags = int(hexflags, 16)
        if not flags & RTF_UP:
            continue
        letters = "".join(letter for bit, letter in _LETTERS if flags & bit)
        shown = [_swapped(word) for word in (target, gateway, mask)]
        rejected = bool(flags & RTF_REJECT)
        shown[1] = "-" if rejected else shown[1]
        if wide:
            rest = f"{int(mss):5d} {int(window):<5d} {int(irtt):6d} {device}"
        else:
            rest = f"{metric:<6} {'-' if rejected else refcnt:<2} {use:>7} {'-' if rejected else device}"
        p.print(f"{shown[0]:<15} {shown[1]:<15} {shown[2]:<15} {letters:<6}{rest}")


def _swapped(word: str) -> str:
    """An address as /proc/net/route has it: the number in the machine's own order."""
    return ipv4(int.from_bytes(bytes.fromhex(word), "little"))


USAGE: Final = """\
Usage: inet_route [-vF] del {-host|-net} Target[/prefix] [gw Gw] [metric M] [[dev] If]
       inet_route [-vF] add {-host|-net} Target[/prefix] [gw Gw] [metric M]
                              [netmask N] [mss Mss] [window W] [irtt I]
                              [mod] [dyn] [reinstate] [[dev] If]
       inet_route [-vF] add {-host|-net} Target[/prefix] [metric M] reject
       inet_route [-FC] flush      NOT supported"""


class _Request:
    """struct rtentry, word by word."""

    def __init__(self) -> None:
        self.target = self.gateway = self.mask = 0
        self.flags = RTF_UP
        self.metric = self.mtu = self.window = self.irtt = 0
        self.device = ""
        self.masked = False


async def _change(p: Process, add: bool, words: list[str]) -> None:
    request = _parse(words)
    device = 0
    if request.device:
        device = p.buffer(16)
        p.store(device, request.device.encode()[:15].ljust(16, b"\0"))
    entry = RTENTRY.pack(
        sockaddr_in(request.target), sockaddr_in(request.gateway), sockaddr_in(request.mask), request.flags, 0, 0, 0, 0,
        request.metric, device, request.mtu, request.window, request.irtt,
    )  # fmt: skip
    fd = await p.call("socket", AF_INET, SOCK_DGRAM, 0)
    try:
        what = "SIOCADDRT" if add else "SIOCDELRT"
        await p.call("ioctl", fd, SIOCADDRT if add else SIOCDELRT, entry, what=what)
    finally:
        await p.call("close", fd)


def _parse(words: list[str]) -> _Request:
    request = _Request()
    rest = iter(words)
    word = next(rest, "")
    kind = word if word in ("-net", "-host") else ""
    word = next(rest, "") if kind else word
    if not word:
        raise ProgramError("route: a target is missing: route add default gw 10.0.0.1", 4)
    _target(request, word, kind)
    for word in rest:
        _word(request, word, rest)
    if request.masked and request.target & ~request.mask & 0xFFFFFFFF:
        raise ProgramError(f"route: netmask doesn't match route address\n{USAGE}", 4)
    return request


def _target(request: _Request, word: str, kind: str) -> None:
    text, slash, length = word.partition("/")
    if text == "default":
        return
    request.target = parse_ipv4(text, f"{text}: Unknown host")
    if slash:
        request.mask = 0xFFFFFFFF << 32 - int(length) & 0xFFFFFFFF
        request.masked = True
    elif kind == "-host" or (not kind and request.target & 0xFF):
        request.flags |= RTF_HOST
        request.mask = 0xFFFFFFFF
    elif request.target:
        request.mask = (
            0xFF000000 if not request.target >> 31 else 0xFFFF0000 if request.target >> 30 == 2 else 0xFFFFFF00
        )


def _word(request: _Request, word: str, rest: Iterator[str]) -> None:
    if word == "reject":
        request.flags |= RTF_REJECT
        return
    value = next(rest, "") if word in ("netmask", "gw", "dev", "metric", "mss", "window", "irtt") else word
    if word == "netmask":
        request.mask, request.masked = parse_ipv4(value), True
        request.flags &= ~RTF_HOST
    elif word == "gw":
        request.gateway = parse_ipv4(value, f"{value}: Unknown host")
        request.flags |= RTF_GATEWAY
    elif word == "metric":
        request.metric = int(value) + 1
    elif word == "mss":
        request.mtu, request.flags = int(value), request.flags | RTF_MTU
    elif word == "window":
        request.window, request.flags = int(value), request.flags | RTF_WINDOW
    elif word == "irtt":
        request.irtt, request.flags = int(value), request.flags | 0x100
    else:
        request.device = value
