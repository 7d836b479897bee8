"""libnetlink: requests by NETLINK_ROUTE and NETLINK_SOCK_DIAG, their answers, attributes."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from os import strerror
from typing import TYPE_CHECKING, Final

from kshell.abi import netlink as n
from kshell.abi.socket import AF_NETLINK, SOCK_CLOEXEC, SOCK_RAW, SOL_NETLINK, SOL_SOCKET
from kshell.userland.runtime import ProgramError, raw

if TYPE_CHECKING:
    from kshell.userland.runtime import Process

HEADER: Final = struct.Struct("<IHHII")
ROOM: Final = 32768
SO_SNDBUF, SO_RCVBUF = 7, 8


class Message:
    """A message: its type, flags and what follows the header."""

    __slots__ = ("body", "flags", "type")

    def __init__(self, type: int, flags: int, body: bytes) -> None:
        self.type = type
        self.flags = flags
        self.body = body

    def attrs(self, header: int) -> dict[int, bytes]:
        """The attributes behind a family header of that many bytes, the last of each type."""
        return dict(attributes(self.body[(header + 3) & ~3 :]))


def attributes(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Attributes one behind the other."""
    at = 0
    while at + 4 <= len(data):
        length, kind = struct.unpack_from("<HH", data, at)
        if length < 4:
            return
        yield kind & 0x3FFF, data[at + 4 : at + length]
        at += (length + 3) & ~3


def attribute(kind: int, value: bytes | str | int) -> bytes:
    """One attribute: bytes as they are, a string with its NUL, a number in 32 bits."""
    if isinstance(value, str):
        value = raw(value) + b"\0"
    elif isinstance(value, int):
        value = struct.pack("<I", value & 0xFFFFFFFF)
    data = struct.pack("<HH", len(value) + 4, kind) + value
    return data + bytes(-len(data) % 4)


def nest(kind: int, *inner: bytes) -> bytes:
    """An attribute that holds attributes."""
    return attribute(kind, b"".join(inner))


def number(data: bytes | None) -> int:
    """A number of up to 64 bits, 0 if there is none."""
    return int.from_bytes(data or b"", "little")


def text(data: bytes | None) -> str:
    """A string up to its NUL."""
    return (data or b"").split(b"\0", 1)[0].decode("utf-8", "backslashreplace")


class NetlinkError(ProgramError):
    """The kernel refused a request; dump: one for all that there is."""

    def __init__(self, errno: int, extra: str) -> None:
        super().__init__("", 2)
        self.errno = errno
        self.extra = extra
        self.dump = False


class Netlink:
    """rtnl_open() and what is done with it."""

    def __init__(self, p: Process, fd: int) -> None:
        self.p = p
        self.fd = fd
        self.seq = 0
        self._room = p.buffer(ROOM)

    @classmethod
    async def open(cls, p: Process, protocol: int = n.NETLINK_ROUTE, strict: bool = True) -> Netlink:
        """A socket, as iproute2 sets it up."""
        fd = await p.call("socket", AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol, what="Cannot open netlink socket")
        for option, size in ((SO_SNDBUF, 32768), (SO_RCVBUF, 1 << 20)):
            await p.call("setsockopt", fd, SOL_SOCKET, option, struct.pack("<i", size), 4)
        await p.try_call("setsockopt", fd, SOL_NETLINK, n.NETLINK_EXT_ACK, struct.pack("<i", 1), 4)
        await p.call("bind", fd, struct.pack("<HHII", AF_NETLINK, 0, 0, 0), 12, what="Cannot bind netlink socket")
        if strict:
            await p.try_call("setsockopt", fd, SOL_NETLINK, n.NETLINK_GET_STRICT_CHK, struct.pack("<i", 1), 4)
        return cls(p, fd)

    async def close(self) -> None:
        """The socket is no longer needed."""
        await self.p.call("close", self.fd)

    async def dump(self, type: int, body: bytes) -> list[Message]:
        """All messages of a dump. NetlinkError."""
        try:
            return await self._dump(type, body)
        except NetlinkError as error:
            error.dump = True
            raise

    async def _dump(self, type: int, body: bytes) -> list[Message]:
        await self._send(type, n.NLM_F_REQUEST | n.NLM_F_DUMP, body)
        found: list[Message] = []
        while True:
            for message in await self.receive():
                if message.type == n.NLMSG_DONE:
                    error = struct.unpack_from("<i", message.body)[0] if len(message.body) >= 4 else 0
                    if error < 0:
                        raise NetlinkError(-error, _said(message, 4))
                    return found
                if message.type == n.NLMSG_ERROR:
                    raise self._error(message)
                found.append(message)

    async def get(self, type: int, body: bytes) -> Message:
        """The one message that answers a request. NetlinkError."""
        await self._send(type, n.NLM_F_REQUEST, body)
        message = (await self.receive())[0]
        if message.type == n.NLMSG_ERROR:
            raise self._error(message)
        return message

    async def change(self, type: int, body: bytes, flags: int = 0) -> None:
        """A request that changes something. NetlinkError."""
        await self._send(type, n.NLM_F_REQUEST | n.NLM_F_ACK | flags, body)
        message = (await self.receive())[0]
        if struct.unpack_from("<i", message.body)[0]:
            raise self._error(message)

    async def _send(self, type: int, flags: int, body: bytes) -> None:
        self.seq += 1
        header = HEADER.pack(16 + len(body), type, flags, self.seq, 0)
        await self.p.call("sendto", self.fd, header + body, 16 + len(body), 0, 0, 0, what="Cannot talk to rtnetlink")

    async def receive(self) -> list[Message]:
        """The messages of one datagram, which may be long in coming."""
        size = await self.p.call("recvfrom", self.fd, self._room, ROOM, 0, 0, 0, what="netlink receive error")
        data, at, found = self.p.memory(self._room, size), 0, []
        while at + 16 <= len(data):
            length, kind, flags, _, _ = HEADER.unpack_from(data, at)
            found.append(Message(kind, flags, data[at + 16 : at + length]))
            at += (length + 3) & ~3
        return found

    def _error(self, message: Message) -> NetlinkError:
        errno = -struct.unpack_from("<i", message.body)[0]
        capped = message.flags & n.NLM_F_CAPPED
        request = 16 if capped else int.from_bytes(message.body[4:8], "little")
        return NetlinkError(errno, _said(message, 4 + ((request + 3) & ~3)))


def _said(message: Message, at: int) -> str:
    """The kernel's own words in an extended acknowledgement."""
    if not message.flags & n.NLM_F_ACK_TLVS:
        return ""
    return text(dict(attributes(message.body[at:])).get(n.NLMSGERR_ATTR_MSG))


def answers(error: NetlinkError) -> str:
    """What iproute2 prints of an error."""
    if error.extra:
        return f"Error: {error.extra}." if not error.extra.endswith(".") else f"Error: {error.extra}"
    return f"RTNETLINK answers: {strerror(error.errno)}"
