"""TCP Fast Open: the first connection asks for a cookie, the next one sends data on its SYN."""

import struct

import pytest

from kshell.linux.fs.proc.proc_sysctl import _sysctl_set
from kshell.linux.include.linux import snmp
from tests.world.network import Net, address

MSG_FASTOPEN, TCP_FASTOPEN, EINPROGRESS, O_NONBLOCK = 0x20000000, 23, -115, 0o4000


def network(setting, loss=""):
    net = Net(["a", "b"], [f"a.eth0 b.eth0 delay=10 {loss}"])
    net.a.up("eth0", "10.0.0.1")
    net.b.up("eth0", "10.0.0.2")
    for node in (net.a, net.b):
        _sysctl_set(node.kernel, "net/ipv4/tcp_fastopen", setting)
    return net


def server(net):
    fd = net.b("socket", 2, 1, 0)
    assert net.b("setsockopt", fd, 6, TCP_FASTOPEN, struct.pack("<i", 5), 4) == 0
    assert net.b("bind", fd, address("0.0.0.0", 80), 16) == 0
    assert net.b("listen", fd, 5) == 0


def hello(net):
    fd = net.a("socket", 2, 1 | O_NONBLOCK, 0)
    result = net.a("sendto", fd, b"hello", 5, MSG_FASTOPEN, address("10.0.0.2", 80), 16)
    net.pass_time(1)
    return result


def counted(node, name):
    return node.kernel.init_net.mib.net_statistics[getattr(snmp, f"LINUX_MIB_TCPFASTOPEN{name}")]


@pytest.mark.parametrize(
    ("setting", "results", "asked", "active", "passive"),
    [
        ("3", [EINPROGRESS, 5], 1, 1, 1),
        ("1", [EINPROGRESS, EINPROGRESS], 2, 0, 0),  # the server does not know it
        ("0", [-95, -95], 0, 0, 0),
    ],
)
def test_a_cookie_lets_data_go_on_the_syn(setting, results, asked, active, passive):
    net = network(setting)
    server(net)
    assert [hello(net), hello(net)] == results
    assert counted(net.b, "COOKIEREQD") == asked
    assert (counted(net.a, "ACTIVE"), counted(net.b, "PASSIVE")) == (active, passive)


@pytest.mark.parametrize(("timeout", "stops"), [("3600", 1), ("0", 0)])
def test_a_network_that_eats_such_syns_ends_it_for_a_while(timeout, stops):
    net = network("3")
    _sysctl_set(net.a.kernel, "net/ipv4/tcp_fastopen_blackhole_timeout_sec", timeout)
    server(net)
    hello(net)
    net.b.dev().netdev_ops.ndo_stop(net.b.dev())
    hello(net)
    net.pass_time(200)
    assert counted(net.a, "BLACKHOLE") == stops
