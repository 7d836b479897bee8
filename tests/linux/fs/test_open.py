"""open(), close() and descriptors."""

import struct

import pytest

from kshell.abi.errno import (
    EACCES,
    EBADF,
    EEXIST,
    EINVAL,
    EISDIR,
    ELOOP,
    EMFILE,
    ENAMETOOLONG,
    ENFILE,
    ENOENT,
    ENOTDIR,
    ENXIO,
    EROFS,
)
from kshell.abi.fcntl import (
    AT_FDCWD,
    F_DUPFD,
    F_DUPFD_CLOEXEC,
    F_GETFD,
    F_GETFL,
    F_SETFL,
    O_APPEND,
    O_CLOEXEC,
    O_CREAT,
    O_DIRECTORY,
    O_EXCL,
    O_LARGEFILE,
    O_NOFOLLOW,
    O_NONBLOCK,
    O_PATH,
    O_RDONLY,
    O_RDWR,
    O_TMPFILE,
    O_TRUNC,
    O_WRONLY,
)
from kshell.abi.resource import RLIMIT_NOFILE
from kshell.abi.stat import S_IFIFO, S_IFSOCK


def opened(host, name, flags=O_RDONLY, mode=0o644):
    return host("open", name.encode() + b"\0", flags, mode)


@pytest.fixture
def tree(host):
    """/tmp/f, /tmp/d, links to both and to nothing."""
    host("close", opened(host, "/tmp/f", O_CREAT | O_RDWR))
    host("mkdir", b"/tmp/d\0", 0o755)
    for text, name in ((b"f", b"lf"), (b"/tmp/d", b"ld"), (b"gone", b"dangling"), (b"loop", b"loop")):
        host("symlink", text + b"\0", b"/tmp/" + name + b"\0")
    host("mknod", b"/tmp/sock\0", S_IFSOCK | 0o644, 0)
    host("mknod", b"/tmp/fifo\0", S_IFIFO | 0o644, 0)
    return host


@pytest.mark.parametrize(
    ("name", "flags", "error"),
    [
        ("/tmp/none", O_RDONLY, ENOENT),
        ("", O_RDONLY, ENOENT),
        ("/none/f", O_CREAT, ENOENT),
        ("/tmp/f/x", O_RDONLY, ENOTDIR),
        ("/tmp/f/", O_RDONLY, ENOTDIR),
        ("/tmp/f", O_DIRECTORY, ENOTDIR),
        ("/tmp/f", O_CREAT | O_EXCL, EEXIST),
        ("/tmp/lf", O_CREAT | O_EXCL, EEXIST),
        ("/tmp/dangling", O_RDONLY, ENOENT),
        ("/tmp/lf", O_NOFOLLOW, ELOOP),
        ("/tmp/loop", O_RDONLY, ELOOP),
        ("/tmp/d", O_WRONLY, EISDIR),
        ("/tmp/d", O_RDWR, EISDIR),
        ("/tmp/d", O_CREAT | O_RDWR, EISDIR),
        ("/tmp/new/", O_CREAT | O_RDWR, EISDIR),
        ("/tmp/d", O_CREAT | O_DIRECTORY, EINVAL),
        ("/tmp/d", O_TMPFILE, EINVAL),
        ("/tmp/sock", O_RDONLY, ENXIO),
        ("/tmp/fifo", O_WRONLY | O_NONBLOCK, ENXIO),
        ("/tmp/" + "n" * 256, O_CREAT, ENAMETOOLONG),
        ("/" + "n/" * 2100, O_RDONLY, ENAMETOOLONG),
    ],
)
def test_open_fails_as_linux_says(tree, name, flags, error):
    assert opened(tree, name, flags) == -error


@pytest.mark.parametrize("name", ["/tmp/f", "/tmp/lf", "//tmp///./f", "/tmp/d/../f", "/tmp/ld/../f", "/../tmp/f"])
def test_many_names_of_one_file(tree, name):
    assert opened(tree, name) == 3


def test_the_lowest_descriptor_is_taken(host):
    assert [opened(host, "/dev/null") for _ in range(3)] == [3, 4, 5]
    host("close", 4)
    assert opened(host, "/dev/null") == 4
    assert opened(host, "/dev/null") == 6


def test_descriptors_beyond_a_word_and_a_table(host):
    assert [opened(host, "/dev/null") for _ in range(300)] == list(range(3, 303))
    for fd in (70, 200, 64):
        host("close", fd)
    assert [opened(host, "/dev/null") for _ in range(4)] == [64, 70, 200, 303]


def test_emfile_at_the_limit(host):
    host("setrlimit", RLIMIT_NOFILE, struct.pack("<QQ", 5, 5))
    assert [opened(host, "/dev/null") for _ in range(3)] == [3, 4, -EMFILE]
    assert host("dup", 0) == -EMFILE
    assert host("fcntl", 0, F_DUPFD, 5) == -EINVAL
    assert host("dup2", 0, 5) == -EBADF


def test_enfile_when_the_system_is_full(host):
    host.kernel.files_stat.max_files = host.kernel.files_stat.nr_files
    host.init.cred.cap_effective = 0
    assert opened(host, "/dev/null") == -ENFILE
    assert host.kernel.log_buf[-1][2].startswith("VFS: file-max limit")


def test_flags_are_kept_and_changed(host):
    fd = opened(host, "/tmp/f", O_CREAT | O_EXCL | O_TRUNC | O_RDWR | O_CLOEXEC)
    assert host("fcntl", fd, F_GETFL, 0) == O_RDWR | O_LARGEFILE
    assert host("fcntl", fd, F_GETFD, 0) == 1
    host("fcntl", fd, F_SETFL, O_APPEND | O_NONBLOCK | O_CREAT)
    assert host("fcntl", fd, F_GETFL, 0) == O_RDWR | O_LARGEFILE | O_APPEND | O_NONBLOCK


def test_dup_shares_the_position_and_not_cloexec(host):
    fd = opened(host, "/tmp/f", O_CREAT | O_RDWR | O_CLOEXEC)
    other = host("dup", fd)
    host("write", fd, b"abcdef", 6)
    assert host("lseek", other, 0, 1) == 6
    assert host("fcntl", other, F_GETFD, 0) == 0
    assert host("fcntl", fd, F_DUPFD_CLOEXEC, 20) == 20
    assert host("fcntl", 20, F_GETFD, 0) == 1
    assert host("dup3", fd, 21, O_CLOEXEC) == 21
    assert host("fcntl", 21, F_GETFD, 0) == 1
    assert host("dup3", fd, fd, 0) == -EINVAL
    assert host("dup2", fd, fd) == fd


@pytest.mark.parametrize("call", [("close", 99), ("dup", 99), ("dup2", 99, 5), ("lseek", 99, 0, 0), ("fcntl", 99, 1)])
def test_ebadf(host, call):
    assert host(*call) == -EBADF


def test_close_range(host):
    for _ in range(6):
        opened(host, "/dev/null")
    assert host("close_range", 4, 6, 0) == 0
    assert [host("fcntl", fd, F_GETFD, 0) for fd in range(3, 9)] == [0, -EBADF, -EBADF, -EBADF, 0, 0]
    assert host("close_range", 7, 0xFFFFFFFF, 4) == 0
    assert host("fcntl", 8, F_GETFD, 0) == 1
    assert host("close_range", 5, 4, 0) == -EINVAL


def test_o_path_only_names_the_file(tree):
    fd = opened(tree, "/tmp/f", O_PATH)
    assert tree("read", fd, tree.room(4), 4) == -EBADF
    assert tree("fcntl", fd, F_SETFL, 0) == -EBADF
    assert tree("fcntl", fd, F_GETFL, 0) == O_PATH
    assert tree("fstat", fd, tree.room(144)) == 0
    assert opened(tree, "/tmp/lf", O_PATH | O_NOFOLLOW) == 4


def test_tmpfile_has_no_name_until_it_is_linked(host):
    fd = opened(host, "/tmp", O_TMPFILE | O_RDWR)
    host("write", fd, b"hidden", 6)
    assert host("linkat", fd, b"\0", AT_FDCWD, b"/tmp/seen\0", 0x1000) == 0
    assert opened(host, "/tmp/seen") == 4


def test_a_removed_file_lives_until_it_is_closed(host):
    fd = opened(host, "/tmp/f", O_CREAT | O_RDWR)
    caches = host.kernel.shmem_inode_cachep
    before = caches._inuse
    host("unlink", b"/tmp/f\0")
    host("write", fd, b"still here", 10)
    assert host("lseek", fd, 0, 2) == 10
    assert caches._inuse == before
    host("close", fd)
    host.machine.run()
    assert caches._inuse == before - 1


def test_everything_is_given_back_on_close(host):
    host("close", opened(host, "/tmp/f", O_CREAT | O_RDWR))
    caches = [c for c in host.kernel.slab_caches if c.name in ("filp", "dentry", "shmem_inode_cache", "names_cache")]
    before = [c._inuse for c in caches]
    for _ in range(50):
        host("close", opened(host, "/tmp/f", O_RDWR))
        opened(host, "/tmp/none")
        opened(host, "/tmp/f/x")
    host.machine.run()
    assert [c._inuse for c in caches] == before
    assert host.kernel.files_stat.nr_files == next(c for c in caches if c.name == "filp")._inuse


def test_permissions_are_checked(host):
    host("close", opened(host, "/tmp/mine", O_CREAT | O_RDWR, 0o600))
    host("mkdir", b"/tmp/closed\0", 0o700)
    child = host.fork()
    host("setuid", 1000, task=child)
    for name, flags, error in (
        ("/tmp/mine", O_RDONLY, EACCES),
        ("/tmp/closed/x", O_RDONLY, EACCES),
        ("/etc/new", O_CREAT, EACCES),
    ):
        assert host("open", name.encode() + b"\0", flags, 0o644, task=child) == -error
    assert host("open", b"/tmp/theirs\0", O_CREAT | O_WRONLY, 0o644, task=child) >= 0
    assert host("unlink", b"/tmp/mine\0", task=child) == -1


def test_a_read_only_mount(host):
    host("mkdir", b"/tmp/ro\0", 0o755)
    assert host("mount", b"none\0", b"/tmp/ro\0", b"tmpfs\0", 1, 0) == 0
    assert opened(host, "/tmp/ro/f", O_CREAT | O_RDWR) == -EROFS
    assert host("mkdir", b"/tmp/ro/d\0", 0o755) == -EROFS
