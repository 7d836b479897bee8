"""epoll: level and edge triggering, one shot, exclusive wake-ups, nesting."""

import struct

from kshell.abi.errno import EBADF, EEXIST, EFAULT, EINVAL, ELOOP, ENOENT, EPERM
from kshell.abi.fcntl import AT_FDCWD, O_CREAT, O_RDWR
from kshell.abi.poll import (
    EPOLL_CTL_ADD,
    EPOLL_CTL_DEL,
    EPOLL_CTL_MOD,
    EPOLLET,
    EPOLLEXCLUSIVE,
    EPOLLHUP,
    EPOLLIN,
    EPOLLONESHOT,
    EPOLLOUT,
    POLLIN,
)

MS = 1_000_000


def ctl(host, ep, op, fd, events=0, data=0):
    return host("epoll_ctl", ep, op, fd, struct.pack("<IQ", events, data))


def wait(host, ep, n=10, timeout=0, task=None):
    where = host.room(12 * n)
    got = host("epoll_wait", ep, where, n, timeout, task=task)
    if not isinstance(got, int) or got < 0:
        return got
    return [struct.unpack_from("<IQ", host.get(where + 12 * i, 12)) for i in range(got)]


def test_level_triggered_events_come_again(host):
    ep = host("epoll_create1", 0)
    r, w = host.pipe()
    assert ctl(host, ep, EPOLL_CTL_ADD, r, EPOLLIN, 42) == 0
    assert wait(host, ep) == []
    host.write(w, b"x")
    assert wait(host, ep) == [(EPOLLIN, 42)]
    assert wait(host, ep) == [(EPOLLIN, 42)]
    host.read(r, 1)
    assert wait(host, ep) == []


def test_edge_triggered_events_come_once_for_each_arrival(host):
    ep = host("epoll_create1", 0)
    r, w = host.pipe()
    ctl(host, ep, EPOLL_CTL_ADD, r, EPOLLIN | EPOLLET)
    host.write(w, b"x")
    assert len(wait(host, ep)) == 1
    assert wait(host, ep) == []
    host.write(w, b"y")
    assert len(wait(host, ep)) == 1


def test_one_shot_is_armed_again_by_modify(host):
    ep = host("epoll_create1", 0)
    r, w = host.pipe()
    ctl(host, ep, EPOLL_CTL_ADD, r, EPOLLIN | EPOLLONESHOT, 1)
    host.write(w, b"x")
    assert len(wait(host, ep)) == 1
    host.write(w, b"y")
    assert wait(host, ep) == []
    assert ctl(host, ep, EPOLL_CTL_MOD, r, EPOLLIN | EPOLLONESHOT, 2) == 0
    assert wait(host, ep) == [(EPOLLIN, 2)]


def test_waiting_sleeps_and_wakes(host):
    ep = host("epoll_create1", 0)
    r, w = host.pipe()
    ctl(host, ep, EPOLL_CTL_ADD, r, EPOLLIN)
    child = host.fork()
    call = wait(host, ep, timeout=-1, task=child)
    assert not call.done
    host.write(w, b"x")
    host.machine.run()
    assert call.result == 1
    call = wait(host, host("epoll_create1", 0), timeout=50)
    host.machine.run_for(60 * MS)
    assert call.result == 0


def test_the_events_asked_for_and_hang_up(host):
    ep = host("epoll_create1", 0)
    r, w = host.pipe()
    ctl(host, ep, EPOLL_CTL_ADD, r, 0)
    ctl(host, ep, EPOLL_CTL_ADD, w, EPOLLOUT, 7)
    assert wait(host, ep) == [(EPOLLOUT, 7)]
    host("close", w)
    assert wait(host, ep) == [(EPOLLHUP, 0)]


def test_closing_a_file_forgets_it(host):
    ep = host("epoll_create1", 0)
    r, w = host.pipe()
    ctl(host, ep, EPOLL_CTL_ADD, w, EPOLLOUT)
    host("close", w)
    assert wait(host, ep) == []
    again = host("dup", r)
    ctl(host, ep, EPOLL_CTL_ADD, again, EPOLLIN)
    host("close", again)
    assert wait(host, ep) == [(EPOLLHUP, 0)]  # the file is open still, under r


def test_errors(host):
    ep = host("epoll_create1", 0)
    r, _ = host.pipe()
    regular = host("openat", AT_FDCWD, b"/tmp/f\0", O_CREAT | O_RDWR, 0o600)
    assert host("epoll_create1", 1) == -EINVAL
    assert host("epoll_create", 0) == -EINVAL
    assert host("epoll_ctl", ep, EPOLL_CTL_ADD, r, 0x1000) == -EFAULT
    assert ctl(host, 99, EPOLL_CTL_ADD, r) == -EBADF
    assert ctl(host, ep, EPOLL_CTL_ADD, 99) == -EBADF
    assert ctl(host, ep, EPOLL_CTL_ADD, regular) == -EPERM
    assert ctl(host, ep, EPOLL_CTL_ADD, ep) == -EINVAL
    assert ctl(host, r, EPOLL_CTL_ADD, ep) == -EINVAL
    assert ctl(host, ep, EPOLL_CTL_MOD, r) == -ENOENT
    assert ctl(host, ep, EPOLL_CTL_DEL, r) == -ENOENT
    assert ctl(host, ep, 9, r) == -EINVAL
    assert ctl(host, ep, EPOLL_CTL_ADD, r, EPOLLIN | EPOLLEXCLUSIVE) == 0
    assert ctl(host, ep, EPOLL_CTL_ADD, r, EPOLLIN) == -EEXIST
    assert ctl(host, ep, EPOLL_CTL_MOD, r, EPOLLIN) == -EINVAL
    assert host("epoll_wait", ep, 0x1000, 0, 0) == -EINVAL
    assert host("epoll_wait", r, host.room(12), 1, 0) == -EINVAL


def test_a_fault_keeps_the_event(host):
    ep = host("epoll_create1", 0)
    _, w = host.pipe()
    ctl(host, ep, EPOLL_CTL_ADD, w, EPOLLOUT | EPOLLET, 3)
    assert host("epoll_wait", ep, 0x1000, 1, 0) == -EFAULT
    assert wait(host, ep) == [(EPOLLOUT, 3)]


def test_nested_instances(host):
    inner, outer = host("epoll_create1", 0), host("epoll_create1", 0)
    r, w = host.pipe()
    ctl(host, inner, EPOLL_CTL_ADD, r, EPOLLIN)
    assert ctl(host, outer, EPOLL_CTL_ADD, inner, EPOLLIN, 5) == 0
    assert ctl(host, inner, EPOLL_CTL_ADD, outer, EPOLLIN) == -ELOOP
    host.write(w, b"x")
    assert wait(host, outer) == [(EPOLLIN, 5)]
    assert host.poll((inner, POLLIN))[1] == [POLLIN]


def test_only_five_levels(host):
    eps = [host("epoll_create1", 0) for _ in range(6)]
    for i in range(4):
        assert ctl(host, eps[i], EPOLL_CTL_ADD, eps[i + 1], EPOLLIN) == 0
    assert ctl(host, eps[4], EPOLL_CTL_ADD, eps[5], EPOLLIN) == -ELOOP


def test_one_of_several_exclusive_instances_is_woken(host):
    r, w = host.pipe()
    eps = [host("epoll_create1", 0) for _ in range(2)]
    calls = []
    for ep in eps:
        ctl(host, ep, EPOLL_CTL_ADD, r, EPOLLIN | EPOLLEXCLUSIVE)
        calls.append(wait(host, ep, timeout=-1, task=host.fork()))
    host.write(w, b"x")
    host.machine.run()
    assert [call.done for call in calls] == [True, False]


def test_closing_frees_everything(host):
    before = {c.name: c._inuse for c in host.kernel.slab_caches}
    ep = host("epoll_create1", 0)
    r, w = host.pipe()
    ctl(host, ep, EPOLL_CTL_ADD, r, EPOLLIN)
    ctl(host, ep, EPOLL_CTL_ADD, w, EPOLLOUT)
    wait(host, ep)
    for fd in (r, ep, w):
        host("close", fd)
    assert {c.name: c._inuse for c in host.kernel.slab_caches} == before
