"""route, as in net-tools: the routing table from /proc/net/route, changed by SIOCADDRT and SIOCDELRT."""

from __future__ import annotations

import struct
from os import strerror
from typing import TYPE_CHECKING, Final

from kshell.abi.ioctl import SIOCADDRT, SIOCDELRT
from kshell.abi.socket import AF_INET, SOCK_DGRAM
from kshell.userland import names
from kshell.userland.addresses import ipv4, sockaddr_in
from kshell.userland.files import read_lines
from kshell.userland.getopt import Getopt
from kshell.userland.nettools import E_LOOKUP, E_OPTERR, E_SOCK, check_family
from kshell.userland.runtime import ProgramError, in_own_words, raw

if TYPE_CHECKING:
    from kshell.userland.runtime import Process

RTF_UP, RTF_GATEWAY, RTF_HOST, RTF_MTU, RTF_WINDOW, RTF_REJECT = 1, 2, 4, 0x40, 0x80, 0x200
RTENTRY: Final = struct.Struct("<8x16s16s16sHh4xQBB6xh6xQQQH6x")
_LETTERS: Final = (
    (RTF_UP, "U"), (RTF_GATEWAY, "G"), (RTF_HOST, "H"), (0x8, "R"), (0x10, "D"), (0x20, "M"),
)  # fmt: skip


GETOPT: Final = Getopt(
    "A:eCFhnN64Vv",
    {"extend": "e", "verbose": "v", "numeric": "n", "symbolic": "N", "protocol=": "A", "fib": "F", "cache": "C",
     "inet": "4", "inet6": "6", "help": "h"},
    0,
    "Usage: route [-nvee] [-FC] | route [-v] {add|del} ...",
)  # fmt: skip
ROUTE, NETSTAT, BOTH = 1, 2, 3
"""Columns: as route shows the table, as netstat -r does, and those of both."""


@in_own_words
async def main_route(p: Process, argv: list[str]) -> int:
    """route [-n] [-e] [-F|-C] [add|del ...]"""
    begin = next((at for at, word in enumerate(argv) if word in ("add", "del", "delete", "flush")), len(argv))
    found, rest = GETOPT.parse(argv[:begin])
    letters = "".join(check_family(value) if letter == "A" else letter for letter, value in found)
    words = rest + argv[begin:]
    if "h" in letters or (words and begin == len(argv)):
        raise ProgramError(GETOPT.usage, 0 if "h" in letters else E_OPTERR)
    if "6" in letters:
        raise ProgramError(
            "/proc/net/ipv6_route: No such file or directory\nINET6 (IPv6) not configured in this system.", 1
        )
    if words:
        await _change(p, words)
    elif "C" in letters and "F" not in letters:
        await _show_cache(p, letters.count("e"))
    else:
        await show_routes(p, min(1 + letters.count("e"), BOTH), "n" in letters)
    return 0


_HEADS: Final = {
    ROUTE: "Metric Ref    Use Iface", NETSTAT: "  MSS Window  irtt Iface",
    BOTH: "Metric Ref    Use Iface    MSS   Window irtt",
}  # fmt: skip


async def show_routes(p: Process, columns: int, numeric: bool) -> None:
    """The table."""
    p.print("Kernel IP routing table")
    p.print(f"Destination     Gateway         Genmask         Flags {_HEADS[columns]}")
    for line in (await read_lines(p, "/proc/net/route"))[1:]:
        device, target, gateway, hexflags, refcnt, use, metric, mask, mss, window, irtt = line.split()
        flags = int(hexflags, 16)
        if not flags & RTF_UP:
            continue
        rejected = bool(flags & RTF_REJECT)
        letters = "!" if rejected else "".join(letter for bit, letter in _LETTERS if flags & bit)
        shown = [_shown(target, numeric, "default"), _shown(gateway, numeric, "0.0.0.0"), _swapped(mask)]
        if rejected:
            shown[1] = refcnt = device = mss = window = irtt = "-"
        first = f"{shown[0]:<15} {shown[1]:<15} {shown[2]:<15} {letters:<6}"
        if columns == NETSTAT:
            p.print(f"{first}{mss:>5} {window:<5} {irtt:>6} {device}")
        else:
            rest = f"{metric:<6} {refcnt:<2} {use:>7} {device}"
            p.print(first + (rest if columns == ROUTE else f"{rest:<26} {mss:<5} {window:<5}  {irtt}"))


async def _show_cache(p: Process, extended: int) -> None:
    """What Linux has had none of since 3.6."""
    p.print("Kernel IP routing cache")
    p.print(f"Source          Destination     Gateway         Flags {_HEADS[min(1 + extended, BOTH)]}")


def _shown(word: str, numeric: bool, zero: str) -> str:
    address = int.from_bytes(bytes.fromhex(word), "little")
    if numeric:
        return ipv4(address)
    return names.host(address) if address else zero


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
        self.masked = self.host = False


def _usage(what: str = "") -> ProgramError:
    return ProgramError(f"route: {what}\n{USAGE}" if what else USAGE, E_OPTERR)


async def _change(p: Process, words: list[str]) -> None:
    if words[0] == "flush":
        raise ProgramError(f"Flushing `inet' routing table not supported\n{USAGE}", E_OPTERR)
    add = words[0] == "add"
    request = _parse(words[1:])
    device = 0
    if request.device:
        device = p.buffer(16)
        p.store(device, raw(request.device)[:15].ljust(16, b"\0"))
    entry = RTENTRY.pack(
        sockaddr_in(request.target), sockaddr_in(request.gateway), sockaddr_in(request.mask), request.flags, 0, 0, 0, 0,
        (request.metric + 0x8000 & 0xFFFF) - 0x8000, device, request.mtu, request.window, request.irtt & 0xFFFF,
    )  # fmt: skip
    fd = await p.call("socket", AF_INET, SOCK_DGRAM, 0)
    try:
        result = await p.try_call("ioctl", fd, SIOCADDRT if add else SIOCDELRT, entry)
        if result < 0:
            raise ProgramError(f"{'SIOCADDRT' if add else 'SIOCDELRT'}: {strerror(-result)}", E_SOCK)
    finally:
        await p.call("close", fd)


def _parse(words: list[str]) -> _Request:
    request = _Request()
    rest = list(words)
    kind = rest.pop(0) if rest[:1] in (["-net"], ["-host"]) else ""
    if not rest:
        raise ProgramError(USAGE, 0)
    _target(request, rest.pop(0), kind)
    while rest:
        _word(request, rest.pop(0), rest)
    _check_mask(request)
    return request


def _target(request: _Request, word: str, kind: str) -> None:
    text, slash, length = word.partition("/")
    request.host = kind == "-host"
    if text != "default":
        request.target = _resolve(text)
        _class_mask(request, slash, length, kind)
    if request.host:
        request.flags |= RTF_HOST


def _class_mask(request: _Request, slash: str, length: str, kind: str) -> None:
    """The mask that a target's length gives it, or the class of a network."""
    if slash:
        bits = min(int(length), 32) if length.isdecimal() and len(length) < 10 else 0
        request.mask = 0xFFFFFFFF << 32 - bits & 0xFFFFFFFF
        request.masked, request.host = True, request.host
    elif kind != "-net" and (request.host or request.target):
        request.host, request.mask = True, 0xFFFFFFFF
    elif request.target:
        request.mask = (
            0xFF000000 if not request.target >> 31 else 0xFFFF0000 if request.target >> 30 == 2 else 0xFFFFFF00
        )


def _check_mask(request: _Request) -> None:
    if not request.masked:
        return
    if request.host:
        swapped = int.from_bytes(request.mask.to_bytes(4, "big"), "little")
        raise _usage(f"netmask {swapped:08x} doesn't make sense with host route")
    hole = ~request.mask & 0xFFFFFFFF
    if hole & hole + 1:
        raise _usage(f"bogus netmask {ipv4(request.mask)}")
    if request.target & hole:
        raise _usage("netmask doesn't match route address")


def _resolve(text: str) -> int:
    try:
        return names.address_of(text)
    except ProgramError as error:
        raise ProgramError(str(error), E_LOOKUP) from None


_FLAGS: Final = {"reject": RTF_REJECT, "mod": 0x20, "dyn": 0x10, "reinstate": 0x8}
_NUMBERS: Final = {"metric": 0, "mss": RTF_MTU, "window": RTF_WINDOW, "irtt": 0x100}


def _word(request: _Request, word: str, rest: list[str]) -> None:
    if word in _FLAGS:
        request.flags |= _FLAGS[word]
    elif word in ("netmask", "gw", "gateway", "dev", "device", *_NUMBERS):
        if not rest:
            raise _usage()
        _value(request, word, rest.pop(0))
    elif not request.device and not rest:
        request.device = word
    else:
        raise _usage()


def _value(request: _Request, word: str, value: str) -> None:
    if word == "netmask":
        request.mask, request.masked = _resolve(value), True
    elif word in ("gw", "gateway"):
        request.gateway = _resolve(value)
        request.flags |= RTF_GATEWAY
    elif word in ("dev", "device"):
        request.device = value
    elif not value.isdecimal() or len(value) > 9:
        raise _usage()
    else:
        request.flags |= _NUMBERS[word]
        setattr(request, {"mss": "mtu"}.get(word, word), int(value) + (word == "metric"))
