"""Requests about interfaces by ioctl(), as net-tools make them."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from kshell.abi import ioctl as i
from kshell.abi.socket import AF_INET, SOCK_DGRAM
from kshell.userland.addresses import from_sockaddr, sockaddr_in
from kshell.userland.files import read_lines
from kshell.userland.runtime import raw

if TYPE_CHECKING:
    from kshell.userland.runtime import Process

IFREQ: Final = 40


class Interfaces:
    """A socket to make the requests on."""

    def __init__(self, p: Process, fd: int) -> None:
        self.p = p
        self.fd = fd

    @classmethod
    async def open(cls, p: Process) -> Interfaces:
        """Any socket will do."""
        return cls(p, await p.call("socket", AF_INET, SOCK_DGRAM, 0))

    async def close(self) -> None:
        """Done."""
        await self.p.call("close", self.fd)

    async def request(self, cmd: int, name: str, union: bytes = b"", what: str = "") -> bytes:
        """The union of struct ifreq after an ioctl(). SystemCallError."""
        address = self.p.scratch(IFREQ)
        self.p.store(address, raw(name)[:15].ljust(16, b"\0") + union.ljust(24, b"\0"))
        await self.p.call("ioctl", self.fd, cmd, address, what=what)
        return self.p.memory(address, IFREQ)[16:]

    async def number(self, cmd: int, name: str) -> int:
        """An int of the union."""
        return int.from_bytes((await self.request(cmd, name, what=name))[:4], "little", signed=True)

    async def flags(self, name: str, what: str = "") -> int:
        """IFF_*."""
        return int.from_bytes((await self.request(i.SIOCGIFFLAGS, name, what=what))[:2], "little")

    async def change_flags(self, name: str, on: int, off: int) -> None:
        """Set and clear IFF_*."""
        flags = await self.flags(name, f"{name}: ERROR while getting interface flags")
        await self.request(i.SIOCSIFFLAGS, name, struct.pack("<H", (flags | on) & ~off & 0xFFFF), "SIOCSIFFLAGS")

    async def address(self, cmd: int, name: str) -> int | None:
        """An IPv4 address of the union, None if there is none."""
        address = self.p.scratch(IFREQ)
        self.p.store(address, raw(name)[:15].ljust(16, b"\0") + sockaddr_in(0) + bytes(8))
        if await self.p.try_call("ioctl", self.fd, cmd, address) < 0:
            return None
        return from_sockaddr(self.p.memory(address, IFREQ)[16:])[0]

    async def names(self, every: bool) -> list[str]:
        """All interfaces, from /proc/net/dev, in its order; without `every` those that are up."""
        names = [line.partition(":")[0].strip() for line in (await read_lines(self.p, "/proc/net/dev"))[2:]]
        return [name for name in names if every or await self.flags(name) & 1]

    async def aliases(self) -> list[str]:
        """The labels of addresses that are none of an interface (eth0:1), by SIOCGIFCONF."""
        room = self.p.buffer(40 * 64)
        conf = self.p.scratch(16)
        self.p.store(conf, struct.pack("<i4xQ", 40 * 64, room))
        await self.p.call("ioctl", self.fd, i.SIOCGIFCONF, conf)
        length = int.from_bytes(self.p.memory(conf, 4), "little")
        data = self.p.memory(room, length)
        labels = [data[at : at + 16].split(b"\0")[0].decode() for at in range(0, length, 40)]
        return [label for label in labels if ":" in label]
