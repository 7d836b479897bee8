"""Plausible and nasty values: numbers, names, paths, user memory."""

import struct
from functools import cache

from kshell.abi import names

EDGES = (
    0, 1, 2, 3, 4, 7, 8, 12, 15, 16, 17, 20, 24, 28, 31, 32, 40, 60, 63, 64, 100, 127, 128, 255, 256, 576, 1000,
    1023, 1024, 1400, 1500, 4095, 4096, 4097, 32767, 32768, 65507, 65508, 65535, 65536, 1 << 20, (1 << 31) - 1,
    1 << 31, (1 << 32) - 1, 1 << 32, (1 << 62), (1 << 63) - 1, 1 << 63, (1 << 64) - 1, (1 << 64) - 2,
    (1 << 64) - 100, (1 << 64) - (1 << 31),
)
SMALL = tuple(n for n in EDGES if n <= 65536)
WORDS = 1 << 64
INTERFACES = (
    b"lo", b"dummy0", b"veth0", b"veth1", b"br0", b"tun0", b"tap0", b"eth0", b"all", b"nix", b"", b"a" * 16,
    b"lo:1", b"%d", b"../x",
)
COMMON_PATHS = (
    b"/", b".", b"..", b"", b"/tmp", b"/tmp/a", b"/tmp/b", b"/tmp/d", b"/tmp/d/e", b"/tmp/l", b"/tmp/p", b"/tmp/s",
    b"a", b"d/../a", b"/tmp/a/", b"//tmp//a", b"/nix/nix", b"/dev/null", b"/dev/zero", b"/dev/full",
    b"/dev/random", b"/dev/tty", b"/dev/console", b"/dev/net/tun", b"/dev/ptmx", b"/proc", b"/sys",
    b"/proc/self/fd/3", b"/proc/self/fd/4", b"/proc/self/exe", b"/proc/self/cwd", b"/proc/self/root",
    b"/proc/self/ns/net", b"/proc/1/ns/uts", b"/proc/2/stat", b"/proc/3/stack", b"/proc/self/task/1/stat",
    b"/proc/99999", b"x" * 255, b"/tmp/" + b"y" * 256, b"/tmp/" * 900, b"\xff\xfe\x1b[2J", b"/tmp/\n\x1b]0;x\x07",
    b"/proc/sys/net/ipv4/conf/nix/forwarding",
)


def number(r):
    """An edge, something near one, or anything."""
    kind = r.randrange(10)
    if kind < 4:
        return r.choice(SMALL)
    if kind < 7:
        return r.randrange(12)
    if kind < 9:
        return (r.choice(EDGES) + r.randrange(-2, 3)) % WORDS
    return r.getrandbits(r.choice((8, 16, 31, 32, 64)))


def u32(r):
    return number(r) & 0xFFFFFFFF


def u16(r):
    return number(r) & 0xFFFF


def u8(r):
    return number(r) & 0xFF


def one_of(r, table):
    """A value of a table of constants, now and then another."""
    if r.randrange(12) == 0:
        return number(r)
    return r.choice(_values(table))


@cache
def _values(table):
    return tuple(names.enumeration(table).by_value)


def some_of(r, table):
    """Flags of a table ored, now and then others."""
    bits = _bits(table)
    value = 0
    for _ in range(r.choice((0, 0, 1, 1, 1, 2, 3, 6))):
        value |= r.choice(bits)
    return value | number(r) if r.randrange(15) == 0 else value


@cache
def _bits(table):
    return tuple(bit for bit, _ in names.flags("open" if table == "open_only" else table).bits)


def data(r, n=None):
    """Bytes: n, or some length."""
    n = min(r.choice(SMALL), 4200) if n is None else n
    kind = r.randrange(4)
    if kind == 0:
        return bytes(n)
    if kind == 1:
        return r.randbytes(n)
    if kind == 2:
        return b"".join(struct.pack("<I", u32(r)) for _ in range(n // 4 + 1))[:n]
    return (b"hello \x1b[2J\n" * (n // 10 + 1))[:n]


def address(r):
    """An IPv4 address as four bytes."""
    return struct.pack(
        ">I",
        r.choice(
            (
                0x7F000001, 0x7F000001, 0x7F000001, 0x7F000002, 0, 0xFFFFFFFF, 0xE0000001, 0xE0010203, 0xEFFFFFFF,
                0x0A000001, 0x0A000002, 0x0A0000FF, 0xC0A80001, 0x08080808, 0xF0000001, 0x7FFFFFFF, 0x01000000,
                r.getrandbits(32),
            )
        ),
    )


def port(r):
    return r.choice((0, 7, 80, 7000, 7000, 7001, 7001, 7002, 65535, r.randrange(65536)))


def interface(r):
    return r.choice(INTERFACES)


def mutated(r, raw):
    """The bytes with a little wrong: bits, a cut, a tail, a piece twice."""
    raw = bytearray(raw)
    for _ in range(r.choice((0, 0, 0, 1, 1, 2, 5))):
        kind = r.randrange(6)
        at = r.randrange(len(raw) + 1)
        if kind == 0 and at < len(raw):
            raw[at] ^= 1 << r.randrange(8)
        elif kind == 1 and at < len(raw):
            raw[at] = r.choice((0, 1, 0x7F, 0x80, 0xFF, r.randrange(256)))
        elif kind == 2:
            del raw[at:]
        elif kind == 3:
            raw += r.randbytes(r.randrange(12))
        elif kind == 4:
            raw[at:at] = raw[at : at + r.randrange(12)]
        else:
            del raw[at : at + r.randrange(12)]
    return bytes(raw)
