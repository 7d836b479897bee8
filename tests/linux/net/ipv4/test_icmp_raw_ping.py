"""Raw and ping sockets, ICMP, fragments."""

import struct

import pytest

from kshell.abi.errno import EACCES, EAGAIN, EDESTADDRREQ, EINVAL, EMSGSIZE, EPERM
from kshell.abi.socket import SOCK_DGRAM, SOCK_RAW
from kshell.linux.include.linux.ip import _checksum

ICMP, UDP, RAW = 1, 17, 255
IP, IP_TTL, IP_HDRINCL, IP_MTU_DISCOVER, IP_RECVERR = 0, 2, 3, 10, 11
ICMP_FILTER = 1
PMTU_DO, PMTU_PROBE = 2, 3


def echo(ident, seq, data=b"", type=8):
    raw = struct.pack(">BBHHH", type, 0, 0, ident, seq) + data
    return raw[:2] + struct.pack(">H", _checksum(raw)) + raw[4:]


def header(packet):
    """(total length, id, flags and offset, ttl, protocol) of an IP packet whose checksum is right."""
    assert packet[0] == 0x45
    assert _checksum(packet[:20]) in (0, 0xFFFF)
    length, ident, frag, ttl, protocol = struct.unpack(">HHHBB", packet[2:10])
    return length, ident, frag, ttl, protocol


def test_echo_is_answered(net):
    s = net.socket(SOCK_RAW, ICMP)
    assert net.send(s, echo(7, 1, b"data"), (0,)) == 12
    request, answer = net.drain(s)
    assert request[20:] == echo(7, 1, b"data")
    assert answer[20:] == echo(7, 1, b"data", type=0)
    assert header(answer)[0] == 32
    assert header(answer)[3:] == (64, ICMP)


@pytest.mark.parametrize("size", [56, 8000, 65507 - 8])
def test_large_echoes_come_back_whole(net, size):
    s = net.socket(SOCK_RAW, ICMP)
    data = bytes(range(256)) * (size // 256) + bytes(size % 256)
    assert net.send(s, echo(7, 1, data), (0,)) == size + 8
    request, answer = [net.recv(s, 65536)[0] for _ in range(2)]
    assert request[28:] == data
    assert answer[28:] == data


def test_a_small_mtu_fragments(net, host):
    lo = host.kernel.init_net.loopback_dev
    lo.mtu = 1500
    a, s = net.bound(5000), net.socket()
    net.set(s, IP, IP_MTU_DISCOVER, 0)
    data = bytes(range(256)) * 20
    assert net.send(s, data, (5000,)) == 5120
    assert net.recv(a, 65536)[0] == data
    mib = host.kernel.init_net.mib.ip_statistics
    assert sum(mib) > 0
    net.set(s, IP, IP_MTU_DISCOVER, PMTU_DO)
    assert net.send(s, data, (5000,)) == -EMSGSIZE
    net.set(s, IP, IP_MTU_DISCOVER, PMTU_PROBE)
    assert net.send(s, bytes(1472), (5000,)) == 1472
    assert net.send(s, bytes(1473), (5000,)) == -EMSGSIZE
    raw = net.socket(SOCK_RAW, ICMP)
    assert net.send(raw, echo(1, 1, data), (0,)) == 5128
    assert [p[28:] for p in (net.recv(raw, 65536)[0], net.recv(raw, 65536)[0])] == [data, data]


def fragment(ident, offset, more, data):
    head = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(data), ident, more << 13 | offset >> 3, 64, UDP, 0,
                       bytes((127, 0, 0, 1)), bytes((127, 0, 0, 1)))  # fmt: skip
    return head


def test_fragments_out_of_order(net, host):
    a = net.bound(5000)
    s = net.socket(SOCK_RAW, RAW)
    payload = bytes(range(200)) * 12
    datagram = struct.pack(">HHHH", 9, 5000, 8 + len(payload), 0) + payload
    cuts = [(0, 800), (800, 1600), (1600, len(datagram))]
    for start, end in (cuts[2], cuts[0], cuts[0], cuts[1]):
        part = datagram[start:end]
        assert net.send(s, fragment(77, start, end < len(datagram), part) + part, (0,)) == 20 + len(part)
    assert net.recv(a, 65536) == (payload, 9, "127.0.0.1")
    part = datagram[:800]
    net.send(s, fragment(78, 0, True, part) + part, (0,))
    net.tick(31)
    assert host.kernel.init_net.ipv4.fqdir._queues == {}
    part = datagram[800:]
    net.send(s, fragment(78, 800, False, part) + part, (0,))
    assert net.recv(a) == -EAGAIN


def test_headers_of_ones_own(net):
    s = net.socket(SOCK_RAW, RAW)
    a = net.bound(5000)
    datagram = struct.pack(">HHHH", 9, 5000, 12, 0) + b"made"
    head = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 0, 5, 0, 3, UDP, 0, bytes((127, 0, 0, 9)), bytes((127, 0, 0, 1)))
    assert net.send(s, head + datagram, (0,)) == 32
    assert net.recv(a) == (b"made", 9, "127.0.0.9")
    bad = struct.pack(">HHHH", 9, 5000, 12, 1) + b"made"
    assert net.send(s, head + bad, (0,)) == 32
    assert net.recv(a) == -EAGAIN
    assert net.send(s, head[:10], (0,)) == -EINVAL
    assert net.recv(s) == -EAGAIN


def test_raw_sockets_see_their_protocol_only(net):
    s, u = net.socket(SOCK_RAW, UDP), net.socket(SOCK_RAW, ICMP)
    net.send(net.socket(), b"x", (5001,))
    (seen,) = net.drain(s)
    assert seen[28:] == b"x"
    (error,) = net.drain(u)
    assert error[20:22] == b"\3\3"
    assert error[28:48] == seen[:20]


def test_icmp_filter(net):
    s = net.socket(SOCK_RAW, ICMP)
    assert net.set(s, RAW, ICMP_FILTER, ~(1 << 0)) == 0
    assert net.get(s, RAW, ICMP_FILTER) == ~1
    net.send(s, echo(1, 1), (0,))
    (answer,) = net.drain(s)
    assert answer[20] == 0


def test_raw_connect_and_privilege(net, host):
    s = net.socket(SOCK_RAW, ICMP)
    assert net.send(s, echo(1, 1)) == -EDESTADDRREQ
    assert net.connect(s, 0) == 0
    assert net.send(s, echo(1, 1)) == 8
    child = host.fork()
    host("setuid", 1000, task=child)
    assert host("socket", 2, SOCK_RAW, ICMP, task=child) == -EPERM


def test_ping_sockets(net, host):
    assert net.socket(SOCK_DGRAM, ICMP) == -EACCES
    host.kernel.init_net.ipv4.ping_group_range.range = [0, 100]
    s, other = net.socket(SOCK_DGRAM, ICMP), net.socket(SOCK_DGRAM, ICMP)
    assert net.send(s, echo(1, 5, b"pong"), (0,)) == 12
    ident = net.name(s)[0]
    assert ident
    data, _, address = net.recv(s)
    assert (data, address) == (echo(ident, 5, b"pong", type=0), "127.0.0.1")
    assert net.recv(other) == -EAGAIN
    assert net.send(s, echo(1, 1, type=13), (0,)) == -EINVAL
    assert net.send(s, b"short", (0,)) == -EINVAL
    assert net.bind(other, ident, "0.0.0.0") == 0  # these sockets share by INET_PROTOSW_REUSE


def test_ttl_runs_out_only_on_the_way(net):
    a, s = net.bound(5000), net.socket()
    assert net.set(s, IP, IP_TTL, 1) == 0
    net.send(s, b"near", (5000,))
    assert net.drain(a) == [b"near"]


def test_errors_are_limited(net, host):
    """icmp_global_allow() does not count for loopback."""
    s = net.socket(SOCK_RAW, ICMP)
    u = net.socket()
    for _ in range(60):
        net.send(u, b"x", (5001,))
    assert len(net.drain(s)) == 60
    assert host.kernel.init_net.ipv4.sysctl_icmp_msgs_per_sec == 1000
