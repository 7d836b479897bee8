"""TCP when segments are lost: retransmission, probes, giving up."""

import pytest

from kshell.linux.include.linux import snmp
from kshell.linux.include.net.protocol import net_protocol
from kshell.linux.net.core.skbuff import kfree_skb
from tests.linux.net.ipv4.tcp_sockets import DONTWAIT, EAGAIN, KEEPALIVE, KEEPCNT, KEEPIDLE, KEEPINTVL, Tcp

ESTABLISHED, SYN_SENT, CLOSE, TCP_USER_TIMEOUT = 1, 2, 7, 18


class Lossy(Tcp):
    """`lose(n)`: the next n segments vanish before TCP sees them; n None: all until lose(0)."""

    def lose(self, n):
        self.left = n
        protos = self.host.kernel.inet_protos
        if not hasattr(self, "tcp_protocol"):
            self.tcp_protocol = protos[6]
            protos[6] = net_protocol(handler=self.receive, err_handler=self.tcp_protocol.err_handler)

    def receive(self, skb):
        if self.left == 0:
            return self.tcp_protocol.handler(skb)
        if self.left is not None:
            self.left -= 1
        kfree_skb(skb)
        return 0


@pytest.fixture
def tcp(host):
    return Lossy(host)


def test_lost_data_is_sent_again_after_the_rto(tcp):
    client, server = tcp.established()
    tcp.lose(1)
    tcp.send(client, b"lost")
    assert tcp.recv(server, 10, DONTWAIT) == EAGAIN
    tcp.wait(0.5)
    assert tcp.recv(server, 10, DONTWAIT) == b"lost"
    assert tcp.sk(client).tcp_rtx_queue == []


def test_retransmissions_back_off(tcp):
    client, server = tcp.established()
    tcp.lose(None)
    tcp.send(client, b"x")
    tcp.wait(7)
    retransmits = tcp.sk(client).icsk_retransmits
    assert 3 <= retransmits <= 6
    tcp.lose(0)
    tcp.wait(15)
    assert tcp.recv(server, 10, DONTWAIT) == b"x"
    assert tcp.sk(client).icsk_retransmits == 0


def test_user_timeout_gives_up(tcp):
    client, _ = tcp.established()
    tcp.set(client, 6, TCP_USER_TIMEOUT, 3000)
    tcp.lose(None)
    tcp.send(client, b"x")
    tcp.wait(2)
    assert tcp.state(client) == ESTABLISHED
    tcp.wait(4)
    assert tcp.state(client) == CLOSE
    assert tcp.error(client) == 110


def test_tcp_retries2_gives_up_after_a_quarter_of_an_hour(tcp):
    client, _ = tcp.established()
    tcp.lose(None)
    tcp.send(client, b"x")
    tcp.wait(900)
    assert tcp.state(client) == ESTABLISHED
    tcp.wait(150)
    assert tcp.error(client) == 110


def test_keepalive_finds_a_dead_peer(tcp):
    client, _ = tcp.established()
    for name, value in ((KEEPIDLE, 5), (KEEPINTVL, 1), (KEEPCNT, 3)):
        tcp.set(client, 6, name, value)
    tcp.set(client, 1, KEEPALIVE, 1)
    tcp.lose(None)
    tcp.wait(7)
    assert tcp.state(client) == ESTABLISHED
    tcp.wait(2)
    assert tcp.error(client) == 110


def test_lost_syn_and_syn_ack(tcp):
    tcp.listener()
    for lost in (1, 2):
        fd = tcp.socket(0o4000)
        tcp.lose(lost)
        tcp.connect(fd)
        assert tcp.state(fd) == SYN_SENT
        tcp.wait(1.2 if lost == 1 else 3.5)
        assert tcp.state(fd) == ESTABLISHED


def test_lost_ack_of_the_handshake_is_made_up_by_data(tcp):
    listener = tcp.listener()
    fd = tcp.socket(0o4000)
    tcp.lose(0)
    count = []
    receive = tcp.receive

    def drop_third(skb):
        count.append(skb)
        if len(count) == 3:
            kfree_skb(skb)
            return 0
        return receive(skb)

    tcp.host.kernel.inet_protos[6] = net_protocol(handler=drop_third)
    tcp.connect(fd)
    assert tcp.state(fd) == ESTABLISHED
    assert not tcp.poll(listener) & 1
    tcp.send(fd, b"data")
    assert tcp.poll(listener) & 1
    assert tcp.recv(tcp.host("accept", listener, 0, 0)) == b"data"


def test_middle_segment_lost_is_repaired_by_sack(tcp):
    client, server = tcp.established()
    data = bytes(i & 0xFF for i in range(30000))
    tcp.set(client, 6, 1, 1)
    tcp.lose(0)
    tcp.send(client, data[:10000])
    tcp.lose(1)
    tcp.send(client, data[10000:12000])
    tcp.lose(0)
    for at in range(12000, 30000, 2000):
        tcp.send(client, data[at : at + 2000])
    tcp.wait(2)
    got = b""
    while isinstance(piece := tcp.recv(server, 30000, DONTWAIT), bytes):
        got += piece
    assert got == data
    assert tcp.mib(snmp.LINUX_MIB_TCPOFOQUEUE) >= 1
    tcp.wait(1)
    assert tcp.sk(client).tcp_rtx_queue == []
    assert tcp.sk(client).sacked_out == 0


def test_closed_window_is_probed(tcp):
    client, _server = tcp.established()
    while tcp.send(client, b"z" * 50000, DONTWAIT) > 0:
        tcp.host.used = 0
    tcp.wait(10)
    assert tcp.mib(snmp.LINUX_MIB_TCPWINPROBE) + tcp.mib(snmp.LINUX_MIB_TCPWANTZEROWINDOWADV) >= 1
    assert tcp.state(client) == ESTABLISHED
