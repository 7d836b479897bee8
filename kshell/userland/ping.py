"""ping, as in iputils: echo requests by a raw or a ping socket."""

from __future__ import annotations

import math
import struct
from typing import TYPE_CHECKING, Final

from kshell.abi.errno import EACCES, EAGAIN, EINTR, EPERM
from kshell.abi.inet import IPPROTO_ICMP
from kshell.abi.socket import AF_INET, SO_RCVTIMEO, SOCK_DGRAM, SOCK_RAW, SOL_SOCKET
from kshell.abi.time import CLOCK_MONOTONIC
from kshell.userland.addresses import from_sockaddr, ipv4, parse_ipv4, sockaddr_in
from kshell.userland.runtime import ProgramError, SystemCallError

if TYPE_CHECKING:
    from kshell.userland.runtime import Process

ECHO, ECHOREPLY, UNREACH, TIME_EXCEEDED = 8, 0, 3, 11
SOL_RAW, ICMP_FILTER, SOL_IP, IP_TTL, IP_RECVERR = 255, 1, 0, 2, 11
ROOM: Final = 65536
_UNREACHABLE: Final = {
    0: "Destination Net Unreachable", 1: "Destination Host Unreachable", 2: "Destination Protocol Unreachable",
    3: "Destination Port Unreachable", 4: "Frag needed and DF set", 13: "Packet filtered",
}  # fmt: skip


class Options:
    """What the command line says."""

    def __init__(self, words: list[str]) -> None:
        self.count = 0
        self.interval = self.timeout = 1.0
        self.deadline = 0.0
        self.size = 56
        self.ttl = 0
        self.quiet = False
        self.target = ""
        rest = list(words)
        while rest:
            word = rest.pop(0)
            if word in ("-c", "-i", "-W", "-w", "-s", "-t"):
                self._value(word, rest)
            elif word == "-q":
                self.quiet = True
            elif word in ("-n", "-4"):
                continue
            elif word.startswith("-"):
                raise ProgramError(f"invalid option -- '{word.lstrip('-')}'", 2)
            else:
                self.target = word
        if not self.target:
            raise ProgramError("usage error: Destination address required", 1)

    def _value(self, word: str, rest: list[str]) -> None:
        if not rest:
            raise ProgramError(f"option requires an argument -- '{word[1]}'", 2)
        given = rest.pop(0)
        try:
            number = float(given)
        except ValueError:
            raise ProgramError(f"invalid argument: '{given}'", 1) from None
        name, least, most = _VALUES[word]
        if not least <= number <= most:
            raise ProgramError(f"invalid argument: '{given}': out of range: {least} <= value <= {most}", 1)
        setattr(self, name, number if word in ("-i", "-W", "-w") else int(number))


#: option: attribute, least and most
_VALUES: Final = {
    "-c": ("count", 1, 2**31 - 1), "-i": ("interval", 0, 2**21), "-W": ("timeout", 0, 2**21),
    "-w": ("deadline", 0, 2**21), "-s": ("size", 0, 65507), "-t": ("ttl", 0, 255),
}  # fmt: skip


class _Run:
    """One run: the socket and what came of it."""

    def __init__(self, p: Process, options: Options, fd: int, raw: bool) -> None:
        self.p = p
        self.o = options
        self.fd = fd
        self.raw = raw
        self.target = parse_ipv4(options.target, f"{options.target}: Name or service not known")
        self.room = p.buffer(ROOM)
        self.name = p.buffer(16)
        self.length = p.buffer(16)
        self.sent = self.received = self.errors = 0
        self.times: list[float] = []
        self.sent_at: dict[int, int] = {}
        self.stopped = False

    async def now(self) -> int:
        """Nanoseconds of the monotonic clock."""
        buffer = self.p.scratch(16)
        await self.p.call("clock_gettime", CLOCK_MONOTONIC, buffer)
        seconds, nanoseconds = struct.unpack("<qq", self.p.memory(buffer, 16))
        return int(seconds * 1_000_000_000 + nanoseconds)


async def main_ping(p: Process, argv: list[str]) -> int:
    """ping [-c COUNT] [-i SECONDS] [-W SECONDS] [-w SECONDS] [-s SIZE] [-t TTL] [-q] ADDRESS"""
    options = Options(argv[1:])
    fd, raw = await _socket(p)
    run = _Run(p, options, fd, raw)
    if raw:
        wanted = ~(1 << ECHOREPLY | 1 << UNREACH | 1 << 4 | 1 << 5 | 1 << TIME_EXCEEDED | 1 << 12) & 0xFFFFFFFF
        await p.call("setsockopt", fd, SOL_RAW, ICMP_FILTER, struct.pack("<I", wanted), 4)
    if options.ttl:
        await p.call(
            "setsockopt", fd, SOL_IP, IP_TTL, struct.pack("<i", options.ttl), 4, what="cannot set unicast time-to-live"
        )
    source = await _source(p, run.target)
    p.print(f"PING {options.target} ({ipv4(run.target)}) {options.size}({options.size + 28}) bytes of data.")
    begin = await run.now()
    await _loop(run, begin)
    await _summary(run, begin)
    await p.call("close", fd)
    del source
    return 0 if run.received else 1


async def _socket(p: Process) -> tuple[int, bool]:
    """A ping socket where the group may, a raw one otherwise."""
    fd = await p.try_call("socket", AF_INET, SOCK_DGRAM, IPPROTO_ICMP)
    if fd >= 0:
        return fd, False
    if -fd not in (EACCES, EPERM):
        raise SystemCallError(-fd, "socket")
    return await p.call("socket", AF_INET, SOCK_RAW, IPPROTO_ICMP, what="socktype: SOCK_RAW\nping: socket"), True


async def _source(p: Process, target: int) -> int:
    """Which of our addresses the requests will have: connect() a UDP socket and ask."""
    fd = await p.call("socket", AF_INET, SOCK_DGRAM, 0)
    try:
        await p.call("connect", fd, sockaddr_in(target, 1025), 16, what="connect")
        name, length = p.scratch(16), p.buffer(4)
        p.store(length, struct.pack("<i", 16))
        await p.call("getsockname", fd, name, length)
        return from_sockaddr(p.memory(name, 16))[0]
    finally:
        await p.call("close", fd)


async def _loop(run: _Run, begin: int) -> None:
    o = run.o
    following = begin
    while not run.stopped and (not o.count or run.sent < o.count):
        await _send(run)
        following += round(o.interval * 1e9)
        last = bool(o.count) and run.sent == o.count
        until = (
            following
            if not last
            else await run.now() + round((o.timeout if not run.received else 2 * max(run.times) / 1000 + 0.001) * 1e9)
        )
        if last and not run.received:
            until = await run.now() + round(o.timeout * 1e9)
        await _listen(run, until, last)
        if o.deadline and await run.now() - begin >= o.deadline * 1e9:
            return


async def _send(run: _Run) -> None:
    run.sent += 1
    seq = run.sent & 0xFFFF
    at = await run.now()
    run.sent_at[seq] = at
    stamp = struct.pack("<qq", at // 1_000_000_000, at % 1_000_000_000 // 1000)
    data = (stamp + bytes(value & 0xFF for value in range(16, run.o.size)))[: run.o.size]
    header = struct.pack(">BBHHH", ECHO, 0, 0, run.p.pid & 0xFFFF, seq)
    packet = header[:2] + _checksum(header + data).to_bytes(2, "big") + header[4:] + data
    result = await run.p.try_call("sendto", run.fd, packet, len(packet), 0, sockaddr_in(run.target), 16)
    if result < 0:
        run.p.complain(f"ping: sendmsg: {SystemCallError(-result)}")


def _checksum(data: bytes) -> int:
    if len(data) % 2:
        data += b"\0"
    total: int = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


async def _listen(run: _Run, until: int, last: bool) -> None:
    """Take replies until it is time for the next request; after the last one until all are there."""
    p = run.p
    while True:
        left = until - await run.now()
        if left <= 0 or (last and run.received + run.errors >= run.sent):
            return
        microseconds = max(1, -(-left // 1000))
        timeout = struct.pack("<qq", microseconds // 1_000_000, microseconds % 1_000_000)
        await p.call("setsockopt", run.fd, SOL_SOCKET, SO_RCVTIMEO, timeout, 16)
        p.store(run.length, struct.pack("<i", 16))
        got = await p.try_call("recvfrom", run.fd, run.room, ROOM, 0, run.name, run.length)
        if got == -EINTR:
            run.stopped = True
            return
        if got == -EAGAIN:
            continue
        if got < 0:
            run.errors += 1
            p.complain(f"ping: recvmsg: {SystemCallError(-got)}")
            continue
        await _reply(run, p.memory(run.room, got), from_sockaddr(p.memory(run.name, 16))[0])


async def _reply(run: _Run, packet: bytes, source: int) -> None:
    ttl = packet[8] if run.raw else 0
    icmp = packet[(packet[0] & 15) * 4 :] if run.raw else packet
    if len(icmp) < 8:
        return
    kind, code, _, ident, seq = struct.unpack_from(">BBHHH", icmp)
    if kind == ECHOREPLY:
        if run.raw and ident != run.p.pid & 0xFFFF:
            return
        _told(run, len(icmp), source, seq, ttl, await run.now())
    elif kind in (UNREACH, TIME_EXCEEDED) and run.raw:
        inner = icmp[8:]
        _, _, _, ident, seq = struct.unpack_from(">BBHHH", inner, (inner[0] & 15) * 4)
        if ident == run.p.pid & 0xFFFF:
            run.errors += 1
            text = (
                _UNREACHABLE.get(code, f"Dest Unreachable, Bad Code: {code}")
                if kind == UNREACH
                else "Time to live exceeded"
            )
            run.p.print(f"From {ipv4(source)} icmp_seq={seq} {text}")


def _told(run: _Run, size: int, source: int, seq: int, ttl: int, now: int) -> None:
    run.received += 1
    took = (now - run.sent_at.get(seq, now)) / 1e6
    run.times.append(took)
    if not run.o.quiet:
        ttl_text = f" ttl={ttl}" if run.raw else ""
        run.p.print(f"{size} bytes from {ipv4(source)}: icmp_seq={seq}{ttl_text} time={_ms(took)} ms")


def _ms(value: float) -> str:
    """Three digits that count, as ping has them."""
    return (
        f"{value:.0f}"
        if value >= 100
        else f"{value:.1f}"
        if value >= 10
        else f"{value:.2f}"
        if value >= 1
        else f"{value:.3f}"
    )


async def _summary(run: _Run, begin: int) -> None:
    p = run.p
    p.print()
    p.print(f"--- {run.o.target} ping statistics ---")
    loss = 100 * (run.sent - run.received) / run.sent if run.sent else 0
    errors = f"+{run.errors} errors, " if run.errors else ""
    took = (max([begin, *run.sent_at.values()]) - begin) // 1_000_000
    p.print(f"{run.sent} packets transmitted, {run.received} received, {errors}{loss:g}% packet loss, time {took}ms")
    if run.times:
        average = sum(run.times) / len(run.times)
        deviation = math.sqrt(max(0.0, sum(t * t for t in run.times) / len(run.times) - average**2))
        p.print(f"rtt min/avg/max/mdev = {min(run.times):.3f}/{average:.3f}/{max(run.times):.3f}/{deviation:.3f} ms")
