"""ip netns: namespaces by name. The lines are iproute2's, which was asked on a computer with the same commands."""

import pytest

from kshell.session import events as ev
from kshell.session.session import Session

TWO = "ip netns add blue\nip netns add red\n"
PAIR = TWO + "ip link add veth0 type veth peer name veth1 netns blue\n"
UP = PAIR + (
    "ip addr add 10.0.0.1/24 dev veth0\nip link set veth0 up\nip -n blue addr add 10.0.0.2/24 dev veth1\n"
    "ip -n blue link set veth1 up\n"
)


def said(session, command):
    lines = [line for event in session.run(command) if isinstance(event, ev.Output) for line in event.text.splitlines()]
    assert session.oopses == session.errors == 0
    return lines


def after(text):
    session = Session()
    assert said(session, text) == []
    return session


COMMANDS = [
    ("", "ip netns", [], 0),
    (TWO, "ip netns list", ["red", "blue"], 0),
    (TWO, "ip netns add blue", ['Cannot create namespace file "/run/netns/blue": File exists'], 1),
    (TWO, "ip netns del green", ['Cannot remove namespace file "/run/netns/green": No such file or directory'], 1),
    (TWO, "ip netns exec green ip link", ['Cannot open network namespace "green": No such file or directory'], 255),
    (TWO, "ip -n green link", ['Cannot open network namespace "green": No such file or directory'], 255),
    (TWO, "ip netns exec blue", ["No command specified"], 1),
    (TWO, "ip netns exec", ["No netns name specified"], 1),
    (TWO, "ip netns exec blue nosuch", ['exec of "nosuch" failed: No such file or directory'], 1),
    (TWO, "ip netns add a/b", ['Invalid netns name "a/b"'], 255),
    (PAIR, "ip netns", ["red", "blue (id: 0)"], 0),
    (PAIR, "ip netns list-id", ["nsid 0 (iproute2 netns name: blue)"], 0),
    (PAIR + "ip netns set red 7", "ip netns", ["red (id: 7)", "blue (id: 0)"], 0),
    (PAIR, "ip netns set blue 7", ["Error: Peer netns already has a nsid assigned."], 2),
    (PAIR, "ip netns identify", [""], 0),
    (UP, "ip netns exec blue ip -br addr show up", ["veth1@if2        UP             10.0.0.2/24 "], 0),
    (UP, "ip netns exec blue ls /sys/class/net", ["lo", "veth1"], 0),
    (UP, "ls /sys/class/net", ["lo", "veth0"], 0),
    (UP, "ip netns exec blue cat /proc/sys/net/ipv4/ip_forward", ["0"], 0),
]  # fmt: skip


@pytest.mark.parametrize(("before", "command", "lines", "status"), COMMANDS, ids=[row[1] for row in COMMANDS])
def test_commands(before, command, lines, status):
    session = after(before)
    assert said(session, command) == (lines if lines != [""] else [])
    assert session.programs.status == status


def test_the_other_end_is_told_by_the_name_of_its_namespace():
    session = after(PAIR)
    assert said(session, "ip link show veth0")[1].endswith(" link-netns blue")
    assert said(session, "ip -n blue link show veth1")[1].endswith(" link-netnsid 0")


def test_a_device_moves_to_a_namespace_by_its_name():
    session = after(TWO + "ip link add d0 type dummy\nip link set d0 netns red")
    assert [line.split()[0] for line in said(session, "ip -n red -br link")] == ["lo", "d0"]
    assert said(session, "ip link set lo netns green")[0] == 'Error: argument "green" is wrong: Invalid "netns" value'


def test_programs_inside_reach_those_outside():
    session = after(UP)
    assert "1 received" in "".join(said(session, "ip netns exec blue ping -c 1 10.0.0.1"))
    assert said(session, "ip netns exec blue nc -l 5000 &")[0].startswith("[ip runs on as pid")
    pid = said(session, "ip netns pids blue")
    assert len(pid) == 1
    assert said(session, f"ip netns identify {pid[0]}") == ["blue"]


def test_a_namespace_lasts_as_long_as_its_name_or_a_task_in_it():
    session = after(UP + "ip netns del red")
    said(session, "ip netns exec blue nc -l 5000 &\nip netns del blue")
    assert len(session.kernel.net_namespace_list) == 2
    assert said(session, "ip netns") == []
    said(session, "interrupt ip")
    assert len(session.kernel.net_namespace_list) == 1
    assert [line.split()[0] for line in said(session, "ip -br link")] == ["lo"]


def test_the_task_that_asks_stays_where_it_is():
    session = after(UP)
    said(session, "ip netns exec blue ip link\nip -n red link")
    assert session.tasks.init.task.nsproxy.net_ns is session.kernel.init_net
    assert said(session, "ls /run/netns") == ["blue", "red"]
