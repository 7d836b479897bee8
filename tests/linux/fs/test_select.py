"""poll(), select() and their timeouts."""

import struct

from kshell.abi.errno import EBADF, EFAULT, EINTR, EINVAL
from kshell.abi.poll import POLLHUP, POLLIN, POLLNVAL, POLLOUT
from kshell.abi.signal import SIGCONT, SIGSTOP, SIGUSR1

MS = 1_000_000
BAD = 0x1000


def fd_set(*fds):
    return sum(1 << fd for fd in fds).to_bytes(128, "little")


def test_a_closed_descriptor_is_reported(host):
    assert host.poll((77, POLLIN)) == (1, [POLLNVAL])
    assert host.poll((-1, POLLIN)) == (0, [0])


def test_only_asked_events_and_errors_are_reported(host):
    r, w = host.pipe()
    host.write(w, b"x")
    assert host.poll((r, POLLOUT), (w, POLLOUT)) == (1, [0, POLLOUT])
    host("close", w)
    assert host.poll((r, 0)) == (1, [POLLHUP])


def test_poll_sleeps_for_its_timeout(host):
    r, _ = host.pipe()
    call, _ = host.poll((r, POLLIN), timeout=100)
    host.machine.run_for(99 * MS)
    assert not call.done
    host.machine.run_for(2 * MS)
    assert call.result == 0


def test_poll_ends_when_data_comes(host):
    r, w = host.pipe()
    child = host.fork()
    call, _ = host.poll((r, POLLIN), timeout=-1, task=child)
    host.write(w, b"x")
    host.machine.run()
    assert call.result == 1


def test_poll_limits(host):
    assert host("poll", 0, 0, 0) == 0
    assert host("poll", BAD, 1, 0) == -EFAULT
    assert host("poll", BAD, 1 << 20, 0) == -EINVAL


def test_select_finds_ready_descriptors(host):
    r, w = host.pipe()
    reads, writes = host.put(fd_set(r)), host.put(fd_set(w))
    assert host("select", w + 1, reads, writes, 0, host.put(bytes(16))) == 1
    assert int.from_bytes(host.get(reads, 8), "little") == 0
    assert int.from_bytes(host.get(writes, 8), "little") == 1 << w


def test_select_writes_whole_longs_and_no_more(host):
    reads = host.put(b"\xff" * 8 + b"\xaa" * 8)
    zero = host.put(bytes(8) + b"\xaa" * 8)
    assert host("select", 1, zero, 0, 0, host.put(bytes(16))) == 0
    assert host.get(zero + 8, 8) == b"\xaa" * 8
    assert host("select", 64, reads, 0, 0, 0) == -EBADF


def test_select_leaves_the_time_not_slept(host):
    r, _w = host.pipe()
    tv = host.put(struct.pack("<qq", 2, 0))
    call = host("select", r + 1, host.put(fd_set(r)), 0, 0, tv, task=host.init)
    host.machine.run_for(500 * MS)
    assert not call.done
    host.machine.run_for(2000 * MS)
    assert call.result == 0
    assert host.get(tv, 16) == bytes(16)


def test_select_tells_the_time_left(host):
    r, w = host.pipe()
    child = host.fork()
    tv = host.put(struct.pack("<qq", 2, 0), child)
    call = host("select", r + 1, host.put(fd_set(r), child), 0, 0, tv, task=child)
    host.machine.run_for(500 * MS)
    host.write(w, b"x")
    host.machine.run()
    assert call.result == 1
    assert host.get(tv, 16, child) == struct.pack("<qq", 1, 500_000)


def test_select_bad_arguments(host):
    assert host("select", -1, 0, 0, 0, 0) == -EINVAL
    assert host("select", 1, BAD, 0, 0, 0) == -EFAULT
    assert host("select", 1, 0, 0, 0, BAD) == -EFAULT
    assert host("select", 0, 0, 0, 0, host.put(struct.pack("<qq", -1, 0))) == -EINVAL


def test_a_signal_interrupts_select(host):
    child = host.fork()
    action = host.room(32)
    child.mm.write(action, struct.pack("<QQQQ", 0x4000, 0, 0, 0))
    assert host("rt_sigaction", SIGUSR1, action, 0, 8, task=child) == 0
    call = host("select", 0, 0, 0, 0, 0, task=child)
    assert host("kill", child.pid, SIGUSR1) == 0
    host.machine.run()
    assert call.result == -EINTR


def test_ppoll_takes_a_mask_for_the_time_of_the_call(host):
    child = host.fork()
    mask = host.put(((1 << 64) - 1).to_bytes(8, "little"), child)
    spec = host.put(struct.pack("<qq", 1, 0), child)
    call = host("ppoll", 0, 0, spec, mask, 8, task=child)
    assert host("kill", child.pid, SIGUSR1) == 0
    host.machine.run()
    assert not call.done
    assert host("ppoll", 0, 0, 0, mask, 7) == -EINVAL


def test_poll_goes_on_after_a_stop(host):
    child = host.fork()
    call = host("poll", 0, 0, 1000, task=child)
    host.machine.run_for(300 * MS)
    host("kill", child.pid, SIGSTOP)
    host.machine.run_for(300 * MS)
    host("kill", child.pid, SIGCONT)
    host.machine.run_for(300 * MS)
    assert not call.done
    host.machine.run_for(200 * MS)
    assert call.result == 0


def test_epoll_is_interrupted_by_a_stop(host):
    child = host.fork()
    ep = host("epoll_create1", 0, task=child)
    call = host("epoll_wait", ep, host.room(12), 1, -1, task=child)
    host("kill", child.pid, SIGSTOP)
    host.machine.run()
    host("kill", child.pid, SIGCONT)
    host.machine.run()
    assert call.result == -EINTR
