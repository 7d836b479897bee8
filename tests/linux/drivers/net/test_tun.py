"""tun and tap devices: packets that programs read and write."""

import struct

import pytest

from kshell.abi.errno import EAGAIN, EBADFD, EBUSY, EINVAL, EIO, EPERM
from kshell.abi.ioctl import (
    SIOCSIFADDR,
    SIOCSIFFLAGS,
    SIOCSIFNETMASK,
    TUNGETFEATURES,
    TUNGETIFF,
    TUNSETIFF,
    TUNSETPERSIST,
)
from kshell.world.machine import SyscallInProgress

TUN, TAP, NO_PI = 1, 2, 0x1000
O_RDWR, O_NONBLOCK = 2, 0o4000


def ifreq(name, flags=0):
    return struct.pack("<16sH22x", name, flags)


def sin(text, port=0):
    return struct.pack("<H", 2) + struct.pack(">H4s8x", port, bytes(map(int, text.split("."))))


def attach(host, name=b"tun0", flags=TUN | NO_PI, mode=O_RDWR):
    """An open file with its device."""
    fd = host("open", b"/dev/net/tun\0", mode)
    assert fd >= 0
    return fd, host("ioctl", fd, TUNSETIFF, ifreq(name, flags))


def bring_up(host, name=b"tun0", ip="10.5.0.1"):
    control = host("socket", 2, 2, 0)
    assert host("ioctl", control, SIOCSIFADDR, struct.pack("<16s", name) + sin(ip)) == 0
    assert host("ioctl", control, SIOCSIFNETMASK, struct.pack("<16s", name) + sin("255.255.255.0")) == 0
    assert host("ioctl", control, SIOCSIFFLAGS, ifreq(name, 1)) == 0
    return control


def test_opening_the_node_loads_the_module(host):
    assert "tun" not in host.kernel.modules
    attach(host)
    assert host.kernel.modules["tun"].refcnt == 2


def test_what_is_sent_is_read(host):
    fd, _ = attach(host)
    control = bring_up(host)
    assert host("sendto", control, b"hi", 2, 0, sin("10.5.0.2", 9), 16) == 2
    room = host.room(200)
    assert host("read", fd, room, 200) == 30
    packet = host.get(room, 30)
    assert packet[0] == 0x45
    assert packet[-2:] == b"hi"
    assert -int.from_bytes(packet[:20], "big") % 65535 == 0  # the header's checksum


def test_what_is_written_comes_in(host):
    fd, _ = attach(host)
    bring_up(host)
    server = host("socket", 2, 2, 0)
    assert host("bind", server, sin("10.5.0.1", 7), 16) == 0
    udp = struct.pack(">HHHH", 9, 7, 12, 0) + b"data"
    ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 32, 0, 0, 64, 17, 0, bytes((10, 5, 0, 2)), bytes((10, 5, 0, 1)))
    check = -int.from_bytes(ip, "big") % 65535
    ip = ip[:10] + check.to_bytes(2, "big") + ip[12:]
    assert host("write", fd, ip + udp, 32) == 32
    room = host.room(20)
    assert host("recvfrom", server, room, 20, 0x40, 0, 0) == 4
    assert host.get(room, 4) == b"data"


def test_a_reader_waits(host):
    fd, _ = attach(host)
    control = bring_up(host)
    child = host.fork()
    sleeping = host("read", fd, host.room(200), 200)
    assert isinstance(sleeping, SyscallInProgress)
    assert host("sendto", control, b"x", 1, 0, sin("10.5.0.2", 9), 16, task=child) == 1
    host.machine.run()
    assert sleeping.result == 29


def test_the_device_goes_with_the_file_unless_it_is_to_stay(host):
    fd, _ = attach(host)
    assert host("close", fd) == 0
    host.machine.run()
    assert "tun0" not in host.kernel.init_net.dev_name_head
    fd, _ = attach(host)
    assert host("ioctl", fd, TUNSETPERSIST, 1) == 0
    host("close", fd)
    host.machine.run()
    assert "tun0" in host.kernel.init_net.dev_name_head


def test_names_are_made_up_and_told(host):
    fd, _ = attach(host, b"", TAP)
    request = host.put(ifreq(b""))
    assert host("ioctl", fd, TUNGETIFF, request) == 0
    assert host.get(request, 5) == b"tap0\0"
    assert host("ioctl", fd, TUNGETFEATURES, request) == 0
    assert host.word(request) & (TUN | TAP | NO_PI) == TUN | TAP | NO_PI


@pytest.mark.parametrize(
    ("what", "errno"),
    [
        (lambda host: host("read", host("open", b"/dev/net/tun\0", O_RDWR), host.room(9), 9), EBADFD),
        (lambda host: attach(host, b"x", TUN | TAP)[1], EINVAL),
        (lambda host: attach(host, b"lo", TUN)[1], EINVAL),
        (lambda host: (attach(host), attach(host))[1][1], EBUSY),
        (lambda host: host("write", attach(host)[0], bytes(20), 20), EIO),
        (lambda host: host("read", attach(host, mode=O_RDWR | O_NONBLOCK)[0], host.room(9), 9), EAGAIN),
    ],
)  # fmt: skip
def test_errors(host, what, errno):
    assert what(host) == -errno


def test_only_the_administrator_makes_devices(host):
    assert host("setuid", 1000) == 0
    assert attach(host)[1] == -EPERM
