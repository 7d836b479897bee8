"""Routes with several next hops: what they are made of, which flows take which, what happens when a device goes."""

import pytest

from kshell.linux.include.net.flow import flowi4
from kshell.linux.include.trace.events import NetDevXmit
from kshell.linux.net.ipv4.fib_multipath import fib_multipath_hash
from kshell.session import events as ev
from kshell.session.session import Session
from tests.world.network import words

BEFORE = """ip link add d0 type veth peer name d1
ip addr add 10.0.0.9/24 dev d0
ip link set d0 up
ip link set d1 up
ip route add 1.2.3.0/24 nexthop via 10.0.0.1 nexthop via 10.0.0.2 weight 3
"""
HOPS = ["1.2.3.0/24 ", "\tnexthop via 10.0.0.1 dev d0 weight 1 ", "\tnexthop via 10.0.0.2 dev d0 weight 3 "]
DIRECT = "10.0.0.0/24 dev d0 proto kernel scope link src 10.0.0.9 "


def said(session, command):
    lines = [line for e in session.run(command) if isinstance(e, ev.Output) for line in e.text.splitlines()]
    assert (session.oopses, session.errors) == (0, 0)
    return lines


# what a real kernel and iproute2 said to the same
COMMANDS = [
    ("ip route", [*HOPS, DIRECT]),
    ("ip route add default metric 7 nexthop via 10.0.0.1 nexthop dev d1\nip route show default", [
        "default metric 7 ", "\tnexthop via 10.0.0.1 dev d0 weight 1 ", "\tnexthop dev d1 weight 1 "]),
    ("ip route add 5.0.0.0/8 nexthop dev d0 nexthop dev d1\nip link set d1 down\nip route show 5.0.0.0/8", [
        "5.0.0.0/8 linkdown ", "\tnexthop dev d0 weight 1 linkdown ", "\tnexthop dev d1 weight 1 dead linkdown "]),
    ("ip route add 1.2.3.0/24 nexthop via 10.0.0.1", ["RTNETLINK answers: File exists"]),
    ("ip route add 5.0.0.0/8 nexthop via 10.0.0.1\nip route show 5.0.0.0/8", ["5.0.0.0/8 via 10.0.0.1 dev d0 "]),
    ("ip route append 1.2.3.0/24 nexthop via 10.0.0.1 nexthop via 99.0.0.2", ["Error: Nexthop has invalid gateway."]),
    ("ip route add blackhole 5.0.0.0/8 nexthop via 10.0.0.1 nexthop via 10.0.0.2", [
        "Error: Gateway, device and multipath can not be specified for this route type."]),
    ("ip route add 5.0.0.0/8 scope host nexthop dev d0 nexthop dev d0", [
        "Error: Route with host scope can not have multiple nexthops."]),
    ("ip route del 1.2.3.0/24 nexthop via 10.0.0.1 nexthop via 10.0.0.4", ["RTNETLINK answers: No such process"]),
    ("ip route del 1.2.3.0/24 nexthop via 10.0.0.1 nexthop via 10.0.0.2\nip route", [DIRECT]),
    ("ip route del 1.2.3.0/24\nip route", [DIRECT]),
    ("ip route replace 1.2.3.0/24 via 10.0.0.7\nip route show 1.2.3.0/24", ["1.2.3.0/24 via 10.0.0.7 dev d0 "]),
]  # fmt: skip


@pytest.mark.parametrize(("command", "lines"), COMMANDS, ids=[row[0] for row in COMMANDS])
def test_commands(command, lines):
    session = Session()
    assert said(session, BEFORE) == []
    assert said(session, command) == lines


def hops_taken(session, targets, extra=""):
    taken = {}
    for target in targets:
        line = said(session, f"ip route get {target}{extra}")[0]
        taken[target] = line.split(" via ")[1].split()[0]
    return taken


def test_flows_are_shared_by_weight_and_each_keeps_its_way():
    session = Session()
    said(session, BEFORE)
    targets = [f"1.2.3.{n}" for n in range(200)]
    taken = hops_taken(session, targets)
    assert taken == hops_taken(session, targets)
    assert 120 < sum(hop == "10.0.0.2" for hop in taken.values()) < 180  # 150 of 200, more or less


HASHED = [
    # policy, fields, what of (source, protocol, source port, destination port) makes another hash
    (0, 7, (True, False, False, False)),
    (1, 7, (True, True, True, True)),
    (2, 7, (True, False, False, False)),
    (3, 7, (True, True, False, False)),
    (3, 0x32, (False, False, True, True)),
]


@pytest.mark.parametrize(("policy", "fields", "tells"), HASHED)
def test_the_policy_says_what_a_flow_is(policy, fields, tells):
    net = Session().kernel.init_net
    net.ipv4.sysctl_fib_multipath_hash_policy, net.ipv4.sysctl_fib_multipath_hash_fields = policy, fields

    def hashed(source=1, protocol=17, sport=7, dport=9):
        flow = flowi4(saddr=source, daddr=2, flowi4_proto=protocol, fl4_sport=sport, fl4_dport=dport)
        found = fib_multipath_hash(net, flow, None)
        assert 0 <= found < 1 << 31
        return found

    others = (hashed(source=3), hashed(protocol=6), hashed(sport=8), hashed(dport=10))
    assert tuple(other != hashed() for other in others) == tells


def test_a_gateway_that_does_not_answer_is_passed_over_if_that_is_wanted():
    session = Session()
    said(session, BEFORE + "ip neigh add 10.0.0.2 dev d0 nud failed lladdr 02:00:00:00:00:02")
    targets = [f"1.2.3.{n}" for n in range(40)]
    assert "10.0.0.2" in hops_taken(session, targets).values()
    said(session, "sysctl -q -w net.ipv4.fib_multipath_use_neigh=1")
    assert set(hops_taken(session, targets).values()) == {"10.0.0.1"}


DIAMOND = """host a r x y b
link a.eth0 r.eth0
link r.eth1 x.eth0
link r.eth2 y.eth0
switch s1
link x.eth1 s1
link y.eth1 s1
link b.eth0 s1
"""
ADDRESSES = {
    "a": ["10.0.0.1"], "r": ["10.0.0.2", "10.0.1.1", "10.0.2.1"], "x": ["10.0.1.2", "10.0.9.1"],
    "y": ["10.0.2.2", "10.0.9.2"], "b": [f"10.0.9.{n}" for n in range(10, 30)],
}  # fmt: skip
ROUTES = """@a ip route add default via 10.0.0.2
@b ip route add default via 10.0.9.1
@x ip route add 10.0.0.0/24 via 10.0.1.1
@y ip route add 10.0.0.0/24 via 10.0.2.1
@r ip route add 10.0.9.0/24 nexthop via 10.0.1.2 nexthop via 10.0.2.2
"""


def diamond():
    """a - r - (x | y) - b: r knows two ways to b, which has twenty addresses."""
    text = DIAMOND
    for host, addresses in ADDRESSES.items():
        for n, address in enumerate(addresses):
            text += f"@{host} ip addr add {address}/24 dev eth{0 if host == 'b' else n}\n"
        text += "".join(f"@{host} ip link set eth{n} up\n" for n in range(1 if host == "b" else len(addresses)))
        text += f"@{host} sysctl -q -w net.ipv4.ip_forward=1\n"
    session = Session()
    assert said(session, text + ROUTES) == []
    return session


def echoes(session):
    """How many requests left r by each device, and how many of them were answered."""
    kernel, sent = session.hosts["r"].machine.kernel, {"eth1": 0, "eth2": 0}

    def count(record):
        if isinstance(record, NetDevXmit) and record.dev in sent and words(record.skb) == "echo":
            sent[record.dev] += 1

    stop = kernel.observe(count)
    answered = sum("1 received" in line for n in range(10, 30) for line in said(session, f"@a ping -c 1 10.0.9.{n}"))
    stop()
    return sent, answered


def test_a_router_forwards_flows_by_both_ways_and_by_one_when_the_other_is_gone():
    session = diamond()
    sent, answered = echoes(session)
    assert answered == sum(sent.values()) == 20
    assert min(sent.values()) > 3
    said(session, "@r ip link set eth1 down\n@b ip route replace default via 10.0.9.2")
    assert echoes(session) == ({"eth1": 0, "eth2": 20}, 20)
    said(session, "@r ip link set eth1 up")
    assert echoes(session) == (sent, 20)
