"""setsockopt(SOL_TCP): ranges, and what getsockopt() gives afterwards."""

import struct

import pytest

EPERM, ENOENT, EINVAL, ENOPROTOOPT = -1, -2, -22, -92
(
    NODELAY, MAXSEG, CORK, KEEPIDLE, KEEPINTVL, KEEPCNT, SYNCNT, LINGER2, DEFER_ACCEPT, WINDOW_CLAMP, INFO, QUICKACK,
    CONGESTION,
) = range(1, 14)  # fmt: skip
USER_TIMEOUT, REPAIR, REPAIR_QUEUE, FASTOPEN, NOTSENT_LOWAT, SAVE_SYN, INQ = 18, 19, 20, 23, 25, 27, 36


@pytest.mark.parametrize(
    ("name", "value", "result", "after"),
    [
        (NODELAY, 5, 0, 1),
        (CORK, -1, 0, 1),
        (MAXSEG, 87, EINVAL, 536),
        (MAXSEG, 88, 0, 88),
        (MAXSEG, 32767, 0, 32767),
        (MAXSEG, 32768, EINVAL, 536),
        (KEEPIDLE, 0, EINVAL, 7200),
        (KEEPIDLE, 32767, 0, 32767),
        (KEEPINTVL, 32768, EINVAL, 75),
        (KEEPCNT, 127, 0, 127),
        (KEEPCNT, 128, EINVAL, 9),
        (SYNCNT, 0, EINVAL, 6),
        (SYNCNT, 127, 0, 127),
        (LINGER2, -5, 0, -1),
        (LINGER2, 0, 0, 60),
        (LINGER2, 121, 0, 120),
        (DEFER_ACCEPT, 5, 0, 7),
        (DEFER_ACCEPT, -1, 0, 0),
        (WINDOW_CLAMP, 100, 0, 1152),
        (WINDOW_CLAMP, -1, 0, -1),
        (QUICKACK, 0, 0, 0),
        (USER_TIMEOUT, -1, EINVAL, 0),
        (REPAIR_QUEUE, 1, EPERM, EINVAL),
        (SAVE_SYN, 3, EINVAL, 0),
        (FASTOPEN, 10, 0, 10),
        (NOTSENT_LOWAT, 4096, 0, 4096),
        (INQ, 2, EINVAL, 0),
        (15, 1, ENOPROTOOPT, ENOPROTOOPT),
        (99, 1, ENOPROTOOPT, ENOPROTOOPT),
    ],
)
def test_int_options(tcp, name, value, result, after):
    fd = tcp.socket()
    assert tcp.set(fd, 6, name, value) == result
    assert tcp.option(fd, 6, name) == after


@pytest.mark.parametrize(
    ("uid", "name", "result"),
    [
        (0, b"reno\0", 0),
        (0, b"cubic", 0),
        (0, b"bbr", ENOENT),
        (65534, b"reno", 0),
    ],
)
def test_congestion(tcp, uid, name, result):
    if uid:
        tcp.host("setuid", uid)
    fd = tcp.socket()
    assert tcp.host("setsockopt", fd, 6, CONGESTION, name, len(name)) == result
    where, size = tcp.host.room(16), tcp.host.put(struct.pack("<i", 16))
    assert tcp.host("getsockopt", fd, 6, CONGESTION, where, size) == 0
    expected = name.rstrip(b"\0") if result == 0 else b"cubic"
    assert tcp.host.get(where, 16) == expected.ljust(16, b"\0")


def test_repair_needs_a_capability(tcp):
    fd = tcp.socket()
    assert tcp.set(fd, 6, REPAIR, 1) == 0
    assert tcp.option(fd, 6, REPAIR) == 1
    tcp.host("setuid", 65534)
    assert tcp.set(tcp.socket(), 6, REPAIR, 1) == EPERM


def test_info_of_a_connection(tcp):
    client, server = tcp.established()
    tcp.send(client, b"12345")
    where, size = tcp.host.room(256), tcp.host.put(struct.pack("<i", 256))
    assert tcp.host("getsockopt", server, 6, INFO, where, size) == 0
    assert tcp.host.word(size) == 232
    info = tcp.host.get(where, 232)
    state, options, wscale = info[0], info[5], info[6]
    assert (state, options & 7, wscale) == (1, 7, 0x77)
    (received,) = struct.unpack_from("<Q", info, 128)
    assert received == 5
