"""ip rule: show."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from kshell.abi import rtnetlink as r
from kshell.abi.socket import AF_INET
from kshell.userland.addresses import ipv4_of
from kshell.userland.ip_route import TABLES
from kshell.userland.iproute import Options, command
from kshell.userland.rtnl import Message, Netlink, number, text

if TYPE_CHECKING:
    from kshell.userland.runtime import Process

FIB_RULE_HDR: Final = struct.Struct("<BBBBBBBBI")
HEADER: Final = 12


async def run(p: Process, options: Options, words: list[str]) -> None:
    """ip rule [show]; add and delete are refused by the kernel, whose rules are fixed."""
    verb, _ = command(words, ("add", "delete", "show"), "rule")
    net = await Netlink.open(p)
    try:
        body = FIB_RULE_HDR.pack(AF_INET, 0, 0, 0, 0, 0, 0, 0, 0)
        if verb != "show":
            await net.change(r.RTM_NEWRULE if verb == "add" else r.RTM_DELRULE, body)
        for message in await net.dump(r.RTM_GETRULE, body):
            p.print(_line(message))
    finally:
        await net.close()


def _line(message: Message) -> str:
    _, dst_len, src_len, _, table, _, _, _, _ = FIB_RULE_HDR.unpack_from(message.body)
    a = message.attrs(HEADER)
    line = f"{number(a.get(r.FRA_PRIORITY))}:\tfrom "
    line += f"{ipv4_of(a[r.FRA_SRC])}/{src_len}" if src_len else "all"
    if dst_len:
        line += f" to {ipv4_of(a[r.FRA_DST])}/{dst_len}"
    if r.FRA_IIFNAME in a:
        line += f" iif {text(a[r.FRA_IIFNAME])}"
    table = number(a[r.FRA_TABLE]) if r.FRA_TABLE in a else table
    return f"{line} lookup {TABLES.get(table, table)}"
