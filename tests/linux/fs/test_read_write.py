"""Contents of files: reading, writing, positions, sizes."""

import struct

import pytest

from kshell.abi.errno import EBADF, EFAULT, EFBIG, EINVAL, ENOSPC, ENXIO, EOPNOTSUPP, ESPIPE
from kshell.abi.fcntl import O_APPEND, O_CREAT, O_RDONLY, O_RDWR, O_WRONLY, SEEK_CUR, SEEK_DATA, SEEK_END, SEEK_HOLE
from kshell.abi.resource import RLIMIT_FSIZE

TIB = 1 << 40


@pytest.fixture
def fd(host):
    return host("open", b"/tmp/f\0", O_CREAT | O_RDWR, 0o644)


def test_write_then_read(host, fd):
    assert host.write(fd, b"hello world") == 11
    assert host.read(fd, 5) == b""
    host("lseek", fd, 0, 0)
    assert host.read(fd, 5) == b"hello"
    assert host.read(fd, 50) == b" world"


def test_pread_and_pwrite_leave_the_position(host, fd):
    host.write(fd, b"0123456789")
    room = host.put(b"xy")
    assert host("pwrite64", fd, room, 2, 3) == 2
    assert host("pread64", fd, room, 4, 2) == 4
    assert host.get(room, 4) == b"2xy5"
    assert host("lseek", fd, 0, SEEK_CUR) == 10
    assert host("pread64", fd, room, 4, -1) == -EINVAL


def test_vectors(host, fd):
    parts = [b"one", b"", b"three"]
    iov = host.put(b"".join(struct.pack("<QQ", host.put(p or b"."), len(p)) for p in parts))
    assert host("writev", fd, iov, 3) == 8
    assert host("pwritev", fd, iov, 3, 100, 0) == 8
    assert host("lseek", fd, 0, SEEK_END) == 108
    host("lseek", fd, 0, 0)
    assert host("readv", fd, iov, 3) == 8
    assert host("readv", fd, iov, 1025) == -EINVAL
    assert host("writev", fd, iov, 0) == 0


def test_append_goes_to_the_end(host, fd):
    host.write(fd, b"first")
    other = host("open", b"/tmp/f\0", O_WRONLY | O_APPEND, 0)
    host("lseek", other, 0, 0)
    assert host.write(other, b"second") == 6
    assert host("lseek", other, 0, SEEK_CUR) == 11


def test_holes_cost_nothing(host, fd):
    host.write(fd, b"start")
    assert host("lseek", fd, TIB, 0) == TIB
    assert host.write(fd, b"end") == 3
    assert host("lseek", fd, 0, SEEK_END) == TIB + 3
    assert host("lseek", fd, 0, SEEK_HOLE) == 4096
    assert host("lseek", fd, 4096, SEEK_DATA) == TIB
    assert host("lseek", fd, TIB + 3, SEEK_DATA) == -ENXIO
    host("lseek", fd, TIB - 4, 0)
    assert host.read(fd, 10) == b"\0\0\0\0end"
    room = host.room(144)
    host("fstat", fd, room)
    assert struct.unpack_from("<q", host.get(room, 72), 64)[0] == 16  # blocks of 512: two pages


def test_truncate_clears_what_it_cuts(host, fd):
    host.write(fd, b"x" * 6000)
    assert host("ftruncate", fd, 5) == 0
    assert host("ftruncate", fd, 6000) == 0
    host("lseek", fd, 0, 0)
    assert host.read(fd, 10) == b"xxxxx\0\0\0\0\0"
    assert host("ftruncate", fd, -1) == -EINVAL
    reader = host("open", b"/tmp/f\0", O_RDONLY, 0)
    assert host("ftruncate", reader, 0) == -EINVAL


def test_bad_memory(host, fd):
    assert host("write", fd, 1, 5) == -EFAULT
    assert host("write", fd, 1, 0) == 0
    host.write(fd, b"abc")
    host("lseek", fd, 0, 0)
    assert host("read", fd, 1, 5) == -EFAULT
    assert host("read", fd, 0xFFFF_FFFF_FFFF_0000, 5) == -EFAULT
    assert host("write", fd, 0x20000000, 1 << 62) == -EFAULT
    end_of_memory = 0x20000000 + (1 << 20) - 3
    host("lseek", fd, 0, 0)
    assert host("write", fd, end_of_memory, 10) == 3


def test_what_a_descriptor_may_do(host):
    reader = host("open", b"/tmp/r\0", O_CREAT | O_RDONLY, 0o644)
    writer = host("open", b"/tmp/r\0", O_WRONLY, 0)
    assert host("write", reader, host.put(b"x"), 1) == -EBADF
    assert host("read", writer, host.room(1), 1) == -EBADF
    r, _ = host.pipe()
    assert host("lseek", r, 0, 0) == -ESPIPE
    assert host("pread64", r, host.room(1), 1, 0) == -ESPIPE
    assert host("lseek", reader, 0, 9) == -EINVAL
    assert host("lseek", reader, -1, 0) == -EINVAL


def test_limits(host, fd):
    host("setrlimit", RLIMIT_FSIZE, struct.pack("<QQ", 10, 10))
    assert host.write(fd, b"x" * 20) == 10
    host("rt_sigaction", 25, struct.pack("<QQQQ", 1, 0, 0, 0), 0, 8)
    assert host.write(fd, b"x") == -EFBIG


def test_a_full_file_system(host):
    host("mkdir", b"/tmp/m\0", 0o755)
    assert host("mount", b"t\0", b"/tmp/m\0", b"tmpfs\0", 0, b"size=16k,nr_inodes=3\0") == 0
    fd = host("open", b"/tmp/m/f\0", O_CREAT | O_RDWR, 0o644)
    assert host("write", fd, 0x20000000, 20000) == 16384
    assert host("write", fd, 0x20000000, 1) == -ENOSPC
    assert host("fallocate", fd, 3, 0, 8192) == 0
    assert host("write", fd, 0x20000000, 9000) == 8192
    assert host("open", b"/tmp/m/g\0", O_CREAT, 0o644) >= 0
    assert host("open", b"/tmp/m/h\0", O_CREAT, 0o644) == -ENOSPC
    assert host("fallocate", fd, 0x100, 0, 1) == -EOPNOTSUPP


@pytest.mark.parametrize(
    ("name", "written", "read"),
    [("null", 3, b""), ("zero", 3, b"\0\0\0"), ("full", -ENOSPC, b"\0\0\0")],
)
def test_memory_devices(host, name, written, read):
    fd = host("open", b"/dev/" + name.encode() + b"\0", O_RDWR, 0)
    assert host.write(fd, b"abc") == written
    assert host.read(fd, 3) == read


def test_random_bytes_come_from_the_seed(host):
    a, b = host.room(16), host.room(16)
    assert host("getrandom", a, 16, 0) == 16
    fd = host("open", b"/dev/urandom\0", O_RDONLY, 0)
    assert host("read", fd, b, 16) == 16
    assert host.get(a, 16) != host.get(b, 16)
    assert host("getrandom", a, 16, 8) == -EINVAL
