"""NETLINK_SOCK_DIAG as ss uses it: TCP, UDP and raw sockets, filters, SOCK_DESTROY."""

import struct

import pytest

BY_FAMILY, DESTROY = 20, 21
TCP, UDP, RAW = 6, 17, 255
ALL, LISTEN, ESTABLISHED = 0xFFF, 1 << 10, 1 << 1
ENOENT, EPERM, EINVAL, EOPNOTSUPP = -2, -1, -22, -95
S_GE, S_LE, S_COND, JMP = 2, 3, 7, 1


def sockaddr(port, address=b"\x7f\0\0\1"):
    return struct.pack("<H", 2) + struct.pack(">H", port) + address + bytes(8)


def request(protocol, states=ALL, wanted=0, ports=(0, 0), addresses=bytes(32), cookie=b"\xff" * 8):
    where = struct.pack(">HH", *ports) + addresses + bytes(4) + cookie
    return struct.pack("<BBBxI", 2, protocol, wanted, states) + where


def ports(message):
    return struct.unpack_from(">HH", message.body, 4)


@pytest.fixture
def diag(netlink):
    return netlink(4)


@pytest.fixture
def pair(host):
    """A listener on 5000, its client, and what accept() gave."""
    server, client = host("socket", 2, 1, 0), host("socket", 2, 1, 0)
    assert host("bind", server, sockaddr(5000), 16) == 0
    assert host("listen", server, 7) == 0
    assert host("connect", client, sockaddr(5000), 16) == 0
    return server, client, host("accept", server, 0, 0)


def test_tcp_sockets_by_state(diag, pair):
    assert [(m.body[1], ports(m)) for m in diag.dump(BY_FAMILY, request(TCP, LISTEN))] == [(10, (5000, 0))]
    assert sorted(5000 in ports(m) for m in diag.dump(BY_FAMILY, request(TCP, ESTABLISHED))) == [True, True]
    assert len(diag.dump(BY_FAMILY, request(TCP))) == 3
    assert diag.dump(BY_FAMILY, request(TCP, 1 << 6)) == []


def test_a_listener_shows_its_queue_and_owner(host, diag, pair):
    (m,) = diag.dump(BY_FAMILY, request(TCP, LISTEN))
    expires, rqueue, wqueue, uid, inode = struct.unpack_from("<5I", m.body, 52)
    assert (expires, rqueue, wqueue, uid) == (0, 0, 7, 0)
    assert inode > 0


def test_what_is_asked_for_is_there(diag, pair):
    wanted = 1 << 2 - 1 | 1 << 4 - 1 | 1 << 7 - 1  # INET_DIAG_INFO, CONG, SKMEMINFO
    (m,) = diag.dump(BY_FAMILY, request(TCP, LISTEN, wanted))
    found = m.attrs(72)
    assert found[4] == b"cubic\0"
    assert {2, 4, 7} <= set(found)
    assert len(found[7]) == 36


@pytest.mark.parametrize(("low", "high", "count"), [(5000, 5000, 2), (5001, 65535, 1), (1, 4999, 0), (1, 65535, 3)])
def test_source_ports_are_filtered(diag, netlink, pair, low, high, count):
    program = struct.pack("<BBHBBH", S_GE, 8, 20, 0, 0, low) + struct.pack("<BBHBBH", S_LE, 8, 12, 0, 0, high)
    found = diag.dump(BY_FAMILY, request(TCP) + netlink.attr(1, program))
    assert len(found) == count


@pytest.mark.parametrize(
    "program",
    [
        b"\2\x08\0\0", struct.pack("<BBHBBH", 99, 8, 12, 0, 0, 1), struct.pack("<BBHBBH", S_GE, 8, 200, 0, 0, 1),
        struct.pack("<BBHBBH", S_GE, 6, 12, 0, 0, 1),
    ],
)  # fmt: skip
def test_programs_that_are_not_accepted(diag, netlink, pair, program):
    assert diag.dump(BY_FAMILY, request(TCP) + netlink.attr(1, program)) == EINVAL


def test_one_socket_by_its_ends(diag, pair):
    diag.send(BY_FAMILY, request(TCP, ports=(5000, 0), addresses=b"\x7f\0\0\1".ljust(32, b"\0")))
    (answer,) = diag.read()
    assert ports(answer) == (5000, 0)
    diag.send(BY_FAMILY, request(TCP, ports=(5999, 0), addresses=b"\x7f\0\0\1".ljust(32, b"\0")))
    assert diag.read()[0].error == ENOENT


def test_udp_and_raw(host, diag):
    fd = host("socket", 2, 2, 0)
    host("bind", fd, sockaddr(6000), 16)
    host("socket", 2, 3, 1)
    (udp,) = diag.dump(BY_FAMILY, request(UDP))
    assert (udp.body[1], ports(udp)) == (7, (6000, 0))


def test_a_socket_is_destroyed(host, diag, pair):
    _server, client, _peer = pair
    (m,) = [m for m in diag.dump(BY_FAMILY, request(TCP, ESTABLISHED)) if ports(m)[1] == 5000]
    there = request(TCP, ports=ports(m), addresses=m.body[8:40], cookie=m.body[44:52])
    assert diag.do(DESTROY, there) == 0
    assert host("write", client, host.put(b"x"), 1) == -103  # ECONNABORTED
    host("setuid", 1000)
    assert diag.do(DESTROY, there) in (EPERM, ENOENT)


def test_a_family_that_nobody_knows(diag):
    assert diag.dump(BY_FAMILY, struct.pack("<BB", 77, 0) + bytes(54)) == EINVAL
    assert diag.dump(BY_FAMILY, struct.pack("<BB", 40, 0) + bytes(54)) == ENOENT
    assert diag.dump(BY_FAMILY, request(99)) == ENOENT
