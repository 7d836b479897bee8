"""Modules: a family that is loaded when it is asked for, held while in use, and removed."""

import pytest

from kshell.linux.include.linux.module import _module_file
from kshell.linux.include.linux.net import net_proto_family
from kshell.linux.kernel.module.main import _find_module_file, load_module, module_refcount
from kshell.linux.net.ipv4.af_inet import inet_create
from kshell.linux.net.socket import sock_register, sock_unregister

EAFNOSUPPORT, EPERM, ENOENT, EWOULDBLOCK, ENOEXEC, EEXIST = -97, -1, -2, -11, -8, -17
AF_X25 = 9


def family(kernel, mod):
    sock_register(kernel, net_proto_family(family=AF_X25, create=inet_create, owner=mod))


def gone(kernel, mod):
    sock_unregister(kernel, AF_X25)


@pytest.fixture
def modular(host):
    """A machine with a module file for net-pf-9, and a modprobe that loads it."""
    kernel = host.kernel
    kernel.module_files = (_module_file(name="toy", aliases=("net-pf-9",), init=family, exit=gone, size=4096),)
    asked = []

    def modprobe(argv):
        asked.append(argv[-1])
        file = _find_module_file(kernel, argv[-1])
        if file is not None and file.name not in kernel.modules:
            load_module(kernel, file)
        return 0

    kernel.usermodehelper = modprobe
    host.asked = asked
    return host


def test_without_modprobe_the_family_stays_unknown(host):
    assert host("socket", AF_X25, 1, 0) == EAFNOSUPPORT


def test_a_family_is_loaded_when_it_is_asked_for(modular):
    fd = modular("socket", AF_X25, 1, 6)
    assert fd == 3
    assert modular.asked == ["net-pf-9"]
    toy = modular.kernel.modules["toy"]
    assert module_refcount(toy) == 0  # the socket's operations are built in; the family is only held while it creates
    assert modular("socket", AF_X25, 1, 6) == 4
    assert modular.asked == ["net-pf-9"]


def test_a_failed_create_lets_go(modular):
    assert modular("socket", AF_X25, 5, 0) < 0
    assert module_refcount(modular.kernel.modules["toy"]) == 0


def test_init_module_and_delete_module(modular):
    assert modular("init_module", b"toy\0", 4, b"\0") == 0
    assert modular("init_module", b"toy\0", 4, b"\0") == EEXIST
    assert modular("init_module", b"junk", 4, b"\0") == ENOEXEC
    toy = modular.kernel.modules["toy"]
    toy.refcnt += 1
    assert modular("delete_module", b"toy\0", 0) == EWOULDBLOCK
    toy.refcnt -= 1
    assert modular("delete_module", b"toy\0", 0) == 0
    assert modular("delete_module", b"toy\0", 0) == ENOENT
    modular.kernel.usermodehelper = None
    assert modular("socket", AF_X25, 1, 0) == EAFNOSUPPORT


def test_only_root_may(modular):
    modular("setuid", 65534)
    assert modular("init_module", b"toy\0", 4, b"\0") == EPERM
    assert modular("delete_module", b"toy\0", 0) == EPERM


def test_x25_is_held_by_its_sockets(host):
    assert host("init_module", b"x25\0", 4, b"\0") == 0
    module = host.kernel.modules["x25"]
    assert host("socket", AF_X25, 1, 0) == -94  # ESOCKTNOSUPPORT
    fd = host("socket", AF_X25, 5, 0)
    assert fd == 3
    assert module_refcount(module) == 2  # its operations and its proto
    assert host("delete_module", b"x25\0", 0o4000) == EWOULDBLOCK
    name = b"\x09\0" + b"1234".ljust(16, b"\0")
    assert host("bind", fd, name, 18) == 0
    assert host("bind", fd, name, 18) == -22
    assert host("listen", fd, 1) == 0
    own, length = host.room(18), host.put(b"\x12\0\0\0")
    assert host("getsockname", fd, own, length) == 0
    assert host.get(own, 18) == name
    assert host("connect", fd, name, 18) == -101
    assert host("close", fd) == 0
    assert module_refcount(module) == 0
    assert host("delete_module", b"x25\0", 0o4000) == 0
    assert host("socket", AF_X25, 5, 0) == EAFNOSUPPORT
