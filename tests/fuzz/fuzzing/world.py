"""A machine that is fed with random steps, and what must hold after each of them."""

import signal
import struct
import traceback
from collections import Counter
from contextlib import contextmanager
from functools import cache, partial
from random import Random

from fuzzing import arguments, calls, frames, messages
from fuzzing.flows import FLOWS
from fuzzing.memory import ARENA, Memory
from fuzzing.values import data, interface, number, port
from kshell.abi.syscalls import BY_NAME, I386_BY_NAME
from kshell.linux.include.linux.sched import TASK_RUNNING
from kshell.world.machine import Machine, MachinePanic

SECOND = 1_000_000_000
MODULES = (
    b"dummy", b"veth", b"bridge", b"tun", b"x25", b"sch_fq", b"tcp_diag", b"udp_diag", b"unix_diag", b"inet_diag",
    b"af_packet_diag", b"netlink_diag", b"nix",
)
TASKS = 6
STEP_SECONDS = 2.0


class Failure(Exception):
    """An oops, a hang or a broken invariant; `where` tells one cause from another."""

    def __init__(self, where, text):
        super().__init__(where)
        self.where, self.text = where, text


class Hang(BaseException):
    """A step took too long."""


@contextmanager
def limit(seconds):
    """Hang after so much CPU time."""

    def stop(*_):
        raise Hang

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


@cache
def all_paths():
    """Every path of a new machine's /proc and /sys."""
    machine = Machine()
    task, mm = machine.init, machine.init.mm
    Memory.prepare(mm)
    found, waiting = [], [b"/proc", b"/sys", b"/dev"]

    def call(name, *args):
        return machine.syscall(task, BY_NAME[name].number, args)

    while waiting:
        path = waiting.pop()
        found.append(path)
        mm.write(ARENA, path + b"\0")
        fd = call("open", ARENA, 0o200000)
        if not isinstance(fd, int) or fd < 0:
            continue
        while (n := call("getdents64", fd, ARENA, 30000)) > 0:
            raw = mm.read(ARENA, n)
            while raw:
                length, kind = struct.unpack_from("<HB", raw, 16)
                name = raw[19:length].split(b"\0")[0]
                raw = raw[length:]
                if name not in (b".", b".."):
                    (waiting if kind == 4 and path.count(b"/") < 8 else found).append(path + b"/" + name)
        call("close", fd)
    return tuple(found)


@cache
def settings():
    """Every path of /proc/sys and the writable ones of /sys."""
    return tuple(
        p
        for p in all_paths()
        if p.startswith((b"/proc/sys/", b"/sys/class", b"/sys/devices", b"/proc/self/", b"/proc/1/"))
    )


def where_of(error):
    """The place in kshell that an exception comes from."""
    frames_ = [f for f in traceback.extract_tb(error.__traceback__) if "/kshell/" in f.filename]
    if not frames_:
        return repr(error)
    last = frames_[-1]
    return (
        f"{type(error).__name__} {str(error)[:80]} at {last.filename.split('/kshell/', 1)[1]}:{last.name}:{last.lineno}"
    )


class World:
    """A machine, tasks that call, and the steps."""

    def __init__(self, listen=True):
        self.machine = Machine()
        self.kernel = self.machine.kernel
        self.trace = []
        self.verbose = False
        Memory.prepare(self.machine.init.mm)
        if listen:
            self.kernel.observe(lambda record: repr(record))
        self.root = self._spawn(self.machine.init)
        for path in (b"/tmp", b"/tmp/d"):
            self.sure("mkdir", path + b"\0", 0o1777)
        self.steps = (
            (44, self.any_call), (6, self.compat_call), (8, self.netlink), (8, self.packet), (5, self.sysctl),
            (4, self.proc_read), (3, self.time), (5, self.connection), (3, self.raw), (3, self.tun),
            (2, self.module), (2, self.epoll), (2, self.spawn), (2, self.udp), (2, self.conversation),
            (1, self.devices), (2, self.unix), (2, self.options), (1, self.namespace),
            *((weight, partial(flow, self)) for weight, flow in FLOWS),
        )
        self.weighted = [step for weight, step in self.steps for _ in range(weight)]

    # what steps are made of

    def _spawn(self, parent):
        pid = self.machine.syscall(parent, BY_NAME["fork"].number, ())
        return next((t for t in self.kernel.tasklist if t.pid == pid), None)

    def ready(self):
        """The tasks that can call."""
        init = self.machine.init
        return [
            t
            for t in self.kernel.tasklist
            if t.mm is not None and t is not init and t._stack is None and t._syscall is None and not t.exit_state
        ]

    def task(self, r):
        """One that can call, a new one when there is none."""
        able = self.ready()
        if not able:
            init = self.machine.init
            if init._stack is not None or init._syscall is not None:
                return None
            new = self._spawn(init)
            return new
        return r.choice(able)

    def raw_call(self, task, name, args, compat=False):
        table = I386_BY_NAME if compat else BY_NAME
        if self.verbose:
            self.trace.append(
                f"{task.pid} {name}({', '.join(hex(a) if a > 4096 else str(a) for a in args)}){' compat' if compat else ''}"
            )
        if task._stack is not None or task._syscall is not None or task.exit_state:
            return None
        result = self.machine.syscall(task, table[name].number, tuple(a % (1 << 64) for a in args), compat)
        if self.verbose:
            self.trace[-1] += f" = {result if isinstance(result, int) else 'asleep'}"
        return result

    def sure(self, name, *args, task=None):
        """A call with good arguments, bytes put into memory."""
        task = task or self.root
        if task is None or task.mm is None:
            return -1
        memory = Memory(task, Random(0))
        memory.used = 0x30000
        words = [memory.sure(a) if isinstance(a, bytes) else a for a in args]
        result = self.raw_call(task, name, words)
        return result if isinstance(result, int) else -1

    def fds(self, task):
        """Open descriptors, in order."""
        if task.files is None:
            return [0]
        return [fd for fd, f in enumerate(task.files.fdt.fd) if f is not None][:200] or [0]

    def sockets(self, task, family=None):
        return [
            fd
            for fd in self.fds(task)
            if (s := self._socket(task, fd)) is not None and (family is None or s.sk.sk_family == family)
        ]

    def _socket(self, task, fd):
        f = task.files.fdt.fd[fd] if task.files else None
        s = getattr(f, "private_data", None)
        return s if type(s).__name__ == "socket" and s.sk is not None else None

    def maker(self, r, task):
        return calls.Maker(r, Memory(task, r), self.fds(task), all_paths(), self.kernel.tasklist)

    def hints(self):
        """Ports and numbers of living TCP sockets, as a peer would send them."""
        found = []
        for task in self.kernel.tasklist:
            if task.files is None:
                continue
            for fd in self.fds(task):
                s = self._socket(task, fd)
                sk = s.sk if s is not None else None
                if sk is not None and hasattr(sk, "rcv_nxt"):
                    found.append(
                        (
                            getattr(sk, "inet_dport", 0) & 0xFFFF,
                            getattr(sk, "inet_num", 0) & 0xFFFF,
                            sk.rcv_nxt & 0xFFFFFFFF,
                            sk.snd_una & 0xFFFFFFFF,
                        )
                    )
        return found

    # the steps

    def any_call(self, r, task):
        name = calls.choose(r)
        args = calls.fix(r, name, self.maker(r, task).arguments(BY_NAME[name]))
        self.raw_call(task, name, args)

    def compat_call(self, r, task):
        name = r.choice(calls.NAMES32)
        if name in calls.RARE:
            return
        args = calls.fix(r, name, self.maker(r, task).arguments(I386_BY_NAME[name]))
        self.raw_call(task, name, args, compat=True)

    def netlink(self, r, task):
        open_ = self.sockets(task, 16)
        if open_ and r.randrange(5):
            fd = r.choice(open_)
        else:
            fd = self.sure("socket", 16, 3 | 0x800, r.choice((0, 0, 0, 0, 4, 16)), task=task)
            if r.randrange(2):
                self.sure("bind", fd, struct.pack("<HHII", 16, 0, 0, r.choice((0, 1, 0xFFFFFFFF))), 12, task=task)
        s = self._socket(task, fd) if fd >= 0 and task.files else None
        protocol = s.sk.sk_protocol if s is not None else 0
        raw = messages.anything(r, protocol)
        self.sure("sendto", fd, raw, len(raw), 0x40, 0, 0, task=task)
        for _ in range(r.randrange(3)):
            self.sure("recvfrom", fd, ARENA, r.choice((8192, 32768, 100)), 0x40, 0, 0, task=task)

    def packet(self, r, task):
        open_ = self.sockets(task, 17)
        fd = (
            r.choice(open_)
            if open_ and r.randrange(5)
            else self.sure("socket", 17, r.choice((2, 3, 3, 3)) | 0x800, r.choice((0x300, 0, 8)), task=task)
        )
        raw = frames.frame(r, self.hints())
        if r.randrange(4) == 0:
            raw = raw[14:]
        index = r.choice((1, 1, 1, 2, 3, 4, 5, messages.index(r)))
        name = (
            struct.pack("<H", 17)
            + struct.pack(">H", r.choice((0x800, 0x806, 3)))
            + struct.pack("<iHBB", index, 1, 0, 6)
            + r.choice((bytes(8), b"\xff" * 8))
        )
        self.sure("sendto", fd, raw, len(raw), 0x40, name, len(name), task=task)
        if r.randrange(3) == 0:
            self.sure("recvfrom", fd, ARENA, 2000, 0x40, 0, 0, task=task)

    def raw(self, r, task):
        fd = self.sure("socket", 2, 3 | 0x800, r.choice((255, 1, 2, 6, 17, 4, 47)), task=task)
        if r.randrange(2):
            self.sure("setsockopt", fd, 0, 3, struct.pack("<i", 1), 4, task=task)
        raw = frames.ip(r, 0, self.hints())
        name = (
            struct.pack("<H", 2)
            + struct.pack(">H", port(r))
            + r.choice((b"\x7f\0\0\1", b"\x7f\0\0\1", frames.address(r)))
            + bytes(8)
        )
        self.sure("sendto", fd, raw, len(raw), 0x40, name, 16, task=task)
        if r.randrange(2):
            self.sure("close", fd, task=task)

    def tun(self, r, task):
        fds = [
            fd
            for fd in self.fds(task)
            if (f := task.files and task.files.fdt.fd[fd]) and type(f.private_data).__name__ == "tun_file"
        ]
        if not fds or r.randrange(4) == 0:
            fd = self.sure("open", b"/dev/net/tun\0", 0o4002, 0, task=task)
            self.sure(
                "ioctl",
                fd,
                0x400454CA,
                r.choice((b"tun0", b"tap0", b"", b"t%d")).ljust(16, b"\0")
                + struct.pack("<H", r.choice((1, 2, 0x1001, 0x1002, 0x4002)))
                + bytes(22),
                task=task,
            )
            s = self.sure("socket", 2, 2, 0, task=task)
            name = r.choice((b"tun0", b"tap0", b"t0", b"tap1"))
            self.sure(
                "ioctl",
                s,
                0x8916,
                name.ljust(16, b"\0") + struct.pack("<HH", 2, 0) + b"\x0a\0\0\1" + bytes(16),
                task=task,
            )
            self.sure("ioctl", s, 0x8914, name.ljust(16, b"\0") + struct.pack("<H", 0x1043) + bytes(22), task=task)
            self.sure("close", s, task=task)
        else:
            fd = r.choice(fds)
        for _ in range(r.randrange(1, 4)):
            raw = r.choice((frames.ip(r, 0, self.hints()), frames.frame(r, self.hints())))
            raw = r.choice((b"", b"\0\0\x08\0", bytes(10))) + raw
            self.sure("write", fd, raw, len(raw), task=task)
            self.sure("read", fd, ARENA, 2000, task=task)

    def sysctl(self, r, task):
        path = r.choice(settings()) if r.randrange(6) else r.choice(all_paths())
        fd = self.sure("open", path + b"\0", r.choice((1, 1, 2)), 0, task=task)
        if fd < 0:
            return
        raw = calls.setting(r)
        if r.randrange(5) == 0:
            self.sure("pwrite64", fd, raw, len(raw), number(r) % (1 << 63), task=task)
        else:
            self.sure("write", fd, raw, len(raw), task=task)
        self.sure("lseek", fd, 0, 0, task=task)
        self.sure("read", fd, ARENA, 4096, task=task)
        if r.randrange(4):
            self.sure("close", fd, task=task)

    def proc_read(self, r, task):
        path = r.choice(all_paths())
        if r.randrange(3) == 0:
            path = b"/proc/%d/%s" % (r.choice(self.kernel.tasklist).pid, path.rsplit(b"/", 1)[1])
        fd = self.sure("open", path + b"\0", 0o4000, 0, task=task)
        if fd < 0:
            return
        for _ in range(r.randrange(1, 4)):
            kind = r.randrange(5)
            if kind == 0:
                self.sure("pread64", fd, ARENA, r.choice((1, 7, 100, 4096, 70000)), number(r) % (1 << 63), task=task)
            elif kind == 1:
                self.sure(
                    "lseek",
                    fd,
                    r.choice((0, 1, 5, 100, 4095, 1 << 20, -1 % (1 << 64), number(r))),
                    r.randrange(5),
                    task=task,
                )
            elif kind == 2:
                self.sure("getdents64", fd, ARENA, r.choice((10, 24, 100, 4096)), task=task)
            else:
                self.sure("read", fd, ARENA, r.choice((0, 1, 7, 100, 4096, 70000)), task=task)
        if r.randrange(4):
            self.sure("close", fd, task=task)

    def time(self, r, task):
        ns = r.choice(
            (
                1, 1000, 1000000, 200000000, SECOND, 3 * SECOND, 60 * SECOND, 130 * SECOND, 1000 * SECOND,
                8000 * SECOND, number(r) % (10 * SECOND),
            )
        )
        if self.verbose:
            self.trace.append(f"run_for({ns})")
        self.machine.run_for(ns)

    def connection(self, r, task):
        """A listener, a client, the accepted socket."""
        where = struct.pack("<H", 2) + struct.pack(">H", port(r)) + b"\x7f\0\0\1" + bytes(8)
        server = self.sure("socket", 2, 1 | 0x800, 0, task=task)
        if r.randrange(3) == 0:
            self.any_option(r, task, server)
        self.sure("bind", server, where, 16, task=task)
        self.sure("listen", server, r.choice((0, 1, 5)), task=task)
        client = self.sure("socket", 2, 1 | r.choice((0, 0x800)), 0, task=task)
        if r.randrange(3) == 0:
            self.any_option(r, task, client)
        self.sure("connect", client, where, 16, task=task)
        self.sure("accept4", server, 0, 0, 0x800, task=task)
        if r.randrange(3) == 0:
            self.sure("close", server, task=task)

    def any_option(self, r, task, fd):
        level = r.choice((1, 1, 0, 6))
        raw = arguments.option_value(r, Memory(task, r))
        self.sure(
            "setsockopt", fd, level, calls.one_of(r, arguments.OPTION_LEVELS[level]) % (1 << 32), raw, len(raw),
            task=task,
        )

    def options(self, r, task):
        for _ in range(4):
            found = self.sockets(task)
            if not found:
                return
            fd = r.choice(found)
            self.any_option(r, task, fd)
            family = {2: (0, 1, 6, 17), 1: (1,), 16: (270, 1), 17: (263, 1)}.get(
                self._socket(task, fd).sk.sk_family, (1,)
            )
            level = r.choice(family)
            option = calls.one_of(r, arguments.OPTION_LEVELS[level]) % (1 << 32)
            raw = arguments.option_value(r, Memory(task, r))
            self.sure("setsockopt", fd, level, option, raw, len(raw), task=task)
            self.sure(
                "getsockopt", fd, level, option, bytes(4100),
                struct.pack("<i", r.choice((0, 1, 2, 4, 8, 16, 100, 4096, -1))), task=task,
            )

    def udp(self, r, task):
        fd = self.sure("socket", 2, 2 | 0x800, r.choice((0, 0, 136, 1)), task=task)
        where = (
            struct.pack("<H", 2)
            + struct.pack(">H", port(r))
            + r.choice((b"\x7f\0\0\1", bytes(4), b"\xe0\1\2\3"))
            + bytes(8)
        )
        self.sure("bind", fd, where, 16, task=task)
        self.sure("connect", fd, where, 16, task=task)
        for _ in range(r.randrange(3)):
            self.conversation(r, task, fd)

    def conversation(self, r, task, fd=None):
        """Data over what is open."""
        found = [fd] if fd is not None else self.sockets(task)
        if not found:
            return
        for _ in range(5):
            fd = r.choice(found)
            raw = data(r, r.choice((0, 1, 10, 1000, 5000, 30000)))
            kind = r.randrange(7)
            if kind < 3:
                self.sure("sendto", fd, raw, len(raw), calls.some_of(r, "msg") & ~0x8000 | 0x40, 0, 0, task=task)
            elif kind == 3:
                maker = self.maker(r, task)
                self.raw_call(task, "sendmsg", (fd, maker.m.sure(arguments.msghdr(r, maker.m, maker.fds, [raw])), 0x40))
            elif kind < 6:
                self.sure(
                    "recvfrom", fd, ARENA, r.choice((1, 10, 5000, 60000)), calls.some_of(r, "msg") | 0x40, 0, 0,
                    task=task,
                )
            else:
                self.sure("shutdown", fd, r.randrange(3), task=task)

    def unix(self, r, task):
        kind = r.choice((1, 2, 5))
        name = arguments.sockaddr(r)
        if name[:2] != b"\1\0":
            name = b"\1\0\0a"
        server = self.sure("socket", 1, kind | 0x800, 0, task=task)
        self.sure("bind", server, name, len(name), task=task)
        self.sure("listen", server, r.choice((0, 1, 5)), task=task)
        client = self.sure("socket", 1, kind | 0x800, 0, task=task)
        self.sure("connect", client, name, len(name), task=task)
        self.sure("accept4", server, 0, 0, 0x800, task=task)
        maker = self.maker(r, task)
        self.raw_call(task, "sendmsg", (client, maker.m.sure(arguments.msghdr(r, maker.m, maker.fds, [b"x"])), 0x40))

    def module(self, r, task):
        name = r.choice(MODULES)
        if r.randrange(3):
            self.sure("init_module", name + b"\0", len(name) + 1, b"\0", task=task)
        else:
            self.sure("delete_module", name + b"\0", r.choice((0x800, 0x200, 0)), task=task)

    def devices(self, r, task):
        """A few links that steps can use."""
        fd = self.sure("socket", 16, 3 | 0x800, 0, task=task)
        for kind, name in ((b"dummy", b"dummy0"), (b"veth", b"veth0"), (b"bridge", b"br0")):
            body = (
                bytes(16)
                + messages.attribute(Random(1), 3, name + b"\0")
                + messages.attribute(Random(1), 18, messages.attribute(Random(1), 1, kind + b"\0"))
            )
            raw = struct.pack("<IHHII", 16 + len(body), 16, 0x605, 1, 0) + body
            self.sure("sendto", fd, raw, len(raw), 0x40, 0, 0, task=task)
        s = self.sure("socket", 2, 2, 0, task=task)
        for n, name in enumerate((b"dummy0", b"veth0", b"veth1", b"br0")):
            self.sure(
                "ioctl",
                s,
                0x8916,
                name.ljust(16, b"\0") + struct.pack("<HH", 2, 0) + bytes((10, 0, n, 1)) + bytes(16),
                task=task,
            )
            self.sure("ioctl", s, 0x8914, name.ljust(16, b"\0") + struct.pack("<H", 0x1043) + bytes(22), task=task)
        if r.randrange(2):
            for index in range(2, 7):
                self.sure("ioctl", s, 0x89A2, b"br0".ljust(16, b"\0") + struct.pack("<i", index) + bytes(20), task=task)
        self.sure("close", fd, task=task)
        self.sure("close", s, task=task)

    def epoll(self, r, task):
        fds = self.fds(task)
        ep = self.sure("epoll_create1", 0, task=task)
        for _ in range(3):
            self.sure("epoll_ctl", ep, 1, r.choice(fds), arguments.sized_struct(r, "epoll_event"), task=task)
        self.sure("epoll_wait", ep, ARENA, 8, 0, task=task)
        ready = b"".join(struct.pack("<ihh", fd, 0x3FF, 0) for fd in fds)
        self.sure("poll", ready, len(fds), 0, task=task)

    def namespace(self, r, task):
        self.sure("unshare", r.choice((0x40000000, 0x40000000, 0x04000000, 0x400, 0x200)), task=task)
        s = self.sure("socket", 2, 2, 0, task=task)
        self.sure("ioctl", s, 0x8914, interface(r)[:16].ljust(16, b"\0") + struct.pack("<H", 1) + bytes(22), task=task)

    def spawn(self, r, task):
        if sum(t.mm is not None for t in self.kernel.tasklist) < TASKS:
            self.raw_call(task, "clone", (r.choice((17, 17, 0x411, 0x10F00, 0x40000011)), 0, 0, 0, 0))
        else:
            victims = [t for t in self.kernel.tasklist if t.mm is not None and t is not self.machine.init]
            self.sure("kill", r.choice(victims).pid, r.choice((9, 9, 15, 10, 13)), task=task)

    # running and checking

    def step(self, seed):
        """Do the step that a number stands for."""
        r = Random(seed)
        task = self.task(r)
        if task is None or task.mm is None:
            return
        step = r.choice(self.weighted)
        if self.verbose:
            self.trace.append(f"-- {seed} {getattr(step, '__name__', step)} pid {task.pid}")
        try:
            with limit(STEP_SECONDS):
                step(r, task)
                self.machine.run()
        except MachinePanic:
            raise
        except Hang as error:
            raise Failure("hang " + where_of(error), traceback.format_exc()) from error
        except Exception as error:
            raise Failure(where_of(error), traceback.format_exc()) from error
        self.check()

    def check(self):
        try:
            for task in self.kernel.tasklist:
                check_descriptors(task)
                check_sleeper(self.kernel, task)
            assert not self.kernel.in_serving_softirq, "in softirq"
            assert self.kernel.current is self.kernel.init_task, "current"
        except AssertionError as error:
            raise Failure(
                f"invariant {str(error)[:100]} {traceback.extract_tb(error.__traceback__)[-1].lineno}",
                traceback.format_exc(),
            ) from error


def check_descriptors(task):
    """The bitmap says what the array holds, and no file has fewer references than descriptors."""
    if task.files is None:
        return
    fdt, held = task.files.fdt, Counter()
    for fd, f in enumerate(fdt.fd):
        is_open = bool(fdt.open_fds[fd >> 6] >> (fd & 63) & 1)
        assert is_open == (f is not None) or (is_open and task._syscall is not None), f"bit of descriptor {fd}"
        if f is not None:
            held[f] += 1
    for f, count in held.items():
        assert f.f_count >= count, f"f_count {f.f_count} < {count}"


def check_sleeper(kernel, task):
    """A task that is in a call and not about to run sleeps for something."""
    if task._stack is not None and task not in kernel.runqueue:
        assert task.state != TASK_RUNNING, "asleep and running"


def run(seeds, verbose=False):
    """Run a sequence; the Failure, or None. A panic (init was killed) ends it early."""
    world = World()
    world.verbose = verbose
    try:
        for seed in seeds:
            world.step(seed)
        finish(world)
    except MachinePanic:
        pass
    except Failure as failure:
        failure.trace = world.trace
        return failure
    return None


def finish(world):
    """All tasks but init die and time passes: nothing goes wrong then either."""
    try:
        with limit(8):
            machine, kernel = world.machine, world.kernel
            for task in list(kernel.tasklist):
                if task.mm is not None and task is not machine.init and not task.exit_state:
                    machine.send_signal(task, 9)
            machine.run_for(1000 * SECOND)
    except MachinePanic:
        raise
    except Hang as error:
        raise Failure("end: hang " + where_of(error), traceback.format_exc()) from error
    except Exception as error:
        raise Failure("end: " + where_of(error), traceback.format_exc()) from error
    world.check()


def shrink(seeds, where, tries=300):
    """A shorter sequence that fails at the same place."""
    size = max(len(seeds) // 2, 1)
    while tries > 0:
        at, cut = 0, False
        while at < len(seeds) and tries > 0:
            rest = seeds[:at] + seeds[at + size :]
            tries -= 1
            failure = run(rest)
            if failure is not None and failure.where == where:
                seeds, cut = rest, True
            else:
                at += size
        if size == 1 and not cut:
            break
        size = max(size // 2, 1)
    return seeds

