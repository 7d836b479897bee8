"""tcpdump: frames of an interface by a packet socket."""

from __future__ import annotations

import struct
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from kshell.abi.errno import EINTR
from kshell.abi.ioctl import SIOCGIFINDEX
from kshell.abi.netdevice import ETH_P_ALL
from kshell.abi.packet import PACKET_OUTGOING
from kshell.abi.socket import AF_PACKET, SOCK_RAW
from kshell.abi.time import CLOCK_REALTIME
from kshell.userland.frames import Printer, dump
from kshell.userland.getopt import Getopt
from kshell.userland.interfaces import Interfaces
from kshell.userland.runtime import ProgramError, SystemCallError
from kshell.userland.tcpdump_filter import Filter

if TYPE_CHECKING:
    from kshell.userland.runtime import Process

ROOM: Final = 65536
SOL_PACKET, PACKET_ADD_MEMBERSHIP, PACKET_STATISTICS, PACKET_MR_PROMISC = 263, 1, 6, 1
LINK_HEADER: Final = 14
GETOPT: Final = Getopt(
    "#Ac:ei:lnNpqSs:tUvxXD",
    {"number": "#", "interface=": "i", "no-promiscuous-mode": "p", "absolute-tcp-sequence-numbers": "S",
     "snapshot-length=": "s", "list-interfaces": "D"},
    1,
    "Usage: tcpdump [-AeDnpqStvxX#] [-c COUNT] [-i INTERFACE] [-s SNAPLEN] [EXPRESSION]",
)  # fmt: skip


class Options:
    """What the command line says; letters: with as many of each as were given."""

    def __init__(self, argv: list[str]) -> None:
        self.device = ""
        self.count = 0
        self.length = 262144
        found, words = GETOPT.parse(argv)
        self.letters = "".join(letter for letter, _ in found)
        for letter, value in found:
            if letter == "i":
                self.device = value
            elif letter in "cs":
                self._number(letter, value)
        self.filter = Filter(words)

    def _number(self, letter: str, value: str) -> None:
        least = 1 if letter == "c" else 0
        if not value.isdecimal() or len(value) > 9 or int(value) < least:
            what = "packet count" if letter == "c" else "snaplen"
            raise ProgramError(f"invalid {what} {value}", 1)
        if letter == "c":
            self.count = int(value)
        else:
            self.length = int(value) or 262144

    def printer(self) -> Printer:
        """How frames are shown."""
        has = self.letters.__contains__
        return Printer(has("n"), has("e"), self.letters.count("v"), has("q"), has("S"))


async def main_tcpdump(p: Process, argv: list[str]) -> int:
    """tcpdump [-i INTERFACE] [-c COUNT] [-AenpqStvxX#] [EXPRESSION]"""
    options = Options(argv)
    interfaces = await Interfaces.open(p)
    found = await interfaces.names(False)
    if "D" in options.letters:
        for at, name in enumerate(found):
            p.print(f"{at + 1}.{name} [Up, Running{', Loopback' if name == 'lo' else ''}]")
        return 0
    device = options.device or next((name for name in found if name != "lo"), "lo")
    index = await _index(interfaces, device)
    await interfaces.close()
    fd = await p.call(
        "socket", AF_PACKET, SOCK_RAW, ETH_P_ALL << 8,
        what=f"{device}: You don't have permission to perform this capture on that device\n(socket",
    )  # fmt: skip
    if index:
        await p.call("bind", fd, struct.pack("<HHiHBB8x", AF_PACKET, ETH_P_ALL << 8, index, 0, 0, 0), 20, what="bind")
        if "p" not in options.letters and device != "lo":
            request = struct.pack("<iHH8x", index, PACKET_MR_PROMISC, 0)
            await p.call("setsockopt", fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, request, 16)
    if "v" not in options.letters:
        p.complain("tcpdump: verbose output suppressed, use -v[v]... for full protocol decode")
    p.complain(f"listening on {device}, link-type EN10MB (Ethernet), snapshot length {options.length} bytes")
    seen = await _loop(p, options, fd, device)
    await _statistics(p, fd, seen)
    await p.call("close", fd)
    return 0


async def _index(interfaces: Interfaces, device: str) -> int:
    """The number of a device, 0 for any of them. ProgramError."""
    if device == "any":
        return 0
    try:
        return await interfaces.number(SIOCGIFINDEX, device)
    except SystemCallError:
        raise ProgramError(f"{device}: No such device exists\n(No such device exists)", 1) from None


async def _statistics(p: Process, fd: int, seen: int) -> None:
    value, length = p.scratch(8), p.scratch(4)
    p.store(length, struct.pack("<i", 8))
    await p.try_call("getsockopt", fd, SOL_PACKET, PACKET_STATISTICS, value, length)
    received, dropped = struct.unpack("<II", p.memory(value, 8))
    for count, what in ((seen, "captured"), (received, "received by filter"), (dropped, "dropped by kernel")):
        p.complain(f"{count} packet{'s' if count != 1 else ''} {what}")


async def _loop(p: Process, options: Options, fd: int, device: str) -> int:
    room, name, length = p.buffer(ROOM), p.buffer(32), p.buffer(16)
    printer, stamps, seen = options.printer(), _Stamps(options.letters.count("t")), 0
    while not options.count or seen < options.count:
        p.store(length, struct.pack("<i", 20))
        got = await p.try_call("recvfrom", fd, room, ROOM, 0, name, length)
        if got == -EINTR:
            break
        if got < 0:
            raise SystemCallError(-got, "recvfrom")
        if device == "lo" and p.memory(name, 20)[10] == PACKET_OUTGOING:  # each is seen twice there
            continue
        frame = p.memory(room, got)
        found = printer.describe(frame)
        if found is None or not options.filter.wants(found):
            continue
        seen += 1
        number = f"{seen:5}  " if "#" in options.letters else ""
        p.print(number + await stamps.next(p) + found.text + _dumped(frame, options.letters))
    return seen


def _dumped(frame: bytes, letters: str) -> str:
    for letter in "xX":
        if letter in letters:
            data = frame if letters.count(letter) > 1 else frame[LINK_HEADER:]
            return dump(data, letter == "X")
    if "A" in letters:
        data = frame if letters.count("A") > 1 else frame[LINK_HEADER:]
        text = data.replace(b"\r\n", b"\n")
        return "\n" + "".join(chr(byte) if 0x20 <= byte <= 0x7E or byte in b"\t\n" else "." for byte in text)
    return ""


class _Stamps:
    """The time in front of each line, as many -t as were given want it."""

    def __init__(self, kind: int) -> None:
        self.kind = kind
        self.last: int | None = None
        self.first: int | None = None

    async def next(self, p: Process) -> str:
        """The stamp of a frame that has come now."""
        if self.kind == 1:
            return ""
        buffer = p.scratch(16)
        await p.call("clock_gettime", CLOCK_REALTIME, buffer)
        seconds, nanoseconds = struct.unpack("<qq", p.memory(buffer, 16))
        if self.kind == 2:
            return f"{seconds}.{nanoseconds // 1000:06d} "
        now = seconds * 1_000_000_000 + nanoseconds
        shown = datetime.fromtimestamp(seconds, UTC)
        if self.kind in (3, 5):
            since = self.last if self.kind == 3 else self.first
            self.first = now if self.first is None else self.first
            self.last = now
            shown = datetime.fromtimestamp((now - (now if since is None else since)) // 1_000_000_000, UTC)
            nanoseconds = (now - (now if since is None else since)) % 1_000_000_000
            return f"{' ' if shown else ''}{shown:%H:%M:%S}.{nanoseconds // 1000:06d} "
        return f"{shown:%Y-%m-%d %H:%M:%S}"[0 if self.kind == 4 else 11 :] + f".{nanoseconds // 1000:06d} "
