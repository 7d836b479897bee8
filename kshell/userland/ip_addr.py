"""ip address: show, add, replace, delete, flush."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from kshell.abi import rtnetlink as r
from kshell.abi.if_link import IFLA_OPERSTATE
from kshell.abi.netlink import NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE
from kshell.abi.socket import AF_INET
from kshell.userland import ip_link
from kshell.userland.addresses import ipv4_of, parse_ipv4, parse_prefix
from kshell.userland.iproute import Options, command, integer, value
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


class _Filter:
    """What `show` is restricted to."""

    def __init__(self, rest: list[str]) -> None:
        self.device = ""
        self.up = self.dynamic = False
        self.scope: int | None = None
        self.to: tuple[int, int] | None = None
        while rest:
            word = rest.pop(0)
            if word == "up":
                self.up = True
            elif word == "scope":
                self.scope = _scope(value(rest, word))
            elif word == "to":
                self.to = parse_prefix(value(rest, word))
            elif word in ("secondary", "primary", "permanent", "dynamic"):
                self.dynamic = word == "dynamic"
            else:
                self.device = value(rest, word) if word == "dev" else word

    def wants(self, address: Address) -> bool:
        if self.scope is not None and address.scope != self.scope:
            return False
        if self.to is None:
            return True
        local = int.from_bytes(address.attrs.get(r.IFA_LOCAL, bytes(4)), "big")
        return not self.to[1] or (local ^ self.to[0]) >> 32 - self.to[1] == 0


async def _show(net: Netlink, options: Options, rest: list[str], flush: bool) -> None:
    wanted = _Filter(rest)
    found = await ip_link.links(net)
    if wanted.device and all(link.name != wanted.device for link in found):
        raise ProgramError(f'Device "{wanted.device}" does not exist.', 1)
    addresses = [Address(m) for m in await net.dump(r.RTM_GETADDR, IFADDRMSG.pack(AF_INET, 0, 0, 0, 0))]
    names = {link.index: link.name for link in found}
    for link in found:
        own = [a for a in addresses if a.index == link.index and wanted.wants(a)]
        if (wanted.device and link.name != wanted.device) or (wanted.up and not link.flags & 1):
            continue
        if flush:
            await _flush(net, own)
            continue
        if (wanted.scope is not None or wanted.to is not None) and not own:
            continue
        for line in _lines(link, own, names, options):
            net.p.print(line)


async def _flush(net: Netlink, addresses: list[Address]) -> None:
    for address in reversed(addresses):
        body = IFADDRMSG.pack(AF_INET, address.length, 0, 0, address.index)
        body += attribute(r.IFA_LOCAL, address.attrs[r.IFA_LOCAL])
        await net.change(r.RTM_DELADDR, body)


def _lines(link: ip_link.Link, own: list[Address], names: dict[int, str], options: Options) -> list[str]:
    if options.brief:
        state = ip_link.OPERSTATES[number(link.attrs.get(IFLA_OPERSTATE))]
        listed = "".join(f"{_brief(a)} " for a in own)
        return [f"{ip_link.full_name(link, names):<16} {state:<14} {listed}"]
    if options.oneline:
        return [f"{link.index}: {link.name}    {chr(92).join(_inet(a))}" for a in own]
    lines = [ip_link.headline(link, names), ip_link._addresses(link)]
    for address in own:
        lines += [f"    {_inet(address)[0]}", f"       {_inet(address)[1].strip()}"]
    return lines + (ip_link.statistics(link) if options.statistics else [])


def _brief(address: Address) -> str:
    return f"{ipv4_of(address.attrs.get(r.IFA_LOCAL))}/{address.length}"


def _inet(address: Address) -> tuple[str, str]:
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


def _scope(word: str) -> int:
    return SCOPE_NUMBERS[word] if word in SCOPE_NUMBERS else integer(word, "scope")


async def _change(net: Netlink, verb: str, rest: list[str]) -> None:
    local: tuple[int, int] | None = None
    peer, broadcast, device, label = None, "", "", ""
    scope: int | None = None
    attrs: list[bytes] = []
    lifetimes = {"valid_lft": FOREVER, "preferred_lft": FOREVER}
    while rest:
        word = rest.pop(0)
        if word == "dev":
            device = value(rest, word)
        elif word in ("broadcast", "brd"):
            broadcast = value(rest, word)
        elif word in ("peer", "remote"):
            peer = parse_prefix(value(rest, word))
        elif word == "scope":
            scope = _scope(value(rest, word))
        elif word == "label":
            label = value(rest, word)
        elif word in ("metric", "priority", "preference"):
            attrs.append(attribute(r.IFA_RT_PRIORITY, integer(value(rest, word), "metric")))
        elif word in lifetimes:
            given = value(rest, word)
            lifetimes[word] = FOREVER if given == "forever" else integer(given.removesuffix("sec"), word)
        elif word == "noprefixroute":
            attrs.append(attribute(r.IFA_FLAGS, 0x200))
        else:
            local = parse_prefix(value(rest, word) if word == "local" else word)
    if not device:
        raise ProgramError('Not enough information: "dev" argument is required.', 255)
    if local is None:
        raise ProgramError('Command line is not complete. Try option "help"', 255)
    length = (peer or local)[1]
    attrs.insert(0, attribute(r.IFA_LOCAL, local[0].to_bytes(4, "big")))
    attrs.insert(1, attribute(r.IFA_ADDRESS, (peer or local)[0].to_bytes(4, "big")))
    if broadcast:
        host = 0xFFFFFFFF >> length
        number_ = (
            local[0] | host if broadcast == "+" else local[0] & ~host if broadcast == "-" else parse_ipv4(broadcast)
        )
        attrs.append(attribute(r.IFA_BROADCAST, number_.to_bytes(4, "big")))
    if label:
        attrs.append(attribute(r.IFA_LABEL, label))
    if lifetimes["valid_lft"] != FOREVER or lifetimes["preferred_lft"] != FOREVER:
        attrs.append(
            attribute(r.IFA_CACHEINFO, struct.pack("<IIII", lifetimes["preferred_lft"], lifetimes["valid_lft"], 0, 0))
        )
    index = await ip_link.index_of(net, device)
    default_scope = 254 if local[0] >> 24 == 127 and verb != "delete" else 0
    body = IFADDRMSG.pack(AF_INET, length, 0, default_scope if scope is None else scope, index) + b"".join(attrs)
    flags = {"add": NLM_F_CREATE | NLM_F_EXCL, "replace": NLM_F_CREATE | NLM_F_REPLACE, "change": NLM_F_REPLACE}
    await net.change(r.RTM_DELADDR if verb == "delete" else r.RTM_NEWADDR, body, flags.get(verb, 0))
