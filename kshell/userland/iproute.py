"""ip, as in iproute2: links, addresses, routes, neighbours and rules by NETLINK_ROUTE."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

from kshell.userland.rtnl import NetlinkError, answers
from kshell.userland.runtime import ProgramError, in_own_words

if TYPE_CHECKING:
    from kshell.userland.runtime import Process

OBJECTS: Final = (
    ("address", "ip_addr"), ("link", "ip_link"), ("neighbor", "ip_neigh"), ("neighbour", "ip_neigh"),
    ("route", "ip_route"), ("rule", "ip_rule"), ("addrlabel", ""),
)  # fmt: skip


class Options:
    """What stands before the object: -s, -d, -br, -o, and the family."""

    def __init__(self) -> None:
        self.statistics = self.details = 0
        self.brief = self.oneline = False


@in_own_words
async def main_ip(p: Process, argv: list[str]) -> int:
    """ip [-s] [-d] [-br] [-o] OBJECT COMMAND"""
    options = Options()
    words = argv[1:]
    while words and words[0].startswith("-"):
        _option(options, words.pop(0))
    if not words:
        raise ProgramError("Usage: ip [ OPTIONS ] OBJECT { COMMAND | help }\n"
                           "where  OBJECT := { address | link | neighbour | route | rule }", 255)  # fmt: skip
    module = next((m for name, m in OBJECTS if name.startswith(words[0]) and m), "")
    if not module:
        raise ProgramError(f'Object "{words[0]}" is unknown, try "ip help".', 1)
    try:
        await import_module(f"kshell.userland.{module}").run(p, options, words[1:])
    except NetlinkError as error:
        raise ProgramError(answers(error), 2) from None
    return 0


def _option(options: Options, word: str) -> None:
    name = word.lstrip("-")
    if name in ("4", "n", "N", "c", "color"):
        return
    if "statistics".startswith(name) or name in ("s", "stats"):
        options.statistics += 1
    elif name in ("d", "details"):
        options.details += 1
    elif name in ("br", "brief"):
        options.brief = True
    elif name in ("o", "oneline"):
        options.oneline = True
    else:
        raise ProgramError(f'Option "{word}" is unknown, try "ip -help".', 255)


def command(words: list[str], known: tuple[str, ...], object_: str) -> tuple[str, list[str]]:
    """The command that the first word abbreviates, and the words behind it. ProgramError."""
    if not words:
        return "show", []
    aliases = {"list": "show", "lst": "show", "ls": "show", "sh": "show"}
    found = next((name for name in known if name.startswith(words[0])), aliases.get(words[0], ""))
    if not found:
        raise ProgramError(f'Command "{words[0]}" is unknown, try "ip {object_} help".', 255)
    return aliases.get(found, found), words[1:]


def value(rest: list[str], after: str) -> str:
    """The word behind another, which is taken off. ProgramError."""
    if not rest:
        raise ProgramError('Command line is not complete. Try option "help"', 255)
    return rest.pop(0)


def integer(word: str, what: str) -> int:
    """A number. ProgramError: iproute2's words."""
    try:
        return int(word, 0)
    except ValueError:
        raise ProgramError(f'Error: argument "{word}" is wrong: Invalid "{what}" value\n', 255) from None
