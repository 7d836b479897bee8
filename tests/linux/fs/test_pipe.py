"""Pipes and fifos through the system call door."""

import pytest

from kshell.abi.errno import EAGAIN, EBADF, EBUSY, EFAULT, EINVAL, ENXIO, EPIPE
from kshell.abi.fcntl import (
    AT_FDCWD,
    F_GETPIPE_SZ,
    F_SETPIPE_SZ,
    O_CREAT,
    O_DIRECT,
    O_NONBLOCK,
    O_RDONLY,
    O_RDWR,
    O_WRONLY,
)
from kshell.abi.ioctl import FIONREAD
from kshell.abi.poll import POLLERR, POLLHUP, POLLIN, POLLOUT
from kshell.abi.stat import S_IFIFO

PAGE = 4096


def test_what_is_written_is_read_in_order(host):
    r, w = host.pipe()
    assert host.write(w, b"abc") == 3
    assert host.write(w, b"de") == 2
    assert host.read(r, 4) == b"abcd"
    assert host.read(r, 4) == b"e"


def test_a_reader_sleeps_until_data_comes(host):
    r, w = host.pipe()
    child = host.fork()
    call = host.read(r, 10, child)
    assert not call.done
    assert host.write(w, b"hi") == 2
    host.machine.run()
    assert call.result == 2


def test_end_of_file_and_broken_pipe(host):
    r, w = host.pipe()
    host("close", w)
    assert host.read(r, 10) == b""
    r, w = host.pipe()
    host("close", r)
    assert host.write(w, b"x") == -EPIPE


def test_a_full_pipe_holds_sixteen_pages(host):
    r, w = host.pipe(O_NONBLOCK)
    assert host.write(w, bytes(17 * PAGE)) == 16 * PAGE
    assert host.write(w, b"x") == -EAGAIN
    assert len(host.read(r, PAGE)) == PAGE
    assert host.write(w, b"x") == 1


def test_small_writes_share_a_page(host):
    _r, w = host.pipe(O_NONBLOCK)
    for _ in range(100):
        assert host.write(w, b"x" * 10) == 10
    assert host.write(w, bytes(16 * PAGE)) == 15 * PAGE


def test_a_blocked_writer_goes_on_when_there_is_room(host):
    r, w = host.pipe()
    child = host.fork()
    address = host.room(17 * PAGE)
    call = host("write", w, address, 17 * PAGE, task=child)
    assert not call.done
    assert len(host.read(r, 2 * PAGE)) == 2 * PAGE
    host.machine.run()
    assert call.result == 17 * PAGE


def test_packets_keep_their_ends(host):
    r, w = host.pipe(O_DIRECT)
    host.write(w, b"first")
    host.write(w, b"second")
    assert host.read(r, 3) == b"fir"
    assert host.read(r, 100) == b"second"


def test_bad_memory_leaves_an_empty_buffer_behind(host):
    r, w = host.pipe(O_NONBLOCK)
    assert host("write", w, 0x1000, 5) == -EFAULT
    assert host.poll((r, POLLIN)) == (1, [POLLIN])
    assert host.read(r, 5) == -EAGAIN
    assert host("read", r, 0x1000, 5) == -EAGAIN


def test_the_size_can_be_changed(host):
    r, w = host.pipe(O_NONBLOCK)
    assert host("fcntl", r, F_GETPIPE_SZ, 0) == 16 * PAGE
    assert host("fcntl", w, F_SETPIPE_SZ, 5000) == 2 * PAGE
    assert host.write(w, bytes(3 * PAGE)) == 2 * PAGE
    assert host("fcntl", w, F_SETPIPE_SZ, PAGE) == -EBUSY
    assert host("fcntl", w, F_SETPIPE_SZ, 1 << 40) == -EINVAL


def test_fionread_counts_bytes(host):
    r, w = host.pipe()
    host.write(w, b"12345")
    where = host.room(4)
    assert host("ioctl", r, FIONREAD, where) == 0
    assert host.word(where) == 5


@pytest.mark.parametrize(
    ("closed", "asked", "revents"),
    [
        ("nothing", "w", POLLOUT),
        ("nothing", "r", 0),
        ("w", "r", POLLHUP),
        ("r", "w", POLLOUT | POLLERR),
    ],
)
def test_poll(host, closed, asked, revents):
    ends = dict(zip("rw", host.pipe(), strict=True))
    if closed in ends:
        host("close", ends[closed])
    assert host.poll((ends[asked], POLLIN | POLLOUT))[1] == [revents]


def test_bad_arguments(host):
    where = host.room(8)
    assert host("pipe2", where, 0x1) == -EINVAL
    assert host("pipe2", 0x1000, 0) == -EFAULT
    assert host("pipe2", where, 0) == 0
    assert host.word(where) == 0 or host.word(where) > 0
    assert host("write", host.word(where), where, 1) == -EBADF


def test_a_fifo_waits_for_its_other_end(host):
    assert host("mknod", b"/tmp/fifo\0", S_IFIFO | 0o644, 0) == 0
    child = host.fork()
    opening = host("openat", AT_FDCWD, b"/tmp/fifo\0", O_RDONLY, 0, task=child)
    assert not opening.done
    fd = host("openat", AT_FDCWD, b"/tmp/fifo\0", O_WRONLY, 0)
    assert fd >= 0
    host.machine.run()
    assert opening.result >= 0
    host.write(fd, b"through")
    assert host.read(opening.result, 100, child) == b"through"


def test_opening_a_fifo_without_waiting(host):
    host("mknod", b"/tmp/fifo\0", S_IFIFO | 0o644, 0)
    assert host("openat", AT_FDCWD, b"/tmp/fifo\0", O_WRONLY | O_NONBLOCK, 0) == -ENXIO
    r = host("openat", AT_FDCWD, b"/tmp/fifo\0", O_RDONLY | O_NONBLOCK, 0)
    assert host.poll((r, POLLIN))[1] == [0]  # no HUP before there was a writer
    both = host("openat", AT_FDCWD, b"/tmp/fifo\0", O_RDWR | O_CREAT, 0)
    assert host.write(both, b"x") == 1
    assert host.read(r, 1) == b"x"


def test_closing_both_ends_frees_everything(host):
    before = {c.name: c._inuse for c in host.kernel.slab_caches}
    r, w = host.pipe()
    host.write(w, b"left behind")
    host("close", r)
    host("close", w)
    after = {c.name: c._inuse for c in host.kernel.slab_caches}
    assert after == before
