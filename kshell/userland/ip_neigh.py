"""ip neighbour: show, add, replace, change, delete, flush, get."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from kshell.abi import neighbour as nb
from kshell.abi import rtnetlink as r
from kshell.abi.netlink import NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE
from kshell.abi.socket import AF_INET
from kshell.userland import ip_link
from kshell.userland.addresses import ipv4_of, mac, parse_address, parse_prefix
from kshell.userland.iproute import EXIT_MINUS_ONE, Options, command, garbage, integer, value
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
NOARP, PERMANENT = 0x40, 0x80


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


class _Filter:
    """What `show` is restricted to."""

    def __init__(self, rest: list[str]) -> None:
        self.device = ""
        self.states = 0xFF & ~NOARP
        self.every = self.unused = self.proxy = False
        self.prefix: tuple[int, int] | None = None
        given = 0
        while rest:
            word = rest.pop(0)
            if word == "dev":
                self.device = value(rest, word)
            elif word in ("nud", "state"):
                given |= self._state(value(rest, word))
                self.states = given
            elif word in ("unused", "proxy"):
                setattr(self, word, True)
            else:
                self.prefix = parse_prefix(value(rest, word) if word == "to" else word)

    def _state(self, word: str) -> int:
        if word == "all":
            self.every = True
            return 0xFF
        return _state(word)

    def wants(self, each: Neighbour) -> bool:
        """Whether a neighbour is to be shown."""
        address = int.from_bytes(each.attrs[nb.NDA_DST], "big")
        if self.prefix is not None and self.prefix[1] and (address ^ self.prefix[0]) >> 32 - self.prefix[1]:
            return False
        if self.unused and nb.NDA_CACHEINFO in each.attrs and struct.unpack("<IIII", each.attrs[nb.NDA_CACHEINFO])[3]:
            return False
        return bool(each.state & self.states) or (not each.state and self.every) or self.proxy


def _state(word: str) -> int:
    return STATE_NUMBERS[word] if word in STATE_NUMBERS else integer(word, "nud state is bad", most=0xFFFF)


async def _show(net: Netlink, options: Options, rest: list[str], flush: bool) -> None:
    if flush and not rest:
        raise ProgramError("Flush requires arguments.")
    wanted = _Filter(rest)
    body = NDMSG.pack(options.family or AF_INET, 0, 0, 0, 0, nb.NTF_PROXY if wanted.proxy else 0, 0)
    if wanted.device:
        body += attribute(nb.NDA_IFINDEX, await ip_link.index_of(net, wanted.device))
    names = {link.index: link.name for link in await ip_link.links(net)}
    flushed = 0
    for each in [Neighbour(message) for message in await net.dump(r.RTM_GETNEIGH, body)]:
        if not wanted.wants(each):
            continue
        if not flush:
            net.p.print(describe(each, names, wanted.device, options))
        elif not each.state & PERMANENT:
            flushed += 1
            gone = NDMSG.pack(AF_INET, 0, 0, each.index, 0x20, 0, 0) + attribute(nb.NDA_DST, each.attrs[nb.NDA_DST])
            await net.change(r.RTM_DELNEIGH, gone)
    if flush and options.statistics:
        if flushed:
            net.p.print(f"\n*** Round 1, deleting {flushed} entries ***\n*** Flush is complete after 1 round ***")
        else:
            net.p.print("Nothing to flush.")


def describe(each: Neighbour, names: dict[int, str], device: str, options: Options) -> str:
    """One line."""
    a = each.attrs
    name = names.get(each.index, f"if{each.index}")
    if options.brief:
        line = f"{ipv4_of(a[nb.NDA_DST]):<39} " + ("" if device else f"{name:<16} ")
        return line + (mac(a[nb.NDA_LLADDR]) if nb.NDA_LLADDR in a else "")
    line = f"{ipv4_of(a[nb.NDA_DST])} " + ("" if device else f"dev {name} ")
    if nb.NDA_LLADDR in a:
        line += f"lladdr {mac(a[nb.NDA_LLADDR])} "
    if each.flags & nb.NTF_ROUTER:
        line += "router "
    if each.flags & nb.NTF_PROXY:
        line += "proxy "
    if each.flags & nb.NTF_EXT_LEARNED:
        line += "extern_learn "
    if options.statistics and nb.NDA_CACHEINFO in a:
        confirmed, used, updated, refcnt = struct.unpack("<IIII", a[nb.NDA_CACHEINFO])
        line += (f" ref {refcnt}" if refcnt else "") + f" used {used // 100}/{confirmed // 100}/{updated // 100}"
        line += f"probes {number(a.get(nb.NDA_PROBES))} "
    states = ",".join(name for state, name in STATES if each.state & state)
    return line + (f"{states} " if states else "")


class _Change:
    def __init__(self) -> None:
        self.address: int | None = None
        self.lladdr = b""
        self.device = ""
        self.state = PERMANENT
        self.flags = 0


_FLAG_WORDS: Final = {"proxy": nb.NTF_PROXY, "router": nb.NTF_ROUTER, "extern_learn": nb.NTF_EXT_LEARNED, "use": nb.NTF_USE}


def _parse(rest: list[str], required: str, status: int) -> _Change:
    c = _Change()
    while rest:
        word = rest.pop(0)
        if word == "dev":
            c.device = value(rest, word)
        elif word == "lladdr":
            c.lladdr = ip_link.lladdr(value(rest, word))
        elif word in ("nud", "state"):
            c.state = _state(value(rest, word))
        elif word in _FLAG_WORDS and word != "proxy":
            c.flags |= _FLAG_WORDS[word]
        else:
            c.flags |= _FLAG_WORDS.get(word, 0)
            if c.address is not None:
                raise garbage("to", word)
            c.address = parse_address(value(rest, word) if word in ("to", "proxy") else word)
    if c.address is None or not c.device:
        raise ProgramError(f"Device and {required} are required arguments.", status)
    return c


async def _get(net: Netlink, options: Options, rest: list[str]) -> None:
    c = _parse(rest, "address", 1)
    assert c.address is not None
    body = NDMSG.pack(AF_INET, 0, 0, await ip_link.index_of(net, c.device), 0, c.flags & nb.NTF_PROXY, 0)
    message = await net.get(r.RTM_GETNEIGH, body + attribute(nb.NDA_DST, c.address.to_bytes(4, "big")))
    names = {link.index: link.name for link in await ip_link.links(net)}
    net.p.print(describe(Neighbour(message), names, "", options))


async def _change(net: Netlink, verb: str, rest: list[str]) -> None:
    c = _parse(rest, "destination", EXIT_MINUS_ONE)
    assert c.address is not None
    deleting = verb == "delete"
    header = NDMSG.pack(AF_INET, 0, 0, await ip_link.index_of(net, c.device), 0x20 if deleting else c.state, c.flags, 0)
    body = header + attribute(nb.NDA_DST, c.address.to_bytes(4, "big"))
    body += attribute(nb.NDA_LLADDR, c.lladdr) if c.lladdr else b""
    flags = {"add": NLM_F_CREATE | NLM_F_EXCL, "replace": NLM_F_CREATE | NLM_F_REPLACE, "change": NLM_F_REPLACE}
    await net.change(r.RTM_DELNEIGH if deleting else r.RTM_NEWNEIGH, body, flags.get(verb, 0))
