"""scripts/bench net: what packets cost over routers and on a switch, and lookups in long tables.

Each figure is a ratio: the cost per hop, per packet or per lookup in a large network against that in a small one.
"""

import time
from collections.abc import Callable
from functools import partial

from kshell.linux.include.net.flow import flowi4
from kshell.linux.include.net.ip_fib import fib_result
from kshell.linux.net.ipv4 import fib_frontend
from lib.bench import Figure
from tests.world.network import Net, address, number

PACKETS = 200
ROUTERS = (1, 10)
HOSTS = (2, 100)
ROUTES = (10, 10_000)
LOOKUPS = 2000


def figures(rounds: int) -> list[Figure]:
    """Cost per hop, per packet on a switch, per lookup."""
    return [_hops(rounds), _switch(rounds), *_routes(rounds)]


def _least(rounds: int, works: list[Callable[[], object]], count: int) -> list[float]:
    """What each of the works costs (µs) at its best, all by turns: what else the computer does falls on all alike."""
    costs = [[_microseconds(work, count) for work in works] for _ in range(rounds)]
    return [min(column) for column in zip(*costs, strict=True)]


def _microseconds(work: Callable[[], object], count: int) -> float:
    started = time.process_time()
    work()
    return (time.process_time() - started) * 1e6 / count


def chain(routers: int) -> Net:
    """a - r1 - … - b, with routes to the ends."""
    names = ["a", *(f"r{n}" for n in range(1, routers + 1)), "b"]
    ends = [f"{name}.eth{int(name[0] == 'r')}" for name in names[:-1]]
    net = Net(names, [f"{end} {name}.eth0" for end, name in zip(ends, names[1:], strict=True)])
    net.a.up("eth0", "10.0.0.1").route("0.0.0.0", 0, "10.0.0.2")
    for n in range(1, routers + 1):
        node = net.nodes[f"r{n}"].up("eth0", f"10.0.{n - 1}.2").up("eth1", f"10.0.{n}.1").forward()
        if n > 1:
            node.route("10.0.0.0", 24, f"10.0.{n - 1}.1")
        if n < routers:
            node.route(f"10.0.{routers}.0", 24, f"10.0.{n}.2")
    net.b.up("eth0", f"10.0.{routers}.2").route("0.0.0.0", 0, f"10.0.{routers}.1")
    return net


def sender(net: Net, to: str) -> Callable[[], None]:
    """Sends PACKETS datagrams from host a to host b, which wants them."""
    listener = net.b("socket", 2, 2, 0)
    assert net.b("bind", listener, address(to, 7), 16) == 0
    fd = net.a("socket", 2, 2, 0)
    assert net.a("connect", fd, address(to, 7), 16) == 0
    where, room = net.a.put(bytes(64)), net.b.put(bytes(64))
    machine, other = net.a.machine, net.b.machine

    def send() -> None:
        for _ in range(PACKETS):
            assert machine.syscall(net.a.init, 1, (fd, where, 64)) == 64
            machine.run()
            assert other.syscall(net.b.init, 0, (listener, room, 64)) == 64

    send()
    return send


def _hops(rounds: int) -> Figure:
    senders = [sender(chain(routers), f"10.0.{routers}.2") for routers in ROUTERS]
    per_packet = _least(rounds, senders, PACKETS)
    small, large = (cost / (routers + 1) for cost, routers in zip(per_packet, ROUTERS, strict=True))
    detail = f"{large:.1f} µs a hop over {ROUTERS[1]} routers, {small:.1f} µs over {ROUTERS[0]}; ends included"
    return Figure("net hop", large / small, "x of a short chain", 1.3, detail)


def _on_switch(hosts: int) -> Net:
    others = [f"h{n}" for n in range(hosts - 2)]
    net = Net(["a", "b", *others], [f"{name}.eth0 s1" for name in ("a", "b", *others)], ["s1"])
    for n, name in enumerate(("a", "b", *others)):
        net.nodes[name].up("eth0", f"10.0.0.{n + 1}")
    return net


def _switch(rounds: int) -> Figure:
    costs = _least(rounds, [sender(_on_switch(hosts), "10.0.0.2") for hosts in HOSTS], PACKETS)
    detail = f"{costs[1]:.1f} µs a packet with {HOSTS[1]} hosts on the switch, {costs[0]:.1f} µs with {HOSTS[0]}"
    return Figure("net switch", costs[1] / costs[0], "x of two hosts", 1.3, detail)


def _table(routes: int) -> tuple[Net, float]:
    """A host with that many routes, and what adding one cost (µs)."""
    net = Net(["a"], ["a.eth0 s1"], ["s1"])
    net.a.up("eth0", "10.0.0.1")

    def add() -> None:
        for n in range(routes):
            net.a.route(f"172.{16 + (n >> 16)}.{n >> 8 & 255}.{n & 255}", 32, "10.0.0.2")

    return net, _microseconds(add, routes)


def _look(net: Net, flows: list[flowi4]) -> None:
    init_net = net.a.kernel.init_net
    for flow in flows:
        assert not fib_frontend.fib_lookup(init_net, flow, fib_result(), 0)


def _flows(routes: int, destinations: int) -> list[flowi4]:
    """LOOKUPS flows to so many destinations, all over the table."""
    found = [flowi4(daddr=number("172.16.0.0") + n * 7919 % routes) for n in range(destinations)]
    return found * (LOOKUPS // destinations)


def _routes(rounds: int) -> list[Figure]:
    tables = [_table(routes) for routes in ROUTES]
    inserts = [insert for _, insert in tables]
    few, many = ROUTES
    looks = [partial(_look, net, _flows(routes, few)) for (net, _), routes in zip(tables, ROUTES, strict=True)]
    lookups = _least(rounds, [*looks, partial(_look, tables[1][0], _flows(many, LOOKUPS))], LOOKUPS)
    elsewhere = f"; {lookups[2]:.2f} if each goes elsewhere, which is the computer's cache"
    return [
        Figure("net lookup", lookups[1] / lookups[0], "x of a short table", 2,
               f"{lookups[1]:.2f} µs among {many} routes, {lookups[0]:.2f} µs among {few}{elsewhere}"),
        Figure("net route add", inserts[1] / inserts[0], "x of a short table", 2,
               f"{inserts[1]:.1f} µs with {many} routes, {inserts[0]:.1f} µs with {few}"),
    ]  # fmt: skip
