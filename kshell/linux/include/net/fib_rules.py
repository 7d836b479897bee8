"""include/net/fib_rules.h: policy rules: which packets are routed by which table."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kshell.linux.include.linux.skbuff import sk_buff
    from kshell.linux.include.net.net_namespace import net

FR_ACT_UNSPEC = 0
FR_ACT_TO_TBL = 1
FR_ACT_GOTO = 2


class fib_rule:
    """A rule: packets that fit it are routed by `table`. iifname, oifname, mark: what fits ("" and 0: anything)."""

    __slots__ = (
        "action", "dscp", "dst", "dst_len", "flags", "iifindex", "iifname", "mark", "mark_mask", "oifindex", "oifname",
        "pref", "proto", "src", "src_len", "suppress_ifgroup", "suppress_prefixlen", "table",
    )  # fmt: skip

    def __init__(self, pref: int, table: int, flags: int) -> None:
        self.action = FR_ACT_TO_TBL
        self.pref = pref
        self.table = table
        self.flags = flags
        self.proto = self.mark = self.mark_mask = self.iifindex = self.oifindex = 0
        self.iifname = self.oifname = ""
        self.suppress_prefixlen = self.suppress_ifgroup = -1
        self.src = self.dst = self.src_len = self.dst_len = self.dscp = 0


class fib_rules_ops:
    """The rules of a family in a namespace. fill(rule, skb) → destination length, source length, tos."""

    __slots__ = ("family", "fill", "fro_net", "rules_list")

    def __init__(self, family: int, fro_net: net, fill: Callable[[fib_rule, sk_buff], tuple[int, int, int]]) -> None:
        self.family = family
        self.fro_net = fro_net
        self.fill = fill
        self.rules_list: list[fib_rule] = []
