"""unix_diag, netlink_diag and packet_diag as ss uses them."""

import struct

import pytest

BY_FAMILY = 20
ALL = 0xFFFFFFFF
NAME, PEER, RQLEN = 0, 2, 4
SHOW = 0x1 | 0x4 | 0x10


@pytest.fixture
def diag(netlink):
    return netlink(4)


def request(states=ALL, inode=0, show=SHOW):
    return struct.pack("<BBxxIII", 1, 0, states, inode, show) + b"\xff" * 8


def test_names_peers_and_queues(host, diag):
    server = host("socket", 1, 1, 0)
    assert host("bind", server, b"\1\0/tmp/s\0", 9) == 0
    host("listen", server, 3)
    _a, _b = host.pair("socketpair", 1, 1, 0, ...)
    found = {
        struct.unpack_from("<BBBxI", m.body)[3]: (m.body[1], m.body[2], m.attrs(16))
        for m in diag.dump(BY_FAMILY, request())
    }
    listener = next(item for item in found.values() if item[1] == 10)
    assert listener[2][NAME].rstrip(b"\0") == b"/tmp/s"
    assert struct.unpack("<II", listener[2][RQLEN]) == (0, 3)
    pair = {inode: struct.unpack("<I", item[2][PEER])[0] for inode, item in found.items() if PEER in item[2]}
    assert len(pair) == 2
    assert all(pair[pair[inode]] == inode for inode in pair)


def test_states_filter(host, diag):
    host.pair("socketpair", 1, 2, 0, ...)
    host("socket", 1, 1, 0)
    assert len(diag.dump(BY_FAMILY, request(1 << 1))) == 2
    assert diag.dump(BY_FAMILY, request(1 << 10)) == []


def test_netlink_sockets(host, diag):
    body = struct.pack("<BBxxII", 16, 0xFF, 0, 2) + b"\xff" * 8
    found = {(m.body[2], struct.unpack_from("<I", m.body, 4)[0]) for m in diag.dump(BY_FAMILY, body)}
    assert (0, 0) in found  # the kernel's route socket
    assert (4, 1) in found  # the one that asks


def test_packet_sockets(host, diag):
    host("socket", 17, 3, 0x0300)
    body = struct.pack("<BBxxII", 17, 0, 0, 1) + b"\xff" * 8
    (one,) = diag.dump(BY_FAMILY, body)
    assert struct.unpack_from("<BBH", one.body) == (17, 3, 3)
