"""netstat, as in net-tools: sockets, routes, interfaces and statistics from /proc/net."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kshell.userland.addresses import ipv4
from kshell.userland.files import read_lines
from kshell.userland.ifconfig import table
from kshell.userland.interfaces import Interfaces
from kshell.userland.owners import Owners
from kshell.userland.route import show_routes
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


class Options:
    """The letters given."""

    def __init__(self, words: list[str]) -> None:
        known = {"--tcp": "t", "--udp": "u", "--raw": "w", "--unix": "x", "--listening": "l", "--all": "a",
                 "--numeric": "n", "--programs": "p", "--route": "r", "--interfaces": "i", "--extend": "e",
                 "--timers": "o", "--statistics": "s"}  # fmt: skip
        self.letters = "".join(known.get(word, word.lstrip("-")) for word in words)
        for letter in self.letters:
            if letter not in "tuwxlanpriesoW4c":
                raise ProgramError(f"netstat: invalid option -- '{letter}'", 4)

    def __contains__(self, letter: str) -> bool:
        return letter in self.letters


@in_own_words
async def main_netstat(p: Process, argv: list[str]) -> int:
    """netstat [-tuwxlanprieos]"""
    o = Options(argv[1:])
    if "r" in o:
        await show_routes(p, wide=True)
    elif "i" in o:
        await _interfaces(p)
    elif "s" in o:
        await _statistics(p)
    else:
        await _sockets(p, o)
    return 0


def _which(o: Options) -> str:
    if "l" in o:
        return "(only servers)"
    return "(servers and established)" if "a" in o else "(w/o servers)"


async def _sockets(p: Process, o: Options) -> None:
    owners = await Owners.read(p) if "p" in o else None
    kinds = [name for letter, name in (("t", "tcp"), ("u", "udp"), ("w", "raw")) if letter in o]
    every = not kinds and "x" not in o
    if kinds or every:
        p.print(f"Active Internet connections {_which(o)}")
        head = "Proto Recv-Q Send-Q Local Address           Foreign Address         State      "
        head += " User       Inode     " if "e" in o else ""
        head += " PID/Program name    " if "p" in o else ""
        head += " Timer" if "o" in o else ""
        p.print(head)
        for kind in kinds or ["tcp", "udp", "raw"]:
            await _inet(p, o, kind, owners)
    if "x" in o or every:
        p.print(f"Active UNIX domain sockets {_which(o)}")
        p.print(
            "Proto RefCnt Flags       Type       State         I-Node  "
            + (" PID/Program name    " if "p" in o else "")
            + " Path"
        )
        await _unix(p, o, owners)


async def _inet(p: Process, o: Options, kind: str, owners: Owners | None) -> None:
    for line in (await read_lines(p, f"/proc/net/{kind}"))[1:]:
        w = line.split()
        local, remote = _end(w[1]), _end(w[2])
        state, listens = int(w[3], 16), remote[1] == 0 and remote[0] == 0
        if ("l" in o and not listens) or (not ("l" in o or "a" in o) and listens):
            continue
        sent, received = (int(part, 16) for part in w[4].split(":"))
        names = (
            STATES
            if kind == "tcp"
            else [str(n) if kind == "raw" else "ESTABLISHED" if n == 1 else "" for n in range(12)]
        )
        text = f"{kind:<4}  {received:6d} {sent:6d} {_shown(local):<23} {_shown(remote):<23} {names[state]:<11}"
        if "e" in o:
            text += f" {w[7]:<10} {w[9]:<10}"
        if owners is not None:
            text += f" {owners.first(int(w[9])):<20}"
        if "o" in o:
            timer, expires = w[5].split(":")
            retrans = int(w[6], 16)
            text += f" {_TIMERS[min(int(timer, 16), 4)]} ({int(expires, 16) / 100:.2f}/{retrans}/{0})"
        p.print(text)


def _end(word: str) -> tuple[int, int]:
    address, port = word.split(":")
    return int.from_bytes(bytes.fromhex(address), "little"), int(port, 16)


def _shown(end: tuple[int, int]) -> str:
    return f"{ipv4(end[0])}:{end[1] or '*'}"


async def _unix(p: Process, o: Options, owners: Owners | None) -> None:
    for line in (await read_lines(p, "/proc/net/unix"))[1:]:
        w = line.split()
        flags, kind, state = int(w[3], 16), int(w[4], 16), int(w[5], 16)
        listens = bool(flags & 0x10000)
        if ("l" in o and not listens) or (not ("l" in o or "a" in o) and state != 3):
            continue
        shown = "LISTENING" if listens else _UNIX_STATES[state]
        path = w[7] if len(w) > 7 else ""
        accepts = "[ ACC ]" if listens else "[ ]"
        text = f"unix  {int(w[1], 16):<6} {accepts:<11} {_UNIX_TYPES.get(kind, '?'):<10} {shown:<13} {w[6]:<8}"
        if owners is not None:
            text += f" {owners.first(int(w[6])):<20}"
        p.print(f"{text} {path}")


async def _interfaces(p: Process) -> None:
    interfaces = await Interfaces.open(p)
    p.print("Kernel Interface table")
    try:
        await table(p, interfaces, "Iface             MTU")
    finally:
        await interfaces.close()


async def _statistics(p: Process) -> None:
    """The counters of /proc/net/snmp under their own names, protocol by protocol."""
    for path in ("/proc/net/snmp", "/proc/net/netstat"):
        try:
            lines = await read_lines(p, path)
        except SystemCallError:
            continue
        for names, values in zip(lines[::2], lines[1::2], strict=False):
            protocol, *titles = names.split()
            p.print(protocol)
            for title, value in zip(titles, values.split()[1:], strict=False):
                if value != "0":
                    p.print(f"    {title}: {value}")
