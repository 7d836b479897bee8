"""ip monitor: what the kernel tells of changes to links, addresses, routes, neighbours (rtnetlink's groups)."""

from __future__ import annotations

import struct
from time import gmtime, strftime
from typing import TYPE_CHECKING, Final

from kshell.abi import if_link as f
from kshell.abi import rtnetlink as r
from kshell.abi.netlink import NETLINK_ADD_MEMBERSHIP
from kshell.abi.socket import SOL_NETLINK
from kshell.userland import ip_addr, ip_link, ip_link_show, ip_neigh, ip_netns, ip_route
from kshell.userland.iproute import EXIT_MINUS_ONE, Options
from kshell.userland.rtnl import Message, Netlink, number
from kshell.userland.runtime import ProgramError

if TYPE_CHECKING:
    from kshell.userland.runtime import Process

CLOCK_REALTIME: Final = 0
_OBJECTS: Final = {
    "link": (r.RTNLGRP_LINK,), "address": (r.RTNLGRP_IPV4_IFADDR, r.RTNLGRP_IPV6_IFADDR),
    "route": (r.RTNLGRP_IPV4_ROUTE, r.RTNLGRP_IPV6_ROUTE), "neigh": (r.RTNLGRP_NEIGH,),
    "netconf": (r.RTNLGRP_IPV4_NETCONF, r.RTNLGRP_IPV6_NETCONF), "rule": (r.RTNLGRP_IPV4_RULE, r.RTNLGRP_IPV6_RULE),
    "nsid": (r.RTNLGRP_NSID,),
}  # fmt: skip
_NETCONF: Final = (
    (r.NETCONFA_FORWARDING, "forwarding"), (r.NETCONFA_RP_FILTER, "rp_filter"),
    (r.NETCONFA_MC_FORWARDING, "mc_forwarding"), (r.NETCONFA_PROXY_NEIGH, "proxy_neigh"),
    (r.NETCONFA_IGNORE_ROUTES_WITH_LINKDOWN, "ignore_routes_with_linkdown"),
)  # fmt: skip
_RP_FILTER: Final = ("off", "strict", "loose")
_WHERE: Final = {r.NETCONFA_IFINDEX_ALL: "all", r.NETCONFA_IFINDEX_DEFAULT: "default"}


class _Monitor:
    """One run: the sockets, and what is known of devices."""

    def __init__(self, net: Netlink, asking: Netlink, label: bool, stamp: bool) -> None:
        self.net = net
        self.asking = asking
        self.label = label
        self.stamp = stamp
        self.names: dict[int, str] = {}
        self.up: dict[int, int] = {}
        self.options = Options()

    async def look(self) -> None:
        """Learn the names of the devices, and which are up."""
        for link in await ip_link.links(self.asking):
            self.names[link.index], self.up[link.index] = link.name, link.flags & 1

    async def tell(self, message: Message) -> None:
        """Print what a message says."""
        kinds = {
            r.RTM_NEWLINK: ("LINK", self._link), r.RTM_NEWADDR: ("ADDR", self._address),
            r.RTM_NEWROUTE: ("ROUTE", self._route), r.RTM_NEWNEIGH: ("NEIGH", self._neighbour),
            r.RTM_NEWNETCONF: ("NETCONF", self._netconf), r.RTM_NEWNSID: ("NSID", self._nsid),
        }  # fmt: skip
        begin = message.type & ~3
        if begin not in kinds:
            return
        label, describe = kinds[begin]
        if self.stamp:
            self.net.p.print(await self._time())
        lines = await describe(message)
        gone = "Deleted " if message.type == begin + 1 else ""
        self.net.p.print((f"[{label}]" if self.label else "") + gone + "\n".join(lines))

    async def _time(self) -> str:
        where = self.net.p.scratch(16)
        await self.net.p.call("clock_gettime", CLOCK_REALTIME, where)
        seconds, nanoseconds = struct.unpack("<qq", self.net.p.memory(where, 16))
        return f"Timestamp: {strftime('%a %b %e %H:%M:%S %Y', gmtime(seconds))} {nanoseconds // 1000} usec"

    async def _link(self, message: Message) -> list[str]:
        link = ip_link.Link(message)
        called = await ip_netns.by_id(self.asking) if _NAMESPACES & link.attrs.keys() else {}
        if message.type == r.RTM_NEWLINK:
            self.names[link.index], self.up[link.index] = link.name, link.flags & 1
        link.attrs.pop(f.IFLA_TXQLEN, None)
        if link.abroad is not None:
            link.netns = called.get(link.abroad, "")
        else:
            link.below_down = not self.up.get(number(link.attrs.get(f.IFLA_LINK)), 1)
        first, second = ip_link_show.headline(link, self.names), ip_link_show.addresses(link, self.options)[0]
        if f.IFLA_NEW_NETNSID in link.attrs:
            new = number(link.attrs[f.IFLA_NEW_NETNSID])
            second += f" new-netns {called[new]}" if new in called else f" new-netnsid {new}"
        if f.IFLA_NEW_IFINDEX in link.attrs:
            second += f" new-ifindex {number(link.attrs[f.IFLA_NEW_IFINDEX])}"
        return [first, second]

    async def _address(self, message: Message) -> list[str]:
        address = ip_addr.Address(message)
        first, second = ip_addr.inet(address)
        return [f"{address.index}: {await self._name(address.index)}    {first}", f"       {second.strip()}"]

    async def _route(self, message: Message) -> list[str]:
        route = ip_route.Route(message)
        await self._name(number(route.attrs.get(r.RTA_OIF)))
        return [ip_route.describe(route, self.names, None, self.options)]

    async def _neighbour(self, message: Message) -> list[str]:
        neighbour = ip_neigh.Neighbour(message)
        await self._name(neighbour.index)
        return [ip_neigh.describe(neighbour, self.names, "", self.options)]

    async def _netconf(self, message: Message) -> list[str]:
        attrs = message.attrs(4)
        index = int.from_bytes(attrs[r.NETCONFA_IFINDEX], "little", signed=True)
        line = f"inet {_WHERE.get(index) or await self._name(index)} "
        for kind, name in _NETCONF:
            if kind in attrs:
                held = number(attrs[kind])
                line += f"{name} {_RP_FILTER[held] if name == 'rp_filter' else 'on' if held else 'off'} "
        return [line]

    async def _nsid(self, message: Message) -> list[str]:
        nsid = number(message.attrs(1).get(r.NETNSA_NSID))
        name = (await ip_netns.by_id(self.asking)).get(nsid, "")
        return [f"nsid {nsid} " + (f"(iproute2 netns name: {name})" if name else "")]

    async def _name(self, index: int) -> str:
        if index and index not in self.names:
            await self.look()
        return self.names.get(index, f"if{index}")


_NAMESPACES: Final = {f.IFLA_LINK_NETNSID, f.IFLA_NEW_NETNSID}


def _objects(words: list[str]) -> tuple[list[str], bool]:
    """What is to be told of, and whether each line begins with its kind. ProgramError."""
    chosen, label = [], False
    for word in words:
        name = next((name for name in _OBJECTS if name.startswith(word)), "")
        if name:
            chosen.append(name)
        elif word in ("label", "all"):
            label = True
        else:
            raise ProgramError(f'Argument "{word}" is unknown, try "ip monitor help".', EXIT_MINUS_ONE)
    return chosen or list(_OBJECTS), label


async def run(p: Process, options: Options, words: list[str]) -> int:
    """ip monitor [all] [label] [link|address|route|neigh|netconf|rule|nsid]... Tells until it is interrupted."""
    chosen, label = _objects(words)
    net, asking = await Netlink.open(p), await Netlink.open(p)
    for name in chosen:
        for group in _OBJECTS[name]:
            await p.call("setsockopt", net.fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, struct.pack("<I", group), 4)
    monitor = _Monitor(net, asking, label, options.timestamp)
    await monitor.look()
    while True:
        for message in await net.receive():
            await monitor.tell(message)
