"""mmap(), munmap(), mprotect() through the system call door."""

from kshell.abi.errno import EACCES, EBADF, EFAULT, EINVAL, ENODEV, ENOMEM
from kshell.abi.fcntl import AT_FDCWD, O_CREAT, O_RDWR, O_WRONLY
from kshell.abi.mman import MAP_ANONYMOUS, MAP_FIXED, MAP_PRIVATE, MAP_SHARED, PROT_READ, PROT_WRITE
from kshell.abi.socket import AF_UNIX, SOCK_STREAM

PAGE = 4096
RW = PROT_READ | PROT_WRITE
ANON = MAP_PRIVATE | MAP_ANONYMOUS
NOFD = (1 << 64) - 1


def test_anonymous_memory_is_zero_and_ends_where_it_ends(host):
    at = host("mmap", 0, 2 * PAGE - 5, RW, ANON, NOFD, 0)
    assert host.get(at, 2 * PAGE) == bytes(2 * PAGE)
    assert host("munmap", at + PAGE, PAGE) == 0
    host.init.mm.write(at + PAGE - 1, b"x")
    assert host.init.mm.find_vma(at + PAGE) is None


def test_mappings_do_not_overlap_unless_fixed(host):
    first = host("mmap", 0, PAGE, RW, ANON, NOFD, 0)
    second = host("mmap", first, PAGE, RW, ANON, NOFD, 0)
    assert second == first - PAGE
    host.init.mm.write(first, b"old")
    assert host("mmap", first, PAGE, RW, ANON | MAP_FIXED, NOFD, 0) == first
    assert host.get(first, 3) == bytes(3)


def test_a_file_is_seen_in_memory(host):
    fd = host("openat", AT_FDCWD, b"/tmp/f\0", O_CREAT | O_RDWR, 0o600)
    host.write(fd, b"a" * PAGE + b"bcd")
    at = host("mmap", 0, 10, PROT_READ, MAP_PRIVATE, fd, PAGE)
    assert host.get(at, 4) == b"bcd\0"


def test_what_cannot_be_mapped(host):
    write_only = host("openat", AT_FDCWD, b"/tmp/w\0", O_CREAT | O_WRONLY, 0o600)
    assert host("mmap", 0, PAGE, RW, MAP_SHARED, write_only, 0) == -EACCES
    assert host("mmap", 0, PAGE, RW, MAP_SHARED, 99, 0) == -EBADF
    assert host("mmap", 0, PAGE, PROT_READ, MAP_SHARED, host("socket", AF_UNIX, SOCK_STREAM, 0), 0) == -ENODEV
    assert host("mmap", 0, PAGE, PROT_READ, MAP_SHARED, host.pipe()[0], 0) == -ENODEV
    assert host("mmap", 0, 0, RW, ANON, NOFD, 0) == -EINVAL
    assert host("mmap", 0, PAGE, RW, ANON, NOFD, 1) == -EINVAL
    assert host("mmap", 0, 1 << 60, RW, ANON, NOFD, 0) == -ENOMEM


def test_read_only_memory_is_not_written(host):
    at = host("mmap", 0, PAGE, RW, ANON, NOFD, 0)
    assert host("mprotect", at, PAGE, PROT_READ) == 0
    r, w = host.pipe()
    host.write(w, b"x")
    assert host("read", r, at, 1) == -EFAULT
    assert host("mprotect", at - 100 * PAGE, PAGE, PROT_READ) == -ENOMEM
