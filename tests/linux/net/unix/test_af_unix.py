"""AF_UNIX sockets through the system call door."""

import struct

import pytest

from kshell.abi.errno import (
    EADDRINUSE,
    EAGAIN,
    ECONNREFUSED,
    ECONNRESET,
    EINVAL,
    EISCONN,
    EMSGSIZE,
    ENOENT,
    ENOTCONN,
    EOPNOTSUPP,
    EPERM,
    EPIPE,
    EPROTONOSUPPORT,
    EPROTOTYPE,
    ESOCKTNOSUPPORT,
)
from kshell.abi.fcntl import O_NONBLOCK
from kshell.abi.ioctl import SIOCATMARK, SIOCINQ
from kshell.abi.poll import POLLHUP, POLLIN, POLLOUT, POLLPRI, POLLRDHUP
from kshell.abi.socket import (
    AF_UNIX,
    MSG_DONTWAIT,
    MSG_NOSIGNAL,
    MSG_OOB,
    MSG_PEEK,
    MSG_TRUNC,
    SHUT_RD,
    SHUT_WR,
    SO_PEEK_OFF,
    SO_PEERCRED,
    SOCK_DGRAM,
    SOCK_RAW,
    SOCK_SEQPACKET,
    SOCK_STREAM,
    SOL_SOCKET,
)

KINDS = pytest.mark.parametrize("kind", [SOCK_STREAM, SOCK_SEQPACKET])


def addr(name):
    return struct.pack("<H", AF_UNIX) + name


def sock(host, kind=SOCK_STREAM, task=None):
    return host("socket", AF_UNIX, kind, 0, task=task)


def bound(host, name, kind=SOCK_STREAM):
    fd = sock(host, kind)
    assert host("bind", fd, addr(name), len(addr(name))) == 0
    return fd


def listening(host, name=b"/tmp/s", backlog=5, kind=SOCK_STREAM):
    fd = bound(host, name, kind)
    assert host("listen", fd, backlog) == 0
    return fd


def connect(host, fd, name, task=None):
    return host("connect", fd, addr(name), len(addr(name)), task=task)


def name_of(host, fd, call="getsockname"):
    where, length = host.room(128), host.put((128).to_bytes(4, "little"))
    got = host(call, fd, where, length)
    return host.get(where, host.word(length)) if got == 0 else got


def send(host, fd, data, flags=0, to=None):
    where = addr(to) if to else b""
    return host("sendto", fd, data, len(data), flags, where or 0, len(where))


def recv(host, fd, n=100, flags=MSG_DONTWAIT):
    where = host.room(n)
    got = host("recvfrom", fd, where, n, flags, 0, 0)
    return host.get(where, min(got, n)) if got >= 0 else got


@pytest.mark.parametrize(
    ("kind", "protocol", "result"),
    [
        (SOCK_STREAM, 0, 0),
        (SOCK_RAW, 0, 0),
        (SOCK_DGRAM, 1, 0),
        (SOCK_SEQPACKET, 0, 0),
        (SOCK_STREAM, 2, -EPROTONOSUPPORT),
        (4, 0, -ESOCKTNOSUPPORT),
    ],
)
def test_socket(host, kind, protocol, result):
    fd = host("socket", AF_UNIX, kind, protocol)
    assert (fd if result else min(fd, 0)) == result


def test_paths_and_abstract_names(host):
    fd = bound(host, b"/tmp/name")
    assert name_of(host, fd) == addr(b"/tmp/name\0")
    assert host("bind", fd, addr(b"/tmp/other"), 12) == -EINVAL
    assert host("bind", sock(host), addr(b"/tmp/name"), 11) == -EADDRINUSE
    assert host("bind", sock(host), addr(b"/none/name"), 12) == -ENOENT
    abstract = bound(host, b"\0hidden")
    assert name_of(host, abstract) == addr(b"\0hidden")
    assert host("bind", sock(host), addr(b"\0hidden"), 9) == -EADDRINUSE
    assert host("close", abstract) == 0
    bound(host, b"\0hidden")


def test_autobind_and_no_name(host):
    fd = sock(host)
    assert name_of(host, fd) == addr(b"")
    assert host("bind", fd, addr(b""), 2) == 0
    name = name_of(host, fd)
    assert len(name) == 8
    assert name[2] == 0
    int(name[3:], 16)
    assert host("bind", fd, addr(b""), 1) == -EINVAL


@KINDS
def test_connect_accept_and_talk(host, kind):
    listener = listening(host, kind=kind)
    client = sock(host, kind)
    assert connect(host, client, b"/tmp/s") == 0
    assert send(host, client, b"early") == 5
    server = host("accept", listener, 0, 0)
    assert recv(host, server) == b"early"
    assert name_of(host, client, "getpeername") == addr(b"/tmp/s\0")
    assert name_of(host, server) == addr(b"/tmp/s\0")
    assert connect(host, client, b"/tmp/s") == -EISCONN
    host("close", client)
    assert recv(host, server) == b""
    assert send(host, server, b"x", MSG_NOSIGNAL) == -EPIPE


def test_connect_errors(host):
    stream, dgram = sock(host), sock(host, SOCK_DGRAM)
    assert connect(host, stream, b"/tmp/none") == -ENOENT
    assert connect(host, stream, b"\0none") == -ECONNREFUSED
    bound(host, b"/tmp/deaf")
    assert connect(host, stream, b"/tmp/deaf") == -ECONNREFUSED
    assert connect(host, dgram, b"/tmp/deaf") == -EPROTOTYPE
    host("mknod", b"/tmp/plain\0", 0o100600, 0)
    assert connect(host, stream, b"/tmp/plain") == -ECONNREFUSED
    assert host("listen", stream, 1) == -EINVAL
    assert host("listen", dgram, 1) == -EOPNOTSUPP
    assert host("accept", stream, 0, 0) == -EINVAL
    assert host("accept", dgram, 0, 0) == -EOPNOTSUPP


def test_a_full_backlog_makes_connect_wait(host):
    listener = listening(host, backlog=0)
    assert connect(host, sock(host), b"/tmp/s") == 0
    hasty = host("socket", AF_UNIX, SOCK_STREAM | O_NONBLOCK, 0)
    assert connect(host, hasty, b"/tmp/s") == -EAGAIN
    child = host.fork()
    call = host("connect", sock(host, task=child), host.put(addr(b"/tmp/s"), child), 8, task=child)
    assert not call.done
    host("accept", listener, 0, 0)
    host.machine.run()
    assert call.result == 0


def test_unread_data_resets_the_peer(host):
    a, b = host.pair("socketpair", AF_UNIX, SOCK_STREAM, 0, ...)
    send(host, a, b"unread")
    host("close", b)
    assert recv(host, a) == -ECONNRESET
    assert recv(host, a) == b""


def test_a_reader_sleeps_until_data_comes(host):
    a, b = host.pair("socketpair", AF_UNIX, SOCK_STREAM, 0, ...)
    child = host.fork()
    call = host.read(b, 10, child)
    assert not call.done
    host.write(a, b"hello")
    host.machine.run()
    assert call.result == 5


def test_a_stream_has_no_borders_and_records_have(host):
    a, b = host.pair("socketpair", AF_UNIX, SOCK_STREAM, 0, ...)
    send(host, a, b"abc")
    send(host, a, b"def")
    assert recv(host, b, 4) == b"abcd"
    assert recv(host, b) == b"ef"
    a, b = host.pair("socketpair", AF_UNIX, SOCK_SEQPACKET, 0, ...)
    send(host, a, b"abc")
    send(host, a, b"def")
    assert recv(host, b, 2) == b"ab"
    assert recv(host, b) == b"def"


def test_peeking(host):
    a, b = host.pair("socketpair", AF_UNIX, SOCK_STREAM, 0, ...)
    send(host, a, b"abc")
    send(host, a, b"def")
    assert recv(host, b, 100, MSG_PEEK | MSG_DONTWAIT) == b"abcdef"
    assert host("setsockopt", b, SOL_SOCKET, SO_PEEK_OFF, (4).to_bytes(4, "little"), 4) == 0
    assert recv(host, b, 100, MSG_PEEK | MSG_DONTWAIT) == b"ef"
    assert recv(host, b, 2) == b"ab"
    assert recv(host, b) == b"cdef"


def test_a_datagram_can_be_cut(host):
    a, b = host.pair("socketpair", AF_UNIX, SOCK_DGRAM, 0, ...)
    send(host, a, b"0123456789")
    where = host.room(4)
    assert host("recvfrom", b, where, 4, MSG_PEEK | MSG_TRUNC, 0, 0) == 10
    assert recv(host, b, 4) == b"0123"
    assert recv(host, b) == -EAGAIN
    assert send(host, a, bytes(300000)) == -EMSGSIZE


def test_datagrams_go_by_name(host):
    receiver = bound(host, b"/tmp/r", SOCK_DGRAM)
    sender = bound(host, b"/tmp/sender", SOCK_DGRAM)
    assert send(host, sender, b"hi", to=b"/tmp/r") == 2
    where, length = host.room(128), host.put((128).to_bytes(4, "little"))
    assert host("recvfrom", receiver, host.room(9), 9, 0, where, length) == 2
    assert host.get(where, host.word(length)) == addr(b"/tmp/sender\0")
    assert send(host, sender, b"hi") == -ENOTCONN
    assert connect(host, sender, b"/tmp/r") == 0
    assert connect(host, receiver, b"/tmp/r") == 0  # to itself: nobody else may send now
    assert send(host, sender, b"hi") == -EPERM


def test_a_full_receiver_stops_its_senders(host):
    bound(host, b"/tmp/r", SOCK_DGRAM)
    sender = sock(host, SOCK_DGRAM)
    connect(host, sender, b"/tmp/r")
    sent = 0
    while send(host, sender, b"x", MSG_DONTWAIT) == 1:
        sent += 1
    assert sent == 11
    assert host.poll((sender, POLLOUT))[1] == [0]


def test_a_dead_receiver_refuses_once(host):
    receiver = bound(host, b"/tmp/r", SOCK_DGRAM)
    sender = sock(host, SOCK_DGRAM)
    connect(host, sender, b"/tmp/r")
    host("close", receiver)
    assert send(host, sender, b"x") == -ECONNREFUSED
    assert send(host, sender, b"x") == -ENOTCONN


def test_shutdown_is_seen_by_the_peer(host):
    a, b = host.pair("socketpair", AF_UNIX, SOCK_STREAM, 0, ...)
    assert host("shutdown", a, SHUT_WR) == 0
    assert send(host, a, b"x", MSG_NOSIGNAL) == -EPIPE
    assert recv(host, b) == b""
    assert host.poll((b, POLLIN | POLLOUT | POLLRDHUP))[1] == [POLLIN | POLLOUT | POLLRDHUP]
    assert host("shutdown", a, SHUT_RD) == 0
    assert host.poll((b, 0))[1] == [POLLHUP]
    assert host("shutdown", a, 3) == -EINVAL


def test_a_full_buffer_makes_the_writer_wait(host):
    a, b = host.pair("socketpair", AF_UNIX, SOCK_STREAM, 0, ...)
    where = host.room(300000)
    sent = host("sendto", a, where, 300000, MSG_DONTWAIT, 0, 0)
    assert 0 < sent < 300000
    assert host("sendto", a, where, 1, MSG_DONTWAIT, 0, 0) == -EAGAIN
    child = host.fork()
    call = host("sendto", a, where, 1, 0, 0, 0, task=child)
    assert not call.done
    assert len(recv(host, b, 300000)) == sent
    host.machine.run()
    assert call.result == 1


def test_out_of_band(host):
    a, b = host.pair("socketpair", AF_UNIX, SOCK_STREAM, 0, ...)
    send(host, a, b"abX", MSG_OOB)
    send(host, a, b"cd")
    assert host.poll((b, POLLPRI))[1] == [POLLPRI]
    assert recv(host, b) == b"ab"
    mark = host.room(4)
    assert host("ioctl", b, SIOCATMARK, mark) == 0
    assert host.word(mark) == 1
    assert recv(host, b, 10, MSG_OOB) == b"X"
    assert recv(host, b, 10, MSG_OOB) == -EINVAL


def test_the_number_of_waiting_bytes(host):
    a, b = host.pair("socketpair", AF_UNIX, SOCK_STREAM, 0, ...)
    send(host, a, b"abc")
    send(host, a, b"de")
    where = host.room(4)
    assert host("ioctl", b, SIOCINQ, where) == 0
    assert host.word(where) == 5


def test_peer_credentials(host):
    a, _ = host.pair("socketpair", AF_UNIX, SOCK_STREAM, 0, ...)
    where, length = host.room(12), host.put((12).to_bytes(4, "little"))
    assert host("getsockopt", a, SOL_SOCKET, SO_PEERCRED, where, length) == 0
    assert struct.unpack("<iII", host.get(where, 12)) == (1, 0, 0)


def test_closing_frees_everything(host):
    before = {c.name: c._inuse for c in host.kernel.slab_caches}
    listener = listening(host, b"\0l")
    client, other = sock(host), sock(host)
    connect(host, client, b"\0l")
    connect(host, other, b"\0l")
    server = host("accept", listener, 0, 0)
    send(host, client, b"unread")
    for fd in (client, listener, server, other):
        host("close", fd)
    assert {c.name: c._inuse for c in host.kernel.slab_caches} == before
    assert host.kernel.unix_nr_socks == 0
