"""eventfd, timerfd, signalfd."""

import struct

from kshell.abi.errno import EAGAIN, EINVAL
from kshell.abi.poll import EFD_NONBLOCK, EFD_SEMAPHORE, POLLIN, POLLOUT, TFD_NONBLOCK
from kshell.abi.signal import SIGUSR1

MS = 1_000_000
U64 = 1 << 64


def test_a_counter_is_read_whole(host):
    fd = host("eventfd2", 3, EFD_NONBLOCK)
    host.write(fd, (4).to_bytes(8, "little"))
    assert host.read(fd, 8) == (7).to_bytes(8, "little")
    assert host.read(fd, 8) == -EAGAIN
    assert host.read(fd, 7) == -EINVAL


def test_a_semaphore_is_read_one_by_one(host):
    fd = host("eventfd2", 2, EFD_NONBLOCK | EFD_SEMAPHORE)
    assert [host.read(fd, 8) for _ in range(3)] == [(1).to_bytes(8, "little")] * 2 + [-EAGAIN]


def test_the_counter_does_not_overflow(host):
    fd = host("eventfd2", 0, EFD_NONBLOCK)
    assert host.write(fd, (U64 - 1).to_bytes(8, "little")) == -EINVAL
    assert host.write(fd, (U64 - 2).to_bytes(8, "little")) == 8
    assert host.write(fd, (1).to_bytes(8, "little")) == -EAGAIN
    assert host.poll((fd, POLLIN | POLLOUT))[1] == [POLLIN]


def test_a_reader_waits(host):
    fd = host("eventfd2", 0, 0)
    child = host.fork()
    call = host.read(fd, 8, child)
    host.write(fd, (1).to_bytes(8, "little"))
    host.machine.run()
    assert call.result == 8


def test_a_timer_counts_how_often_it_went_off(host):
    fd = host("timerfd_create", 1, TFD_NONBLOCK)
    assert host("timerfd_settime", fd, 0, struct.pack("<qqqq", 0, 10 * MS, 0, 5 * MS), 0) == 0
    assert host.read(fd, 8) == -EAGAIN
    host.machine.run_for(26 * MS)
    assert host.poll((fd, POLLIN))[1] == [POLLIN]
    assert host.read(fd, 8) == (3).to_bytes(8, "little")
    left = host.room(32)
    host("timerfd_gettime", fd, left)
    assert struct.unpack("<qqqq", host.get(left, 32)) == (0, 10 * MS, 0, 9 * MS)


def test_signals_are_read(host):
    mask = host.put((1 << (SIGUSR1 - 1)).to_bytes(8, "little"))
    assert host("rt_sigprocmask", 0, mask, 0, 8) == 0
    fd = host("signalfd4", -1, mask, 8, 0)
    host("kill", 1, SIGUSR1)
    assert host.poll((fd, POLLIN))[1] == [POLLIN]
    assert struct.unpack_from("<I", host.read(fd, 128))[0] == SIGUSR1
    assert host.poll((fd, POLLIN))[1] == [0]
