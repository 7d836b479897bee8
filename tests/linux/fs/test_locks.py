"""Locks, owners and ioctl() of files."""

import struct

import pytest

from kshell.abi.errno import EAGAIN, EBADF, EDEADLK, EFAULT, EINVAL, ENOTTY, ESRCH
from kshell.abi.fcntl import (
    F_ADD_SEALS,
    F_GET_SEALS,
    F_GETFD,
    F_GETFL,
    F_GETLK,
    F_GETOWN,
    F_GETSIG,
    F_OFD_SETLK,
    F_RDLCK,
    F_SETLK,
    F_SETLKW,
    F_SETOWN,
    F_SETSIG,
    F_UNLCK,
    F_WRLCK,
    LOCK_EX,
    LOCK_NB,
    LOCK_SH,
    LOCK_UN,
    O_CREAT,
    O_NONBLOCK,
    O_RDONLY,
    O_RDWR,
)
from kshell.abi.ioctl import FIOASYNC, FIOCLEX, FIONBIO, FIONCLEX, FIONREAD, TCGETS


@pytest.fixture
def fd(host):
    return host("open", b"/tmp/f\0", O_CREAT | O_RDWR, 0o644)


def flock(kind, start=0, length=0):
    return struct.pack("<hh4xqqi4x", kind, 0, start, length, 0)


def test_record_locks_of_processes(host, fd):
    child = host.fork()
    assert host("fcntl", fd, F_SETLK, flock(F_WRLCK, 10, 10)) == 0
    assert host("fcntl", fd, F_SETLK, flock(F_RDLCK, 0, 5), task=child) == 0
    assert host("fcntl", fd, F_SETLK, flock(F_RDLCK, 15, 1), task=child) == -EAGAIN
    where = host.put(flock(F_RDLCK, 0, 0), child)
    assert host("fcntl", fd, F_GETLK, where, task=child) == 0
    kind, _, start, length, pid = struct.unpack("<hh4xqqi4x", host.get(where, 32, child))
    assert (kind, start, length, pid) == (F_WRLCK, 10, 10, 1)
    assert host("fcntl", fd, F_SETLK, flock(F_UNLCK, 12, 2)) == 0
    assert host("fcntl", fd, F_SETLK, flock(F_WRLCK, 12, 2), task=child) == 0


def test_a_waiter_gets_the_lock_when_the_holder_closes(host, fd):
    child = host.fork()
    host("fcntl", fd, F_SETLK, flock(F_WRLCK))
    call = host("fcntl", fd, F_SETLKW, flock(F_WRLCK), task=child)
    assert not call.done
    host("close", fd)
    host.machine.run()
    assert call.result == 0


def test_deadlock_is_seen(host, fd):
    child = host.fork()
    host("fcntl", fd, F_SETLK, flock(F_WRLCK, 0, 1))
    host("fcntl", fd, F_SETLK, flock(F_WRLCK, 1, 1), task=child)
    assert not host("fcntl", fd, F_SETLKW, flock(F_WRLCK, 0, 1), task=child).done
    assert host("fcntl", fd, F_SETLKW, flock(F_WRLCK, 1, 1)) == -EDEADLK


def test_locks_of_open_files(host, fd):
    other = host("open", b"/tmp/f\0", O_RDWR, 0)
    assert host("fcntl", fd, F_OFD_SETLK, flock(F_WRLCK)) == 0
    assert host("fcntl", other, F_OFD_SETLK, flock(F_RDLCK)) == -EAGAIN
    host("close", fd)
    assert host("fcntl", other, F_OFD_SETLK, flock(F_RDLCK)) == 0


@pytest.mark.parametrize(
    ("arg", "error"),
    [(flock(7), EINVAL), (struct.pack("<hh4xqqi4x", 0, 5, 0, 0, 0), EINVAL), (flock(0, -5), EINVAL), (0x1, EFAULT)],
)
def test_bad_lock_requests(host, fd, arg, error):
    assert host("fcntl", fd, F_SETLK, arg) == -error


def test_a_lock_needs_the_access(host):
    reader = host("open", b"/tmp/g\0", O_CREAT | O_RDONLY, 0o644)
    assert host("fcntl", reader, F_SETLK, flock(F_WRLCK)) == -EBADF
    assert host("fcntl", reader, F_SETLK, flock(F_RDLCK)) == 0


def test_flock_is_of_the_open_file(host, fd):
    other = host("open", b"/tmp/f\0", O_RDWR, 0)
    assert host("flock", fd, LOCK_SH) == 0
    assert host("flock", other, LOCK_SH) == 0
    assert host("flock", other, LOCK_EX | LOCK_NB) == -EAGAIN
    assert host("flock", fd, LOCK_UN) == 0
    assert host("flock", other, LOCK_EX | LOCK_NB) == 0
    assert host("flock", fd, 77) == -EINVAL
    child = host.fork()
    call = host("flock", fd, LOCK_EX, task=child)
    assert host("close", other) == 0
    host.machine.run()
    assert not call.done  # the child still has it open
    assert host("flock", fd, LOCK_SH | LOCK_NB) == -EAGAIN


def test_owner_and_signal(host, fd):
    assert host("fcntl", fd, F_SETOWN, 1) == 0
    assert host("fcntl", fd, F_GETOWN, 0) == 1
    assert host("fcntl", fd, F_SETOWN, 0) == 0
    assert host("fcntl", fd, F_GETOWN, 0) == 0
    assert host("fcntl", fd, F_SETOWN, 4242) == -ESRCH
    assert host("fcntl", fd, F_SETSIG, 12) == 0
    assert host("fcntl", fd, F_GETSIG, 0) == 12
    assert host("fcntl", fd, F_SETSIG, 65) == -EINVAL
    assert host("fcntl", fd, 999, 0) == -EINVAL


def test_seals(host, fd):
    assert host("fcntl", fd, F_GET_SEALS, 0) == 1
    memory = host("memfd_create", b"name\0", 2)
    assert host("fcntl", memory, F_GET_SEALS, 0) == 0
    assert host("fcntl", memory, F_ADD_SEALS, 8) == 0
    assert host.write(memory, b"x") == -1
    pipe, _ = host.pipe()
    assert host("fcntl", pipe, F_GET_SEALS, 0) == -EINVAL


def test_ioctls_that_every_file_has(host, fd):
    host.write(fd, b"12345")
    host("lseek", fd, 1, 0)
    room = host.room(4)
    assert host("ioctl", fd, FIONREAD, room) == 0
    assert host.word(room) == 4
    assert host("ioctl", fd, FIOCLEX, 0) == 0
    assert host("fcntl", fd, F_GETFD, 0) == 1
    assert host("ioctl", fd, FIONCLEX, 0) == 0
    assert host("fcntl", fd, F_GETFD, 0) == 0
    assert host("ioctl", fd, FIONBIO, struct.pack("<i", 1)) == 0
    assert host("fcntl", fd, F_GETFL, 0) & O_NONBLOCK
    assert host("ioctl", fd, FIONBIO, 1) == -EFAULT
    assert host("ioctl", fd, FIOASYNC, struct.pack("<i", 1)) == -ENOTTY
    assert host("ioctl", fd, TCGETS, room) == -ENOTTY
    assert host("ioctl", 99, TCGETS, room) == -EBADF
