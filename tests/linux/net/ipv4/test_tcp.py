"""TCP over loopback: handshake, data, urgent data, close in every order, timers."""

import struct

import pytest

from kshell.linux.include.linux import snmp
from kshell.linux.kernel.stacktrace import stack_trace_save_tsk

EAGAIN, EPIPE, ECONNRESET, ECONNREFUSED, ENOTCONN, EINVAL = -11, -32, -104, -111, -107, -22
EINPROGRESS, EISCONN, EADDRINUSE, EADDRNOTAVAIL, ETIMEDOUT, EOPNOTSUPP = -115, -106, -98, -99, -110, -95
ESTABLISHED, SYN_SENT, FIN_WAIT1, FIN_WAIT2, TIME_WAIT, CLOSE, CLOSE_WAIT, LAST_ACK, LISTEN = 1, 2, 4, 5, 6, 7, 8, 9, 10
NONBLOCK, DONTWAIT, NOSIGNAL, OOB, PEEK, TRUNC, WAITALL, MORE = 0o4000, 0x40, 0x4000, 1, 2, 0x20, 0x100, 0x8000
POLLIN, POLLPRI, POLLOUT, POLLERR, POLLHUP, POLLRDHUP = 1, 2, 4, 8, 16, 0x2000
SHUT_RD, SHUT_WR, SHUT_RDWR = 0, 1, 2
LINGER, RCVTIMEO, RCVLOWAT, OOBINLINE, KEEPALIVE = 13, 20, 18, 10, 9
NODELAY, CORK, KEEPIDLE, KEEPINTVL, KEEPCNT, LINGER2, DEFER_ACCEPT, USER_TIMEOUT = 1, 3, 4, 5, 6, 8, 9, 18
SOL_SOCKET, SOL_TCP = 1, 6
SECOND = 1_000_000_000
PORT = 7000


def sockaddr(port=PORT, address=0x7F000001):
    return struct.pack("<H", 2) + struct.pack(">HI", port, address) + bytes(8)


class Tcp:
    """Builders of sockets in every state of a connection, over loopback."""

    def __init__(self, host):
        self.host = host
        fd = host("socket", 2, 2, 0)
        assert host("ioctl", fd, 0x8914, b"lo".ljust(16, b"\0") + struct.pack("<H", 0x49) + bytes(22)) == 0
        host("close", fd)

    def socket(self, flags=0):
        return self.host("socket", 2, 1 | flags, 0)

    def listener(self, backlog=5, port=PORT):
        fd = self.socket()
        self.set(fd, SOL_SOCKET, 2, 1)
        assert self.host("bind", fd, sockaddr(port), 16) == 0
        assert self.host("listen", fd, backlog) == 0
        return fd

    def connect(self, fd, port=PORT):
        return self.host("connect", fd, sockaddr(port), 16)

    def established(self, port=PORT):
        """(client, server) of a connection."""
        listener = self.listener(port=port)
        client = self.socket()
        assert self.connect(client, port) == 0
        server = self.host("accept", listener, 0, 0)
        self.host("close", listener)
        return client, server

    def time_wait(self, port=PORT):
        """A connection that the client closed first."""
        client, server = self.established(port)
        self.host("close", client)
        self.host("close", server)

    def sk(self, fd):
        return self.host.init.files.fdt.fd[fd].private_data.sk

    def state(self, fd):
        return self.sk(fd).skc_state

    def set(self, fd, level, name, value):
        return self.host("setsockopt", fd, level, name, struct.pack("<i", value), 4)

    def option(self, fd, level, name):
        """The int that getsockopt() gives, or the negative errno."""
        where, size = self.host.room(4), self.host.put(struct.pack("<i", 4))
        got = self.host("getsockopt", fd, level, name, where, size)
        return got if got < 0 else self.host.word(where)

    def error(self, fd):
        return self.option(fd, SOL_SOCKET, 4)

    def send(self, fd, data, flags=0):
        return self.host("sendto", fd, data, len(data), flags, 0, 0)

    def recv(self, fd, n=100, flags=0):
        """Bytes, or the negative errno, or the sleeping call."""
        where = self.host.room(n)
        got = self.host("recvfrom", fd, where, n, flags, 0, 0)
        return self.host.get(where, got) if isinstance(got, int) and got >= 0 else got

    def poll(self, fd, events=0xFFF):
        return self.host.poll((fd, events))[1][0]

    def states(self):
        """States in the established hash."""
        chains = self.host.kernel.tcp_hashinfo.ehash.values()
        return sorted(sk.skc_state for chain in chains for sk in chain)

    def wait(self, seconds):
        self.host.machine.run_for(int(seconds * SECOND))

    def mib(self, number):
        return self.host.kernel.init_net.mib.net_statistics[number]


@pytest.fixture
def tcp(host):
    return Tcp(host)


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


@pytest.mark.parametrize("first", ["client", "server"])
def test_close_goes_through_time_wait_for_a_minute(tcp, first):
    ends = dict(zip(("client", "server"), tcp.established(), strict=True))
    tcp.host("close", ends.pop(first))
    (other,) = ends.values()
    assert tcp.state(other) == CLOSE_WAIT
    assert tcp.recv(other) == b""
    tcp.host("close", other)
    assert tcp.states() == [TIME_WAIT]
    tcp.wait(59)
    assert tcp.states() == [TIME_WAIT]
    tcp.wait(2)
    assert tcp.states() == []


def test_half_close(tcp):
    client, server = tcp.established()
    assert tcp.host("shutdown", client, SHUT_WR) == 0
    assert tcp.state(client) == FIN_WAIT1  # the ACK of the FIN is put off
    tcp.wait(0.05)
    assert tcp.state(client) == FIN_WAIT2
    assert tcp.recv(server) == b""
    assert tcp.send(server, b"late") == 4
    assert tcp.recv(client) == b"late"
    assert tcp.send(client, b"x", NOSIGNAL) == EPIPE
    tcp.host("close", server)
    assert tcp.states() == [TIME_WAIT]
    assert tcp.recv(client) == b""


def test_close_with_unread_data_resets(tcp):
    client, server = tcp.established()
    tcp.send(client, b"unread")
    tcp.host("close", server)
    assert tcp.recv(client) == ECONNRESET
    assert tcp.send(client, b"x", NOSIGNAL) == EPIPE
    assert tcp.states() == []


def test_linger_zero_resets(tcp):
    client, server = tcp.established()
    assert tcp.host("setsockopt", client, 1, LINGER, struct.pack("<ii", 1, 0), 8) == 0
    tcp.host("close", client)
    assert tcp.poll(server) & (POLLERR | POLLHUP) == POLLERR | POLLHUP
    assert tcp.error(server) == 104
    assert tcp.states() == []


def lingering(tcp, seconds):
    """(call, server): a close that waits with SO_LINGER, more being sent than the peer takes."""
    client, server = tcp.established()
    thread = tcp.host.thread()
    assert tcp.host("setsockopt", client, 1, LINGER, struct.pack("<ii", 1, seconds), 8) == 0
    data = tcp.host.room(60000)
    while tcp.host("sendto", client, data, 60000, DONTWAIT, 0, 0) != EAGAIN:
        pass
    return tcp.host("close", client, task=thread), server


def test_linger_waits_until_all_is_acknowledged(tcp):
    call, server = lingering(tcp, 5)
    assert stack_trace_save_tsk(call.task)[:9] == [
        "wait_woken", "sk_stream_wait_close", "__tcp_close", "tcp_close", "inet_release", "__sock_release",
        "sock_close", "__fput", "task_work_run",
    ]  # fmt: skip
    assert not call.done
    room = tcp.host.room(60000)
    while tcp.host("recvfrom", server, room, 60000, DONTWAIT, 0, 0):
        tcp.wait(0.1)
    assert (call.done, call.result) == (True, 0)
    tcp.host("close", server)


def test_linger_ends_when_time_is_up(tcp):
    caches = [cache for cache in tcp.host.kernel.slab_caches if cache.name in ("TCP", "sock_inode_cache", "filp")]
    before = [cache._inuse for cache in caches]
    call, server = lingering(tcp, 5)
    tcp.wait(4.9)
    assert not call.done
    tcp.wait(0.2)
    assert (call.done, call.result) == (True, 0)
    tcp.host("close", server)
    tcp.wait(70)
    assert [cache._inuse for cache in caches] == before


def test_writing_after_the_peer_closed_gets_reset_then_epipe(tcp):
    client, server = tcp.established()
    tcp.host("close", server)
    assert tcp.send(client, b"x", NOSIGNAL) == 1
    assert tcp.send(client, b"y", NOSIGNAL) in (EPIPE, ECONNRESET)


def test_simultaneous_open_with_oneself(tcp):
    fd = tcp.socket()
    assert tcp.host("bind", fd, sockaddr(), 16) == 0
    assert tcp.connect(fd) == 0
    assert tcp.state(fd) == ESTABLISHED
    tcp.send(fd, b"me")
    assert tcp.recv(fd) == b"me"


def test_disconnect_by_af_unspec(tcp):
    client, server = tcp.established()
    assert tcp.host("connect", client, bytes(16), 16) == 0
    assert tcp.state(client) == CLOSE
    assert tcp.recv(server) == ECONNRESET
    tcp.listener()
    assert tcp.connect(client) == 0


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


def test_orphan_in_fin_wait2_ends_after_tcp_fin_timeout(tcp):
    client, _server = tcp.established()
    tcp.host("close", client)
    assert tcp.states() == [FIN_WAIT1, CLOSE_WAIT]
    tcp.wait(0.05)
    assert tcp.states() == [TIME_WAIT, CLOSE_WAIT]  # a timewait sock with substate FIN_WAIT2
    tcp.wait(61)
    assert tcp.states() == [CLOSE_WAIT]


def test_data_after_fin_wait2_orphan_is_reset(tcp):
    client, server = tcp.established()
    tcp.host("close", client)
    assert tcp.send(server, b"late", NOSIGNAL) == 4
    assert tcp.error(server) in (32, 104)


def test_time_wait_ports_are_reused_for_connect(tcp):
    tcp.time_wait()
    listener = tcp.listener()
    assert listener > 0
    assert tcp.connect(tcp.socket()) == 0


def test_defer_accept_waits_for_data(tcp):
    listener = tcp.listener()
    assert tcp.set(listener, 6, DEFER_ACCEPT, 5) == 0
    client = tcp.socket()
    assert tcp.connect(client) == 0
    assert not tcp.poll(listener) & POLLIN
    tcp.send(client, b"go")
    assert tcp.poll(listener) & POLLIN


def test_listener_closed_resets_waiting_connections(tcp):
    listener = tcp.listener()
    client = tcp.socket()
    assert tcp.connect(client) == 0
    tcp.host("close", listener)
    assert tcp.recv(client) == ECONNRESET


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
