"""ping, as in iputils: echo requests by a raw or a ping socket."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from kshell.abi.errno import EACCES, EAGAIN, EINTR, EMSGSIZE, EPERM
from kshell.abi.inet import IPPROTO_ICMP
from kshell.abi.socket import (
    AF_INET,
    SO_BINDTODEVICE,
    SO_BROADCAST,
    SO_MARK,
    SO_RCVTIMEO,
    SOCK_DGRAM,
    SOCK_RAW,
    SOL_SOCKET,
)
from kshell.abi.time import CLOCK_MONOTONIC, CLOCK_REALTIME
from kshell.userland import names
from kshell.userland.addresses import from_sockaddr, ipv4, sockaddr_in
from kshell.userland.ping_options import Options
from kshell.userland.runtime import ProgramError, SystemCallError

if TYPE_CHECKING:
    from kshell.userland.runtime import Process

ECHO, ECHOREPLY, UNREACH, TIME_EXCEEDED = 8, 0, 3, 11
SOL_RAW, ICMP_FILTER, SOL_IP = 255, 1, 0
IP_TOS, IP_TTL, IP_MTU_DISCOVER, IP_MTU = 1, 2, 10, 14
ROOM: Final = 65536
STAMP: Final = 16
MS: Final = 1_000_000
_UNREACHABLE: Final = {
    0: "Destination Net Unreachable", 1: "Destination Host Unreachable", 2: "Destination Protocol Unreachable",
    3: "Destination Port Unreachable", 5: "Source Route Failed", 6: "Destination Net Unknown",
    7: "Destination Host Unknown", 8: "Source Host Isolated", 9: "Destination Net Prohibited",
    10: "Destination Host Prohibited", 11: "Destination Net Unreachable for Type of Service",
    12: "Destination Host Unreachable for Type of Service", 13: "Packet filtered", 14: "Precedence Violation",
    15: "Precedence Cutoff",
}  # fmt: skip
_EXCEEDED: Final = {0: "Time to live exceeded", 1: "Frag reassembly time exceeded"}


class _Run:
    """One run: the socket and what came of it. Times are nanoseconds."""

    def __init__(self, p: Process, options: Options, fd: int, raw: bool) -> None:
        self.p = p
        self.o = options
        self.fd = fd
        self.raw = raw
        self.target = 0
        self.source = 0
        self.room = p.buffer(ROOM)
        self.name = p.buffer(16)
        self.length = p.buffer(16)
        self.sent = self.received = self.errors = 0
        self.pipe = 0
        self.times: list[int] = []
        self.sent_at: dict[int, int] = {}
        self.answered: set[int] = set()
        self.stopped = False

    async def now(self) -> int:
        """The monotonic clock."""
        return await self.clock(CLOCK_MONOTONIC)

    async def clock(self, clock: int) -> int:
        """One of the clocks."""
        buffer = self.p.scratch(16)
        await self.p.call("clock_gettime", clock, buffer)
        seconds, nanoseconds = struct.unpack("<qq", self.p.memory(buffer, 16))
        return int(seconds * 1_000_000_000 + nanoseconds)

    @property
    def done(self) -> bool:
        """Whether there is nothing to wait for."""
        if self.stopped or (self.o.deadline and self.errors):
            return True
        return bool(self.o.count) and self.received + self.errors >= self.o.count

    def acknowledge(self, seq: int) -> None:
        """Something has come for a request: how many are on their way at once."""
        self.answered.add(seq)
        behind = (self.sent - seq) & 0xFFFF
        if behind <= 0x7FFF:
            self.pipe = max(self.pipe, behind + 1)


async def main_ping(p: Process, argv: list[str]) -> int:
    """ping [-c COUNT] [-i SECONDS] [-W SECONDS] [-w SECONDS] [-s SIZE] [-t TTL] [-M do|want|dont] [-I SOURCE] ... ADDRESS"""
    options = Options(argv)
    fd, raw = await _socket(p)
    run = _Run(p, options, fd, raw)
    run.target = _resolve(options.target)
    await _find_source(run)
    await _set_up(run)
    if options.pattern:
        p.print(f"PATTERN: 0x{options.pattern.hex()}")
    name = f"{options.target} ({ipv4(run.target)})"
    from_one = options.device or options.strict or options.bound is not None
    origin = f"from {ipv4(run.source)} {options.device}: " if from_one else ""
    p.print(f"PING {name} {origin}{options.size}({options.size + 28}) bytes of data.")
    begin = await run.now()
    await _loop(run, begin)
    _summary(run, begin)
    await p.call("close", fd)
    return 1 if not run.received or (options.deadline and run.received < options.count) else 0


def _resolve(target: str) -> int:
    try:
        return names.address_of(target, f"{target}: Name or service not known")
    except ProgramError as error:
        raise ProgramError(str(error), 2) from None


async def _socket(p: Process) -> tuple[int, bool]:
    """A ping socket where the group may, a raw one otherwise."""
    fd = await p.try_call("socket", AF_INET, SOCK_DGRAM, IPPROTO_ICMP)
    if fd >= 0:
        return fd, False
    if -fd not in (EACCES, EPERM):
        raise SystemCallError(-fd, "socket")
    return await p.call("socket", AF_INET, SOCK_RAW, IPPROTO_ICMP, what="socktype: SOCK_RAW\nping: socket"), True


async def _find_source(run: _Run) -> None:
    """Which of our addresses the requests will have: connect() a UDP socket and ask."""
    p, o = run.p, run.o
    fd = await p.call("socket", AF_INET, SOCK_DGRAM, 0)
    try:
        if o.device:
            await _option(p, fd, SOL_SOCKET, SO_BINDTODEVICE, o.device.encode() + b"\0", f"SO_BINDTODEVICE {o.device}")
        if o.bound is not None:
            await _bind(p, run.fd, o.bound)
        result = await p.try_call("connect", fd, sockaddr_in(run.target, 1025), 16)
        if -result == EACCES and not o.broadcast:
            raise ProgramError("Do you want to ping broadcast? Then -b. If not, check your local firewall rules", 2)
        if -result == EACCES:
            p.complain("WARNING: pinging broadcast address")
            await _option(p, fd, SOL_SOCKET, SO_BROADCAST, _int(1), "can't set broadcasting")
            result = await p.try_call("connect", fd, sockaddr_in(run.target, 1025), 16)
        if result < 0:
            raise ProgramError(str(SystemCallError(-result, "connect")), 2)
        name, length = p.scratch(16), p.buffer(4)
        p.store(length, _int(16))
        await p.call("getsockname", fd, name, length)
        run.source = from_sockaddr(p.memory(name, 16))[0] if o.bound is None else o.bound
        run.target = run.target or run.source
    finally:
        await p.call("close", fd)


async def _bind(p: Process, fd: int, address: int) -> None:
    result = await p.try_call("bind", fd, sockaddr_in(address), 16)
    if result < 0:
        raise ProgramError(str(SystemCallError(-result, "bind")), 2)


def _int(value: int) -> bytes:
    return struct.pack("<I", value & 0xFFFFFFFF)


async def _option(p: Process, fd: int, level: int, option: int, value: bytes, what: str) -> None:
    result = await p.try_call("setsockopt", fd, level, option, value, len(value))
    if result < 0:
        raise ProgramError(str(SystemCallError(-result, what)), 2)


async def _set_up(run: _Run) -> None:
    p, o, fd = run.p, run.o, run.fd
    if run.raw:
        wanted = ~(1 << ECHOREPLY | 1 << UNREACH | 1 << 4 | 1 << 5 | 1 << TIME_EXCEEDED | 1 << 12) & 0xFFFFFFFF
        await p.call("setsockopt", fd, SOL_RAW, ICMP_FILTER, struct.pack("<I", wanted), 4)
    if o.device:
        await _option(p, fd, SOL_SOCKET, SO_BINDTODEVICE, o.device.encode() + b"\0", "SO_BINDTODEVICE")
    if o.broadcast:
        await _option(p, fd, SOL_SOCKET, SO_BROADCAST, _int(1), "can't set broadcasting")
    if o.mark is not None:
        await _option(p, fd, SOL_SOCKET, SO_MARK, _int(o.mark), "WARNING: failed to set mark")
    if o.discovery is not None:
        await _option(p, fd, SOL_IP, IP_MTU_DISCOVER, _int(o.discovery), "IP_MTU_DISCOVER")
    if o.tos is not None:
        await _option(p, fd, SOL_IP, IP_TOS, _int(o.tos), "error setting QOS sockopts")
    if o.ttl is not None:
        await _option(p, fd, SOL_IP, IP_TTL, _int(o.ttl), "cannot set unicast time-to-live")


# ---- sending


class _Pace:
    """When requests may go: a token for each interval, as many kept as are sent ahead."""

    def __init__(self, run: _Run) -> None:
        self.run = run
        self.interval = round(run.o.interval * 1e9)
        self.tokens = self.interval * (run.o.preload - 1)
        self.last = -1

    async def send(self) -> int:
        """Send if it is time; how long to wait for the next one (ns)."""
        run, now = self.run, await self.run.now()
        if run.o.count and run.sent >= run.o.count and not run.o.deadline:
            return 1_000 * MS
        if self.last < 0:
            self.last = now
        else:
            tokens = min(now - self.last + self.tokens, self.interval * run.o.preload)
            if tokens < self.interval:
                return self.interval - tokens
            self.last, self.tokens = now, tokens - self.interval
        if run.o.outstanding and run.sent and run.sent & 0xFFFF not in run.answered:
            run.p.print(f"{await _time_of_day(run)}no answer yet for icmp_seq={run.sent & 0xFFFF}")
        if await _send(run):
            return self.interval - self.tokens
        self.tokens = 0
        return self.interval


async def _send(run: _Run) -> bool:
    p, o = run.p, run.o
    run.sent += 1
    seq, at = run.sent & 0xFFFF, await run.now()
    run.sent_at[seq] = at
    filler = o.pattern or bytes(range(256))
    data = struct.pack("<qq", at // 1_000_000_000, at % 1_000_000_000 // 1000) if o.size >= STAMP else b""
    begin = len(data) if not o.pattern else 0
    data += bytes(filler[(begin + index) % len(filler)] for index in range(o.size - len(data)))
    ident = o.ident if o.ident is not None else p.pid & 0xFFFF
    header = struct.pack(">BBHHH", ECHO, 0, 0, ident, seq)
    packet = header[:2] + _checksum(header + data).to_bytes(2, "big") + header[4:] + data
    result = await p.try_call("sendto", run.fd, packet, len(packet), 0, sockaddr_in(run.target), 16)
    if result >= 0:
        return True
    if -result == EMSGSIZE and o.discovery is not None:
        run.errors += 1
        p.complain(f"ping: local error: message too long, mtu={await _mtu(run)}")
    elif not o.quiet:
        p.complain(f"ping: sendmsg: {SystemCallError(-result)}")
    return False


async def _mtu(run: _Run) -> int:
    """The path's, which a connected socket knows."""
    p = run.p
    fd = await p.call("socket", AF_INET, SOCK_DGRAM, 0)
    await p.try_call("connect", fd, sockaddr_in(run.target, 1025), 16)
    value, length = p.scratch(8), p.buffer(4)
    p.store(length, _int(4))
    await p.try_call("getsockopt", fd, SOL_IP, IP_MTU, value, length)
    await p.call("close", fd)
    return int.from_bytes(p.memory(value, 4), "little")


def _checksum(data: bytes) -> int:
    if len(data) % 2:
        data += b"\0"
    total: int = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


# ---- waiting


async def _loop(run: _Run, begin: int) -> None:
    pace, o = _Pace(run), run.o
    end = begin + round(o.deadline * 1e9) if o.deadline else None
    while not run.done and (end is None or await run.now() < end):
        while (wait := await pace.send()) <= 0:
            pass
        now = await run.now()
        if end is None and o.count and run.sent >= o.count:
            last = max(2 * max(run.times), round(o.interval * 1e9)) if run.times else round(o.timeout * 1e9)
            end = now + last
        if not run.done:
            await _listen(run, now + wait if end is None else min(now + wait, end))


async def _listen(run: _Run, until: int) -> None:
    """Take the next thing that comes until it is time."""
    p = run.p
    left = until - await run.now()
    if left <= 0:
        return
    microseconds = max(1, -(-left // 1000))
    timeout = struct.pack("<qq", microseconds // 1_000_000, microseconds % 1_000_000)
    await p.call("setsockopt", run.fd, SOL_SOCKET, SO_RCVTIMEO, timeout, 16)
    p.store(run.length, _int(16))
    got = await p.try_call("recvfrom", run.fd, run.room, ROOM, 0, run.name, run.length)
    if got == -EINTR:
        run.stopped = True
    elif got >= 0:
        await _reply(run, p.memory(run.room, got), from_sockaddr(p.memory(run.name, 16))[0])
    elif got != -EAGAIN:
        run.errors += 1
        p.complain(f"ping: recvmsg: {SystemCallError(-got)}")


async def _reply(run: _Run, packet: bytes, source: int) -> None:
    ttl = packet[8] if run.raw else 0
    icmp = packet[(packet[0] & 15) * 4 :] if run.raw else packet
    if len(icmp) < 8:
        return
    own = run.o.ident if run.o.ident is not None else run.p.pid & 0xFFFF
    kind, _, _, ident, seq = struct.unpack_from(">BBHHH", icmp)
    if kind == ECHOREPLY:
        if not run.raw or ident == own:
            await _told(run, len(icmp), source, seq, ttl, ident)
    elif kind in (UNREACH, TIME_EXCEEDED) and run.raw:
        inner = icmp[8:]
        _, _, _, ident, seq = struct.unpack_from(">BBHHH", inner, (inner[0] & 15) * 4)
        if ident == own:
            run.errors += 1
            run.acknowledge(seq)
            if not run.o.quiet:
                await _error(run, icmp, source, seq)


async def _error(run: _Run, icmp: bytes, source: int, seq: int) -> None:
    kind, code, _, _, mtu = struct.unpack_from(">BBHHH", icmp)
    if kind == TIME_EXCEEDED:
        text = _EXCEEDED.get(code, f"Time exceeded, Bad Code: {code}")
    elif code == 4:
        text = f"Frag needed and DF set (mtu = {mtu})"
    else:
        text = _UNREACHABLE.get(code, f"Dest Unreachable, Bad Code: {code}")
    run.p.print(f"{await _time_of_day(run)}From {_host(run, source)} icmp_seq={seq} {text}")


def _host(run: _Run, address: int) -> str:
    """With its name, if names are used."""
    name = names.host(address)
    return ipv4(address) if run.o.numeric or name == ipv4(address) else f"{name} ({ipv4(address)})"


async def _time_of_day(run: _Run) -> str:
    if not run.o.stamps:
        return ""
    seconds, rest = divmod(await run.clock(CLOCK_REALTIME), 1_000_000_000)
    return f"[{seconds}.{rest // 1000:06d}] "


async def _told(run: _Run, size: int, source: int, seq: int, ttl: int, ident: int) -> None:
    run.received += 1
    run.acknowledge(seq)
    now = await run.now()
    took = now - run.sent_at.get(seq, now)
    timed = run.o.size >= STAMP
    if timed:
        run.times.append(took)
    if run.o.quiet:
        return
    line = f"{await _time_of_day(run)}{size} bytes from {_host(run, source)}: icmp_seq={seq}"
    line += f" ident={ident}" if run.o.verbose else ""
    line += f" ttl={ttl}" if run.raw else ""
    run.p.print(line + (f" time={_ms(took / 1e6)} ms" if timed else ""))


def _ms(value: float) -> str:
    """Three digits that count, as ping has them."""
    digits = 0 if value >= 100 else 1 if value >= 10 else 2 if value >= 1 else 3
    return f"{value:.{digits}f}"


def _summary(run: _Run, begin: int) -> None:
    p = run.p
    p.print(f"\n--- {run.o.target} ping statistics ---")
    loss = 100 * (run.sent - run.received) / run.sent if run.sent else 0
    errors = f"+{run.errors} errors, " if run.errors else ""
    took = (max([begin, *run.sent_at.values()]) - begin) // MS
    p.print(f"{run.sent} packets transmitted, {run.received} received, {errors}{loss:g}% packet loss, time {took}ms")
    words = []
    if run.times:
        times = [time / 1e6 for time in run.times]
        average = sum(times) / len(times)
        deviation = max(0.0, sum(time * time for time in times) / len(times) - average**2) ** 0.5
        words.append(f"rtt min/avg/max/mdev = {min(times):.3f}/{average:.3f}/{max(times):.3f}/{deviation:.3f} ms")
    words += [f"pipe {run.pipe}"] if run.pipe > 1 else []
    p.print(", ".join(words))
