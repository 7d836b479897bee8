"""/sys: names and values of a device against a real one's, and what may be written."""

import sys
from pathlib import Path

import pytest

from kshell.abi.errno import EACCES, EINVAL, EIO, ENODEV, ENOENT, EPERM
from kshell.abi.fcntl import O_CREAT, O_RDONLY, O_RDWR, O_WRONLY
from kshell.linux.include.linux.netdevice import net_device_ops
from kshell.linux.net.core.dev_change_net import dev_change_net_namespace
from kshell.linux.net.core.dev_register import (
    alloc_netdev_mqs,
    dev_change_name,
    register_netdevice,
    unregister_netdevice,
)
from kshell.linux.net.ethernet.eth import ether_setup

ROOT = Path(__file__).resolve().parents[4]
sys.path[:0] = [str(ROOT / "scripts")]

from lib.measure_proc import sysfs_cases  # noqa: E402

RECORDED = ROOT / "tests" / "conformance" / "proc" / "procfs" / "sys_class_net.tsv"
LO = "/sys/class/net/lo"
CLONE_NEWNET = 0x40000000


def text(host, path, task=None):
    fd = host("open", path.encode() + b"\0", O_RDONLY, 0, task=task)
    if fd < 0:
        return fd
    got = host.read(fd, 200, task)
    host("close", fd, task=task)
    return got.decode() if isinstance(got, bytes) else got


def write(host, path, value, task=None):
    fd = host("open", path.encode() + b"\0", O_WRONLY, 0, task=task)
    if fd < 0:
        return fd
    got = host.write(fd, value.encode(), task)
    host("close", fd, task=task)
    return got


def link(host, path):
    room = host.room(200)
    size = host("readlink", path.encode() + b"\0", room, 200)
    return host.get(room, size).decode() if size >= 0 else size


def names(host, path):
    fd = host("open", path.encode() + b"\0", O_RDONLY, 0)
    room = host.room(8192)
    size = host("getdents64", fd, room, 8192)
    host("close", fd)
    data, found, at = host.get(room, size), [], 0
    while at < size:
        length = int.from_bytes(data[at + 16 : at + 18], "little")
        found.append(data[at + 19 : at + length].split(b"\0")[0].decode())
        at += length
    return [name for name in found if name not in (".", "..")]


def test_the_loopback_device_reads_as_on_linux(host):
    for name, wanted, got, reason in sysfs_cases(host.machine, RECORDED.read_text()):
        assert wanted == got or reason, name


def test_nothing_is_listed_that_linux_has_not(host):
    recorded = {line.split("\t")[0].split("/")[5] for line in RECORDED.read_text().splitlines()}
    assert set(names(host, LO)) == recorded | {"subsystem"}


def test_links_lead_around(host):
    assert link(host, LO) == "../../devices/virtual/net/lo"
    assert link(host, f"{LO}/subsystem") == "../../../../class/net"
    assert text(host, f"{LO}/subsystem/lo/subsystem/lo/ifindex") == "1\n"
    assert text(host, "/sys/devices/virtual/net/lo/ifindex") == "1\n"


@pytest.mark.parametrize(
    ("name", "value", "result", "shown"),
    [
        ("mtu", "1500\n", 5, "1500\n"), ("mtu", "0x500", 5, "1280\n"), ("mtu", "-1", -EINVAL, "65536\n"),
        ("mtu", "x", -EINVAL, "65536\n"), ("mtu", "", 0, "65536\n"), ("flags", "0x8\n", 4, "0x8\n"),
        ("tx_queue_len", "7", 1, "7\n"), ("tx_queue_len", "4294967295", -34, "1000\n"),
        ("netdev_group", "3", 1, "3\n"), ("ifalias", "inside\n", 7, "inside\n"), ("carrier", "0", -95, "1\n"),
        ("address", "0", -EACCES, "00:00:00:00:00:00\n"), ("proto_down", "1", -EACCES, "0\n"),
        ("power/control", "on\n", 3, "on\n"), ("power/control", "off", -EINVAL, "auto\n"),
        ("power/async", "enabled", 7, "enabled\n"), ("power/autosuspend_delay_ms", "5", -EIO, -EIO),
        ("power/runtime_status", "active", -EACCES, "unsupported\n"),
    ],
)  # fmt: skip
def test_what_may_be_written(host, name, value, result, shown):
    assert write(host, f"{LO}/{name}", value) == result
    assert text(host, f"{LO}/{name}") == shown


def test_writing_needs_the_capability(host):
    child = host.fork()
    fd = host("open", f"{LO}/mtu\0".encode(), O_RDWR, 0, task=child)
    assert host("setuid", 1000, task=child) == 0
    assert write(host, f"{LO}/mtu", "1500", task=child) == -EACCES
    assert host.write(fd, b"1500", child) == -EPERM
    assert text(host, f"{LO}/mtu", task=child) == "65536\n"


def test_what_a_device_down_does_not_tell(host):
    assert write(host, f"{LO}/flags", "0x8") == 3
    assert text(host, f"{LO}/operstate") == "down\n"
    assert text(host, f"{LO}/carrier") == -EINVAL
    assert text(host, f"{LO}/phys_port_id") == -95


def test_nobody_makes_files_there(host):
    assert host("open", f"{LO}/mine\0".encode(), O_CREAT | O_RDWR, 0o644) in (-EACCES, -EPERM, -ENOENT)
    assert host("mkdir", b"/sys/class/mine\0", 0o755) in (-EPERM, -EACCES, -ENOENT)
    assert host("unlink", f"{LO}/mtu\0".encode()) in (-EPERM, -EACCES)


def test_a_namespace_has_a_device_of_its_own(host):
    child = host.fork()
    assert host("unshare", CLONE_NEWNET, task=child) == 0
    host("mkdir", b"/tmp/sys\0", 0o755, task=child)
    assert host("mount", b"sysfs\0", b"/tmp/sys\0", b"sysfs\0", 0, 0, task=child) == 0
    assert text(host, "/tmp/sys/class/net/lo/operstate", task=child) == "down\n"
    assert text(host, f"{LO}/operstate", task=child) == "unknown\n"  # the old mount shows the old namespace
    fd = host("open", b"/tmp/sys/class/net/lo/mtu\0", O_RDONLY, 0)
    host("exit_group", 0, task=child)
    host.machine.run()
    assert host.read(fd, 10) == -ENODEV
    assert text(host, "/tmp/sys/class/net/lo/mtu") == -ENOENT


def test_directories_of_the_root(host):
    assert names(host, "/sys") == ["class", "devices", "kernel", "module"]
    assert names(host, "/sys/module") == []
    assert text(host, "/sys/kernel/fscaps") == "1\n"


@pytest.fixture
def device(host):
    dev = alloc_netdev_mqs(host.init.nsproxy.net_ns, "new%d", ether_setup)
    dev.netdev_ops = net_device_ops(ndo_start_xmit=lambda skb, dev: 0)
    register_netdevice(dev)
    return dev


def entries_of(host, name):
    """Where a device of that name has a directory or a line."""
    dev = host.read(host("open", b"/proc/net/dev\0", O_RDONLY, 0), 4000).decode()
    return [
        name in names(host, "/sys/class/net"), name in names(host, "/sys/devices/virtual/net"),
        name in names(host, "/proc/sys/net/ipv4/conf"), name in names(host, "/proc/sys/net/ipv4/neigh"),
        f" {name}:" in dev,
    ]  # fmt: skip


def test_a_new_device_is_everywhere(host, device):
    assert entries_of(host, "new0") == [True] * 5
    assert text(host, "/sys/class/net/new0/ifindex") == "2\n"
    unregister_netdevice(device)
    assert entries_of(host, "new0") == [False] * 5


def test_a_new_name_is_everywhere(host, device):
    assert text(host, "/sys/class/net/new0/mtu") == "1500\n"
    dev_change_name(device, "other")
    assert entries_of(host, "other") == [True] * 5
    assert entries_of(host, "new0") == [False] * 5
    assert text(host, "/sys/class/net/new0/mtu") == -ENOENT
    assert text(host, "/sys/class/net/other/mtu") == "1500\n"
    assert link(host, "/sys/class/net/other") == "../../devices/virtual/net/other"


def test_a_device_that_moves_shows_in_its_namespace(host, device):
    child = host.fork()
    host("unshare", CLONE_NEWNET, task=child)
    host("mkdir", b"/tmp/sys\0", 0o755, task=child)
    host("mount", b"sysfs\0", b"/tmp/sys\0", b"sysfs\0", 0, 0, task=child)
    dev_change_net_namespace(device, child.nsproxy.net_ns, "")
    assert entries_of(host, "new0") == [False] * 5
    assert text(host, "/tmp/sys/class/net/new0/mtu", task=child) == "1500\n"
    assert text(host, "/proc/sys/net/ipv4/conf/new0/forwarding", task=child) == "0\n"
