"""Options of packets that pass through (part of net/ipv4/ip_options.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.inet import ICMP_PARAMETERPROB, IPOPT_COPY, IPOPT_END, IPOPT_NOOP
from kshell.abi.packet import PACKET_HOST
from kshell.abi.rtnetlink import RTN_LOCAL, RTN_UNICAST
from kshell.linux.include.linux.ip import iphdr
from kshell.linux.include.linux.skbuff import sk_buff
from kshell.linux.include.net.inet_sock import ip_options
from kshell.linux.include.net.ip import IPCB
from kshell.linux.include.net.rtable import rtable
from kshell.linux.net.core.dst import dst_release
from kshell.linux.net.ipv4 import icmp, route, route_input
from kshell.linux.net.ipv4.ip_options import _IPH

if TYPE_CHECKING:
    from kshell.linux.include.linux.netdevice import net_device


def ip_options_fragment(skb: sk_buff) -> None:
    """Overwrite the options that only a first fragment has."""
    opt = IPCB(skb).opt
    data = opt._data
    at = 0
    while at < len(data):
        kind = data[at]
        if kind == IPOPT_END:
            return
        if kind == IPOPT_NOOP:
            at += 1
            continue
        optlen = data[at + 1]
        if optlen < 2 or optlen > len(data) - at:
            return
        if not kind & IPOPT_COPY:
            data[at : at + optlen] = bytes((IPOPT_NOOP,)) * optlen
        at += optlen
    opt.ts = opt.rr = opt.rr_needaddr = opt.ts_needaddr = opt.ts_needtime = 0
    iph = skb.network_header
    assert isinstance(iph, iphdr)
    iph._options = bytes(data)


def ip_forward_options(skb: sk_buff) -> None:
    """Fill in what a router fills in."""
    opt = IPCB(skb).opt
    rt = skb._skb_refdst
    iph = skb.network_header
    assert isinstance(rt, rtable)
    assert isinstance(iph, iphdr)
    raw = bytearray(iph._options)
    if opt.rr_needaddr:
        at = opt.rr - _IPH
        at += raw[at + 2] - 5
        raw[at : at + 4] = route.ip_rt_get_source(skb, rt).to_bytes(4, "big")
        opt.is_changed = 1
    if opt.srr_is_hit:
        _forward_source_route(skb, rt, opt, iph, raw)
    iph._options = bytes(raw)
    if opt.is_changed:
        opt.is_changed = 0
        iph.check = None


def _forward_source_route(skb: sk_buff, rt: rtable, opt: ip_options, iph: iphdr, raw: bytearray) -> None:
    at = opt.srr - _IPH
    srrptr, srrspace = raw[at + 2], raw[at + 1]
    nexthop = opt.nexthop.to_bytes(4, "big")
    while srrptr + 3 <= srrspace and raw[at + srrptr - 1 : at + srrptr + 3] != nexthop:
        srrptr += 4
    if srrptr + 3 <= srrspace:
        opt.is_changed = 1
        iph.daddr = opt.nexthop
        raw[at + srrptr - 1 : at + srrptr + 3] = route.ip_rt_get_source(skb, rt).to_bytes(4, "big")
        raw[at + 2] = srrptr + 4
    if opt.ts_needaddr:
        at = opt.ts - _IPH
        at += raw[at + 2] - 9
        raw[at : at + 4] = route.ip_rt_get_source(skb, rt).to_bytes(4, "big")
        opt.is_changed = 1


def ip_options_rcv_srr(skb: sk_buff, dev: net_device) -> bool:
    """Follow a source route that leads through this host; False: drop the packet."""
    opt = IPCB(skb).opt
    iph = skb.network_header
    rt = skb._skb_refdst
    assert isinstance(iph, iphdr)
    if rt is None:
        return True
    assert isinstance(rt, rtable)
    if skb.pkt_type != PACKET_HOST:
        return False
    if rt.rt_type == RTN_UNICAST:
        if not opt.is_strictroute:
            return True
        icmp.icmp_send(skb, ICMP_PARAMETERPROB, 0, 16 << 24)
        return False
    if rt.rt_type != RTN_LOCAL:
        return False
    data, at = opt._data, opt.srr - _IPH
    srrptr, srrspace = data[at + 2], data[at + 1]
    nexthop = 0
    while srrptr <= srrspace:
        if srrptr + 3 > srrspace:
            icmp.icmp_send(skb, ICMP_PARAMETERPROB, 0, (opt.srr + 2) << 24)
            return False
        nexthop = int.from_bytes(data[at + srrptr - 1 : at + srrptr + 3], "big")
        old = skb._skb_refdst
        skb._skb_refdst = None
        err = route_input.ip_route_input(skb, nexthop, iph.saddr, iph.tos, dev)
        rt2 = skb._skb_refdst
        if err or not isinstance(rt2, rtable) or rt2.rt_type not in (RTN_UNICAST, RTN_LOCAL):
            dst_release(rt2)
            skb._skb_refdst = old
            return False
        dst_release(old)
        if rt2.rt_type != RTN_LOCAL:
            break
        iph.daddr = nexthop
        opt.is_changed = 1
        srrptr += 4
    if srrptr <= srrspace:
        opt.srr_is_hit = 1
        opt.nexthop = nexthop
        opt.is_changed = 1
    return True
