"""Packets: plausible, odd, and broken."""

import struct

from fuzzing.values import address, data, mutated, port, u8, u16, u32

MACS = (bytes(6), b"\xff" * 6, b"\x01\0\x5e\0\0\x01", b"\x02\0\0\0\0\x01", b"\x01\x80\xc2\0\0\0", b"\x33\x33\0\0\0\x01")


def mac(r):
    return r.choice((*MACS, r.randbytes(6)))


def checksum(raw):
    raw += bytes(len(raw) % 2)
    total = sum(struct.unpack(f">{len(raw) // 2}H", raw))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def ip_options(r):
    """At most 40 bytes of options, multiple of four: often broken."""
    kinds = (0, 1, 7, 68, 131, 137, 130, 148, 136, 20, u8(r))
    raw = b""
    for _ in range(r.randrange(4)):
        kind = r.choice(kinds)
        if kind in (0, 1):
            raw += bytes([kind])
        else:
            body = r.randbytes(r.randrange(10))
            raw += bytes([kind, r.choice((len(body) + 2, u8(r)))]) + r.choice((b"\4", b"\x05", b"\0", b"")) + body
    raw = raw[:40]
    return raw + bytes(-len(raw) % 4)


def tcp_options(r):
    raw = b""
    for _ in range(r.randrange(5)):
        kind = r.choice((0, 1, 2, 3, 4, 5, 8, 19, 28, 30, 34, 253, 254, u8(r)))
        body = {
            2: struct.pack(">H", u16(r)),
            3: bytes([u8(r)]),
            8: struct.pack(">II", u32(r), u32(r)),
            5: r.randbytes(8 * r.randrange(4)),
        }
        rest = body.get(kind, r.randbytes(r.randrange(12)) if kind > 8 else b"")
        raw += bytes([kind]) if kind < 2 else bytes([kind, r.choice((len(rest) + 2, len(rest) + 2, u8(r)))]) + rest
    raw = raw[:40]
    return raw + bytes(-len(raw) % 4)


def tcp(r, src, dst, hints=()):
    """hints: (source port, destination port, seq, ack) of living connections."""
    options = tcp_options(r)
    offset = r.choice((5 + len(options) // 4,) * 6 + (r.randrange(16),))
    flags = r.choice((2, 0x12, 0x10, 0x18, 0x11, 4, 0x14, 0x38, 0x3F, 0, 0xC2, u8(r)))
    sport, dport, seq, ack = r.choice(hints) if hints and r.randrange(4) else (port(r), port(r), u32(r), u32(r))
    near = r.choice((0, 0, 0, 1, -1, 1000, -1000, 1 << 31))
    raw = (
        struct.pack(
            ">HHIIBBHHH", sport, dport, (seq + near) & 0xFFFFFFFF,
            (ack + r.choice((0, 0, 1, -1, 5000))) & 0xFFFFFFFF, offset << 4 | r.randrange(2), flags,
            r.choice((0, 1, 512, 65535, u16(r))), 0, u16(r),
        )
        + options
        + data(r, r.choice((0, 0, 1, 10, 1400)))
    )
    if r.randrange(10):
        pseudo = src + dst + struct.pack(">HH", 6, len(raw))
        raw = raw[:16] + struct.pack(">H", checksum(pseudo + raw)) + raw[18:]
    return raw


def udp(r, src, dst):
    body = data(r, r.choice((0, 1, 10, 100, 1400, 2000)))
    length = r.choice((8 + len(body),) * 4 + (u16(r), 0, 7))
    return struct.pack(">HHHH", port(r), port(r), length, r.choice((0, 0, 0, u16(r)))) + body


def icmp(r, src, dst, depth=0):
    kind = r.choice((0, 3, 3, 3, 4, 5, 8, 8, 9, 10, 11, 12, 13, 14, 15, 17, 18, 42, 43, u8(r)))
    if kind in (3, 4, 5, 11, 12) and depth < 2:
        body = ip(r, depth + 1)[: r.choice((0, 8, 20, 27, 28, 36, 60, 600))]
    else:
        body = data(r, r.choice((0, 4, 8, 56, 600)))
    raw = struct.pack(">BBHI", kind, r.choice((0, 0, 1, 2, 3, 4, 5, 13, 15, 16, u8(r))), 0, u32(r)) + body
    return raw[:2] + struct.pack(">H", checksum(raw)) + raw[4:] if r.randrange(12) else raw


def igmp(r, src, dst):
    raw = struct.pack(">BBH4s", r.choice((0x11, 0x12, 0x13, 0x14, 0x16, 0x17, 0x22, u8(r))), u8(r), 0, address(r))
    raw += r.choice((b"", struct.pack(">BBH", u8(r), u8(r), r.randrange(5)) + r.randbytes(4 * r.randrange(5))))
    return raw[:2] + struct.pack(">H", checksum(raw)) + raw[4:] if r.randrange(8) else raw


def ip(r, depth=0, hints=()):
    """An IPv4 packet."""
    src, dst = address(r), address(r)
    proto, body = r.choice(
        (
            (6, tcp), (6, tcp), (17, udp), (17, udp), (1, icmp), (1, icmp), (2, igmp), (136, udp), (255, udp),
            (4, udp), (47, udp), (u8(r), udp),
        )
    )
    if body is icmp:
        payload = icmp(r, src, dst, depth)
    elif body is tcp:
        payload = tcp(r, src, dst, hints)
    else:
        payload = body(r, src, dst)
    options = ip_options(r) if r.randrange(4) == 0 else b""
    fragment = r.choice((0,) * 6 + (0x4000, 0x2000, 0x2001, 0x0003, 0x1FFF, 0x2000 | r.randrange(200), 0x8000, u16(r)))
    total = r.choice((20 + len(options) + len(payload),) * 9 + (u16(r), 19))
    header = (
        struct.pack(
            ">BBHHHBBH4s4s", r.choice((0x45 + len(options) // 4,) * 9 + (u8(r),)), u8(r), total & 0xFFFF,
            r.choice((0, 1, 2, u16(r))), fragment, r.choice((64, 1, 2, 0, 255)), proto, 0, src, dst,
        )
        + options
    )
    if r.randrange(12):
        header = header[:10] + struct.pack(">H", checksum(header)) + header[12:]
    return mutated(r, header + payload) if r.randrange(4) == 0 else header + payload


def arp(r):
    raw = (
        struct.pack(
            ">HHBBH", r.choice((1, 1, 1, 6, u16(r))), r.choice((0x800,) * 4 + (u16(r),)),
            r.choice((6, 6, 6, u8(r))), r.choice((4, 4, 4, u8(r))), r.choice((1, 2, 1, 2, 3, 8, u16(r))),
        )
        + mac(r)
        + address(r)
        + mac(r)
        + address(r)
    )
    return mutated(r, raw) if r.randrange(4) == 0 else raw


def frame(r, hints=()):
    """An Ethernet frame."""
    kind = r.randrange(10)
    if kind < 6:
        proto, body = 0x800, ip(r, 0, hints)
    elif kind < 8:
        proto, body = 0x806, arp(r)
    else:
        proto, body = (
            r.choice((0x8100, 0x86DD, 0x0004, 46, 1500, 1501, 0x1FF, u16(r))),
            data(r, r.choice((0, 1, 20, 46, 200))),
        )
    raw = mac(r) + mac(r) + struct.pack(">H", proto) + body
    return mutated(r, raw) if r.randrange(8) == 0 else raw
