"""ip neighbour: show, add, replace, change, delete, flush, get."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from kshell.abi import rtnetlink as r
from kshell.abi.netlink import NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE
from kshell.abi.socket import AF_INET
from kshell.userland import ip_link
from kshell.userland.addresses import ipv4_of, mac, parse_ipv4, parse_mac, parse_prefix
from kshell.userland.iproute import Options, command, integer, value
from kshell.userland.rtnl import Message, Netlink, attribute, number
from kshell.userland.runtime import ProgramError

if TYPE_CHECKING:
    from kshell.userland.runtime import Process

NDMSG: Final = struct.Struct("<BBHiHBB")
HEADER: Final = 12
STATES: Final = (
    (0x01, "INCOMPLETE"), (0x02, "REACHABLE"), (0x04, "STALE"), (0x08, "DELAY"), (0x10, "PROBE"), (0x20, "FAILED"),
    (0x40, "NOARP"), (0x80, "PERMANENT"),
)  # fmt: skip
STATE_NUMBERS: Final = {name.lower(): state for state, name in STATES} | {"none": 0}
NOARP: Final = 0x40


class Neighbour:
    """A neighbour as the kernel describes it."""

    def __init__(self, message: Message) -> None:
        _, _, _, self.index, self.state, self.flags, self.type = NDMSG.unpack_from(message.body)
        self.attrs = message.attrs(HEADER)


async def run(p: Process, options: Options, words: list[str]) -> None:
    """ip neighbour ..."""
    verb, rest = command(words, ("add", "change", "replace", "delete", "flush", "get", "show"), "neigh")
    net = await Netlink.open(p)
    try:
        if verb in ("show", "flush"):
            await _show(net, options, rest, verb == "flush")
        elif verb == "get":
            await _get(net, options, rest)
        else:
            await _change(net, verb, rest)
    finally:
        await net.close()


async def _show(net: Netlink, options: Options, rest: list[str], flush: bool) -> None:
    device, states, prefix = "", 0xFF & ~NOARP, None
    while rest:
        word = rest.pop(0)
        if word == "dev":
            device = value(rest, word)
        elif word in ("nud", "state"):
            given = value(rest, word)
            states = 0xFF if given == "all" else STATE_NUMBERS.get(given, 0)
        else:
            prefix = parse_prefix(value(rest, word) if word == "to" else word)
    body = NDMSG.pack(AF_INET, 0, 0, 0, 0, 0, 0)
    if device:
        body += attribute(r.NDA_IFINDEX, await ip_link.index_of(net, device))
    names = {link.index: link.name for link in await ip_link.links(net)}
    for each in [Neighbour(message) for message in await net.dump(r.RTM_GETNEIGH, body)]:
        address = int.from_bytes(each.attrs[r.NDA_DST], "big")
        if prefix is not None and prefix[1] and (address ^ prefix[0]) >> 32 - prefix[1]:
            continue
        if not each.state & states and not (each.state == 0 and states == 0xFF):
            continue
        if flush:
            if not each.state & 0x80:
                gone = NDMSG.pack(AF_INET, 0, 0, each.index, 0x20, 0, 0) + attribute(r.NDA_DST, each.attrs[r.NDA_DST])
                await net.change(r.RTM_DELNEIGH, gone)
        else:
            net.p.print(describe(each, names, device, options))


def describe(each: Neighbour, names: dict[int, str], device: str, options: Options) -> str:
    """One line."""
    a = each.attrs
    line = f"{ipv4_of(a[r.NDA_DST])} " + ("" if device else f"dev {names.get(each.index, '?')} ")
    if r.NDA_LLADDR in a:
        line += f"lladdr {mac(a[r.NDA_LLADDR])} "
    if each.flags & r.NTF_ROUTER:
        line += "router "
    if options.statistics and r.NDA_CACHEINFO in a:
        confirmed, used, updated, refcnt = struct.unpack("<IIII", a[r.NDA_CACHEINFO])
        line += (f"ref {refcnt} " if refcnt else "") + f" used {used // 100}/{confirmed // 100}/{updated // 100}"
        line += f"probes {number(a.get(r.NDA_PROBES))} "
    return line + ",".join(name for state, name in STATES if each.state & state) + " "


class _Change:
    def __init__(self) -> None:
        self.address: int | None = None
        self.lladdr = b""
        self.device = ""
        self.state = 0x80


def _parse(rest: list[str]) -> _Change:
    c = _Change()
    while rest:
        word = rest.pop(0)
        if word == "dev":
            c.device = value(rest, word)
        elif word == "lladdr":
            c.lladdr = parse_mac(value(rest, word))
        elif word in ("nud", "state"):
            given = value(rest, word)
            c.state = STATE_NUMBERS[given] if given in STATE_NUMBERS else integer(given, "nud state")
        else:
            given = value(rest, word) if word == "to" else word
            c.address = parse_ipv4(given, f'Error: inet address is expected rather than "{given}".')
    if c.address is None or not c.device:
        raise ProgramError("Device and destination are required arguments.", 255)
    return c


async def _get(net: Netlink, options: Options, rest: list[str]) -> None:
    c = _parse(rest)
    assert c.address is not None
    body = NDMSG.pack(AF_INET, 0, 0, await ip_link.index_of(net, c.device), 0, 0, 0)
    message = await net.get(r.RTM_GETNEIGH, body + attribute(r.NDA_DST, c.address.to_bytes(4, "big")))
    names = {link.index: link.name for link in await ip_link.links(net)}
    net.p.print(describe(Neighbour(message), names, "", options))


async def _change(net: Netlink, verb: str, rest: list[str]) -> None:
    c = _parse(rest)
    assert c.address is not None
    deleting = verb == "delete"
    header = NDMSG.pack(AF_INET, 0, 0, await ip_link.index_of(net, c.device), 0x20 if deleting else c.state, 0, 0)
    body = header + attribute(r.NDA_DST, c.address.to_bytes(4, "big"))
    body += attribute(r.NDA_LLADDR, c.lladdr) if c.lladdr else b""
    flags = {"add": NLM_F_CREATE | NLM_F_EXCL, "replace": NLM_F_CREATE | NLM_F_REPLACE, "change": NLM_F_REPLACE}
    await net.change(r.RTM_DELNEIGH if deleting else r.RTM_NEWNEIGH, body, flags.get(verb, 0))
