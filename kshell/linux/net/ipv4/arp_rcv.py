"""ARP packets that arrive (part of net/ipv4/arp.c)."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from kshell.abi.neighbour import NUD_REACHABLE, NUD_STALE
from kshell.abi.netdevice import (
    ARPHRD_ETHER,
    ARPHRD_IEEE802,
    ARPOP_REPLY,
    ARPOP_REQUEST,
    ETH_P_ARP,
    ETH_P_IP,
    IFF_NOARP,
)
from kshell.abi.packet import PACKET_HOST, PACKET_LOOPBACK, PACKET_OTHERHOST
from kshell.abi.rtnetlink import RT_SCOPE_HOST, RT_SCOPE_LINK, RTN_LOCAL, RTN_UNICAST
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.if_arp import ARP_LEN, arp_hdr, arphdr
from kshell.linux.include.linux.in_ import ipv4_is_loopback, ipv4_is_multicast
from kshell.linux.include.linux.inetdevice import (
    IN_DEV_FORWARD,
    IN_DEV_MAXCONF,
    IN_DEV_ORCONF,
    IPV4_DEVCONF_ARP_ACCEPT,
    IPV4_DEVCONF_ARP_IGNORE,
    IPV4_DEVCONF_ARPFILTER,
    IPV4_DEVCONF_DROP_GRATUITOUS_ARP,
    IPV4_DEVCONF_MEDIUM_ID,
    IPV4_DEVCONF_PROXY_ARP,
    IPV4_DEVCONF_PROXY_ARP_PVLAN,
    IPV4_DEVCONF_ROUTE_LOCALNET,
    in_device,
)
from kshell.linux.include.linux.netdevice import (
    NET_RX_DROP,
    NET_RX_SUCCESS,
    packet_type,
)
from kshell.linux.include.linux.snmp import LINUX_MIB_ARPFILTER
from kshell.linux.include.net.flow import flowi4
from kshell.linux.include.net.neighbour import (
    LOCALLY_ENQUEUED,
    NEIGH_CB,
    NEIGH_UPDATE_F_OVERRIDE,
    NEIGH_VAR_LOCKTIME,
    NEIGH_VAR_PROXY_DELAY,
    neigh_table,
)
from kshell.linux.include.net.rtable import rtable
from kshell.linux.net.core.dst import dst_release
from kshell.linux.net.core.neighbour import (
    __neigh_lookup,
    neigh_release,
)
from kshell.linux.net.core.neighbour_proxy import pneigh_enqueue, pneigh_lookup
from kshell.linux.net.core.neighbour_state import neigh_event_ns, neigh_update
from kshell.linux.net.core.skbuff import consume_skb, kfree_skb, skb_share_check
from kshell.linux.net.ipv4 import arp as arp_c
from kshell.linux.net.ipv4 import devinet_select, fib_frontend, route_input, route_output

if TYPE_CHECKING:
    from kshell.linux.include.linux.netdevice import net_device
    from kshell.linux.include.linux.skbuff import sk_buff
    from kshell.linux.include.net.net_namespace import net as net_t
    from kshell.linux.include.net.sock import sock


def arp_ignore(in_dev: in_device, sip: int, tip: int) -> bool:
    """True if arp_ignore says not to answer."""
    mode = IN_DEV_MAXCONF(in_dev, IPV4_DEVCONF_ARP_IGNORE)
    if mode not in (1, 2, 3):
        return mode == 8
    assert in_dev.dev is not None
    scope = RT_SCOPE_LINK if mode == 3 else RT_SCOPE_HOST
    net = in_dev.dev.nd_net
    return not devinet_select.inet_confirm_addr(net, None if mode == 3 else in_dev, sip if mode == 2 else 0, tip, scope)


def arp_accept(in_dev: in_device, sip: int) -> bool:
    """True if neighbours may be learnt that nobody asked for."""
    mode = IN_DEV_MAXCONF(in_dev, IPV4_DEVCONF_ARP_ACCEPT)
    if mode != 2:
        return mode == 1
    assert in_dev.dev is not None
    return bool(devinet_select.inet_confirm_addr(in_dev.dev.nd_net, in_dev, sip, 0, RT_SCOPE_LINK))


def arp_filter(sip: int, tip: int, dev: net_device) -> bool:
    """True if arp_filter says not to answer: packets back would take another device."""
    net = dev.nd_net
    try:
        rt = route_output.ip_route_output_flow(net, flowi4(daddr=sip, saddr=tip), None)
    except KernelError:
        return True
    other = rt.dev is not dev
    if other:
        net.mib.net_statistics[LINUX_MIB_ARPFILTER] += 1
    dst_release(rt)
    return other


def arp_fwd_proxy(in_dev: in_device, dev: net_device, rt: rtable) -> bool:
    """True if we answer for an address that we forward to by another device, of another medium if they have numbers."""
    if rt.dev is dev or not IN_DEV_ORCONF(in_dev, IPV4_DEVCONF_PROXY_ARP):
        return False
    imi = in_dev.cnf.data[IPV4_DEVCONF_MEDIUM_ID - 1]
    if imi in (0, -1):
        return imi == 0
    out_dev = rt.dev.ip_ptr
    omi = out_dev.cnf.data[IPV4_DEVCONF_MEDIUM_ID - 1] if out_dev is not None else -1
    return omi not in (imi, -1)


def arp_fwd_pvlan(in_dev: in_device, dev: net_device, rt: rtable, sip: int, tip: int) -> bool:
    """True if we answer for others on the same wire, who cannot hear each other (RFC 3069)."""
    return rt.dev is dev and sip != tip and bool(in_dev.cnf.data[IPV4_DEVCONF_PROXY_ARP_PVLAN - 1])


def _proxied(in_dev: in_device, dev: net_device, rt: rtable, arp: arphdr) -> bool:
    """True if we forward to the address, and are to answer for it."""
    if not IN_DEV_FORWARD(in_dev) or rt.rt_type != RTN_UNICAST:
        return False
    if arp_fwd_proxy(in_dev, dev, rt) or arp_fwd_pvlan(in_dev, dev, rt, arp._ar_sip, arp._ar_tip):
        return True
    net = dev.nd_net
    return rt.dev is not dev and pneigh_lookup(net.kernel.arp_tbl, net, arp._ar_tip, dev, False) is not None


def _answer_for(skb: sk_buff, arp: arphdr, dev: net_device, in_dev: in_device) -> bool:
    """Answer for another, at once or later; False: later, and the packet is kept."""
    tbl = dev.nd_net.kernel.arp_tbl
    n = neigh_event_ns(tbl, arp._ar_sha, arp._ar_sip, dev)
    if n is not None:
        neigh_release(n)
    assert in_dev.arp_parms is not None
    waited = NEIGH_CB(skb).flags & LOCALLY_ENQUEUED or skb.pkt_type == PACKET_HOST
    if waited or not in_dev.arp_parms.data[NEIGH_VAR_PROXY_DELAY]:
        _answer(arp, dev)
        return True
    pneigh_enqueue(tbl, in_dev.arp_parms, skb)
    return False


def arp_is_garp(net: net_t, dev: net_device, arp: arphdr) -> bool:
    """True for a station that announces its own address."""
    if arp._ar_sip != arp._ar_tip or (arp.ar_op == ARPOP_REPLY and arp._ar_tha != arp._ar_sha):
        return False
    return fib_frontend.inet_addr_type_dev_table(net, dev, arp._ar_sip) == RTN_UNICAST


def _acceptable(arp: arphdr, dev: net_device, in_dev: in_device) -> bool:
    """True if the message is one for us to look at."""
    kinds = (ARPHRD_ETHER, ARPHRD_IEEE802) if dev.type == ARPHRD_ETHER else (dev.type,)
    if arp.ar_hrd not in kinds or arp.ar_pro != ETH_P_IP or arp.ar_op not in (ARPOP_REQUEST, ARPOP_REPLY):
        return False
    tip = arp._ar_tip
    if ipv4_is_multicast(tip) or (
        ipv4_is_loopback(tip) and not IN_DEV_ORCONF(in_dev, IPV4_DEVCONF_ROUTE_LOCALNET)
    ):
        return False
    return arp._ar_sip != tip or not IN_DEV_ORCONF(in_dev, IPV4_DEVCONF_DROP_GRATUITOUS_ARP)


def _answer(arp: arphdr, dev: net_device) -> None:
    arp_c.arp_send_dst(
        ARPOP_REPLY, ETH_P_ARP, arp._ar_sip, dev, arp._ar_tip, arp._ar_sha, dev.dev_addr, arp._ar_sha, None
    )  # fmt: skip


_NOT_FOR_US, _ANSWERED, _KEPT = range(3)


def _answered(skb: sk_buff, arp: arphdr, dev: net_device, in_dev: in_device, tbl: neigh_table) -> int:
    """Answer a question that is for us, or for whom we answer for: _KEPT if that is done later."""
    sip, tip = arp._ar_sip, arp._ar_tip
    if route_input.ip_route_input_noref(skb, tip, sip, 0, dev):
        return _NOT_FOR_US
    rt = skb._skb_refdst
    assert isinstance(rt, rtable)
    if rt.rt_type == RTN_LOCAL:
        silent = arp_ignore(in_dev, sip, tip)
        if not silent and IN_DEV_ORCONF(in_dev, IPV4_DEVCONF_ARPFILTER):
            silent = arp_filter(sip, tip, dev)
        if silent:
            return _ANSWERED
    elif _proxied(in_dev, dev, rt, arp):
        return _ANSWERED if _answer_for(skb, arp, dev, in_dev) else _KEPT
    else:
        return _NOT_FOR_US
    n = neigh_event_ns(tbl, arp._ar_sha, sip, dev)
    if n is not None:
        _answer(arp, dev)
        neigh_release(n)
    return _ANSWERED


def _learn(skb: sk_buff, arp: arphdr, dev: net_device, in_dev: in_device, tbl: neigh_table) -> None:
    """Note the sender's address, if we know of the sender or may learn of it."""
    net = dev.nd_net
    sip = arp._ar_sip
    n = __neigh_lookup(tbl, sip, dev, False)
    accept = arp_accept(in_dev, sip)
    is_garp = (n is not None or accept) and arp_is_garp(net, dev, arp)
    if accept and n is None:
        unicast = fib_frontend.inet_addr_type_dev_table(net, dev, sip) == RTN_UNICAST
        if is_garp or (arp.ar_op == ARPOP_REPLY and unicast):
            n = __neigh_lookup(tbl, sip, dev, True)
    if n is None:
        return
    override = net.kernel.jiffies - (n.updated + n.parms.data[NEIGH_VAR_LOCKTIME]) > 0 or is_garp
    solicited = arp.ar_op == ARPOP_REPLY and skb.pkt_type == PACKET_HOST
    with suppress(KernelError):
        state = NUD_REACHABLE if solicited else NUD_STALE
        neigh_update(n, arp._ar_sha, state, NEIGH_UPDATE_F_OVERRIDE if override else 0, 0)
    neigh_release(n)


def arp_process(net: net_t, sk: sock | None, skb: sk_buff) -> int:
    """Answer a question, learn from an answer; NET_RX_*."""
    dev = skb.dev
    assert dev is not None
    in_dev = dev.ip_ptr
    arp = arp_hdr(skb)
    if in_dev is None or not _acceptable(arp, dev, in_dev):
        kfree_skb(skb)
        return NET_RX_DROP
    tbl = net.kernel.arp_tbl
    if not arp._ar_sip:  # duplicate address detection
        local = fib_frontend.inet_addr_type_dev_table(net, dev, arp._ar_tip) == RTN_LOCAL
        if arp.ar_op == ARPOP_REQUEST and local and not arp_ignore(in_dev, 0, arp._ar_tip):
            _answer(arp, dev)
    else:
        outcome = _answered(skb, arp, dev, in_dev, tbl) if arp.ar_op == ARPOP_REQUEST else _NOT_FOR_US
        if outcome == _KEPT:
            return NET_RX_SUCCESS
        if outcome == _NOT_FOR_US:
            _learn(skb, arp, dev, in_dev, tbl)
    consume_skb(skb)
    return NET_RX_SUCCESS


def parp_redo(skb: sk_buff) -> None:
    """A question for whom we answer for has waited."""
    assert skb.dev is not None
    arp_process(skb.dev.nd_net, None, skb)


def arp_rcv(skb: sk_buff, dev: net_device, pt: packet_type, orig_dev: net_device) -> int:
    """ARP from the network; NET_RX_*."""
    if dev.flags & IFF_NOARP or skb.pkt_type in (PACKET_OTHERHOST, PACKET_LOOPBACK):
        consume_skb(skb)
        return NET_RX_SUCCESS
    skb = skb_share_check(skb)
    arp = skb.network_header
    if not isinstance(arp, arphdr):
        if len(skb.data) < ARP_LEN:
            kfree_skb(skb)
            return NET_RX_DROP
        arp = skb.network_header = arphdr._from_bytes(skb.data)
        skb.data = skb.data[ARP_LEN:]
    if arp.ar_hln != dev.addr_len or arp.ar_pln != 4:
        kfree_skb(skb)
        return NET_RX_DROP
    return arp_process(dev.nd_net, None, skb)


arp_packet_type = packet_type(type=ETH_P_ARP, func=arp_rcv)
