"""net/ipv4/fib_semantics.c, net/ipv4/route.c: routes with several next hops, and which of them a flow takes."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from kshell.abi import rtnetlink as r
from kshell.abi.errno import EINVAL
from kshell.abi.inet import (
    ICMP_DEST_UNREACH,
    ICMP_PARAMETERPROB,
    ICMP_REDIRECT,
    ICMP_SOURCE_QUENCH,
    ICMP_TIME_EXCEEDED,
    IPPROTO_ICMP,
    IPPROTO_TCP,
    IPPROTO_UDP,
)
from kshell.abi.neighbour import NUD_REACHABLE
from kshell.abi.socket import AF_INET
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.icmp import icmphdr
from kshell.linux.include.linux.inetdevice import IPV4_DEVCONF_IGNORE_ROUTES_WITH_LINKDOWN
from kshell.linux.include.linux.ip import IP_OFFSET, iphdr
from kshell.linux.include.linux.tcp_header import tcphdr
from kshell.linux.include.linux.udp import udphdr
from kshell.linux.include.net.ip_fib import fib_config, fib_nh, fib_nh_common
from kshell.linux.include.net.neighbour import NUD_VALID
from kshell.linux.include.net.netlink import nla_get_in_addr, nla_get_u32
from kshell.linux.include.net.nlattr import NL_SET_ERR_MSG, nla_for_each_attr, nla_type
from kshell.linux.net.core.secure_seq import _mix, net_secret_init

if TYPE_CHECKING:
    from kshell.linux.include.linux.netlink import netlink_ext_ack
    from kshell.linux.include.linux.skbuff import sk_buff
    from kshell.linux.include.net.flow import flowi4
    from kshell.linux.include.net.ip_fib import fib_info, fib_result
    from kshell.linux.include.net.net_namespace import net as net_t

RTNEXTHOP: Final = struct.Struct("<HBBi")  # rtnh_len, flags, hops (weight - 1), ifindex
_ERRORS: Final = (ICMP_DEST_UNREACH, ICMP_SOURCE_QUENCH, ICMP_REDIRECT, ICMP_TIME_EXCEEDED, ICMP_PARAMETERPROB)
NEVER: Final = -1
"""nhc_upper_bound of a next hop that no flow is to take."""


class _rtnexthop:
    """A next hop of RTA_MULTIPATH: struct rtnexthop, and the attributes behind it."""

    __slots__ = ("attrs", "rtnh_flags", "rtnh_hops", "rtnh_ifindex")

    def __init__(self, data: bytes) -> None:
        _, self.rtnh_flags, self.rtnh_hops, self.rtnh_ifindex = RTNEXTHOP.unpack_from(data)
        self.attrs = {nla_type(attr): bytes(attr) for attr in nla_for_each_attr(data[RTNEXTHOP.size :])}


def _refuse(extack: netlink_ext_ack | None, why: str) -> KernelError:
    NL_SET_ERR_MSG(extack, why)
    return KernelError(EINVAL)


def _each(mp: bytes) -> tuple[list[_rtnexthop], bytes]:
    """The next hops, and what is left behind them."""
    found, at = [], 0
    while len(mp) - at >= RTNEXTHOP.size:
        length = int.from_bytes(mp[at : at + 2], "little")
        if not RTNEXTHOP.size <= length <= len(mp) - at:
            break
        found.append(_rtnexthop(mp[at : at + length]))
        at += (length + 3) & ~3
    return found, mp[at:]


def fib_count_nexthops(mp: bytes, extack: netlink_ext_ack | None) -> int:
    """How many next hops a request has; 0: they are not in order."""
    hops, rest = _each(mp)
    if rest:
        NL_SET_ERR_MSG(extack, "Invalid nexthop configuration - extra data after nexthops")
        return 0
    return len(hops)


def fib_get_nhs(fi: fib_info, cfg: fib_config, extack: netlink_ext_ack | None) -> None:
    """Take the next hops from a request. EINVAL."""
    hops, _ = _each(cfg.fc_mp)
    for nh, rtnh in zip(fi.fib_nh, hops, strict=True):
        if rtnh.rtnh_flags & (r.RTNH_F_DEAD | r.RTNH_F_LINKDOWN):
            raise _refuse(extack, "Invalid flags for nexthop - can not contain DEAD or LINKDOWN")
        if r.RTA_GATEWAY in rtnh.attrs and r.RTA_VIA in rtnh.attrs:
            raise _refuse(extack, "Nexthop configuration can not contain both GATEWAY and VIA")
        nh.nhc_flags = cfg.fc_flags & ~0xFF | rtnh.rtnh_flags
        nh.nhc_oif = rtnh.rtnh_ifindex
        nh.nhc_weight = rtnh.rtnh_hops + 1
        nh.nhc_gw = nla_get_in_addr(rtnh.attrs[r.RTA_GATEWAY]) if r.RTA_GATEWAY in rtnh.attrs else 0
        nh.nhc_gw_family = AF_INET if nh.nhc_gw else 0
        nh.nh_tclassid = nla_get_u32(rtnh.attrs[r.RTA_FLOW]) if r.RTA_FLOW in rtnh.attrs else 0
    first = fi.fib_nh[0]
    if cfg.fc_oif and first.nhc_oif != cfg.fc_oif:
        raise _refuse(extack, "Nexthop device index does not match RTA_OIF")
    if cfg.fc_gw_family and (first.nhc_gw_family, first.nhc_gw) != (cfg.fc_gw_family, cfg.fc_gw4):
        raise _refuse(extack, "Nexthop gateway does not match RTA_GATEWAY or RTA_VIA")


def _nhs_match(fi: fib_info, cfg: fib_config) -> bool:
    """The end of fib_nh_match(): whether a request to delete names the next hops of a route."""
    hops, _ = _each(cfg.fc_mp)
    if len(hops) < len(fi.fib_nh):
        return False
    for nh, rtnh in zip(fi.fib_nh, hops, strict=False):
        if rtnh.rtnh_ifindex and rtnh.rtnh_ifindex != nh.nhc_oif:
            return False
        if r.RTA_GATEWAY in rtnh.attrs and nla_get_in_addr(rtnh.attrs[r.RTA_GATEWAY]) != nh.nhc_gw:
            return False
    return True


def _usable(nh: fib_nh, ignores_linkdown: bool) -> bool:
    if nh.nhc_flags & r.RTNH_F_DEAD:
        return False
    return not (nh.nhc_flags & r.RTNH_F_LINKDOWN and ignores_linkdown)


def fib_rebalance(fi: fib_info) -> None:
    """Share the flows among the next hops that can be used, by their weights."""
    if fi.fib_nhs < 2:
        return
    usable = [nh for nh in fi.fib_nh if _usable(nh, ip_ignore_linkdown(nh))]
    total, weight = sum(nh.nhc_weight for nh in usable), 0
    for nh in fi.fib_nh:
        nh.nhc_upper_bound = NEVER
        if nh in usable:
            weight += nh.nhc_weight
            nh.nhc_upper_bound = ((weight << 31) + total // 2) // total - 1


def ip_ignore_linkdown(nh: fib_nh_common) -> bool:
    """Whether next hops over the device are left alone while it has no link (ignore_routes_with_linkdown)."""
    dev = nh.nhc_dev
    if dev is None or dev.ip_ptr is None:
        return False
    at = IPV4_DEVCONF_IGNORE_ROUTES_WITH_LINKDOWN - 1
    return bool(dev.nd_net.ipv4.devconf_all.data[at] or dev.ip_ptr.cnf.data[at])


def fib_good_nh(nh: fib_nh) -> bool:
    """False if the gateway is known not to answer."""
    state = NUD_REACHABLE
    if nh.nhc_scope == r.RT_SCOPE_LINK and nh.nhc_dev is not None:
        neigh = nh.nhc_dev.nd_net.kernel.arp_tbl.nht.get((nh.nhc_gw, nh.nhc_dev))
        state = neigh.nud_state if neigh is not None else state
    return bool(state & NUD_VALID)


def fib_select_multipath(res: fib_result, hash: int) -> None:
    """Choose a next hop by the hash of the flow."""
    assert res.fi is not None
    assert res.fi.fib_net is not None
    only_good = res.fi.fib_net.ipv4.sysctl_fib_multipath_use_neigh
    first = False
    for nhsel, nh in enumerate(res.fi.fib_nh):
        if only_good:
            if not fib_good_nh(nh):
                continue
            if not first:
                res.nh_sel, res.nhc, first = nhsel, nh, True
        if hash > nh.nhc_upper_bound:
            continue
        res.nh_sel, res.nhc = nhsel, nh
        return


# ---- the hash of a flow (route.c)


def ip_multipath_l3_keys(skb: sk_buff) -> tuple[int, int]:
    """The addresses of a packet; of an ICMP error those of the packet it is about, so that both go one way."""
    ip = skb.network_header
    assert isinstance(ip, iphdr)
    if ip.protocol == IPPROTO_ICMP and not ip.frag_off & IP_OFFSET:
        th = skb.transport_header
        kind = th.type if isinstance(th, icmphdr) else skb.data[0] if skb.data else -1
        inner = skb.data if isinstance(th, icmphdr) else skb.data[8:]
        if kind in _ERRORS and len(inner) >= 20:
            return int.from_bytes(inner[12:16], "big"), int.from_bytes(inner[16:20], "big")
    return ip.saddr, ip.daddr


def _ports(skb: sk_buff) -> tuple[int, int]:
    th, ip = skb.transport_header, skb.network_header
    if isinstance(th, (tcphdr, udphdr)):
        return th.source, th.dest
    assert isinstance(ip, iphdr)
    whole = not ip.frag_off & IP_OFFSET and ip.protocol in (IPPROTO_TCP, IPPROTO_UDP)
    return (int.from_bytes(skb.data[:2], "big"), int.from_bytes(skb.data[2:4], "big")) if whole else (0, 0)


def _flow_keys(fl4: flowi4 | None, skb: sk_buff | None) -> tuple[int, int, int, int, int]:
    """Addresses, protocol, ports."""
    if skb is None:
        assert fl4 is not None
        return fl4.saddr, fl4.daddr, fl4.flowi4_proto, fl4.fl4_sport, fl4.fl4_dport
    ip = skb.network_header
    assert isinstance(ip, iphdr)
    return ip.saddr, ip.daddr, ip.protocol, *_ports(skb)


def flow_hash_from_keys(net: net_t, keys: tuple[int, ...]) -> int:
    """32 bits that an outsider cannot foresee."""
    return _mix(net_secret_init(net.kernel) ^ 2, *keys) & 0xFFFFFFFF


def fib_multipath_hash(net: net_t, fl4: flowi4 | None, skb: sk_buff | None) -> int:
    """31 bits for a flow that is sent (fl4) or forwarded (skb), of what net.ipv4.fib_multipath_hash_policy says."""
    policy = net.ipv4.sysctl_fib_multipath_hash_policy
    keys = _flow_keys(fl4, skb)
    if policy == 1:
        return flow_hash_from_keys(net, keys) >> 1
    if policy == 3:
        fields = net.ipv4.sysctl_fib_multipath_hash_fields
        chosen = (fields & 1, fields & 2, fields & 4, fields & 16, fields & 32)
        return flow_hash_from_keys(net, tuple(key if on else 0 for key, on in zip(keys, chosen, strict=True))) >> 1
    return flow_hash_from_keys(net, ip_multipath_l3_keys(skb) if skb is not None else keys[:2]) >> 1
