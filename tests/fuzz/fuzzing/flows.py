"""Steps that go deep: data through pipes and files, segments into living connections, descriptors in circles."""

import struct

from fuzzing import arguments
from fuzzing.frames import checksum, icmp, ip_options
from fuzzing.memory import ARENA
from fuzzing.values import data

LOCALHOST = b"\x7f\0\0\1"
TMP = (b"/tmp/a\0", b"/tmp/b\0")
SIZES = (0, 1, 100, 4095, 4096, 5000, 65536, 100000)


def pipes(world, r, task):
    """A pipe, a file and a socket pair, and bytes moved between them."""
    world.sure("pipe2", ARENA, 0x800, task=task)
    ends = struct.unpack("<ii", task.mm.read(ARENA, 8))
    world.sure("socketpair", 1, r.choice((1, 2, 5)) | 0x800, 0, ARENA, task=task)
    pair = struct.unpack("<ii", task.mm.read(ARENA, 8))
    files = [world.sure("open", name, r.choice((0o102, 0o2102)), 0o644, task=task) for name in TMP]
    fds = [*ends, *pair, *files]
    for _ in range(8):
        a, b, n = r.choice(fds), r.choice(fds), r.choice(SIZES)
        raw = data(r, min(n, 30000))
        name, args = r.choice(
            (
                ("write", (ends[1], raw, len(raw))), ("write", (files[0], raw, len(raw))),
                ("write", (a, raw, len(raw))), ("read", (ends[0], ARENA, min(n, 60000))),
                ("splice", (a, 0, b, 0, n, r.randrange(16))), ("tee", (a, b, n, 2)), ("sendfile", (a, b, 0, n)),
                ("lseek", (files[0], r.choice(SIZES), r.randrange(5))), ("ftruncate", (files[0], n)),
                ("fcntl", (ends[0], 1031, r.choice((1, 4096, 65536, 1 << 20, 1 << 31)))),
                ("fallocate", (files[0], r.randrange(64), n, n)),
                ("copy_file_range", (files[0], 0, files[1], 0, n, 0)),
                ("mmap", (0, n, 3, r.choice((1, 2)), files[0], 0)),
                ("vmsplice", (ends[1], struct.pack("<QQ", ARENA, n), 1, 2)), ("close", (r.choice(fds),)),
            )
        )
        world.sure(name, *(arg if isinstance(arg, bytes) else arg % (1 << 64) for arg in args), task=task)


def segments(world, r, task):
    """Segments that a peer on lo could send to a living connection."""
    fd = world.sure("socket", 2, 3 | 0x800, 255, task=task)
    living = world.hints()
    for _ in range(r.randrange(1, 6) if living else 0):
        sport, dport, seq, ack = r.choice(living)
        options = r.choice(
            (b"", b"\1\1\x05\x0a" + struct.pack(">II", *((ack + r.randrange(5000)) % (1 << 32) for _ in range(2))))
        )
        head = struct.pack(
            ">HHIIBBHHH", sport, dport, (seq + r.choice((0, 0, 0, 1, 1000, 5000, -1, -1000))) % (1 << 32),
            (ack + r.choice((0, 0, 0, 0, 1, 1000, 5000))) % (1 << 32), (5 + len(options) // 4) << 4,
            r.choice((0x10, 0x10, 0x10, 0x18, 0x18, 0x11, 0x30, 4, 2, 0x12, 0xD0)), r.choice((0, 1, 500, 65535)),
            0, r.randrange(5),
        )
        segment = head + options + data(r, r.choice((0, 0, 0, 1, 10, 1000)))
        check = checksum(LOCALHOST * 2 + struct.pack(">HH", 6, len(segment)) + segment)
        segment = segment[:16] + struct.pack(">H", check) + segment[18:]
        raw = (
            struct.pack(">BBHHHBBH", 0x45, r.choice((0, 3)), 20 + len(segment), 1, 0, 64, 6, 0)
            + LOCALHOST * 2
            + segment
        )
        world.sure("sendto", fd, raw, len(raw), 0x40, struct.pack("<HH", 2, 0) + LOCALHOST + bytes(8), 16, task=task)
    world.sure("close", fd, task=task)


def errors(world, r, task):
    """ICMP errors about the segments of living connections."""
    fd = world.sure("socket", 2, 3 | 0x800, 1, task=task)
    for sport, dport, _, ack in world.hints()[:4]:
        inner = struct.pack(">BBHHHBBH", 0x45, 0, 60, 1, 0x4000, 64, r.choice((6, 6, 17)), 0) + LOCALHOST * 2
        inner += struct.pack(">HHI", dport, sport, ack) + bytes(12)
        kind, code = r.choice(((3, 0), (3, 1), (3, 3), (3, 4), (3, 13), (4, 0), (5, 1), (11, 0), (12, 0)))
        raw = struct.pack(">BBHHH", kind, code, 0, 0, r.choice((0, 68, 576, 1400))) + inner
        raw = r.choice((raw[:2] + struct.pack(">H", checksum(raw)) + raw[4:], icmp(r, LOCALHOST, LOCALHOST)))
        world.sure("sendto", fd, raw, len(raw), 0x40, struct.pack("<HH", 2, 0) + LOCALHOST + bytes(8), 16, task=task)
    world.sure("close", fd, task=task)


def pings(world, r, task):
    """ICMP sockets that are allowed to be, and IP options on all."""
    setting = world.sure("open", b"/proc/sys/net/ipv4/ping_group_range\0", 1, 0, task=task)
    world.sure("write", setting, b"0 100", 5, task=task)
    world.sure("close", setting, task=task)
    where = struct.pack("<HH", 2, r.randrange(3)) + LOCALHOST + bytes(8)
    for kind, protocol in ((2, 1), (2, 17), (3, 1)):
        fd = world.sure("socket", 2, kind | 0x800, protocol, task=task)
        options = ip_options(r)
        world.sure("setsockopt", fd, 0, 4, options, len(options), task=task)
        for option in r.sample((6, 7, 8, 11, 12, 13), 3):
            world.sure("setsockopt", fd, 0, option, struct.pack("<i", 1), 4, task=task)
        world.sure("bind", fd, where, 16, task=task)
        raw = struct.pack(">BBHHH", r.choice((8, 8, 0, 13)), 0, 0, 0, 1) + data(r, r.choice((0, 56, 3000)))
        raw = raw[:2] + struct.pack(">H", checksum(raw)) + raw[4:]
        world.sure("sendto", fd, raw, len(raw), 0x40, where, 16, task=task)
        maker = world.maker(r, task)
        message = struct.pack(
            "<QiIQQQQiI", ARENA, 128, 0, maker.m.sure(struct.pack("<QQ", ARENA, 3000)), 1, ARENA + 4096, 300, 0, 0
        )
        world.sure("recvmsg", fd, message, r.choice((0x40, 0x2040)), task=task)


def circles(world, r, task):
    """Sockets sent over one another, then closed: what only the garbage collector finds."""
    pairs = []
    for _ in range(3):
        world.sure("socketpair", 1, r.choice((1, 2)) | 0x800, 0, ARENA, task=task)
        pairs.append(struct.unpack("<ii", task.mm.read(ARENA, 8)))
    fds = [fd for pair in pairs for fd in pair]
    for _ in range(6):
        maker = world.maker(r, task)
        raw = arguments.msghdr(r, maker.m, fds, [b"x"])
        rights = struct.pack("<Qiii", 20, 1, 1, r.choice(fds)) + bytes(4)
        message = (
            bytes(8) + struct.pack("<iI", 0, 0) + raw[16:32] + struct.pack("<QQiI", maker.m.sure(rights), 24, 0, 0)
        )
        world.sure("sendmsg", r.choice(fds), message, 0x40, task=task)
    for fd in r.sample(fds, r.randrange(7)):
        world.sure("close", fd, task=task)


FLOWS = ((3, pipes), (5, segments), (2, errors), (2, pings), (2, circles))
