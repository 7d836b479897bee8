"""Devices: lo and what ioctls tell of it; packets seen by taps on both ways."""

import struct

import pytest

from kshell.linux.fs.proc.proc_sysctl import _sysctl_set
from kshell.linux.include.linux.netdev_features import NETIF_F_LRO
from kshell.linux.include.trace.events import NetDevXmit, NetifReceive

ENODEV, EPERM, EINVAL, ENOTTY, EFAULT, EOPNOTSUPP = -19, -1, -22, -25, -14, -95
LO = b"lo".ljust(16, b"\0")


@pytest.fixture
def fd(host):
    return host("socket", 2, 2, 0)


def ifreq(host, fd, cmd, name=LO, value=b""):
    where = host.put((name + value).ljust(40, b"\0"))
    result = host("ioctl", fd, cmd, where)
    return host.get(where + 16, 24) if result == 0 else result


def test_lo_as_ioctls_show_it(host, fd):
    assert ifreq(host, fd, 0x8933)[:4] == struct.pack("<i", 1)
    assert ifreq(host, fd, 0x8921)[:4] == struct.pack("<i", 65536)
    assert ifreq(host, fd, 0x8913)[:2] == struct.pack("<H", 0x49)
    assert ifreq(host, fd, 0x8927)[:8] == struct.pack("<H", 772) + bytes(6)
    assert ifreq(host, fd, 0x8942)[:4] == struct.pack("<i", 1000)


def test_names_of_numbers(host, fd):
    where = host.put(bytes(16) + struct.pack("<i", 1) + bytes(20))
    assert host("ioctl", fd, 0x8910, where) == 0
    assert host.get(where, 3) == b"lo\0"
    where = host.put(bytes(16) + struct.pack("<i", 9) + bytes(20))
    assert host("ioctl", fd, 0x8910, where) == ENODEV


@pytest.mark.parametrize(
    ("cmd", "name", "result"),
    [
        (0x8921, b"eth7", ENODEV), (0x8929, b"lo", EINVAL), (0x891F, b"lo", ENOTTY), (0x8911, b"lo", ENOTTY),
        (0x89F0, b"lo", EOPNOTSUPP), (0x8946, b"lo", EFAULT), (0x5499, b"lo", ENOTTY),
    ],
)  # fmt: skip
def test_refused(host, fd, cmd, name, result):
    value = struct.pack("<Q", 0x1000) if cmd == 0x8946 else b""
    assert ifreq(host, fd, cmd, name.ljust(16, b"\0"), value) == result


def test_the_mtu_can_be_set_by_those_who_may(host, fd):
    assert ifreq(host, fd, 0x8922, value=struct.pack("<i", 1500)) != EPERM
    assert host.kernel.init_net.loopback_dev.mtu == 1500
    assert ifreq(host, fd, 0x8922, value=struct.pack("<i", -1)) == EINVAL
    host("setuid", 65534)
    assert ifreq(host, fd, 0x8922, value=struct.pack("<i", 1400)) == EPERM


def test_ifconf_gives_addresses_that_fit(host, fd):
    room = host.room(80)
    conf = host.put(struct.pack("<i4xQ", 80, room))
    assert host("ioctl", fd, 0x8912, conf) == 0
    assert host.word(conf) == 40
    assert host.get(room, 24) == LO + b"\2\0\0\0\x7f\0\0\1"
    conf = host.put(struct.pack("<i4xQ", 0, 0))
    assert host("ioctl", fd, 0x8912, conf) == 0
    assert host.word(conf) == 40
    conf = host.put(struct.pack("<i4xQ", 39, room))
    assert host("ioctl", fd, 0x8912, conf) == 0
    assert host.word(conf) == 0


def test_a_device_that_is_down_drops_silently(host, fd):
    other = host("socket", 2, 2 | 0o4000, 0)
    address = struct.pack("<H", 2) + struct.pack(">H", 9) + b"\x7f\0\0\1" + bytes(8)
    assert host("bind", other, address, 16) == 0
    assert ifreq(host, fd, 0x8914, value=struct.pack("<h", 0)) != EPERM
    assert ifreq(host, fd, 0x8913)[:2] == struct.pack("<H", 0x8)
    assert host("sendto", fd, b"x", 1, 0, address, 16) == 1
    assert host("recvfrom", other, host.room(8), 8, 0, 0, 0) == -11
    assert ifreq(host, fd, 0x8914, value=struct.pack("<h", 1)) != EPERM
    assert host("sendto", fd, b"x", 1, 0, address, 16) == 1
    assert host("recvfrom", other, host.room(8), 8, 0, 0, 0) == 1


def test_a_datagram_passes_the_device_within_the_call(host, fd):
    seen = []
    stop = host.kernel.observe(lambda record: seen.append(record) if isinstance(record, NetDevXmit | NetifReceive) else None)
    other = host("socket", 2, 2, 0)
    address = struct.pack("<H", 2) + struct.pack(">H", 7) + b"\x7f\0\0\1" + bytes(8)
    assert host("bind", other, address, 16) == 0
    assert host("sendto", fd, b"hi", 2, 0, address, 16) == 2
    stop()
    assert [type(record).__name__ for record in seen] == ["NetDevXmit", "NetifReceive"]
    lo = host.kernel.init_net.loopback_dev
    assert (lo.lstats.packets, lo.lstats.bytes) == (1, 44)
    assert host("recvfrom", other, host.room(8), 8, 0, 0, 0) == 2


def test_a_packet_socket_sees_both_ways(host, fd):
    tap = host("socket", 17, 3, 0x300)
    address = struct.pack("<H", 2) + struct.pack(">H", 9) + b"\x7f\0\0\1" + bytes(8)
    assert host("sendto", fd, b"hi", 2, 0, address, 16) == 2
    room = host.room(200)
    assert host("recvfrom", tap, room, 200, 0x40, 0, 0) == 44
    frame = host.get(room, 44)
    assert frame[12:16] == b"\x08\0\x45\0"
    assert frame[-2:] == b"hi"
    assert host("recvfrom", tap, room, 200, 0x40, 0, 0) == 44
    assert host.get(room, 44) == frame


@pytest.mark.parametrize("path", ["ip_forward", "conf/lo/forwarding"])
def test_a_device_of_a_router_does_not_merge_what_it_receives(host, path):
    lo = host.kernel.init_net.loopback_dev
    lo.features |= NETIF_F_LRO
    lo.hw_features |= NETIF_F_LRO
    lo.wanted_features |= NETIF_F_LRO
    _sysctl_set(host.kernel, f"net/ipv4/{path}", "0")
    assert lo.features & NETIF_F_LRO
    _sysctl_set(host.kernel, f"net/ipv4/{path}", "1")
    assert not lo.features & NETIF_F_LRO
