"""net/ipv4/arp.c: whose Ethernet address an IPv4 address is: the table, questions, answers. ioctls: arp_ioctl."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from kshell.abi.errno import EINVAL
from kshell.abi.netdevice import (
    ARPHRD_ETHER,
    ARPHRD_IEEE802,
    ARPOP_REPLY,
    ARPOP_REQUEST,
    ETH_P_ARP,
    ETH_P_IP,
    IFF_LOOPBACK,
    IFF_NOARP,
    IFF_POINTOPOINT,
)
from kshell.abi.packet import PACKET_HOST, PACKET_LOOPBACK, PACKET_OTHERHOST
from kshell.abi.rtnetlink import (
    NUD_FAILED,
    NUD_NOARP,
    NUD_REACHABLE,
    NUD_STALE,
    RT_SCOPE_HOST,
    RT_SCOPE_LINK,
    RTN_BROADCAST,
    RTN_LOCAL,
    RTN_MULTICAST,
    RTN_UNICAST,
)
from kshell.abi.socket import AF_INET
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.if_arp import ARP_LEN, arp_hdr, arphdr
from kshell.linux.include.linux.in_ import ipv4_is_loopback, ipv4_is_multicast
from kshell.linux.include.linux.inetdevice import (
    IN_DEV_ANDCONF,
    IN_DEV_FORWARD,
    IN_DEV_MAXCONF,
    IN_DEV_ORCONF,
    IPV4_DEVCONF_ARP_ACCEPT,
    IPV4_DEVCONF_ARP_ANNOUNCE,
    IPV4_DEVCONF_ARP_EVICT_NOCARRIER,
    IPV4_DEVCONF_ARP_IGNORE,
    IPV4_DEVCONF_ARPFILTER,
    IPV4_DEVCONF_DROP_GRATUITOUS_ARP,
    IPV4_DEVCONF_MEDIUM_ID,
    IPV4_DEVCONF_PROXY_ARP,
    IPV4_DEVCONF_PROXY_ARP_PVLAN,
    IPV4_DEVCONF_ROUTE_LOCALNET,
    in_device,
)
from kshell.linux.include.linux.ip import iphdr
from kshell.linux.include.linux.jiffies import HZ
from kshell.linux.include.linux.netdevice import (
    IFF_XMIT_DST_RELEASE,
    LL_RESERVED_SPACE,
    NET_RX_DROP,
    NET_RX_SUCCESS,
    NETDEV_CHANGE,
    NETDEV_CHANGEADDR,
    dev_hard_header,
    netdev_notifier_change_info,
    netdev_notifier_info_to_dev,
    netif_carrier_ok,
    packet_type,
)
from kshell.linux.include.linux.notifier import NOTIFY_DONE, notifier_block
from kshell.linux.include.linux.skbuff import skb_dst_set
from kshell.linux.include.linux.snmp import LINUX_MIB_ARPFILTER
from kshell.linux.include.net.dropreason import SKB_DROP_REASON_NEIGH_FAILED
from kshell.linux.include.net.dst import dst_link_failure
from kshell.linux.include.net.flow import flowi4
from kshell.linux.include.net.neighbour import (
    LOCALLY_ENQUEUED,
    NEIGH_CB,
    NEIGH_UPDATE_F_ADMIN,
    NEIGH_UPDATE_F_OVERRIDE,
    NEIGH_VAR_LOCKTIME,
    NEIGH_VAR_PROXY_DELAY,
    NEIGH_VAR_UCAST_PROBES,
    NUD_VALID,
    neigh_ops,
    neigh_table,
    neighbour,
)
from kshell.linux.include.net.rtable import rtable
from kshell.linux.net.core.dev import register_netdevice_notifier
from kshell.linux.net.core.dev_pack import dev_add_pack
from kshell.linux.net.core.dev_xmit import dev_queue_xmit
from kshell.linux.net.core.dst import dst_release
from kshell.linux.net.core.neighbour import (
    __neigh_lookup,
    neigh_carrier_down,
    neigh_changeaddr,
    neigh_connected_output,
    neigh_direct_output,
    neigh_ifdown,
    neigh_lookup,
    neigh_release,
    neigh_remove_one,
    neigh_resolve_output,
    neigh_table_init,
)
from kshell.linux.net.core.neighbour_proxy import pneigh_enqueue, pneigh_lookup
from kshell.linux.net.core.neighbour_state import neigh_event_ns, neigh_update
from kshell.linux.net.core.neighbour_sysctl import neigh_sysctl_register
from kshell.linux.net.core.net_namespace import register_pernet_subsys
from kshell.linux.net.core.skbuff import alloc_skb, consume_skb, kfree_skb, kfree_skb_reason, skb_share_check
from kshell.linux.net.ipv4 import arp_proc, devinet, fib_frontend, route, route_input, route_output

if TYPE_CHECKING:
    from kshell.linux.include.linux.netdevice import net_device
    from kshell.linux.include.linux.skbuff import sk_buff
    from kshell.linux.include.net.dst import dst_entry
    from kshell.linux.include.net.net_namespace import net as net_t
    from kshell.linux.include.net.sock import sock
    from kshell.linux.init.kernel import Kernel

Address = bytes | None  # of a device; None: as the function says

NEIGH_ARP_TABLE = 0

_PARMS = (3, 3, 0, 0, HZ, 30 * HZ, 5 * HZ, 5 * HZ, 60 * HZ, 212992, 64, HZ, 8 * HZ // 10, HZ)


def arp_error_report(neigh: neighbour, skb: sk_buff) -> None:
    """The neighbour does not answer."""
    dst_link_failure(skb)
    kfree_skb_reason(skb, SKB_DROP_REASON_NEIGH_FAILED)


def arp_mc_map(addr: int, dev: net_device) -> bytes:
    """Link address of a multicast group."""
    if dev.type == ARPHRD_ETHER:
        return b"\x01\x00\x5e" + (addr & 0x7FFFFF).to_bytes(3, "big")
    return dev.broadcast


def arp_constructor(neigh: neighbour) -> None:
    """A new neighbour: what kind of address it is and how it is reached. EINVAL without IPv4 on the device."""
    dev = neigh.dev
    if dev.flags & (IFF_LOOPBACK | IFF_POINTOPOINT):
        neigh.primary_key = 0
    addr = neigh.primary_key
    in_dev = dev.ip_ptr
    if in_dev is None:
        raise KernelError(EINVAL)
    neigh.type = fib_frontend.inet_addr_type_dev_table(dev.nd_net, dev, addr)
    if in_dev.arp_parms is not None:
        neigh.parms = in_dev.arp_parms
    if dev.header_ops is None:
        neigh.nud_state = NUD_NOARP
        neigh.ops = arp_direct_ops
        neigh.output = neigh_direct_output
        return
    if neigh.type == RTN_MULTICAST:
        neigh.nud_state = NUD_NOARP
        neigh.ha = arp_mc_map(addr, dev)
    elif dev.flags & (IFF_NOARP | IFF_LOOPBACK):
        neigh.nud_state = NUD_NOARP
        neigh.ha = dev.dev_addr
    elif neigh.type == RTN_BROADCAST or dev.flags & IFF_POINTOPOINT:
        neigh.nud_state = NUD_NOARP
        neigh.ha = dev.broadcast
    neigh.ops = arp_hh_ops if dev.header_ops.cache is not None else arp_generic_ops
    neigh.output = neigh.ops.connected_output if neigh.nud_state & NUD_VALID else neigh.ops.output


def arp_is_multicast(pkey: int) -> bool:
    """True if a neighbour's address is a multicast group."""
    return ipv4_is_multicast(pkey)


def arp_create(
    type: int, ptype: int, dest_ip: int, dev: net_device, src_ip: int, dest_hw: Address, src_hw: Address,
    target_hw: Address,
) -> sk_buff | None:  # fmt: skip
    """An ARP packet; without dest_hw for all."""
    skb = alloc_skb(dev.nd_net.kernel, ARP_LEN + LL_RESERVED_SPACE(dev) + dev.needed_tailroom)
    src_hw = src_hw or dev.dev_addr
    skb.network_header = arphdr(type, src_hw, src_ip, target_hw or bytes(6), dest_ip, dev.type)
    skb.len = ARP_LEN
    skb.dev = dev
    skb.protocol = ETH_P_ARP
    if dev_hard_header(skb, dev, ptype, dest_hw or dev.broadcast, src_hw, skb.len) < 0:
        kfree_skb(skb)
        return None
    return skb


def arp_xmit_finish(net: net_t, sk: sock | None, skb: sk_buff) -> int:
    """After the OUT hook."""
    return dev_queue_xmit(skb)


def arp_xmit(skb: sk_buff) -> None:
    """Send an ARP packet."""
    assert skb.dev is not None
    arp_xmit_finish(skb.dev.nd_net, None, skb)


def arp_send_dst(
    type: int, ptype: int, dest_ip: int, dev: net_device, src_ip: int, dest_hw: Address, src_hw: Address,
    target_hw: Address, dst: dst_entry | None,
) -> None:  # fmt: skip
    """Make and send an ARP packet, unless the device does without."""
    if dev.flags & IFF_NOARP:
        return
    skb = arp_create(type, ptype, dest_ip, dev, src_ip, dest_hw, src_hw, target_hw)
    if skb is None:
        return
    if dst is not None:
        dst.refcnt += 1
        skb_dst_set(skb, dst)
    arp_xmit(skb)


def arp_send(
    type: int, ptype: int, dest_ip: int, dev: net_device, src_ip: int, dest_hw: Address, src_hw: Address,
    target_hw: Address,
) -> None:  # fmt: skip
    """Make and send an ARP packet."""
    arp_send_dst(type, ptype, dest_ip, dev, src_ip, dest_hw, src_hw, target_hw, None)


def _sender(in_dev: in_device, dev: net_device, target: int, skb: sk_buff | None) -> int:
    """The address that a question comes from, by arp_announce; 0: any of the device's."""
    announce = IN_DEV_MAXCONF(in_dev, IPV4_DEVCONF_ARP_ANNOUNCE)
    iph = skb.network_header if skb is not None else None
    if announce == 2 or not isinstance(iph, iphdr):
        return 0
    if fib_frontend.inet_addr_type_dev_table(dev.nd_net, dev, iph.saddr) != RTN_LOCAL:
        return 0
    if announce == 1 and not devinet.inet_addr_onlink(in_dev, target, iph.saddr):
        return 0
    return iph.saddr


def arp_solicit(neigh: neighbour, skb: sk_buff | None) -> None:
    """Ask: first the address that was known, then everybody."""
    dev = neigh.dev
    in_dev = dev.ip_ptr
    if in_dev is None:
        return
    target = neigh.primary_key
    saddr = _sender(in_dev, dev, target, skb)
    if not saddr:
        saddr = devinet.inet_select_addr(dev, target, RT_SCOPE_LINK)
    known = neigh.ha if neigh.probes < neigh.parms.data[NEIGH_VAR_UCAST_PROBES] else None
    dst = skb._skb_refdst if skb is not None and not dev.priv_flags & IFF_XMIT_DST_RELEASE else None
    arp_send_dst(ARPOP_REQUEST, ETH_P_ARP, target, dev, saddr, known, dev.dev_addr, None, dst)


def arp_ignore(in_dev: in_device, sip: int, tip: int) -> bool:
    """True if arp_ignore says not to answer."""
    mode = IN_DEV_MAXCONF(in_dev, IPV4_DEVCONF_ARP_IGNORE)
    if mode not in (1, 2, 3):
        return mode == 8
    assert in_dev.dev is not None
    scope = RT_SCOPE_LINK if mode == 3 else RT_SCOPE_HOST
    net = in_dev.dev.nd_net
    return not devinet.inet_confirm_addr(net, None if mode == 3 else in_dev, sip if mode == 2 else 0, tip, scope)


def arp_accept(in_dev: in_device, sip: int) -> bool:
    """True if neighbours may be learnt that nobody asked for."""
    mode = IN_DEV_MAXCONF(in_dev, IPV4_DEVCONF_ARP_ACCEPT)
    if mode != 2:
        return mode == 1
    assert in_dev.dev is not None
    return bool(devinet.inet_confirm_addr(in_dev.dev.nd_net, in_dev, sip, 0, RT_SCOPE_LINK))


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
    arp_send_dst(
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


def arp_invalidate(dev: net_device, ip: int, force: bool) -> bool:
    """Forget a neighbour, unless it is known to be good and force is not given; False if it is not known."""
    tbl = dev.nd_net.kernel.arp_tbl
    neigh = neigh_lookup(tbl, ip, dev)
    if neigh is None:
        return False
    known = False
    if force or not neigh.nud_state & NUD_VALID:
        if neigh.nud_state & ~NUD_NOARP:
            known = True
            neigh_update(neigh, None, NUD_FAILED, NEIGH_UPDATE_F_OVERRIDE | NEIGH_UPDATE_F_ADMIN, 0)
        neigh_release(neigh)
        neigh_remove_one(neigh, tbl)
        return known
    neigh_release(neigh)
    return True


def arp_ifdown(dev: net_device) -> None:
    """Forget all neighbours on a device."""
    neigh_ifdown(dev.nd_net.kernel.arp_tbl, dev)


def arp_netdev_event(this: notifier_block, event: int, ptr: object) -> int:
    """A device changed."""
    dev = netdev_notifier_info_to_dev(ptr)
    tbl = dev.nd_net.kernel.arp_tbl
    if event == NETDEV_CHANGEADDR:
        neigh_changeaddr(tbl, dev)
        route.rt_cache_flush(dev.nd_net)
    elif event == NETDEV_CHANGE:
        if isinstance(ptr, netdev_notifier_change_info) and ptr.flags_changed & IFF_NOARP:
            neigh_changeaddr(tbl, dev)
        in_dev = dev.ip_ptr
        evict = in_dev is None or IN_DEV_ANDCONF(in_dev, IPV4_DEVCONF_ARP_EVICT_NOCARRIER)
        if evict and not netif_carrier_ok(dev):
            neigh_carrier_down(tbl, dev)
    return NOTIFY_DONE


arp_hh_ops = neigh_ops(
    family=AF_INET, solicit=arp_solicit, error_report=arp_error_report, output=neigh_resolve_output,
    connected_output=neigh_resolve_output,
)  # fmt: skip
arp_generic_ops = neigh_ops(
    family=AF_INET, solicit=arp_solicit, error_report=arp_error_report, output=neigh_resolve_output,
    connected_output=neigh_connected_output,
)  # fmt: skip
arp_direct_ops = neigh_ops(family=AF_INET, output=neigh_direct_output, connected_output=neigh_direct_output)
arp_packet_type = packet_type(type=ETH_P_ARP, func=arp_rcv)
arp_netdev_notifier = notifier_block(notifier_call=arp_netdev_event)


def arp_init(kernel: Kernel) -> None:
    """Set up the neighbour table."""
    kernel.arp_tbl = neigh_table(
        family=AF_INET, key_len=4, protocol=ETH_P_IP, constructor=arp_constructor, id="arp_cache",
        parms_data=list(_PARMS),
        gc_interval=30 * HZ, gc_thresh1=128, gc_thresh2=512, gc_thresh3=1024, proxy_redo=parp_redo, is_multicast=arp_is_multicast,
    )  # fmt: skip
    neigh_table_init(kernel, NEIGH_ARP_TABLE, kernel.arp_tbl)
    arp_proc._neigh_stat_init(kernel)
    dev_add_pack(kernel, arp_packet_type)
    register_pernet_subsys(kernel, arp_proc.arp_net_ops)
    neigh_sysctl_register(kernel.init_net, None, kernel.arp_tbl.parms)
    register_netdevice_notifier(kernel, arp_netdev_notifier)
