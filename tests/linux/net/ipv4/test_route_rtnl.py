"""RTM_GETROUTE: how a packet would go that is sent, or that comes in by a device. The lines are a real kernel's."""

import pytest

from kshell.session import events as ev
from kshell.session.session import Session

BEFORE = """ip link add d0 type veth peer name d1
ip link set d0 up
ip link set d1 up
ip addr add 10.0.1.1/24 dev d0
ip addr add 10.0.2.1/24 dev d1
sysctl -q -w net.ipv4.ip_forward=1
ip route add blackhole 10.6.0.0/16
ip route add unreachable 10.7.0.0/16
ip route add prohibit 10.8.0.0/16
"""
FROM = "from 10.0.1.2 iif d0"

ASKED = [
    ("10.0.1.9", ["10.0.1.9 dev d0 src 10.0.1.1 uid 0 ", "    cache "]),
    ("10.0.1.1", ["local 10.0.1.1 dev lo src 10.0.1.1 uid 0 ", "    cache <local> "]),
    ("10.0.1.255", ["broadcast 10.0.1.255 dev d0 src 10.0.1.1 uid 0 ", "    cache <local,brd> "]),
    ("224.0.0.1 oif d0", ["multicast 224.0.0.1 dev d0 src 10.0.1.1 rt_offload_failed uid 0 ", "    cache <local,mc> "]),
    ("9.9.9.9", ["RTNETLINK answers: Network is unreachable"]),
    ("10.6.0.1", ["RTNETLINK answers: Invalid argument"]),
    ("10.7.0.1", ["RTNETLINK answers: No route to host"]),
    ("10.8.0.1", ["RTNETLINK answers: Permission denied"]),
    (f"10.0.2.2 {FROM}", ["10.0.2.2 from 10.0.1.2 dev d1 ", "    cache iif d0 "]),
    (f"10.0.1.1 {FROM}", ["local 10.0.1.1 from 10.0.1.2 dev lo ", "    cache <local> iif d0 "]),
    (f"224.0.0.1 {FROM}", ["multicast 224.0.0.1 from 10.0.1.2 dev lo rt_offload_failed ", "    cache <local,mc> iif d0 "]),
    (f"224.0.0.9 {FROM}", ["RTNETLINK answers: Invalid argument"]),
    (f"10.0.1.255 {FROM}", ["broadcast 10.0.1.255 from 10.0.1.2 dev lo ", "    cache <local,brd> iif d0 "]),
]


@pytest.fixture(scope="module")
def session():
    made = Session()
    made.run(BEFORE)
    return made


@pytest.mark.parametrize(("words", "said"), ASKED, ids=[row[0] for row in ASKED])
def test_route_get(session, words, said):
    lines = [line for e in session.run(f"ip route get {words}") if isinstance(e, ev.Output) for line in e.text.splitlines()]
    assert session.oopses == 0
    assert lines == said
