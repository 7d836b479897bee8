"""Requests that change interfaces, routes and neighbours, with their ranges and who may make them."""

import struct

import pytest

from kshell.world.nic import plug_in

EPERM, ENODEV, EBUSY, EEXIST, EINVAL, ENXIO, ENOENT, EADDRNOTAVAIL, ENETUNREACH, ESRCH = (
    -1, -19, -16, -17, -22, -6, -2, -99, -101, -3,
)  # fmt: skip
GIFMTU, SIFMTU, SIFHWADDR, GIFHWADDR, SIFTXQLEN, GIFTXQLEN, SIFNAME, ADDMULTI, DELMULTI, GIFMAP = (
    0x8921, 0x8922, 0x8924, 0x8927, 0x8943, 0x8942, 0x8923, 0x8931, 0x8932, 0x8970,
)  # fmt: skip
GIFFLAGS, SIFFLAGS, GIFADDR, SIFADDR, GIFBRDADDR, GIFNETMASK, SIFNETMASK = (
    0x8913, 0x8914, 0x8915, 0x8916, 0x8919, 0x891B, 0x891C,
)  # fmt: skip
ADDRT, DELRT, DARP, GARP, SARP = 0x890B, 0x890C, 0x8953, 0x8954, 0x8955


def inet(address, port=0):
    return struct.pack("<H", 2) + struct.pack(">H", port) + bytes(address) + bytes(8)


@pytest.fixture
def ask(host):
    """eth0, and requests about it."""
    plug_in(host.kernel, "eth0", b"\2\0\0\0\0\7")
    fd = host("socket", 2, 2, 0)

    def ifreq(cmd, value=b"", name=b"eth0"):
        where = host.put((name.ljust(16, b"\0") + value).ljust(40, b"\0"))
        result = host("ioctl", fd, cmd, where)
        return host.get(where + 16, 24) if result == 0 else result

    ifreq.fd = fd
    return ifreq


@pytest.mark.parametrize(
    ("cmd", "value", "result"),
    [
        (SIFMTU, struct.pack("<i", 1250), 0),
        (SIFMTU, struct.pack("<i", 10), EINVAL),
        (SIFMTU, struct.pack("<i", 1 << 20), EINVAL),
        (SIFTXQLEN, struct.pack("<i", 7), 0),
        (SIFTXQLEN, struct.pack("<i", -1), EINVAL),
        (SIFHWADDR, struct.pack("<H", 1) + b"\2\0\0\0\0\x09", 0),
        (SIFHWADDR, struct.pack("<H", 772) + b"\2\0\0\0\0\x09", EINVAL),
        (SIFHWADDR, struct.pack("<H", 1) + b"\1\0\0\0\0\x09", EADDRNOTAVAIL),
        (SIFNAME, b"lan0\0", 0),
        (SIFNAME, b"lo\0", EEXIST),
        (SIFNAME, b"a/b\0", EINVAL),
        (ADDMULTI, struct.pack("<H", 0) + b"\1\0\x5e\0\0\5", 0),
        (DELMULTI, struct.pack("<H", 0) + b"\1\0\x5e\0\0\5", ENOENT),
    ],
)
def test_settings(host, ask, cmd, value, result):
    got = ask(cmd, value)
    assert (got if isinstance(got, int) else 0) == result
    host("setuid", 1000)
    assert ask(cmd, value) in (EPERM, ENODEV)


def test_a_device_that_is_up_keeps_its_name(ask):
    assert isinstance(ask(SIFFLAGS, struct.pack("<H", 1)), bytes)
    assert ask(SIFNAME, b"lan0\0") == EBUSY


def test_addresses(ask):
    assert ask(GIFADDR) == EADDRNOTAVAIL
    assert isinstance(ask(SIFADDR, inet([10, 0, 0, 1])), bytes)
    assert ask(GIFADDR)[4:8] == bytes([10, 0, 0, 1])
    assert ask(GIFNETMASK)[4:8] == bytes([255, 0, 0, 0])
    assert isinstance(ask(SIFNETMASK, inet([255, 255, 255, 0])), bytes)
    assert ask(GIFNETMASK)[4:8] == bytes([255, 255, 255, 0])
    assert ask(SIFNETMASK, inet([255, 0, 255, 0])) == EINVAL
    assert ask(GIFBRDADDR)[4:8] == bytes([10, 0, 0, 255])
    assert isinstance(ask(SIFADDR, inet([0, 0, 0, 0])), bytes)
    assert ask(GIFADDR) == EADDRNOTAVAIL


def rtentry(target, mask, gateway=(0, 0, 0, 0), flags=1):
    return struct.pack(
        "<8x16s16s16sH6xQQhhxxxxQQQH6x", inet(target), inet(gateway), inet(mask), flags, 0, 0, 0, 0, 0, 0, 0, 0
    )


def test_routes(host, ask):
    ask(SIFADDR, inet([10, 0, 0, 1]))
    ask(SIFFLAGS, struct.pack("<H", 1))

    def change(cmd, *route):
        return host("ioctl", ask.fd, cmd, host.put(rtentry(*route).ljust(120, b"\0")))

    there = [172, 16, 0, 0], [255, 255, 0, 0], [10, 0, 0, 7], 3
    assert change(ADDRT, *there) == 0
    assert change(ADDRT, *there) == EEXIST
    assert change(DELRT, *there) == 0
    assert change(DELRT, *there) == ESRCH
    assert change(ADDRT, [172, 16, 0, 1], [255, 255, 0, 0], [10, 0, 0, 7], 3) == EINVAL
    assert change(ADDRT, [172, 16, 0, 0], [255, 255, 0, 0], [99, 0, 0, 7], 3) == ENETUNREACH


def test_neighbours(host, ask):
    ask(SIFADDR, inet([10, 0, 0, 1]))
    ask(SIFFLAGS, struct.pack("<H", 1))

    def arp(cmd, address, lladdr=b"", flags=0, family=1):
        link = (struct.pack("<H", family) + lladdr).ljust(16, b"\0")
        where = host.put(inet(address) + link + struct.pack("<i", flags) + bytes(16) + b"eth0".ljust(16, b"\0"))
        result = host("ioctl", ask.fd, cmd, where)
        return host.get(where + 18, 6) if result == 0 and cmd == GARP else result

    assert arp(GARP, [10, 0, 0, 7]) == ENXIO
    assert arp(SARP, [10, 0, 0, 7], b"\2\0\0\0\0\1", 6) == 0
    assert arp(GARP, [10, 0, 0, 7]) == b"\2\0\0\0\0\1"
    assert arp(SARP, [10, 0, 0, 7], b"\2\0\0\0\0\1", 6, 99) == EINVAL
    assert arp(DARP, [10, 0, 0, 7]) == 0
    assert arp(DARP, [10, 0, 0, 77]) == ENXIO


def test_32_bit_forms(host, ask):
    """struct ifconf, ifreq and rtentry are shorter; IOCTL is 54."""
    ask(SIFADDR, inet([10, 0, 0, 1]))
    ask(SIFFLAGS, struct.pack("<H", 1))

    def ioctl(cmd, where):
        return host.machine.syscall(host.init, 54, (ask.fd, cmd, where), compat=True)

    room = host.room(96)
    conf = host.put(struct.pack("<iI", 96, room))
    assert ioctl(0x8912, conf) == 0
    assert host.word(conf) == 64
    assert [host.get(room + at, 4) for at in (0, 32)] == [b"lo\0\0", b"eth0"]
    ifr = host.put(b"eth0".ljust(32, b"\0"))
    assert ioctl(GIFMTU, ifr) == 0
    assert host.word(ifr + 16) == 1500
    assert ioctl(GIFMAP, ifr) == 0
    parts = inet([172, 16, 0, 0]), inet([0, 0, 0, 0]), inet([255, 255, 0, 0])
    device = host.put(b"eth0\0")
    entry = struct.pack(
        "<I16s16s16sHh IBB h hxx IIIH2x".replace(" ", ""), 0, *parts, 1, 0, 0, 0, 0, 0, 0, device, 0, 0, 0
    )
    assert ioctl(ADDRT, host.put(entry)) == 0
    assert ioctl(ADDRT, host.put(entry)) == EEXIST


def test_a_32_bit_program_asks_a_pipe(host):
    reading, writing = host.pipe()
    host.write(writing, b"abc")
    where = host.room(4)
    assert host.machine.syscall(host.init, 54, (reading, 0x541B, where), compat=True) == 0
    assert host.word(where) == 3
    assert host.machine.syscall(host.init, 54, (reading, 0x5401, where), compat=True) == -25
