"""ss, as in iproute2: sockets by NETLINK_SOCK_DIAG."""

from __future__ import annotations

from os import strerror
from typing import TYPE_CHECKING, Final

from kshell.abi.netlink import NETLINK_SOCK_DIAG
from kshell.abi.socket import AF_INET, AF_INET6, AF_NETLINK, AF_PACKET, AF_UNIX
from kshell.userland import ip_link
from kshell.userland.files import read_file, read_lines
from kshell.userland.getopt import Getopt
from kshell.userland.owners import Owners
from kshell.userland.rtnl import Netlink, NetlinkError
from kshell.userland.runtime import ProgramError, SystemCallError, UsageError, in_own_words
from kshell.userland.ss_ask import ASK, CLOSE, ESTABLISHED, LISTEN, STATES
from kshell.userland.ss_filter import EXIT_MINUS_ONE, Filter
from kshell.userland.ss_table import Row, table

if TYPE_CHECKING:
    from kshell.userland.runtime import Process

ALL: Final = 0xFFF
_WORDS: Final = {name.lower(): 1 << at for at, name in enumerate(STATES)} | {
    "established": ESTABLISHED, "closed": CLOSE, "close": CLOSE, "unconnected": CLOSE, "listening": LISTEN,
    "listen": LISTEN, "syn-rcv": 1 << 3, "all": ALL, "connected": ALL & ~(CLOSE | LISTEN),
    "synchronized": ALL & ~(CLOSE | LISTEN | 1 << 2), "bucket": 1 << 3 | 1 << 6, "big": ALL & ~(1 << 3 | 1 << 6),
}  # fmt: skip
CONNECTED: Final = ALL & ~(CLOSE | LISTEN | 1 << 6 | 1 << 3)
_UNIX: Final = ("unix_stream", "unix_dgram", "unix_seqpacket")
_QUERIES: Final = {
    "all": tuple(ASK), "inet": ("tcp", "udp", "raw"), "tcp": ("tcp",), "udp": ("udp",), "raw": ("raw",),
    "unix": ("unix",), "packet": ("packet",), "packet_raw": ("packet",), "packet_dgram": ("packet",),
    "p_raw": ("packet",), "p_dgr": ("packet",), "netlink": ("netlink",), "mptcp": (), "dccp": (), "sctp": (),
    "u_str": ("unix_stream",), "u_dgr": ("unix_dgram",), "u_seq": ("unix_seqpacket",),
} | {kind: (kind,) for kind in _UNIX}  # fmt: skip
_FAMILIES: Final = {
    "inet": AF_INET, "inet6": AF_INET6, "unix": AF_UNIX, "link": AF_PACKET, "netlink": AF_NETLINK,
}  # fmt: skip
GETOPT: Final = Getopt(
    "0tuwxaldnrpmeoi46sHOf:A:MSKzZh",
    {
        "tcp": "t", "udp": "u", "raw": "w", "unix": "x", "packet": "0", "listening": "l", "all": "a", "numeric": "n",
        "resolve": "r", "processes": "p", "extended": "e", "memory": "m", "info": "i", "options": "o", "no-header": "H",
        "oneline": "O", "summary": "s", "ipv4": "4", "ipv6": "6", "family=": "f", "query=": "A", "socket=": "A",
        "kill": "K", "mptcp": "M", "sctp": "S", "dccp": "d", "context": "Z", "contexts": "z", "help": "h",
    },
    EXIT_MINUS_ONE,
    "Usage: ss [ OPTIONS ] [ FILTER ]",
)  # fmt: skip
_FLAGS: Final = {
    "a": "all", "l": "listening", "n": "numeric", "r": "resolve", "p": "processes", "e": "extended", "m": "memory",
    "i": "info", "o": "timers", "H": "no_header", "O": "oneline", "s": "summary",
}  # fmt: skip
_KINDS: Final = {"t": "tcp", "u": "udp", "w": "raw", "x": "unix", "0": "packet", "d": "dccp", "M": "mptcp", "S": "sctp"}


class Options:
    """What is asked for."""

    def __init__(self) -> None:
        self.kinds: list[str] = []
        self.all = self.listening = self.numeric = self.resolve = self.processes = self.extended = self.memory = False
        self.info = self.timers = self.no_header = self.oneline = self.summary = self.asked = False
        self.states = 0
        self.family = 0
        self.unix_kinds: tuple[str, ...] = _UNIX
        self.filter: list[str] = []


class Query:
    """A run of ss: the socket to ask on, and what else it knows. names: of devices by index."""

    def __init__(self, net: Netlink, options: Options, filter_: Filter, owners: Owners | None, names: dict[int, str]):
        self.net = net
        self.options = options
        self.filter = filter_
        self.owners = owners
        self.names = names

    async def portid(self, number: int) -> str:
        """The name of what a netlink port belongs to."""
        if self.options.numeric:
            return str(number)
        if not number:
            return "kernel"
        try:
            stat = (await read_file(self.net.p, f"/proc/{number}/stat")).decode("utf-8", "backslashreplace")
        except SystemCallError:
            return str(number)
        return f"{stat.partition('(')[2].rpartition(')')[0]}/{number}"


@in_own_words
async def main_ss(p: Process, argv: list[str]) -> int:
    """ss [-tuwxlanpemiosrOH0] [-f FAMILY] [-A KINDS] [state STATE] [FILTER]"""
    options = _options(argv)
    if options.summary:
        await _summary(p)
        if not options.asked:
            return 0
    if not options.kinds and options.asked:
        raise ProgramError("ss: no socket tables to show with such filter.", 0)
    for line in await _lines(p, options):
        p.print(line)
    return 0


async def _lines(p: Process, o: Options) -> list[str]:
    names: dict[int, str] = {}
    if any(kind not in ("unix", "netlink") for kind in o.kinds):
        route = await Netlink.open(p)
        names = {link.index: link.name for link in await ip_link.links(route)}
        await route.close()
    filter_ = Filter(o.filter, {name: index for index, name in names.items()})
    net = await Netlink.open(p, NETLINK_SOCK_DIAG, strict=False)
    try:
        owners = await Owners.read(p) if o.processes else None
        query = Query(net, o, filter_, owners, names)
        rows: list[Row] = []
        for kind in [kind for kind in ASK if kind in o.kinds]:
            rows += await ASK[kind](query)
    except NetlinkError as error:
        raise ProgramError(f"RTNETLINK answers: {strerror(error.errno)}", 1) from None
    finally:
        await net.close()
    several = len(o.kinds) > 1 or ("unix" in o.kinds and len(o.unix_kinds) > 1) or o.kinds == ["packet"]
    return table(rows, several, o.states & o.states - 1 != 0, not o.no_header)


# ---- the command line


def _options(argv: list[str]) -> Options:
    o = Options()
    found, rest = GETOPT.parse(argv)
    for letter, given in found:
        _option(o, letter, given)
    _states(o, rest)
    if not o.kinds and not o.asked:
        family = {AF_UNIX: ["unix"], AF_PACKET: ["packet"], AF_NETLINK: ["netlink"]}
        inet = ["raw", "udp", "tcp"]
        o.kinds = family.get(o.family, inet if o.family in (AF_INET, AF_INET6) else list(ASK))
    return o


def _option(o: Options, letter: str, given: str) -> None:
    if letter in _FLAGS:
        setattr(o, _FLAGS[letter], True)
        o.timers = o.timers or letter == "e"
    elif letter in _KINDS:
        o.asked = True
        o.kinds += [_KINDS[letter]] if _KINDS[letter] not in o.kinds else []
    elif letter in "46":
        o.family = AF_INET if letter == "4" else AF_INET6
    elif letter == "f":
        if given not in _FAMILIES:
            raise UsageError(f'ss: "{given}" is invalid family\n{GETOPT.usage}', EXIT_MINUS_ONE)
        o.family = _FAMILIES[given]
    elif letter == "A":
        _query(o, given)
    elif letter in "zZ":
        raise ProgramError("ss: SELinux is not enabled.", 1)
    elif letter == "h":
        raise ProgramError(GETOPT.usage, 0)


def _query(o: Options, given: str) -> None:
    o.asked = True
    for word in given.split(","):
        name = word.removeprefix("!")
        if name not in _QUERIES:
            raise UsageError(f'ss: "{name}" is illegal socket table id\n{GETOPT.usage}', EXIT_MINUS_ONE)
        for kind in _QUERIES[name]:
            if kind in _UNIX:
                o.unix_kinds = (kind,) if o.unix_kinds == _UNIX else (*o.unix_kinds, kind)
                kind = "unix"
            if word != name and kind in o.kinds:
                o.kinds.remove(kind)
            elif word == name and kind not in o.kinds:
                o.kinds.append(kind)


def _states(o: Options, rest: list[str]) -> None:
    while rest and rest[0] in ("state", "exclude"):
        word = rest.pop(0)
        name = rest.pop(0) if rest else ""
        given = _WORDS.get(name.lower())
        if given is None:
            raise ProgramError(f"ss: wrong state name: {name}", EXIT_MINUS_ONE)
        o.states = o.states | given if word == "state" else (o.states or ALL) & ~given
    if not o.states:
        o.states = ALL if o.all else LISTEN | CLOSE if o.listening else _usual(o)
    o.filter = rest


_USUAL: Final = {
    "tcp": CONNECTED, "unix": CONNECTED, "udp": ESTABLISHED, "raw": ESTABLISHED, "packet": CLOSE, "netlink": CLOSE,
}  # fmt: skip


def _usual(o: Options) -> int:
    """The states that each of the kinds asked for is shown in; connected sockets if none is."""
    families = {AF_PACKET: ["packet"], AF_NETLINK: ["netlink"]}
    states = 0
    for kind in o.kinds or families.get(o.family, []):
        states |= _USUAL.get(kind, 0)
    return states or CONNECTED


# ---- the summary


async def _summary(p: Process) -> None:
    """Counts from /proc/net/sockstat and /proc/net/snmp."""
    counts: dict[str, dict[str, int]] = {}
    for line in await read_lines(p, "/proc/net/sockstat"):
        name, _, rest = line.partition(":")
        words = rest.split()
        counts[name] = {key: int(number) for key, number in zip(words[::2], words[1::2], strict=True)}
    tcp = counts["TCP"]
    established = await _established(p)
    p.print(f"Total: {counts['sockets']['used']}")
    p.print(
        f"TCP:   {tcp['alloc'] + tcp['tw']} (estab {established}, closed {tcp['alloc'] - (tcp['inuse'] - tcp['tw'])}, "
        f"orphaned {tcp['orphan']}, timewait {tcp['tw']})\n"
    )
    p.print("Transport Total     IP        IPv6")
    used = [(name, counts[name]["inuse"]) for name in ("RAW", "UDP", "TCP")]
    for name, number in [*used, ("INET", sum(number for _, number in used)), ("FRAG", counts["FRAG"]["inuse"])]:
        p.print(f"{name}\t  {number:<9} {number:<9} {0:<9}")
    p.print()


async def _established(p: Process) -> int:
    lines = [line.split() for line in await read_lines(p, "/proc/net/snmp") if line.startswith("Tcp:")]
    return int(dict(zip(*lines, strict=True))["CurrEstab"])
