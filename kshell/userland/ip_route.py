"""ip route: show, add, append, replace, change, delete, get, flush."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from kshell.abi import rtnetlink as r
from kshell.abi.netlink import NLM_F_APPEND, NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE
from kshell.abi.rtnetlink import RTM_F_CLONED
from kshell.abi.socket import AF_INET
from kshell.userland import ip_link
from kshell.userland.addresses import ipv4_of, parse_ipv4, parse_prefix
from kshell.userland.iproute import Options, command, integer, value
from kshell.userland.rtnl import Message, Netlink, NetlinkError, attribute, attributes, nest, number
from kshell.userland.runtime import ProgramError

if TYPE_CHECKING:
    from kshell.userland.runtime import Process

RTMSG: Final = struct.Struct("<BBBBBBBBI")
HEADER: Final = 12
TYPES: Final = {
    1: "unicast", 2: "local", 3: "broadcast", 4: "anycast", 5: "multicast", 6: "blackhole", 7: "unreachable",
    8: "prohibit", 9: "throw", 10: "nat",
}  # fmt: skip
TYPE_NUMBERS: Final = {name: kind for kind, name in TYPES.items()}
TABLES: Final = {253: "default", 254: "main", 255: "local"}
TABLE_NUMBERS: Final = {"default": 253, "main": 254, "local": 255, "all": 0}
PROTOCOLS: Final = {
    1: "redirect", 2: "kernel", 3: "boot", 4: "static", 8: "gated", 9: "ra", 16: "dhcp", 11: "zebra", 12: "bird",
}  # fmt: skip
PROTOCOL_NUMBERS: Final = {name: protocol for protocol, name in PROTOCOLS.items()}
SCOPES: Final = {0: "global", 200: "site", 253: "link", 254: "host", 255: "nowhere"}
SCOPE_NUMBERS: Final = {name: scope for scope, name in SCOPES.items()}
METRICS: Final = {
    2: "mtu", 3: "window", 4: "rtt", 5: "rttvar", 6: "ssthresh", 7: "cwnd", 8: "advmss", 9: "reordering",
    10: "hoplimit", 11: "initcwnd", 12: "features", 13: "rto_min", 14: "initrwnd", 15: "quickack",
}  # fmt: skip
METRIC_NUMBERS: Final = {name: metric for metric, name in METRICS.items()}
_NH_FLAGS: Final = ((0x1, "dead"), (0x4, "onlink"), (0x2, "pervasive"), (0x10, "linkdown"))


class Route:
    """A route as the kernel describes it."""

    def __init__(self, message: Message) -> None:
        (_, self.dst_len, self.src_len, self.tos, table, self.protocol, self.scope, self.type,
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
            await _get(net, rest)
        else:
            await _change(net, verb, rest)
    finally:
        await net.close()


# ---- showing


class _Filter:
    """What `show` is restricted to."""

    def __init__(self, rest: list[str]) -> None:
        self.table, self.device, self.type, self.protocol = 254, "", 0, 0
        self.cache = False
        self.prefix: tuple[int, int] | None = None
        self.exact = False
        while rest:
            word = rest.pop(0)
            if word == "table":
                given = value(rest, word)
                if given == "cache":
                    self.cache = True
                else:
                    self.table = TABLE_NUMBERS[given] if given in TABLE_NUMBERS else integer(given, "table")
            elif word == "cache":
                self.cache, self.table = True, 0
            elif word in ("dev", "oif"):
                self.device = value(rest, word)
            elif word == "type":
                self.type = TYPE_NUMBERS.get(value(rest, word), 0)
            elif word in ("proto", "protocol"):
                given = value(rest, word)
                self.protocol = PROTOCOL_NUMBERS[given] if given in PROTOCOL_NUMBERS else integer(given, "protocol")
            elif word == "to" and rest:
                continue
            elif word in ("root", "match", "exact"):
                self.exact = word == "exact"
                self.prefix = parse_prefix(value(rest, word))
            else:
                self.prefix, self.exact = parse_prefix(word), True

    def wants(self, route: Route, names: dict[int, str]) -> bool:
        if bool(route.flags & RTM_F_CLONED) != self.cache:
            return False
        if self.table and route.table != self.table:
            return False
        if self.device and names.get(number(route.attrs.get(r.RTA_OIF))) != self.device:
            return False
        if (self.type and route.type != self.type) or (self.protocol and route.protocol != self.protocol):
            return False
        if self.prefix is None or not self.exact:
            return True
        dst = int.from_bytes(route.attrs.get(r.RTA_DST, bytes(4)), "big")
        return (dst, route.dst_len) == self.prefix


async def _show(net: Netlink, options: Options, rest: list[str], flush: bool) -> None:
    wanted = _Filter(rest)
    header = RTMSG.pack(
        AF_INET, 0, 0, 0, wanted.table if wanted.table < 256 else 252, 0, 0, 0, RTM_F_CLONED if wanted.cache else 0
    )
    body = header + (attribute(r.RTA_TABLE, wanted.table) if wanted.table >= 256 else b"")
    names = {link.index: link.name for link in await ip_link.links(net)}
    if wanted.device and wanted.device not in names.values():
        raise ProgramError(f'Cannot find device "{wanted.device}"', 1)
    try:
        routes = [Route(message) for message in await net.dump(r.RTM_GETROUTE, body)]
    except NetlinkError as error:
        raise ProgramError(f"Error: {error.extra}.\nDump terminated" if error.extra else "Dump terminated", 2) from None
    for route in routes:
        if not wanted.wants(route, names):
            continue
        if flush:
            await _delete(net, route)
        else:
            net.p.print(describe(route, names, wanted, options))


def describe(route: Route, names: dict[int, str], wanted: _Filter | None, options: Options) -> str:
    """One line, with all the blanks that iproute2 puts."""
    a = route.attrs
    line = f"{TYPES.get(route.type, route.type)} " if route.type != 1 or options.details else ""
    if r.RTA_DST in a:
        line += ipv4_of(a[r.RTA_DST]) + (f"/{route.dst_len} " if route.dst_len != 32 else " ")
    else:
        line += f"0/{route.dst_len} " if route.dst_len else "default "
    if r.RTA_SRC in a:
        line += f"from {ipv4_of(a[r.RTA_SRC])}" + (f"/{route.src_len} " if route.src_len != 32 else " ")
    if route.tos:
        line += f"tos 0x{route.tos:02x} "
    if r.RTA_GATEWAY in a:
        line += f"via {ipv4_of(a[r.RTA_GATEWAY])} "
    if r.RTA_OIF in a and not (wanted is not None and wanted.device):
        line += f"dev {names.get(number(a[r.RTA_OIF]), '?')} "
    line += _behind(route, wanted, options)
    return line + _cache(route) + _metrics(route)


def _behind(route: Route, wanted: _Filter | None, options: Options) -> str:
    a = route.attrs
    line = ""
    if (wanted is None or not wanted.table) and not route.flags & RTM_F_CLONED and route.table != 254:
        line += f"table {TABLES.get(route.table, route.table)} "
    if not route.flags & RTM_F_CLONED:
        if (route.protocol != 3 or options.details) and not (wanted is not None and wanted.protocol):
            line += f"proto {PROTOCOLS.get(route.protocol, route.protocol)} "
        if route.scope != 0 or options.details:
            line += f"scope {SCOPES.get(route.scope, route.scope)} "
    if r.RTA_PREFSRC in a:
        line += f"src {ipv4_of(a[r.RTA_PREFSRC])} "
    if r.RTA_PRIORITY in a:
        line += f"metric {number(a[r.RTA_PRIORITY])} "
    line += "".join(f"{name} " for bit, name in _NH_FLAGS if route.flags & bit)
    if r.RTA_UID in a:
        line += f"uid {number(a[r.RTA_UID])} "
    return line


def _metrics(route: Route) -> str:
    listed = attributes(route.attrs.get(r.RTA_METRICS, b""))
    return "".join(f"{METRICS.get(kind, f'metric {kind}')} {number(data)} " for kind, data in listed)


def _cache(route: Route) -> str:
    if not route.flags & RTM_F_CLONED:
        return ""
    flags = [name for bit, name in ((0x80000000, "local"), (0x40000000, "reject"), (0x20000000, "mc"),
                                    (0x10000000, "brd"), (0x00040000, "redirected")) if route.flags & bit]  # fmt: skip
    line = f"\n    cache {'<' + ','.join(flags) + '> ' if flags else ''}"
    if r.RTA_CACHEINFO in route.attrs:
        _, _, expires, error = struct.unpack_from("<IIiI", route.attrs[r.RTA_CACHEINFO])
        line += f"expires {expires // 100}sec " if expires else ""
        line += f"error {error} " if error else ""
    if r.RTA_IIF in route.attrs:
        line += f"iif {number(route.attrs[r.RTA_IIF])} "
    return line


async def _get(net: Netlink, rest: list[str]) -> None:
    body, dst, flags, src_len = b"", None, r.RTM_F_LOOKUP_TABLE, 0
    while rest:
        word = rest.pop(0)
        if word == "from":
            source, src_len = parse_prefix(value(rest, word))
            body += attribute(r.RTA_SRC, source.to_bytes(4, "big"))
        elif word in ("oif", "dev", "iif"):
            kind = r.RTA_IIF if word == "iif" else r.RTA_OIF
            body += attribute(kind, await ip_link.index_of(net, value(rest, word)))
        elif word == "mark":
            body += attribute(r.RTA_MARK, integer(value(rest, word), "mark"))
        elif word == "fibmatch":
            flags |= r.RTM_F_FIB_MATCH
        else:
            dst = parse_prefix(value(rest, word) if word == "to" else word)
    if dst is None:
        raise ProgramError("need at least a destination address", 1)
    header = RTMSG.pack(AF_INET, dst[1], src_len, 0, 0, 0, 0, 0, flags)
    message = await net.get(r.RTM_GETROUTE, header + attribute(r.RTA_DST, dst[0].to_bytes(4, "big")) + body)
    names = {link.index: link.name for link in await ip_link.links(net)}
    net.p.print(describe(Route(message), names, None, Options()))


# ---- changing


class _Change:
    """A route to be made or removed."""

    def __init__(self) -> None:
        self.type, self.protocol, self.table, self.tos, self.flags = 1, 3, 254, 0, 0
        self.scope: int | None = None
        self.dst: tuple[int, int] | None = None
        self.gateway = False
        self.device = ""
        self.attrs: list[bytes] = []
        self.metrics: list[bytes] = []


def _parse(rest: list[str]) -> _Change:
    c = _Change()
    while rest:
        word = rest.pop(0)
        if word in ("via", "gw"):
            given = value(rest, word)
            c.gateway = True
            gateway = parse_ipv4(given, f'Error: inet address is expected rather than "{given}".')
            c.attrs.append(attribute(r.RTA_GATEWAY, gateway.to_bytes(4, "big")))
        elif word in ("dev", "oif"):
            c.device = value(rest, word)
        elif word == "src":
            c.attrs.append(attribute(r.RTA_PREFSRC, parse_ipv4(value(rest, word)).to_bytes(4, "big")))
        elif word in ("metric", "priority", "preference"):
            c.attrs.append(attribute(r.RTA_PRIORITY, integer(value(rest, word), "metric")))
        elif word == "scope":
            given = value(rest, word)
            c.scope = SCOPE_NUMBERS[given] if given in SCOPE_NUMBERS else integer(given, "scope")
        elif word in ("proto", "protocol"):
            given = value(rest, word)
            c.protocol = PROTOCOL_NUMBERS[given] if given in PROTOCOL_NUMBERS else integer(given, "protocol")
        elif word == "table":
            given = value(rest, word)
            c.table = TABLE_NUMBERS[given] if given in TABLE_NUMBERS else integer(given, "table")
        elif word == "onlink":
            c.flags |= 4
        elif word in ("tos", "dsfield"):
            c.tos = integer(value(rest, word), "tos")
        elif word in METRIC_NUMBERS:
            c.metrics.append(attribute(METRIC_NUMBERS[word], integer(value(rest, word), word)))
        elif word in TYPE_NUMBERS and c.dst is None:
            c.type = TYPE_NUMBERS[word]
        else:
            c.dst = parse_prefix(value(rest, word) if word == "to" else word)
    return c


def _scope(c: _Change, deleting: bool) -> int:
    if c.scope is not None:
        return c.scope
    if c.type in (2, 10):
        return 254
    if c.type in (3, 4, 5):
        return 253
    if c.type == 1:
        return 255 if deleting else 0 if c.gateway else 253
    return 255 if deleting else 0


async def _change(net: Netlink, verb: str, rest: list[str]) -> None:
    c = _parse(rest)
    deleting = verb == "delete"
    if c.dst is None:
        raise ProgramError('Command line is not complete. Try option "help"', 255)
    if c.device:
        c.attrs.append(attribute(r.RTA_OIF, await ip_link.index_of(net, c.device)))
    if c.dst[1]:
        c.attrs.insert(0, attribute(r.RTA_DST, c.dst[0].to_bytes(4, "big")))
    if c.metrics:
        c.attrs.append(nest(r.RTA_METRICS, *c.metrics))
    if c.table >= 256:
        c.attrs.append(attribute(r.RTA_TABLE, c.table))
    kind = 0 if deleting and c.type == 1 else c.type
    protocol = 0 if deleting and c.protocol == 3 else c.protocol
    fields = (
        AF_INET,
        c.dst[1],
        0,
        c.tos,
        c.table if c.table < 256 else 252,
        protocol,
        _scope(c, deleting),
        kind,
        c.flags,
    )
    flags = {
        "add": NLM_F_CREATE | NLM_F_EXCL, "append": NLM_F_CREATE | NLM_F_APPEND, "prepend": NLM_F_CREATE,
        "replace": NLM_F_CREATE | NLM_F_REPLACE, "change": NLM_F_REPLACE,
    }  # fmt: skip
    await net.change(
        r.RTM_DELROUTE if deleting else r.RTM_NEWROUTE, RTMSG.pack(*fields) + b"".join(c.attrs), flags.get(verb, 0)
    )


async def _delete(net: Netlink, route: Route) -> None:
    fields = (AF_INET, route.dst_len, 0, route.tos, route.table & 0xFF, route.protocol, route.scope, route.type, 0)
    kept = (r.RTA_DST, r.RTA_GATEWAY, r.RTA_OIF, r.RTA_PRIORITY, r.RTA_TABLE)
    body = RTMSG.pack(*fields) + b"".join(attribute(k, v) for k, v in route.attrs.items() if k in kept)
    await net.change(r.RTM_DELROUTE, body)
