"""ip, as in iproute2: links, addresses, routes, neighbours and rules by NETLINK_ROUTE."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

from kshell.abi.socket import AF_INET, AF_INET6, AF_PACKET
from kshell.userland.rtnl import NetlinkError, answers
from kshell.userland.runtime import ProgramError, in_own_words

if TYPE_CHECKING:
    from kshell.userland.runtime import Process

OBJECTS: Final = (
    ("address", "ip_addr"), ("link", "ip_link"), ("maddress", "ip_maddr"), ("neighbor", "ip_neigh"),
    ("neighbour", "ip_neigh"), ("route", "ip_route"), ("rule", "ip_rule"),
    ("monitor", "ip_monitor"), ("netns", "ip_netns"),
)  # fmt: skip
USAGE: Final = """\
Usage: ip [ OPTIONS ] OBJECT { COMMAND | help }
where  OBJECT := { address | link | maddress | monitor | neighbour | netns | route | rule }
       OPTIONS := { -s[tatistics] | -d[etails] | -br[ief] | -o[neline] | -N[umeric] |
                    -n[etns] name | -f[amily] { inet | inet6 | link } | -4 | -6 | -0 }"""
EXIT_MINUS_ONE: Final = 255
_FAMILIES: Final = {"inet": AF_INET, "inet6": AF_INET6, "link": AF_PACKET}
_OPTIONS: Final = (
    "statistics",
    "stats",
    "details",
    "oneline",
    "brief",
    "Numeric",
    "family",
    "netns",
    "timestamp",
    "color",
    "resolve",
    "help",
)


class Options:
    """What stands before the object: -s, -d, -br, -o, and the family (0: none is given)."""

    def __init__(self) -> None:
        self.statistics = self.details = self.family = 0
        self.brief = self.oneline = self.numeric = False
        self.netns = ""
        self.timestamp = False


@in_own_words
async def main_ip(p: Process, argv: list[str]) -> int:
    """ip [-s] [-d] [-br] [-o] OBJECT COMMAND"""
    options = Options()
    words = argv[1:]
    while words and words[0].startswith("-"):
        _option(options, words.pop(0), words)
    if options.netns:
        await import_module("kshell.userland.ip_netns").switch(p, options.netns)
    if not words or (words[0] and "help".startswith(words[0])):
        raise ProgramError(USAGE, EXIT_MINUS_ONE)
    module = next((m for name, m in OBJECTS if name.startswith(words[0])), "")
    if not module:
        raise ProgramError(f'Object "{words[0]}" is unknown, try "ip help".', 1)
    try:
        status = await import_module(f"kshell.userland.{module}").run(p, options, words[1:])
    except NetlinkError as error:
        behind = "\nDump terminated" if error.dump else ""
        raise ProgramError(answers(error) + behind, 2) from None
    return status or 0


def _option(options: Options, word: str, rest: list[str]) -> None:
    given = word.removeprefix("-").removeprefix("-") or word
    families = {"4": AF_INET, "6": AF_INET6, "0": AF_PACKET}
    if given in families:
        options.family = families[given]
        return
    name = {"c": "color", "br": "brief", "r": "resolve", "t": "timestamp"}.get(given) or next(
        (each for each in _OPTIONS if each.startswith(given)), ""
    )
    if name == "family":
        family = rest.pop(0) if rest else ""
        if family not in _FAMILIES:
            raise wrong(family, "invalid protocol family")
        options.family = _FAMILIES[family]
    elif name == "netns":
        if not rest:
            raise ProgramError("No netns name specified", EXIT_MINUS_ONE)
        options.netns = rest.pop(0)
    elif name in ("statistics", "stats"):
        options.statistics += 1
    elif name == "details":
        options.details += 1
    elif name in ("brief", "oneline", "timestamp"):
        setattr(options, name, True)
    elif name == "Numeric":
        options.numeric = True
    elif name == "help":
        raise ProgramError(USAGE, EXIT_MINUS_ONE)
    elif not name:
        raise ProgramError(f'Option "{word}" is unknown, try "ip -help".', EXIT_MINUS_ONE)


def command(words: list[str], known: tuple[str, ...], object_: str, usage: str = "") -> tuple[str, list[str]]:
    """The command that the first word abbreviates, and the words behind it. ProgramError."""
    if not words:
        return "show", []
    aliases = {"list": "show", "lst": "show", "ls": "show", "sh": "show"}
    found = next((name for name in (*known, "help") if name.startswith(words[0])), aliases.get(words[0], ""))
    found = found or ("show" if "list".startswith(words[0]) else "")
    if found == "help":
        raise ProgramError(usage or f"Usage: ip {object_} {{ {' | '.join(known)} }} ...", EXIT_MINUS_ONE)
    if not found:
        raise ProgramError(f'Command "{words[0]}" is unknown, try "ip {object_} help".', EXIT_MINUS_ONE)
    return aliases.get(found, found), words[1:]


def value(rest: list[str], after: str) -> str:
    """The word behind another, which is taken off. ProgramError."""
    if not rest:
        raise ProgramError('Command line is not complete. Try option "help"', EXIT_MINUS_ONE)
    return rest.pop(0)


def wrong(word: str, why: str) -> ProgramError:
    """An argument that is none: iproute2's words."""
    return ProgramError(f'Error: argument "{word}" is wrong: {why}', EXIT_MINUS_ONE)


def garbage(key: str, word: str) -> ProgramError:
    """A word too many: iproute2's words."""
    return ProgramError(f'Error: either "{key}" is duplicate, or "{word}" is a garbage.', EXIT_MINUS_ONE)


def integer(word: str, why: str, least: int = 0, most: int = 0xFFFFFFFF) -> int:
    """A number between two others. ProgramError: why it is none."""
    try:
        number = int(word, 0)
    except ValueError:
        number = least - 1
    if not least <= number <= most:
        raise wrong(word, why)
    return number


def on_off(word: str, given: str) -> bool:
    """on or off. ProgramError."""
    if given not in ("on", "off"):
        raise ProgramError(f'Error: argument of "{word}" must be "on" or "off", not "{given}"')
    return given == "on"
