"""nc, as OpenBSD's: both ends of TCP, UDP and AF_UNIX talks. At the prompt standard input is what -e or the words give."""

from __future__ import annotations

import re
import struct
from typing import TYPE_CHECKING, Final

from kshell.abi.errno import EINTR, EPIPE
from kshell.abi.poll import POLLIN
from kshell.abi.socket import AF_INET, AF_UNIX, SHUT_WR, SO_REUSEADDR, SOCK_DGRAM, SOCK_STREAM, SOL_SOCKET
from kshell.userland.addresses import from_sockaddr, ipv4, sockaddr_in
from kshell.userland.names import address_of, port_of, service
from kshell.userland.runtime import ProgramError, SystemCallError, UsageError, raw

if TYPE_CHECKING:
    from kshell.userland.runtime import Process

ROOM: Final = 16384
_ESCAPE: Final = re.compile(rb"\\(n|r|t|0|\\|x[0-9a-fA-F]{2})")
_ESCAPED: Final = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"0": b"\0", b"\\": b"\\"}


def _unescaped(data: bytes) -> bytes:
    return _ESCAPE.sub(lambda found: _ESCAPED.get(found[1]) or bytes([int(found[1][1:], 16)]), data)


def _number(text: str, what: str, least: int = 0, most: int = 65535) -> int:
    """A number between two others, in the words of strtonum(). ProgramError."""
    digits = text.removeprefix("-")
    if not digits.isdecimal():
        raise ProgramError(f"{what} invalid: {text}")
    if text.startswith("-") or (len(digits) < 12 and int(digits) < least):
        raise ProgramError(f"{what} too small: {text}")
    if len(digits) > 11 or int(digits) > most:
        raise ProgramError(f"{what} too large: {text}")
    return int(digits)


def _port(text: str, options: Options) -> int:
    """The number of a port given by number or name. ProgramError."""
    named = None if text.isdecimal() else port_of(text, "udp" if options.udp else "tcp")
    return _number(text, "port number", 1) if named is None else named


USAGE: Final = "usage: nc [-cklNnuUvz] [-p port] [-s address] [-w seconds] [host] [port] [<<< TEXT]"


class Options:
    """What the command line says; data: what there is to send."""

    def __init__(self, words: list[str]) -> None:
        self.listen = self.keep = self.udp = self.unix = self.verbose = self.zero = self.shut = self.echo = False
        self.numeric = False
        self.source_port = self.source = 0
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
            "n": "numeric",
        }
        for at, letter in enumerate(letters):
            if letter in "psw":
                given = letters[at + 1 :] or (rest.pop(0) if rest else None)
                if given is None:
                    raise ProgramError(f"option requires an argument -- '{letter}'\n{USAGE}")
                self._value(letter, given)
                return
            if letter in names:
                setattr(self, names[letter], True)
            elif letter != "4":
                raise ProgramError(f"invalid option -- '{letter}'\n{USAGE}")

    def _value(self, letter: str, given: str) -> None:
        if letter == "p":
            self.source_port = _port(given, self)
        elif letter == "s":
            self.source = address_of(given, f"getaddrinfo: {given}: Name or service not known")
        else:
            self.timeout = _number(given, "timeout", 0, 2**31 // 1000) * 1000

    @property
    def family(self) -> int:
        return AF_UNIX if self.unix else AF_INET

    @property
    def kind(self) -> int:
        return SOCK_DGRAM if self.udp else SOCK_STREAM


async def main_nc(p: Process, argv: list[str]) -> int:
    """nc [-l] [-u|-U] HOST PORT, nc -l PORT"""
    options = Options(argv[1:])
    if not options.words and not options.listen:
        raise UsageError(USAGE)
    if options.listen and options.zero:
        raise ProgramError("cannot use -z and -l")
    return await (_serve(p, options) if options.listen else _connect(p, options))


def _sockaddr(options: Options, host: str, port: str) -> bytes:
    if options.unix:
        return struct.pack("<H", AF_UNIX) + raw(host) + b"\0"
    number = _port(port, options)
    return sockaddr_in(
        address_of(host, f'getaddrinfo for host "{host}" port {port}: Name or service not known'), number
    )


# ---- the end that calls


async def _connect(p: Process, options: Options) -> int:
    host = options.words[0]
    ports = options.words[1] if len(options.words) > 1 else ""
    if not ports and not options.unix:
        raise ProgramError("missing port number")
    first, _, last = ports.partition("-")
    status, numbers = 1, [ports]
    if last and first.isdecimal():
        numbers = [str(port) for port in range(_port(first, options), _port(last, options) + 1)]
    for port in numbers:
        status &= await _try(p, options, host, port)
    return status


async def _try(p: Process, options: Options, host: str, port: str) -> int:
    fd = await p.call("socket", options.family, options.kind, 0, what="socket")
    try:
        if options.source_port or options.source:
            await p.call("bind", fd, sockaddr_in(options.source, options.source_port), 16, what="bind failed")
        if options.unix and options.udp:
            await p.call("bind", fd, struct.pack("<H", AF_UNIX) + b"\0nc." + str(p.pid).encode(), 6 + len(str(p.pid)))
        address = _sockaddr(options, host, port)
        result = await p.try_call("connect", fd, address, len(address))
        if result < 0:
            if options.verbose or not options.zero or options.unix:
                p.complain(f"nc: {_failed(options, host, address)}: {SystemCallError(-result)}")
            return 1
        if options.verbose and not options.unix:
            p.complain(f"Connection to {_reached(options, host, address)} succeeded!")
        if not options.zero:
            await _talk(p, options, fd)
        return 0
    finally:
        await p.call("close", fd)


def _failed(options: Options, host: str, address: bytes) -> str:
    if options.unix:
        return host
    return f"connect to {_named(host, address)} port {from_sockaddr(address)[1]} ({'udp' if options.udp else 'tcp'}) failed"


def _reached(options: Options, host: str, address: bytes) -> str:
    number, kind = from_sockaddr(address)[1], "udp" if options.udp else "tcp"
    name = service(number, kind)
    return f"{_named(host, address)} {number} port [{kind}/{'*' if options.numeric or name.isdecimal() else name}]"


def _named(host: str, address: bytes) -> str:
    """A host, with its address behind its name."""
    number = ipv4(from_sockaddr(address)[0])
    return host if host == number else f"{host} ({number})"


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
        raise ProgramError("missing socket pathname" if options.unix else "missing port number")
    fd = await p.call("socket", options.family, options.kind, 0, what="socket")
    if not options.unix:
        await p.call("setsockopt", fd, SOL_SOCKET, SO_REUSEADDR, struct.pack("<i", 1), 4)
    address = _sockaddr(options, host, port)
    result = await p.try_call("bind", fd, address, len(address))
    if result < 0:
        raise ProgramError(str(SystemCallError(-result)))
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
