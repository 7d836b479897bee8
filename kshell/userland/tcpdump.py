"""tcpdump: frames of an interface by a packet socket."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from kshell.abi.errno import EINTR
from kshell.abi.ioctl import SIOCGIFINDEX
from kshell.abi.netdevice import ETH_P_ALL
from kshell.abi.packet import PACKET_OUTGOING
from kshell.abi.socket import AF_PACKET, SOCK_RAW
from kshell.abi.time import CLOCK_REALTIME
from kshell.userland.frames import describe
from kshell.userland.interfaces import Interfaces
from kshell.userland.runtime import ProgramError, SystemCallError

if TYPE_CHECKING:
    from kshell.userland.runtime import Process

ROOM: Final = 65536
SOL_PACKET, PACKET_ADD_MEMBERSHIP, PACKET_MR_PROMISC = 263, 1, 1


class Options:
    """What the command line says."""

    def __init__(self, words: list[str]) -> None:
        self.device = ""
        self.count = 0
        self.promiscuous = self.stamps = True
        self.link = False
        self.filter: list[str] = []
        rest = list(words)
        while rest:
            word = rest.pop(0)
            if word in ("-i", "-c"):
                if not rest:
                    raise ProgramError(f"option requires an argument -- '{word[1]}'", 1)
                given = rest.pop(0)
                if word == "-i":
                    self.device = given
                elif given.isdecimal() and 0 < len(given) < 10 and int(given):
                    self.count = int(given)
                else:
                    raise ProgramError(f"invalid packet count {given}", 1)
            elif word.startswith("-"):
                self._letters(word[1:])
            else:
                self.filter.append(word)
        unknown = [
            word
            for word in self.filter
            if word not in PROTOCOLS and word not in ("port", "host", "and") and not _is_value(word)
        ]
        if unknown:
            raise ProgramError(f"can't parse filter expression: syntax error at '{unknown[0]}'", 1)

    def _letters(self, letters: str) -> None:
        for letter in letters:
            if letter == "p":
                self.promiscuous = False
            elif letter == "t":
                self.stamps = False
            elif letter == "e":
                self.link = True
            elif letter not in "nvlq":
                raise ProgramError(f"invalid option -- '{letter}'", 1)


PROTOCOLS: Final = ("tcp", "udp", "icmp", "arp", "ip")


def _is_value(word: str) -> bool:
    return word.replace(".", "").isdecimal()


async def main_tcpdump(p: Process, argv: list[str]) -> int:
    """tcpdump [-i INTERFACE] [-c COUNT] [-n] [-e] [-t] [-p] [tcp|udp|icmp|arp] [port N] [host A]"""
    options = Options(argv[1:])
    interfaces = await Interfaces.open(p)
    names = await interfaces.names(False)
    device = options.device or next((name for name in names if name != "lo"), "lo")
    index = 0
    if device != "any":
        try:
            index = await interfaces.number(SIOCGIFINDEX, device)
        except SystemCallError:
            raise ProgramError(f"{device}: No such device exists\n(No such device exists)", 1) from None
    await interfaces.close()
    fd = await p.call(
        "socket",
        AF_PACKET,
        SOCK_RAW,
        ETH_P_ALL << 8,
        what="socket: You don't have permission to perform this capture on that device",
    )
    if index:
        await p.call("bind", fd, struct.pack("<HHiHBB8x", AF_PACKET, ETH_P_ALL << 8, index, 0, 0, 0), 20, what="bind")
        if options.promiscuous and device != "lo":
            request = struct.pack("<iHH8x", index, PACKET_MR_PROMISC, 0)
            await p.call("setsockopt", fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, request, 16)
    p.complain(f"listening on {device}, link-type EN10MB (Ethernet), snapshot length 262144 bytes")
    seen = await _loop(p, options, fd, device)
    p.print(f"{seen} packet{'s' if seen != 1 else ''} captured")
    await p.call("close", fd)
    return 0


async def _loop(p: Process, options: Options, fd: int, device: str) -> int:
    room, name, length = p.buffer(ROOM), p.buffer(32), p.buffer(16)
    seen = 0
    while not options.count or seen < options.count:
        p.store(length, struct.pack("<i", 20))
        got = await p.try_call("recvfrom", fd, room, ROOM, 0, name, length)
        if got == -EINTR:
            break
        if got < 0:
            raise SystemCallError(-got, "recvfrom")
        kind = p.memory(name, 20)[10]
        if device == "lo" and kind == PACKET_OUTGOING:  # each is seen twice there
            continue
        found = describe(p.memory(room, got), options.link)
        if found is None or not _fits(options.filter, found.protocols, found.ends):
            continue
        seen += 1
        p.print((await _stamp(p) + " " if options.stamps else "") + found.text)
    return seen


async def _stamp(p: Process) -> str:
    buffer = p.scratch(16)
    await p.call("clock_gettime", CLOCK_REALTIME, buffer)
    seconds, nanoseconds = struct.unpack("<qq", p.memory(buffer, 16))
    hours, rest = divmod(seconds % 86400, 3600)
    return f"{hours:02d}:{rest // 60:02d}:{rest % 60:02d}.{nanoseconds // 1000:06d}"


def _fits(words: list[str], protocols: tuple[str, ...], ends: tuple[tuple[str, int], ...]) -> bool:
    """Whether a frame is one of those asked for: all words hold."""
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if word == "port" and rest:
            port = rest.pop(0)
            if all(str(number) != port for _, number in ends):
                return False
        elif word == "host" and rest:
            host = rest.pop(0)
            if all(address != host for address, _ in ends):
                return False
        elif word in PROTOCOLS and word not in protocols:
            return False
    return True
