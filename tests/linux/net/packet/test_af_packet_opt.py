"""Memberships of AF_PACKET sockets: what a socket asks of a device, and when it asks no longer."""

import pytest

from kshell.session.session import Session

JOIN = '{mr_ifindex=if_nametoindex("d0"), mr_type=PACKET_MR_PROMISC, mr_alen=0, mr_address=""}, 16'


@pytest.mark.parametrize(
    "end", ["ip link del d0", f"setsockopt(fd, SOL_PACKET, PACKET_DROP_MEMBERSHIP, {JOIN}) = 0", "close(fd) = 0"]
)
def test_a_device_is_promiscuous_as_long_as_a_socket_is_its_member(end: str) -> None:
    session = Session()
    session.run("ip link add d0 type dummy")
    session.run("fd = socket(AF_PACKET, SOCK_RAW, 0)")
    device = next(dev for dev in session.kernel.init_net.dev_base_head if dev.name == "d0")
    session.run(f"setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, {JOIN}) = 0")
    assert device.promiscuity == 1
    session.run(end)
    assert device.promiscuity == 0
    assert (session.failed, session.errors, session.oopses) == (0, 0, 0)
