"""/proc/PID: what a task's directory holds, and who may change it."""

import struct

import pytest

from kshell.abi.errno import EACCES, EBADF, EINVAL, ENOENT, ENOTDIR, EPERM, ESRCH
from kshell.abi.fcntl import O_CREAT, O_RDONLY, O_RDWR, O_WRONLY

CLONE_NEWNET = 0x40000000
CLONE_NEWUTS = 0x04000000


def text(host, path, size=4096, task=None):
    fd = host("open", path.encode() + b"\0", O_RDONLY, 0, task=task)
    if fd < 0:
        return fd
    got = host.read(fd, size, task)
    host("close", fd, task=task)
    return got.decode() if isinstance(got, bytes) else got


def link(host, path, task=None):
    room = host.room(200)
    size = host("readlink", path.encode() + b"\0", room, 200, task=task)
    return host.get(room, size, task).decode() if size >= 0 else size


def names(host, path, task=None):
    fd = host("open", path.encode() + b"\0", O_RDONLY, 0, task=task)
    if fd < 0:
        return fd
    room = host.room(8192)
    size = host("getdents64", fd, room, 8192, task=task)
    host("close", fd, task=task)
    data, found, at = host.get(room, size, task), [], 0
    while at < size:
        length = int.from_bytes(data[at + 16 : at + 18], "little")
        found.append(data[at + 19 : at + length].split(b"\0")[0].decode())
        at += length
    return [name for name in found if name not in (".", "..")]


def fields(host, path):
    return dict(line.split(":", 1) for line in text(host, path).splitlines())


def test_the_directory_of_a_task(host):
    wanted = ("cmdline", "comm", "cwd", "exe", "fd", "fdinfo", "limits", "maps", "mountinfo", "mounts", "net", "ns")
    found = names(host, "/proc/self")
    assert set(wanted) | {"root", "stat", "status", "task"} <= set(found)


def test_a_task_without_that_number(host):
    assert text(host, "/proc/99/comm") == -ENOENT
    assert names(host, "/proc/099") == -ENOENT


def test_comm_can_be_written_by_the_threads_of_a_process_only(host):
    other = host.fork()
    fd = host("open", b"/proc/self/comm\0", O_RDWR, 0)
    assert host.write(fd, b"a name that is too long") == 23
    assert text(host, "/proc/self/comm") == "a name that is \n"
    assert host("open", f"/proc/{other.pid}/comm\0".encode(), O_RDWR, 0) > 0
    mine = host("open", f"/proc/{host.init.pid}/comm\0".encode(), O_WRONLY, 0, task=other)
    assert host.write(mine, b"x", other) == -EINVAL
    assert host.init.comm == "a name that is "


def test_status_tells_of_ids_and_signals(host):
    child = host.fork()
    host("setresuid", 1, 2, 3, task=child)
    status = fields(host, f"/proc/{child.pid}/status")
    assert status["Uid"] == "\t1\t2\t3\t2"
    assert status["PPid"] == f"\t{host.init.pid}"
    assert status["Tgid"] == status["Pid"] == f"\t{child.pid}"
    assert status["Threads"] == "\t1"


def test_stat_has_the_52_fields_of_linux(host):
    fd, _ = host.pipe()
    child = host.fork()
    host("setrlimit", 5, struct.pack("<QQ", 4096, 8192), task=child)
    words = text(host, f"/proc/{child.pid}/stat").split()
    assert len(words) == 52
    assert words[:8] == [str(child.pid), f"({child.comm})", "R", str(host.init.pid), "0", "0", "0", "-1"]
    vsize = sum(len(vma._data) for vma in child.mm._vmas)
    assert words[22:25] == [str(vsize), str(vsize >> 12), "4096"]  # vsize, rss, rsslim
    assert words[34] == "0"
    assert words[37] == "17"  # SIGCHLD at its end
    assert not isinstance(host("read", fd, host.room(1), 1, task=child), int)
    words = text(host, f"/proc/{child.pid}/stat").split()
    assert (words[2], words[34]) == ("S", "1")  # it sleeps in the kernel


def test_a_zombie_has_no_files_and_no_memory(host):
    child = host.fork()
    host("exit_group", 3, task=child)
    assert fields(host, f"/proc/{child.pid}/status")["State"] == "\tZ (zombie)"
    assert text(host, f"/proc/{child.pid}/stat").split()[2] == "Z"
    assert text(host, f"/proc/{child.pid}/cmdline") == ""
    assert text(host, f"/proc/{child.pid}/maps") == ""
    assert names(host, f"/proc/{child.pid}/fd") in ([], -ENOENT)
    host("wait4", child.pid, 0, 0, 0)
    assert text(host, f"/proc/{child.pid}/stat") == -ENOENT


def test_an_open_file_of_a_task_that_is_gone(host):
    child = host.fork()
    fd = host("open", f"/proc/{child.pid}/stat\0".encode(), O_RDONLY, 0)
    host("exit_group", 0, task=child)
    host("wait4", child.pid, 0, 0, 0)
    assert host.read(fd, 100) == -ESRCH


def test_threads_are_in_task(host):
    thread = host.thread()
    assert names(host, "/proc/self/task") == [str(host.init.pid), str(thread.pid)]
    assert link(host, "/proc/thread-self", thread) == f"{host.init.pid}/task/{thread.pid}"
    assert link(host, "/proc/self", thread) == str(host.init.pid)
    assert text(host, f"/proc/self/task/{thread.pid}/stat").split()[0] == str(thread.pid)
    assert text(host, f"/proc/{host.init.pid}/task/99/stat") == -ENOENT


def test_fdinfo(host):
    host("mkdir", b"/tmp\0", 0o777)
    fd = host("open", b"/tmp/file\0", O_CREAT | O_RDWR, 0o600)
    host.write(fd, b"12345")
    info = fields(host, f"/proc/self/fdinfo/{fd}")
    assert info["pos"] == "\t5"
    assert info["flags"] == "\t0100002"
    assert text(host, "/proc/self/fdinfo/77") == -ENOENT
    assert str(fd) in names(host, "/proc/self/fdinfo")


def test_fdinfo_of_an_epoll_lists_what_is_watched(host):
    epoll = host("epoll_create1", 0)
    a, b = host.pipe()
    host("epoll_ctl", epoll, 1, a, b"\1\0\0\0" + b"\7" + bytes(7))
    line = text(host, f"/proc/self/fdinfo/{epoll}").splitlines()[-1]
    assert line.startswith(f"tfd: {a:8d} events:       19 data:                7 ")
    assert host("close", b) == 0


def test_descriptors_are_links_to_their_files(host):
    a, b = host.pipe()
    s = host("socket", 2, 1, 0)
    assert link(host, f"/proc/self/fd/{a}") == link(host, f"/proc/self/fd/{b}")
    assert link(host, f"/proc/self/fd/{a}").startswith("pipe:[")
    assert link(host, f"/proc/self/fd/{s}").startswith("socket:[")
    assert link(host, "/proc/self/fd/99") == -ENOENT
    again = host("open", f"/proc/self/fd/{b}\0".encode(), O_WRONLY, 0)
    assert host.write(again, b"x") == 1
    assert host.read(a, 5) == b"x"
    assert host("open", f"/proc/self/fd/{s}\0".encode(), O_RDWR, 0) == -6
    assert host("close", 99) == -EBADF


def test_namespaces_tell_tasks_apart(host):
    child = host.fork()
    mine = link(host, "/proc/self/ns/net")
    assert mine.startswith("net:[")
    assert link(host, f"/proc/{child.pid}/ns/net") == mine
    host("unshare", CLONE_NEWNET, task=child)
    assert link(host, f"/proc/{child.pid}/ns/net") != mine
    assert link(host, f"/proc/{child.pid}/ns/uts") == link(host, "/proc/self/ns/uts")
    host("unshare", CLONE_NEWUTS, task=child)
    assert link(host, f"/proc/{child.pid}/ns/uts") != link(host, "/proc/self/ns/uts")


def test_limits(host):
    host("setrlimit", 7, (64).to_bytes(8, "little") + (128).to_bytes(8, "little"))
    line = next(line for line in text(host, "/proc/self/limits").splitlines() if line.startswith("Max open files"))
    assert line == "Max open files            64                   128                  files     "


def test_strangers_see_less(host):
    child = host.fork()
    host("setresuid", 7, 7, 7, task=child)
    assert text(host, "/proc/1/status", task=child).startswith("Name:")
    assert names(host, "/proc/1/fd", child) == -EACCES
    assert link(host, "/proc/1/cwd", child) == -EACCES
    assert text(host, "/proc/1/maps", task=child) == -EACCES


@pytest.mark.parametrize("path", ["/proc/new", "/proc/self/new", "/proc/net/new", "/proc/self/fd/new"])
def test_nobody_makes_files(host, path):
    name = path.encode() + b"\0"
    assert host("open", name, O_CREAT | O_RDWR, 0o644) == -ENOENT
    assert host("mkdir", name, 0o755) in (-ENOENT, -EPERM)
    assert host("unlink", b"/proc/version\0") in (-EPERM, -ENOENT)
    assert host("mkdir", b"/proc/version/x\0", 0o755) == -ENOTDIR
