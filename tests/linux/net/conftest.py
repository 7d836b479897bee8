"""`netlink`: makes sockets that send requests and take the answers apart."""

import struct

import pytest

NLM_F_REQUEST, NLM_F_ACK, NLM_F_DUMP = 1, 4, 0x300
NLMSG_ERROR, NLMSG_DONE = 2, 3


def attr(kind, data):
    """An attribute; text gets its NUL, a number four bytes."""
    data = (
        data.encode() + b"\0" if isinstance(data, str) else struct.pack("<I", data) if isinstance(data, int) else data
    )
    return struct.pack("<HH", 4 + len(data), kind) + data + bytes(-len(data) % 4)


def attrs(data):
    """{type: payload} of attributes one after another."""
    found, at = {}, 0
    while at + 4 <= len(data):
        length, kind = struct.unpack_from("<HH", data, at)
        found[kind & 0x3FFF] = data[at + 4 : at + length]
        at += (length + 3) & ~3
    return found


class Message:
    """type, flags, body"""

    def __init__(self, data):
        self.length, self.type, self.flags, self.seq, self.pid = struct.unpack_from("<IHHII", data)
        self.body = data[16 : self.length]

    @property
    def error(self):
        """-errno of an NLMSG_ERROR."""
        return struct.unpack_from("<i", self.body)[0]

    def attrs(self, header):
        return attrs(self.body[header:])


class Socket:
    """One netlink socket."""

    def __init__(self, host, protocol, groups):
        self.host, self.fd, self.seq = host, host("socket", 16, 3, protocol), 0
        host("bind", self.fd, struct.pack("<HHII", 16, 0, 0, groups), 12)
        self.extended = host("setsockopt", self.fd, 270, 11, struct.pack("<i", 1), 4)

    def set(self, option, value=1):
        return self.host("setsockopt", self.fd, 270, option, struct.pack("<i", value), 4)

    def send(self, kind, body, flags=0, task=None):
        self.seq += 1
        data = struct.pack("<IHHII", 16 + len(body), kind, flags | NLM_F_REQUEST, self.seq, 0) + body
        return self.host("sendto", self.fd, data, len(data), 0, 0, 0, task=task)

    def read(self):
        """The messages that wait; none: []."""
        room = self.host.room(32768)
        got = self.host("recvfrom", self.fd, room, 32768, 0x40, 0, 0)
        data, messages = self.host.get(room, got) if got > 0 else b"", []
        while len(data) >= 16:
            messages.append(Message(data))
            data = data[(messages[-1].length + 3) & ~3 :]
        return messages

    def dump(self, kind, body):
        """All messages of a dump, its NLMSG_DONE taken off; the error if there is one."""
        self.send(kind, body, NLM_F_DUMP)
        found = []
        while part := self.read():
            found += part
        if found and found[-1].type == NLMSG_ERROR:
            return found[-1].error
        assert found
        assert found[-1].type == NLMSG_DONE
        if found[-1].error:
            return found[-1].error
        assert all(message.flags & 2 for message in found)  # NLM_F_MULTI
        return found[:-1]

    def do(self, kind, body, flags=0):
        """0 or -errno of a request that is acknowledged; what it told is in `told`."""
        self.send(kind, body, flags | NLM_F_ACK)
        answer = self.read()[-1]
        assert answer.type == NLMSG_ERROR
        start = 20 if answer.flags & 0x100 or not answer.error else 4 + struct.unpack_from("<I", answer.body, 4)[0]
        tlvs = attrs(answer.body[start:]) if answer.flags & 0x200 else {}
        self.told = tlvs.get(1, b"\0").rstrip(b"\0").decode()
        self.tlvs = tlvs
        return answer.error


@pytest.fixture
def netlink(host):
    def make(protocol=0, groups=0):
        return Socket(host, protocol, groups)

    make.attr = attr
    return make
