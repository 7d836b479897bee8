"""Arguments of system calls by the kinds that the table of calls gives them."""

import struct

from fuzzing import messages, values
from fuzzing.values import address, data, interface, number, port, u8, u16, u32
from kshell.abi.ioctl import SIOCGIFCONF

OPTION_LEVELS = {
    1: "opt_socket", 0: "opt_ip", 6: "opt_tcp", 17: "opt_udp", 255: "opt_raw", 263: "opt_packet",
    270: "opt_netlink", 41: "opt_ipv6", 136: "opt_udp",
}
ETHTOOL = (*range(1, 0x50),)
SIGNALS = (0, 1, 2, 9, 10, 12, 13, 14, 15, 17, 18, 19, 20, 23, 34, 40, 64, 65, -1)


def sockaddr(r):
    """A socket address of some family; whole, short, or long."""
    family = r.choice((1, 1, 2, 2, 2, 16, 17, 10, 0, u16(r)))
    if family == 1:
        raw = struct.pack("<H", 1) + r.choice(
            (
                b"", b"\0", b"\0a", b"\0b\x1b[2J", b"/tmp/s\0", b"/tmp/t\0", b"/tmp/s", b"x" * 107, b"y" * 108,
                b"/nix/s\0", b"/dev/null\0",
            )
        )
    elif family in (2, 10):
        raw = struct.pack("<H", family) + struct.pack(">H", port(r)) + address(r) + bytes(8)
    elif family == 16:
        raw = struct.pack("<HHII", 16, 0, r.choice((0, 0, 1, u32(r))), r.choice((0, 1, 0x10, u32(r))))
    elif family == 17:
        raw = (
            struct.pack("<H", 17)
            + struct.pack(">H", r.choice((3, 0x800, 0x806, 0, u16(r))))
            + struct.pack("<iHBB", messages.index(r), u16(r), u8(r), r.choice((6, 6, u8(r))))
            + r.randbytes(8)
        )
    else:
        raw = struct.pack("<H", family) + data(r, r.choice((0, 2, 14, 26)))
    return raw[: r.randrange(len(raw) + 1)] if r.randrange(10) == 0 else raw


def control(r, fds):
    """Control messages."""
    raw = b""
    for _ in range(r.choice((0, 0, 0, 1, 1, 2))):
        level, kind, body = r.choice(
            (
                (
                    1,
                    1,
                    struct.pack(f"<{n}i", *(r.choice(fds) for _ in range(n)))
                    if (n := r.choice((1, 1, 2, 3, 254)))
                    else b"",
                ),
                (1, 2, struct.pack("<iii", r.choice((1, 1, 2, 0, -1)), r.choice((0, 1000)), 0)),
                (0, 8, struct.pack("<i", messages.index(r)) + address(r) + address(r)),
                (0, 2, struct.pack("<i", r.choice((1, 64, 0, 255, 256, -1)))),
                (0, 1, struct.pack("<i", number(r) % 300)),
                (0, 7, r.randbytes(r.randrange(44))),
                (1, 36, struct.pack("<I", u32(r))),
                (1, 61, data(r, 8)),
                (1, 37, struct.pack("<I", u32(r))),
                (17, 103, struct.pack("<H", u16(r))),
                (u16(r), u16(r), data(r, r.randrange(40))),
                (41, 50, data(r, 20)),
                (263, 1, data(r, 8)),
                (0, 1, bytes([u8(r)])),
            )
        )
        length = r.choice((16 + len(body),) * 9 + (number(r),))
        raw += struct.pack("<Qii", length, level, kind) + body + bytes(-len(body) % 8)
    return raw


def iovec(r, m, payloads=None):
    """(address, count) of an iovec."""
    parts = payloads or [data(r) for _ in range(r.choice((0, 1, 1, 1, 2, 3, 20)))]
    raw = b"".join(struct.pack("<QQ", m.put(part), len(part) if r.randrange(25) else number(r)) for part in parts)
    return m.put(raw), len(parts) if r.randrange(20) else number(r)


def msghdr(r, m, fds, payloads=None):
    """The bytes of a struct user_msghdr."""
    name = r.choice((b"", sockaddr(r), bytes(128)))
    iov, count = iovec(r, m, payloads)
    rights = r.choice((b"", control(r, fds), bytes(r.choice((8, 16, 20, 24, 64, 500)))))
    return struct.pack(
        "<QiIQQQQiI", m.put(name) if name else 0, len(name) if r.randrange(12) else values.u32(r) - (1 << 31), 0,
        iov, count, m.put(rights) if rights else 0, len(rights) if r.randrange(15) else number(r), r.randrange(2),
        0,
    )


def ifreq(r, m):
    """A struct ifreq with something in its union."""
    union = r.choice(
        (
            struct.pack("<HH", 2, 0) + address(r) + bytes(16),
            struct.pack("<i", messages.index(r)) + bytes(20),
            struct.pack("<H", r.choice((1, 0x1043, 0, u16(r)))) + bytes(22),
            struct.pack("<H", r.choice((1, 772, 0))) + r.randbytes(6) + bytes(16),
            struct.pack("<i", r.choice((68, 576, 1250, 1500, 65535, 65536, -1, 10))) + bytes(20),
            interface(r)[:16].ljust(24, b"\0"),
            struct.pack("<H", r.choice((1, 2, 0x1001, 0x1002, 0x5001, u16(r)))) + bytes(22),
            struct.pack("<Q", m.put(struct.pack("<I", r.choice(ETHTOOL)) + r.choice((bytes(400), data(r, 400)))))
            + bytes(16),
            data(r, 24),
        )
    )
    return interface(r)[:16].ljust(16, b"\0") + union + bytes(8)


def rtentry(r, m):
    """A struct rtentry."""
    dst, gateway, mask = (
        struct.pack("<HH", r.choice((2, 2, 2, 0, 10)), 0)
        + r.choice((address(r), bytes(4), b"\xff\xff\xff\0", b"\xff\0\xff\0"))
        + bytes(8)
        for _ in range(3)
    )
    flags = r.choice((1, 3, 5, 7, 0x201, u16(r)))
    return (
        bytes(8)
        + dst
        + gateway
        + mask
        + struct.pack(
            "<HhQQhxxxxxxQQQH", flags, 0, 0, 0, r.choice((0, 1, -5)), r.choice((0, m.put(interface(r) + b"\0"))),
            number(r), number(r), u16(r),
        )
        + bytes(6)
    )


def arpreq(r):
    ip = struct.pack("<HH", r.choice((2, 2, 2, 0)), 0) + address(r) + bytes(8)
    hardware = struct.pack("<H", r.choice((1, 1, 0, 772))) + r.randbytes(6) + bytes(8)
    return (
        ip
        + hardware
        + struct.pack("<i", r.choice((2, 4, 6, 8, 0, 0x10, u16(r))))
        + ip
        + interface(r)[:16].ljust(16, b"\0")
    )


def ioctl_argument(r, m, cmd):
    """What the third argument of an ioctl may be."""
    kind = r.randrange(10)
    if kind == 0:
        return number(r)
    if cmd == SIOCGIFCONF and kind < 8:
        return m.put(struct.pack("<iiQ", r.choice((0, 40, 39, 400, -1, 1 << 30)), 0, r.choice((0, m.room(400)))))
    if cmd in (0x890B, 0x890C):
        return m.put(rtentry(r, m))
    if cmd in (0x8953, 0x8954, 0x8955):
        return m.put(arpreq(r))
    if cmd in (0x89A0, 0x89A1):
        return m.put(interface(r) + b"\0")
    if 0x8900 <= cmd < 0x8A00 or cmd & 0xFFFF in range(0x54C8, 0x54E4):
        return m.put(ifreq(r, m))
    return m.put(r.choice((struct.pack("<i", number(r) % 100), data(r, 256), struct.pack("<I", u32(r)))))


def option_value(r, m):
    """Bytes for setsockopt."""
    return r.choice(
        (
            struct.pack("<i", r.choice((0, 1, 2, 5, -1, 64, 255, 256, 1 << 30, -(1 << 31)))),
            struct.pack("<i", number(r) % (1 << 31)),
            struct.pack("<I", u32(r)),
            bytes([u8(r)]),
            b"",
            address(r) + address(r),
            address(r) + address(r) + address(r),
            address(r) + address(r) + struct.pack("<i", messages.index(r)),
            struct.pack("<qq", number(r) % (1 << 63), r.randrange(1 << 20)),
            struct.pack("<ii", 1, number(r) % 5),
            interface(r),
            b"reno",
            b"cubic",
            b"bbr",
            struct.pack("<HxxxxxxQ", r.choice((1, 2, 0, 4097)), m.put(bpf(r))),
            struct.pack(
                "<iHHQ", messages.index(r), r.choice((0, 1, 2, 3, u16(r))), r.choice((6, 4, u16(r))), number(r)
            ),
            struct.pack("<I", messages.index(r) & 0xFFFFFFFF)
            + bytes(4)
            + struct.pack("<HH", 2, 0)
            + address(r)
            + bytes(120),
            struct.pack("<Ixxxx", messages.index(r) & 0xFFFFFFFF)
            + (struct.pack("<HH", 2, 0) + address(r) + bytes(120)) * 2,
            struct.pack("<4s4sII", address(r), address(r), r.randrange(3), r.choice((0, 1, 2, 1 << 30)))
            + address(r) * 2,
            data(r, r.randrange(300)),
            struct.pack("<IIII", 4096, r.choice((1, 2, 0, u32(r))), r.choice((2048, u32(r))), r.choice((2, 4, u32(r)))),
        )
    )


def bpf(r):
    """A classic filter program; plausible opcodes."""
    codes = (
        0x28, 0x30, 0x20, 0x15, 0x06, 0x16, 0x80, 0x87, 0x05, 0x25, 0x35, 0x45, 0x54, 0x04, 0x14, 0x24, 0x34, 0x94,
        0x74, 0x64, 0xB1, 0x50, 0x48, 0x40, 0x02, 0x60, 0x07,
    )
    out = [
        struct.pack(
            "<HBBI",
            r.choice((*codes, u16(r) & 0xFF)),
            r.choice((0, 1, u8(r))),
            r.choice((0, 1, u8(r))),
            r.choice((0, 12, 14, 23, 0xFFFFF000, 0x800, u32(r))),
        )
        for _ in range(r.randrange(5))
    ]
    return b"".join(out) + struct.pack("<HBBI", 6, 0, 0, r.choice((0, 0xFFFF, u32(r)))) + bytes(32)


def timespec(r):
    return struct.pack(
        "<qq",
        r.choice((0, 0, 0, 1, 100, -1, (1 << 63) - 1, number(r) % (1 << 63))),
        r.choice((0, 1, 1000000, 999999999, 1000000000, -1)),
    )


def sized_struct(r, name):
    """Bytes of a struct that user space gives."""
    if name in ("timespec", "timeval"):
        return timespec(r)
    if name in ("itimerspec", "itimerval"):
        return timespec(r) + timespec(r)
    if name == "epoll_event":
        return struct.pack(
            "<IQ", r.choice((1, 4, 5, 0x80000001, 0x40000001, 0x10000001, 0x20000000, u32(r))), number(r)
        )
    if name == "sigaction":
        return struct.pack(
            "<QQQQ",
            r.choice((0, 1, 0x400000)),
            r.choice((0, 0x10000000, 0x4, 0x40000004, 0x80000000, 2)),
            0x400000,
            number(r),
        )
    if name in ("rlimit", "rlimit64"):
        return struct.pack("<QQ", r.choice((0, 5, 1024, number(r))), r.choice((0, 5, 1024, 4096, number(r))))
    if name == "cap_user_header":
        return struct.pack("<Ii", r.choice((0x20080522, 0x20071026, 0x19980330, 0)), r.choice((0, 1, 99)))
    if name == "siginfo":
        return struct.pack("<iii", r.choice(SIGNALS), 0, r.choice((-1, -6, 0, 0x80))) + data(r, 116)
    return data(r, 160)
