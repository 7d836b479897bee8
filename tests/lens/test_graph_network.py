"""graph net: hosts, devices, switches and links."""

from kshell.lens.graph.network import network
from kshell.session.session import Session


def figure(commands):
    """The figure after some commands."""
    session = Session()
    session.run(commands)
    assert session.errors == 0
    return network(session.machines)


def test_one_machine_is_one_box():
    assert list(figure("getpid()").boxes) == ["localhost"]


def test_hosts_stand_from_left_to_right_as_they_are_joined():
    graph = figure("host b c a\nlink a.eth0 b.eth0 delay=1ms\nlink b.eth1 c.eth0 rate=10Mbit loss=1%")
    assert {key: box.column for key, box in graph.boxes.items()} in ({"b": 0, "c": 1, "a": 1}, {"a": 0, "b": 1, "c": 2})
    assert [edge.label for edge in graph.edges] == ["1ms", "10Mbit 1% lost"]
    assert "localhost" not in graph.boxes


def test_a_switch_is_a_box_and_a_cut_cable_dashed():
    graph = figure("host a b\nswitch s1\nlink a.eth0 s1\nlink b.eth0 s1\nlink a.eth0 down")
    assert graph.boxes["s1"].subtitle == "switch, 2 ports"
    assert [edge.dashed for edge in graph.edges] == [True, False]
    assert [row.name for row in graph.boxes["a"].rows] == ["eth0"]
