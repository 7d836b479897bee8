"""ifconfig, as in net-tools: interfaces by ioctl() and /proc/net/dev."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from ipaddress import IPv6Address
from typing import TYPE_CHECKING, Final

from kshell.abi import ioctl as i
from kshell.abi.errno import ENODEV
from kshell.abi.netdevice import IFF_BROADCAST, IFF_LOOPBACK, IFF_POINTOPOINT, IFF_UP
from kshell.userland.addresses import ARPHRD_ETHER, ARPHRD_LOOPBACK, ipv4, mac, parse_ipv4, parse_mac, sockaddr_in
from kshell.userland.files import read_lines
from kshell.userland.interfaces import Interfaces
from kshell.userland.runtime import ProgramError, SystemCallError, in_own_words

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


LETTERS: Final = (
    (0x200, "A"), (0x2, "B"), (0x4, "D"), (0x8, "L"), (0x1000, "M"), (0x20, "N"), (0x80, "O"), (0x100, "P"), (0x40, "R"),
    (0x1, "U"),
)  # fmt: skip


@in_own_words
async def main_ifconfig(p: Process, argv: list[str]) -> int:
    """ifconfig [-a] [INTERFACE [SETTING...]]"""
    words = argv[1:]
    every, short = "-a" in words, "-s" in words
    words = [word for word in words if word not in ("-a", "-v", "-s")]
    interfaces = await Interfaces.open(p)
    try:
        if short:
            await table(p, interfaces, "Iface      MTU")
        elif not words:
            for name in sorted([*await interfaces.names(every), *await interfaces.aliases()], key=natural):
                await show(p, interfaces, name)
        elif len(words) == 1:
            await show(p, interfaces, words[0])
        else:
            await configure(p, interfaces, words[0], words[1:])
    finally:
        await interfaces.close()
    return 0


# ---- showing


def flag_names(flags: int) -> str:
    """UP,LOOPBACK,RUNNING"""
    return ",".join(name for bit, name in enumerate(FLAGS) if flags >> bit & 1)


def natural(name: str) -> list[tuple[str, int]]:
    """Order of names whose numbers count as numbers: eth2 before eth10."""
    return [(word, int(digits or -1)) for word, digits in re.findall(r"([^0-9]+|^)([0-9]*)", name)]


async def table(p: Process, interfaces: Interfaces, title: str) -> None:
    """One line each, as `ifconfig -s` and `netstat -i` have them."""
    p.print(f"{title}    RX-OK RX-ERR RX-DRP RX-OVR    TX-OK TX-ERR TX-DRP TX-OVR Flg")
    for name in sorted([*await interfaces.names(False), *await interfaces.aliases()], key=natural):
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


async def configure(p: Process, interfaces: Interfaces, name: str, words: list[str]) -> None:
    """Settings one after another. ProgramError."""
    rest = iter(words)
    addressed = False
    for word in rest:
        if word in _SWITCHES:
            flag = _SWITCHES[word]
            await interfaces.change_flags(name, max(flag, 0), max(-flag, 0))
        elif word in _VALUES:
            await _set_value(p, interfaces, name, word, next(rest, ""))
        elif word == "inet":
            continue
        elif addressed or word.startswith("-"):
            raise ProgramError(f"{word}: unknown setting; see: help ifconfig")
        else:
            addressed = True
            await _set_address(interfaces, name, word)


_VALUES: Final = ("mtu", "netmask", "broadcast", "dstaddr", "pointopoint", "hw", "metric", "txqueuelen", "add", "del")
_ADDRESS_REQUESTS: Final = {
    "netmask": i.SIOCSIFNETMASK, "broadcast": i.SIOCSIFBRDADDR, "dstaddr": i.SIOCSIFDSTADDR,
    "pointopoint": i.SIOCSIFDSTADDR,
}  # fmt: skip
_NUMBER_REQUESTS: Final = {
    "mtu": (i.SIOCSIFMTU, "SIOCSIFMTU"), "metric": (i.SIOCSIFMETRIC, "SIOCSIFMETRIC"),
    "txqueuelen": (i.SIOCSIFTXQLEN, "SIOCSIFTXQLEN"),
}  # fmt: skip


async def _set_value(p: Process, interfaces: Interfaces, name: str, word: str, value: str) -> None:
    if not value:
        raise ProgramError(f"option '{word}' wants a value")
    if word in _ADDRESS_REQUESTS:
        request = _ADDRESS_REQUESTS[word]
        await interfaces.request(request, name, sockaddr_in(parse_ipv4(value)), _NAMES[request])
        if word == "pointopoint":
            await interfaces.change_flags(name, IFF_POINTOPOINT, 0)
    elif word in _NUMBER_REQUESTS:
        request, what = _NUMBER_REQUESTS[word]
        if not value.lstrip("-").isdecimal():
            raise ProgramError(f"{value}: a number is expected behind {word}")
        await interfaces.request(request, name, struct.pack("<i", int(value)), what)
    elif word == "hw":
        await _set_hardware(interfaces, name, value)
    else:
        raise ProgramError(f"{word} is about IPv6, which is disabled")


async def _set_hardware(interfaces: Interfaces, name: str, value: str) -> None:
    address = parse_mac(value.removeprefix("ether").strip())
    await interfaces.request(i.SIOCSIFHWADDR, name, struct.pack("<H", ARPHRD_ETHER) + address, "SIOCSIFHWADDR")


_NAMES: Final = {
    i.SIOCSIFNETMASK: "SIOCSIFNETMASK", i.SIOCSIFBRDADDR: "SIOCSIFBRDADDR", i.SIOCSIFDSTADDR: "SIOCSIFDSTADDR",
}  # fmt: skip


async def _set_address(interfaces: Interfaces, name: str, word: str) -> None:
    """An address, with its prefix length perhaps; the interface goes up with it."""
    text, slash, length = word.partition("/")
    address = parse_ipv4(text, f"{text}: Host name lookup failure")
    await interfaces.request(i.SIOCSIFADDR, name, sockaddr_in(address), "SIOCSIFADDR")
    if slash:
        mask = 0xFFFFFFFF << 32 - int(length) & 0xFFFFFFFF
        await interfaces.request(i.SIOCSIFNETMASK, name, sockaddr_in(mask), "SIOCSIFNETMASK")
    if address and await interfaces.flags(name.partition(":")[0]) & (IFF_UP | IFF_LOOPBACK) != IFF_UP:
        await interfaces.change_flags(name, IFF_UP | 0x40, 0)
