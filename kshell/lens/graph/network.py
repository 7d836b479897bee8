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
    from kshell.linux.include.net.net_namespace import net as net_t
    from kshell.world.hosts import Cable, World
    from kshell.world.machine import Machine

TIMES: Final = ((1_000_000_000, "s"), (1_000_000, "ms"), (1_000, "us"), (1, "ns"))
RATES: Final = ((1_000_000_000, "Gbit"), (1_000_000, "Mbit"), (1_000, "kbit"), (1, "bit"))


def network(machines: Mapping[str, Machine], detail: int = 0) -> Graph:
    """The hosts of a world and the network namespaces in them, from the one that the first link begins at."""
    graph = Graph("network")
    world = machines[""].world
    places: dict[net_device, tuple[str, int]] = {}
    for name, machine in machines.items():
        if name or world is None or _linked(world, LOCALHOST) or len(machine.kernel.net_namespace_list) > 1:
            _add_host(graph, name or LOCALHOST, machine, detail, places)
    _pairs(graph, places)
    if world is not None:
        for name, switch in world.switches.items():
            ports = len([port for port in switch.ports if port.link is not None])
            graph.add(Box(name, name, f"switch, {ports} port{'s' * (ports != 1)}" if detail < 2 else "switch", kind="static"))
        for cable in world.cables:
            _edge(graph, world, cable, places)
    _columns(graph)
    return graph


def _linked(world: World, name: str) -> bool:
    return any(end.partition(".")[0] == name for cable in world.cables for end in (cable.a, cable.b))


def _add_host(
    graph: Graph, name: str, machine: Machine, detail: int, places: dict[net_device, tuple[str, int]]
) -> None:
    """A box for each network namespace of a host; places: where each device stands (box, row)."""
    kernel = machine.kernel
    for net in kernel.net_namespace_list:
        first = net is kernel.init_net
        key = name if first else f"{name}/{net.ns.inum}"
        devices = [dev for dev in net.dev_base_head if dev is not net.loopback_dev]
        rows = [Row(dev.name, _device(dev, detail), port=True) for dev in devices]
        lo = net.loopback_dev.ip_ptr
        router = "router" if lo is not None and bool(IN_DEV_FORWARD(lo)) else ""
        title = name if first else f"{name}: {namespace_name(net)}"
        graph.add(Box(key, title, router if first else "namespace, router" if router else "namespace", rows))
        places.update({dev: (key, row) for row, dev in enumerate(devices)})


def namespace_name(net: net_t) -> str:
    """What a person calls a namespace: the name it is bound to, else the tasks in it, else its number."""
    kernel = net.kernel
    for mnt in kernel.init_mnt_ns.list:
        if mnt.mnt_root.d_inode is not None and mnt.mnt_root.d_inode.i_private is net:
            return mnt.mnt_mountpoint.d_name.name.decode("utf-8", "backslashreplace")
    tasks = [task for task in kernel.tasklist if task.nsproxy is not None and task.nsproxy.net_ns is net]
    return " ".join(f"{task.comm}[{task.pid}]" for task in tasks) or f"net:[{net.ns.inum}]"


def _opposite(dev: net_device) -> net_device | None:
    """The other end of a pair."""
    ops, iflink = dev.rtnl_link_ops, dev.netdev_ops.ndo_get_iflink
    if ops is None or ops.get_link_net is None or iflink is None:
        return None
    return ops.get_link_net(dev).dev_index_head.get(iflink(dev))


def _pairs(graph: Graph, places: dict[net_device, tuple[str, int]]) -> None:
    """Edges between the ends of pairs in two namespaces."""
    for dev, (key, row) in places.items():
        other = _opposite(dev)
        if other in places and list(graph.boxes).index(key) < list(graph.boxes).index(places[other][0]):
            down = not (dev.flags & other.flags & IFF_UP)
            graph.edges.append(Edge(key, row, places[other][0], _kind(dev), dashed=down, both=True))


def _kind(dev: net_device) -> str:
    return dev.rtnl_link_ops.kind if dev.rtnl_link_ops is not None else ""


def _device(dev: net_device, detail: int) -> str:
    ifa = dev.ip_ptr.ifa_list if dev.ip_ptr is not None else None
    parts = [] if ifa is None else [f"{ipv4(ifa.ifa_local)}/{ifa.ifa_prefixlen}"]
    other = _opposite(dev)
    if other is not None and other.nd_net is dev.nd_net:
        parts.append(f"to {other.name}")
    if dev._master is not None:
        parts.append(f"in {dev._master.name}")
    if detail == 0 and dev.addr_len:
        parts.append(dev.dev_addr.hex(":"))
    if not dev.flags & IFF_UP:
        parts.append("down")
    return "  ".join(parts)


def _edge(graph: Graph, world: World, cable: Cable, places: dict[net_device, tuple[str, int]]) -> None:
    """A link: from the device's row of the first host to the other end."""
    a, b = cable.a, cable.b
    if "." not in a:
        a, b = b, a
    (source, row), (target, _) = (_end(world, end, places) for end in (a, b))
    graph.edges.append(Edge(source, row, target, link_text(cable), dashed=not cable.link.up, both=True))


def _end(world: World, end: str, places: dict[net_device, tuple[str, int]]) -> tuple[str, int]:
    """The box and the row of an end of a cable; the device may have been renamed, or be in another namespace."""
    host, dot, _ = end.partition(".")
    if not dot:
        return host, -1
    device = world.ports[end].device
    return places.get(device, (host, -1)) if device is not None else (host, -1)


def _columns(graph: Graph) -> None:
    """Neighbours stand in neighbouring columns, from the first box on."""
    near: dict[str, list[str]] = {key: [] for key in graph.boxes}
    for edge in graph.edges:
        near[edge.source].append(edge.target)
        near[edge.target].append(edge.source)
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
