"""/proc/sys: trees, modes, namespaces, and what changes when a setting does."""

import ast
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

import kshell.linux
from kshell.abi.errno import EACCES, EEXIST, EINVAL, ENOENT, ENOTDIR, EPERM
from kshell.abi.fcntl import O_CREAT, O_RDONLY, O_RDWR, O_WRONLY
from kshell.linux.fs.proc.proc_sysctl import _sysctl_entry, _sysctl_get, _sysctl_rows, _sysctl_set
from kshell.linux.fs.proc.proc_sysctl_register import register_sysctl, unregister_sysctl_table
from kshell.linux.include.linux import inetdevice
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.sysctl import ctl_table, data_field, initial
from kshell.linux.kernel.sysctl import proc_dointvec
from kshell.linux.kernel.sysctl_inert import INERT, _why_inert
from kshell.linux.net.ipv4.devinet_sysctl import devinet_vars
from kshell.linux.net.sysctl_net import register_net_sysctl

CLONE_NEWNET = 0x40000000
FOUR = ctl_table("four", initial(4), 4, 0o644, proc_dointvec)


def text(host, path, task=None):
    fd = host("open", f"/proc/sys/{path}\0".encode(), O_RDONLY, 0, task=task)
    if fd < 0:
        return fd
    got = host.read(fd, 200, task)
    host("close", fd, task=task)
    return got.decode() if isinstance(got, bytes) else got


def write(host, path, value, task=None):
    fd = host("open", f"/proc/sys/{path}\0".encode(), O_WRONLY, 0, task=task)
    if fd < 0:
        return fd
    got = host.write(fd, value.encode(), task)
    host("close", fd, task=task)
    return got


def entries(kernel):
    yield from _sysctl_rows(kernel.sysctl_table_root.default_set)
    yield from _sysctl_rows(kernel.init_net.sysctls)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("net/ipv4/ip_forward", "0\n"), ("net/ipv4/tcp_rmem", "4096\t131072\t6291456\n"),
        ("net/ipv4/tcp_keepalive_time", "7200\n"), ("net/ipv4/icmp_ratelimit", "1000\n"),
        ("net/ipv4/tcp_congestion_control", "cubic\n"), ("net/ipv4/ip_local_reserved_ports", "\n"),
        ("net/ipv4/conf/lo/disable_policy", "1\n"), ("net/ipv4/neigh/default/retrans_time", "100\n"),
        ("net/ipv4/neigh/lo/unres_qlen", "101\n"), ("net/ipv4/tcp_fastopen_key", "00000000-00000000-00000000-00000000\n"),
        ("kernel/ostype", "Linux\n"), ("fs/nr_open", "1048576\n"), ("net/unix/max_dgram_qlen", "10\n"),
    ],
)  # fmt: skip
def test_what_a_fresh_machine_reads(host, path, value):
    assert text(host, path) == value


@pytest.mark.parametrize(
    ("path", "value", "result"),
    [
        ("net/ipv4/ip_forward", "1\n", 2), ("net/ipv4/tcp_ecn", "3", -EINVAL), ("net/ipv4/ip_default_ttl", "0", -EINVAL),
        ("net/ipv4/ip_local_port_range", "500 600", -EINVAL), ("net/ipv4/ip_unprivileged_port_start", "40000", -EINVAL),
        ("net/ipv4/tcp_congestion_control", "nonsense", -ENOENT), ("net/core/default_qdisc", "nonsense", -ENOENT),
        ("net/ipv4/tcp_available_congestion_control", "reno", -EACCES), ("kernel/ostype", "BSD", -EACCES),
        ("kernel/pid_max", "300", -EINVAL), ("kernel/pid_max", "400", 3), ("net/ipv4/route/flush", "1", 1),
        ("net/core/rmem_max", "2303", -EINVAL), ("net/ipv4/tcp_fastopen_key", "1-2-3-4,5-6-7-8", 15),
        ("net/ipv4/tcp_fastopen_key", "1-2-3", -EINVAL), ("net/ipv4/nothing", "1", -ENOENT),
    ],
)  # fmt: skip
def test_what_may_be_written(host, path, value, result):
    assert write(host, path, value) == result


def test_nobody_makes_files_there(host):
    assert host("open", b"/proc/sys/net/mine\0", O_CREAT | O_RDWR, 0o644) in (-EACCES, -ENOENT)
    assert host("mkdir", b"/proc/sys/mine\0", 0o755) == -ENOENT
    assert host("unlink", b"/proc/sys/net/ipv4/ip_forward\0") in (-EPERM, -EACCES)
    assert host("chmod", b"/proc/sys/net/ipv4/ip_forward\0", 0o666) == -EPERM


def test_others_may_read_but_not_write(host):
    child = host.fork()
    assert host("setuid", 1000, task=child) == 0
    assert text(host, "net/ipv4/ip_forward", task=child) == "0\n"
    assert write(host, "net/ipv4/ip_forward", "1", task=child) == -EACCES
    assert text(host, "net/ipv4/tcp_fastopen_key", task=child) == -EACCES


def test_ip_forward_is_handed_to_all_devices(host):
    write(host, "net/ipv4/ip_forward", "1")
    assert text(host, "net/ipv4/conf/all/forwarding") == "1\n"
    assert text(host, "net/ipv4/conf/default/forwarding") == "1\n"
    assert text(host, "net/ipv4/conf/lo/forwarding") == "1\n"
    assert text(host, "net/ipv4/conf/all/accept_redirects") == "0\n"


def test_default_reaches_devices_that_have_no_value_of_their_own(host):
    child = host.fork()
    assert host("unshare", CLONE_NEWNET, task=child) == 0
    assert write(host, "net/ipv4/conf/default/rp_filter", "2", task=child) == 1
    assert text(host, "net/ipv4/conf/lo/rp_filter", task=child) == "2\n"
    assert write(host, "net/ipv4/conf/lo/rp_filter", "1", task=child) == 1
    write(host, "net/ipv4/conf/default/rp_filter", "0", task=child)
    assert text(host, "net/ipv4/conf/lo/rp_filter", task=child) == "1\n"


def test_a_namespace_has_settings_of_its_own(host):
    write(host, "net/ipv4/tcp_syn_retries", "3")
    child = host.fork()
    assert host("unshare", CLONE_NEWNET, task=child) == 0
    assert text(host, "net/ipv4/tcp_syn_retries", task=child) == "6\n"
    write(host, "net/ipv4/tcp_syn_retries", "4", task=child)
    assert text(host, "net/ipv4/tcp_syn_retries") == "3\n"
    assert text(host, "net/ipv4/tcp_mem", task=child) == -ENOENT  # the machine's own, in the first one only
    assert text(host, "net/core/wmem_max", task=child) == -ENOENT


def test_a_namespace_takes_over_conf_or_not(host):
    write(host, "net/ipv4/conf/all/rp_filter", "1")
    for inherit, expected in (("0", "1\n"), ("2", "0\n"), ("3", "1\n")):
        write(host, "net/core/devconf_inherit_init_net", inherit)
        child = host.fork()
        assert host("unshare", CLONE_NEWNET, task=child) == 0
        assert text(host, "net/ipv4/conf/all/rp_filter", task=child) == expected


def test_a_namespace_goes_and_leaves_nothing(host):
    before = sorted(host.kernel.sysctl_table_root.default_set.dir.root)
    links = _sysctl_entry(host.kernel, "net/ipv4/ip_forward")
    child = host.fork()
    assert host("unshare", CLONE_NEWNET, task=child) == 0
    assert text(host, "net/ipv4/ip_forward", task=child) == "0\n"
    sysctls = child.nsproxy.net_ns.sysctls
    host("exit_group", 0, task=child)
    host.machine.run()
    assert not sysctls.dir.root
    assert sorted(host.kernel.sysctl_table_root.default_set.dir.root) == before
    assert links.procname == "ip_forward"
    assert text(host, "net/ipv4/ip_forward") == "0\n"


def test_directories_come_and_go_with_their_tables(host):
    kernel = host.kernel
    header = register_sysctl(kernel, "mine/deep", (FOUR,))
    assert text(host, "mine/deep/four") == "4\n"
    assert write(host, "mine/deep/four", "5") == 1
    assert text(host, "mine/deep/four") == "5\n"
    unregister_sysctl_table(header)
    assert text(host, "mine/deep/four") == -ENOENT
    assert "mine" not in kernel.sysctl_table_root.default_set.dir.root


def test_an_open_file_outlives_its_table(host):
    header = register_sysctl(host.kernel, "mine", (FOUR,))
    fd = host("open", b"/proc/sys/mine/four\0", O_RDONLY, 0)
    unregister_sysctl_table(header)
    assert host.read(fd, 10) == -ENOENT


@pytest.mark.parametrize(
    ("path", "table", "errno"),
    [
        ("kernel", (ctl_table("ostype", initial(1), 4, 0o644, proc_dointvec),), EEXIST),
        ("kernel/ostype", (FOUR,), ENOTDIR),
        ("kernel", (ctl_table("mine", initial(1), 4, 0o755, proc_dointvec),), EINVAL),
        ("kernel", (ctl_table("mine", initial(1), 4, 0o644),), EINVAL),
    ],
)
def test_tables_that_are_refused(host, path, table, errno):
    with pytest.raises(KernelError) as error:
        register_sysctl(host.kernel, path, table)
    assert error.value.errno == errno
    assert any("sysctl" in line for _, _, line in host.kernel.log_buf) == (errno != ENOTDIR)
    assert text(host, "kernel/ostype") == "Linux\n"


def test_a_namespaces_table_shows_in_its_namespace_only(host):
    child = host.fork()
    assert host("unshare", CLONE_NEWNET, task=child) == 0
    register_net_sysctl(child.nsproxy.net_ns, "net/mine", (FOUR,))
    assert text(host, "net/mine/four", task=child) == "4\n"
    assert text(host, "net/mine/four") == -ENOENT


def test_hostname_of_a_uts_namespace(host):
    child = host.fork()
    assert host("unshare", 0x04000000, task=child) == 0
    assert write(host, "kernel/hostname", "child\n", task=child) == 6
    assert text(host, "kernel/hostname", task=child) == "child\n"
    assert text(host, "kernel/hostname") == "(none)\n"


def test_a_poll_learns_of_a_new_hostname(host):
    fd = host("open", b"/proc/sys/kernel/hostname\0", O_RDONLY, 0)
    assert host.poll((fd, 2)) == (0, [0])
    write(host, "kernel/hostname", "new")
    got, (events,) = host.poll((fd, 2))
    assert got == 1
    assert events & 2


def test_every_setting_can_be_read(host):
    for path, table in entries(host.kernel):
        if table.mode & 0o444 and table.procname != "stable_secret":  # EIO until there is one
            assert _sysctl_get(host.kernel, path) is not None, path


def _attributes_read():
    """Names that the model's code reads as attributes, and names of attributes in strings."""
    names = set()
    for path in Path(kshell.linux.__path__[0]).rglob("*.py"):
        if path.name in ("sysctl_net_ipv4.py", "kernel.py", "sysctl_net_ipv4_table.py", "sysctl_net_core.py"):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
                names.add(node.attr)
            elif isinstance(node, ast.keyword) and isinstance(node.value, ast.Constant):
                names.add(node.value.value)
    return names


ROUNDED = ("fs/pipe-max-size", "_ms", "ratelimit", "retrans_time")
# What the code reads though nothing follows from it; INERT says why.
READ_IN_VAIN = (
    "net/ipv4/tcp_comp_sack_slack_ns", "net/ipv4/udp_wmem_min", "net/ipv4/conf/lo/disable_policy",
    "net/ipv4/conf/lo/disable_xfrm", "net/ipv4/conf/lo/src_valid_mark",
)  # fmt: skip
OWN_HANDLER = ("net/core/dev_weight", "net/core/dev_weight_rx_bias", "kernel/sysctl_writes_strict")


def test_what_nothing_reads_is_listed_as_inert(host):
    read = _attributes_read()
    for path, table in entries(host.kernel):
        live = not isinstance(table.data, initial)
        if isinstance(table.data, str):
            owner, _, name = table.data.rpartition(".")
            live = (name in read and owner != "nd_tbl") or path in OWN_HANDLER
        if not live and table.mode & 0o222:
            assert _why_inert(path), f"{path} changes nothing"
        if live and isinstance(table.data, str) and path not in (*OWN_HANDLER, *READ_IN_VAIN) and "l3mdev" not in path:
            assert not _why_inert(path), f"{path} is read: {_why_inert(path)}"


def test_what_no_code_reads_of_a_device_is_listed_as_inert():
    read = set()
    for path in (Path(kshell.linux.__path__[0]) / "net").rglob("*.py"):
        names = ast.walk(ast.parse(path.read_text())) if path.name != "devinet_sysctl.py" else ()
        read |= {node.id for node in names if isinstance(node, ast.Name)}
    read |= {"IPV4_DEVCONF_FORWARDING", "IPV4_DEVCONF_ACCEPT_REDIRECTS"}  # by IN_DEV_FORWARD, IN_DEV_RX_REDIRECTS
    numbers = {value: name for name, value in vars(inetdevice).items() if name.startswith("IPV4_DEVCONF_")}
    numbers[33] = "IPV4_DEVCONF_ARP_EVICT_NOCARRIER"  # also IPV4_DEVCONF_MAX
    for table in devinet_vars:
        path = f"net/ipv4/conf/lo/{table.procname}"
        live = numbers[table.data + 1] in read and path not in READ_IN_VAIN
        assert not table.mode & 0o222 or live != bool(_why_inert(path)), table.procname


def test_the_list_of_inert_settings_names_real_ones(host):
    paths = [path for path, _ in entries(host.kernel)]
    absent = ("net/ipv6/*", "net/mptcp/*", "net/netfilter/*")
    assert [key for key in INERT if not any(fnmatchcase(path, key) for path in paths) and key not in absent] == []


def test_writing_reaches_the_variable(host):
    """Each number of one int or u8 that the model reads: what is written is what the code finds."""
    kernel = host.kernel
    for path, table in list(entries(kernel)):
        if not isinstance(table.data, str) or not table.mode & 0o200 or _why_inert(path):
            continue
        pointer = _sysctl_entry(kernel, path).data
        assert isinstance(pointer, data_field)
        before = pointer.get()
        if not isinstance(before, int) or path == "kernel/modules_disabled":
            continue
        if not _sysctl_get(kernel, path).lstrip("-").isdigit():
            continue
        shown = int(_sysctl_get(kernel, path))
        other = next((n for n in (shown + 1, shown - 1) if _accepted(kernel, path, n)), None)
        assert other is not None, path
        assert pointer.get() != before, path
        assert int(_sysctl_get(kernel, path)) == other or path.endswith(ROUNDED), path
        _sysctl_set(kernel, path, str(shown))
        assert pointer.get() == before, path


def _accepted(kernel, path, number):
    try:
        _sysctl_set(kernel, path, str(number))
    except KernelError:
        return False
    return True
