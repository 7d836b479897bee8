"""ip maddress show: groups that devices listen to, from /proc/net/dev_mcast and /proc/net/igmp."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.socket import AF_INET, AF_PACKET
from kshell.userland.addresses import ipv4, mac
from kshell.userland.files import read_lines
from kshell.userland.iproute import Options, command, garbage, value

if TYPE_CHECKING:
    from kshell.userland.runtime import Process

_Groups = dict[int, tuple[str, list[str]]]
"""Index of a device → its name, and its lines."""


async def run(p: Process, options: Options, words: list[str]) -> None:
    """ip maddress [show] [dev NAME]"""
    _, rest = command(words, ("show",), "maddr")
    device = ""
    while rest:
        word = rest.pop(0)
        if device:
            raise garbage("dev", word)
        device = value(rest, word) if word == "dev" else word
    found: _Groups = {}
    if options.family in (0, AF_PACKET):
        await _link(p, found)
    if options.family in (0, AF_INET):
        await _inet(p, found)
    for index in sorted(found):
        name, lines = found[index]
        if device in ("", name):
            p.print("\n".join([f"{index}:\t{name}", *lines]))


async def _link(p: Process, found: _Groups) -> None:
    for line in await read_lines(p, "/proc/net/dev_mcast"):
        index, name, users, static, address = line.split()
        text = f"\tlink  {mac(bytes.fromhex(address))}" + (f" users {users}" if users != "1" else "")
        found.setdefault(int(index), (name, []))[1].append(text + (" static" if static != "0" else ""))


async def _inet(p: Process, found: _Groups) -> None:
    groups: list[str] = []
    for line in (await read_lines(p, "/proc/net/igmp"))[1:]:
        words = line.split()
        if not line[0].isspace():
            groups = found.setdefault(int(words[0]), (words[1], []))[1]
            continue
        address = ipv4(int.from_bytes(bytes.fromhex(words[0]), "little"))
        groups.append(f"\tinet  {address}" + (f" users {words[1]}" if words[1] != "1" else ""))
