"""/proc/net: partial reads and seeks, namespaces, modes, entries that come and go."""

import pytest

from kshell.abi.errno import EACCES, EEXIST, EINVAL, EIO, ENOENT
from kshell.abi.fcntl import O_RDONLY, O_WRONLY
from kshell.linux.fs.proc.generic import proc_mkdir, proc_remove, remove_proc_entry
from kshell.linux.fs.proc.proc_net import proc_create_net, seq_file_net
from kshell.linux.fs.seq_file import seq_printf
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.seq_file import seq_operations

CLONE_NEWNET = 0x40000000
SEEK_SET, SEEK_CUR, SEEK_END = 0, 1, 2
LINES = "".join(f"line {i}\n" for i in range(1000))


def start(m, pos):
    return pos[0] if pos[0] < 1000 else None


def after(m, v, pos):
    pos[0] += 1
    return start(m, pos)


def stop(m, v):
    assert m.buf is not None


def show(m, v):
    assert seq_file_net(m) is not None
    seq_printf(m, f"line {v}\n")


ops = seq_operations(start=start, next=after, stop=stop, show=show)


@pytest.fixture
def lines(host):
    return proc_create_net(host.kernel, "lines", 0o444, host.init.nsproxy.net_ns.proc_net, ops)


def opened(host, path, flags=O_RDONLY, task=None):
    return host("open", path.encode() + b"\0", flags, 0, task=task)


def whole(host, fd, size):
    parts = []
    while part := host.read(fd, size):
        parts.append(part)
    return b"".join(parts).decode()


@pytest.mark.parametrize("size", [1, 7, 100, 4096, 70000])
def test_reads_of_any_size_give_the_same(host, lines, size):
    host.used = 0
    fd = opened(host, "/proc/net/lines")
    if size > 1:
        assert whole(host, fd, size) == LINES
    else:
        assert host.read(fd, 1) + host.read(fd, 1) == b"li"
    assert host("lseek", fd, 0, SEEK_SET) == 0


def test_one_read_ends_with_a_whole_record(host, lines):
    fd = opened(host, "/proc/net/lines")
    first = host.read(fd, 70000)
    assert first.endswith(b"\n")
    assert len(first) <= 4096
    assert host.read(fd, 9)[:5] == b"line "


@pytest.mark.parametrize("place", [0, 3, 7, 4000, 5001])
def test_a_seek_goes_to_the_byte(host, lines, place):
    fd = opened(host, "/proc/net/lines")
    assert host("lseek", fd, place, SEEK_SET) == place
    assert host.read(fd, 20).decode() == LINES[place : place + 20]
    assert host("lseek", fd, -20, SEEK_CUR) == place
    assert host.read(fd, 20).decode() == LINES[place : place + 20]
    assert host("pread64", fd, host.room(5), 5, 7) == 5


def test_seeks_that_are_refused(host, lines):
    fd = opened(host, "/proc/net/lines")
    assert host("lseek", fd, 0, SEEK_END) == -EINVAL
    assert host("lseek", fd, -1, SEEK_SET) == -EINVAL


def test_behind_the_end_there_is_nothing(host, lines):
    fd = opened(host, "/proc/net/lines")
    assert host("lseek", fd, len(LINES) + 5, SEEK_SET) in (len(LINES) + 5, -EINVAL)
    assert host.read(opened(host, "/proc/net/lines"), 4) == b"line"


def test_an_entry_has_one_name(host, lines):
    with pytest.raises(KernelError) as error:
        proc_create_net(host.kernel, "lines", 0o444, host.init.nsproxy.net_ns.proc_net, ops)
    assert error.value.errno == EEXIST


def test_an_open_file_whose_entry_is_removed(host, lines):
    fd = opened(host, "/proc/net/lines")
    remove_proc_entry(host.kernel, "lines", host.init.nsproxy.net_ns.proc_net)
    assert host.read(fd, 10) == -EIO
    assert opened(host, "/proc/net/lines") == -ENOENT
    assert host("close", fd) == 0


def test_a_directory_goes_with_what_is_in_it(host):
    net = host.init.nsproxy.net_ns
    directory = proc_mkdir(host.kernel, "dir", net.proc_net)
    proc_create_net(host.kernel, "lines", 0o444, directory, ops)
    assert host.read(opened(host, "/proc/net/dir/lines"), 6) == b"line 0"
    proc_remove(directory)
    assert opened(host, "/proc/net/dir/lines") == -ENOENT


def test_modes_are_kept(host, lines):
    child = host.fork()
    host("setresuid", 5, 5, 5, task=child)
    assert opened(host, "/proc/net/lines", O_WRONLY, child) == -EACCES
    assert opened(host, "/proc/net/lines", O_RDONLY, child) > 0
    assert opened(host, "/proc/net/packet", O_RDONLY, child) > 0
    assert opened(host, "/proc/slabinfo", O_RDONLY, child) == -EACCES


def test_a_namespace_has_files_of_its_own_which_go_with_it(host, lines):
    child = host.fork()
    host("unshare", CLONE_NEWNET, task=child)
    assert opened(host, "/proc/net/lines", task=child) == -ENOENT
    fd = opened(host, "/proc/self/net/dev", task=child)
    assert host.read(fd, 2000, child).count(b"\n") == 3
    outside = opened(host, f"/proc/{child.pid}/net/tcp")
    assert host.read(outside, 2000).count(b"\n") == 1
    mine = host("socket", 2, 1, 0)
    host("listen", mine, 1)
    assert host.read(opened(host, "/proc/net/tcp"), 2000).count(b"\n") == 2
    assert host.read(opened(host, f"/proc/{child.pid}/net/tcp"), 2000).count(b"\n") == 1
    host("exit_group", 0, task=child)
    host("wait4", child.pid, 0, 0, 0)
    assert opened(host, f"/proc/{child.pid}/net/tcp") == -ENOENT


def test_counters_count(host):
    def snmp():
        lines = host.read(opened(host, "/proc/net/snmp"), 4000).decode().splitlines()
        pairs = zip(lines[::2], lines[1::2], strict=True)
        return {
            f"{names.split(':')[0]}.{name}": int(value)
            for names, values in pairs
            for name, value in zip(names.split()[1:], values.split()[1:], strict=True)
        }

    before = snmp()
    s = host("socket", 2, 2, 0)
    address = b"\2\0\x27\x0f\x7f\0\0\1" + bytes(8)
    assert host("sendto", s, b"abc", 3, 0, address, 16) == 3
    after = snmp()
    changed = {name: after[name] - before.get(name, 0) for name in after if after[name] != before.get(name, 0)}
    assert changed["Udp.OutDatagrams"] == changed["Udp.NoPorts"] == 1
    assert changed["Icmp.OutDestUnreachs"] == changed["Icmp.InDestUnreachs"] == 1
    assert changed["Ip.OutRequests"] == changed["Ip.InReceives"] == 2


def test_a_release_gives_the_reader_back(host, lines):
    used = host.kernel.seq_file_cache._inuse
    fd = opened(host, "/proc/net/lines")
    assert host.kernel.seq_file_cache._inuse == used + 1
    host("close", fd)
    assert host.kernel.seq_file_cache._inuse == used
