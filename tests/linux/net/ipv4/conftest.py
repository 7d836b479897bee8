"""`net`: a host with sockaddr_in helpers. `tcp`: one with TCP sockets in every state."""

import struct

import pytest

from kshell.abi.errno import EAGAIN
from kshell.abi.socket import AF_INET, MSG_DONTWAIT, SOCK_DGRAM
from tests.linux.net.ipv4.tcp_sockets import Tcp


def sin(port, ip="127.0.0.1"):
    """struct sockaddr_in."""
    return struct.pack("<H", AF_INET) + struct.pack(">H", port) + bytes(map(int, ip.split("."))) + bytes(8)


class Net:
    """Sockets of a host by short calls; errors are negative results as in the kernel."""

    def __init__(self, host):
        self.host = host

    def socket(self, kind=SOCK_DGRAM, protocol=0, family=AF_INET):
        return self.host("socket", family, kind, protocol)

    def bind(self, fd, port, ip="127.0.0.1"):
        return self.host("bind", fd, sin(port, ip), 16)

    def bound(self, port, ip="127.0.0.1"):
        fd = self.socket()
        assert self.bind(fd, port, ip) == 0
        return fd

    def connect(self, fd, port, ip="127.0.0.1"):
        return self.host("connect", fd, sin(port, ip), 16)

    def send(self, fd, data, to=None, flags=0):
        name = (0, 0) if to is None else (sin(*to), 16)
        return self.host("sendto", fd, data or b"\0", len(data), flags, *name)

    def recv(self, fd, n=2000, flags=MSG_DONTWAIT):
        """(data, port, address) of a datagram, or the negative errno."""
        where, name, length = self.host.room(n), self.host.room(16), self.host.put(struct.pack("<I", 16))
        got = self.host("recvfrom", fd, where, n, flags, name, length)
        if not isinstance(got, int) or got < 0:
            return got
        raw = self.host.get(name, 16)
        return self.host.get(where, min(got, n)), struct.unpack(">H", raw[2:4])[0], ".".join(map(str, raw[4:8]))

    def drain(self, fd):
        """All data that waits."""
        out = []
        while (got := self.recv(fd)) != -EAGAIN:
            out.append(got[0])
        return out

    def name(self, fd, call="getsockname"):
        """(port, address) of a socket."""
        where, length = self.host.room(16), self.host.put(struct.pack("<I", 16))
        got = self.host(call, fd, where, length)
        if got < 0:
            return got
        raw = self.host.get(where, 16)
        return struct.unpack(">H", raw[2:4])[0], ".".join(map(str, raw[4:8]))

    def set(self, fd, level, option, value):
        value = struct.pack("<i", value) if isinstance(value, int) else value
        return self.host("setsockopt", fd, level, option, value, len(value))

    def get(self, fd, level, option, n=4):
        """An option's int (n = 4) or bytes, or the negative errno."""
        where, length = self.host.room(n), self.host.put(struct.pack("<I", n))
        got = self.host("getsockopt", fd, level, option, where, length)
        if got < 0:
            return got
        data = self.host.get(where, self.host.word(length))
        return struct.unpack("<i", data)[0] if n == 4 and len(data) == 4 else data

    def sendmsg(self, fd, data, to, control=b"", flags=0):
        """sendmsg() with control messages."""
        iov = self.host.put(struct.pack("<QQ", self.host.put(data), len(data)))
        name = self.host.put(sin(*to)) if to else 0
        ctl = self.host.put(control) if control else 0
        msg = struct.pack("<QI4xQQQQi4x", name, 16 if to else 0, iov, 1, ctl, len(control), 0)
        return self.host("sendmsg", fd, msg, flags)

    def recvmsg(self, fd, n=2000, flags=MSG_DONTWAIT):
        """(data, [(level, type, bytes)], msg_flags) of a message, or the negative errno."""
        where, ctl = self.host.room(n), self.host.room(512)
        iov = self.host.put(struct.pack("<QQ", where, n))
        name = self.host.room(16)
        msg = self.host.put(struct.pack("<QI4xQQQQi4x", name, 16, iov, 1, ctl, 512, 0))
        got = self.host("recvmsg", fd, msg, flags)
        if got < 0:
            return got
        length, shown = struct.unpack("<Qi", self.host.get(msg + 40, 12))
        out, raw, at = [], self.host.get(ctl, length), 0
        while at + 16 <= length:
            size, level, kind = struct.unpack_from("<Qii", raw, at)
            out.append((level, kind, raw[at + 16 : at + size]))
            at += (size + 7) & ~7
        return self.host.get(where, min(got, n)), out, shown

    def ioctl(self, fd, command, data):
        """The bytes after an ioctl on a struct, or the negative errno."""
        where = self.host.put(data)
        got = self.host("ioctl", fd, command, where)
        return got if got < 0 else self.host.get(where, len(data))

    def tick(self, seconds):
        self.host.machine.run_for(int(seconds * 1e9))


@pytest.fixture
def net(host):
    return Net(host)


@pytest.fixture
def tcp(host):
    return Tcp(host)
