"""Netlink messages: routes, links, addresses, neighbours, rules, sock_diag, generic netlink; whole and broken."""

import struct

from fuzzing.values import address, data, interface, mutated, number, u8, u16, u32

KINDS = (b"dummy", b"veth", b"bridge", b"tun", b"nix", b"vlan", b"ifb", b"")
RTM = (
    *range(16, 124), 16, 16, 16, 17, 18, 19, 20, 20, 21, 22, 24, 24, 24, 25, 25, 26, 28, 28, 29, 30, 32, 33, 34,
    36, 37, 38, 64, 66, 67, 80, 82,
)
HEADERS = {
    "link": lambda r: struct.pack(
        "<BxHiII", family(r), u16(r), index(r), r.choice((0, 1, 0x1003, u32(r))), r.choice((0, 1, 0xFFFFFFFF, u32(r)))
    ),
    "addr": lambda r: struct.pack(
        "<BBBBI", family(r), r.choice((8, 24, 32, 0, 33, u8(r))), u8(r), u8(r), index(r) & 0xFFFFFFFF
    ),
    "route": lambda r: struct.pack(
        "<BBBBBBBBI", family(r), r.choice((0, 8, 24, 32, 33, u8(r))), r.choice((0, 32, u8(r))),
        r.choice((0, 0, u8(r))), r.choice((0, 254, 255, 253, u8(r))), r.choice((0, 2, 3, 4, u8(r))),
        r.choice((0, 253, 254, 255, u8(r))), r.randrange(14), r.choice((0, 0, 0x100, 0x200, 0x2000, u32(r))),
    ),
    "neigh": lambda r: struct.pack(
        "<BxHiHBB", r.choice((family(r), 7)), u16(r), index(r),
        r.choice((0, 1, 2, 4, 8, 0x10, 0x20, 0x40, 0x80, u16(r))), u8(r), u8(r),
    ),
    "traffic": lambda r: struct.pack(
        "<BxHiIII", family(r), 0, index(r), u32(r), r.choice((0xFFFFFFFF, 0x10000, u32(r))), u32(r)
    ),
    "gen": lambda r: struct.pack("<Bxxx", family(r)),
}
FITTING = {
    **dict.fromkeys(range(16, 20), "link"), **dict.fromkeys(range(20, 24), "addr"),
    **dict.fromkeys(range(24, 28), "route"), **dict.fromkeys(range(28, 32), "neigh"),
    **dict.fromkeys(range(32, 36), "route"), **dict.fromkeys(range(36, 52), "traffic"),
}


def family(r):
    return r.choice((0, 2, 2, 2, 7, 10, 16, 17, u8(r)))


def index(r):
    return r.choice((0, 1, 1, 2, 3, 4, 5, 6, -1, 99, number(r) % (1 << 31)))


def attribute(r, kind=None, payload=None, depth=0):
    """One attribute, perhaps with others inside."""
    kind = r.choice((r.randrange(1, 16), r.randrange(66), u16(r))) if kind is None else kind
    if payload is None:
        payload = value(r, depth)
    kind |= r.choice((0,) * 8 + (0x8000, 0x4000))
    length = r.choice((4 + len(payload),) * 20 + (u16(r), 0, 3, 5))
    raw = struct.pack("<HH", length & 0xFFFF, kind & 0xFFFF) + payload
    return raw + bytes(-len(raw) % 4)


def value(r, depth):
    choice = r.randrange(12)
    if choice < 3:
        return struct.pack("<I", r.choice((index(r) & 0xFFFFFFFF, u32(r))))
    if choice < 5:
        return address(r)
    if choice < 7:
        return interface(r) + r.choice((b"\0", b""))
    if choice == 7 and depth < 6:
        return b"".join(attribute(r, depth=depth + 1) for _ in range(r.randrange(4)))
    if choice == 8:
        return r.randbytes(6)
    return r.choice(
        (
            b"",
            bytes([u8(r)]),
            struct.pack("<H", u16(r)),
            struct.pack("<Q", number(r)),
            data(r, r.choice((3, 16, 20, 32, 100))),
        )
    )


def link_attributes(r):
    """What makes a link: a name, a kind with its data, a master, an address …"""
    peer = HEADERS["link"](r) + attribute(r, 3, interface(r) + b"\0")
    info = attribute(r, 1, r.choice(KINDS) + b"\0")
    if r.randrange(2):
        info += attribute(r, 2, attribute(r, 1, peer) if r.randrange(2) else b"".join(attribute(r) for _ in range(3)))
    parts = [
        attribute(r, 3, interface(r) + b"\0"), attribute(r, 18, info), attribute(r, 4, struct.pack("<I", u32(r))),
        attribute(r, 1, r.randbytes(6)), attribute(r, 10, struct.pack("<I", index(r) & 0xFFFFFFFF)),
        attribute(r, 13, struct.pack("<I", u32(r))), attribute(r, 19, struct.pack("<I", u32(r))),
        attribute(r, 28, struct.pack("<I", u32(r))), attribute(r, 20, data(r, 20)), attribute(r, 26),
        attribute(r, 29, struct.pack("<I", u32(r))), attribute(r, 53, interface(r) + b"\0"),
        attribute(r, 6, interface(r) + b"\0"), attribute(r),
    ]
    return b"".join(r.sample(parts, r.randrange(6))) + (parts[1] if r.randrange(2) else b"")


def route_attributes(r):
    nexthop = struct.pack("<HBBi", r.choice((8, 16, 16, u16(r))), u8(r), u8(r), index(r)) + r.choice(
        (b"", attribute(r, 5, address(r)))
    )
    metrics = b"".join(attribute(r, r.randrange(1, 20), struct.pack("<I", u32(r))) for _ in range(3))
    parts = [
        attribute(r, 1, address(r)), attribute(r, 2, address(r)), attribute(r, 3, interface(r) + b"\0"),
        attribute(r, 4, struct.pack("<I", index(r) & 0xFFFFFFFF)), attribute(r, 5, address(r)),
        attribute(r, 6, struct.pack("<I", u32(r))), attribute(r, 7, address(r)), attribute(r, 8, metrics),
        attribute(r, 9, nexthop * r.randrange(4)), attribute(r, 15, struct.pack("<I", u32(r))),
        attribute(r, 16, struct.pack("<I", u32(r))), attribute(r, 18, struct.pack("<H", 2) + address(r)),
        attribute(r, 30, struct.pack("<I", u32(r))), attribute(r),
    ]
    return b"".join(r.sample(parts, r.randrange(6)))


def request(r):
    """A message to NETLINK_ROUTE."""
    kind = r.choice(RTM)
    header = FITTING.get(kind, "gen") if r.randrange(12) else r.choice(tuple(HEADERS))
    body = HEADERS[header](r)
    if header == "link":
        body += link_attributes(r)
    elif header == "route":
        body += route_attributes(r)
    elif header in ("addr", "neigh") and r.randrange(4):
        body += b"".join(
            attribute(r, n, p)
            for n, p in ((1, address(r)), (2, r.choice((address(r), r.randbytes(6)))), (3, interface(r) + b"\0"))
            if r.randrange(3)
        )
    body += b"".join(attribute(r) for _ in range(r.choice((0, 0, 1, 2))))
    return message(r, kind, body)


def message(r, kind, body):
    flags = r.choice((1, 5, 0x301, 0x305, 0x605, 0x405, 0x105, 0x505, 0xC05, 0, u16(r)))
    length = r.choice((16 + len(body),) * 20 + (u32(r), 0, 15))
    raw = struct.pack("<IHHII", length, kind, flags, u32(r), 0) + body
    return raw + bytes(-len(raw) % 4)


def diag(r):
    """A message to NETLINK_SOCK_DIAG."""
    family_ = r.choice((2, 2, 1, 16, 17, 10, u8(r)))
    kind = r.choice((20, 20, 20, 21, 18, u16(r)))
    body = struct.pack(
        "<BBBBI", family_, r.choice((6, 17, 1, 136, 255, u8(r))), u8(r), 0, r.choice((0xFFFFFFFF, u32(r)))
    )
    body += (
        struct.pack(">HH", r.choice((0, 7000, 80)), r.choice((0, 7000, 80)))
        + address(r)
        + bytes(12)
        + address(r)
        + bytes(12)
    )
    body += struct.pack("<III", index(r) & 0xFFFFFFFF, u32(r), u32(r))
    filters = b"".join(
        bytes([r.choice((0, 1, 2, 3, 4, 5, 6, 7, 10, 11, u8(r))), r.choice((4, 8, 12, 16, u8(r)))])
        + struct.pack("<H", r.choice((4, 8, 12, u16(r))))
        for _ in range(r.randrange(6))
    )
    body += attribute(r, 1, filters) if r.randrange(2) else b""
    return message(r, kind, body)


def generic(r):
    """A message to NETLINK_GENERIC."""
    kind = r.choice((16, 16, 16, 17, 18, 19, u16(r)))
    body = struct.pack("<BBH", r.choice((3, 3, 1, 2, 10, u8(r))), r.choice((1, 2, 0, u8(r))), 0)
    body += b"".join(
        r.choice((attribute(r, 2, b"nlctrl\0"), attribute(r, 1, struct.pack("<H", 16)), attribute(r)))
        for _ in range(r.randrange(3))
    )
    return message(r, kind, body)


def anything(r, protocol):
    """A message or some to a protocol of AF_NETLINK."""
    make = {0: request, 4: diag, 16: generic}.get(protocol, lambda r: message(r, u16(r), data(r)))
    raw = b"".join(make(r) for _ in range(r.choice((1, 1, 1, 2, 3))))
    return mutated(r, raw) if r.randrange(5) == 0 else raw
