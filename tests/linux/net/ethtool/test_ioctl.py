"""SIOCETHTOOL: offloads are named, shown and switched."""

import struct

import pytest

SIOCETHTOOL = 0x8946
GDRVINFO, GLINK, GSG, GGRO, SGRO, GSTRINGS, GFEATURES, SFEATURES, GSSET = (
    0x3, 0xA, 0x18, 0x2B, 0x2C, 0x1B, 0x3A, 0x3B, 0x37,
)  # fmt: skip
EPERM, EFAULT, EOPNOTSUPP, ENODEV = -1, -14, -95, -19


@pytest.fixture
def ask(host):
    fd = host("socket", 2, 2, 0)

    def ethtool(data, name=b"lo", size=0):
        where = host.put(data.ljust(max(size, len(data)), b"\0"))
        result = host("ioctl", fd, SIOCETHTOOL, struct.pack("<16sQ16x", name, where))
        return host.get(where, max(size, len(data))) if result == 0 else result

    return ethtool


@pytest.mark.parametrize(("command", "value"), [(GLINK, 1), (GSG, 1), (GGRO, 1)])
def test_values(ask, command, value):
    assert struct.unpack("<II", ask(struct.pack("<II", command, 0))) == (command, value)


def test_the_names_and_bits_of_the_features(ask):
    count = struct.unpack_from("<I", ask(struct.pack("<IIQ", GSSET, 0, 1 << 4) + bytes(4)), 16)[0]
    names = ask(struct.pack("<III", GSTRINGS, 4, count), size=12 + 32 * count)[12:]
    words = [names[at : at + 32].split(b"\0")[0].decode() for at in range(0, len(names), 32)]
    assert words[:4] == ["tx-scatter-gather", "tx-checksum-ipv4", "", "tx-checksum-ip-generic"]
    blocks = ask(struct.pack("<II", GFEATURES, 2), size=8 + 32)
    active = struct.unpack_from("<I", blocks, 8 + 8)[0]
    assert active & 1


def test_a_feature_is_switched_and_shown(host, ask):
    ask(struct.pack("<II", SGRO, 0))
    assert struct.unpack("<II", ask(struct.pack("<II", GGRO, 0)))[1] == 0
    host("setuid", 1000)
    assert ask(struct.pack("<II", SGRO, 1)) == EPERM


@pytest.mark.parametrize(
    ("data", "name", "result"),
    [
        (struct.pack("<II", 0x999, 0), b"lo", EOPNOTSUPP),
        (struct.pack("<II", GSG, 0), b"nothing", ENODEV),
        (struct.pack("<II", 0x5, 0), b"lo", EOPNOTSUPP),
    ],
)
def test_what_cannot_be_asked(ask, data, name, result):
    assert ask(data, name) == result
