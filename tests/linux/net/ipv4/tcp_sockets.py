"""Sockets of TCP over loopback for tests, in every state of a connection."""

import struct

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
