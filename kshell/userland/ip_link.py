"""ip link: show, set, add, delete."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from kshell.abi import if_link as f
from kshell.abi import rtnetlink as r
from kshell.abi.netlink import NLM_F_CREATE, NLM_F_EXCL
from kshell.userland.addresses import LINK_KINDS, mac, parse_mac
from kshell.userland.iproute import Options, command, integer, value
from kshell.userland.rtnl import Message, Netlink, NetlinkError, attribute, attributes, nest, number, text
from kshell.userland.runtime import ProgramError

if TYPE_CHECKING:
    from kshell.userland.runtime import Process

IFINFOMSG: Final = struct.Struct("<BxHiII")
HEADER: Final = 16
FLAGS: Final = (
    (0x8, "LOOPBACK"), (0x2, "BROADCAST"), (0x10, "POINTOPOINT"), (0x1000, "MULTICAST"), (0x80, "NOARP"),
    (0x200, "ALLMULTI"), (0x100, "PROMISC"), (0x400, "MASTER"), (0x800, "SLAVE"), (0x4, "DEBUG"), (0x8000, "DYNAMIC"),
    (0x4000, "AUTOMEDIA"), (0x2000, "PORTSEL"), (0x20, "NOTRAILERS"), (0x1, "UP"), (0x10000, "LOWER_UP"),
    (0x20000, "DORMANT"), (0x40000, "ECHO"),
)  # fmt: skip
OPERSTATES: Final = ("UNKNOWN", "NOTPRESENT", "DOWN", "LOWERLAYERDOWN", "TESTING", "DORMANT", "UP")
_STATS64: Final = struct.Struct("<25Q")


class Link:
    """A device as the kernel describes it."""

    def __init__(self, message: Message) -> None:
        self.kind: int
        self.index: int
        self.flags: int
        _, self.kind, self.index, self.flags, _ = IFINFOMSG.unpack_from(message.body)
        self.attrs = message.attrs(HEADER)
        self.name = text(self.attrs.get(f.IFLA_IFNAME))
        self.below_down = False


async def links(net: Netlink) -> list[Link]:
    """All devices."""
    body = IFINFOMSG.pack(17, 0, 0, 0, 0) + attribute(f.IFLA_EXT_MASK, r.RTEXT_FILTER_VF)
    found = [Link(message) for message in await net.dump(r.RTM_GETLINK, body)]
    up = {link.index: link.flags & 1 for link in found}
    for link in found:
        link.below_down = not up.get(number(link.attrs.get(f.IFLA_LINK)), 1)
    return found


async def index_of(net: Netlink, name: str) -> int:
    """A device's number. ProgramError."""
    body = IFINFOMSG.pack(0, 0, 0, 0, 0) + attribute(f.IFLA_EXT_MASK, r.RTEXT_FILTER_VF | r.RTEXT_FILTER_SKIP_STATS)
    try:
        return Link(await net.get(r.RTM_GETLINK, body + attribute(f.IFLA_IFNAME, name))).index
    except NetlinkError as error:
        if error.errno != 19:  # ENODEV
            raise
        raise ProgramError(f'Cannot find device "{name}"', 1) from None


async def run(p: Process, options: Options, words: list[str]) -> None:
    """ip link ..."""
    verb, rest = command(words, ("add", "change", "delete", "replace", "set", "show"), "link")
    net = await Netlink.open(p)
    try:
        if verb == "show":
            await _show(net, options, rest)
        elif verb == "delete":
            await _delete(net, rest)
        elif verb == "add":
            await _add(net, rest)
        else:
            await _set(net, rest)
    finally:
        await net.close()


# ---- showing


async def _show(net: Netlink, options: Options, rest: list[str]) -> None:
    wanted, up, kind = "", False, ""
    while rest:
        word = rest.pop(0)
        if word == "up":
            up = True
        elif word == "type":
            kind = value(rest, word)
        else:
            wanted = value(rest, word) if word == "dev" else word
    found = await links(net)
    if wanted and all(link.name != wanted for link in found):
        raise ProgramError(f'Device "{wanted}" does not exist.', 1)
    names = {link.index: link.name for link in found}
    for link in found:
        if (wanted and link.name != wanted) or (up and not link.flags & 1) or (kind and info_kind(link) != kind):
            continue
        lines = [brief(link, names)] if options.brief else describe(link, names, options)
        net.p.print("\\".join(lines) if options.oneline else "\n".join(lines))


def flag_names(link: Link) -> str:
    """LOOPBACK,UP,LOWER_UP"""
    carrier = ["NO-CARRIER"] if link.flags & 1 and not link.flags & 0x40 else []
    return ",".join(carrier + [name for bit, name in FLAGS if link.flags & bit] + ["M-DOWN"] * link.below_down)


def info_kind(link: Link) -> str:
    """veth, bridge …, "" for others."""
    return text(dict(attributes(link.attrs.get(f.IFLA_LINKINFO, b""))).get(f.IFLA_INFO_KIND))


def full_name(link: Link, names: dict[int, str]) -> str:
    """veth0@veth1"""
    below = link.attrs.get(f.IFLA_LINK)
    if below is None:
        return link.name
    return f"{link.name}@{names.get(number(below), f'if{number(below)}') if number(below) else 'NONE'}"


def brief(link: Link, names: dict[int, str]) -> str:
    """One line: name, state, address, flags."""
    state = OPERSTATES[number(link.attrs.get(f.IFLA_OPERSTATE))]
    return f"{full_name(link, names):<16} {state:<14} {mac(link.attrs.get(f.IFLA_ADDRESS))} <{flag_names(link)}> "


def headline(link: Link, names: dict[int, str]) -> str:
    """1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 …"""
    a = link.attrs
    line = f"{link.index}: {full_name(link, names)}: <{flag_names(link)}> mtu {number(a.get(f.IFLA_MTU))} "
    if f.IFLA_QDISC in a:
        line += f"qdisc {text(a[f.IFLA_QDISC])} "
    if f.IFLA_MASTER in a:
        line += f"master {names.get(number(a[f.IFLA_MASTER]), '?')} "
    line += f"state {OPERSTATES[number(a.get(f.IFLA_OPERSTATE))]} "
    group = number(a.get(f.IFLA_GROUP))
    line += f"group {group or 'default'} "
    return line + (f"qlen {number(a[f.IFLA_TXQLEN])}" if number(a.get(f.IFLA_TXQLEN)) else "")


def describe(link: Link, names: dict[int, str], options: Options) -> list[str]:
    """The lines of `ip link show`."""
    a = link.attrs
    mode = "" if number(a.get(f.IFLA_LINKMODE)) else "mode DEFAULT "
    first = headline(link, names).replace("group ", mode + "group ", 1)
    lines = [first, _addresses(link)]
    if options.details:
        lines[-1] += _details(link)
    if f.IFLA_IFALIAS in a:
        lines.append(f"    alias {text(a[f.IFLA_IFALIAS])}")
    return lines + (statistics(link) if options.statistics else [])


def _addresses(link: Link) -> str:
    kind = LINK_KINDS.get(link.kind, f"[{link.kind}]")
    line = f"    link/{kind}"
    if f.IFLA_ADDRESS in link.attrs:
        line += f" {mac(link.attrs[f.IFLA_ADDRESS])}"
    if f.IFLA_BROADCAST in link.attrs:
        line += f" {'peer' if link.flags & 0x10 else 'brd'} {mac(link.attrs[f.IFLA_BROADCAST])}"
    return line


def _details(link: Link) -> str:
    a = link.attrs
    line = f" promiscuity {number(a.get(f.IFLA_PROMISCUITY))}  allmulti {number(a.get(f.IFLA_ALLMULTI))}"
    line += f" minmtu {number(a.get(f.IFLA_MIN_MTU))} maxmtu {number(a.get(f.IFLA_MAX_MTU))} "
    kind = info_kind(link)
    line += f"\n    {kind} " if kind else ""
    fields = (
        ("numtxqueues", f.IFLA_NUM_TX_QUEUES), ("numrxqueues", f.IFLA_NUM_RX_QUEUES),
        ("gso_max_size", f.IFLA_GSO_MAX_SIZE), ("gso_max_segs", f.IFLA_GSO_MAX_SEGS),
        ("tso_max_size", f.IFLA_TSO_MAX_SIZE), ("tso_max_segs", f.IFLA_TSO_MAX_SEGS),
        ("gro_max_size", f.IFLA_GRO_MAX_SIZE),
    )  # fmt: skip
    return line + "".join(f"{name} {number(a.get(kind))} " for name, kind in fields)


def statistics(link: Link) -> list[str]:
    """The lines of -s."""
    s = _STATS64.unpack_from(link.attrs[f.IFLA_STATS64])
    rx = (s[2], s[0], s[4], s[6], s[15], s[8])
    tx = (s[3], s[1], s[5], s[7], s[17], s[9])
    titles = ("RX:  bytes packets errors dropped  missed   mcast           ",
              "TX:  bytes packets errors dropped carrier collsns           ")  # fmt: skip
    rows = [f"    {v[0]:>10} {v[1]:>7} {v[2]:>6} {v[3]:>7} {v[4]:>7} {v[5]:>7} " for v in (rx, tx)]
    return ["    " + titles[0], rows[0], "    " + titles[1], rows[1]]


# ---- changing


class _Change:
    """ifi_flags and ifi_change, and the attributes."""

    def __init__(self) -> None:
        self.flags = self.mask = 0
        self.attrs: list[bytes] = []
        self.device = ""
        self.kind = ""


_SWITCHES: Final = {"arp": (0x80, True), "multicast": (0x1000, False), "allmulticast": (0x200, False),
                    "promisc": (0x100, False), "dynamic": (0x8000, False)}  # fmt: skip


async def _parse(net: Netlink, rest: list[str]) -> _Change:
    change = _Change()
    while rest:
        word = rest.pop(0)
        if word in ("up", "down"):
            change.mask |= 1
            change.flags = change.flags & ~1 | (word == "up")
        elif word in _SWITCHES:
            bit, inverted = _SWITCHES[word]
            on = value(rest, word) == "on"
            change.mask |= bit
            change.flags |= bit if on != inverted else 0
        elif word == "nomaster":
            change.attrs.append(attribute(f.IFLA_MASTER, 0))
        elif word in ("master", "link"):
            kind = f.IFLA_MASTER if word == "master" else f.IFLA_LINK
            change.attrs.append(attribute(kind, await index_of(net, value(rest, word))))
        elif word == "type":
            change.kind = value(rest, word)
            _kind(change, rest)
        elif word in ("dev", "name") or word not in _ATTRIBUTES:
            given = value(rest, word) if word in ("dev", "name") else word
            if word == "name" and change.device:
                change.attrs.append(attribute(f.IFLA_IFNAME, given))
            elif change.device:
                raise ProgramError(f'Error: either "dev" is duplicate, or "{given}" is a garbage.', 255)
            else:
                change.device = given
        else:
            change.attrs.append(_attribute(word, value(rest, word)))
    return change


_ATTRIBUTES: Final = {
    "mtu": f.IFLA_MTU, "address": f.IFLA_ADDRESS, "broadcast": f.IFLA_BROADCAST, "txqueuelen": f.IFLA_TXQLEN,
    "qlen": f.IFLA_TXQLEN, "txqlen": f.IFLA_TXQLEN, "alias": f.IFLA_IFALIAS, "group": f.IFLA_GROUP,
    "carrier": f.IFLA_CARRIER, "netns": f.IFLA_NET_NS_PID, "index": f.IFLA_NEW_IFINDEX,
}  # fmt: skip


def _attribute(word: str, given: str) -> bytes:
    kind = _ATTRIBUTES[word]
    if word in ("address", "broadcast"):
        return attribute(kind, parse_mac(given))
    if word == "alias":
        return attribute(kind, given.encode())
    if word == "carrier":
        return attribute(kind, bytes((given == "on",)))
    return attribute(kind, 0 if given == "default" else integer(given, word))


def _kind(change: _Change, rest: list[str]) -> None:
    """What belongs to the kind: of a veth the name of its peer."""
    inner = [attribute(f.IFLA_INFO_KIND, change.kind)]
    if change.kind == "veth" and rest[:1] == ["peer"]:
        rest.pop(0)
        peer = IFINFOMSG.pack(0, 0, 0, 0, 0)
        while rest:
            word = rest.pop(0)
            given = value(rest, word) if word in ("name", "address", "mtu", "txqueuelen") else word
            if word == "address":
                peer += attribute(f.IFLA_ADDRESS, parse_mac(given))
            elif word in ("mtu", "txqueuelen"):
                peer += attribute(f.IFLA_MTU if word == "mtu" else f.IFLA_TXQLEN, integer(given, word))
            else:
                peer += attribute(f.IFLA_IFNAME, given)
        inner.append(nest(f.IFLA_INFO_DATA, attribute(1, peer)))  # VETH_INFO_PEER
    change.attrs.append(nest(f.IFLA_LINKINFO, *inner))


async def _set(net: Netlink, rest: list[str]) -> None:
    change = await _parse(net, rest)
    if not change.device:
        raise ProgramError('Not enough of information: "dev" argument is required.', 255)
    index = await index_of(net, change.device)
    body = IFINFOMSG.pack(0, 0, index, change.flags, change.mask) + b"".join(change.attrs)
    await net.change(r.RTM_NEWLINK, body)


async def _add(net: Netlink, rest: list[str]) -> None:
    change = await _parse(net, rest)
    if not change.kind:
        raise ProgramError('Not enough information: "type" argument is required', 255)
    named = [attribute(f.IFLA_IFNAME, change.device)] if change.device else []
    body = IFINFOMSG.pack(0, 0, 0, change.flags, change.mask) + b"".join(named + change.attrs)
    await net.change(r.RTM_NEWLINK, body, NLM_F_CREATE | NLM_F_EXCL)


async def _delete(net: Netlink, rest: list[str]) -> None:
    change = await _parse(net, rest)
    if not change.device:
        raise ProgramError('Not enough of information: "dev" argument is required.', 255)
    await net.change(r.RTM_DELLINK, IFINFOMSG.pack(0, 0, await index_of(net, change.device), 0, 0))
