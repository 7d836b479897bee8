"""ip address: show, add, replace, delete, flush."""

from __future__ import annotations

import struct
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Final

from kshell.abi import rtnetlink as r
from kshell.abi.if_link import IFLA_OPERSTATE
from kshell.abi.netlink import NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE
from kshell.abi.socket import AF_INET, AF_PACKET
from kshell.userland import ip_link, ip_link_show
from kshell.userland.addresses import ipv4_of, parse_address, parse_prefix
from kshell.userland.iproute import Options, command, garbage, integer, value
from kshell.userland.rtnl import Message, Netlink, attribute, number, text
from kshell.userland.runtime import ProgramError

if TYPE_CHECKING:
    from kshell.userland.runtime import Process

IFADDRMSG: Final = struct.Struct("<BBBBi")
HEADER: Final = 8
SCOPES: Final = {0: "global", 200: "site", 253: "link", 254: "host", 255: "nowhere"}
SCOPE_NUMBERS: Final = {name: scope for scope, name in SCOPES.items()}
FOREVER: Final = 0xFFFFFFFF
_FLAGS: Final = ((0x1, "secondary"), (0x2, "nodad"), (0x20, "deprecated"), (0x40, "tentative"), (0x8, "dadfailed"),
                 (0x100, "mngtmpaddr"), (0x200, "noprefixroute"), (0x400, "autojoin"))  # fmt: skip


class Address:
    """An address as the kernel describes it."""

    def __init__(self, message: Message) -> None:
        self.family, self.length, flags, self.scope, self.index = IFADDRMSG.unpack_from(message.body)
        self.attrs = message.attrs(HEADER)
        self.flags = number(self.attrs[r.IFA_FLAGS]) if r.IFA_FLAGS in self.attrs else flags


async def run(p: Process, options: Options, words: list[str]) -> None:
    """ip address ..."""
    verb, rest = command(words, ("add", "change", "replace", "delete", "flush", "show"), "address")
    net = await Netlink.open(p)
    try:
        if verb in ("show", "flush"):
            await _show(net, options, rest, verb == "flush")
        else:
            await _change(net, verb, rest)
    finally:
        await net.close()


class _Filter(ip_link.Filter):
    """What `show` is restricted to: devices, and addresses."""

    def __init__(self, options: Options, rest: list[str]) -> None:
        super().__init__()
        self.family = options.family
        self.label = ""
        self.flags = self.mask = 0
        self.scope: int | None = None
        self.to: tuple[int, int] | None = None
        while rest:
            word = rest.pop(0)
            if not self.take(word, rest) and not self._take_address(word, rest):
                if word != "dev" and self.device:
                    raise garbage("dev", word)
                self.device = value(rest, word) if word == "dev" else word

    def _take_address(self, word: str, rest: list[str]) -> bool:
        if word == "scope":
            given = value(rest, word)
            self.scope = None if given == "all" else _scope(given, 'invalid "scope"\n')
        elif word == "to":
            self.to, self.family = parse_prefix(value(rest, word)), AF_INET
        elif word == "label":
            self.label, self.family = value(rest, word), AF_INET
        elif word in _FLAG_WORDS:
            flag, wanted = _FLAG_WORDS[word]
            self.mask |= flag
            self.flags = self.flags | flag if wanted else self.flags & ~flag
        else:
            return False
        return True

    def wants(self, address: Address) -> bool:
        """Whether an address is to be shown."""
        if self.family not in (0, address.family) or (address.flags ^ self.flags) & self.mask:
            return False
        if self.scope is not None and address.scope != self.scope:
            return False
        if self.label and not fnmatchcase(text(address.attrs.get(r.IFA_LABEL)), self.label):
            return False
        if self.to is None:
            return True
        local = int.from_bytes(address.attrs.get(r.IFA_LOCAL, bytes(4)), "big")
        return not self.to[1] or (local ^ self.to[0]) >> 32 - self.to[1] == 0


_FLAG_WORDS: Final = {
    "permanent": (0x80, True), "dynamic": (0x80, False), "secondary": (0x1, True), "temporary": (0x1, True),
    "primary": (0x1, False), "tentative": (0x40, True), "-tentative": (0x40, False), "deprecated": (0x20, True),
    "-deprecated": (0x20, False), "dadfailed": (0x8, True), "-dadfailed": (0x8, False), "noprefixroute": (0x200, True),
    "nodad": (0x2, True),
}  # fmt: skip


async def _show(net: Netlink, options: Options, rest: list[str], flush: bool) -> None:
    if flush and not rest:
        raise ProgramError("Flush requires arguments.")
    wanted = _Filter(options, rest)
    found, names = await wanted.links(net)
    every = [Address(m) for m in await net.dump(r.RTM_GETADDR, IFADDRMSG.pack(wanted.family, 0, 0, 0, 0))]
    for link in found:
        held = [a for a in every if a.index == link.index]
        own = [a for a in held if wanted.wants(a)]
        if flush:
            await _flush(net, own)
        elif own or (not held and wanted.family in (0, AF_PACKET)) or wanted.family == AF_PACKET:
            for line in _lines(link, own, names, options, wanted):
                net.p.print(line)


async def _flush(net: Netlink, found: list[Address]) -> None:
    for address in reversed(found):
        body = IFADDRMSG.pack(AF_INET, address.length, 0, 0, address.index)
        body += attribute(r.IFA_LOCAL, address.attrs[r.IFA_LOCAL])
        await net.change(r.RTM_DELADDR, body)


def _lines(
    link: ip_link.Link, own: list[Address], names: dict[int, str], options: Options, wanted: _Filter
) -> list[str]:
    if options.brief:
        state = ip_link_show.OPERSTATES[number(link.attrs.get(IFLA_OPERSTATE))]
        return [f"{ip_link_show.full_name(link, names):<16} {state:<14} {''.join(f'{_brief(a)} ' for a in own)}"]
    if options.oneline:
        return [f"{link.index}: {link.name}    {chr(92).join(inet(a))}" for a in own]
    lines = [] if wanted.label else [ip_link_show.headline(link, names)]
    if lines and (wanted.family in (0, AF_PACKET) or options.details):
        lines += ip_link_show.addresses(link, options)
    for address in own:
        lines += [f"    {inet(address)[0]}", f"       {inet(address)[1].strip()}"]
    return lines + ([] if wanted.label else ip_link_show.statistics(link, options.statistics))


def _brief(address: Address) -> str:
    return f"{ipv4_of(address.attrs.get(r.IFA_LOCAL))}/{address.length}"


def inet(address: Address) -> tuple[str, str]:
    """The two lines about an address."""
    a = address.attrs
    local, peer = a.get(r.IFA_LOCAL), a.get(r.IFA_ADDRESS)
    line = f"inet {ipv4_of(local)}"
    line += f" peer {ipv4_of(peer)}/{address.length} " if local != peer else f"/{address.length} "
    if number(a.get(r.IFA_RT_PRIORITY)):
        line += f"metric {number(a.get(r.IFA_RT_PRIORITY))} "
    if r.IFA_BROADCAST in a:
        line += f"brd {ipv4_of(a[r.IFA_BROADCAST])} "
    line += f"scope {SCOPES.get(address.scope, address.scope)} "
    line += "".join(f"{name} " for bit, name in _FLAGS if address.flags & bit)
    if not address.flags & 0x80:
        line += "dynamic "
    line += text(a.get(r.IFA_LABEL))
    preferred, valid = struct.unpack_from("<II", a.get(r.IFA_CACHEINFO, b"\xff" * 8))
    return line, f"       valid_lft {_lifetime(valid)} preferred_lft {_lifetime(preferred)}"


def _lifetime(seconds: int) -> str:
    return "forever" if seconds == FOREVER else f"{seconds}sec"


def _scope(word: str, why: str) -> int:
    return SCOPE_NUMBERS[word] if word in SCOPE_NUMBERS else integer(word, why, most=0xFF)


class _Change:
    """An address that is to be made or removed."""

    def __init__(self) -> None:
        self.family = 0
        self.length = 0
        self.local: tuple[int, int] | None = None
        self.peer: tuple[int, int] | None = None
        self.device = self.broadcast = self.label = ""
        self.scope: int | None = None
        self.attrs: list[bytes] = []
        self.valid = self.preferred = FOREVER


def _parse(rest: list[str]) -> _Change:
    c = _Change()
    while rest:
        word = rest.pop(0)
        if word == "dev":
            c.device = value(rest, word)
        elif word in ("broadcast", "brd"):
            c.broadcast = value(rest, word)
        elif word in ("peer", "remote"):
            c.peer = parse_prefix(value(rest, word))
        elif word == "scope":
            c.scope = _scope(value(rest, word), "invalid scope value.")
        elif word == "label":
            c.label = value(rest, word)
        elif word in ("metric", "priority", "preference"):
            c.attrs.append(attribute(r.IFA_RT_PRIORITY, integer(value(rest, word), '"metric" value is invalid')))
        elif word == "valid_lft":
            c.valid = _seconds(value(rest, word), word)
        elif word == "preferred_lft":
            c.preferred = _seconds(value(rest, word), word)
        elif word == "noprefixroute":
            c.attrs.append(attribute(r.IFA_FLAGS, 0x200))
        elif word != "local" and c.local is not None:
            raise garbage("local", word)
        else:
            c.local = parse_prefix(value(rest, word) if word == "local" else word)
    return c


def _seconds(word: str, what: str) -> int:
    return FOREVER if word == "forever" else integer(word.removesuffix("sec"), f"{what} value")


def _checked(c: _Change) -> None:
    if not c.device:
        raise ProgramError('Not enough information: "dev" argument is required.')
    if c.valid != FOREVER and c.preferred > c.valid:
        raise ProgramError("preferred_lft is greater than valid_lft")


def _attributes(c: _Change, local: tuple[int, int]) -> bytes:
    peer = c.peer or local
    attrs = [attribute(r.IFA_LOCAL, local[0].to_bytes(4, "big")), attribute(r.IFA_ADDRESS, peer[0].to_bytes(4, "big"))]
    attrs += c.attrs
    if c.broadcast:
        host = 0xFFFFFFFF >> peer[1]
        ends = {"+": local[0] | host, "-": local[0] & ~host}
        end = ends[c.broadcast] if c.broadcast in ends else parse_address(c.broadcast, "inet")
        attrs.append(attribute(r.IFA_BROADCAST, end.to_bytes(4, "big")))
    if c.label:
        attrs.append(attribute(r.IFA_LABEL, c.label))
    if c.valid != FOREVER or c.preferred != FOREVER:
        attrs.append(attribute(r.IFA_CACHEINFO, struct.pack("<IIII", c.preferred, c.valid, 0, 0)))
    return b"".join(attrs)


async def _change(net: Netlink, verb: str, rest: list[str]) -> None:
    c = _parse(rest)
    _checked(c)
    scope, attrs, length, family = c.scope or 0, b"".join(c.attrs), 0, 0
    if c.local is not None:
        family, length, attrs = AF_INET, (c.peer or c.local)[1], _attributes(c, c.local)
        if c.scope is None and c.local[0] >> 24 == 127 and verb != "delete":
            scope = SCOPE_NUMBERS["host"]
    body = IFADDRMSG.pack(family, length, 0, scope, await ip_link.index_of(net, c.device)) + attrs
    flags = {"add": NLM_F_CREATE | NLM_F_EXCL, "replace": NLM_F_CREATE | NLM_F_REPLACE, "change": NLM_F_REPLACE}
    await net.change(r.RTM_DELADDR if verb == "delete" else r.RTM_NEWADDR, body, flags.get(verb, 0))
