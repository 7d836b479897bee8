"""Sockets as descriptors: making, naming, duplicating, closing, and every error before a family is asked."""

import struct

import pytest

EBADF, EFAULT, EINVAL, ENOTSOCK, EMFILE = -9, -14, -22, -88, -24
EOPNOTSUPP, EAFNOSUPPORT, ESOCKTNOSUPPORT, EPROTONOSUPPORT, EPERM = -95, -97, -94, -93, -1
CLOEXEC, NONBLOCK = 0o2000000, 0o4000


@pytest.mark.parametrize(
    ("family", "type", "protocol", "result"),
    [
        (2, 1, 0, 3),
        (2, 1, 6, 3),
        (2, 2, 17, 3),
        (2, 3, 1, 3),
        (2, 10, 0x300, 3),  # SOCK_PACKET becomes AF_PACKET
        (1, 3, 0, 3),  # AF_UNIX takes SOCK_RAW for SOCK_DGRAM
        (16, 3, 0, 3),
        (17, 3, 0x300, 3),
        (10, 1, 0, 3),
        (-1, 1, 0, EAFNOSUPPORT),
        (46, 1, 0, EAFNOSUPPORT),
        (99, 1, 0, EAFNOSUPPORT),
        (9, 1, 0, EAFNOSUPPORT),  # a module that nobody loads
        (2, 15, 0, EINVAL),
        (2, 11, 0, EINVAL),
        (2, 1 | 0x10, 0, EINVAL),  # an unknown flag
        (2, 5, 0, ESOCKTNOSUPPORT),
        (2, 1, 17, EPROTONOSUPPORT),
        (2, 1, 300, EINVAL),
        (1, 1, 2, EPROTONOSUPPORT),
    ],
)
def test_socket(host, family, type, protocol, result):
    assert host("socket", family & 0xFFFFFFFF, type, protocol) == result


def test_raw_sockets_need_a_capability(host):
    host("setuid", 65534)
    assert host("socket", 2, 3, 1) == EPERM
    assert host("socket", 17, 3, 0x300) == EPERM
    assert host("socket", 2, 1, 0) == 3


def test_flags_of_socket_reach_descriptor_and_file(host):
    fd = host("socket", 2, 1 | CLOEXEC | NONBLOCK, 0)
    assert host("fcntl", fd, 1, 0) == 1
    assert host("fcntl", fd, 3, 0) == 0o2 | NONBLOCK


def test_inode_and_slab_are_given_back(host):
    before = {cache.name: cache._inuse for cache in host.kernel.slab_caches}
    for family, type in ((1, 1), (2, 1), (2, 2), (2, 3), (16, 3), (17, 3)):
        fd = host("socket", family, type, 1 if type == 3 and family == 2 else 0)
        assert host.kernel.init_net.core.prot_inuse.all > 0
        assert host("close", fd) == 0
    assert {cache.name: cache._inuse for cache in host.kernel.slab_caches} == before
    assert host.kernel.init_net.core.prot_inuse.all == 0


def test_socketfs_inode(host):
    fd = host("socket", 1, 1, 0)
    sock = host.init.files.fdt.fd[fd].private_data
    alloc = sock._alloc
    assert alloc.socket is sock
    assert sock._addr == alloc._addr
    assert alloc.vfs_inode._addr == alloc._addr + 128
    assert alloc.vfs_inode.i_mode == 0o140777
    assert host("lseek", fd, 0, 0) == -29  # ESPIPE


@pytest.mark.parametrize(
    ("call", "args"),
    [
        ("bind", (0, 0)),
        ("listen", (1,)),
        ("accept", (0, 0)),
        ("connect", (0, 0)),
        ("getsockname", (0, 0)),
        ("getpeername", (0, 0)),
        ("sendto", (0, 0, 0, 0, 0)),
        ("recvfrom", (0, 0, 0, 0, 0)),
        ("sendmsg", (0, 0)),
        ("recvmsg", (0, 0)),
        ("shutdown", (0,)),
        ("setsockopt", (1, 2, 0, 4)),
        ("getsockopt", (1, 2, 0, 0)),
    ],
)
def test_bad_descriptors_come_before_all_else(host, call, args):
    assert host(call, 77, *args) == EBADF
    reading, _ = host.pipe()
    assert host(call, reading, *args) == ENOTSOCK


@pytest.mark.parametrize(("address", "length", "result"), [(0x1000, 16, EFAULT), (0, 129, EINVAL), (0, 2**32 - 1, EINVAL)])
def test_addresses_are_fetched_before_the_family_sees_them(host, address, length, result):
    fd = host("socket", 2, 1, 0)
    assert host("bind", fd, address, length) == result
    assert host("connect", fd, address, length) == result


def test_names_are_cut_to_the_room_but_told_in_full(host):
    fd = host("socket", 2, 1, 0)
    name, length = host.room(16), host.put(struct.pack("<i", 4))
    assert host("getsockname", fd, name, length) == 0
    assert host.get(name, 5) == b"\x02\0\0\0\0"
    assert host.word(length) == 16
    negative = host.put(struct.pack("<i", -1))
    assert host("getsockname", fd, name, negative) == EINVAL


def test_accept_flags_are_checked_first(host):
    fd = host("socket", 2, 1, 0)
    assert host("accept4", fd, 0, 0, 1) == EINVAL
    assert host("accept4", fd, 0, 0, 0) == EINVAL  # not listening
    assert host("socket", 2, 1, 0) == fd + 1  # the descriptor it had taken is free again


def test_socketpair_stores_the_numbers_first(host):
    assert host("socketpair", 1, 1, 0, 0x1000) == EFAULT
    assert host("socketpair", 2, 1, 0, host.room(8)) == EOPNOTSUPP
    first, second = host.pair("socketpair", 1, 1, 0, ...)
    assert (first, second) == (3, 4)


def test_descriptor_limit_releases_the_socket(host):
    host("prlimit64", 0, 7, struct.pack("<QQ", 3, 3), 0)
    inuse = host.kernel.sock_inode_cachep._inuse
    assert host("socket", 2, 1, 0) == EMFILE
    assert host.kernel.sock_inode_cachep._inuse == inuse


def test_sendmmsg_counts_messages_and_recvmmsg_takes_what_is_there(host):
    a, b = host.pair("socketpair", 1, 2 | NONBLOCK, 0, ...)
    first, second = host.put(b"one"), host.put(b"three")
    iovs = [host.put(struct.pack("<QQ", first, 3)), host.put(struct.pack("<QQ", second, 5))]
    vector = host.put(b"".join(struct.pack("<QQQQQQQQ", 0, 0, iov, 1, 0, 0, 0, 0) for iov in iovs))
    assert host("sendmmsg", a, vector, 2, 0) == 2
    assert [host.word(vector + 56), host.word(vector + 120)] == [3, 5]
    room = host.room(16)
    iovs = [host.put(struct.pack("<QQ", room, 8)), host.put(struct.pack("<QQ", room + 8, 8))]
    vector = host.put(b"".join(struct.pack("<QQQQQQQQ", 0, 0, iov, 1, 0, 0, 0, 0) for iov in (*iovs, iovs[0])))
    assert host("recvmmsg", b, vector, 3, 0, 0) == 2
    assert host.get(room, 13) == b"one".ljust(8, b"\0") + b"three"


def test_sigio_reaches_the_owner(host):
    a, _b = host.pair("socketpair", 1, 1, 0, ...)
    assert host("ioctl", a, 0x8901, struct.pack("<i", 1)) == 0  # FIOSETOWN
    owner = host.room(4)
    assert host("ioctl", a, 0x8903, owner) == 0
    assert host.word(owner) == 1
    assert host("ioctl", a, 0x5452, struct.pack("<i", 1)) == 0  # FIOASYNC
    sock = host.init.files.fdt.fd[a].private_data
    assert sock.wq.fasync_list is not None
    assert sock.sk.sk_flags >> 16 & 1
    assert host("close", a) == 0
    assert sock.wq.fasync_list is None
