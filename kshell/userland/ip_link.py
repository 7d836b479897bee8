"""ip link: show, set, add, delete."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from kshell.abi import if_link as f
from kshell.abi import rtnetlink as r
from kshell.abi.fcntl import O_RDONLY
from kshell.abi.netlink import NLM_F_CREATE, NLM_F_EXCL
from kshell.userland import ip_netns
from kshell.userland.ip_link_show import brief, describe
from kshell.userland.iproute import Options, command, garbage, integer, on_off, value, wrong
from kshell.userland.rtnl import Message, Netlink, NetlinkError, attribute, attributes, nest, number, text
from kshell.userland.runtime import AT_FDCWD, ProgramError, raw

if TYPE_CHECKING:
    from kshell.userland.runtime import Process

IFINFOMSG: Final = struct.Struct("<BxHiII")
HEADER: Final = 16


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
        self.netns = ""
        """The name of the namespace that the other end is in."""

    @property
    def abroad(self) -> int | None:
        """The number of the namespace that the other end is in, None: this one."""
        return number(self.attrs[f.IFLA_LINK_NETNSID]) if f.IFLA_LINK_NETNSID in self.attrs else None


async def links(net: Netlink) -> list[Link]:
    """All devices."""
    body = IFINFOMSG.pack(17, 0, 0, 0, 0) + attribute(f.IFLA_EXT_MASK, r.RTEXT_FILTER_VF)
    found = [Link(message) for message in await net.dump(r.RTM_GETLINK, body)]
    up = {link.index: link.flags & 1 for link in found}
    called = await ip_netns.by_id(net) if any(link.abroad is not None for link in found) else {}
    for link in found:
        if link.abroad is None:
            link.below_down = not up.get(number(link.attrs.get(f.IFLA_LINK)), 1)
        else:
            link.netns = called.get(link.abroad, "")
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


def info_kind(link: Link) -> str:
    """veth, bridge …, "" for others."""
    return text(dict(attributes(link.attrs.get(f.IFLA_LINKINFO, b""))).get(f.IFLA_INFO_KIND))


class Filter:
    """Which devices are wanted: what `ip link show` and `ip address show` have in common."""

    def __init__(self) -> None:
        self.device = self.kind = self.master = ""
        self.up = self.no_master = False
        self.group: int | None = None

    def take(self, word: str, rest: list[str]) -> bool:
        """Whether the word was one of this filter. ProgramError."""
        if word == "up":
            self.up = True
        elif word == "type":
            self.kind = value(rest, word)
        elif word in ("master", "vrf"):
            self.master = value(rest, word)
        elif word == "nomaster":
            self.no_master = True
        elif word == "group":
            self.group = _group(value(rest, word), 'Invalid "group" value\n')
        else:
            return False
        return True

    async def links(self, net: Netlink) -> tuple[list[Link], dict[int, str]]:
        """Those that are wanted, and the names of all. ProgramError: there is none of that name."""
        found = await links(net)
        names = {link.index: link.name for link in found}
        for name in (self.device, self.master):
            if name and name not in names.values():
                raise ProgramError(f'Device "{name}" does not exist.', 1)
        return [link for link in found if self._wants(link, names)], names

    def _wants(self, link: Link, names: dict[int, str]) -> bool:
        if (self.device and link.name != self.device) or (self.up and not link.flags & 1):
            return False
        if (self.kind and info_kind(link) != self.kind) or (self.no_master and f.IFLA_MASTER in link.attrs):
            return False
        if self.group is not None and number(link.attrs.get(f.IFLA_GROUP)) != self.group:
            return False
        return not self.master or names.get(number(link.attrs.get(f.IFLA_MASTER))) == self.master


def _group(word: str, why: str) -> int:
    return 0 if word == "default" else integer(word, why)


async def _show(net: Netlink, options: Options, rest: list[str]) -> None:
    wanted = Filter()
    while rest:
        word = rest.pop(0)
        if not wanted.take(word, rest):
            wanted.device = value(rest, word) if word == "dev" else word
    found, names = await wanted.links(net)
    for link in found:
        lines = [brief(link, names)] if options.brief else describe(link, names, options)
        net.p.print("\\".join(lines) if options.oneline else "\n".join(lines))


# ---- changing


class _Change:
    """ifi_flags and ifi_change, and the attributes."""

    def __init__(self) -> None:
        self.flags = self.mask = 0
        self.attrs: list[bytes] = []
        self.device = ""
        self.kind = ""
        self.descriptors: list[int] = []
        """Of namespaces, open until the kernel was asked."""

    async def ask(self, net: Netlink, type: int, body: bytes, flags: int = 0) -> None:
        """Have the kernel do it. NetlinkError."""
        try:
            await net.change(type, body, flags)
        finally:
            for fd in self.descriptors:
                await net.p.call("close", fd)


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
            on = on_off(word, value(rest, word))
            change.mask |= bit
            change.flags |= bit if on != inverted else 0
        elif word == "nomaster":
            change.attrs.append(attribute(f.IFLA_MASTER, 0))
        elif word in ("master", "link"):
            kind = f.IFLA_MASTER if word == "master" else f.IFLA_LINK
            change.attrs.append(attribute(kind, await index_of(net, value(rest, word))))
        elif word == "type":
            change.kind = value(rest, word)
            await _kind(net, change, rest)
        elif word == "netns":
            change.attrs.append(await _netns(net, change, value(rest, word)))
        elif word in ("dev", "name") or word not in _ATTRIBUTES:
            given = value(rest, word) if word in ("dev", "name") else word
            if word == "name" and change.device:
                change.attrs.append(attribute(f.IFLA_IFNAME, ifname(given)))
            elif change.device:
                raise garbage("dev", given)
            else:
                change.device = ifname(given) if word == "name" else given
        else:
            change.attrs.append(_attribute(word, value(rest, word)))
    return change


_ATTRIBUTES: Final = {
    "mtu": f.IFLA_MTU, "address": f.IFLA_ADDRESS, "broadcast": f.IFLA_BROADCAST, "txqueuelen": f.IFLA_TXQLEN,
    "qlen": f.IFLA_TXQLEN, "txqlen": f.IFLA_TXQLEN, "alias": f.IFLA_IFALIAS, "group": f.IFLA_GROUP,
    "carrier": f.IFLA_CARRIER, "index": f.IFLA_NEW_IFINDEX,
}  # fmt: skip


def _attribute(word: str, given: str) -> bytes:
    kind = _ATTRIBUTES[word]
    if word in ("address", "broadcast"):
        return attribute(kind, six_bytes(given))
    if word == "alias":
        return attribute(kind, raw(given))
    if word == "carrier":
        return attribute(kind, bytes((on_off(word, given),)))
    if word == "group":
        return attribute(kind, _group(given, 'Invalid "group" value\n'))
    return attribute(kind, integer(given, f'Invalid "{word}" value\n', -(1 << 31)))


def lladdr(word: str) -> bytes:
    """The bytes of a link address, however many. ProgramError."""
    for part in word.split(":"):
        if not part or len(part) > 2 or any(digit not in "0123456789abcdefABCDEF" for digit in part):
            raise ProgramError(f'"{part}" is invalid lladdr.')
    return bytes(int(part, 16) for part in word.split(":"))


def six_bytes(word: str) -> bytes:
    """A link address of an Ethernet device. ProgramError."""
    data = lladdr(word)
    if len(data) != 6:
        raise ProgramError(f"Invalid address length {len(data)} - must be 6 bytes")
    return data


def ifname(word: str) -> str:
    """A name that a device may have. ProgramError."""
    if not word or len(word) > 15 or "/" in word or any(char.isspace() for char in word):
        raise wrong(word, '"name" not a valid ifname')
    return word


async def _netns(net: Netlink, change: _Change, given: str) -> bytes:
    """The namespace that a device is to be in, by its name or by a task in it. ProgramError."""
    fd = await net.p.try_call("openat", AT_FDCWD, f"{ip_netns.NETNS_RUN_DIR}/{given}", O_RDONLY, 0)
    if fd >= 0:
        change.descriptors.append(fd)
        return attribute(f.IFLA_NET_NS_FD, fd)
    return attribute(f.IFLA_NET_NS_PID, integer(given, 'Invalid "netns" value\n'))


async def _kind(net: Netlink, change: _Change, rest: list[str]) -> None:
    """What belongs to the kind: of a veth the name of its peer."""
    inner = [attribute(f.IFLA_INFO_KIND, change.kind)]
    if change.kind == "veth" and rest[:1] == ["peer"]:
        rest.pop(0)
        peer = IFINFOMSG.pack(0, 0, 0, 0, 0)
        while rest:
            word = rest.pop(0)
            given = value(rest, word) if word in ("name", "address", "mtu", "txqueuelen", "netns") else word
            if word == "netns":
                peer += await _netns(net, change, given)
            elif word == "address":
                peer += attribute(f.IFLA_ADDRESS, six_bytes(given))
            elif word in ("mtu", "txqueuelen"):
                peer += attribute(
                    f.IFLA_MTU if word == "mtu" else f.IFLA_TXQLEN, integer(given, f'Invalid "{word}" value\n')
                )
            else:
                peer += attribute(f.IFLA_IFNAME, given)
        inner.append(nest(f.IFLA_INFO_DATA, attribute(1, peer)))  # VETH_INFO_PEER
    change.attrs.append(nest(f.IFLA_LINKINFO, *inner))


async def _set(net: Netlink, rest: list[str]) -> None:
    change = await _parse(net, rest)
    if not change.device:
        raise ProgramError('Not enough information: "dev" argument is required.', 255)
    index = await index_of(net, change.device)
    body = IFINFOMSG.pack(0, 0, index, change.flags, change.mask) + b"".join(change.attrs)
    await change.ask(net, r.RTM_NEWLINK, body)


async def _add(net: Netlink, rest: list[str]) -> None:
    change = await _parse(net, rest)
    if not change.kind:
        raise ProgramError('Not enough information: "type" argument is required')
    named = [attribute(f.IFLA_IFNAME, change.device)] if change.device else []
    body = IFINFOMSG.pack(0, 0, 0, change.flags, change.mask) + b"".join(named + change.attrs)
    await change.ask(net, r.RTM_NEWLINK, body, NLM_F_CREATE | NLM_F_EXCL)


async def _delete(net: Netlink, rest: list[str]) -> None:
    change = await _parse(net, rest)
    if not change.device:
        raise ProgramError('Not enough information: "dev" argument is required.', 255)
    await net.change(r.RTM_DELLINK, IFINFOMSG.pack(0, 0, await index_of(net, change.device), 0, 0))
