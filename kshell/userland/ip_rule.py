"""ip rule: show."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from kshell.abi import rtnetlink as r
from kshell.abi.socket import AF_INET
from kshell.userland.addresses import ipv4_of
from kshell.userland.ip_route import PROTOCOLS, TABLE_NUMBERS, TABLES
from kshell.userland.iproute import EXIT_MINUS_ONE, Options, command, garbage, integer, value
from kshell.userland.rtnl import Message, Netlink, NetlinkError, answers, number, text
from kshell.userland.runtime import ProgramError

if TYPE_CHECKING:
    from kshell.userland.runtime import Process

FIB_RULE_HDR: Final = struct.Struct("<BBBBBBBBI")
HEADER: Final = 12


async def run(p: Process, options: Options, words: list[str]) -> None:
    """ip rule [show]; add, delete and flush are refused by the kernel, whose rules are fixed."""
    verb, rest = command(words, ("add", "delete", "flush", "show"), "rule")
    net = await Netlink.open(p)
    try:
        body = FIB_RULE_HDR.pack(options.family or AF_INET, 0, 0, 0, 0, 0, 0, 0, 0)
        if verb in ("add", "delete"):
            await net.change(r.RTM_NEWRULE if verb == "add" else r.RTM_DELRULE, body)
        table = _table(rest)
        for message in await net.dump(r.RTM_GETRULE, body):
            rule = _Rule(message)
            if verb == "flush" and rule.priority:
                await _delete(net, message)
            elif verb == "show" and table in (None, rule.table):
                p.print(rule.line(options))
    finally:
        await net.close()


async def _delete(net: Netlink, message: Message) -> None:
    try:
        await net.change(r.RTM_DELRULE, message.body)
    except NetlinkError as error:
        raise ProgramError(f"{answers(error)}\nDump terminated", EXIT_MINUS_ONE) from None


def _table(rest: list[str]) -> int | None:
    """The table behind `table` or `lookup`. ProgramError."""
    if not rest:
        return None
    if rest[0] not in ("table", "lookup"):
        raise garbage("from", rest[0])
    given = value(rest[1:], rest[0])
    return TABLE_NUMBERS[given] if given in TABLE_NUMBERS else integer(given, "table id value is invalid\n")


class _Rule:
    """A rule as the kernel describes it."""

    def __init__(self, message: Message) -> None:
        _, self.dst_len, self.src_len, _, table, _, _, _, _ = FIB_RULE_HDR.unpack_from(message.body)
        self.attrs = message.attrs(HEADER)
        self.priority = number(self.attrs.get(r.FRA_PRIORITY))
        self.table: int = number(self.attrs[r.FRA_TABLE]) if r.FRA_TABLE in self.attrs else table

    def line(self, options: Options) -> str:
        """The line of it."""
        a = self.attrs
        line = f"{self.priority}:\tfrom "
        line += f"{ipv4_of(a[r.FRA_SRC])}/{self.src_len}" if self.src_len else "all"
        if self.dst_len:
            line += f" to {ipv4_of(a[r.FRA_DST])}/{self.dst_len}"
        if r.FRA_IIFNAME in a:
            line += f" iif {text(a[r.FRA_IIFNAME])}"
        line += f" lookup {TABLES.get(self.table, self.table)}"
        protocol = number(a.get(r.FRA_PROTOCOL))
        return line + (f" proto {PROTOCOLS.get(protocol, protocol)}" if options.details else "")
