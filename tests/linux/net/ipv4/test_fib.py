"""Routes: the trie against brute force, and the ioctls of routes and addresses."""

import random
import struct

import pytest

from kshell.abi.errno import (
    EADDRNOTAVAIL,
    EEXIST,
    EHOSTUNREACH,
    EINVAL,
    ENETUNREACH,
    ENODEV,
    EPERM,
    ESRCH,
)
from kshell.abi.ioctl import (
    SIOCADDRT,
    SIOCDELRT,
    SIOCGIFADDR,
    SIOCGIFBRDADDR,
    SIOCGIFNETMASK,
    SIOCSIFADDR,
    SIOCSIFFLAGS,
    SIOCSIFNETMASK,
)
from kshell.abi.netlink import NLM_F_APPEND, NLM_F_CREATE
from kshell.abi.rtnetlink import (
    RT_SCOPE_LINK,
    RT_TABLE_MAIN,
    RTN_BLACKHOLE,
    RTN_LOCAL,
    RTN_UNICAST,
    RTN_UNREACHABLE,
)
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.netdevice import NETDEV_DOWN
from kshell.linux.include.net.flow import flowi4
from kshell.linux.include.net.ip_fib import FIB_LOOKUP_NOREF, fib_config, fib_result
from kshell.linux.net.ipv4 import fib_semantics_sync, fib_trie, route_output
from kshell.linux.net.ipv4.fib_frontend import fib_new_table, inet_addr_type
from tests.linux.net.ipv4.conftest import sin

TYPES = (RTN_UNICAST, RTN_UNICAST, RTN_BLACKHOLE, RTN_UNREACHABLE)
REJECT = {RTN_BLACKHOLE: EINVAL, RTN_UNREACHABLE: EHOSTUNREACH}
RTF_UP, RTF_GATEWAY, RTF_HOST = 1, 2, 4


def ip(text):
    return int.from_bytes(bytes(map(int, text.split("."))), "big")


def config(dst, length, type=RTN_UNICAST, table=RT_TABLE_MAIN, priority=0):
    cfg = fib_config()
    cfg.fc_dst = dst & (0xFFFFFFFF << 32 - length) & 0xFFFFFFFF
    cfg.fc_dst_len = length
    cfg.fc_type = type
    cfg.fc_table = table
    cfg.fc_priority = priority
    cfg.fc_scope = RT_SCOPE_LINK if type == RTN_UNICAST else 0
    cfg.fc_oif = 1 if type == RTN_UNICAST else 0
    cfg.fc_nlflags = NLM_F_CREATE | NLM_F_APPEND
    return cfg


def best(routes, address):
    """The longest prefix, by looking at all."""
    found = [(length, -prio, cfg) for (dst, length, prio), cfg in routes.items() if not (address ^ dst) >> 32 - length]
    return max(found, key=lambda f: f[:2])[2] if found else None


@pytest.mark.parametrize("seed", range(4))
def test_the_trie_finds_what_brute_force_finds(host, seed):
    rng = random.Random(seed)
    net = host.kernel.init_net
    table = fib_new_table(net, 77)
    routes = {}
    bases = [rng.getrandbits(32) for _ in range(6)]
    for step in range(400):
        length = rng.choice((0, 1, 8, 12, 16, 20, 23, 24, 25, 28, 31, 32))
        dst = rng.choice(bases) ^ rng.getrandbits(rng.choice((2, 6, 10, 20)))
        cfg = config(dst, length, rng.choice(TYPES), 77, rng.randrange(3))
        key = (cfg.fc_dst, length, cfg.fc_priority)
        if key in routes and rng.random() < 0.7:
            fib_trie.fib_table_delete(net, table, routes.pop(key))
        elif key not in routes:
            fib_trie.fib_table_insert(net, table, cfg)
            routes[key] = cfg
        if step % 5:
            continue
        for _ in range(20):
            address = rng.choice(bases) ^ rng.getrandbits(rng.choice((1, 4, 9, 21, 32)))
            res = fib_result()
            err = fib_trie.fib_table_lookup(table, flowi4(daddr=address), res, FIB_LOOKUP_NOREF)
            wanted = best(routes, address)
            if wanted is None:
                assert err == 11  # EAGAIN: the next table
            elif wanted.fc_type in REJECT:
                assert err == REJECT[wanted.fc_type]
            else:
                assert (err, res.prefixlen, res.type) == (0, wanted.fc_dst_len, wanted.fc_type)
    for cfg in routes.values():
        fib_trie.fib_table_delete(net, table, cfg)
    res = fib_result()
    assert fib_trie.fib_table_lookup(table, flowi4(daddr=bases[0]), res, FIB_LOOKUP_NOREF) == 11


@pytest.mark.parametrize("seed", range(4))
def test_a_flush_leaves_what_lives(host, seed):
    rng = random.Random(seed)
    net = host.kernel.init_net
    table = fib_new_table(net, 77)
    routes = {}
    for _ in range(300):
        length = rng.choice((0, 8, 16, 20, 24, 25, 31, 32))
        cfg = config(0x0A000000 ^ rng.getrandbits(rng.choice((6, 16, 24))), length, rng.choice(TYPES), 77)
        key = (cfg.fc_dst, length, 0)
        if key not in routes:
            fib_trie.fib_table_insert(net, table, cfg)
            routes[key] = cfg
    fib_semantics_sync.fib_sync_down_dev(net.loopback_dev, NETDEV_DOWN, True)
    left = {key: cfg for key, cfg in routes.items() if cfg.fc_type in REJECT}
    assert fib_trie.fib_table_flush(net, table, False) == len(routes) - len(left)
    for _ in range(300):
        address = 0x0A000000 ^ rng.getrandbits(rng.choice((4, 12, 24)))
        wanted = best(left, address)
        err = fib_trie.fib_table_lookup(table, flowi4(daddr=address), fib_result(), FIB_LOOKUP_NOREF)
        assert err == (11 if wanted is None else REJECT[wanted.fc_type])
    assert fib_trie.fib_table_flush(net, table, True) == len(left)
    assert table.tb_data.kv.tnode == [None]


def test_deleting_what_is_not_there(host):
    net = host.kernel.init_net
    with pytest.raises(KernelError) as error:
        fib_trie.fib_table_delete(net, fib_new_table(net, RT_TABLE_MAIN), config(ip("10.0.0.0"), 8))
    assert error.value.errno == ESRCH


def test_the_loopback_device_makes_127_local(host):
    net = host.kernel.init_net
    assert inet_addr_type(net, ip("127.0.0.1")) == RTN_LOCAL
    assert inet_addr_type(net, ip("127.200.3.4")) == RTN_LOCAL
    assert inet_addr_type(net, ip("10.0.0.1")) == RTN_UNICAST


def output(net, daddr, **flow):
    fl4 = flowi4(daddr=ip(daddr), **flow)
    return route_output.ip_route_output_flow(net, fl4, None), fl4


def test_output_chooses_a_source(host):
    net = host.kernel.init_net
    rt, fl4 = output(net, "127.0.0.5")
    assert (rt.dev.name, fl4.saddr) == ("lo", ip("127.0.0.1"))
    rt, fl4 = output(net, "0.0.0.0")
    assert fl4.daddr == ip("127.0.0.1")
    with pytest.raises(KernelError) as error:
        output(net, "10.0.0.1")
    assert error.value.errno == ENETUNREACH


def rtentry(dst, mask="255.255.255.255", gateway=None, dev=0, flags=RTF_UP, metric=0):
    address = sin(0, gateway) if gateway else bytes(16)
    raw = bytes(8) + sin(0, dst) + address + sin(0, mask) + struct.pack("<H", flags) + bytes(22)
    return raw.ljust(80, b"\0") + struct.pack("<h6xQ", metric, dev) + bytes(24)


def test_route_ioctls(net, host):
    s = net.socket()
    dev = host.put(b"lo\0")
    entry = rtentry("10.0.0.0", "255.0.0.0", dev=dev)
    assert host("ioctl", s, SIOCADDRT, entry) == 0
    assert host("ioctl", s, SIOCADDRT, entry) == -EEXIST
    assert net.send(s, b"x", (9, "10.1.1.1")) == 1
    assert host("ioctl", s, SIOCADDRT, rtentry("10.0.0.1", "255.0.0.0", dev=dev)) == -EINVAL
    assert host("ioctl", s, SIOCADDRT, rtentry("10.0.0.0", "255.0.0.0", dev=host.put(b"eth9\0"))) == -ENODEV
    assert host("ioctl", s, SIOCADDRT, rtentry("11.0.0.0", "255.0.0.0", "99.1.1.1", flags=RTF_UP | RTF_GATEWAY)) == (
        -ENETUNREACH
    )
    assert host("ioctl", s, SIOCDELRT, entry) == 0
    assert host("ioctl", s, SIOCDELRT, entry) == -ESRCH
    assert net.send(s, b"x", (9, "10.1.1.1")) == -ENETUNREACH
    child = host.fork()
    assert host("setuid", 1000, task=child) == 0
    assert host("ioctl", s, SIOCADDRT, entry, task=child) == -EPERM


def ifreq(name, ip="0.0.0.0"):
    return name.ljust(16, b"\0") + sin(0, ip) + bytes(8)


def test_address_ioctls(net):
    s = net.socket()

    def address(command, name=b"lo"):
        got = net.ioctl(s, command, ifreq(name))
        return got if isinstance(got, int) else ".".join(map(str, got[20:24]))

    assert address(SIOCGIFADDR) == "127.0.0.1"
    assert address(SIOCGIFNETMASK) == "255.0.0.0"
    assert address(SIOCGIFBRDADDR) == "0.0.0.0"
    assert address(SIOCGIFADDR, b"eth7") == -ENODEV
    assert address(SIOCGIFADDR, b"lo:1") == -EADDRNOTAVAIL
    assert not isinstance(net.ioctl(s, SIOCSIFADDR, ifreq(b"lo:1", "10.9.8.7")), int)
    assert address(SIOCGIFADDR, b"lo:1") == "10.9.8.7"
    assert address(SIOCGIFNETMASK, b"lo:1") == "255.0.0.0"
    assert not isinstance(net.ioctl(s, SIOCSIFNETMASK, ifreq(b"lo:1", "255.255.255.0")), int)
    assert net.ioctl(s, SIOCSIFNETMASK, ifreq(b"lo:1", "255.0.255.0")) == -EINVAL
    assert net.bound(7000, "10.9.8.7") > 0
    assert net.send(s, b"x", (7000, "10.9.8.7")) == 1
    assert net.ioctl(s, SIOCSIFADDR, ifreq(b"lo:1", "224.0.0.1")) == -EINVAL


def test_a_device_that_is_down(net):
    s = net.socket()
    down = b"lo".ljust(16, b"\0") + bytes(24)
    assert not isinstance(net.ioctl(s, SIOCSIFFLAGS, down), int)
    assert net.send(s, b"x", (9,)) == 1  # local routes stay; noop_qdisc drops with NET_XMIT_CN
    assert not isinstance(net.ioctl(s, SIOCSIFFLAGS, down[:16] + b"\1" + down[17:]), int)
    a = net.bound(5000)
    assert net.send(s, b"x", (5000,)) == 1
    assert net.drain(a) == [b"x"]
