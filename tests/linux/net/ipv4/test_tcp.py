"""TCP over loopback: handshake, data, urgent data, timers."""

import struct

import pytest

from kshell.linux.include.linux import snmp
from tests.linux.net.ipv4.tcp_sockets import (
    CLOSE,
    CORK,
    DEFER_ACCEPT,
    DONTWAIT,
    EAGAIN,
    ECONNREFUSED,
    EINPROGRESS,
    EINVAL,
    EISCONN,
    ESTABLISHED,
    KEEPALIVE,
    KEEPCNT,
    KEEPIDLE,
    KEEPINTVL,
    MORE,
    NODELAY,
    NONBLOCK,
    OOB,
    OOBINLINE,
    PEEK,
    POLLERR,
    POLLHUP,
    POLLIN,
    POLLOUT,
    POLLPRI,
    RCVTIMEO,
    SYN_SENT,
    TRUNC,
    WAITALL,
    sockaddr,
)


def test_handshake_establishes_both_ends(tcp):
    client, server = tcp.established()
    assert tcp.state(client) == tcp.state(server) == ESTABLISHED
    assert tcp.states() == [1, 1]
    assert tcp.sk(client).rx_opt.snd_wscale == 7
    assert tcp.sk(client).rx_opt.tstamp_ok
    assert tcp.sk(client).rx_opt.sack_ok
    assert tcp.sk(client).advmss == 65483
    assert tcp.sk(client).snd_wnd == tcp.sk(server).rcv_wnd


def test_refused(tcp):
    fd = tcp.socket()
    assert tcp.connect(fd) == ECONNREFUSED
    assert tcp.state(fd) == CLOSE
    assert tcp.connect(fd) == ECONNREFUSED  # the socket can be used again


def test_nonblocking_connect_is_done_when_polled(tcp):
    tcp.listener()
    fd = tcp.socket(NONBLOCK)
    assert tcp.connect(fd) == EINPROGRESS
    assert tcp.poll(fd) & POLLOUT
    assert tcp.connect(fd) == 0
    assert tcp.connect(fd) == EISCONN


def test_nonblocking_connect_refused_tells_by_so_error(tcp):
    fd = tcp.socket(NONBLOCK)
    assert tcp.connect(fd) == EINPROGRESS
    assert tcp.poll(fd) & (POLLERR | POLLHUP) == POLLERR | POLLHUP
    assert tcp.error(fd) == 111
    assert tcp.error(fd) == 0


def test_accept_waits_for_a_connection(tcp):
    listener = tcp.listener()
    child = tcp.host.fork()
    call = tcp.host("accept", listener, 0, 0, task=child)
    assert not call.done
    assert tcp.connect(tcp.socket()) == 0
    tcp.host.machine.run()
    assert call.result > 0


@pytest.mark.parametrize("sizes", [(1,), (5, 7), (100000,), (65483, 1, 300000)])
def test_stream_keeps_bytes_and_order(tcp, sizes):
    client, server = tcp.established()
    sent = b""
    got = b""
    for number, size in enumerate(sizes):
        data = bytes((number + i) & 0xFF for i in range(min(size, 60000))) * (size // min(size, 60000))
        at = 0
        while at < len(data):
            n = tcp.send(client, data[at : at + 20000], DONTWAIT)
            assert n > 0
            at += n
            tcp.host.used = 0
            got += tcp.recv(server, 100000)
            tcp.host.used = 0
        sent += data
    assert got == sent


def test_peek_trunc_waitall(tcp):
    client, server = tcp.established()
    tcp.send(client, b"hello world")
    assert tcp.recv(server, 5, PEEK) == b"hello"
    assert tcp.recv(server, 5, PEEK) == b"hello"
    assert len(tcp.recv(server, 6, TRUNC)) == 6
    assert tcp.recv(server, 100, DONTWAIT) == b"world"
    assert tcp.recv(server, 1, DONTWAIT) == EAGAIN
    tcp.send(client, b"abc")
    call = tcp.recv(server, 6, WAITALL)
    assert not call.done


def test_nagle_holds_the_second_small_segment_back_until_an_ack(tcp):
    client, server = tcp.established()
    for _ in range(40):  # leave quick ACK mode
        tcp.send(client, b"x")
        tcp.recv(server)
    segs = tcp.sk(client).data_segs_out
    tcp.send(client, b"a")
    tcp.send(client, b"b")
    assert tcp.sk(client).data_segs_out == segs + 1
    tcp.wait(0.3)
    assert tcp.sk(client).data_segs_out == segs + 2
    tcp.set(client, 6, NODELAY, 1)
    tcp.send(client, b"c")
    tcp.send(client, b"d")
    assert tcp.sk(client).data_segs_out == segs + 4


def test_cork_sends_when_taken_off_or_after_200_ms(tcp):
    client, server = tcp.established()
    tcp.set(client, 6, CORK, 1)
    tcp.send(client, b"ab")
    assert tcp.recv(server, 10, DONTWAIT) == EAGAIN
    tcp.set(client, 6, CORK, 0)
    assert tcp.recv(server, 10, DONTWAIT) == b"ab"
    tcp.send(client, b"cd", MORE)
    assert tcp.recv(server, 10, DONTWAIT) == EAGAIN
    tcp.wait(0.25)
    assert tcp.recv(server, 10, DONTWAIT) == b"cd"


def test_urgent_data(tcp):
    client, server = tcp.established()
    tcp.send(client, b"abc")
    tcp.send(client, b"!", OOB)
    tcp.send(client, b"def")
    assert tcp.poll(server) & POLLPRI
    where = tcp.host.room(4)
    assert tcp.recv(server, 10) == b"abc"
    assert tcp.host("ioctl", server, 0x8905, where) == 0
    assert tcp.host.word(where) == 1
    assert tcp.recv(server, 1, OOB) == b"!"
    assert tcp.recv(server, 1, OOB) == EINVAL
    assert tcp.recv(server, 10) == b"def"
    assert not tcp.poll(server) & POLLPRI


def test_urgent_data_inline(tcp):
    client, server = tcp.established()
    tcp.set(server, 1, OOBINLINE, 1)
    tcp.send(client, b"ab!", OOB)
    assert tcp.recv(server, 10) == b"ab"
    assert tcp.recv(server, 10) == b"!"
    assert tcp.recv(server, 1, OOB) == EINVAL


def test_ioctls_count_queues(tcp):
    client, server = tcp.established()
    tcp.send(client, b"12345")
    where = tcp.host.room(4)
    for fd, command, value in ((server, 0x541B, 5), (client, 0x541B, 0), (client, 0x894B, 0)):
        assert tcp.host("ioctl", fd, command, where) == 0
        assert tcp.host.word(where) == value


def test_simultaneous_open_with_oneself(tcp):
    fd = tcp.socket()
    assert tcp.host("bind", fd, sockaddr(), 16) == 0
    assert tcp.connect(fd) == 0
    assert tcp.state(fd) == ESTABLISHED
    tcp.send(fd, b"me")
    assert tcp.recv(fd) == b"me"


def test_receive_timeout(tcp):
    client, _ = tcp.established()
    tcp.host("setsockopt", client, 1, RCVTIMEO, struct.pack("<qq", 0, 100000), 16)
    call = tcp.recv(client)
    assert not call.done
    tcp.wait(0.2)
    assert call.result == EAGAIN


def test_backlog_overflow_drops_the_syn_until_there_is_room(tcp):
    listener = tcp.listener(backlog=0)
    first, second = tcp.socket(), tcp.socket(NONBLOCK)
    assert tcp.connect(first) == 0
    assert tcp.connect(second) == EINPROGRESS
    assert tcp.state(second) == SYN_SENT
    assert tcp.mib(snmp.LINUX_MIB_LISTENOVERFLOWS) >= 1
    assert tcp.host("accept", listener, 0, 0) > 0
    tcp.wait(1.1)
    assert tcp.state(second) == ESTABLISHED


def test_syn_without_answer_times_out(tcp):
    tcp.listener(backlog=0)
    assert tcp.connect(tcp.socket()) == 0
    fd = tcp.socket(NONBLOCK)
    tcp.set(fd, 6, 7, 1)  # TCP_SYNCNT
    assert tcp.connect(fd) == EINPROGRESS
    tcp.wait(2.9)
    assert tcp.state(fd) == SYN_SENT
    tcp.wait(0.4)
    assert tcp.state(fd) == CLOSE
    assert tcp.error(fd) == 110


def test_send_buffer_fills_and_window_opens(tcp):
    client, server = tcp.established()
    total = 0
    data = b"z" * 100000
    while (n := tcp.send(client, data, DONTWAIT)) > 0:
        total += n
        tcp.host.used = 0
    assert n == EAGAIN
    assert not tcp.poll(client) & POLLOUT
    got = 0
    for _ in range(200):
        tcp.host.used = 0
        data = tcp.recv(server, 200000, DONTWAIT)
        if isinstance(data, int):
            tcp.wait(0.3)
            tcp.host.used = 0
            data = tcp.recv(server, 200000, DONTWAIT)
            if isinstance(data, int):
                break
        got += len(data)
    assert got == total
    assert tcp.poll(client) & POLLOUT


def test_keepalive_keeps_an_idle_connection(tcp):
    client, _server = tcp.established()
    for name, value in ((KEEPIDLE, 2), (KEEPINTVL, 1), (KEEPCNT, 2)):
        assert tcp.set(client, 6, name, value) == 0
    tcp.set(client, 1, KEEPALIVE, 1)
    tcp.wait(20)
    assert tcp.state(client) == ESTABLISHED
    assert tcp.mib(snmp.LINUX_MIB_TCPKEEPALIVE) >= 8


def test_defer_accept_waits_for_data(tcp):
    listener = tcp.listener()
    assert tcp.set(listener, 6, DEFER_ACCEPT, 5) == 0
    client = tcp.socket()
    assert tcp.connect(client) == 0
    assert not tcp.poll(listener) & POLLIN
    tcp.send(client, b"go")
    assert tcp.poll(listener) & POLLIN


def test_everything_is_given_back(tcp):
    tcp.time_wait(7100)
    tcp.wait(70)
    before = {cache.name: cache._inuse for cache in tcp.host.kernel.slab_caches}
    for port in (7001, 7002):
        client, server = tcp.established(port)
        tcp.send(client, b"data")
        tcp.recv(server)
        tcp.host("close", client)
        tcp.host("close", server)
    tcp.wait(70)
    kernel = tcp.host.kernel
    assert {cache.name: cache._inuse for cache in kernel.slab_caches} == before
    assert (kernel.tcp_memory_allocated, kernel.tcp_orphan_count) == (0, 0)
