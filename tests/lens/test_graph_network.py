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


PAIR = """@other unshare(CLONE_NEWNET)
ip link add veth0 type veth peer name veth1
ip link add veth2 type veth peer name veth3
ip link set veth1 netns 4
"""


def test_a_namespace_is_a_box_named_after_its_tasks_and_pairs_join_them():
    graph = figure(PAIR)
    here, there = graph.boxes.values()
    assert (here.title, there.title, there.subtitle) == ("localhost", "localhost: other[4]", "namespace")
    assert [(row.name, "to" in row.text) for row in here.rows] == [("veth0", False), ("veth3", True), ("veth2", True)]
    assert [(edge.source, edge.row, edge.target, edge.label, edge.dashed) for edge in graph.edges] == [
        ("localhost", 0, there.key, "veth", True)
    ]
    assert (here.column, there.column) == (0, 1)


def test_a_namespace_that_is_bound_to_a_name_is_called_so():
    graph = figure(PAIR + 'open("/tmp/blue", O_CREAT, 0)\nmount("/proc/4/ns/net", "/tmp/blue", "none", MS_BIND, NULL)')
    assert [box.title for box in graph.boxes.values()] == ["localhost", "localhost: blue"]


def test_a_card_stands_where_it_was_moved_to_under_the_name_it_has():
    graph = figure(
        "host a b\nlink a.eth0 b.eth0\n@a/other unshare(CLONE_NEWNET)\n@a ip link set eth0 name wan\n"
        "@a ip link set wan netns 4"
    )
    edge = graph.edges[0]
    assert graph.boxes[edge.source].title == "a: other[4]"
    assert [row.name for row in graph.boxes[edge.source].rows] == ["wan"]
    assert (edge.row, edge.target) == (0, "b")
