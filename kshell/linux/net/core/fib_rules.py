"""net/core/fib_rules.c: policy rules, which can be read (RTM_GETRULE) but not changed here."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from kshell.abi import rtnetlink as r
from kshell.abi.errno import EAFNOSUPPORT, EINVAL, EMSGSIZE
from kshell.abi.netlink import NLM_F_MULTI
from kshell.abi.socket import AF_UNSPEC, PF_UNSPEC
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.netlink import NETLINK_CB, netlink_callback, netlink_ext_ack
from kshell.linux.include.net.fib_rules import fib_rule, fib_rules_ops
from kshell.linux.include.net.netlink import (
    nla_put_string,
    nla_put_u8,
    nla_put_u32,
    nlmsg_attrlen,
    nlmsg_cancel,
    nlmsg_end,
    nlmsg_len,
    nlmsg_put,
    nlmsghdr,
)
from kshell.linux.include.net.nlattr import NL_SET_ERR_MSG
from kshell.linux.include.net.rtnetlink import rtnl_msg_family
from kshell.linux.net.core.rtnetlink import rtnl_register

if TYPE_CHECKING:
    from kshell.linux.include.linux.skbuff import sk_buff
    from kshell.linux.include.net.net_namespace import net as net_t
    from kshell.linux.init.kernel import Kernel

#: family, lengths of destination and source prefix, tos, table, two reserved, action, flags
FIB_RULE_HDR: Final = struct.Struct("<BBBBBBBBI")


def fib_default_rule_add(ops: fib_rules_ops, pref: int, table: int, flags: int) -> None:
    """A rule that every namespace begins with."""
    ops.rules_list.append(fib_rule(pref, table, flags))


def fib_rules_register(ops: fib_rules_ops, net: net_t) -> None:
    """Make a family's rules known."""
    net.rules_ops.append(ops)


def fib_nl_fill_rule(
    skb: sk_buff, rule: fib_rule, pid: int, seq: int, type: int, flags: int, ops: fib_rules_ops
) -> None:
    """Append a message that describes a rule. EMSGSIZE: no room."""
    table = rule.table if rule.table < 256 else r.RT_TABLE_COMPAT
    fields = (ops.family, rule.dst_len, rule.src_len, rule.dscp, table, 0, 0, rule.action, rule.flags)
    nlh = nlmsg_put(skb, pid, seq, type, FIB_RULE_HDR.pack(*fields), flags)
    try:
        nla_put_u32(skb, r.FRA_TABLE, rule.table)
        nla_put_u32(skb, r.FRA_SUPPRESS_PREFIXLEN, rule.suppress_prefixlen)
        nla_put_u8(skb, r.FRA_PROTOCOL, rule.proto)
        for attrtype, name in ((r.FRA_IIFNAME, rule.iifname), (r.FRA_OIFNAME, rule.oifname)):
            if name:
                nla_put_string(skb, attrtype, name)
        if rule.pref:
            nla_put_u32(skb, r.FRA_PRIORITY, rule.pref)
        if rule.mark:
            nla_put_u32(skb, r.FRA_FWMARK, rule.mark)
        if rule.mark or rule.mark_mask:
            nla_put_u32(skb, r.FRA_FWMASK, rule.mark_mask)
        if rule.suppress_ifgroup != -1:
            nla_put_u32(skb, r.FRA_SUPPRESS_IFGROUP, rule.suppress_ifgroup)
        ops.fill(rule, skb)
    except KernelError:
        nlmsg_cancel(skb, nlh)
        raise
    nlmsg_end(skb, nlh)


def dump_rules(skb: sk_buff, cb: netlink_callback, ops: fib_rules_ops) -> None:
    """Append the rules from number args[1] on. EMSGSIZE: not all fit."""
    portid = NETLINK_CB(cb.skb).portid
    for rule in ops.rules_list[cb.args[1] :]:
        fib_nl_fill_rule(skb, rule, portid, cb.nlh.nlmsg_seq, r.RTM_NEWRULE, NLM_F_MULTI, ops)
        cb.args[1] += 1


def fib_valid_dumprule_req(nlh: nlmsghdr, extack: netlink_ext_ack | None) -> None:
    """Read a request for all rules strictly. EINVAL."""
    if nlmsg_len(nlh) < FIB_RULE_HDR.size:
        NL_SET_ERR_MSG(extack, "Invalid header for fib rule dump request")
        raise KernelError(EINVAL)
    if any(nlh._payload[1 : FIB_RULE_HDR.size]):
        NL_SET_ERR_MSG(extack, "Invalid values in header for fib rule dump request")
        raise KernelError(EINVAL)
    if nlmsg_attrlen(nlh, FIB_RULE_HDR.size) > 0:
        NL_SET_ERR_MSG(extack, "Invalid data after header in fib rule dump request")
        raise KernelError(EINVAL)


def fib_nl_dumprule(skb: sk_buff, cb: netlink_callback) -> int:
    """RTM_GETRULE of all rules of a family, or of all families. EAFNOSUPPORT."""
    assert cb.skb.sk is not None
    net = cb.skb.sk.sk_net
    if cb.strict_check:
        fib_valid_dumprule_req(cb.nlh, cb.extack)
    family = rtnl_msg_family(cb.nlh)
    families = [ops for ops in net.rules_ops if family in (AF_UNSPEC, ops.family)]
    if not families:
        raise KernelError(EAFNOSUPPORT)
    try:
        for ops in families[cb.args[0] :]:
            dump_rules(skb, cb, ops)
            cb.args[0] += 1
            cb.args[1] = 0
    except KernelError as error:
        if error.errno != EMSGSIZE or not skb.len:
            raise
    return skb.len


def fib_rules_init(kernel: Kernel) -> None:
    """subsys_initcall: who answers requests about rules."""
    rtnl_register(kernel, PF_UNSPEC, r.RTM_GETRULE, None, fib_nl_dumprule)
