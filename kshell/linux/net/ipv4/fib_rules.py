"""net/ipv4/fib_rules.c: the policy rules of IPv4: local, main, default."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.rtnetlink import FRA_DST, FRA_SRC, RT_TABLE_DEFAULT, RT_TABLE_LOCAL, RT_TABLE_MAIN
from kshell.abi.socket import AF_INET
from kshell.linux.include.net.fib_rules import fib_rule, fib_rules_ops
from kshell.linux.include.net.netlink import nla_put_in_addr
from kshell.linux.net.core import fib_rules

if TYPE_CHECKING:
    from kshell.linux.include.linux.skbuff import sk_buff
    from kshell.linux.include.net.net_namespace import net as net_t


def fib4_rule_fill(rule: fib_rule, skb: sk_buff) -> tuple[int, int, int]:
    """Append the prefixes that a rule is restricted to."""
    if rule.dst_len:
        nla_put_in_addr(skb, FRA_DST, rule.dst)
    if rule.src_len:
        nla_put_in_addr(skb, FRA_SRC, rule.src)
    return rule.dst_len, rule.src_len, rule.dscp


def fib_default_rules_init(ops: fib_rules_ops) -> None:
    """The three rules there are from the beginning."""
    fib_rules.fib_default_rule_add(ops, 0, RT_TABLE_LOCAL, 0)
    fib_rules.fib_default_rule_add(ops, 0x7FFE, RT_TABLE_MAIN, 0)
    fib_rules.fib_default_rule_add(ops, 0x7FFF, RT_TABLE_DEFAULT, 0)


def fib4_rules_init(net: net_t) -> None:
    """A namespace begins: no rules but the usual ones."""
    ops = fib_rules_ops(AF_INET, net, fib4_rule_fill)
    fib_default_rules_init(ops)
    fib_rules.fib_rules_register(ops, net)
    net.ipv4.fib_has_custom_rules = False
