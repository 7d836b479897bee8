"""UDP through the system call door."""

import struct

import pytest

from kshell.abi.errno import (
    EACCES,
    EADDRINUSE,
    EADDRNOTAVAIL,
    EAFNOSUPPORT,
    EAGAIN,
    ECONNREFUSED,
    EDESTADDRREQ,
    EINVAL,
    EMSGSIZE,
    ENETUNREACH,
    ENOPROTOOPT,
    ENOTCONN,
    EOPNOTSUPP,
)
from kshell.abi.poll import POLLERR, POLLIN, POLLOUT
from kshell.abi.socket import (
    MSG_DONTWAIT,
    MSG_ERRQUEUE,
    MSG_MORE,
    MSG_OOB,
    MSG_PEEK,
    MSG_TRUNC,
    SO_BROADCAST,
    SO_ERROR,
    SO_RCVBUF,
    SO_REUSEADDR,
    SO_REUSEPORT,
    SOCK_DGRAM,
    SOL_SOCKET,
)

UDP, UDP_CORK, UDP_SEGMENT, UDP_GRO = 17, 1, 103, 104
IP, IP_RECVERR = 0, 11


def test_datagrams_keep_their_bounds(net):
    a = net.bound(5000)
    b = net.socket()
    for data in (b"one", b"", b"three"):
        assert net.send(b, data, (5000,)) == len(data)
    port = net.name(b)[0]
    assert 32768 <= port <= 60999
    assert net.recv(a) == (b"one", port, "127.0.0.1")
    assert net.recv(a) == (b"", port, "127.0.0.1")
    assert net.recv(a) == (b"three", port, "127.0.0.1")
    assert net.recv(a) == -EAGAIN


def test_truncation_and_peeking(net):
    a, b = net.bound(5000), net.socket()
    net.send(b, b"hello", (5000,))
    assert net.recv(a, 2, MSG_PEEK)[0] == b"he"
    data, _, flags = net.recvmsg(a, 3, MSG_TRUNC)
    assert (data, flags) == (b"hel", MSG_TRUNC)
    assert net.recv(a) == -EAGAIN


def test_blocking_receive_wakes(net, host):
    a, b = net.bound(5000), net.socket()
    child = host.fork()
    where = host.room(10)
    call = host("recvfrom", a, where, 10, 0, 0, 0, task=child)
    assert not isinstance(call, int)
    net.send(b, b"x", (5000,))
    host.machine.run()
    assert call.done
    assert call.result == 1


@pytest.mark.parametrize("size", [1, 1472, 60000, 65507])
def test_sizes(net, size):
    a, b = net.bound(5000), net.socket()
    assert net.send(b, bytes(size), (5000,)) == size
    assert len(net.recv(a, 65536)[0]) == size


def test_refusals(net):
    s = net.socket()
    assert net.send(s, b"x") == -EDESTADDRREQ
    assert net.send(s, b"x", (5000,), MSG_OOB) == -EOPNOTSUPP
    assert net.send(s, bytes(65508), (5000,)) == -EMSGSIZE
    assert net.send(s, b"x", (0,)) == -EINVAL
    assert net.send(s, b"x", (9, "10.1.2.3")) == -ENETUNREACH
    assert net.bind(s, 5000, "10.1.2.3") == -EADDRNOTAVAIL
    assert net.name(s, "getpeername") == -ENOTCONN
    assert net.host("bind", s, struct.pack("<H", 10) + bytes(26), 28) == -EAFNOSUPPORT
    assert net.host("listen", s, 1) == -EOPNOTSUPP


def test_nobody_listens(net, host):
    s = net.socket()
    assert net.connect(s, 5001) == 0
    assert net.send(s, b"x") == 1
    assert host.poll((s, POLLIN | POLLOUT))[1] == [POLLOUT | POLLERR]
    assert net.send(s, b"x") == -ECONNREFUSED
    assert net.send(s, b"x") == 1
    assert net.get(s, SOL_SOCKET, SO_ERROR) == ECONNREFUSED
    assert net.recv(s) == -EAGAIN


def test_an_unconnected_socket_hears_no_errors(net):
    s = net.socket()
    net.send(s, b"x", (5001,))
    assert net.recv(s) == -EAGAIN
    assert net.set(s, IP, IP_RECVERR, 1) == 0
    net.send(s, b"lost", (5001,))
    data, control, flags = net.recvmsg(s, flags=MSG_ERRQUEUE | MSG_DONTWAIT)
    assert data == b"lost"
    assert flags & MSG_ERRQUEUE
    ((level, kind, error),) = control
    assert (level, kind) == (IP, IP_RECVERR)
    assert struct.unpack_from("<IBBB", error) == (ECONNREFUSED, 2, 3, 3)


def test_connected_sockets_take_from_their_peer_only(net):
    a, b, c = net.bound(5000), net.bound(5001), net.bound(5002)
    assert net.connect(a, 5001) == 0
    assert net.name(a, "getpeername") == (5001, "127.0.0.1")
    net.send(c, b"no", (5000,))
    net.send(b, b"yes", (5000,))
    assert net.drain(a) == [b"yes"]
    assert net.host("connect", a, struct.pack("<H", 0) + bytes(14), 16) == 0
    assert net.name(a, "getpeername") == -ENOTCONN


def test_port_conflicts(net):
    net.bound(5000)
    s = net.socket()
    assert net.bind(s, 5000) == -EADDRINUSE
    assert net.bind(s, 5000, "0.0.0.0") == -EADDRINUSE
    assert net.bind(s, 5000, "127.0.0.2") == 0
    assert net.bind(s, 5001) == -EINVAL


def test_reuse_needs_both(net):
    a = net.socket()
    net.set(a, SOL_SOCKET, SO_REUSEADDR, 1)
    assert net.bind(a, 5000) == 0
    b = net.socket()
    assert net.bind(b, 5000) == -EADDRINUSE
    net.set(b, SOL_SOCKET, SO_REUSEADDR, 1)
    assert net.bind(b, 5000) == 0
    net.send(net.socket(), b"to the last", (5000,))
    assert (net.drain(a), net.drain(b)) == ([], [b"to the last"])


def test_reuseport_spreads_and_keeps_flows(net):
    group = []
    for _ in range(4):
        fd = net.socket()
        net.set(fd, SOL_SOCKET, SO_REUSEPORT, 1)
        assert net.bind(fd, 5000) == 0
        group.append(fd)
    for _ in range(24):
        s = net.socket()
        net.send(s, b"1", (5000,))
        net.send(s, b"2", (5000,))
        net.host("close", s)
    got = [net.drain(fd) for fd in group]
    assert sum(map(len, got)) == 48
    assert sum(bool(g) for g in got) > 1
    assert all(len(g) % 2 == 0 for g in got)


def test_autobind_runs_out(net, host):
    host.kernel.init_net.ipv4.ip_local_ports.range = [40000, 40003]
    ports = set()
    for _ in range(4):
        s = net.socket()
        net.send(s, b"", (9,))
        ports.add(net.name(s)[0])
    assert ports == {40000, 40001, 40002, 40003}
    assert net.send(net.socket(), b"", (9,)) == -EAGAIN


def test_cork(net):
    a, s = net.bound(5000), net.socket()
    net.connect(s, 5000)
    assert net.send(s, b"one ", flags=MSG_MORE) == 4
    assert net.send(s, b"two") == 3
    assert net.drain(a) == [b"one two"]
    assert net.set(s, UDP, UDP_CORK, 1) == 0
    net.send(s, b"a")
    net.send(s, b"b")
    assert net.drain(a) == []
    assert net.set(s, UDP, UDP_CORK, 0) == 0
    assert net.drain(a) == [b"ab"]


def test_segments(net):
    a, s = net.bound(5000), net.socket()
    assert net.set(s, UDP, UDP_SEGMENT, 3) == 0
    assert net.get(s, UDP, UDP_SEGMENT) == 3
    assert net.send(s, b"abcdefgh", (5000,)) == 8
    assert net.drain(a) == [b"abc", b"def", b"gh"]
    assert net.set(s, UDP, UDP_SEGMENT, 65536) == -EINVAL
    assert net.get(s, UDP, 99) == -ENOPROTOOPT


def test_broadcast_needs_permission(net):
    s = net.socket()
    assert net.send(s, b"x", (5000, "127.255.255.255")) == -EACCES
    net.set(s, SOL_SOCKET, SO_BROADCAST, 1)
    assert net.send(s, b"x", (5000, "127.255.255.255")) == 1


def test_a_full_buffer_drops(net, host):
    a, s = net.bound(5000), net.socket()
    net.set(a, SOL_SOCKET, SO_RCVBUF, 2304)
    for n in range(20):
        net.send(s, bytes([n]), (5000,))
    got = net.drain(a)
    assert 0 < len(got) < 20
    assert got == [bytes([n]) for n in range(len(got))]
    dropped = host.kernel.init_net.mib.udp_statistics
    assert sum(dropped) > 0


def test_memory_is_given_back(net, host):
    before = host.kernel.udp_memory_allocated
    a, s = net.bound(5000), net.socket()
    for _ in range(50):
        net.send(s, bytes(3000), (5000,))
    net.host("close", a)
    net.host("close", s)
    host.machine.run()
    assert host.kernel.udp_memory_allocated == before
    assert not any(slot.head for slot in host.kernel.udp_table.hash2.values())


def test_closed_sockets_free_their_port(net):
    a = net.bound(5000)
    net.host("close", a)
    net.bound(5000)


def test_unknown_protocols(net, host):
    assert host("socket", 2, SOCK_DGRAM, 6) == -93  # EPROTONOSUPPORT
    assert host("socket", 2, SOCK_DGRAM, 263) == -EINVAL
