"""SO_*: ranges, lengths, defaults, privileges, what getsockopt gives back."""

import struct

import pytest

EBADF, EINVAL, EDOM, EPERM, EACCES, ENODEV, ENOPROTOOPT, EOPNOTSUPP = -9, -22, -33, -1, -13, -19, -92, -95
EFAULT, ENODATA, ERANGE, ENOENT = -14, -61, -34, -2
SOL_SOCKET = 1


def setopt(host, fd, name, value, length=None):
    data = value if isinstance(value, bytes) else struct.pack("<i", value)
    return host("setsockopt", fd, SOL_SOCKET, name, data, len(data) if length is None else length)


def getopt(host, fd, name, room=4):
    where, length = host.room(max(room, 1)), host.put(struct.pack("<i", room))
    result = host("getsockopt", fd, SOL_SOCKET, name, where, length)
    return host.get(where, host.word(length)) if result == 0 else result


def number(host, fd, name):
    value = getopt(host, fd, name)
    return struct.unpack("<i", value)[0] if isinstance(value, bytes) else value


@pytest.fixture
def udp(host):
    return host("socket", 2, 2, 0)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        (2, 0), (3, 2), (4, 0), (5, 0), (6, 0), (7, 212992), (8, 212992), (9, 0), (10, 0), (11, 0), (12, 0),
        (14, 0), (15, 0), (18, 1), (19, 1), (30, 0), (36, 0), (38, 17), (39, 2), (40, 0), (42, -1), (46, 0),
        (48, 64), (49, -1), (56, 0), (62, 0), (72, 0), (73, 0), (74, 1),
    ],
)  # fmt: skip
def test_defaults_of_a_udp_socket(host, udp, name, value):
    assert number(host, udp, name) == value


@pytest.mark.parametrize(
    ("name", "given", "got"),
    [
        (8, 0, 2304), (8, 1, 2304), (8, 4096, 8192), (8, 10**9, 425984), (8, -1, 425984),
        (7, 0, 4608), (7, 10000, 20000), (7, -1, 425984),
        (18, -1, 2**31 - 1), (18, 0, 1), (2, 77, 1), (12, 6, 6), (12, 7, 7), (72, 3, 3), (46, 50, 50),
    ],
)  # fmt: skip
def test_values_are_bounded(host, udp, name, given, got):
    assert setopt(host, udp, name, given) == 0
    assert number(host, udp, name) == got


@pytest.mark.parametrize(
    ("force", "name", "given", "got"), [(33, 8, -5, 2304), (33, 8, 2**30, 2**31 - 2), (32, 7, 10**6, 2 * 10**6)]
)
def test_root_may_force_buffers(host, udp, force, name, given, got):
    assert setopt(host, udp, force, given) == 0
    assert number(host, udp, name) == got
    assert number(host, udp, force) == ENOPROTOOPT


@pytest.mark.parametrize(
    ("name", "value", "result"),
    [
        (3, 1, ENOPROTOOPT), (38, 1, ENOPROTOOPT), (39, 1, ENOPROTOOPT), (4, 1, ENOPROTOOPT), (999, 1, ENOPROTOOPT),
        (72, 4, EINVAL), (74, 2, EINVAL), (46, -1, EINVAL), (62, -1, EINVAL), (60, 2, EINVAL), (73, 4096, EOPNOTSUPP),
        (50, 99, EBADF), (27, 0, ENOENT), (2, b"\1\0", EINVAL), (13, 1, EINVAL), (61, 0, EINVAL),
        (20, struct.pack("<qq", 0, 1000000), EDOM), (20, b"\0" * 8, EINVAL), (25, b"nope\0", ENODEV),
    ],
)  # fmt: skip
def test_refused_values(host, udp, name, value, result):
    assert setopt(host, udp, name, value) == result


@pytest.mark.parametrize(
    ("name", "value", "result"), [(1, 1, EACCES), (32, 1, EPERM), (33, 1, EPERM), (36, 1, EPERM), (12, 7, EPERM), (12, 6, 0)]
)
def test_privileges(host, udp, name, value, result):
    host("setuid", 65534)
    assert setopt(host, udp, name, value) == result


def test_lengths_of_getsockopt(host, udp):
    assert getopt(host, udp, 8, 0) == b""
    assert getopt(host, udp, 8, 2) == struct.pack("<i", 212992)[:2]
    assert getopt(host, udp, 8, 100) == struct.pack("<i", 212992)
    assert getopt(host, udp, 57, 4) == EINVAL
    assert len(getopt(host, udp, 55, 100)) == 36
    assert host("getsockopt", udp, 1, 8, host.room(4), struct.pack("<i", -1)) == EINVAL
    assert host("getsockopt", udp, 1, 8, 0x1000, struct.pack("<i", 4)) == EFAULT


def test_linger_and_timeouts(host, udp):
    assert setopt(host, udp, 13, struct.pack("<ii", 1, 5)) == 0
    assert getopt(host, udp, 13, 8) == struct.pack("<ii", 1, 5)
    assert setopt(host, udp, 20, struct.pack("<qq", 1, 500000)) == 0
    assert getopt(host, udp, 20, 16) == struct.pack("<qq", 1, 500000)
    assert setopt(host, udp, 20, struct.pack("<qq", 0, 0)) == 0
    assert getopt(host, udp, 20, 16) == bytes(16)


def test_binding_to_a_device(host, udp):
    assert setopt(host, udp, 25, b"lo\0") == 0
    assert number(host, udp, 62) == 1
    assert getopt(host, udp, 25, 16) == b"lo\0"
    assert getopt(host, udp, 25, 8) == EINVAL
    assert setopt(host, udp, 25, b"", 0) == 0
    assert getopt(host, udp, 25, 16) == b""
    host("setuid", 65534)
    assert setopt(host, udp, 25, b"lo\0") == 0
    assert setopt(host, udp, 25, b"\0") == EPERM  # only to leave a device needs CAP_NET_RAW


def test_cookies_are_unique_and_stable(host, udp):
    other = host("socket", 1, 1, 0)
    first = getopt(host, udp, 57, 8)
    assert getopt(host, other, 57, 8) != first
    assert getopt(host, udp, 57, 8) == first


def test_a_classic_filter(host):
    a, b = host.pair("socketpair", 1, 2 | 0o4000, 0, ...)
    accept = struct.pack("<HBBI", 0x06, 0, 0, 3)  # ret 3: keep three bytes
    program = struct.pack("<H6xQ", 1, host.put(accept))
    assert setopt(host, b, 26, program) == 0
    assert host("write", a, b"hello", 5) == 5
    assert host("read", b, host.room(8), 8) == 3
    where, length = host.room(8), host.put(struct.pack("<i", 1))
    assert host("getsockopt", b, 1, 26, where, length) == 0
    assert (host.word(length), host.get(where, 8)) == (1, accept)
    assert setopt(host, b, 44, 1) == 0
    assert setopt(host, b, 27, 0) == EPERM
    assert setopt(host, b, 44, 0) == EPERM


@pytest.mark.parametrize(
    "code",
    [
        struct.pack("<HBBI", 0x16 | 0x80, 0, 0, 0),  # no such instruction
        struct.pack("<HBBI", 0x00, 0, 0, 1),  # does not end in a return
        struct.pack("<HBBI", 0x05, 0, 0, 5) + struct.pack("<HBBI", 0x06, 0, 0, 0),  # jumps outside
        struct.pack("<HBBI", 0x60, 0, 0, 0) + struct.pack("<HBBI", 0x06, 0, 0, 0),  # reads memory never written
        struct.pack("<HBBI", 0x34, 0, 0, 0) + struct.pack("<HBBI", 0x06, 0, 0, 0),  # divides by 0
    ],
)
def test_bad_filters(host, udp, code):
    assert setopt(host, udp, 26, struct.pack("<H6xQ", len(code) // 8, host.put(code))) == EINVAL


def test_peer_credentials(host, udp):
    a, _ = host.pair("socketpair", 1, 1, 0, ...)
    assert getopt(host, a, 17, 12) == struct.pack("<iII", 1, 0, 0)
    assert getopt(host, udp, 17, 12) == struct.pack("<iii", 0, -1, -1)
    assert getopt(host, udp, 59, 64) == ENODATA


def test_memberships_of_netlink_end_with_the_groups_of_the_protocol(host):
    fd = host("socket", 16, 3, 0)
    joined = [group for group in range(1, 70) if host("setsockopt", fd, 270, 1, struct.pack("<i", group), 4) == 0]
    assert joined == list(range(1, joined[-1] + 1))
    assert 32 < joined[-1] < 63
    assert host("setsockopt", fd, 270, 2, struct.pack("<i", joined[-1] + 1), 4) == EINVAL


def test_packet_fanout_reads_its_argument_first(host):
    fd = host("socket", 17, 3, 0)
    assert host("setsockopt", fd, 263, 18, 0, 4) == EFAULT
    assert host("setsockopt", fd, 263, 18, 0, 3) == EINVAL
