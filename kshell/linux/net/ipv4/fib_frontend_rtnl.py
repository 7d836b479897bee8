"""net/ipv4/fib_frontend.c: requests about routes by NETLINK_ROUTE."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from kshell.abi import rtnetlink as r
from kshell.abi.errno import EINVAL, ENODEV, ENOENT, ESRCH
from kshell.abi.netlink import NLM_F_DUMP_FILTERED
from kshell.abi.rtnetlink import (
    RTAX_CC_ALGO,
    RTAX_HOPLIMIT,
    RTAX_MAX,
    RTAX_MTU,
    RTN_LOCAL,
    RTN_MAX,
)
from kshell.abi.socket import AF_INET, AF_INET6, PF_INET
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.netlink import NETLINK_CB, netlink_callback, netlink_ext_ack
from kshell.linux.include.net.ip_fib import fib_config, fib_dump_filter, fib_get_table, nl_info
from kshell.linux.include.net.netlink import (
    nla_get_in_addr,
    nla_get_u32,
    nlmsg_for_each_attr,
    nlmsg_len,
    nlmsg_parse_deprecated,
    nlmsg_parse_deprecated_strict,
)
from kshell.linux.include.net.nlattr import (
    NL_SET_ERR_MSG,
    NL_SET_ERR_MSG_ATTR,
    NLA_NESTED,
    NLA_U8,
    NLA_U16,
    NLA_U32,
    nla_for_each_nested,
    nla_policy,
    nla_type,
    nlattr,
)
from kshell.linux.include.net.rtnetlink import rtnl_msg_family
from kshell.linux.net.core import rtnetlink
from kshell.linux.net.core.dev import __dev_get_by_index
from kshell.linux.net.ipv4 import fib_frontend, fib_trie, fib_trie_dump
from kshell.linux.net.ipv4.fib_dump import RTMSG

if TYPE_CHECKING:
    from kshell.linux.include.linux.skbuff import sk_buff
    from kshell.linux.include.net.net_namespace import net as net_t
    from kshell.linux.include.net.netlink import nlmsghdr
    from kshell.linux.init.kernel import Kernel

_U32 = nla_policy(NLA_U32)
rtm_ipv4_policy: Final = MappingProxyType(
    {
        r.RTA_UNSPEC: nla_policy(strict_start_type=r.RTA_DPORT + 1),
        **dict.fromkeys(
            (r.RTA_DST, r.RTA_SRC, r.RTA_IIF, r.RTA_OIF, r.RTA_GATEWAY, r.RTA_PRIORITY, r.RTA_PREFSRC, r.RTA_FLOW,
             r.RTA_UID, r.RTA_MARK, r.RTA_TABLE, r.RTA_NH_ID), _U32,
        ),
        r.RTA_METRICS: nla_policy(NLA_NESTED),
        r.RTA_MULTIPATH: nla_policy(len=8),
        r.RTA_ENCAP_TYPE: nla_policy(NLA_U16),
        r.RTA_ENCAP: nla_policy(NLA_NESTED),
        r.RTA_IP_PROTO: nla_policy(NLA_U8),
        r.RTA_SPORT: nla_policy(NLA_U16),
        r.RTA_DPORT: nla_policy(NLA_U16),
    }
)  # fmt: skip


class rtmsg:
    """The header of messages about routes."""

    __slots__ = (
        "rtm_dst_len", "rtm_family", "rtm_flags", "rtm_protocol", "rtm_scope", "rtm_src_len", "rtm_table", "rtm_tos",
        "rtm_type",
    )  # fmt: skip
    rtm_dst_len: int
    rtm_flags: int
    rtm_protocol: int
    rtm_scope: int
    rtm_src_len: int
    rtm_table: int
    rtm_tos: int
    rtm_type: int

    def __init__(self, nlh: nlmsghdr) -> None:
        (
            self.rtm_family, self.rtm_dst_len, self.rtm_src_len, self.rtm_tos, self.rtm_table, self.rtm_protocol,
            self.rtm_scope, self.rtm_type, self.rtm_flags,
        ) = RTMSG.unpack_from(nlh._payload)  # fmt: skip


def _invalid(extack: netlink_ext_ack | None, why: str) -> KernelError:
    NL_SET_ERR_MSG(extack, why)
    return KernelError(EINVAL)


# ---- RTM_NEWROUTE, RTM_DELROUTE ----


def fib_gw_from_via(cfg: fib_config, nla: nlattr, extack: netlink_ext_ack | None) -> None:
    """RTA_VIA: a gateway with its family. EINVAL."""
    if len(nla) < 2:
        raise _invalid(extack, "Invalid attribute length for RTA_VIA")
    family = int.from_bytes(nla[:2], "little")
    if family == AF_INET6:
        raise _invalid(extack, "IPv6 support not enabled in kernel")
    if family != AF_INET:
        raise _invalid(extack, "Unsupported address family in RTA_VIA")
    if len(nla) != 6:
        raise _invalid(extack, "Invalid IPv4 address in RTA_VIA")
    cfg.fc_gw_family = AF_INET
    cfg.fc_gw4 = int.from_bytes(nla[2:6], "big")


def ip_metrics_convert(nla: nlattr, extack: netlink_ext_ack | None) -> dict[int, int]:
    """RTA_METRICS: RTAX_x → value. EINVAL."""
    metrics: dict[int, int] = {}
    for each in nla_for_each_nested(nla):
        kind = nla_type(each)
        if not kind:
            continue
        if kind > RTAX_MAX or kind == RTAX_CC_ALGO:
            NL_SET_ERR_MSG_ATTR(extack, each, "Invalid metric type")
            raise KernelError(EINVAL)
        if len(each) != 4:
            NL_SET_ERR_MSG_ATTR(extack, each, "Invalid attribute in metrics")
            raise KernelError(EINVAL)
        value = nla_get_u32(each)
        metrics[kind] = {RTAX_MTU: min(value, 65520), RTAX_HOPLIMIT: min(value, 255)}.get(kind, value)
    return metrics


def _take_attributes(cfg: fib_config, nlh: nlmsghdr, extack: netlink_ext_ack | None) -> set[int]:
    """Fill the request from its attributes; which there are."""
    seen = set()
    for attr in nlmsg_for_each_attr(nlh, RTMSG.size):
        kind = nla_type(attr)
        seen.add(kind)
        if kind == r.RTA_DST:
            cfg.fc_dst = nla_get_in_addr(attr)
        elif kind == r.RTA_OIF:
            cfg.fc_oif = nla_get_u32(attr)
        elif kind == r.RTA_GATEWAY:
            cfg.fc_gw4 = nla_get_in_addr(attr)
            cfg.fc_gw_family = AF_INET if cfg.fc_gw4 else cfg.fc_gw_family
        elif kind == r.RTA_VIA:
            fib_gw_from_via(cfg, attr, extack)
        elif kind == r.RTA_PRIORITY:
            cfg.fc_priority = nla_get_u32(attr)
        elif kind == r.RTA_PREFSRC:
            cfg.fc_prefsrc = nla_get_in_addr(attr)
        elif kind == r.RTA_METRICS:
            cfg.fc_mx = ip_metrics_convert(attr, extack)
        elif kind == r.RTA_MULTIPATH:
            cfg.fc_mp = bytes(attr)
        elif kind == r.RTA_FLOW:
            cfg.fc_flow = nla_get_u32(attr)
        elif kind == r.RTA_TABLE:
            cfg.fc_table = nla_get_u32(attr)
        elif kind == r.RTA_NH_ID:
            raise _invalid(extack, "Nexthop id does not exist")
    return seen


def rtm_to_fib_config(nlh: nlmsghdr, portid: int, extack: netlink_ext_ack | None) -> fib_config:
    """Make a request of a message. EINVAL."""
    nlmsg_parse_deprecated(nlh, RTMSG.size, r.RTA_MAX, rtm_ipv4_policy, extack)
    rtm = rtmsg(nlh)
    if rtm.rtm_tos & 3:
        raise _invalid(extack, "Invalid dsfield (tos): ECN bits must be 0")
    cfg = fib_config()
    cfg.fc_dscp = rtm.rtm_tos
    cfg.fc_dst_len = rtm.rtm_dst_len
    cfg.fc_table = rtm.rtm_table
    cfg.fc_protocol = rtm.rtm_protocol
    cfg.fc_scope = rtm.rtm_scope
    cfg.fc_type = rtm.rtm_type
    cfg.fc_flags = rtm.rtm_flags
    cfg.fc_nlflags = nlh.nlmsg_flags
    cfg.fc_nlinfo = nl_info(nlh, portid)
    if cfg.fc_type > RTN_MAX:
        raise _invalid(extack, "Invalid route type")
    seen = _take_attributes(cfg, nlh, extack)
    if cfg.fc_dst_len > 32:
        raise _invalid(extack, "Invalid prefix length")
    if cfg.fc_dst << cfg.fc_dst_len & 0xFFFFFFFF and cfg.fc_dst_len < 32:
        raise _invalid(extack, "Invalid prefix for given prefix length")
    if r.RTA_GATEWAY in seen and r.RTA_VIA in seen:
        raise _invalid(extack, "Nexthop configuration can not contain both GATEWAY and VIA")
    cfg.fc_table = cfg.fc_table or r.RT_TABLE_MAIN
    return cfg


def inet_rtm_delroute(skb: sk_buff, nlh: nlmsghdr, extack: netlink_ext_ack) -> None:
    """RTM_DELROUTE. ESRCH: no such route or table; EINVAL."""
    assert skb.sk is not None
    net = skb.sk.sk_net
    cfg = rtm_to_fib_config(nlh, NETLINK_CB(skb).portid, extack)
    tb = fib_get_table(net, cfg.fc_table)
    if tb is None:
        NL_SET_ERR_MSG(extack, "FIB table does not exist")
        raise KernelError(ESRCH)
    fib_trie.fib_table_delete(net, tb, cfg)


def inet_rtm_newroute(skb: sk_buff, nlh: nlmsghdr, extack: netlink_ext_ack) -> None:
    """RTM_NEWROUTE. EEXIST, ENOENT and what is wrong with the route."""
    assert skb.sk is not None
    net = skb.sk.sk_net
    cfg = rtm_to_fib_config(nlh, NETLINK_CB(skb).portid, extack)
    fib_trie.fib_table_insert(net, fib_frontend.fib_new_table(net, cfg.fc_table), cfg, extack)
    if cfg.fc_type == RTN_LOCAL:
        net.ipv4.fib_has_custom_local_routes = True


# ---- RTM_GETROUTE ----


def ip_valid_fib_dump_req(net: net_t, nlh: nlmsghdr, filter: fib_dump_filter, cb: netlink_callback) -> None:
    """Read a request for all routes strictly. EINVAL, ENODEV."""
    extack = cb.extack
    if nlmsg_len(nlh) < RTMSG.size:
        raise _invalid(extack, "Invalid header for FIB dump request")
    rtm = rtmsg(nlh)
    if rtm.rtm_dst_len or rtm.rtm_src_len or rtm.rtm_tos or rtm.rtm_scope:
        raise _invalid(extack, "Invalid values in header for FIB dump request")
    if rtm.rtm_flags & ~(r.RTM_F_CLONED | r.RTM_F_PREFIX):
        raise _invalid(extack, "Invalid flags for FIB dump request")
    if rtm.rtm_flags & r.RTM_F_CLONED:
        filter.dump_routes = False
    else:
        filter.dump_exceptions = False
    filter.flags = rtm.rtm_flags
    filter.protocol = rtm.rtm_protocol
    filter.rt_type = rtm.rtm_type
    filter.table_id = rtm.rtm_table
    tb = nlmsg_parse_deprecated_strict(nlh, RTMSG.size, r.RTA_MAX, rtm_ipv4_policy, extack)
    for kind, nla in sorted(tb.items()):
        if kind == r.RTA_TABLE:
            filter.table_id = nla_get_u32(nla)
        elif kind == r.RTA_OIF:
            filter.dev = __dev_get_by_index(net, nla_get_u32(nla))
            if filter.dev is None:
                raise KernelError(ENODEV)
        else:
            raise _invalid(extack, "Unsupported attribute in dump request")
    if filter.flags or filter.protocol or filter.rt_type or filter.table_id or filter.dev is not None:
        filter.filter_set = True
        cb.answer_flags = NLM_F_DUMP_FILTERED


def inet_dump_fib(skb: sk_buff, cb: netlink_callback) -> int:
    """RTM_GETROUTE of all routes, or of those the request asks for, as many as fit. ENOENT: no such table."""
    assert cb.skb.sk is not None
    net = cb.skb.sk.sk_net
    filter = fib_dump_filter()
    if cb.strict_check:
        ip_valid_fib_dump_req(net, cb.nlh, filter, cb)
    elif nlmsg_len(cb.nlh) >= RTMSG.size:
        filter.flags = rtmsg(cb.nlh).rtm_flags & (r.RTM_F_PREFIX | r.RTM_F_CLONED)
    if filter.flags & r.RTM_F_PREFIX:  # means nothing for IPv4
        return skb.len
    tables = list(reversed(net.ipv4.fib_table_hash.values()))
    tables.sort(key=lambda tb: tb.tb_id & 0xFF)
    if filter.table_id:
        tables = [tb for tb in tables if tb.tb_id == filter.table_id]
        if not tables:
            if rtnl_msg_family(cb.nlh) != PF_INET:
                return skb.len
            NL_SET_ERR_MSG(cb.extack, "ipv4: FIB table does not exist")
            raise KernelError(ENOENT)
    return fib_trie_dump._dump_tables(skb, cb, tables, filter)


def _rtnl_init(kernel: Kernel) -> None:
    """Part of ip_fib_init(): who answers requests about routes."""
    rtnetlink.rtnl_register(kernel, PF_INET, r.RTM_NEWROUTE, inet_rtm_newroute, None)
    rtnetlink.rtnl_register(kernel, PF_INET, r.RTM_DELROUTE, inet_rtm_delroute, None)
    rtnetlink.rtnl_register(kernel, PF_INET, r.RTM_GETROUTE, None, inet_dump_fib)
