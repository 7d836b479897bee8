"""ifconfig, as in net-tools: interfaces by ioctl() and /proc/net/dev."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator, Sequence
from ipaddress import IPv6Address
from typing import TYPE_CHECKING, Final

from kshell.abi import ioctl as i
from kshell.abi.errno import ENODEV
from kshell.abi.netdevice import ARPHRD_ETHER, ARPHRD_LOOPBACK, IFF_BROADCAST, IFF_POINTOPOINT, IFF_RUNNING, IFF_UP
from kshell.userland import names
from kshell.userland.addresses import ipv4, mac, parse_mac, sockaddr_in
from kshell.userland.files import read_lines
from kshell.userland.interfaces import Interfaces
from kshell.userland.nettools import E_MINUS_ONE, E_OPTERR
from kshell.userland.runtime import ProgramError, SystemCallError, in_own_words, raw

if TYPE_CHECKING:
    from kshell.userland.runtime import Process

FLAGS: Final = (
    "UP", "BROADCAST", "DEBUG", "LOOPBACK", "POINTOPOINT", "NOTRAILERS", "RUNNING", "NOARP", "PROMISC", "ALLMULTI",
    "MASTER", "SLAVE", "MULTICAST", "PORTSEL", "AUTOMEDIA", "DYNAMIC",
)  # fmt: skip
HARDWARE: Final = {ARPHRD_ETHER: ("ether", "Ethernet"), ARPHRD_LOOPBACK: ("loop", "Local Loopback"),
                   65534: ("unspec", "UNSPEC")}  # fmt: skip
#: word → flag it sets (or with - clears)
_SWITCHES: Final = {
    "up": 0x41, "arp": -0x80, "promisc": 0x100, "allmulti": 0x200, "multicast": 0x1000, "dynamic": 0x8000,
    "trailers": -0x20, "down": -0x1, "-arp": 0x80, "-promisc": -0x100, "-allmulti": -0x200, "-multicast": -0x1000,
    "-dynamic": -0x8000, "-trailers": 0x20, "-broadcast": -0x2, "-pointopoint": -0x10,
}  # fmt: skip
_WARNED: Final = {
    "-promisc": "promisc mode... maybe other application is running?", "-multicast": "MULTICAST mode.",
    "-allmulti": "ALLMULTI mode.", "-dynamic": "DYNAMIC mode.", "-broadcast": "BROADCAST mode.",
    "-pointopoint": "POINTOPOINT mode.",
}  # fmt: skip
USAGE: Final = "Usage:\n  ifconfig [-a] [-s] [INTERFACE [ADDRESS[/LENGTH]] [SETTING...]]"
HELP: Final = "ifconfig: `--help' gives usage information."

LETTERS: Final = (
    (0x200, "A"), (0x2, "B"), (0x4, "D"), (0x8, "L"), (0x1000, "M"), (0x20, "N"), (0x80, "O"), (0x100, "P"), (0x40, "R"),
    (0x1, "U"),
)  # fmt: skip


@in_own_words
async def main_ifconfig(p: Process, argv: list[str]) -> int:
    """ifconfig [-a] [-s] [INTERFACE [SETTING...]]"""
    words = argv[1:]
    options: set[str] = set()
    while words and words[0].startswith("-"):
        options.add(_option(words.pop(0)))
    interfaces = await Interfaces.open(p)
    try:
        if len(words) > 1:
            return await configure(p, interfaces, words[0], words[1:])
        if "-s" in options:
            await table(p, interfaces, "Iface      MTU", "-a" in options, words[:1])
        elif not words:
            await show_all(p, interfaces, "-a" in options)
        else:
            await show(p, interfaces, words[0])
    finally:
        await interfaces.close()
    return 0


def _option(word: str) -> str:
    if word in ("-?", "-h", "--help"):
        raise ProgramError(USAGE, 0)
    if word not in ("-a", "-s", "-v"):
        raise ProgramError(f"ifconfig: option `{word}' not recognised.\n{HELP}")
    return word


# ---- showing


def flag_names(flags: int) -> str:
    """UP,LOOPBACK,RUNNING"""
    return ",".join(name for bit, name in enumerate(FLAGS) if flags >> bit & 1)


def natural(name: str) -> list[tuple[str, int]]:
    """Order of names whose numbers count as numbers: eth2 before eth10."""
    return [(word, int(digits or -1)) for word, digits in re.findall(r"([^0-9]+|^)([0-9]*)", name)]


async def _all(interfaces: Interfaces, every: bool) -> list[str]:
    return sorted([*await interfaces.names(every), *await interfaces.aliases()], key=natural)


async def show_all(p: Process, interfaces: Interfaces, every: bool) -> None:
    """The interfaces that are up, or every one."""
    for name in await _all(interfaces, every):
        await show(p, interfaces, name)


async def table(p: Process, interfaces: Interfaces, title: str, every: bool, only: Sequence[str] = ()) -> None:
    """One line each, as `ifconfig -s` and `netstat -i` have them."""
    p.print(f"{title}    RX-OK RX-ERR RX-DRP RX-OVR    TX-OK TX-ERR TX-DRP TX-OVR Flg")
    for name in only or await _all(interfaces, every):
        c = await counters(p, name)
        flags = await interfaces.flags(name)
        mtu = await interfaces.number(i.SIOCGIFMTU, name)
        letters = "".join(letter for bit, letter in LETTERS if flags & bit)
        if c is None:
            p.print(f"{name:<15} {mtu:5d}      - no statistics available -                        {letters}")
            continue
        received = f"{c[1]:8d} {c[2]:6d} {c[3]:6d} {c[4]:<6d}"
        p.print(f"{name:<15} {mtu:5d} {received} {c[9]:8d} {c[10]:6d} {c[11]:6d} {c[12]:6d} {letters}")


def human(count: int) -> str:
    """706.0 B, 1.8 KiB, in steps of 1000 as net-tools does it."""
    for power, unit in ((5, "PiB"), (4, "TiB"), (3, "GiB"), (2, "MiB"), (1, "KiB")):
        if count >= 1024**power:
            return f"{count * 10 // 1024**power / 10:.1f} {unit}"
    return f"{count:.1f} B"


async def counters(p: Process, name: str) -> list[int] | None:
    """The sixteen counters of an interface in /proc/net/dev; None for an alias."""
    for line in (await read_lines(p, "/proc/net/dev"))[2:]:
        device, _, rest = line.partition(":")
        if device.strip() == name:
            return [int(word) for word in rest.split()]
    return None


async def show(p: Process, interfaces: Interfaces, name: str) -> None:
    """One interface. ProgramError: there is none."""
    try:
        flags = await interfaces.flags(name)
    except SystemCallError as error:
        reason = "Device not found" if error.errno == ENODEV else str(error)
        raise ProgramError(f"{name}: error fetching interface information: {reason}") from None
    mtu = await interfaces.number(i.SIOCGIFMTU, name)
    p.print(f"{name}: flags={flags}<{flag_names(flags)}>  mtu {mtu}")
    line = await _inet(interfaces, name, flags)
    if line:
        p.print(f"        {line}")
    for line in _inet6(name, await _if_inet6(p)):
        p.print(f"        {line}")
    hardware = await interfaces.request(i.SIOCGIFHWADDR, name)
    kind = HARDWARE.get(int.from_bytes(hardware[:2], "little"), ("unspec", "UNSPEC"))
    p.print(f"        {_hardware(hardware)}txqueuelen {await interfaces.number(i.SIOCGIFTXQLEN, name)}  ({kind[1]})")
    for line in _statistics(await counters(p, name)) if ":" not in name else ():
        p.print(f"        {line}")
    p.print()


async def _inet(interfaces: Interfaces, name: str, flags: int) -> str:
    address = await interfaces.address(i.SIOCGIFADDR, name)
    if address is None:
        return ""
    mask = await interfaces.address(i.SIOCGIFNETMASK, name) or 0
    line = f"inet {ipv4(address)}  netmask {ipv4(mask)}"
    if flags & IFF_BROADCAST:
        line += f"  broadcast {ipv4(await interfaces.address(i.SIOCGIFBRDADDR, name) or 0)}"
    if flags & IFF_POINTOPOINT:
        line += f"  destination {ipv4(await interfaces.address(i.SIOCGIFDSTADDR, name) or 0)}"
    return line


async def _if_inet6(p: Process) -> list[str]:
    try:
        return await read_lines(p, "/proc/net/if_inet6")
    except SystemCallError:
        return []


_SCOPES: Final = {0x00: "global", 0x10: "host", 0x20: "link", 0x40: "site", 0x80: "compat"}


def _inet6(name: str, lines: list[str]) -> Iterator[str]:
    for line in lines:
        digits, _, length, scope, _, device = line.split()
        if device == name:
            kind = _SCOPES.get(int(scope, 16) & 0xF0, "unknown")
            yield f"inet6 {IPv6Address(int(digits, 16))}  prefixlen {int(length, 16)}  scopeid 0x{int(scope, 16):x}<{kind}>"


def _hardware(union: bytes) -> str:
    kind = int.from_bytes(union[:2], "little")
    word = HARDWARE.get(kind, ("unspec", ""))[0]
    return f"{word} {mac(union[2:8])}  " if kind == ARPHRD_ETHER else f"{word}  "


def _statistics(c: list[int] | None) -> Iterator[str]:
    if c is None:
        yield "RX packets 0  bytes 0 (0.0 B)"
        return
    yield f"RX packets {c[1]}  bytes {c[0]} ({human(c[0])})"
    yield f"RX errors {c[2]}  dropped {c[3]}  overruns {c[4]}  frame {c[5]}"
    yield f"TX packets {c[9]}  bytes {c[8]} ({human(c[8])})"
    yield f"TX errors {c[10]}  dropped {c[11]} overruns {c[12]}  carrier {c[14]}  collisions {c[13]}"


# ---- changing


class Failed(Exception):
    """A setting that could not be made; the others are tried all the same."""

    def __init__(self, message: str, status: int = 1) -> None:
        super().__init__(message)
        self.status = status


async def configure(p: Process, interfaces: Interfaces, name: str, words: list[str]) -> int:
    """Settings one after another; the exit status. ProgramError: a word that is none."""
    rest = list(words)
    if rest[0] in ("inet", "inet6"):
        _family(rest.pop(0))
    setting, status = _Setting(p, interfaces, name), 0
    while rest:
        try:
            await setting.make(rest.pop(0), rest)
        except Failed as failed:
            p.complain(str(failed))
            status |= failed.status
    return status


def _family(word: str) -> None:
    if word == "inet6":
        raise ProgramError("No support for INET6 on this system.")


_ADDRESS_REQUESTS: Final = {
    "netmask": (i.SIOCSIFNETMASK, "SIOCSIFNETMASK"), "broadcast": (i.SIOCSIFBRDADDR, "SIOCSIFBRDADDR"),
    "dstaddr": (i.SIOCSIFDSTADDR, "SIOCSIFDSTADDR"), "pointopoint": (i.SIOCSIFDSTADDR, "SIOCSIFDSTADDR"),
}  # fmt: skip
_NUMBER_REQUESTS: Final = {
    "mtu": (i.SIOCSIFMTU, "SIOCSIFMTU"), "txqueuelen": (i.SIOCSIFTXQLEN, "SIOCSIFTXQLEN"),
}  # fmt: skip
_MAPS: Final = {"mem_start": 0, "io_addr": 16, "irq": 18}
"""Where a member of struct ifmap stands."""


class _Setting:
    """What is set of one interface."""

    def __init__(self, p: Process, interfaces: Interfaces, name: str) -> None:
        self.p = p
        self.interfaces = interfaces
        self.name = name

    async def make(self, word: str, rest: list[str]) -> None:
        """Make the setting that a word names. Failed, ProgramError."""
        if word in _SWITCHES:
            await self._switch(word)
        elif word in _ADDRESS_REQUESTS:
            await self._address(word, rest)
        elif word in _NUMBER_REQUESTS:
            request, what = _NUMBER_REQUESTS[word]
            await self._ask(request, struct.pack("<i", atoi(_value(rest))), what)
        elif word == "hw":
            await self._hardware(_value(rest), _value(rest))
        elif word == "name":
            await self._ask(i.SIOCSIFNAME, raw(_value(rest))[:15], "SIOCSIFNAME")
        elif word in ("add", "del"):
            await self._alias(word, _value(rest))
        elif word in _MAPS:
            await self._map(word, atoi(_value(rest)))
        elif word in ("inet", "inet6"):
            _family(word)
        else:
            await self._local(word)

    async def _ask(self, request: int, union: bytes, what: str, name: str = "") -> bytes:
        try:
            return await self.interfaces.request(request, name or self.name, union, what)
        except SystemCallError as error:
            raise Failed(str(error)) from None

    async def _flags(self, on: int, off: int, name: str = "") -> int:
        try:
            await self.interfaces.change_flags(name or self.name, on, off)
            return await self.interfaces.flags(self.name.partition(":")[0])
        except SystemCallError as error:
            raise Failed(str(error), E_MINUS_ONE) from None

    async def _switch(self, word: str) -> None:
        flag = _SWITCHES[word]
        flags = await self._flags(max(flag, 0), max(-flag, 0))
        if word in _WARNED and flags & -flag:
            self.p.complain(f"Warning: Interface {self.name} still in {_WARNED[word]}")

    async def _address(self, word: str, rest: list[str]) -> None:
        request, what = _ADDRESS_REQUESTS[word]
        if word in ("broadcast", "pointopoint") and not rest:
            await self._flags(IFF_BROADCAST if word == "broadcast" else IFF_POINTOPOINT, 0)
            return
        await self._ask(request, sockaddr_in(_resolve(_value(rest))), what)
        if word == "pointopoint":
            await self._flags(IFF_POINTOPOINT, 0)

    async def _hardware(self, kind: str, value: str) -> None:
        if kind != "ether":
            raise ProgramError(USAGE, E_OPTERR)
        try:
            address = parse_mac(value)
        except ProgramError:
            raise ProgramError(f"{value}: invalid {kind} address.") from None
        await self._ask(i.SIOCSIFHWADDR, struct.pack("<H", ARPHRD_ETHER) + address, "SIOCSIFHWADDR")

    async def _map(self, word: str, value: int) -> None:
        held = bytearray(await self._ask(i.SIOCGIFMAP, b"", f"{word}: SIOCGIFMAP"))
        at, size = _MAPS[word], 8 if word == "mem_start" else 2 if word == "io_addr" else 1
        held[at : at + size] = (value & (1 << 8 * size) - 1).to_bytes(size, "little")
        await self._ask(i.SIOCSIFMAP, bytes(held), f"{word}: SIOCSIFMAP")

    async def _alias(self, word: str, value: str) -> None:
        """Another address under the first free label, or the label that has it taken down."""
        if ":" in value:
            _family("inet6")
        address, number = _resolve(value.partition("/")[0]), 0
        while (held := await self.interfaces.address(i.SIOCGIFADDR, f"{self.name}:{number}")) is not None:
            if word == "del" and held == address:
                await self.interfaces.change_flags(f"{self.name}:{number}", 0, IFF_UP)
                return
            number += 1
        if word == "add":
            await self._ask(i.SIOCSIFADDR, sockaddr_in(address), "SIOCSIFADDR", f"{self.name}:{number}")

    async def _local(self, word: str) -> None:
        """An address, with its prefix length perhaps; the interface goes up with it."""
        text, slash, length = word.partition("/")
        address = _resolve(text)
        failed: Failed | None = None
        try:
            await self._ask(i.SIOCSIFADDR, sockaddr_in(address), "SIOCSIFADDR")
        except Failed as error:
            self.p.complain(str(error))
            failed = error
        if slash and length.isdecimal() and len(length) < 3 and int(length) <= 32:
            mask = 0xFFFFFFFF << 32 - int(length) & 0xFFFFFFFF
            await self._ask(i.SIOCSIFNETMASK, sockaddr_in(mask), "SIOCSIFNETMASK")
        if address or failed is not None:
            await self._flags(IFF_UP | IFF_RUNNING, 0, self.name.partition(":")[0])


def _value(rest: list[str]) -> str:
    if not rest:
        raise ProgramError(USAGE, E_OPTERR)
    return rest.pop(0)


def atoi(text: str) -> int:
    """The number at the beginning of a text, 0 if there is none, in the 32 bits of an int."""
    found = re.match(r"\s*[+-]?\d+", text[:1000])
    return (int(found[0]) + 0x80000000 & 0xFFFFFFFF) - 0x80000000 if found else 0


def _resolve(text: str) -> int:
    try:
        return names.address_of(text)
    except ProgramError as error:
        raise ProgramError(f"{error}\n{HELP}") from None
