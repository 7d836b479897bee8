"""ip monitor: what rtnetlink's groups are told of. The lines are those of iproute2 for the same commands on a real kernel."""

import pytest

from kshell.session import events as ev
from kshell.session.session import Session

BEFORE = """ip netns add blue
ip link add v0 type veth peer name v1
ip addr add 10.0.0.1/24 dev v0
ip link set v0 address 02:00:00:00:00:01
ip link set v1 address 02:00:00:00:00:02
"""
ETHER = "    link/ether 02:00:00:00:00:0{} brd ff:ff:ff:ff:ff:ff"


def said(session, command):
    lines = [line for event in session.run(command) if isinstance(event, ev.Output) for line in event.text.splitlines()]
    assert (session.oopses, session.errors) == (0, 0)
    return lines


def monitor(words="", before=BEFORE):
    session = Session()
    assert said(session, before) == []
    assert said(session, f"ip {words.partition('|')[0]} monitor {words.partition('|')[2]} &")[0].startswith(
        "[ip runs on"
    )
    return session


UP = BEFORE + "ip link set v0 up\nip link set v1 up\n"
COMMANDS = [
    (BEFORE, "ip link set v0 up", [
        "3: v0@v1: <NO-CARRIER,BROADCAST,MULTICAST,UP,M-DOWN> mtu 1500 qdisc noqueue state LOWERLAYERDOWN group default ",
        ETHER.format(1), "10.0.0.0/24 dev v0 proto kernel scope link src 10.0.0.1 linkdown ",
        "broadcast 10.0.0.255 dev v0 table local proto kernel scope link src 10.0.0.1 linkdown "]),
    (BEFORE, "ip addr del 10.0.0.1/24 dev v0", [
        "Deleted 3: v0    inet 10.0.0.1/24 scope global v0", "       valid_lft forever preferred_lft forever",
        "Deleted local 10.0.0.1 dev v0 table local proto kernel scope host src 10.0.0.1 "]),
    (UP, "ip neigh add 10.0.0.9 lladdr 02:00:00:00:00:09 dev v0", ["10.0.0.9 dev v0 lladdr 02:00:00:00:00:09 PERMANENT "]),
    (UP, "ip route add 10.5.0.0/16 via 10.0.0.2", ["10.5.0.0/16 via 10.0.0.2 dev v0 "]),
    (UP, "ip link set v0 mtu 1400", [
        "3: v0@v1: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1400 qdisc noqueue state UP group default ", ETHER.format(1)]),
    (UP, "echo 1 > /proc/sys/net/ipv4/conf/v0/forwarding", ["inet v0 forwarding on "]),
    (BEFORE, "ip link set v1 netns blue", [
        "Deleted inet v1 ", "nsid 0 (iproute2 netns name: blue)",
        "Deleted 2: v1@v0: <BROADCAST,MULTICAST,M-DOWN> mtu 1500 qdisc noop state DOWN group default ",
        ETHER.format(2) + " new-netns blue new-ifindex 2"]),
    (BEFORE, "ip link del v0", [
        "Deleted inet v0 ", "Deleted 3: v0@NONE: <BROADCAST,MULTICAST> mtu 1500 qdisc noop state DOWN group default ",
        ETHER.format(1)]),
]  # fmt: skip


@pytest.mark.parametrize(("before", "command", "lines"), COMMANDS, ids=[row[1] for row in COMMANDS])
def test_changes_are_told(before, command, lines):
    told = said(monitor("|", before), command)
    assert [line for line in told if line in lines] == lines
    assert command.startswith("ip link del") or len(told) == len(lines)


def test_only_what_is_asked_for_is_told():
    session = monitor("|route", UP)
    assert said(session, "ip link set v0 mtu 1400") == []
    assert said(session, "ip route add 10.5.0.0/16 via 10.0.0.2") == ["10.5.0.0/16 via 10.0.0.2 dev v0 "]


def test_labels_and_times():
    session = monitor("-t|all", UP)
    said(session, "sleep 1s")
    assert said(session, "ip route add 10.5.0.0/16 via 10.0.0.2") == [
        "Timestamp: Sat Jun 10 00:00:01 2023 0 usec", "[ROUTE]10.5.0.0/16 via 10.0.0.2 dev v0 "
    ]  # fmt: skip


def test_what_it_does_not_know_it_refuses():
    session = Session()
    assert said(session, "ip monitor frob") == ['Argument "frob" is unknown, try "ip monitor help".']
    assert session.programs.status == 255
