"""ip route add, append, prepend, replace, change and delete."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kshell.abi import rtnetlink as r
from kshell.abi.netlink import NLM_F_APPEND, NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE
from kshell.abi.socket import AF_INET
from kshell.userland import ip_link, ip_route
from kshell.userland.addresses import parse_address, parse_prefix
from kshell.userland.iproute import EXIT_MINUS_ONE, garbage, integer, value, wrong
from kshell.userland.rtnl import attribute, nest
from kshell.userland.runtime import ProgramError

if TYPE_CHECKING:
    from kshell.userland.rtnl import Netlink

MOST_WEIGHT: Final = 256
USAGE: Final = "Usage: ip route { add | del | change | append | replace } ROUTE"
_LOCK: Final = 1
_VERBS: Final = {
    "add": NLM_F_CREATE | NLM_F_EXCL, "append": NLM_F_CREATE | NLM_F_APPEND, "prepend": NLM_F_CREATE,
    "replace": NLM_F_CREATE | NLM_F_REPLACE, "change": NLM_F_REPLACE,
}  # fmt: skip
_METRICS: Final = {
    "mtu": 2, "window": 3, "rtt": 4, "rttvar": 5, "ssthresh": 6, "cwnd": 7, "advmss": 8, "reordering": 9, "hoplimit": 10,
    "initcwnd": 11, "initrwnd": 14, "quickack": 15,
}  # fmt: skip


class _Change:
    """A route to be made or removed; hops: of several next hops each one's gateway, device and weight."""

    def __init__(self) -> None:
        self.type, self.protocol, self.table, self.tos, self.flags = 1, 3, 254, 0, 0
        self.scope: int | None = None
        self.dst: tuple[int, int] | None = None
        self.gateway = False
        self.device = ""
        self.attrs: list[bytes] = []
        self.metrics: list[bytes] = []
        self.locked = 0
        self.hops: list[tuple[int | None, str, int, int]] = []


def _parse(rest: list[str]) -> _Change:
    c = _Change()
    while rest:
        word = rest.pop(0)
        if word in _METRICS:
            _metric(c, word, rest)
        elif word == "nexthop":
            c.hops.append(_hop(rest))
        elif not _number(c, word, rest) and not _end(c, word, rest):
            _target(c, word, rest)
    return c


def _metric(c: _Change, word: str, rest: list[str]) -> None:
    given = value(rest, word)
    if given == "lock":
        c.locked |= 1 << _METRICS[word]
        given = value(rest, word)
    name = {"advmss": "mss"}.get(word, word)
    c.metrics.append(attribute(_METRICS[word], integer(given, f'"{name}" value is invalid\n')))


def _number(c: _Change, word: str, rest: list[str]) -> bool:
    if word in ("metric", "priority", "preference"):
        c.attrs.append(attribute(r.RTA_PRIORITY, integer(value(rest, word), '"metric" value is invalid\n')))
    elif word == "scope":
        given, numbers = value(rest, word), ip_route.SCOPE_NUMBERS
        c.scope = numbers[given] if given in numbers else integer(given, 'invalid "scope" value\n', most=0xFF)
    elif word in ("proto", "protocol"):
        given, numbers = value(rest, word), ip_route.PROTOCOL_NUMBERS
        c.protocol = numbers[given] if given in numbers else integer(given, '"protocol" value is invalid\n', most=0xFF)
    elif word == "table":
        given, numbers = value(rest, word), ip_route.TABLE_NUMBERS
        c.table = numbers[given] if given in numbers else integer(given, '"table" value is invalid\n')
    elif word in ("tos", "dsfield"):
        c.tos = ip_route.tos_number(value(rest, word))
    elif word in ("onlink", "pervasive"):
        c.flags |= r.RTNH_F_ONLINK if word == "onlink" else r.RTNH_F_PERVASIVE
    else:
        return False
    return True


def _end(c: _Change, word: str, rest: list[str]) -> bool:
    if word in ("via", "gw"):
        c.gateway = True
        c.attrs.append(attribute(r.RTA_GATEWAY, parse_address(value(rest, word)).to_bytes(4, "big")))
    elif word in ("dev", "oif"):
        c.device = value(rest, word)
    elif word == "src":
        c.attrs.append(attribute(r.RTA_PREFSRC, parse_address(value(rest, word)).to_bytes(4, "big")))
    else:
        return False
    return True


def _target(c: _Change, word: str, rest: list[str]) -> None:
    if word in ip_route.TYPE_NUMBERS and c.dst is None:
        c.type = ip_route.TYPE_NUMBERS[word]
        return
    if c.dst is not None:
        raise garbage("to", word)
    c.dst = parse_prefix(value(rest, word) if word == "to" else word)


def _hop(rest: list[str]) -> tuple[int | None, str, int, int]:
    """Gateway, device, weight, flags."""
    gateway: int | None = None
    device, weight, flags = "", 1, 0
    while rest and rest[0] in ("via", "dev", "weight", "onlink"):
        word = rest.pop(0)
        if word == "via":
            gateway = parse_address(value(rest, word))
        elif word == "dev":
            device = value(rest, word)
        elif word == "weight":
            given = value(rest, word)
            weight = integer(given, '"weight" is invalid\n')
            if not 1 <= weight <= MOST_WEIGHT:
                raise wrong(given, '"weight" is invalid\n')
        else:
            flags |= r.RTNH_F_ONLINK
    return gateway, device, weight, flags


def _scope(c: _Change, deleting: bool) -> int:
    if c.scope is not None:
        return c.scope
    if c.type in (2, 10):
        return 254
    if c.type in (3, 4, 5):
        return 253
    if c.type == 1:
        return 255 if deleting else 0 if c.gateway or c.hops else 253
    return 255 if deleting else 0


def _table(c: _Change) -> int:
    """Where a route belongs when no table is named."""
    return 255 if c.table == 254 and c.type in (2, 3, 4, 10) else c.table


async def _attributes(net: Netlink, c: _Change, dst: tuple[int, int]) -> list[bytes]:
    attrs = list(c.attrs)
    if dst[1]:
        attrs.insert(0, attribute(r.RTA_DST, dst[0].to_bytes(4, "big")))
    if c.device:
        attrs.append(attribute(r.RTA_OIF, await ip_link.index_of(net, c.device)))
    if c.metrics:
        locked = [attribute(_LOCK, c.locked)] if c.locked else []
        attrs.append(nest(r.RTA_METRICS, *locked, *c.metrics))
    if c.hops:
        attrs.append(attribute(r.RTA_MULTIPATH, b"".join([await _hop_bytes(net, *hop) for hop in c.hops])))
    return attrs


async def _hop_bytes(net: Netlink, gateway: int | None, device: str, weight: int, flags: int) -> bytes:
    body = b"" if gateway is None else attribute(r.RTA_GATEWAY, gateway.to_bytes(4, "big"))
    index = await ip_link.index_of(net, device) if device else 0
    return ip_route.RTNEXTHOP.pack(ip_route.RTNEXTHOP.size + len(body), flags, weight - 1, index) + body


async def change(net: Netlink, verb: str, rest: list[str]) -> None:
    """Make, change or remove a route. ProgramError, NetlinkError."""
    deleting = verb == "delete"
    if not rest:
        raise ProgramError(USAGE, EXIT_MINUS_ONE)
    c = _parse(rest)
    dst, table = c.dst or (0, 0), _table(c)
    attrs = await _attributes(net, c, dst)
    if table >= 256:
        attrs.append(attribute(r.RTA_TABLE, table))
    fields = (
        AF_INET, dst[1], 0, c.tos, table if table < 256 else 252, 0 if deleting and c.protocol == 3 else c.protocol,
        _scope(c, deleting), 0 if deleting and c.type == 1 else c.type, c.flags,
    )  # fmt: skip
    kind = r.RTM_DELROUTE if deleting else r.RTM_NEWROUTE
    await net.change(kind, ip_route.RTMSG.pack(*fields) + b"".join(attrs), _VERBS.get(verb, 0))


async def delete(net: Netlink, route: ip_route.Route) -> None:
    """Remove a route that the kernel has described."""
    fields = (AF_INET, route.dst_len, 0, route.tos, route.table & 0xFF, route.protocol, route.scope, route.type, 0)
    kept = (r.RTA_DST, r.RTA_GATEWAY, r.RTA_OIF, r.RTA_PRIORITY, r.RTA_TABLE)
    body = ip_route.RTMSG.pack(*fields) + b"".join(attribute(k, v) for k, v in route.attrs.items() if k in kept)
    await net.change(r.RTM_DELROUTE, body)
