"""One system call of the table with arguments of the kinds that it declares."""

import struct

from fuzzing import arguments as a
from fuzzing.values import COMMON_PATHS, data, number, one_of, some_of, u8, u16, u32
from kshell.abi.syscalls import BY_NAME, I386_BY_NAME
from kshell.linux.arch.x86.entry.syscall_64 import X64_CALLS

#: what is called more often than the rest
BUSY = (
    "socket", "socketpair", "bind", "connect", "listen", "accept", "accept4", "sendto", "sendmsg", "sendmmsg",
    "recvfrom", "recvmsg", "recvmmsg", "setsockopt", "getsockopt", "setsockopt", "getsockopt", "ioctl", "ioctl",
    "ioctl", "fcntl", "read", "write", "readv", "writev", "close", "dup", "dup2", "open", "openat", "poll",
    "epoll_ctl", "epoll_wait", "shutdown", "splice", "sendfile", "tee", "fork", "clone", "exit", "wait4", "kill",
    "mmap",
)
NAMES = tuple(name for name in X64_CALLS if name in BY_NAME and BY_NAME[name].known)
NAMES32 = tuple(name for name in X64_CALLS if name in I386_BY_NAME and I386_BY_NAME[name].known)
RARE = {
    "exit", "exit_group", "setrlimit", "prlimit64", "close_range", "chroot", "setuid", "capset", "setresuid",
    "setreuid", "munmap", "umount2", "mprotect",
}


def choose(r):
    """A name."""
    while True:
        name = r.choice(BUSY if r.randrange(2) else NAMES)
        if name not in RARE or r.randrange(6) == 0:
            return name


class Maker:
    """Makes arguments; knows what is open."""

    def __init__(self, r, memory, fds, paths, tasks):
        self.r, self.m, self.fds, self.paths, self.tasks = r, memory, fds, paths, tasks

    def fd(self):
        r = self.r
        if r.randrange(25) == 0:
            return r.choice((-1, -100, 1000, 1 << 20, number(r))) % (1 << 64)
        return r.choice(self.fds[-3:] if r.randrange(3) == 0 else self.fds)

    def path(self):
        r = self.r
        path = r.choice(self.paths) if r.randrange(3) == 0 else r.choice(COMMON_PATHS)
        return self.m.put(path + b"\0")

    def arguments(self, call):
        """Register values of a call."""
        made = {}
        lengths = {}
        out = []
        for param in call.params:
            style, direction, args = param.kind.style, param.kind.direction, param.kind.args
            if param.name in lengths and self.r.randrange(12):
                value = lengths[param.name]
            else:
                make = getattr(self, "_" + style, None)
                value = make(direction, args, made, lengths) if make else number(self.r)
            made[param.name] = value
            out.append(value % (1 << 64))
        return tuple(out)

    def _int(self, direction, args, made, lengths):
        return number(self.r)

    _uint = _hex = _octal = _hidden = _int

    def _pointer(self, *_):
        return self.m.put(data(self.r, 64))

    def _fd(self, *_):
        return self.fd()

    def _dirfd(self, *_):
        return self.r.choice((-100, -100, self.fd()))

    def _path(self, *_):
        return self.path()

    def _id(self, *_):
        return self.r.choice((0, 0, 0xFFFFFFFF, 1000, 65534, number(self.r)))

    def _signal(self, *_):
        return self.r.choice(a.SIGNALS)

    def _flags(self, direction, args, made, lengths):
        value = some_of(self.r, args[0])
        return (
            value | 0x40
            if args[0] == "msg" and self.r.randrange(2)
            else value | 0x800
            if args[0] == "open" and self.r.randrange(2)
            else value
        )

    def _enum(self, direction, args, made, lengths):
        return one_of(self.r, args[0])

    def _open_mode(self, *_):
        return self.r.choice((0o644, 0o600, 0, 0o777, u16(self.r)))

    def _file_mode(self, *_):
        return self.r.choice((0o10644, 0o20644, 0o60644, 0o100644, 0o140777, 0o40755, 0, u16(self.r)))

    def _device(self, *_):
        return self.r.choice((0x103, 0x105, 0x0, 0xA0C8, 0x500, u32(self.r)))

    def _socktype(self, *_):
        return self.r.choice((1, 1, 2, 2, 3, 3, 5, 10, 0, 4)) | self.r.choice((0x800, 0x800, 0, 0x80000))

    def _protocol(self, direction, args, made, lengths):
        return self.r.choice((0, 0, 0, 1, 2, 4, 6, 16, 17, 136, 255, 256, 262, 0x300, 0x8, -1, u16(self.r)))

    def _optname(self, direction, args, made, lengths):
        level = made.get("level", 1) & 0xFFFFFFFF
        if self.r.randrange(4) == 0:
            level = self.r.choice(tuple(a.OPTION_LEVELS))
        return one_of(self.r, a.OPTION_LEVELS.get(level, "opt_socket"))

    def _clone_flags(self, *_):
        return self.r.choice(
            (
                17, 0x10F11, 0x10F00, 0x4111, 0x100, 0x40000011, 0x4000011, 0x20000011,
                some_of(self.r, "clone") | 17, number(self.r),
            )
        )

    def _bytes(self, direction, args, made, lengths):
        n = min(number(self.r), 5000) if self.r.randrange(3) == 0 else self.r.randrange(300)
        lengths[args[0]] = n if self.r.randrange(15) else number(self.r)
        return self.m.put(data(self.r, n)) if direction == "in" else self.m.room(n)

    def _struct(self, direction, args, made, lengths):
        return self.r.choice((self.m.put(a.sized_struct(self.r, args[0])),) * 5 + (0,))

    def _array(self, direction, args, made, lengths):
        return self.m.put(a.sized_struct(self.r, args[0]) * 2)

    _remaining = _struct

    def _sockaddr(self, direction, args, made, lengths):
        if direction == "out":
            return self.r.choice((0, self.m.room(128)))
        raw = a.sockaddr(self.r)
        lengths[args[0]] = len(raw)
        return self.m.put(raw)

    def _socklen(self, *_):
        return self.m.put(struct.pack("<i", self.r.choice((0, 1, 2, 4, 8, 16, 28, 110, 128, 256, 4096, -1, 1 << 30))))

    def _optval(self, direction, args, made, lengths):
        if direction == "out":
            return self.m.room(4200)
        raw = a.option_value(self.r, self.m)
        lengths["optlen"] = len(raw)
        return self.m.put(raw)

    def _ioctl(self, direction, args, made, lengths):
        return a.ioctl_argument(self.r, self.m, made["cmd"])

    def _fcntl(self, *_):
        r = self.r
        return r.choice(
            (
                number(r),
                r.randrange(64),
                self.m.put(
                    struct.pack(
                        "<hhxxxxqqi", r.randrange(4), r.randrange(4), number(r) - (1 << 63), number(r) % (1 << 63),
                        r.randrange(3),
                    )
                ),
                self.m.put(struct.pack("<ii", r.randrange(4), r.choice((1, -1, 2, 0)))),
            )
        )

    def _prctl(self, *_):
        return self.r.choice((number(self.r), self.m.put(b"na\x1b[2Jme\n\xff\xfe567890\0")))

    def _iovec(self, direction, args, made, lengths):
        address, count = a.iovec(self.r, self.m)
        lengths[args[0]] = count
        return address

    def _msghdr(self, *_):
        return self.m.put(a.msghdr(self.r, self.m, self.fds))

    def _mmsghdr(self, *_):
        return self.m.put(b"".join(a.msghdr(self.r, self.m, self.fds) + bytes(8) for _ in range(3)))

    def _offset(self, *_):
        return self.r.choice((0, 0, self.m.put(struct.pack("<Q", number(self.r)))))

    def _pollfds(self, direction, args, made, lengths):
        r, n = self.r, self.r.randrange(6)
        lengths[args[0]] = n if r.randrange(20) else number(r)
        return self.m.put(
            b"".join(
                struct.pack("<iHH", self.fd() % (1 << 31), r.choice((1, 4, 5, 2, 0x2000, u16(r))), 0) for _ in range(n)
            )
        )

    def _fdset(self, *_):
        return self.r.choice((0, self.m.put(data(self.r, 128)), self.m.put(b"\xff\0\0\0" + bytes(124))))

    def _sigset(self, *_):
        return self.r.choice(
            (0, self.m.put(struct.pack("<Q", self.r.choice((0, 0x10000, (1 << 64) - 1, number(self.r))))))
        )

    def _sigset_argpack(self, *_):
        return self.r.choice((0, self.m.put(struct.pack("<QQ", self.r.choice((0, self.m.room(8))), 8))))

    def _strings(self, *_):
        return self.m.put(struct.pack("<QQQ", self.m.put(b"a\0"), self.m.put(b"b\x1b[2J\0"), 0))

    _environment = _strings

    def _socketcall(self, direction, args, made, lengths):
        return self.m.put(data(self.r, 24))

    def _clone_args(self, *_):
        return self.m.put(
            struct.pack(
                "<11Q", self._clone_flags() & ~0xFF, 0, 0, 0, 17,
                *(number(self.r) if self.r.randrange(4) == 0 else 0 for _ in range(6)),
            )
        )


def fix(r, name, args):
    """Arguments that would only stop the fun are made milder."""
    if name in ("poll", "epoll_wait", "epoll_pwait"):
        place = 3 if name != "poll" else 2
        args = (*args[:place], r.choice((0, 0, 10, 1000, args[place])), *args[place + 1 :])
    if name in ("setsockopt", "getsockopt") and r.randrange(8):
        level = r.choice(tuple(a.OPTION_LEVELS))
        args = (args[0], level, one_of(r, a.OPTION_LEVELS[level]) % (1 << 64), *args[3:])
    if name == "socket" and r.randrange(8):
        args = (r.choice((1, 2, 2, 2, 16, 17)), args[1], args[2])
        if args[0] == 16:
            args = (16, 3 | 0x800, r.choice((0, 4, 16, 15, 2, u8(r))))
        elif args[0] == 17:
            args = (17, r.choice((2, 3, 10)) | 0x800, r.choice((0x300, 8, 0x608, 0, u16(r))))
    if name == "socketpair" and r.randrange(8):
        args = (1, r.choice((1, 2, 5)) | 0x800, 0, args[3])
    return args


SETTINGS = (
    "0", "1", "2", "-1", "4096", "65536", "1 2", "1\t2\t3", "99999999999999999999", "-99999999999999999999",
    "0x10", "010", "", " ", "x", "reno", "cubic", "1\n2\n", "1 2 3 4 5 6 7 8", "\0", "1e3", "a" * 300, "٣", "²",
    "1_000", "+5", "1,2-5", "127.0.0.1",
)


def setting(r):
    """Text for a file of /proc/sys."""
    return r.choice(
        (
            r.choice(SETTINGS).encode(),
            str(number(r)).encode(),
            data(r, 20),
            r.choice(SETTINGS).encode() + b"\n",
            f"{number(r) % 70000} {number(r) % 70000} {number(r) % 70000}".encode(),
        )
    )

