"""netstat, as in net-tools: sockets, routes, interfaces, groups and statistics from /proc/net."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kshell.userland import names
from kshell.userland.addresses import ipv4
from kshell.userland.files import read_lines
from kshell.userland.getopt import Getopt
from kshell.userland.ifconfig import show_all, table
from kshell.userland.interfaces import Interfaces
from kshell.userland.netstat_statistics import show_statistics
from kshell.userland.nettools import E_OPTERR, check_family
from kshell.userland.owners import Owners
from kshell.userland.route import BOTH, NETSTAT, ROUTE, show_routes
from kshell.userland.runtime import ProgramError, SystemCallError, in_own_words

if TYPE_CHECKING:
    from kshell.userland.runtime import Process

STATES: Final = (
    "", "ESTABLISHED", "SYN_SENT", "SYN_RECV", "FIN_WAIT1", "FIN_WAIT2", "TIME_WAIT", "CLOSE", "CLOSE_WAIT",
    "LAST_ACK", "LISTEN", "CLOSING",
)  # fmt: skip
_TIMERS: Final = ("off", "on", "keepalive", "timewait", "probe")
_UNIX_TYPES: Final = {1: "STREAM", 2: "DGRAM", 3: "RAW", 4: "RDM", 5: "SEQPACKET"}
_UNIX_STATES: Final = ("FREE", "", "CONNECTING", "CONNECTED", "DISCONNECTING")
SO_ACCEPTCON, SO_WAITDATA, SO_NOSPACE = 0x10000, 0x20000, 0x40000
GETOPT: Final = Getopt(
    "A:CFMacdeghilnNoprsStuUvWwxZ64",
    {
        "protocol=": "A", "cache": "C", "fib": "F", "masquerade": "M", "all": "a", "continuous": "c", "extend": "e",
        "groups": "g", "interfaces": "i", "listening": "l", "numeric": "n", "numeric-hosts": "!hosts",
        "numeric-ports": "!ports", "numeric-users": "!users", "symbolic": "N", "timers": "o", "programs": "p",
        "route": "r", "statistics": "s", "sctp": "S", "tcp": "t", "udp": "u", "udplite": "U", "verbose": "v",
        "wide": "W", "raw": "w", "unix": "x", "context": "Z", "inet": "4", "inet6": "6",
    },
    E_OPTERR,
    "usage: netstat [-nNeacvW] [-tuUwx] [-lop] | -r | -i | -g | -s",
)  # fmt: skip


class Options:
    """The letters given; hosts, ports, users: whether these are to be shown in numbers."""

    def __init__(self, argv: list[str]) -> None:
        found, _ = GETOPT.parse(argv)
        self.letters = ""
        for letter, value in found:
            self.letters += check_family(value) if letter == "A" else letter if len(letter) == 1 else ""
        plain = {letter for letter, _ in found}
        self.hosts, self.ports, self.users = (
            bool(plain & {"n", f"!{what}"}) for what in ("hosts", "ports", "users")
        )  # fmt: skip

    def __contains__(self, letter: str) -> bool:
        return letter in self.letters

    def end(self, end: tuple[int, int], kind: str) -> str:
        """An address with its port."""
        address, port = end
        service = names.protocol(port) if kind == "raw" else names.service(port, "tcp" if kind == "tcp" else "udp")
        shown = ipv4(address) if self.hosts or not address else names.host(address)
        tail = "*" if not port else str(port) if self.ports else service
        return f"{shown if 'W' in self else shown[: 22 - len(tail)]}:{tail}"


@in_own_words
async def main_netstat(p: Process, argv: list[str]) -> int:
    """netstat [-tuwxlanpeoWv] | -r | -i | -g | -s"""
    o = Options(argv)
    if "Z" in o:
        raise ProgramError("SELinux is not enabled on this machine.", 1)
    if "M" in o:
        raise ProgramError("netstat: no support for `ip_masquerade' on this system.", 1)
    if "r" in o:
        await show_routes(p, (NETSTAT, ROUTE, BOTH)[min(o.letters.count("e"), 2)], o.hosts)
    elif "i" in o:
        await _interfaces(p, o)
    elif "g" in o:
        await _groups(p)
    elif "s" in o:
        await show_statistics(p, o.letters)
    else:
        await _sockets(p, o)
    return 0


def _which(o: Options) -> str:
    if "a" in o:
        return "(servers and established)"
    return "(only servers)" if "l" in o else "(w/o servers)"


async def _sockets(p: Process, o: Options) -> None:
    owners = await Owners.read(p) if "p" in o else None
    asked = [kind for letter, kind in (("t", "tcp"), ("S", "sctp"), ("u", "udp"), ("U", "udplite"), ("w", "raw"))
             if letter in o]  # fmt: skip
    every = not asked and "x" not in o
    if asked or every:
        await _internet(p, o, asked or ([] if "6" in o and "4" not in o else ["tcp", "udp", "raw"]), owners)
    if "x" in o or (every and "4" not in o and "6" not in o):
        p.print(f"Active UNIX domain sockets {_which(o)}")
        p.print(
            "Proto RefCnt Flags       Type       State         I-Node  "
            + (" PID/Program name    " if "p" in o else "")
            + " Path"
        )
        await _unix(p, o, owners)


async def _internet(p: Process, o: Options, kinds: list[str], owners: Owners | None) -> None:
    p.print(f"Active Internet connections {_which(o)}")
    head = "Proto Recv-Q Send-Q Local Address           Foreign Address         State      "
    head += " User       Inode     " if "e" in o else ""
    head += " PID/Program name    " if "p" in o else ""
    head += " Timer" if "o" in o else ""
    p.print(head)
    for kind in kinds if "4" in o or "6" not in o else ():
        await _inet(p, o, kind, owners)


async def _inet(p: Process, o: Options, kind: str, owners: Owners | None) -> None:
    try:
        lines = (await read_lines(p, f"/proc/net/{kind}"))[1:]
    except SystemCallError:
        if kind == "sctp":
            raise ProgramError("netstat: no support for `AF INET (sctp)' on this system.", 1) from None
        return
    for line in lines:
        w = line.split()
        local, remote = _end(w[1]), _end(w[2])
        listens = remote[1] == 0 and (kind == "tcp" or remote[0] == 0)
        if "a" in o or listens == ("l" in o):
            p.print(_inet_line(o, kind, w, local, remote, owners))


def _inet_line(
    o: Options, kind: str, w: list[str], local: tuple[int, int], remote: tuple[int, int], owners: Owners | None
) -> str:
    sent, received = (int(part, 16) for part in w[4].split(":"))
    text = f"{kind:<4}  {received:6d} {sent:6d} {o.end(local, kind):<23} {o.end(remote, kind):<23} "
    text += f"{_state(kind, int(w[3], 16)):<11}"
    if "e" in o:
        text += f" {w[7] if o.users else names.user(int(w[7])):<10} {w[9]:<10}"
    if owners is not None:
        text += f" {owners.first(int(w[9])):<20}"
    if "o" in o:
        timer, expires = (int(part, 16) for part in w[5].split(":"))
        name = _TIMERS[timer] if timer < len(_TIMERS) else f"unkn-{timer}"
        text += f" {name} ({expires / 100 if timer else 0:.2f}/{int(w[6], 16)}/{w[8]})"
    return text


def _state(kind: str, state: int) -> str:
    if kind == "tcp":
        return STATES[state]
    return str(state) if kind == "raw" else {1: "ESTABLISHED", 7: ""}.get(state, "UNKNOWN")


def _end(word: str) -> tuple[int, int]:
    address, port = word.split(":")
    return int.from_bytes(bytes.fromhex(address), "little"), int(port, 16)


async def _unix(p: Process, o: Options, owners: Owners | None) -> None:
    for line in (await read_lines(p, "/proc/net/unix"))[1:]:
        w = line.split(maxsplit=7)
        flags, kind, state = int(w[3], 16), int(w[4], 16), int(w[5], 16)
        listens = bool(flags & SO_ACCEPTCON) and state == 1
        if "a" not in o and listens != ("l" in o):
            continue
        shown = "LISTENING" if listens else _UNIX_STATES[state] if state < len(_UNIX_STATES) else "UNKNOWN"
        letters = ((SO_ACCEPTCON, "ACC "), (SO_WAITDATA, "W "), (SO_NOSPACE, "N "))
        marks = f"[ {''.join(letter for bit, letter in letters if flags & bit)}]"
        text = f"unix  {int(w[1], 16):<6} {marks:<11} {_UNIX_TYPES.get(kind, '?'):<10} {shown:<13} {w[6]:<8}"
        if owners is not None:
            text += f" {owners.first(int(w[6])):<20}"
        p.print(f"{text} {w[7] if len(w) > 7 else ''}")


async def _interfaces(p: Process, o: Options) -> None:
    interfaces = await Interfaces.open(p)
    p.print("Kernel Interface table")
    try:
        if "e" in o:
            await show_all(p, interfaces, "a" in o)
        else:
            await table(p, interfaces, "Iface             MTU", "a" in o)
    finally:
        await interfaces.close()


async def _groups(p: Process) -> None:
    """Multicast groups by interface, from /proc/net/igmp."""
    p.print("IPv6/IPv4 Group Memberships")
    p.print("Interface       RefCnt Group")
    p.print("--------------- ------ ---------------------")
    device = ""
    for line in (await read_lines(p, "/proc/net/igmp"))[1:]:
        words = line.split()
        if not line[0].isspace():
            device = words[1]
        else:
            p.print(f"{device:<15} {int(words[1]):<6} {ipv4(int.from_bytes(bytes.fromhex(words[0]), 'little'))}")
