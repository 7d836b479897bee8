"""/proc/kallsyms: functions of the kernel and its modules; kernel.kptr_restrict and CAP_SYSLOG hide addresses."""

import pytest

NOBODY = 65534


def read(host, path, piece=4096):
    fd = host("open", path + b"\0", 0)
    assert fd >= 0, fd
    parts = []
    while data := host.read(fd, piece):
        parts.append(data)
        host.used -= (piece + 15) & ~15
    host("close", fd)
    return b"".join(parts).decode()


def restrict(host, value):
    fd = host("open", b"/proc/sys/kernel/kptr_restrict\0", 1)
    assert host.write(fd, b"%d" % value) > 0
    host("close", fd)


def symbols(text):
    return {name: (int(value, 16), kind) for value, kind, name, *_ in map(str.split, text.splitlines())}


@pytest.fixture
def proc(host):
    host("mkdir", b"/proc\0", 0o555)
    host("mount", b"proc\0", b"/proc\0", b"proc\0", 0, 0)
    return host


def test_names_are_those_of_linux_and_addresses_rise(proc):
    text = read(proc, b"/proc/kallsyms")
    values = [int(line[:16], 16) for line in text.splitlines()]
    assert values == sorted(values)
    assert values[0] == 0xFFFFFFFF81000000
    found = symbols(text)
    for name in ("tcp_v4_connect", "__x64_sys_socket", "__x64_sys_sendfile64", "__ia32_compat_sys_socketcall"):
        assert found[name][1] == "T", name
    assert "_stack_of" not in found
    assert "br_init" not in found  # a module that is not loaded


def test_pieces_and_positions_give_the_same_text(proc):
    text = read(proc, b"/proc/kallsyms")
    assert read(proc, b"/proc/kallsyms", 333) == text
    fd = proc("open", b"/proc/kallsyms\0", 0)
    where = proc.room(100)
    assert proc("pread64", fd, where, 100, 5000) == 100
    assert proc.get(where, 100).decode() == text[5000:5100]


def test_functions_of_a_module_come_and_go_with_it(proc):
    assert proc("init_module", b"veth", 4, b"\0") == 0
    lines = read(proc, b"/proc/kallsyms").splitlines()
    assert any(line.endswith(" t veth_xmit\t[veth]") for line in lines)
    assert proc("delete_module", b"veth\0", 0) == 0
    assert "veth" not in read(proc, b"/proc/kallsyms")


@pytest.mark.parametrize(
    ("value", "uid", "seen"), [(0, 0, True), (1, 0, True), (2, 0, False), (0, NOBODY, False), (1, NOBODY, False)]
)
def test_who_sees_addresses_of_functions(proc, value, uid, seen):
    restrict(proc, value)
    proc("setuid", uid)
    assert any(value for value, _ in symbols(read(proc, b"/proc/kallsyms")).values()) == seen


@pytest.mark.parametrize(
    ("value", "uid", "prefix"),
    [
        (0, 0, "00000000"), (0, NOBODY, "00000000"), (1, 0, "ffff8880"), (1, NOBODY, "0" * 16), (2, 0, "0" * 16),
    ],
)  # fmt: skip
def test_who_sees_addresses_of_sockets(proc, value, uid, prefix):
    """%pK: unusable for all, true for the privileged, hidden."""
    proc("socketpair", 1, 1, 0, proc.room(8))
    restrict(proc, value)
    proc("setuid", uid)
    address = read(proc, b"/proc/net/unix").splitlines()[1].split(":")[0]
    assert address.startswith(prefix)
    assert value or address != "0" * 16


def test_module_addresses_are_hidden_alike(proc):
    proc("init_module", b"veth", 4, b"\0")
    assert " 0xffffffffc0" in read(proc, b"/proc/modules")
    proc("setuid", NOBODY)
    assert read(proc, b"/proc/modules").endswith(" 0x0000000000000000\n")
