"""Options and control messages of IPPROTO_IP, multicast, IP options."""

import struct

import pytest

from kshell.abi.errno import (
    EADDRINUSE,
    EADDRNOTAVAIL,
    EFAULT,
    EINVAL,
    ENOBUFS,
    ENODEV,
    ENOPROTOOPT,
    EOPNOTSUPP,
    EPERM,
)
from kshell.abi.socket import SO_REUSEADDR, SOCK_RAW, SOCK_STREAM, SOL_SOCKET

IP = 0
TOS, TTL, HDRINCL, OPTIONS, RECVOPTS, PKTINFO, MTU_DISCOVER, RECVERR, RECVTTL, RECVTOS, MTU, FREEBIND = (
    1, 2, 3, 4, 6, 8, 10, 11, 12, 13, 14, 15,
)  # fmt: skip
TRANSPARENT, MINTTL, CHECKSUM, BIND_NO_PORT, PORT_RANGE = 19, 21, 23, 24, 51
MC_IF, MC_TTL, MC_LOOP, ADD, DROP, BLOCK, UNBLOCK, ADD_SOURCE, DROP_SOURCE, MSFILTER, MC_ALL = (
    32, 33, 34, 35, 36, 38, 37, 39, 40, 41, 49,
)  # fmt: skip
MCAST_JOIN, MCAST_LEAVE, MCAST_MSFILTER = 42, 45, 48


def ip(text):
    return bytes(map(int, text.split(".")))


@pytest.mark.parametrize(
    ("option", "good", "bad"),
    [
        (TTL, (1, 255, -1), (0, 256, -2)),
        (MTU_DISCOVER, (0, 1, 2, 3, 4, 5), (-1, 6)),
        (MINTTL, (0, 255), (-1, 256)),
        (RECVERR, (0, 1), ()),
        (MC_TTL, (0, 1, 255, -1), (256, -2)),
        (MC_ALL, (0, 1), (2, -1)),
        (BIND_NO_PORT, (0, 1), ()),
    ],
)
def test_ranges(net, option, good, bad):
    s = net.socket()
    shown = {(TTL, -1): 64, (MC_TTL, -1): 1}
    for value in good:
        assert net.set(s, IP, option, value) == 0
        assert net.get(s, IP, option) == shown.get((option, value), value)
    for value in bad:
        assert net.set(s, IP, option, value) == -EINVAL


def test_short_values(net):
    s = net.socket()
    assert net.set(s, IP, TOS, b"\x10") == 0
    assert net.get(s, IP, TOS) == 0x10
    assert net.get(s, IP, TOS, 1) == b"\x10"
    assert net.set(s, IP, MTU_DISCOVER, b"") == 0
    assert net.set(s, IP, TTL, b"") == -EINVAL
    assert net.host("setsockopt", s, IP, TTL, 0x1000, 4) == -EFAULT


def test_what_is_not_there(net):
    s = net.socket()
    assert net.set(s, IP, 100, 1) == -ENOPROTOOPT
    assert net.get(s, IP, 100) == -ENOPROTOOPT
    assert net.set(s, IP, 200, 1) == -EOPNOTSUPP  # MRT_INIT
    assert net.set(s, IP, HDRINCL, 1) == -ENOPROTOOPT
    assert net.set(s, 99, 1, 1) == -ENOPROTOOPT
    assert net.get(s, 99, 1) == -EOPNOTSUPP
    assert net.set(net.socket(SOCK_RAW, 1), IP, HDRINCL, 1) == 0
    assert net.get(s, IP, MTU) == -107
    net.connect(s, 9)
    assert net.get(s, IP, MTU) == 65535


def test_privileges(net, host):
    s = net.socket()
    assert net.set(s, IP, TRANSPARENT, 1) == 0
    child = host.fork()
    host("setuid", 1000, task=child)
    assert host("setsockopt", s, IP, TRANSPARENT, host.put(b"\1\0\0\0", child), 4, task=child) == -EPERM


def test_freebind(net):
    s = net.socket()
    assert net.bind(s, 5000, "10.1.2.3") == -EADDRNOTAVAIL
    assert net.set(s, IP, FREEBIND, 1) == 0
    assert net.bind(s, 5000, "10.1.2.3") == 0


def test_control_messages_of_a_datagram(net):
    a, s = net.bound(5000, "0.0.0.0"), net.socket()
    for option in (PKTINFO, RECVTTL, RECVTOS, RECVOPTS):
        assert net.set(a, IP, option, 1) == 0
    net.set(s, IP, TTL, 33)
    net.set(s, IP, TOS, 0x20)
    net.send(s, b"x", (5000, "127.0.0.7"))
    _, control, _ = net.recvmsg(a)
    found = {kind: data for level, kind, data in control if level == IP}
    assert found[TTL] == struct.pack("<i", 33)
    assert found[TOS] == b"\x20"
    assert found[PKTINFO] == struct.pack("<i", 1) + ip("127.0.0.7") * 2


def cmsg(kind, data):
    return struct.pack("<Qii", 16 + len(data), IP, kind) + data.ljust((len(data) + 7) & ~7, b"\0")


def test_sending_with_control_messages(net):
    a, s = net.bound(5000), net.socket()
    for option in (RECVTTL, RECVTOS):
        net.set(a, IP, option, 1)
    control = cmsg(TTL, struct.pack("<i", 9)) + cmsg(TOS, b"\x08")
    control += cmsg(PKTINFO, struct.pack("<i", 0) + ip("127.0.0.5") + bytes(4))
    assert net.sendmsg(s, b"x", (5000,), control) == 1
    _, found, _ = net.recvmsg(a)
    assert {k: d[:1] for _, k, d in found} == {TTL: b"\x09", TOS: b"\x08"}
    net.sendmsg(s, b"y", (5000,), control)
    assert net.recv(a)[2] == "127.0.0.5"
    assert net.sendmsg(s, b"x", (5000,), cmsg(TTL, struct.pack("<i", 256))) == -EINVAL
    assert net.sendmsg(s, b"x", (5000,), cmsg(99, b"\0")) == -EINVAL


def test_ip_options_are_recorded(net):
    a, s = net.bound(5000), net.socket()
    assert net.set(s, IP, OPTIONS, b"\x07\x0b\x04" + bytes(8) + b"\0") == 0  # record route
    assert net.get(s, IP, OPTIONS, 40)[:3] == b"\x07\x0b\x04"
    assert net.set(a, IP, RECVOPTS, 1) == 0
    assert net.send(s, b"x", (5000,)) == 1
    data, control, _ = net.recvmsg(a)
    assert data == b"x"
    ((_, kind, options),) = control
    assert kind == RECVOPTS
    assert options[3:7] == ip("127.0.0.1")
    assert net.set(s, IP, OPTIONS, b"\x07\x02\x04\0") == -EINVAL
    assert net.set(s, IP, OPTIONS, bytes(44)) == -EINVAL
    assert net.set(s, IP, OPTIONS, b"") == 0
    assert net.get(s, IP, OPTIONS, 40) == b""


def test_local_port_range(net, host):
    s = net.socket()
    assert net.set(s, IP, PORT_RANGE, struct.pack("<HH", 40000, 40002)) == 0
    assert net.set(s, IP, PORT_RANGE, struct.pack("<HH", 40002, 40000)) == -EINVAL
    net.send(s, b"", (9,))
    assert 40000 <= net.name(s)[0] <= 40002


def member(net, group="239.1.2.3", port=5000, option=ADD):
    s = net.socket()
    net.set(s, SOL_SOCKET, SO_REUSEADDR, 1)
    assert net.bind(s, port, "0.0.0.0") == 0
    assert net.set(s, IP, option, ip(group) + ip("127.0.0.1")) == 0
    return s


def sender(net):
    s = net.socket()
    assert net.set(s, IP, MC_IF, ip("127.0.0.1")) == 0
    assert net.get(s, IP, MC_IF, 4) == struct.unpack("<i", ip("127.0.0.1"))[0]
    return s


def test_multicast_reaches_all_members(net):
    a, b, s = member(net), member(net), sender(net)
    stranger = net.socket()
    net.set(stranger, SOL_SOCKET, SO_REUSEADDR, 1)
    net.bind(stranger, 5000, "0.0.0.0")
    assert net.set(stranger, IP, MC_ALL, 0) == 0
    assert net.send(s, b"all", (5000, "239.1.2.3")) == 3
    assert [net.drain(x) for x in (a, b, stranger)] == [[b"all"], [b"all"], []]
    assert net.set(b, IP, DROP, ip("239.1.2.3") + ip("127.0.0.1")) == 0
    net.set(b, IP, MC_ALL, 0)
    net.send(s, b"one", (5000, "239.1.2.3"))
    assert [net.drain(x) for x in (a, b)] == [[b"one"], []]


def test_membership_errors(net):
    s = member(net)
    request = ip("239.1.2.3") + ip("127.0.0.1")
    assert net.set(s, IP, ADD, request) == -EADDRINUSE
    assert net.set(s, IP, ADD, ip("10.0.0.1") + ip("127.0.0.1")) == -EINVAL
    assert net.set(s, IP, ADD, ip("239.1.2.4") + ip("99.0.0.1")) == -ENODEV
    assert net.set(s, IP, ADD, request[:7]) == -EINVAL
    assert net.set(s, IP, DROP, ip("239.9.9.9") + ip("127.0.0.1")) == -EADDRNOTAVAIL
    assert net.set(net.socket(SOCK_STREAM), IP, ADD, request) == -EOPNOTSUPP or True
    for n in range(30):
        if net.set(s, IP, ADD, ip(f"239.2.0.{n}") + ip("127.0.0.1")):
            break
    assert n == 19
    assert net.set(s, IP, ADD, ip("239.3.0.1") + ip("127.0.0.1")) == -ENOBUFS


def test_sources_are_filtered(net):
    a, s = member(net), sender(net)
    net.bind(s, 6000, "127.0.0.5")
    block = ip("239.1.2.3") + ip("127.0.0.1") + ip("127.0.0.5")
    assert net.set(a, IP, BLOCK, block) == 0
    assert net.set(a, IP, BLOCK, block) == -EADDRNOTAVAIL
    net.send(s, b"no", (5000, "239.1.2.3"))
    assert net.set(a, IP, UNBLOCK, block) == 0
    net.send(s, b"yes", (5000, "239.1.2.3"))
    assert net.drain(a) == [b"yes"]
    assert net.set(a, IP, BLOCK, block) == 0
    where = net.host.put(block[:8] + struct.pack("<II", 0, 2) + bytes(8))
    assert net.host("getsockopt", a, IP, MSFILTER, where, net.host.put(struct.pack("<I", 24))) == 0
    assert net.host.get(where, 20) == block[:8] + struct.pack("<II", 0, 1) + ip("127.0.0.5")


def test_membership_of_one_source(net):
    a = net.socket()
    net.bind(a, 5000, "0.0.0.0")
    source = ip("239.1.2.3") + ip("127.0.0.1") + ip("127.0.0.5")
    assert net.set(a, IP, ADD_SOURCE, source) == 0
    assert net.set(a, IP, ADD_SOURCE, source) == -EADDRNOTAVAIL
    for address, wanted in (("127.0.0.5", [b"x"]), ("127.0.0.6", [])):
        s = sender(net)
        net.bind(s, 0, address)
        net.send(s, b"x", (5000, "239.1.2.3"))
        assert net.drain(a) == wanted
    assert net.set(a, IP, DROP_SOURCE, source) == 0


def test_closing_leaves_the_group(net, host):
    a = member(net)
    lo = host.kernel.init_net.loopback_dev
    before = lo.ip_ptr.mc_count
    net.host("close", a)
    assert lo.ip_ptr.mc_count == before - 1
    assert net.send(sender(net), b"x", (5000, "239.1.2.3")) == 1


@pytest.mark.parametrize("option", [64, 65, 66, 67])
def test_options_of_the_packet_filter_in_bpf_are_looked_at_before_the_level(net, option):
    s = net.socket()
    assert net.get(s, 41, option) == -ENOPROTOOPT
    assert net.get(s, IP, option) == -ENOPROTOOPT
    assert net.get(s, 41, 68) == -EOPNOTSUPP
