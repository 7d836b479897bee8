"""Devices that join bridges: which may, and what is said of those that may not."""

import pytest

from kshell.session import events as ev
from kshell.session.session import Session

BEFORE = "ip link add br0 type bridge\nip link add br1 type bridge\nip link add v0 type veth peer name v1\n"

REFUSED = [
    ("ip link set lo master br0", ["RTNETLINK answers: Invalid argument"]),
    ("ip link set br1 master br0", ["Error: Can not enslave a bridge to a bridge."]),
    ("ip link set br0 master br0", ["Error: Can not enslave a bridge to a bridge."]),
    ("ip link set v0 master v1", ["RTNETLINK answers: Operation not supported"]),
    ("ip link set v0 master br0", []),
    ("ip link set v0 master br0\nip link set v0 master br1\nip -br link show master br1", ["v0@v1"]),
]


@pytest.mark.parametrize(("command", "said"), REFUSED)
def test_joining(command, said):
    session = Session()
    session.run(BEFORE)
    lines = [event.text for event in session.run(command) if isinstance(event, ev.Output)]
    assert session.oopses == 0
    assert [line.split("  ")[0] for line in lines] == said
