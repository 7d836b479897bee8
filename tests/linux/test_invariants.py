"""What must hold after any sequence of calls: bitmaps, reference counts, nothing left over, no garbage cycles."""

import gc
import struct
from collections import Counter

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from kshell.abi.socket import AF_INET, AF_UNIX, MSG_DONTWAIT, SOCK_DGRAM, SOCK_NONBLOCK, SOCK_SEQPACKET, SOCK_STREAM
from kshell.linux.include.linux.sched import TASK_RUNNING

FDS = range(3, 15)
MINUTES = 60 * 1_000_000_000
EPOLLIN, ADD, DEL = 1, 1, 2


def addresses(n):
    """A sockaddr to bind or connect to, as (bytes, length)."""
    if n % 2:
        name = struct.pack("<H", AF_UNIX) + (b"\0a", b"\0b", b"/tmp/s")[n // 2 % 3]
    else:
        name = struct.pack("<H", AF_INET) + struct.pack(">HI", 7000 + n // 2 % 3, 0x7F000001) + bytes(8)
    return name, len(name)


def rights(host, fd):
    """A struct msghdr that passes a descriptor."""
    iov = host.put(struct.pack("<QQ", host.put(b"x"), 1))
    control = host.put(struct.pack("<QiiiI", 20, 1, 1, fd, 0))
    return host.put(struct.pack("<QIxxxxQQQQI", 0, 0, iov, 1, control, 24, 0))


def empty(host):
    """A struct msghdr to receive a descriptor with."""
    iov = host.put(struct.pack("<QQ", host.room(8), 8))
    return host.put(struct.pack("<QIxxxxQQQQI", 0, 0, iov, 1, host.room(64), 64, 0))


UNIX = [(AF_UNIX, kind) for kind in (SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET)]
INET = [(AF_INET, kind) for kind in (SOCK_STREAM, SOCK_DGRAM)]
DONT = MSG_DONTWAIT
CALLS = (
    lambda h, a, b, n: ("socket", (UNIX + INET)[n % 5][0], (UNIX + INET)[n % 5][1] | SOCK_NONBLOCK, 0),
    lambda h, a, b, n: ("socketpair", AF_UNIX, UNIX[n % 3][1] | SOCK_NONBLOCK, 0, h.room(8)),
    lambda h, a, b, n: ("pipe2", h.room(8), 0o4000),
    lambda h, a, b, n: ("epoll_create1", 0),
    lambda h, a, b, n: ("eventfd2", n % 3, 0o4000),
    lambda h, a, b, n: ("close", a),
    lambda h, a, b, n: ("dup", a),
    lambda h, a, b, n: ("dup2", a, b),
    lambda h, a, b, n: ("bind", a, *addresses(n)),
    lambda h, a, b, n: ("connect", a, *addresses(n)),
    lambda h, a, b, n: ("listen", a, n % 3),
    lambda h, a, b, n: ("accept4", a, 0, 0, SOCK_NONBLOCK),
    lambda h, a, b, n: ("read", a, h.room(n), n),
    lambda h, a, b, n: ("write", a, h.room(n), n),
    lambda h, a, b, n: ("sendto", a, h.room(n), n, DONT, *addresses(n)),
    lambda h, a, b, n: ("recvfrom", a, h.room(n), n, DONT, 0, 0),
    lambda h, a, b, n: ("sendmsg", a, rights(h, b), DONT),
    lambda h, a, b, n: ("recvmsg", a, empty(h), DONT),
    lambda h, a, b, n: ("shutdown", a, n % 3),
    lambda h, a, b, n: ("epoll_ctl", a, ADD, b, struct.pack("<IQ", EPOLLIN, 1)),
    lambda h, a, b, n: ("epoll_ctl", a, DEL, b, struct.pack("<IQ", EPOLLIN, 1)),
    lambda h, a, b, n: ("epoll_wait", a, h.room(48), 4, 0),
    lambda h, a, b, n: ("splice", a, 0, b, 0, n, 2),
    lambda h, a, b, n: ("tee", a, b, n, 2),
)
STEPS = st.lists(
    st.tuples(
        st.integers(0, len(CALLS) - 1), st.sampled_from(FDS), st.sampled_from(FDS), st.integers(0, 300)
    ),
    max_size=70,
)


def check_descriptors(host):
    """The bitmap says what the array holds, and a file is referenced by descriptors and messages only."""
    fdt = host.init.files.fdt
    held = Counter()
    for fd in range(fdt.max_fds):
        assert bool(fdt.open_fds[fd >> 6] >> (fd & 63) & 1) == (fdt.fd[fd] is not None)
        if fdt.fd[fd] is not None:
            held[fdt.fd[fd]] += 1
    for f, count in held.items():
        assert f.f_count >= count
        if not host.kernel.unix_tot_inflight and not host.kernel.unix_nr_socks and fdt.fd.index(f) > 2:
            assert f.f_count == count


def check_sleepers(host):
    """A task that is in a call and not about to run sleeps for something."""
    for task in host.kernel.tasklist:
        if task._stack is not None and task not in host.kernel.runqueue:
            assert task.state != TASK_RUNNING


def in_use(host):
    caches = host.kernel.slab_caches
    return {cache.name: cache._inuse for cache in caches if cache._inuse}


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(STEPS)
@example([(0, 3, 3, 264), (14, 3, 3, 0)])  # a datagram to nobody: its neighbour is remembered
def test_nothing_is_left_when_all_is_closed(host_type, steps):
    host = host_type()
    host.machine.syscall(host.init, 218, (0,))
    warm = host("pipe2", host.room(8), 0)
    assert warm == 0
    host("sendfile", 4, 3, 0, 1)
    for fd in (3, 4):
        host("close", fd)
    before = in_use(host)
    for number, a, b, n in steps:
        host(*CALLS[number](host, a, b, n))
        host.machine.run()
        check_descriptors(host)
        check_sleepers(host)
    for fd in range(3, host.init.files.fdt.max_fds):
        host("close", fd)
    host("unlink", b"/tmp/s\0")
    host.machine.run_for(15 * MINUTES)
    after = in_use(host)
    left = {name: after.get(name, 0) - before.get(name, 0) for name in before.keys() | after.keys()}
    assert left.pop("kmalloc-512", 0) == host.kernel.arp_tbl.entries, "neighbours stay while there are few"
    cached = {"dentry", "inet_peer_cache", "kmalloc-192", "tcp_bind_bucket", "ip_dst_cache"}
    assert {name: count for name, count in left.items() if count and name not in cached} == {}
    assert host.kernel.unix_nr_socks == 0


def test_dead_objects_are_in_no_cycle(host):
    def work():
        a, b = host.pair("socketpair", AF_UNIX, SOCK_STREAM, 0, ...)
        r, w = host.pipe()
        ep = host("epoll_create1", 0)
        host("epoll_ctl", ep, ADD, r, struct.pack("<IQ", EPOLLIN, 1))
        host("sendmsg", a, rights(host, w), 0)
        host("recvmsg", b, empty(host), 0)
        host.write(w, b"x")
        for fd in range(3, 20):
            host("close", fd)
        host.machine.run()

    work()
    gc.collect()
    gc.disable()
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        work()
        gc.collect()
        ours = [type(o).__name__ for o in gc.garbage if type(o).__module__.startswith("kshell.linux")]
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()
    assert ours == []
