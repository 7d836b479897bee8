"""Steps of the network: messages, frames, connections, devices."""

import struct
from random import Random

from fuzzing import arguments, calls, frames, messages
from fuzzing.memory import ARENA, Memory
from fuzzing.values import data, interface, port


def netlink(world, r, task):
    open_ = world.sockets(task, 16)
    if open_ and r.randrange(5):
        fd = r.choice(open_)
    else:
        fd = world.sure("socket", 16, 3 | 0x800, r.choice((0, 0, 0, 0, 4, 16)), task=task)
        if r.randrange(2):
            world.sure("bind", fd, struct.pack("<HHII", 16, 0, 0, r.choice((0, 1, 0xFFFFFFFF))), 12, task=task)
    s = world.socket(task, fd) if fd >= 0 and task.files else None
    protocol = s.sk.sk_protocol if s is not None else 0
    raw = messages.anything(r, protocol)
    world.sure("sendto", fd, raw, len(raw), 0x40, 0, 0, task=task)
    for _ in range(r.randrange(3)):
        world.sure("recvfrom", fd, ARENA, r.choice((8192, 32768, 100)), 0x40, 0, 0, task=task)


def packet(world, r, task):
    open_ = world.sockets(task, 17)
    fd = (
        r.choice(open_)
        if open_ and r.randrange(5)
        else world.sure("socket", 17, r.choice((2, 3, 3, 3)) | 0x800, r.choice((0x300, 0, 8)), task=task)
    )
    raw = frames.frame(r, world.hints())
    if r.randrange(4) == 0:
        raw = raw[14:]
    index = r.choice((1, 1, 1, 2, 3, 4, 5, messages.index(r)))
    name = (
        struct.pack("<H", 17)
        + struct.pack(">H", r.choice((0x800, 0x806, 3)))
        + struct.pack("<iHBB", index, 1, 0, 6)
        + r.choice((bytes(8), b"\xff" * 8))
    )
    world.sure("sendto", fd, raw, len(raw), 0x40, name, len(name), task=task)
    if r.randrange(3) == 0:
        world.sure("recvfrom", fd, ARENA, 2000, 0x40, 0, 0, task=task)


def raw(world, r, task):
    fd = world.sure("socket", 2, 3 | 0x800, r.choice((255, 1, 2, 6, 17, 4, 47)), task=task)
    if r.randrange(2):
        world.sure("setsockopt", fd, 0, 3, struct.pack("<i", 1), 4, task=task)
    raw = frames.ip(r, 0, world.hints())
    name = (
        struct.pack("<H", 2)
        + struct.pack(">H", port(r))
        + r.choice((b"\x7f\0\0\1", b"\x7f\0\0\1", frames.address(r)))
        + bytes(8)
    )
    world.sure("sendto", fd, raw, len(raw), 0x40, name, 16, task=task)
    if r.randrange(2):
        world.sure("close", fd, task=task)


def tun(world, r, task):
    fds = [
        fd
        for fd in world.fds(task)
        if (f := task.files and task.files.fdt.fd[fd]) and type(f.private_data).__name__ == "tun_file"
    ]
    if not fds or r.randrange(4) == 0:
        fd = world.sure("open", b"/dev/net/tun\0", 0o4002, 0, task=task)
        world.sure(
            "ioctl",
            fd,
            0x400454CA,
            r.choice((b"tun0", b"tap0", b"", b"t%d")).ljust(16, b"\0")
            + struct.pack("<H", r.choice((1, 2, 0x1001, 0x1002, 0x4002)))
            + bytes(22),
            task=task,
        )
        s = world.sure("socket", 2, 2, 0, task=task)
        name = r.choice((b"tun0", b"tap0", b"t0", b"tap1"))
        world.sure(
            "ioctl",
            s,
            0x8916,
            name.ljust(16, b"\0") + struct.pack("<HH", 2, 0) + b"\x0a\0\0\1" + bytes(16),
            task=task,
        )
        world.sure("ioctl", s, 0x8914, name.ljust(16, b"\0") + struct.pack("<H", 0x1043) + bytes(22), task=task)
        world.sure("close", s, task=task)
    else:
        fd = r.choice(fds)
    for _ in range(r.randrange(1, 4)):
        raw = r.choice((frames.ip(r, 0, world.hints()), frames.frame(r, world.hints())))
        raw = r.choice((b"", b"\0\0\x08\0", bytes(10))) + raw
        world.sure("write", fd, raw, len(raw), task=task)
        world.sure("read", fd, ARENA, 2000, task=task)


def connection(world, r, task):
    """A listener, a client, the accepted socket."""
    where = struct.pack("<H", 2) + struct.pack(">H", port(r)) + b"\x7f\0\0\1" + bytes(8)
    server = world.sure("socket", 2, 1 | 0x800, 0, task=task)
    if r.randrange(3) == 0:
        any_option(world, r, task, server)
    world.sure("bind", server, where, 16, task=task)
    world.sure("listen", server, r.choice((0, 1, 5)), task=task)
    client = world.sure("socket", 2, 1 | r.choice((0, 0x800)), 0, task=task)
    if r.randrange(3) == 0:
        any_option(world, r, task, client)
    world.sure("connect", client, where, 16, task=task)
    world.sure("accept4", server, 0, 0, 0x800, task=task)
    if r.randrange(3) == 0:
        world.sure("close", server, task=task)


def any_option(world, r, task, fd):
    level = r.choice((1, 1, 0, 6))
    raw = arguments.option_value(r, Memory(task, r))
    world.sure(
        "setsockopt", fd, level, calls.one_of(r, arguments.OPTION_LEVELS[level]) % (1 << 32), raw, len(raw),
        task=task,
    )


def options(world, r, task):
    for _ in range(4):
        found = world.sockets(task)
        if not found:
            return
        fd = r.choice(found)
        any_option(world, r, task, fd)
        family = {2: (0, 1, 6, 17), 1: (1,), 16: (270, 1), 17: (263, 1)}.get(
            world.socket(task, fd).sk.sk_family, (1,)
        )
        level = r.choice(family)
        option = calls.one_of(r, arguments.OPTION_LEVELS[level]) % (1 << 32)
        raw = arguments.option_value(r, Memory(task, r))
        world.sure("setsockopt", fd, level, option, raw, len(raw), task=task)
        world.sure(
            "getsockopt", fd, level, option, bytes(4100),
            struct.pack("<i", r.choice((0, 1, 2, 4, 8, 16, 100, 4096, -1))), task=task,
        )


def udp(world, r, task):
    fd = world.sure("socket", 2, 2 | 0x800, r.choice((0, 0, 136, 1)), task=task)
    where = (
        struct.pack("<H", 2)
        + struct.pack(">H", port(r))
        + r.choice((b"\x7f\0\0\1", bytes(4), b"\xe0\1\2\3"))
        + bytes(8)
    )
    world.sure("bind", fd, where, 16, task=task)
    world.sure("connect", fd, where, 16, task=task)
    for _ in range(r.randrange(3)):
        conversation(world, r, task, fd)


def conversation(world, r, task, fd=None):
    """Data over what is open."""
    found = [fd] if fd is not None else world.sockets(task)
    if not found:
        return
    for _ in range(5):
        fd = r.choice(found)
        raw = data(r, r.choice((0, 1, 10, 1000, 5000, 30000)))
        kind = r.randrange(7)
        if kind < 3:
            world.sure("sendto", fd, raw, len(raw), calls.some_of(r, "msg") & ~0x8000 | 0x40, 0, 0, task=task)
        elif kind == 3:
            maker = world.maker(r, task)
            world.raw_call(task, "sendmsg", (fd, maker.m.sure(arguments.msghdr(r, maker.m, maker.fds, [raw])), 0x40))
        elif kind < 6:
            world.sure(
                "recvfrom", fd, ARENA, r.choice((1, 10, 5000, 60000)), calls.some_of(r, "msg") | 0x40, 0, 0,
                task=task,
            )
        else:
            world.sure("shutdown", fd, r.randrange(3), task=task)


def unix(world, r, task):
    kind = r.choice((1, 2, 5))
    name = arguments.sockaddr(r)
    if name[:2] != b"\1\0":
        name = b"\1\0\0a"
    server = world.sure("socket", 1, kind | 0x800, 0, task=task)
    world.sure("bind", server, name, len(name), task=task)
    world.sure("listen", server, r.choice((0, 1, 5)), task=task)
    client = world.sure("socket", 1, kind | 0x800, 0, task=task)
    world.sure("connect", client, name, len(name), task=task)
    world.sure("accept4", server, 0, 0, 0x800, task=task)
    maker = world.maker(r, task)
    world.raw_call(task, "sendmsg", (client, maker.m.sure(arguments.msghdr(r, maker.m, maker.fds, [b"x"])), 0x40))


def devices(world, r, task):
    """A few links that steps can use."""
    fd = world.sure("socket", 16, 3 | 0x800, 0, task=task)
    for kind, name in ((b"dummy", b"dummy0"), (b"veth", b"veth0"), (b"bridge", b"br0")):
        body = (
            bytes(16)
            + messages.attribute(Random(1), 3, name + b"\0")
            + messages.attribute(Random(1), 18, messages.attribute(Random(1), 1, kind + b"\0"))
        )
        raw = struct.pack("<IHHII", 16 + len(body), 16, 0x605, 1, 0) + body
        world.sure("sendto", fd, raw, len(raw), 0x40, 0, 0, task=task)
    s = world.sure("socket", 2, 2, 0, task=task)
    for n, name in enumerate((b"dummy0", b"veth0", b"veth1", b"br0")):
        world.sure(
            "ioctl",
            s,
            0x8916,
            name.ljust(16, b"\0") + struct.pack("<HH", 2, 0) + bytes((10, 0, n, 1)) + bytes(16),
            task=task,
        )
        world.sure("ioctl", s, 0x8914, name.ljust(16, b"\0") + struct.pack("<H", 0x1043) + bytes(22), task=task)
    if r.randrange(2):
        for index in range(2, 7):
            world.sure("ioctl", s, 0x89A2, b"br0".ljust(16, b"\0") + struct.pack("<i", index) + bytes(20), task=task)
    world.sure("close", fd, task=task)
    world.sure("close", s, task=task)


def namespace(world, r, task):
    world.sure("unshare", r.choice((0x40000000, 0x40000000, 0x04000000, 0x400, 0x200)), task=task)
    s = world.sure("socket", 2, 2, 0, task=task)
    world.sure("ioctl", s, 0x8914, interface(r)[:16].ljust(16, b"\0") + struct.pack("<H", 1) + bytes(22), task=task)
