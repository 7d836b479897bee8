"""net/ipv4/fib_semantics.c: the message that describes a route (RTM_NEWROUTE), and telling listeners of it."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from kshell.abi.rtnetlink import (
    RT_TABLE_COMPAT,
    RTA_DST,
    RTA_FLOW,
    RTA_GATEWAY,
    RTA_MULTIPATH,
    RTA_OIF,
    RTA_PREFSRC,
    RTA_PRIORITY,
    RTA_TABLE,
    RTAX_MAX,
    RTNH_F_DEAD,
    RTNH_F_LINKDOWN,
    RTNH_F_OFFLOAD,
    RTNH_F_ONLINK,
    RTNLGRP_IPV4_ROUTE,
)
from kshell.abi.socket import AF_INET
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.net.ip_fib import (
    fib_alias,
    fib_info,
    fib_nh,
    fib_nh_common,
    fib_rt_info,
    nl_info,
)
from kshell.linux.include.net.netlink import (
    NLMSG_ALIGN,
    nla_append,
    nla_nest_end,
    nla_nest_start_noflag,
    nla_put_in_addr,
    nla_put_u32,
    nlmsg_cancel,
    nlmsg_end,
    nlmsg_new,
    nlmsg_put,
)
from kshell.linux.include.net.nlattr import nla_total_size
from kshell.linux.include.net.tcp import TCP_CA_NAME_MAX
from kshell.linux.net.core.rtnetlink_send import rtnetlink_put_metrics, rtnl_notify
from kshell.linux.net.ipv4.fib_multipath import RTNEXTHOP, ip_ignore_linkdown

if TYPE_CHECKING:
    from kshell.linux.include.linux.skbuff import sk_buff
    from kshell.linux.include.net.net_namespace import net as net_t

#: family, lengths of destination and source prefix, tos, table, protocol, scope, type, flags
RTMSG: Final = struct.Struct("<BBBBBBBBI")


def fib_nexthop_nlmsg_size(nhc: fib_nh_common) -> int:
    """Room for a next hop."""
    return (nla_total_size(4) if nhc.nhc_gw_family else 0) + (nla_total_size(4) if nhc.nhc_dev is not None else 0)


def fib_nlmsg_size(fi: fib_info) -> int:
    """The most that a route's description takes, in bytes."""
    return (
        NLMSG_ALIGN(RTMSG.size)
        + 4 * nla_total_size(4)  # RTA_TABLE, DST, PRIORITY, PREFSRC
        + nla_total_size(TCP_CA_NAME_MAX)
        + nla_total_size(RTAX_MAX * nla_total_size(4))
        + sum(fib_nexthop_nlmsg_size(nh) + nla_total_size(4) + RTNEXTHOP.size for nh in fi.fib_nh)
    )


def fib_nexthop_info(skb: sk_buff, nhc: fib_nh_common, skip_oif: bool) -> int:
    """Append a next hop; its RTNH_F_* flags."""
    flags = nhc.nhc_flags & (RTNH_F_DEAD | RTNH_F_LINKDOWN | RTNH_F_ONLINK | RTNH_F_OFFLOAD)
    if nhc.nhc_flags & RTNH_F_LINKDOWN and ip_ignore_linkdown(nhc):
        flags |= RTNH_F_DEAD
    if nhc.nhc_gw_family == AF_INET:
        nla_put_in_addr(skb, RTA_GATEWAY, nhc.nhc_gw)
    if not skip_oif and nhc.nhc_dev is not None:
        nla_put_u32(skb, RTA_OIF, nhc.nhc_dev.ifindex)
    return flags


def fib_add_nexthop(skb: sk_buff, nh: fib_nh) -> None:
    """Append one of several next hops: a struct rtnexthop with attributes behind it. EMSGSIZE: no room."""
    room = len(skb.data)
    nla_append(skb, bytes(RTNEXTHOP.size))
    flags = fib_nexthop_info(skb, nh, True)
    if nh.nh_tclassid:
        nla_put_u32(skb, RTA_FLOW, nh.nh_tclassid)
    ifindex = nh.nhc_dev.ifindex if nh.nhc_dev is not None else 0
    head = RTNEXTHOP.pack(len(skb.data) - room, flags & 0xFF, nh.nhc_weight - 1, ifindex)
    skb.data = skb.data[:room] + head + skb.data[room + RTNEXTHOP.size :]


def fib_add_multipath(skb: sk_buff, fi: fib_info) -> None:
    """Append RTA_MULTIPATH. EMSGSIZE: no room."""
    mp = nla_nest_start_noflag(skb, RTA_MULTIPATH)
    for nh in fi.fib_nh:
        fib_add_nexthop(skb, nh)
    nla_nest_end(skb, mp)


def fib_dump_info(skb: sk_buff, portid: int, seq: int, event: int, fri: fib_rt_info, flags: int) -> int:
    """Append a message that describes a route; where it begins. EMSGSIZE: no room."""
    fi = fri.fi
    table = fri.tb_id if fri.tb_id < 256 else RT_TABLE_COMPAT
    fields = (AF_INET, fri.dst_len, 0, fri.dscp, table, fi.fib_protocol, fi.fib_scope, fri.type)
    start = nlmsg_put(skb, portid, seq, event, RTMSG.pack(*fields, fi.fib_flags), flags)
    try:
        nla_put_u32(skb, RTA_TABLE, fri.tb_id)
        if fri.dst_len:
            nla_put_in_addr(skb, RTA_DST, fri.dst)
        if fi.fib_priority:
            nla_put_u32(skb, RTA_PRIORITY, fi.fib_priority)
        rtnetlink_put_metrics(skb, fi.fib_metrics)
        if fi.fib_prefsrc:
            nla_put_in_addr(skb, RTA_PREFSRC, fi.fib_prefsrc)
        if fi.fib_nhs == 1:
            nh = fi.fib_nh[0]
            _set_flags(skb, start, fib_nexthop_info(skb, nh, False))
            if nh.nh_tclassid:
                nla_put_u32(skb, RTA_FLOW, nh.nh_tclassid)
        else:
            fib_add_multipath(skb, fi)
    except KernelError:
        nlmsg_cancel(skb, start)
        raise
    nlmsg_end(skb, start)
    return start


def _set_flags(skb: sk_buff, start: int, rtm_flags: int) -> None:
    """rtm_flags of the message that begins at start."""
    at = start + 16 + RTMSG.size
    skb.data = skb.data[: at - 4] + rtm_flags.to_bytes(4, "little") + skb.data[at:]


def rtmsg_fib(
    net: net_t, event: int, key: int, fa: fib_alias, dst_len: int, tb_id: int, info: nl_info, nlm_flags: int
) -> None:
    """Tell route sockets that a route came (RTM_NEWROUTE) or went."""
    skb = nlmsg_new(net.kernel, fib_nlmsg_size(fa.fa_info))
    seq = info.nlh.nlmsg_seq if info.nlh is not None else 0
    fri = fib_rt_info(fa.fa_info, tb_id, key, dst_len, fa.fa_dscp, fa.fa_type)
    fib_dump_info(skb, info.portid, seq, event, fri, nlm_flags)
    rtnl_notify(skb, net, info.portid, RTNLGRP_IPV4_ROUTE, info.nlh)
