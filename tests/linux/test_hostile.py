"""What random system calls once broke: each of these was an oops, a hang or a wrong count."""

import struct

import pytest

from kshell.abi.errno import EBUSY, EINVAL, ENOBUFS, ESRCH

SECOND = 1_000_000_000
TCP, NLM_DUMP = 6, 0x301


def sin(port, ip=b"\x7f\0\0\1"):
    return struct.pack("<H", 2) + struct.pack(">H", port) + ip + bytes(8)


def attr(kind, data):
    return struct.pack("<HH", 4 + len(data), kind) + data + bytes(-len(data) % 4)


def link(host, name, *attributes, message=16, flags=0x605):
    """RTM_NEWLINK: 0 or -errno."""
    fd = host("socket", 16, 3, 0)
    body = bytes(16) + attr(3, name + b"\0") + b"".join(attributes)
    raw = struct.pack("<IHHII", 16 + len(body), message, flags, 1, 0) + body
    host("sendto", fd, raw, len(raw), 0, 0, 0)
    room = host.room(4096)
    host("recvfrom", fd, room, 4096, 0x40, 0, 0)
    host("close", fd)
    return host.word(room + 16)


def kind(name, data=b""):
    return attr(18, attr(1, name + b"\0") + (attr(2, data) if data else b""))


def connected(host, port=7000):
    server, client = host("socket", 2, 1, 0), host("socket", 2, 1, 0)
    assert host("bind", server, sin(port), 16) == 0
    assert host("listen", server, 5) == 0
    assert host("connect", client, sin(port), 16) == 0
    return server, client, host("accept", server, 0, 0)


@pytest.mark.parametrize("option", [(36, 7), (12, 3)])  # SO_MARK, SO_PRIORITY
def test_time_wait_keeps_mark_and_priority(host, option):
    number, value = option
    server, client, accepted = connected(host)
    host("setsockopt", client, 1, number, struct.pack("<i", value), 4)
    host("close", client)
    host("close", accepted)
    host.machine.run_for(100 * SECOND)
    assert host("close", server) == 0


def test_a_filter_of_sockets_whose_steps_have_no_length(host):
    fd = host("socket", 16, 3, 4)
    program = struct.pack("<BBH", 0, 4, 4) + struct.pack("<BBH", 1, 0, 8) + struct.pack("<BBH", 1, 4, 4) * 2
    for code in (program, program[4:] + program[:4]):
        body = struct.pack("<BBBxI", 2, TCP, 0, 0xFFF) + bytes(48) + attr(1, code)
        raw = struct.pack("<IHHII", 16 + len(body), 20, NLM_DUMP, 1, 0) + body
        host("sendto", fd, raw, len(raw), 0, 0, 0)
        room = host.room(4096)
        assert host("recvfrom", fd, room, 4096, 0x40, 0, 0) > 0
        assert host.word(room + 16) == -EINVAL


@pytest.mark.parametrize("name", [b"\xff\xfe", b"\xc3\xa9", b"\x1b[2J"])
def test_names_of_devices_are_bytes(host, name):
    assert link(host, name, kind(b"dummy")) == 0
    fd = host("open", b"/proc/net/dev\0", 0)
    assert b"%6s:" % name in host.read(fd, 4000)
    s = host("socket", 2, 2, 0)
    assert host("setsockopt", s, 1, 25, name, len(name)) == 0  # SO_BINDTODEVICE
    room, length = host.room(16), host.put(struct.pack("<i", 16))
    assert host("getsockopt", s, 1, 25, room, length) == 0
    assert host.get(room, len(name) + 1) == name + b"\0"


def test_the_peer_of_a_veth_may_have_any_name(host):
    peer = attr(1, bytes(16) + attr(3, b"\xff\xfe\0"))
    assert link(host, b"v", kind(b"veth", peer)) == 0


def test_an_alias_is_bytes_too(host):
    link(host, b"d", kind(b"dummy"))
    assert link(host, b"d", attr(20, b"\xbe\xff"), message=19, flags=5) == 0
    link(host, b"d", message=18, flags=1)
    fd = host("open", b"/sys/class/net/d/ifalias\0", 0)
    assert host.read(fd, 100) == b"\xbe\xff\n"


def test_the_namespace_of_a_dead_task(host):
    child = host.fork()
    host("exit_group", 0, task=child)
    assert link(host, b"d", kind(b"dummy"), attr(19, struct.pack("<I", child.pid))) == -ESRCH


def test_a_change_of_a_link_does_not_fail_because_a_listener_is_full(host):
    fd = host("socket", 16, 3, 0)
    host("bind", fd, struct.pack("<HHII", 16, 0, 0, 1), 12)
    assert host("setsockopt", fd, 1, 8, struct.pack("<i", 0), 4) == 0  # SO_RCVBUF
    assert host("setsockopt", fd, 270, 4, struct.pack("<i", 1), 4) == 0  # NETLINK_BROADCAST_ERROR
    s = host("socket", 2, 2, 0)
    for n in range(20):
        assert host("ioctl", s, 0x8914, b"lo".ljust(16, b"\0") + struct.pack("<H", n & 1) + bytes(22)) == 0
    assert host.read(fd, 4000) == -ENOBUFS


def test_the_number_of_a_device_is_taken_once(host):
    peer = attr(1, struct.pack("<BxHiII", 0, 0, 1, 0, 0) + attr(3, b"w\0"))
    assert link(host, b"v", kind(b"veth", peer)) == -EBUSY
    assert link(host, b"v", kind(b"veth")) == 0


def test_options_of_a_packet_in_the_error_queue(host):
    fd = host("socket", 2, 2, 0)
    for option in (7, 11):  # IP_RETOPTS, IP_RECVERR
        assert host("setsockopt", fd, 0, option, struct.pack("<i", 1), 4) == 0
    host("connect", fd, sin(9), 16)
    host.write(fd, b"x")
    iov = host.put(struct.pack("<QQ", host.room(16), 16))
    message = struct.pack("<QIxxxxQQQQI", 0, 0, iov, 1, host.room(200), 200, 0)
    assert host("recvmsg", fd, message + bytes(4), 0x2040) == 1
