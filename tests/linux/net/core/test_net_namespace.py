"""Network namespaces: what becomes of devices that move between them, and of those whose namespace ends."""

import pytest

from kshell.abi.if_link import IFLA_LINK_NETNSID
from kshell.abi.rtnetlink import RTM_NEWLINK
from kshell.linux.include.net.nlattr import nla_for_each_attr, nla_type
from kshell.linux.net.core.rtnetlink_ifinfo import rtmsg_ifinfo_build_skb
from kshell.linux.net.core.rtnetlink_ifsize import IFINFOMSG
from kshell.session import events as ev
from kshell.session.session import Session

PAIR = """@other unshare(CLONE_NEWNET) = 0
ip link add veth0 type veth peer name veth1
ip link set veth1 netns 4
"""


def run(text):
    session = Session()
    session.run(text)
    assert (session.failed, session.errors, session.oopses) == (0, 0, 0)
    return session


def output(session, command):
    return [event.text for event in session.run(command) if isinstance(event, ev.Output)]


def names(session, number=0):
    return list(session.kernel.net_namespace_list[number].dev_name_head)


def test_both_ends_of_a_pair_go_with_the_namespace_of_one():
    session = run(PAIR)
    assert (names(session), names(session, 1)) == (["lo", "veth0"], ["lo", "veth1"])
    session.run("@other exit(0)")
    assert names(session) == ["lo"]
    assert len(session.kernel.net_namespace_list) == 1


def test_a_card_comes_back_when_its_namespace_ends():
    session = run(
        "host a b\nlink a.eth0 b.eth0\n@a/other unshare(CLONE_NEWNET) = 0\n@a ip link set eth0 netns 4\ntask a"
    )
    assert names(session, 1) == ["lo", "eth0"]
    session.run("@a/other exit(0)\nip addr add 10.0.0.1/24 dev eth0\nip link set eth0 up")
    assert names(session) == ["lo", "eth0"]
    session.run("@b ip addr add 10.0.0.2/24 dev eth0\n@b ip link set eth0 up")
    assert any("0% packet loss" in line for line in output(session, "ping -c 1 10.0.0.2"))


def test_a_card_whose_name_is_taken_gets_another():
    session = run(
        "host a b\nlink a.eth0 b.eth0\n@a/other unshare(CLONE_NEWNET) = 0\n@a ip link set eth0 netns 4\ntask a\n"
        "ip link add eth0 type dummy\n@a/other exit(0)"
    )
    assert names(session) == ["lo", "eth0", "dev2"]


def link_netnsid(dev):
    """IFLA_LINK_NETNSID in what route sockets are told of a device."""
    message = rtmsg_ifinfo_build_skb(RTM_NEWLINK, dev, 0, 0).data
    attrs = {nla_type(attr): attr for attr in nla_for_each_attr(message[16 + IFINFOMSG.size :])}
    return int.from_bytes(attrs[IFLA_LINK_NETNSID], "little") if IFLA_LINK_NETNSID in attrs else None


def test_a_link_into_another_namespace_tells_its_number():
    session = run("@third unshare(CLONE_NEWNET) = 0\n" + PAIR.replace("netns 4", "netns 5"))
    here, third, there = session.kernel.net_namespace_list
    assert link_netnsid(here.dev_name_head["veth0"]) == link_netnsid(there.dev_name_head["veth1"]) == 0
    assert link_netnsid(here.dev_name_head["lo"]) is None
    assert here.netns_ids == {0: there}
    session.run("ip link add veth2 type veth peer name veth3\nip link set veth3 netns 4")
    assert link_netnsid(here.dev_name_head["veth2"]) == 1
    assert here.netns_ids == {0: there, 1: third}
    session.run("@other exit(0)")
    assert here.netns_ids == {1: third}


MOVES = [
    pytest.param("ip link set veth1 netns 4", [], id="by-task"),
    pytest.param("ip link set lo netns 4", ["RTNETLINK answers: Invalid argument"], id="loopback-stays"),
    pytest.param("ip link set veth1 netns 99", ["RTNETLINK answers: No such process"], id="no-such-task"),
]


@pytest.mark.parametrize(("command", "said"), MOVES)
def test_moving(command, said):
    session = run("@other unshare(CLONE_NEWNET) = 0\nip link add veth0 type veth peer name veth1\n")
    assert output(session, command) == said


def test_nothing_stays_of_a_namespace_that_ended():
    session = Session()

    def come_and_go(n):
        session.run(
            f"@t{n} unshare(CLONE_NEWNET) = 0\n@t{n} ip link set lo up\n@t{n} exit(0)\nwait4(-1, NULL, 0, NULL)"
        )
        return {cache.name: cache._inuse for cache in session.kernel.slab_caches}

    come_and_go(1)
    assert come_and_go(2) == come_and_go(3)
    assert (session.failed, session.errors, session.oopses) == (0, 0, 0)
    assert len(session.kernel.net_namespace_list) == 1
