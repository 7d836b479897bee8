"""nc, as OpenBSD's: both ends of TCP, UDP and AF_UNIX talks. At the prompt standard input is what -e or the words give."""

from __future__ import annotations

import re
import struct
from typing import TYPE_CHECKING, Final

from kshell.abi.errno import EINTR, EPIPE
from kshell.abi.poll import POLLIN
from kshell.abi.socket import AF_INET, AF_UNIX, SHUT_WR, SO_REUSEADDR, SOCK_DGRAM, SOCK_STREAM, SOL_SOCKET
from kshell.userland.addresses import from_sockaddr, ipv4, parse_ipv4, sockaddr_in
from kshell.userland.runtime import ProgramError, SystemCallError, raw

if TYPE_CHECKING:
    from kshell.userland.runtime import Process

ROOM: Final = 16384
_ESCAPE: Final = re.compile(rb"\\(n|r|t|0|\\|x[0-9a-fA-F]{2})")
_ESCAPED: Final = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"0": b"\0", b"\\": b"\\"}


def _unescaped(data: bytes) -> bytes:
    return _ESCAPE.sub(lambda found: _ESCAPED.get(found[1]) or bytes([int(found[1][1:], 16)]), data)


def _number(text: str, what: str, most: int = 65535) -> int:
    if not (text.isdecimal() and len(text) < 12 and int(text) <= most):
        raise ProgramError(f"{what} number invalid: {text}" if what == "port" else f"{what} invalid: {text}")
    return int(text)


class Options:
    """What the command line says; data: what there is to send."""

    def __init__(self, words: list[str]) -> None:
        self.listen = self.keep = self.udp = self.unix = self.verbose = self.zero = self.shut = self.echo = False
        self.source_port = 0
        self.timeout = -1
        self.data: bytes | None = None
        self.words: list[str] = []
        rest = list(words)
        while rest:
            word = rest.pop(0)
            if word == "<<<":
                self.data = _unescaped(raw(" ".join(rest))) + b"\n"
                rest = []
            elif word.startswith("-") and len(word) > 1:
                self._letters(word[1:], rest)
            else:
                self.words.append(word)

    def _letters(self, letters: str, rest: list[str]) -> None:
        names = {
            "l": "listen",
            "k": "keep",
            "u": "udp",
            "U": "unix",
            "v": "verbose",
            "z": "zero",
            "N": "shut",
            "c": "echo",
        }
        for letter in letters:
            if letter in "n4":
                continue
            if letter in "pw":
                if not rest:
                    raise ProgramError(f"option requires an argument -- '{letter}'")
                value = _number(rest.pop(0), "port" if letter == "p" else "timeout", 65535 if letter == "p" else 2**31 // 1000)
                self.source_port, self.timeout = (
                    (value, self.timeout) if letter == "p" else (self.source_port, value * 1000)
                )
            elif letter in names:
                setattr(self, names[letter], True)
            else:
                raise ProgramError(
                    f"invalid option -- '{letter}'\nusage: nc [-cklNuUvz] [-p port] [-w seconds] [host] [port] [<<< TEXT]"
                )

    @property
    def family(self) -> int:
        return AF_UNIX if self.unix else AF_INET

    @property
    def kind(self) -> int:
        return SOCK_DGRAM if self.udp else SOCK_STREAM


async def main_nc(p: Process, argv: list[str]) -> int:
    """nc [-l] [-u|-U] HOST PORT, nc -l PORT"""
    options = Options(argv[1:])
    return await (_serve(p, options) if options.listen else _connect(p, options))


def _sockaddr(options: Options, host: str, port: str) -> bytes:
    if options.unix:
        return struct.pack("<H", AF_UNIX) + raw(host) + b"\0"
    if not port.isdecimal():
        raise ProgramError(f'service "{port}" unknown')
    number = _number(port, "port")
    return sockaddr_in(parse_ipv4(host, f'getaddrinfo for host "{host}" port {port}: Name or service not known'), number)


# ---- the end that calls


async def _connect(p: Process, options: Options) -> int:
    host = options.words[0] if options.words else ""
    ports = options.words[1] if len(options.words) > 1 else ""
    if not host or (not ports and not options.unix):
        raise ProgramError("missing hostname and port")
    first, _, last = ports.partition("-")
    status = 1
    numbers = [first] if not last else [str(port) for port in range(_number(first, "port"), _number(last, "port") + 1)]
    for port in numbers:
        status &= await _try(p, options, host, port)
    return status


async def _try(p: Process, options: Options, host: str, port: str) -> int:
    fd = await p.call("socket", options.family, options.kind, 0, what="socket")
    try:
        if options.source_port:
            await p.call("bind", fd, sockaddr_in(0, options.source_port), 16, what="bind")
        if options.unix and options.udp:
            await p.call("bind", fd, struct.pack("<H", AF_UNIX) + b"\0nc." + str(p.pid).encode(), 6 + len(str(p.pid)))
        address = _sockaddr(options, host, port)
        result = await p.try_call("connect", fd, address, len(address))
        where = host if options.unix else f"{host} port {port} ({'udp' if options.udp else 'tcp'})"
        if result < 0:
            if options.verbose or not options.zero:
                p.complain(
                    f"nc: connect to {where} failed: {SystemCallError(-result)}"
                    if not options.unix
                    else f"nc: {host}: {SystemCallError(-result)}"
                )
            return 1
        if options.verbose:
            p.complain(f"Connection to {host} {port} port [{'udp' if options.udp else 'tcp'}/*] succeeded!")
        if not options.zero:
            await _talk(p, options, fd)
        return 0
    finally:
        await p.call("close", fd)


async def _talk(p: Process, options: Options, fd: int) -> None:
    """Send what there is, then print what comes until the other end closes."""
    if options.data is not None:
        await _write(p, fd, options.data)
    if options.shut or (options.data is None and not options.udp and not options.listen):
        await p.try_call("shutdown", fd, SHUT_WR)
    await _print_all(p, options, fd)


async def _write(p: Process, fd: int, data: bytes) -> None:
    at = 0
    while at < len(data):
        result = await p.try_call("sendto", fd, data[at:], len(data) - at, 0x4000, 0, 0)  # MSG_NOSIGNAL
        if result < 0:
            if -result in (EPIPE, EINTR):
                return
            raise SystemCallError(-result, "write")
        at += result


async def _print_all(p: Process, options: Options, fd: int) -> None:
    room = p.scratch(ROOM)
    while True:
        if options.timeout >= 0:
            waits = p.scratch(8)
            p.store(waits, struct.pack("<ihh", fd, POLLIN, 0))
            if await p.try_call("poll", waits, 1, options.timeout) <= 0:
                return
        got = await p.try_call("read", fd, room, ROOM)
        if got <= 0:
            if got < 0 and -got != EINTR:
                p.complain(f"nc: read: {SystemCallError(-got)}")
            return
        data = p.memory(room, got)
        p.print(data.decode("utf-8", "backslashreplace"), end="")
        if options.echo:
            await _write(p, fd, data)


# ---- the end that is called


async def _serve(p: Process, options: Options) -> int:
    words = options.words
    if options.unix:
        host, port = (words[0] if words else ""), ""
    else:
        host, port = (
            (words[0], words[1]) if len(words) > 1 else ("0.0.0.0", words[0] if words else str(options.source_port))
        )
    if not host or (not options.unix and port == "0"):
        raise ProgramError("nc -l wants a port")
    fd = await p.call("socket", options.family, options.kind, 0, what="socket")
    if not options.unix:
        await p.call("setsockopt", fd, SOL_SOCKET, SO_REUSEADDR, struct.pack("<i", 1), 4)
    address = _sockaddr(options, host, port)
    await p.call("bind", fd, address, len(address), what="bind failed" if not options.unix else f"bind failed: {host}")
    if options.udp:
        return await _serve_datagrams(p, options, fd)
    await p.call("listen", fd, 1, what="listen")
    if options.verbose:
        p.complain(f"Listening on {host}" + ("" if options.unix else f" {port}"))
    while True:
        await _accept(p, options, fd)
        if not options.keep:
            break
    await p.call("close", fd)
    if options.unix:
        await p.try_call("unlink", host)
    return 0


async def _accept(p: Process, options: Options, fd: int) -> None:
    name, length = p.scratch(128), p.scratch(4)
    p.store(length, struct.pack("<i", 128))
    connection = await p.try_call("accept4", fd, name, length, 0)
    if connection < 0:
        raise ProgramError("" if -connection == EINTR else f"accept: {SystemCallError(-connection)}", 1)
    if options.verbose and not options.unix:
        address, port = from_sockaddr(p.memory(name, 16))
        p.complain(f"Connection received on {ipv4(address)} {port}")
    await _talk(p, options, connection)
    await p.call("close", connection)


async def _serve_datagrams(p: Process, options: Options, fd: int) -> int:
    """Wait for the first datagram, then talk with whoever sent it."""
    room, name, length = p.scratch(ROOM), p.scratch(128), p.scratch(4)
    while True:
        p.store(length, struct.pack("<i", 128))
        got = await p.try_call("recvfrom", fd, room, ROOM, 0, name, length)
        if got < 0:
            return 0 if -got == EINTR else 1
        data = p.memory(room, got)
        p.print(data.decode("utf-8", "backslashreplace"), end="")
        peer = p.memory(name, 128)[: int.from_bytes(p.memory(length, 4), "little")]
        if options.echo:
            await p.try_call("sendto", fd, data, got, 0, peer, len(peer))
        if not options.keep and peer:
            await p.call("connect", fd, peer, len(peer), what="connect")
            await _talk(p, options, fd)
            return 0
