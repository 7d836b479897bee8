"""Mounts, and the first files of /proc."""

import struct

import pytest

from kshell.abi.errno import EBUSY, EINVAL, ENODEV, ENOENT, EPERM
from kshell.abi.fcntl import O_CREAT, O_RDONLY, O_RDWR
from kshell.abi.stat import MNT_DETACH, MS_BIND, MS_NOSUID, MS_REMOUNT, PROC_SUPER_MAGIC, TMPFS_MAGIC


def text_of(host, name):
    fd = host("open", name.encode() + b"\0", O_RDONLY, 0)
    assert fd >= 0
    parts = []
    while chunk := host.read(fd, 1000):
        parts.append(chunk)
    host("close", fd)
    return b"".join(parts).decode()


def link_of(host, name, task=None):
    room = host.room(200)
    size = host("readlink", name.encode() + b"\0", room, 200, task=task)
    return host.get(room, size, task).decode() if size >= 0 else size


def exists(host, name):
    return host("access", name.encode() + b"\0", 0) == 0


@pytest.fixture
def mounted(host):
    host("mkdir", b"/tmp/m\0", 0o755)
    host("open", b"/tmp/m/under\0", O_CREAT, 0o644)
    host("close", 3)
    assert host("mount", b"none\0", b"/tmp/m\0", b"tmpfs\0", MS_NOSUID, b"size=1m\0") == 0
    return host


def test_a_mount_hides_what_is_below(mounted):
    assert not exists(mounted, "/tmp/m/under")
    assert exists(mounted, "/tmp/m/..")
    assert exists(mounted, "/tmp/m/../m/.")
    assert "none /tmp/m tmpfs rw,nosuid,relatime,size=1024k,inode64 0 0\n" in text_of(mounted, "/proc/mounts")
    assert mounted("umount2", b"/tmp/m\0", 0) == 0
    assert exists(mounted, "/tmp/m/under")
    assert mounted("umount2", b"/tmp/m\0", 0) == -EINVAL


def test_a_mount_in_use_is_busy(mounted):
    fd = mounted("open", b"/tmp/m/f\0", O_CREAT | O_RDWR, 0o644)
    assert mounted("umount2", b"/tmp/m\0", 0) == -EBUSY
    assert mounted("rmdir", b"/tmp/m\0") == -EBUSY
    assert mounted("umount2", b"/tmp/m\0", MNT_DETACH) == 0
    assert mounted.write(fd, b"still open") == 10
    before = len(mounted.kernel.super_blocks)
    assert mounted("close", fd) == 0
    mounted.machine.run()
    assert len(mounted.kernel.super_blocks) == before - 1


def test_unmounting_gives_everything_back(mounted):
    mounted("mkdir", b"/tmp/m/d\0", 0o755)
    mounted("close", mounted("open", b"/tmp/m/d/f\0", O_CREAT | O_RDWR, 0o644))
    mounted("symlink", b"x\0", b"/tmp/m/d/l\0")
    inodes = mounted.kernel.shmem_inode_cachep._inuse
    assert mounted("umount2", b"/tmp/m\0", 0) == 0
    mounted.machine.run()
    assert mounted.kernel.shmem_inode_cachep._inuse == inodes - 4


def test_bind_and_remount(mounted):
    mounted("mkdir", b"/tmp/b\0", 0o755)
    assert mounted("mount", b"/tmp/m\0", b"/tmp/b\0", 0, MS_BIND, 0) == 0
    mounted("close", mounted("open", b"/tmp/b/seen\0", O_CREAT | O_RDWR, 0o644))
    assert exists(mounted, "/tmp/m/seen")
    assert mounted("mount", b"\0", b"/tmp/m\0", 0, MS_REMOUNT | 1, 0) == 0
    assert mounted("open", b"/tmp/m/new\0", O_CREAT, 0o644) == -30


def test_refused_mounts(host):
    assert host("mount", b"x\0", b"/tmp\0", b"nofs\0", 0, 0) == -ENODEV
    assert host("mount", b"x\0", b"/tmp\0", b"tmpfs\0", 0, b"bad=1\0") == -EINVAL
    assert host("mount", b"x\0", b"/none\0", b"tmpfs\0", 0, 0) == -ENOENT
    child = host.fork()
    host("setuid", 1000, task=child)
    assert host("mount", b"x\0", b"/tmp\0", b"tmpfs\0", 0, 0, task=child) == -EPERM
    assert host("umount2", b"/tmp\0", 0, task=child) == -EPERM


@pytest.mark.parametrize(("name", "magic"), [("/", TMPFS_MAGIC), ("/tmp", TMPFS_MAGIC), ("/proc", PROC_SUPER_MAGIC)])
def test_statfs(host, name, magic):
    room = host.room(120)
    assert host("statfs", name.encode() + b"\0", room) == 0
    assert struct.unpack("<Q", host.get(room, 8))[0] == magic


def test_self_is_whoever_looks(host):
    child = host.fork()
    assert link_of(host, "/proc/self") == "1"
    assert link_of(host, "/proc/self", child) == str(child.pid)


def test_descriptors_as_links(host):
    fd = host("open", b"/tmp/f\0", O_CREAT | O_RDWR, 0o644)
    host.pipe()
    assert link_of(host, f"/proc/self/fd/{fd}") == "/tmp/f"
    assert link_of(host, "/proc/self/fd/0") == "/dev/console"
    assert link_of(host, f"/proc/self/fd/{fd + 1}").startswith("pipe:[")
    assert link_of(host, "/proc/self/fd/99") == -ENOENT
    host("unlink", b"/tmp/f\0")
    assert link_of(host, f"/proc/self/fd/{fd}") == "/tmp/f (deleted)"
    host.write(fd, b"reached")
    again = host("open", f"/proc/self/fd/{fd}\0".encode(), O_RDONLY, 0)
    assert host.read(again, 10) == b"reached"


def test_texts_about_a_task(host):
    child = host.fork()
    status = text_of(host, f"/proc/{child.pid}/status")
    assert f"Pid:\t{child.pid}\nPPid:\t1\n" in status
    assert text_of(host, "/proc/self/comm") == "init\n"
    assert link_of(host, "/proc/self/cwd") == "/"
    assert not exists(host, "/proc/4242")
    assert "nodev\ttmpfs\n" in text_of(host, "/proc/filesystems")


def test_a_finished_task_is_gone(host):
    child = host.fork()
    fd = host("open", f"/proc/{child.pid}/status\0".encode(), O_RDONLY, 0)
    host("exit_group", 0, task=child)
    host("wait4", -1, 0, 0, 0)
    assert not exists(host, f"/proc/{child.pid}")
    assert host.read(fd, 10) == -3


@pytest.mark.parametrize("place", [b"/proc", b"/sys"])
def test_proc_and_sys_can_be_unmounted_and_mounted_again(host, place):
    kind = {b"/proc": b"proc", b"/sys": b"sysfs"}[place]
    seen = {b"/proc": "/proc/self/status", b"/sys": "/sys/class/net/lo"}[place]
    for _ in range(2):
        assert exists(host, seen)
        assert host("umount2", place + b"\0", 0) == 0
        host.machine.run()
        assert not exists(host, seen)
        host("exit_group", 0, task=host.fork())
        assert host("mount", b"none\0", place + b"\0", kind + b"\0", 0, 0) == 0


def test_mounts_of_a_dead_task(host):
    child = host.fork()
    fd = host("open", b"/proc/%d/mounts\0" % child.pid, 0)
    host("exit_group", 0, task=child)
    assert host.read(fd, 10) == -EINVAL
