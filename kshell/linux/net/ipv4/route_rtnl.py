"""net/ipv4/route.c: asking for the route to an address by NETLINK_ROUTE, and what was learnt about destinations."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from kshell.abi import rtnetlink as r
from kshell.abi.errno import EHOSTUNREACH, EINVAL, ENODEV
from kshell.abi.inet import IPPROTO_ICMP, IPPROTO_TCP, IPPROTO_UDP
from kshell.abi.netdevice import ETH_P_IP
from kshell.abi.rtnetlink import RTAX_LOCK, RTAX_MTU
from kshell.abi.socket import AF_INET, PF_INET
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.ip import iphdr
from kshell.linux.include.linux.jiffies import jiffies_to_clock_t
from kshell.linux.include.linux.netlink import NETLINK_CB, NLMSG_GOODSIZE, netlink_callback, netlink_ext_ack
from kshell.linux.include.net.dst import dst_hold
from kshell.linux.include.net.flow import LOOPBACK_IFINDEX, flowi4
from kshell.linux.include.net.ip_fib import fib_info, fib_result, fib_rt_info
from kshell.linux.include.net.netlink import (
    nla_get_in_addr,
    nla_get_u8,
    nla_get_u32,
    nla_put,
    nla_put_in_addr,
    nla_put_u32,
    nlmsg_cancel,
    nlmsg_end,
    nlmsg_len,
    nlmsg_new,
    nlmsg_parse_deprecated,
    nlmsg_parse_deprecated_strict,
    nlmsg_put,
)
from kshell.linux.include.net.nlattr import NL_SET_ERR_MSG, NL_SET_ERR_MSG_ATTR, nlattrs
from kshell.linux.include.net.rtable import IPTOS_RT_MASK, RTCF_NOTIFY, rt_is_input_route, rtable, skb_rtable
from kshell.linux.net.core import rtnetlink
from kshell.linux.net.core.dev import dev_get_by_index_rcu
from kshell.linux.net.core.dst import dst_release
from kshell.linux.net.core.rtnetlink_getlink import netlink_strict_get_check
from kshell.linux.net.core.rtnetlink_send import rtnetlink_put_metrics, rtnl_unicast
from kshell.linux.net.core.skbuff import alloc_skb, kfree_skb
from kshell.linux.net.ipv4 import fib_frontend_rtnl, fib_semantics, route_input, route_output
from kshell.linux.net.ipv4.fib_dump import RT_TABLE_COMPAT, RTMSG, fib_dump_info

if TYPE_CHECKING:
    from kshell.linux.include.linux.skbuff import sk_buff
    from kshell.linux.include.net.net_namespace import net as net_t
    from kshell.linux.include.net.netlink import nlmsghdr
    from kshell.linux.init.kernel import Kernel

RTA_CACHEINFO: Final = struct.Struct("<IIiIIIII")  # clntref, lastuse, expires, error, used, id, ts, tsage
_ASKED: Final = (
    r.RTA_IIF, r.RTA_OIF, r.RTA_SRC, r.RTA_DST, r.RTA_IP_PROTO, r.RTA_SPORT, r.RTA_DPORT, r.RTA_MARK, r.RTA_UID,
)  # fmt: skip
_HEADER_FLAGS: Final = r.RTM_F_NOTIFY | r.RTM_F_LOOKUP_TABLE | r.RTM_F_FIB_MATCH


def rtnl_put_cacheinfo(skb: sk_buff, rt: rtable, jiffies: int, expires: int, error: int) -> None:
    """Append how much a cached route is used and until when it holds (ticks)."""
    lastuse = jiffies_to_clock_t(jiffies - rt.lastuse)
    fields = (rt.refcnt, lastuse & 0xFFFFFFFF, jiffies_to_clock_t(expires), error, 0, 0, 0, 0)
    nla_put(skb, r.RTA_CACHEINFO, RTA_CACHEINFO.pack(*fields))


class _asked:
    """The question: addresses, flow, table; and from whom the answer goes."""

    __slots__ = ("dscp", "dst", "fl4", "flags", "portid", "seq", "src", "table_id")

    def __init__(self, dst: int, src: int, table_id: int, dscp: int, fl4: flowi4 | None, to: tuple[int, int, int]):
        self.dst = dst
        self.src = src
        self.table_id = table_id
        self.dscp = dscp
        self.fl4 = fl4
        self.portid, self.seq, self.flags = to


def rt_fill_info(net: net_t, rt: rtable, asked: _asked, skb: sk_buff) -> int:
    """Append a message that describes a cached route; where it begins. EMSGSIZE: no room."""
    table = asked.table_id if asked.table_id < 256 else RT_TABLE_COMPAT
    flags = rt.rt_flags & ~0xFFFF & 0xFFFFFFFF | r.RTM_F_CLONED
    flags |= r.RTM_F_NOTIFY if rt.rt_flags & RTCF_NOTIFY else 0
    fields = (AF_INET, 32, 32 if asked.src else 0, asked.dscp, table, 0, 0, rt.rt_type, flags)
    start = nlmsg_put(skb, asked.portid, asked.seq, r.RTM_NEWROUTE, RTMSG.pack(*fields), asked.flags)
    try:
        _put_addresses(skb, rt, asked)
        _put_state(skb, rt, asked, net.kernel.jiffies)
    except KernelError:
        nlmsg_cancel(skb, start)
        raise
    nlmsg_end(skb, start)
    return start


def _put_addresses(skb: sk_buff, rt: rtable, asked: _asked) -> None:
    fl4 = asked.fl4
    nla_put_u32(skb, r.RTA_TABLE, asked.table_id)
    nla_put_in_addr(skb, r.RTA_DST, asked.dst)
    if asked.src:
        nla_put_in_addr(skb, r.RTA_SRC, asked.src)
    if rt.dev is not None:
        nla_put_u32(skb, r.RTA_OIF, rt.dev.ifindex)
    if fl4 is not None and not rt_is_input_route(rt) and fl4.saddr != asked.src:
        nla_put_in_addr(skb, r.RTA_PREFSRC, fl4.saddr)
    if rt.rt_uses_gateway and rt.rt_gw_family == AF_INET:
        nla_put_in_addr(skb, r.RTA_GATEWAY, rt.rt_gw4)


def _put_state(skb: sk_buff, rt: rtable, asked: _asked, jiffies: int) -> None:
    expires = max(0, rt.expires - jiffies) if rt.expires else 0
    metrics = dict(rt._metrics or {})
    if expires and rt.rt_pmtu:
        metrics[RTAX_MTU] = rt.rt_pmtu
    if expires and rt.rt_mtu_locked:
        metrics[RTAX_LOCK] = metrics.get(RTAX_LOCK, 0) | 1 << RTAX_MTU
    rtnetlink_put_metrics(skb, metrics)
    fl4 = asked.fl4
    if fl4 is not None:
        if fl4.flowi4_mark:
            nla_put_u32(skb, r.RTA_MARK, fl4.flowi4_mark)
        if fl4.flowi4_uid != 0xFFFFFFFF:
            nla_put_u32(skb, r.RTA_UID, fl4.flowi4_uid)
        if rt_is_input_route(rt):
            nla_put_u32(skb, r.RTA_IIF, fl4.flowi4_iif)
    rtnl_put_cacheinfo(skb, rt, jiffies, expires, abs(rt.error))


def fib_dump_info_fnhe(skb: sk_buff, cb: netlink_callback, table_id: int, fi: fib_info, flags: int) -> None:
    """Append what was learnt about destinations behind a route: path MTUs, redirects. EMSGSIZE: no room."""
    net = fi.fib_net
    assert net is not None
    to = (NETLINK_CB(cb.skb).portid, cb.nlh.nlmsg_seq, flags)
    for nhc in fi.fib_nh:
        for fnhe in (nhc.nhc_exceptions or {}).values():
            rt = fnhe.fnhe_rth_input or fnhe.fnhe_rth_output
            if rt is None or (fnhe.fnhe_expires and net.kernel.jiffies > fnhe.fnhe_expires):
                continue
            rt_fill_info(net, rt, _asked(fnhe.fnhe_daddr, 0, table_id, 0, None, to), skb)


def inet_rtm_valid_getroute_req(skb: sk_buff, nlh: nlmsghdr, extack: netlink_ext_ack) -> nlattrs:
    """The attributes of a question for a route. EINVAL."""

    def invalid(why: str) -> KernelError:
        NL_SET_ERR_MSG(extack, "ipv4: " + why)
        return KernelError(EINVAL)

    policy = fib_frontend_rtnl.rtm_ipv4_policy
    if nlmsg_len(nlh) < RTMSG.size:
        raise invalid("Invalid header for route get request")
    if not netlink_strict_get_check(skb):
        return nlmsg_parse_deprecated(nlh, RTMSG.size, r.RTA_MAX, policy, extack)
    rtm = fib_frontend_rtnl.rtmsg(nlh)
    lengths_ok = rtm.rtm_src_len in (0, 32) and rtm.rtm_dst_len in (0, 32)
    if not lengths_ok or rtm.rtm_table or rtm.rtm_protocol or rtm.rtm_scope or rtm.rtm_type:
        raise invalid("Invalid values in header for route get request")
    if rtm.rtm_flags & ~_HEADER_FLAGS:
        raise invalid("Unsupported rtm_flags for route get request")
    tb = nlmsg_parse_deprecated_strict(nlh, RTMSG.size, r.RTA_MAX, policy, extack)
    if (r.RTA_SRC in tb and not rtm.rtm_src_len) or (r.RTA_DST in tb and not rtm.rtm_dst_len):
        raise invalid("rtm_src_len and rtm_dst_len must be 32 for IPv4")
    if any(kind not in _ASKED for kind in tb):
        raise invalid("Unsupported attribute in route get request")
    return tb


def _flow(net: net_t, tb: nlattrs, tos: int, extack: netlink_ext_ack) -> flowi4:
    """The packet that the question is about. EOPNOTSUPP is not for us: EINVAL for an unknown protocol."""

    def number(kind: int) -> int:
        return nla_get_u32(tb[kind]) if kind in tb else 0

    proto = nla_get_u8(tb[r.RTA_IP_PROTO]) if r.RTA_IP_PROTO in tb else IPPROTO_UDP
    if proto not in (IPPROTO_TCP, IPPROTO_UDP, IPPROTO_ICMP):
        NL_SET_ERR_MSG_ATTR(extack, tb[r.RTA_IP_PROTO], "Unsupported ip proto")
        raise KernelError(EINVAL)
    iif = number(r.RTA_IIF)
    uid = number(r.RTA_UID) if r.RTA_UID in tb else 0xFFFFFFFF if iif else net.kernel.current.cred.uid
    return flowi4(
        flowi4_oif=number(r.RTA_OIF), flowi4_iif=iif or LOOPBACK_IFINDEX, flowi4_mark=number(r.RTA_MARK),
        flowi4_tos=tos & IPTOS_RT_MASK, flowi4_proto=proto, flowi4_uid=uid,
        daddr=nla_get_in_addr(tb[r.RTA_DST]) if r.RTA_DST in tb else 0,
        saddr=nla_get_in_addr(tb[r.RTA_SRC]) if r.RTA_SRC in tb else 0,
        fl4_sport=int.from_bytes(tb.get(r.RTA_SPORT, b"")[:2], "big"),
        fl4_dport=int.from_bytes(tb.get(r.RTA_DPORT, b"")[:2], "big"),
    )  # fmt: skip


def inet_rtm_getroute_build_skb(kernel: Kernel, fl4: flowi4) -> sk_buff:
    """A packet with nothing but a header, which can be led through the routing."""
    skb = alloc_skb(kernel, NLMSG_GOODSIZE)
    skb.protocol = ETH_P_IP
    skb.network_header = iphdr(protocol=fl4.flowi4_proto, saddr=fl4.saddr, daddr=fl4.daddr)
    return skb


def _lookup(net: net_t, fl4: flowi4, iif: int, res: fib_result) -> rtable:
    """The route of a packet that comes in by a device (iif), or that is sent. ENODEV, ENETUNREACH …"""
    if not iif:
        return route_output.ip_route_output_key_hash_rcu(net, fl4, res, None)
    dev = dev_get_by_index_rcu(net, iif)
    if dev is None:
        raise KernelError(ENODEV)
    skb = inet_rtm_getroute_build_skb(net.kernel, fl4)
    skb.dev = dev
    skb.mark = fl4.flowi4_mark
    err = route_input.ip_route_input_rcu(skb, fl4.daddr, fl4.saddr, fl4.flowi4_tos, dev, res)
    rt = skb_rtable(skb)
    if rt is not None:
        dst_hold(rt)
    kfree_skb(skb)
    if err or rt is None:
        raise KernelError(abs(err) or EHOSTUNREACH)
    if rt.error:
        raise KernelError(abs(rt.error))
    return rt


def inet_rtm_getroute(in_skb: sk_buff, nlh: nlmsghdr, extack: netlink_ext_ack) -> None:
    """RTM_GETROUTE of one destination: how a packet to it would go. ENETUNREACH, ENODEV, EINVAL."""
    assert in_skb.sk is not None
    net = in_skb.sk.sk_net
    tb = inet_rtm_valid_getroute_req(in_skb, nlh, extack)
    rtm = fib_frontend_rtnl.rtmsg(nlh)
    fl4 = _flow(net, tb, rtm.rtm_tos, extack)
    dst, src = fl4.daddr, fl4.saddr
    res = fib_result()
    rt = _lookup(net, fl4, nla_get_u32(tb[r.RTA_IIF]) if r.RTA_IIF in tb else 0, res)
    portid = NETLINK_CB(in_skb).portid
    table_id = r.RT_TABLE_MAIN
    if rtm.rtm_flags & r.RTM_F_LOOKUP_TABLE:
        table_id = res.table.tb_id if res.table is not None else 0
    skb = nlmsg_new(net.kernel, NLMSG_GOODSIZE)
    try:
        if rtm.rtm_flags & r.RTM_F_FIB_MATCH:
            if res.fi is None:
                raise KernelError(fib_semantics.FIB_PROPS_ERROR[res.type] or EHOSTUNREACH)
            fri = fib_rt_info(res.fi, table_id, res.prefix, res.prefixlen, res.dscp, rt.rt_type)
            fib_dump_info(skb, portid, nlh.nlmsg_seq, r.RTM_NEWROUTE, fri, 0)
        else:
            asked = _asked(dst, src, table_id, res.dscp, fl4, (portid, nlh.nlmsg_seq, 0))
            rt_fill_info(net, rt, asked, skb)
    except KernelError:
        kfree_skb(skb)
        raise
    finally:
        dst_release(rt)
    rtnl_unicast(skb, net, portid)


def _rtnl_init(kernel: Kernel) -> None:
    """Part of ip_rt_init(): who answers questions for routes."""
    rtnetlink.rtnl_register(kernel, PF_INET, r.RTM_GETROUTE, inet_rtm_getroute, None)
