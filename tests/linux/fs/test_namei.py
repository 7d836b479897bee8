"""Making, removing and moving names."""

import struct

import pytest

from kshell.abi.errno import (
    EBUSY,
    EEXIST,
    EINVAL,
    EISDIR,
    ELOOP,
    ENOENT,
    ENOTDIR,
    ENOTEMPTY,
    EPERM,
    EXDEV,
)
from kshell.abi.fcntl import AT_FDCWD, O_CREAT, O_RDWR, RENAME_EXCHANGE, RENAME_NOREPLACE
from kshell.abi.stat import S_IFDIR, S_IFIFO


@pytest.fixture
def tmp(host):
    """In /tmp: file a, directories d and full (with full/x), link l to a."""
    host("chdir", b"/tmp\0")
    for name in (b"a", b"d/", b"full/", b"full/x"):
        if name.endswith(b"/"):
            host("mkdir", name + b"\0", 0o755)
        else:
            host("close", host("open", name + b"\0", O_CREAT | O_RDWR, 0o644))
    host("symlink", b"a\0", b"l\0")
    return host


def on(host, name, *paths):
    return host(name, *[p.encode() + b"\0" if isinstance(p, str) else p for p in paths])


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (("mkdir", "a", 0o755), EEXIST),
        (("mkdir", "l", 0o755), EEXIST),
        (("mkdir", "none/x", 0o755), ENOENT),
        (("mkdir", "a/x", 0o755), ENOTDIR),
        (("mkdir", "/", 0o755), EEXIST),
        (("mkdir", ".", 0o755), EEXIST),
        (("rmdir", "a"), ENOTDIR),
        (("rmdir", "l"), ENOTDIR),
        (("rmdir", "full"), ENOTEMPTY),
        (("rmdir", "d/."), EINVAL),
        (("rmdir", "d/.."), ENOTEMPTY),
        (("rmdir", "/"), EBUSY),
        (("rmdir", "/tmp"), EBUSY),
        (("rmdir", "none"), ENOENT),
        (("unlink", "d"), EISDIR),
        (("unlink", "a/"), ENOTDIR),
        (("unlink", "d/"), EISDIR),
        (("unlink", "none"), ENOENT),
        (("unlink", "none/"), ENOENT),
        (("unlink", "."), EISDIR),
        (("symlink", "x", "a"), EEXIST),
        (("symlink", "", "new"), ENOENT),
        (("link", "d", "new"), EPERM),
        (("link", "a", "l"), EEXIST),
        (("link", "none", "new"), ENOENT),
        (("link", "a", "/new"), EXDEV),
        (("link", "a", "new/"), ENOENT),
        (("mknod", "new", S_IFDIR | 0o755, 0), EPERM),
        (("mknod", "a", S_IFIFO | 0o644, 0), EEXIST),
        (("rename", "none", "new"), ENOENT),
        (("rename", "a", "d"), EISDIR),
        (("rename", "d", "a"), ENOTDIR),
        (("rename", "d", "full"), ENOTEMPTY),
        (("rename", "d", "d/new"), EINVAL),
        (("rename", "full/x", "full"), ENOTEMPTY),
        (("rename", ".", "new"), EBUSY),
        (("rename", "a", ".."), EBUSY),
        (("rename", "a", "/new"), EXDEV),
        (("rename", "a/", "new"), ENOTDIR),
        (("rename", "a", "new/"), ENOTDIR),
        (("renameat2", AT_FDCWD, "a", AT_FDCWD, "l", RENAME_NOREPLACE), EEXIST),
        (("renameat2", AT_FDCWD, "a", AT_FDCWD, "none", RENAME_EXCHANGE), ENOENT),
        (("renameat2", AT_FDCWD, "a", AT_FDCWD, "l", 3), EINVAL),
        (("chdir", "a"), ENOTDIR),
        (("unlinkat", AT_FDCWD, "a", 1), EINVAL),
    ],
)
def test_refusals(tmp, call, error):
    assert on(tmp, *call) == -error


@pytest.mark.parametrize(
    ("call", "gone", "there"),
    [
        (("rename", "a", "b"), "a", "b"),
        (("rename", "a", "full/x"), "a", "full/x"),
        (("rename", "d", "full/d"), "d", "full/d"),
        (("rename", "d/", "e/"), "d", "e"),
        (("rename", "l", "m"), "l", "m"),
        (("unlink", "l"), "l", "a"),
        (("unlinkat", AT_FDCWD, "d", 0x200), "d", "a"),
        (("link", "a", "b"), "none", "b"),
        (("rename", "a", "a"), "none", "a"),
    ],
)
def test_what_moves(tmp, call, gone, there):
    assert on(tmp, *call) == 0
    room = tmp.room(144)
    assert on(tmp, "lstat", gone, room) == -ENOENT
    assert on(tmp, "lstat", there, room) == 0


def test_exchange_swaps_a_file_and_a_directory(tmp):
    assert on(tmp, "renameat2", AT_FDCWD, "a", AT_FDCWD, "full", RENAME_EXCHANGE) == 0
    assert on(tmp, "unlink", "full") == 0
    assert on(tmp, "unlink", "a/x") == 0


def test_getcwd_follows_renames_and_removal(tmp):
    on(tmp, "chdir", "full")
    on(tmp, "rename", "/tmp/full", "/tmp/d/deep")
    room = tmp.room(100)
    assert tmp("getcwd", room, 100) == 12
    assert tmp.get(room, 12) == b"/tmp/d/deep\0"
    on(tmp, "unlink", "x")
    assert on(tmp, "rmdir", "/tmp/d/deep") == 0
    assert tmp("getcwd", room, 100) == -ENOENT
    assert on(tmp, "open", "new", O_CREAT | O_RDWR, 0o644) == -ENOENT


def test_forty_links_and_no_more(tmp):
    on(tmp, "symlink", "a", "s0")
    for n in range(1, 42):
        on(tmp, "symlink", f"s{n - 1}", f"s{n}")
    room = tmp.room(144)
    assert on(tmp, "stat", "s39", room) == 0
    assert on(tmp, "stat", "s40", room) == -ELOOP


def test_the_sticky_directory_protects(tmp):
    child = tmp.fork()
    tmp("setuid", 1000, task=child)
    assert tmp("unlink", b"/tmp/a\0", task=child) == -EPERM
    assert tmp("rename", b"/tmp/a\0", b"/tmp/b\0", task=child) == -EPERM


def test_listing_shows_the_newest_first(tmp):
    fd = on(tmp, "open", "/tmp", 0o200000, 0)
    room = tmp.room(1000)
    size = tmp("getdents64", fd, room, 1000)
    data, names = tmp.get(room, size), []
    while data:
        length = struct.unpack_from("<H", data, 16)[0]
        names.append(data[19:length].split(b"\0")[0].decode())
        data = data[length:]
    assert names == [".", "..", "l", "full", "d", "a"]
    assert tmp("getdents64", fd, room, 1000) == 0
    tmp("lseek", fd, 0, 0)
    assert tmp("getdents64", fd, room, 20) == -EINVAL
    assert tmp("getdents64", fd, room, 50) == 48
