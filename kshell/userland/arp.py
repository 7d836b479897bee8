"""arp, as in net-tools: neighbours from /proc/net/arp, changed by SIOCSARP and SIOCDARP."""

from __future__ import annotations

import struct
from os import strerror
from typing import TYPE_CHECKING, Final

from kshell.abi.ioctl import SIOCDARP, SIOCGIFHWADDR, SIOCSARP
from kshell.abi.netdevice import ARPHRD_ETHER
from kshell.abi.socket import AF_INET, SOCK_DGRAM
from kshell.userland import names
from kshell.userland.addresses import ipv4, parse_ipv4, parse_mac, sockaddr_in
from kshell.userland.files import read_lines
from kshell.userland.getopt import Getopt
from kshell.userland.interfaces import Interfaces
from kshell.userland.nettools import E_MINUS_ONE, E_OPTERR
from kshell.userland.runtime import ProgramError, SystemCallError, in_own_words, raw

if TYPE_CHECKING:
    from kshell.userland.runtime import Process

ENOENT, ENXIO = 2, 6
ATF_COM, ATF_PERM, ATF_PUBL, ATF_NETMASK, ATF_DONTPUB = 2, 4, 8, 0x20, 0x40
ARPREQ: Final = struct.Struct("<16s16si16s16s")
HARDWARE: Final = ("ether", "loop")
GETOPT: Final = Getopt(
    "A:H:adfp:nsei:Dt:vh?DNV",
    {"verbose": "v", "all": "a", "delete": "d", "file": "f", "numeric": "n", "set": "s", "protocol=": "A",
     "hw-type=": "H", "device": "i", "help": "h", "use-device": "D"},
    E_OPTERR,
    "Usage:\n  arp [-vn] [-i IF] [-a] [HOST] | arp -s HOST ADDRESS [temp] [pub] | arp -Ds HOST IF | arp -d HOST [pub]",
)  # fmt: skip


class Options:
    """What the command line says."""

    def __init__(self, argv: list[str]) -> None:
        found, self.words = GETOPT.parse(argv)
        self.letters = {letter for letter, _ in found}
        self.device = ""
        for letter, value in found:
            if letter == "i":
                self.device = value
            elif letter in "Ap" and value != "inet":
                raise _failure(f"arp: {value}: unknown address family.")
            elif letter in "Ht" and value not in HARDWARE:
                raise _failure(f"arp: {value}: unknown hardware type.")
        if self.letters & {"h", "?"}:
            raise ProgramError(GETOPT.usage, E_OPTERR)


def _failure(message: str) -> ProgramError:
    return ProgramError(message, E_MINUS_ONE)


@in_own_words
async def main_arp(p: Process, argv: list[str]) -> int:
    """arp [-n] [-a] [-v] [-i INTERFACE] [HOST], arp -s HOST ADDRESS [temp], arp -d HOST"""
    o = Options(argv)
    if "f" in o.letters:
        await _set_file(p, o)
    elif "d" in o.letters:
        await _delete(p, o)
    elif "s" in o.letters:
        await _set(p, o)
    else:
        await _show(p, o)
    return 0


def _resolve(text: str) -> int:
    return names.address_of(text)


async def _show(p: Process, o: Options) -> None:
    try:
        host = _resolve(o.words[0]) if o.words else None
    except ProgramError as error:
        raise _failure(str(error)) from None
    bsd = "a" in o.letters
    lines = [line.split() for line in (await read_lines(p, "/proc/net/arp"))[1:]]
    found = [w for w in lines if (not o.device or w[5] == o.device) and (host is None or parse_ipv4(w[0]) == host)]
    if found and not bsd:
        p.print("Address                  HWtype  HWaddress           Flags Mask            Iface")
    for address, _, flags, hardware, mask, device in found:
        p.print((_bsd_line if bsd else _table_line)(o, address, int(flags, 16), hardware, mask, device))
    if "v" in o.letters:
        p.print(f"Entries: {len(lines)}\tSkipped: {len(lines) - len(found)}\tFound: {len(found)}")
    if found:
        return
    if host is not None and not bsd:
        p.print(f"{o.words[0]} ({ipv4(host)}) -- no entry")
    elif host is not None or o.device:
        p.print(f"arp: in {len(lines)} entries no match found.")


def _table_line(o: Options, address: str, flags: int, hardware: str, mask: str, device: str) -> str:
    shown = address if "n" in o.letters else names.host(parse_ipv4(address))
    if not flags & (ATF_COM | ATF_PUBL):
        return f"{shown:<23}  {'':8}{'(incomplete)':<20}{'':6}{'':15} {device}"
    letters = "".join(letter for bit, letter in ((ATF_COM, "C"), (ATF_PERM, "M"), (ATF_PUBL, "P")) if flags & bit)
    kind, shown_hardware = ("ether", hardware) if flags & ATF_COM else ("*", "<from_interface>")
    return f"{shown:<23}  {kind:<7} {shown_hardware:<18}  {letters:<5} {'' if mask == '*' else mask:<15} {device}"


def _bsd_line(o: Options, address: str, flags: int, hardware: str, mask: str, device: str) -> str:
    name = names.host(parse_ipv4(address))
    shown = "?" if "n" in o.letters or name == address else name
    if not flags & (ATF_COM | ATF_PUBL):
        return f"{shown} ({address}) at <incomplete> on {device}"
    at = f"{hardware} [ether]" if flags & ATF_COM else "<from_interface>"
    words = ("PERM " if flags & ATF_PERM else "") + ("PUP " if flags & ATF_PUBL else "")
    return f"{shown} ({address}) at {at} {words}on {device}"


async def _request(p: Process, cmd: int, address: int, hardware: bytes, flags: int, device: str) -> int:
    """0, or the errno."""
    link = struct.pack("<H", ARPHRD_ETHER) + hardware
    body = ARPREQ.pack(sockaddr_in(address), link.ljust(16, b"\0"), flags, bytes(16), raw(device)[:15])
    fd = await p.call("socket", AF_INET, SOCK_DGRAM, 0)
    try:
        return -await p.try_call("ioctl", fd, cmd, body)
    finally:
        await p.call("close", fd)


async def _hardware(p: Process, o: Options) -> bytes:
    """The address that is given, or with -D that of an interface."""
    if len(o.words) < 2:
        raise _failure("arp: need hardware address")
    if "D" not in o.letters:
        try:
            return parse_mac(o.words[1])
        except ProgramError:
            raise _failure("arp: invalid hardware address") from None
    interfaces = await Interfaces.open(p)
    try:
        return (await interfaces.request(SIOCGIFHWADDR, o.words[1]))[2:8]
    except SystemCallError as error:
        raise _failure(f"arp: cant get HW-Address for `{o.words[1]}': {strerror(error.errno)}.") from None
    finally:
        await interfaces.close()


async def _set_file(p: Process, o: Options) -> None:
    """An entry for each line of a file."""
    path = o.words[0] if o.words else "/etc/ethers"
    try:
        lines = await read_lines(p, path)
    except SystemCallError:
        raise _failure(f"arp: cannot open etherfile {path} !") from None
    for line in lines:
        o.words = line.partition("#")[0].split()
        if o.words:
            await _set(p, o)


async def _set(p: Process, o: Options) -> None:
    if not o.words:
        raise _failure("arp: need host name")
    address = _host(o)
    hardware, words = await _hardware(p, o), o.words[2:]
    flags = ATF_COM | (0 if "temp" in words else ATF_PERM) | (ATF_PUBL if "pub" in words else 0)
    flags |= ATF_DONTPUB if "dontpub" in words else 0
    errno = await _request(p, SIOCSARP, address, hardware, flags, o.device)
    if errno:
        raise _failure(f"SIOCSARP: {strerror(errno)}")


def _host(o: Options) -> int:
    try:
        return _resolve(o.words[0])
    except ProgramError as error:
        raise _failure(str(error)) from None


async def _delete(p: Process, o: Options) -> None:
    if not o.words:
        raise _failure("arp: need host name")
    address, published = _host(o), "pub" in o.words[1:]
    flags = ATF_PERM | (ATF_PUBL if published else 0)
    errno = await _request(p, SIOCDARP, address, b"", flags, o.device)
    if errno in (ENXIO, ENOENT):
        raise _failure(f"No ARP entry for {o.words[0]}")
    if errno:
        raise _failure(f"SIOCDARP({'pub' if published else 'dontpub'}): {strerror(errno)}")
