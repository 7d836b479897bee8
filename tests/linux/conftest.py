"""`host`: a machine whose system calls are made by name, with bytes put into user memory on the way."""

import struct

import pytest

from kshell.abi.syscalls import BY_NAME
from kshell.world.machine import Machine

ARENA = 0x20000000
SIZE = 1 << 20
BAD = 0x1000  # an address where nothing is mapped


class Host:
    """host("read", fd, host.room(10), 10): the result, or the call that sleeps."""

    def __init__(self) -> None:
        self.machine = Machine()
        self.kernel = self.machine.kernel
        self.init = self.machine.init
        self.init.mm.map(ARENA, SIZE)
        self.used = 0
        self("mkdir", b"/tmp\0", 0o1777)

    def __call__(self, name, *args, task=None):
        words = [self.put(a, task) if isinstance(a, bytes) else a for a in args]
        return self.machine.syscall(task or self.init, BY_NAME[name].number, tuple(words))

    def room(self, n):
        """The address of n bytes nobody else uses."""
        address = ARENA + self.used
        self.used += (n + 15) & ~15
        assert self.used <= SIZE
        return address

    def put(self, data, task=None):
        """The address of a copy of data."""
        address = self.room(len(data))
        (task or self.init).mm.write(address, data)
        return address

    def get(self, address, n, task=None):
        """n bytes of user memory."""
        return (task or self.init).mm.read(address, n)

    def word(self, address):
        """A 32-bit int of user memory."""
        return struct.unpack("<i", self.get(address, 4))[0]

    def pair(self, name, *args):
        """pipe2() and socketpair(): the two descriptors."""
        where = self.room(8)
        assert self(name, *(where if a is ... else a for a in args)) == 0
        return struct.unpack("<ii", self.get(where, 8))

    def pipe(self, flags=0):
        """The reading and the writing end of a new pipe."""
        return self.pair("pipe2", ..., flags)

    def read(self, fd, n, task=None):
        """Bytes read, or the negative errno, or the sleeping call."""
        where = self.room(n)
        got = self("read", fd, where, n, task=task)
        return self.get(where, got, task) if isinstance(got, int) and got >= 0 else got

    def write(self, fd, data, task=None):
        """write() of bytes."""
        where = self.room(len(data))
        (task or self.init).mm.write(where, data)
        return self("write", fd, where, len(data), task=task)

    def fork(self, parent=None):
        """A child that shares nothing but the files."""
        nr = self("fork", task=parent)
        return next(t for t in self.kernel.tasklist if t.pid == nr)

    def thread(self, parent=None):
        """A child with the same memory and descriptors."""
        nr = self("clone", 0x10F00, 0, 0, 0, 0, task=parent)  # VM, FS, FILES, SIGHAND, THREAD
        return next(t for t in self.kernel.tasklist if t.pid == nr)

    def poll(self, *wanted, timeout=0, task=None):
        """poll() of (fd, events) pairs: the result and all revents."""
        where = self.room(8 * len(wanted))
        fds = b"".join(struct.pack("<ihh", fd, events, -1) for fd, events in wanted)
        (task or self.init).mm.write(where, fds)
        got = self("poll", where, len(wanted), timeout, task=task)
        return got, [struct.unpack_from("<H", self.get(where + 8 * i, 8), 6)[0] for i in range(len(wanted))]


@pytest.fixture
def host():
    return Host()


@pytest.fixture(scope="session")
def host_type():
    return Host
