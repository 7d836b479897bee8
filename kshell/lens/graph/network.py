"""The figure of a network: hosts with their devices and addresses, switches, and the links between them."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

from kshell.abi.netdevice import IFF_UP
from kshell.lens.graph.model import Box, Edge, Graph, Row
from kshell.lens.names import ipv4
from kshell.linux.include.linux.inetdevice import IN_DEV_FORWARD
from kshell.world.machine import LOCALHOST

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kshell.linux.include.linux.netdevice import net_device
    from kshell.world.hosts import Cable, World
    from kshell.world.machine import Machine

TIMES: Final = ((1_000_000_000, "s"), (1_000_000, "ms"), (1_000, "us"), (1, "ns"))
RATES: Final = ((1_000_000_000, "Gbit"), (1_000_000, "Mbit"), (1_000, "kbit"), (1, "bit"))


def network(machines: Mapping[str, Machine], detail: int = 0) -> Graph:
    """The hosts of a world, from the one that the first link begins at."""
    graph = Graph("network")
    world = machines[""].world
    names = [name for name in machines if name or world is None or _linked(world, LOCALHOST)]
    for name in names:
        graph.add(_host(name or LOCALHOST, machines[name], detail))
    if world is None:
        return graph
    for name, switch in world.switches.items():
        ports = len([port for port in switch.ports if port.link is not None])
        graph.add(Box(name, name, f"switch, {ports} ports" if detail < 2 else "switch", kind="static"))
    for cable in world.cables:
        _edge(graph, cable)
    _columns(graph, world)
    return graph


def _linked(world: World, name: str) -> bool:
    return any(end.partition(".")[0] == name for cable in world.cables for end in (cable.a, cable.b))


def _host(name: str, machine: Machine, detail: int) -> Box:
    net = machine.kernel.init_net
    lo = net.loopback_dev.ip_ptr
    router = lo is not None and bool(IN_DEV_FORWARD(lo))
    rows = [Row(dev.name, _device(dev, detail), port=True) for dev in net.dev_base_head if dev is not net.loopback_dev]
    return Box(name, name, "router" if router else "", rows)


def _device(dev: net_device, detail: int) -> str:
    ifa = dev.ip_ptr.ifa_list if dev.ip_ptr is not None else None
    parts = [] if ifa is None else [f"{ipv4(ifa.ifa_local)}/{ifa.ifa_prefixlen}"]
    if dev._master is not None:
        parts.append(f"in {dev._master.name}")
    if detail == 0 and dev.addr_len:
        parts.append(dev.dev_addr.hex(":"))
    if not dev.flags & IFF_UP:
        parts.append("down")
    return "  ".join(parts)


def _edge(graph: Graph, cable: Cable) -> None:
    """A link: from the device's row of the first host to the other end."""
    a, b = cable.a, cable.b
    if "." not in a:
        a, b = b, a
    source, _, device = a.partition(".")
    target = b.partition(".")[0]
    rows = graph.boxes[source].rows
    row = next((i for i, each in enumerate(rows) if each.name == device), -1)
    graph.edges.append(Edge(source, row, target, link_text(cable), dashed=not cable.link.up, both=True))


def _columns(graph: Graph, world: World) -> None:
    """Neighbours stand in neighbouring columns, from the first host of the first link on."""
    near: dict[str, list[str]] = {key: [] for key in graph.boxes}
    for cable in world.cables:
        a, b = cable.a.partition(".")[0], cable.b.partition(".")[0]
        near[a].append(b)
        near[b].append(a)
    for key in graph.boxes:
        if graph.boxes[key].column is None:
            graph.boxes[key].column = 0
            queue = deque([key])
            while queue:
                at = queue.popleft()
                for other in near[at]:
                    if graph.boxes[other].column is None:
                        graph.boxes[other].column = (graph.boxes[at].column or 0) + 1
                        queue.append(other)


def link_text(cable: Cable) -> str:
    """`10ms 10Mbit 1%`"""
    link = cable.link
    parts = []
    if link.delay:
        parts.append(_in_units(link.delay, TIMES))
    if link.rate:
        parts.append(_in_units(link.rate, RATES))
    if link.loss:
        parts.append(f"{link.loss * 100:g}% lost")
    if not link.up:
        parts.append("down")
    return " ".join(parts)


def _in_units(value: int, units: tuple[tuple[int, str], ...]) -> str:
    size, unit = next(each for each in units if value >= each[0])
    return f"{value / size:g}{unit}"
