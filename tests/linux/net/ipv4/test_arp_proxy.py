"""Answering ARP for others: single addresses, all that are forwarded to, within a wire; late, as the settings say."""

import pytest

from kshell.linux.include.trace.events import NetDevXmit
from kshell.session import events as ev
from kshell.session.session import Session
from tests.world.network import words

NETWORK = """host a r b
link a.eth0 r.eth0
link r.eth1 b.eth0
@a ip addr add 10.0.0.1/16 dev eth0
@a ip link set eth0 up
@r ip addr add 10.0.0.2/24 dev eth0
@r ip addr add 10.0.1.2/24 dev eth1
@r ip link set eth0 up
@r ip link set eth1 up
@r sysctl -q -w net.ipv4.ip_forward=1
@b ip addr add 10.0.1.1/24 dev eth0
@b ip link set eth0 up
@b ip route add default via 10.0.1.2
"""
ONE = "@r ip neigh add proxy 10.0.1.1 dev eth0\n"
ALL = "@r sysctl -q -w net.ipv4.conf.eth0.proxy_arp=1\n"


def network(extra=""):
    session = Session()
    assert said(session, NETWORK + extra) == []
    return session


def said(session, command):
    lines = [line for e in session.run(command) if isinstance(e, ev.Output) for line in e.text.splitlines()]
    assert (session.oopses, session.errors) == (0, 0)
    return lines


def answers(session, target):
    """When (ms) r answered a's questions for an address, after the first of them."""
    found, asked = [], []

    def note(record):
        if isinstance(record, NetDevXmit):
            (found if words(record.skb) == "is-at" else asked if words(record.skb) == "who-has" else []).append(session.now)

    stops = [session.hosts[host].machine.kernel.observe(note) for host in "ar"]
    said(session, f"@a ping -c 1 -W 1 {target}")
    for stop in stops:
        stop()
    return [(when - asked[0]) / 1e6 for when in found]


REACHED = [
    ("", "10.0.1.1", False),
    (ONE, "10.0.1.1", True),
    (ONE, "10.0.1.9", False),
    ("@r ip neigh add proxy 10.0.1.1 dev eth1", "10.0.1.1", False),
    (ONE + "@r ip neigh del proxy 10.0.1.1 dev eth0", "10.0.1.1", False),
    (ALL, "10.0.1.1", True),
    (ALL, "10.0.0.9", False),  # on the wire that asks: it may answer itself
    ("@r sysctl -q -w net.ipv4.conf.eth0.proxy_arp_pvlan=1", "10.0.0.9", True),
    (ALL + "@r sysctl -q -w net.ipv4.conf.eth0.medium_id=1 net.ipv4.conf.eth1.medium_id=1", "10.0.1.1", False),
    (ALL + "@r sysctl -q -w net.ipv4.conf.eth0.medium_id=1 net.ipv4.conf.eth1.medium_id=2", "10.0.1.1", True),
    (ALL + "@r sysctl -q -w net.ipv4.ip_forward=0", "10.0.1.1", False),
    ("@r arp -i eth0 -s 10.0.1.1 52:54:00:12:34:57 pub", "10.0.1.1", True),
]


@pytest.mark.parametrize(("extra", "target", "answered"), REACHED)
def test_who_is_answered_for(extra, target, answered):
    assert bool(answers(network(extra + "\n@r sysctl -q -w net.ipv4.neigh.eth0.proxy_delay=0"), target)) == answered


def test_others_may_answer_first():
    session = network(ONE)
    waits = [answers(network(ONE), "10.0.1.1")[0]]
    said(session, "@r sysctl -q -w net.ipv4.neigh.eth0.proxy_delay=0")
    assert 0 < waits[0] < 800
    assert answers(session, "10.0.1.1") == [0]


def test_only_so_many_questions_wait():
    session = network(ALL + "@r sysctl -q -w net.ipv4.neigh.eth0.proxy_qlen=2")
    tbl = session.hosts["r"].machine.kernel.arp_tbl
    for n in range(20, 30):
        said(session, f"@a/t{n} s = socket(AF_INET, SOCK_DGRAM, 0)")
        said(session, f'@a/t{n} sendto(s, "x", 1, 0, {{AF_INET, 9, "10.0.1.{n}"}}, 16)')
    assert tbl.proxy_queue.qlen == 3
    said(session, "@r ip link set eth0 down")
    assert tbl.proxy_queue.qlen == 0


SHOWN = [
    ("@r ip neigh show proxy", ["10.0.1.1 dev eth0 proxy "]),
    ("@r ip neigh show", []),
    ("@r cat /proc/net/arp", [
        "IP address       HW type     Flags       HW address            Mask     Device",
        "10.0.1.1         0x1         0xc         00:00:00:00:00:00     *        eth0"]),
    ("@r ip neigh del proxy 10.0.1.9 dev eth0", ["RTNETLINK answers: No such file or directory"]),
    ("@r ip link set eth0 down\n@r ip neigh show proxy", []),
    ("@r ip neigh get proxy 10.0.1.1 dev eth0", ["10.0.1.1 dev eth0 proxy "]),
    ("@r ip neigh add proxy 10.0.1.3 dev eth0 nud stale\nlink r.eth0 down\n@r ip neigh show proxy", [
        "10.0.1.1 dev eth0 proxy "]),
]  # fmt: skip


@pytest.mark.parametrize(("command", "lines"), SHOWN)
def test_they_are_shown_and_go_with_the_device(command, lines):
    assert said(network(ONE), command) == lines
