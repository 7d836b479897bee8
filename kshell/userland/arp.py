"""arp, as in net-tools: neighbours from /proc/net/arp, changed by SIOCSARP and SIOCDARP."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from kshell.abi.ioctl import SIOCDARP, SIOCSARP
from kshell.abi.socket import AF_INET, SOCK_DGRAM
from kshell.userland.addresses import parse_ipv4, parse_mac, sockaddr_in
from kshell.userland.files import read_lines
from kshell.userland.runtime import ProgramError, SystemCallError, in_own_words

if TYPE_CHECKING:
    from kshell.userland.runtime import Process

ATF_COM, ATF_PERM, ATF_PUBL = 2, 4, 8
ARPREQ: Final = struct.Struct("<16s16si16s16s")
ARPHRD_ETHER: Final = 1
IFF_LOOPBACK, IFF_NOARP, IFF_UP = 8, 0x80, 1


@in_own_words
async def main_arp(p: Process, argv: list[str]) -> int:
    """arp [-n] [-a] [-i INTERFACE] [HOST], arp -s HOST ADDRESS [temp], arp -d HOST"""
    words: list[str] = []
    device, action, bsd = "", "", False
    rest = iter(argv[1:])
    for word in rest:
        if word == "-i":
            device = next(rest, "")
        elif word in ("-s", "-d"):
            action = word
        elif word.startswith("-"):
            bsd = bsd or "a" in word
        else:
            words.append(word)
    if action == "-s":
        await _set(p, words, device)
    elif action == "-d":
        await _delete(p, words, device)
    else:
        await _show(p, words, device, bsd)
    return 0


async def _show(p: Process, words: list[str], device: str, bsd: bool) -> None:
    hosts = [parse_ipv4(word, f"{word}: Unknown host") for word in words]
    shown = 0
    for line in (await read_lines(p, "/proc/net/arp"))[1:]:
        address, _, flags, hardware, _, dev = line.split()
        if (device and dev != device) or (hosts and parse_ipv4(address) not in hosts):
            continue
        if not bsd and not shown:
            p.print("Address                  HWtype  HWaddress           Flags Mask            Iface")
        shown += 1
        p.print((_bsd_line if bsd else _table_line)(address, int(flags, 16), hardware, dev))
    if not shown and words:
        p.print(f"{words[0]} ({words[0]}) -- no entry" + (f" on {device}" if device else ""))
    elif not shown and bsd is False and device:
        p.print(f"arp: in {shown} entries no match found.")


def _table_line(address: str, flags: int, hardware: str, dev: str) -> str:
    if not flags & ATF_COM:
        return f"{address:<23}  {'':8}{'(incomplete)':<20}{'':6}{'':15} {dev}"
    letters = "".join(letter for bit, letter in ((ATF_COM, "C"), (ATF_PERM, "M"), (ATF_PUBL, "P")) if flags & bit)
    return f"{address:<23}  {'ether':<7} {hardware:<18}  {letters:<5} {'':15} {dev}"


def _bsd_line(address: str, flags: int, hardware: str, dev: str) -> str:
    if not flags & ATF_COM:
        return f"? ({address}) at <incomplete> on {dev}"
    words = ("PERM " if flags & ATF_PERM else "") + ("PUB " if flags & ATF_PUBL else "")
    return f"? ({address}) at {hardware} [ether] {words}on {dev}"


async def _request(p: Process, cmd: int, address: int, hardware: bytes, flags: int, device: str, what: str) -> None:
    link = struct.pack("<H", ARPHRD_ETHER if hardware else 0) + hardware
    body = ARPREQ.pack(sockaddr_in(address), link.ljust(16, b"\0"), flags, bytes(16), device.encode())
    fd = await p.call("socket", AF_INET, SOCK_DGRAM, 0)
    try:
        await p.call("ioctl", fd, cmd, body, what=what)
    finally:
        await p.call("close", fd)


async def _set(p: Process, words: list[str], device: str) -> None:
    if len(words) < 2:
        raise ProgramError("arp: need hardware address")
    address = parse_ipv4(words[0], f"{words[0]}: Unknown host")
    flags = ATF_COM | (0 if "temp" in words else ATF_PERM) | (ATF_PUBL if "pub" in words else 0)
    await _request(p, SIOCSARP, address, parse_mac(words[1]), flags, device, "SIOCSARP")


async def _delete(p: Process, words: list[str], device: str) -> None:
    if not words:
        raise ProgramError("arp: need host name")
    address = parse_ipv4(words[0], f"{words[0]}: Unknown host")
    try:
        await _request(p, SIOCDARP, address, b"", ATF_PERM, device, "SIOCDARP(dontpub)")
    except SystemCallError as error:
        if error.errno != 6:  # ENXIO
            raise
        raise ProgramError(f"No ARP entry for {words[0]}", 255) from None
