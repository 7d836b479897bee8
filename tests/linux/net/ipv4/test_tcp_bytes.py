"""TCP segments that come as bytes: from raw sockets, put together from fragments; bad ones are counted and dropped."""

import struct

import pytest

from kshell.abi.tcp import TCP_TIME_WAIT
from kshell.linux.fs.proc.proc_sysctl import _sysctl_set
from kshell.linux.include.linux import snmp
from kshell.linux.include.linux.ip import _checksum
from tests.world.network import Net, address

SYN, RST = 2, 4


def segment(source, dest, spoil=0, ends=bytes((10, 0, 0, 1, 10, 0, 0, 2)), seq=1, flags=SYN):
    """A SYN with its IP header."""
    tcp = struct.pack(">HHIIBBHHH", source, dest, seq, 0, 0x50, flags, 1000, 0, 0)
    check = _checksum(ends + struct.pack(">BBH", 0, 6, 20) + tcp) ^ spoil
    tcp = tcp[:16] + struct.pack(">H", check) + tcp[18:]
    return struct.pack(">BBHHHBBH", 0x45, 0, 40, 7, 0, 64, 6, 0) + ends + tcp


@pytest.fixture
def net():
    net = Net(["a", "b"], ["a.eth0 b.eth0"])
    net.a.up("eth0", "10.0.0.1")
    net.b.up("eth0", "10.0.0.2")
    net.a.ping("10.0.0.2")
    return net


def send(net, *packets):
    raw = net.a("socket", 2, 3, 255)
    with net.listening("b") as sent:
        for packet in packets:
            assert net.a("sendto", raw, packet, len(packet), 0, address("10.0.0.2"), 16) == len(packet)
        net.pass_time(0.1)
    net.a("close", raw)
    return [text for _, _, text in sent]


def counts(net):
    return net.b.kernel.init_net.mib.tcp_statistics


def test_a_syn_by_hand_is_answered(net):
    net.b.server(80)
    assert send(net, segment(5000, 80)) == ["tcp"]
    assert send(net, segment(5000, 81)) == ["tcp"]  # nobody listens: a reset


@pytest.mark.parametrize("spoil", [0, 1])
def test_a_wrong_checksum_is_no_segment(host, spoil):
    """Over lo: an adapter says itself that it checked."""
    raw = host("socket", 2, 3, 255)
    packet = segment(5000, 80, spoil, bytes((127, 0, 0, 1) * 2))
    assert host("sendto", raw, packet, len(packet), 0, address("127.0.0.1"), 16) == len(packet)
    tcp = host.kernel.init_net.mib.tcp_statistics
    assert (tcp[snmp.TCP_MIB_CSUMERRORS], tcp[snmp.TCP_MIB_INERRS]) == (spoil, spoil)
    assert tcp[snmp.TCP_MIB_OUTRSTS] == 1 - spoil


def test_too_short_a_segment_is_none(net):
    packet = bytearray(segment(5000, 80))
    packet[2:4] = (30).to_bytes(2, "big")
    assert send(net, bytes(packet[:30])) == []
    assert counts(net)[snmp.TCP_MIB_INERRS] == 1


@pytest.mark.parametrize(("limit", "answers"), [("0", 2), ("500", 1)])
def test_segments_out_of_window_are_answered_so_often(net, limit, answers):
    """tcp_invalid_ratelimit; each answer is a challenge ACK."""
    net.b.server(80)
    client = net.a("socket", 2, 1, 0)
    assert net.a("bind", client, address("10.0.0.1", 5000), 16) == 0
    assert net.a.wait("connect", client, address("10.0.0.2", 80), 16) == 0
    _sysctl_set(net.b.kernel, "net/ipv4/tcp_invalid_ratelimit", limit)
    assert len(send(net, segment(5000, 80), segment(5000, 80))) == answers


@pytest.mark.parametrize(("protect", "left"), [("0", 0), ("1", 1)])
def test_a_reset_ends_time_wait_unless_rfc1337(net, protect, left):
    server = net.b.server(80)
    client = net.a("socket", 2, 1, 0)
    assert net.a("bind", client, address("10.0.0.1", 5000), 16) == 0
    assert net.a.wait("connect", client, address("10.0.0.2", 80), 16) == 0
    accepted = net.b("accept", server, 0, 0)
    net.a("close", client)
    net.pass_time(0.1)
    net.b("close", accepted)
    net.pass_time(0.1)
    _sysctl_set(net.a.kernel, "net/ipv4/tcp_rfc1337", protect)
    (waiting,) = waiters(net)
    back = segment(80, 5000, 0, bytes((10, 0, 0, 2, 10, 0, 0, 1)), waiting.tw_rcv_nxt, RST)
    raw = net.b("socket", 2, 3, 255)
    assert net.b("sendto", raw, back, len(back), 0, address("10.0.0.1"), 16) == len(back)
    net.pass_time(0.1)
    assert len(waiters(net)) == left


def waiters(net):
    """The TIME_WAIT sockets of a."""
    table = net.a.kernel.tcp_hashinfo.ehash
    return [sk for chain in table.values() for sk in chain if sk.skc_state == TCP_TIME_WAIT]
