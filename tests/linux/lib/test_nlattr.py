"""Attributes against a policy: what is refused, and the words for it."""

import struct

import pytest

MTU, NAME, ADDRESS, LINKINFO, OPERSTATE, CARRIER = 4, 3, 1, 18, 16, 33
EINVAL, ERANGE, EOPNOTSUPP = -22, -34, -95

CASES = [
    ("a number that is too short", MTU, b"\1\2", ERANGE, "Attribute failed policy validation"),
    ("a name that is too long", NAME, b"x" * 40 + b"\0", ERANGE, "Attribute failed policy validation"),
    ("a number as it should be", MTU, struct.pack("<I", 1400), 0, ""),
    ("a nest with rubbish in it", LINKINFO, b"\1", ERANGE, "Attribute failed policy validation"),
]


@pytest.mark.parametrize(("kind", "data", "result", "told"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_policies(host, kind, data, result, told):
    fd = host("socket", 16, 3, 0)
    host("setsockopt", fd, 270, 11, struct.pack("<i", 1), 4)
    attribute = struct.pack("<HH", 4 + len(data), kind) + data + bytes(-len(data) % 4)
    body = struct.pack("<BxHiII", 0, 0, 1, 0, 0) + attribute
    message = struct.pack("<IHHII", 16 + len(body), 16, 5, 1, 0) + body
    host("sendto", fd, message, len(message), 0, 0, 0)
    room = host.room(1024)
    answer = host.get(room, host("recvfrom", fd, room, 1024, 0, 0, 0))
    assert struct.unpack_from("<i", answer, 16)[0] == result
    assert told.encode() in answer
