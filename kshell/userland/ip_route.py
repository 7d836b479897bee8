"""ip route: show, get, flush; what changes routes is in ip_route_change."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from kshell.abi import rtnetlink as r
from kshell.abi.rtnetlink import RTM_F_CLONED
from kshell.abi.socket import AF_INET
from kshell.userland import ip_link, ip_route_change
from kshell.userland.addresses import ipv4_of, parse_address, parse_prefix
from kshell.userland.iproute import Options, command, integer, value, wrong
from kshell.userland.rtnl import Message, Netlink, NetlinkError, attribute, attributes, number
from kshell.userland.runtime import ProgramError

if TYPE_CHECKING:
    from kshell.userland.runtime import Process

RTMSG: Final = struct.Struct("<BBBBBBBBI")
RTNEXTHOP: Final = struct.Struct("<HBBi")
HEADER: Final = 12
TYPES: Final = {
    1: "unicast", 2: "local", 3: "broadcast", 4: "anycast", 5: "multicast", 6: "blackhole", 7: "unreachable",
    8: "prohibit", 9: "throw", 10: "nat",
}  # fmt: skip
TYPE_NUMBERS: Final = {name: kind for kind, name in TYPES.items()}
TABLES: Final = {253: "default", 254: "main", 255: "local"}
TABLE_NUMBERS: Final = {"default": 253, "main": 254, "local": 255, "all": 0}
PROTOCOLS: Final = {
    0: "unspec", 1: "redirect", 2: "kernel", 3: "boot", 4: "static", 8: "gated", 9: "ra", 10: "mrt", 11: "zebra",
    12: "bird", 14: "xorp", 16: "dhcp", 18: "keepalived", 42: "babel", 186: "bgp", 188: "ospf", 189: "rip",
}  # fmt: skip
PROTOCOL_NUMBERS: Final = {name: protocol for protocol, name in PROTOCOLS.items()}
SCOPES: Final = {0: "global", 200: "site", 253: "link", 254: "host", 255: "nowhere"}
SCOPE_NUMBERS: Final = {name: scope for scope, name in SCOPES.items()}
METRICS: Final = {
    2: "mtu", 3: "window", 4: "rtt", 5: "rttvar", 6: "ssthresh", 7: "cwnd", 8: "advmss", 9: "reordering",
    10: "hoplimit", 11: "initcwnd", 12: "features", 13: "rto_min", 14: "initrwnd", 15: "quickack",
}  # fmt: skip
RTT, RTTVAR, LOCK = 4, 5, 1
_FLAGS: Final = (
    (r.RTNH_F_DEAD, "dead"), (r.RTNH_F_ONLINK, "onlink"), (r.RTNH_F_PERVASIVE, "pervasive"),
    (r.RTNH_F_OFFLOAD, "offload"), (r.RTNH_F_TRAP, "trap"), (r.RTM_F_NOTIFY, "notify"), (r.RTNH_F_LINKDOWN, "linkdown"),
    (r.RTNH_F_UNRESOLVED, "unresolved"), (r.RTM_F_OFFLOAD, "rt_offload"), (r.RTM_F_TRAP, "rt_trap"),
    (r.RTM_F_OFFLOAD_FAILED, "rt_offload_failed"),
)  # fmt: skip


class Route:
    """A route as the kernel describes it."""

    def __init__(self, message: Message) -> None:
        (self.family, self.dst_len, self.src_len, self.tos, table, self.protocol, self.scope, self.type,
         self.flags) = RTMSG.unpack_from(message.body)  # fmt: skip
        self.attrs = message.attrs(HEADER)
        self.table = number(self.attrs[r.RTA_TABLE]) if r.RTA_TABLE in self.attrs else table


async def run(p: Process, options: Options, words: list[str]) -> None:
    """ip route ..."""
    verb, rest = command(
        words, ("add", "append", "change", "delete", "get", "flush", "prepend", "replace", "show"), "route"
    )
    net = await Netlink.open(p)
    try:
        if verb in ("show", "flush"):
            await _show(net, options, rest, verb == "flush")
        elif verb == "get":
            await _get(net, options, rest)
        else:
            await ip_route_change.change(net, verb, rest)
    finally:
        await net.close()


# ---- showing


def _table(word: str) -> int:
    return TABLE_NUMBERS[word] if word in TABLE_NUMBERS else integer(word, "table id value is invalid\n")


def protocol_number(word: str) -> int:
    """The number of a routing protocol. ProgramError."""
    return PROTOCOL_NUMBERS[word] if word in PROTOCOL_NUMBERS else integer(word, 'invalid "protocol"\n', most=0xFF)


def tos_number(word: str) -> int:
    """Type of service; without 0x in front it is hexadecimal all the same. ProgramError."""
    try:
        tos = int(word, 16)
    except ValueError:
        tos = -1
    if not 0 <= tos <= 0xFF:
        raise wrong(word, "TOS value is invalid\n")
    return tos


class _Filter:
    """What `show` is restricted to."""

    def __init__(self, family: int, rest: list[str]) -> None:
        self.family = family
        self.table, self.device = 254, ""
        self.cache = False
        self.prefix: tuple[int, int] | None = None
        self.match = "exact"
        self.type: int | None = None
        self.protocol: int | None = None
        self.scope: int | None = None
        self.metric: int | None = None
        self.tos: int | None = None
        self.via: int | None = None
        self.source: int | None = None
        while rest:
            word = rest.pop(0)
            if not self._field(word, rest):
                self._prefix(word, rest)

    def _field(self, word: str, rest: list[str]) -> bool:
        if word == "table":
            self.cache = rest[:1] == ["cache"]
            self.table = 0 if self.cache and rest.pop(0) else _table(value(rest, word))
        elif word in ("cache", "cloned"):
            self.cache, self.table = True, 0
        elif word in ("dev", "oif", "iif"):
            self.device = value(rest, word)
        elif word == "type":
            self.type = _type(value(rest, word))
        elif word in ("proto", "protocol"):
            self.protocol = protocol_number(value(rest, word))
        elif word == "scope":
            given = value(rest, word)
            self.scope = SCOPE_NUMBERS[given] if given in SCOPE_NUMBERS else integer(given, 'invalid "scope"\n')
        elif word in ("metric", "priority", "preference"):
            self.metric = integer(value(rest, word), '"metric" value is invalid\n')
        elif word in ("tos", "dsfield"):
            self.tos = tos_number(value(rest, word))
        elif word in ("via", "src"):
            setattr(self, "via" if word == "via" else "source", parse_address(value(rest, word), "inet"))
        else:
            return False
        return True

    def _prefix(self, word: str, rest: list[str]) -> None:
        if word == "to":
            word = value(rest, word)
        if word in ("root", "match", "exact"):
            self.match, word = word, value(rest, word)
        self.prefix = parse_prefix(word)

    def wants(self, route: Route, names: dict[int, str]) -> bool:
        """Whether a route is to be shown."""
        a = route.attrs
        if self.family not in (0, route.family) or bool(route.flags & RTM_F_CLONED) != self.cache:
            return False
        if (self.table and route.table != self.table) or (
            self.device and names.get(number(a.get(r.RTA_OIF))) != self.device
        ):
            return False
        for wanted, held in (
            (self.type, route.type), (self.protocol, route.protocol), (self.scope, route.scope), (self.tos, route.tos),
            (self.via, _address(a.get(r.RTA_GATEWAY))), (self.source, _address(a.get(r.RTA_PREFSRC))),
            (self.metric, number(a.get(r.RTA_PRIORITY))),
        ):  # fmt: skip
            if wanted is not None and wanted != held:
                return False
        return self.prefix is None or self._fits(route, self.prefix)

    def _fits(self, route: Route, prefix: tuple[int, int]) -> bool:
        """Whether it is the prefix, lies in it (root) or holds it (match)."""
        address, length = prefix
        target = _address(route.attrs.get(r.RTA_DST)) or 0
        if self.match == "exact":
            return (target, route.dst_len) == prefix
        shorter, longer = (length, route.dst_len) if self.match == "root" else (route.dst_len, length)
        return shorter <= longer and (not shorter or (target ^ address) >> 32 - shorter == 0)


def _type(word: str) -> int:
    if word not in TYPE_NUMBERS:
        raise wrong(word, "node type value is invalid\n")
    return TYPE_NUMBERS[word]


def _address(data: bytes | None) -> int | None:
    return None if data is None else int.from_bytes(data, "big")


async def _show(net: Netlink, options: Options, rest: list[str], flush: bool) -> None:
    if flush and not rest:
        raise ProgramError('"ip route flush" requires arguments.')
    wanted = _Filter(options.family, rest)
    header = RTMSG.pack(
        options.family or AF_INET, 0, 0, 0, wanted.table if wanted.table < 256 else 252, 0, 0, 0,
        RTM_F_CLONED if wanted.cache else 0,
    )  # fmt: skip
    body = header + (attribute(r.RTA_TABLE, wanted.table) if wanted.table >= 256 else b"")
    names = {link.index: link.name for link in await ip_link.links(net)}
    if wanted.device and wanted.device not in names.values():
        raise ProgramError(f'Cannot find device "{wanted.device}"', 1)
    try:
        routes = [Route(message) for message in await net.dump(r.RTM_GETROUTE, body)]
    except NetlinkError as error:
        said = f"Error: {error.extra}.\n" if error.extra else ""
        raise ProgramError(f"{said}{'Flush' if flush else 'Dump'} terminated", 2) from None
    for route in routes:
        if not wanted.wants(route, names):
            continue
        if flush:
            await ip_route_change.delete(net, route)
        else:
            net.p.print(describe(route, names, wanted, options))


def describe(route: Route, names: dict[int, str], wanted: _Filter | None, options: Options) -> str:
    """One line, with all the blanks that iproute2 puts."""
    a = route.attrs
    kind = str(route.type) if options.numeric else TYPES.get(route.type, str(route.type))
    line = f"{kind} " if route.type != 1 or options.details else ""
    if r.RTA_DST in a:
        line += ipv4_of(a[r.RTA_DST]) + (f"/{route.dst_len} " if route.dst_len != 32 else " ")
    else:
        line += f"0/{route.dst_len} " if route.dst_len else "default "
    if r.RTA_SRC in a:
        line += f"from {ipv4_of(a[r.RTA_SRC])}" + (f"/{route.src_len} " if route.src_len != 32 else " ")
    if route.tos and (wanted is None or wanted.tos is None):
        line += f"tos 0x{route.tos:02x} "
    if r.RTA_GATEWAY in a and (wanted is None or wanted.via is None):
        line += f"via {ipv4_of(a[r.RTA_GATEWAY])} "
    if r.RTA_OIF in a and (wanted is None or not wanted.device):
        line += f"dev {names.get(number(a[r.RTA_OIF]), '?')} "
    line += _behind(route, wanted, options) + _cache(route, options, names) + _metrics(route)
    return line + _hops(a.get(r.RTA_MULTIPATH, b""), names)


def _hops(data: bytes, names: dict[int, str]) -> str:
    """The next hops of a route that has several, one a line."""
    line, at = "", 0
    while at + RTNEXTHOP.size <= len(data):
        length, flags, hops, index = RTNEXTHOP.unpack_from(data, at)
        if length < RTNEXTHOP.size:
            break
        gateway = dict(attributes(data[at + RTNEXTHOP.size : at + length])).get(r.RTA_GATEWAY)
        line += "\n\tnexthop " + (f"via {ipv4_of(gateway)} " if gateway else "")
        line += f"dev {names.get(index, '?')} weight {hops + 1} "
        line += "".join(f"{name} " for bit, name in _FLAGS if flags & bit)
        at += (length + 3) & ~3
    return line


def _behind(route: Route, wanted: _Filter | None, options: Options) -> str:
    a = route.attrs
    line = ""
    cloned = bool(route.flags & RTM_F_CLONED)
    if (wanted is None or not wanted.table) and (options.details or (not cloned and route.table != 254)):
        line += f"table {TABLES.get(route.table, route.table)} "
    if not cloned:
        line += _origin(route, wanted, options)
    if r.RTA_PREFSRC in a and (wanted is None or wanted.source is None):
        line += f"src {ipv4_of(a[r.RTA_PREFSRC])} "
    if r.RTA_PRIORITY in a and (wanted is None or wanted.metric is None):
        line += f"metric {number(a[r.RTA_PRIORITY])} "
    line += "".join(f"{name} " for bit, name in _FLAGS if route.flags & bit)
    line += f"mark {number(a[r.RTA_MARK])} " if r.RTA_MARK in a else ""
    return line + (f"uid {number(a[r.RTA_UID])} " if r.RTA_UID in a else "")


def _origin(route: Route, wanted: _Filter | None, options: Options) -> str:
    line = ""
    if (route.protocol != 3 or options.details) and (wanted is None or wanted.protocol is None):
        line += f"proto {route.protocol if options.numeric else PROTOCOLS.get(route.protocol, route.protocol)} "
    if (route.scope != 0 or options.details) and (wanted is None or wanted.scope is None):
        line += f"scope {route.scope if options.numeric else SCOPES.get(route.scope, route.scope)} "
    return line


def _metrics(route: Route) -> str:
    listed = dict(attributes(route.attrs.get(r.RTA_METRICS, b"")))
    locked, line = number(listed.get(LOCK)), ""
    for kind, data in listed.items():
        if kind != LOCK:
            line += f"{METRICS.get(kind, f'metric {kind}')} {'lock ' if locked >> kind & 1 else ''}"
            line += f"{_metric(kind, number(data))} "
    return line


def _metric(kind: int, held: int) -> str:
    if kind not in (RTT, RTTVAR):
        return str(held)
    held //= 8 if kind == RTT else 4
    return f"{held}ms" if held < 1000 else f"{held / 1000:g}s"


_CACHE_FLAGS: Final = (
    (0x80000000, "local"), (0x40000000, "reject"), (0x20000000, "mc"), (0x10000000, "brd"), (0x00040000, "redirected"),
)  # fmt: skip


def _cache(route: Route, options: Options, names: dict[int, str]) -> str:
    if not route.flags & RTM_F_CLONED:
        return ""
    flags = [name for bit, name in _CACHE_FLAGS if route.flags & bit]
    line = f"{chr(92) if options.oneline else chr(10)}    cache {'<' + ','.join(flags) + '> ' if flags else ''}"
    if r.RTA_CACHEINFO in route.attrs:
        references, last_use, expires, error, used = struct.unpack_from("<IIiII", route.attrs[r.RTA_CACHEINFO])
        line += f"expires {expires // 100}sec " if expires else ""
        line += f"error {error} " if error else ""
        if options.statistics:
            line += f"users {references} " if references else ""
            line += f"used {used} " if used else ""
            line += f"age {last_use // 100}sec " if last_use else ""
    if r.RTA_IIF in route.attrs:
        line += f"iif {names.get(number(route.attrs[r.RTA_IIF]), '?')} "
    return line


async def _get(net: Netlink, options: Options, rest: list[str]) -> None:
    body, dst, flags, src_len, tos = b"", None, r.RTM_F_LOOKUP_TABLE, 0, 0
    while rest:
        word = rest.pop(0)
        if word == "from":
            source, src_len = parse_prefix(value(rest, word))
            body += attribute(r.RTA_SRC, source.to_bytes(4, "big"))
        elif word in ("oif", "dev", "iif"):
            kind = r.RTA_IIF if word == "iif" else r.RTA_OIF
            body += attribute(kind, await ip_link.index_of(net, value(rest, word)))
        elif word in ("mark", "uid"):
            given = integer(value(rest, word), f"invalid {word if word == 'mark' else 'UID'}\n")
            body += attribute(r.RTA_MARK if word == "mark" else r.RTA_UID, given)
        elif word in ("tos", "dsfield"):
            tos = tos_number(value(rest, word))
        elif word == "fibmatch":
            flags |= r.RTM_F_FIB_MATCH
        else:
            dst = parse_prefix(value(rest, word) if word == "to" else word)
    if dst is None:
        raise ProgramError("need at least a destination address", 1)
    header = RTMSG.pack(AF_INET, dst[1], src_len, tos, 0, 0, 0, 0, flags)
    message = await net.get(r.RTM_GETROUTE, header + attribute(r.RTA_DST, dst[0].to_bytes(4, "big")) + body)
    names = {link.index: link.name for link in await ip_link.links(net)}
    net.p.print(describe(Route(message), names, None, options))
