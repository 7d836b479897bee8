"""/proc/net/stat: what is counted of routes and neighbours; log_martians."""

import struct

import pytest

from kshell.linux.fs.proc.proc_sysctl import _sysctl_set
from tests.linux.net.test_sysctl_effects import Scene
from tests.world.network import Net, address


def two():
    net = Net(["a", "b"], ["a.eth0 b.eth0"])
    net.a.up("eth0", "10.0.0.1")
    net.b.up("eth0", "10.0.0.2")
    return net


def counts(node, name):
    """Column to number, of the file's only line."""
    fd = node("open", f"/proc/net/stat/{name}\0".encode(), 0)
    assert fd >= 0
    where = node.put(bytes(4096))
    titles, line = node.get(where, node("read", fd, where, 4096)).decode().splitlines()
    node("close", fd)
    return dict(zip(titles.split(), (int(word, 16) for word in line.split()), strict=True))


def changed(before, after):
    return {name: after[name] - before[name] for name in after if after[name] != before[name]}


def forged(net, source, destination):
    """a sends b a datagram that is not what it seems."""
    raw = net.a("socket", 2, 3, 255)
    header = struct.pack(">BBHHHBBH", 0x45, 0, 28, 7, 0, 64, 17, 0)
    to = [bytes(map(int, text.split("."))) for text in (source, destination)]
    packet = header + b"".join(to) + struct.pack(">HHHH", 9, 9, 8, 0)
    assert net.a("sendto", raw, packet, len(packet), 0, address("10.0.0.2"), 16) == len(packet)
    net.quiet(1)


def log(node):
    return [line for _, _, line in node.kernel.log_buf]


def test_a_ping_needs_a_neighbour_and_routes():
    net = two()
    neighbours, routes = counts(net.a, "arp_cache"), counts(net.a, "rt_cache")
    assert net.a.ping("10.0.0.2") == ("reply", "10.0.0.2")
    made = changed(neighbours, counts(net.a, "arp_cache"))
    assert made["entries"] == made["allocs"] == 1
    assert changed(routes, counts(net.a, "rt_cache"))["out_slow_tot"] >= 1
    before = counts(net.a, "arp_cache"), counts(net.a, "rt_cache")
    net.a.ping("10.0.0.2")
    assert changed(before[0], counts(net.a, "arp_cache")) == {}
    assert changed(before[1], counts(net.a, "rt_cache")) == {}


def test_who_does_not_answer_is_counted():
    net = two()
    before = counts(net.a, "arp_cache")
    net.a.ping("10.0.0.9")
    assert changed(before, counts(net.a, "arp_cache"))["res_failed"] == 1


@pytest.mark.parametrize(
    ("source", "counter", "line"),
    [
        ("10.0.0.2", "in_martian_src", "martian source 10.0.0.2 from 10.0.0.2, on dev eth0"),
        ("127.0.0.1", "in_martian_src", "martian source 10.0.0.2 from 127.0.0.1, on dev eth0"),
        ("224.0.0.1", "in_martian_src", "martian source 10.0.0.2 from 224.0.0.1, on dev eth0"),
    ],
)
@pytest.mark.parametrize("setting", ["all", "eth0", ""])
def test_martians_are_counted_and_logged_when_asked(source, counter, line, setting):
    net = two()
    net.a.ping("10.0.0.2")
    if setting:
        _sysctl_set(net.b.kernel, f"net/ipv4/conf/{setting}/log_martians", "1")
    before = counts(net.b, "rt_cache")
    forged(net, source, "10.0.0.2")
    assert changed(before, counts(net.b, "rt_cache"))[counter] == 1
    assert (line in log(net.b)) == bool(setting)
    assert any(text.startswith("ll header: 00000000: ") for text in log(net.b)) == bool(setting)


@pytest.mark.parametrize("wanted", ["0", "1"])
def test_redirects_that_are_not_heeded_are_logged_when_asked(wanted):
    settings = [(f"net/ipv4/conf/{name}/accept_redirects", "0") for name in ("all", "eth0")]
    settings += [("net/ipv4/route/redirect_number", "1"), ("net/ipv4/conf/all/log_martians", wanted)]
    machines = Scene("redirect", settings).session.machines
    host, router = ([line for _, _, line in machines[name].kernel.log_buf] for name in ("", "r"))
    ignored = "Redirect from 10.0.0.2 on eth0 about 10.0.0.3 ignored"
    assert (ignored in host) == (wanted == "1")
    assert ("  Advised path = 10.0.0.1 -> 10.9.0.5" in host) == (wanted == "1")
    assert ("host 10.0.0.1/if2 ignores redirects for 10.9.0.5 to 10.0.0.3" in router) == (wanted == "1")
