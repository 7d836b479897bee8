"""net/ipv4/ip_input.c: from the device to the transport protocol."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.errno import EXDEV
from kshell.abi.inet import ICMP_DEST_UNREACH, ICMP_PROT_UNREACH
from kshell.abi.packet import PACKET_BROADCAST, PACKET_MULTICAST, PACKET_OTHERHOST
from kshell.abi.rtnetlink import RTN_BROADCAST, RTN_MULTICAST
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.inetdevice import (
    IN_DEV_ANDCONF,
    IN_DEV_ORCONF,
    IPV4_DEVCONF_ACCEPT_SOURCE_ROUTE,
    IPV4_DEVCONF_DROP_UNICAST_IN_L2_MULTICAST,
    IPV4_DEVCONF_LOG_MARTIANS,
)
from kshell.linux.include.linux.ip import iphdr
from kshell.linux.include.linux.netdevice import NET_RX_DROP, NET_RX_SUCCESS
from kshell.linux.include.linux.skbuff import sk_buff
from kshell.linux.include.linux.snmp import (
    IPSTATS_MIB_CSUMERRORS,
    IPSTATS_MIB_INBCASTOCTETS,
    IPSTATS_MIB_INBCASTPKTS,
    IPSTATS_MIB_INDELIVERS,
    IPSTATS_MIB_INHDRERRORS,
    IPSTATS_MIB_INMCASTOCTETS,
    IPSTATS_MIB_INMCASTPKTS,
    IPSTATS_MIB_INOCTETS,
    IPSTATS_MIB_INPKTS,
    IPSTATS_MIB_INTRUNCATEDPKTS,
    IPSTATS_MIB_INUNKNOWNPROTOS,
    IPSTATS_MIB_NOECTPKTS,
    LINUX_MIB_IPRPFILTER,
)
from kshell.linux.include.net.dropreason import (
    SKB_DROP_REASON_IP_CSUM,
    SKB_DROP_REASON_IP_INHDR,
    SKB_DROP_REASON_IP_NOPROTO,
    SKB_DROP_REASON_IP_RPFILTER,
    SKB_DROP_REASON_NOT_SPECIFIED,
    SKB_DROP_REASON_OTHERHOST,
    SKB_DROP_REASON_PKT_TOO_SMALL,
)
from kshell.linux.include.net.ip import IP_DEFRAG_LOCAL_DELIVER, IPCB, inet_skb_parm
from kshell.linux.kernel.printk import pr_info
from kshell.linux.lib.vsprintf import ip4_addr_string
from kshell.linux.net.core.skbuff import consume_skb, kfree_skb, kfree_skb_reason, skb_share_check, skb_trim
from kshell.linux.net.ipv4 import icmp, ip_fragment, ip_options, ip_options_forward, raw_rcv, route_input

if TYPE_CHECKING:
    from kshell.linux.include.linux.netdevice import net_device, packet_type
    from kshell.linux.include.net.net_namespace import net as net_t


def ip_protocol_deliver_rcu(net: net_t, skb: sk_buff, protocol: int) -> None:
    """To raw sockets, and to the protocol's handler."""
    stats = net.mib.ip_statistics
    inet_protos = net.kernel.inet_protos
    while True:
        raw = raw_rcv.raw_local_deliver(skb, protocol)
        ipprot = inet_protos.get(protocol)
        if ipprot is None:
            break
        ret = ipprot.handler(skb)
        if ret >= 0:
            stats[IPSTATS_MIB_INDELIVERS] += 1
            return
        protocol = -ret
    if raw:
        stats[IPSTATS_MIB_INDELIVERS] += 1
        consume_skb(skb)
        return
    stats[IPSTATS_MIB_INUNKNOWNPROTOS] += 1
    icmp.icmp_send(skb, ICMP_DEST_UNREACH, ICMP_PROT_UNREACH, 0)
    kfree_skb_reason(skb, SKB_DROP_REASON_IP_NOPROTO)


def ip_local_deliver_finish(net: net_t, sk: object, skb: sk_buff) -> int:
    """After the LOCAL_IN hook: the IP header is left behind."""
    iph = skb.network_header
    assert isinstance(iph, iphdr)
    skb.len -= iph.ihl * 4
    ip_protocol_deliver_rcu(net, skb, iph.protocol)
    return 0


def ip_local_deliver(skb: sk_buff) -> int:
    """dst.input of packets for this host."""
    iph = skb.network_header
    assert isinstance(iph, iphdr)
    assert skb.dev is not None
    net = skb.dev.nd_net
    if iph.frag_off & 0x3FFF and ip_fragment.ip_defrag(net, skb, IP_DEFRAG_LOCAL_DELIVER):
        return 0
    return ip_local_deliver_finish(net, None, skb)


def ip_rcv_options(skb: sk_buff, dev: net_device) -> bool:
    """Check the options of a packet; True: drop it."""
    iph = skb.network_header
    assert isinstance(iph, iphdr)
    cb = IPCB(skb)
    cb.opt._data = bytearray(iph._options)
    try:
        ip_options.ip_options_compile(dev.nd_net, cb.opt, skb)
    except KernelError:
        dev.nd_net.mib.ip_statistics[IPSTATS_MIB_INHDRERRORS] += 1
        return True
    iph._options = bytes(cb.opt._data)
    if cb.opt.srr:
        in_dev = dev.ip_ptr
        if in_dev is not None and not IN_DEV_ANDCONF(in_dev, IPV4_DEVCONF_ACCEPT_SOURCE_ROUTE):
            if IN_DEV_ORCONF(in_dev, IPV4_DEVCONF_LOG_MARTIANS):
                way = f"{ip4_addr_string(iph.saddr)} -> {ip4_addr_string(iph.daddr)}"
                pr_info(dev.nd_net.kernel, f"source route option {way}")
            return True
        return not ip_options_forward.ip_options_rcv_srr(skb, dev)
    return False


def ip_rcv_finish_core(net: net_t, sk: object, skb: sk_buff, dev: net_device) -> int:
    """Find the route; NET_RX_DROP if the packet is dropped."""
    iph = skb.network_header
    assert isinstance(iph, iphdr)
    reason = SKB_DROP_REASON_NOT_SPECIFIED
    if skb._skb_refdst is None:
        err = route_input.ip_route_input_noref(skb, iph.daddr, iph.saddr, iph.tos, dev)
        if err:
            if err == EXDEV:
                reason = SKB_DROP_REASON_IP_RPFILTER
                net.mib.net_statistics[LINUX_MIB_IPRPFILTER] += 1
            kfree_skb_reason(skb, reason)
            return NET_RX_DROP
    if iph.ihl > 5 and ip_rcv_options(skb, dev):
        kfree_skb_reason(skb, reason)
        return NET_RX_DROP
    rt_type = skb._skb_refdst.rt_type  # type: ignore[union-attr]
    if rt_type == RTN_MULTICAST:
        net.mib.ip_statistics[IPSTATS_MIB_INMCASTPKTS] += 1
        net.mib.ip_statistics[IPSTATS_MIB_INMCASTOCTETS] += skb.len
    elif rt_type == RTN_BROADCAST:
        net.mib.ip_statistics[IPSTATS_MIB_INBCASTPKTS] += 1
        net.mib.ip_statistics[IPSTATS_MIB_INBCASTOCTETS] += skb.len
    elif skb.pkt_type in (PACKET_BROADCAST, PACKET_MULTICAST):
        in_dev = dev.ip_ptr
        if in_dev is not None and IN_DEV_ORCONF(in_dev, IPV4_DEVCONF_DROP_UNICAST_IN_L2_MULTICAST):
            kfree_skb(skb)
            return NET_RX_DROP
    return NET_RX_SUCCESS


def _dst_input(skb: sk_buff) -> int:
    skb._skb_refdst.input(skb)  # type: ignore[union-attr]
    return NET_RX_SUCCESS


def ip_rcv_finish(net: net_t, sk: object, skb: sk_buff) -> int:
    """After the PRE_ROUTING hook."""
    assert skb.dev is not None
    if ip_rcv_finish_core(net, sk, skb, skb.dev) == NET_RX_DROP:
        return NET_RX_DROP
    return _dst_input(skb)


def _bad_header(iph: iphdr, skb: sk_buff) -> int:
    """Reason to drop for a header that can't be right, 0 if it can."""
    if iph.ihl < 5 or iph.version != 4 or len(iph._options) != iph.ihl * 4 - 20:
        return SKB_DROP_REASON_IP_INHDR
    check = iph.check
    if check is not None:
        iph.check = None
        right = int.from_bytes(iph._to_bytes()[10:12], "big")
        if right != check:
            iph.check = check
            return SKB_DROP_REASON_IP_CSUM
    if skb.len < iph.tot_len:
        return SKB_DROP_REASON_PKT_TOO_SMALL
    return SKB_DROP_REASON_IP_INHDR if iph.tot_len < iph.ihl * 4 else 0


def ip_rcv_core(skb: sk_buff, net: net_t) -> sk_buff | None:
    """Check the header; None if the packet was dropped."""
    if skb.pkt_type == PACKET_OTHERHOST:
        kfree_skb_reason(skb, SKB_DROP_REASON_OTHERHOST)
        return None
    stats = net.mib.ip_statistics
    stats[IPSTATS_MIB_INPKTS] += 1
    stats[IPSTATS_MIB_INOCTETS] += skb.len
    if skb.users != 1:
        skb = skb_share_check(skb)
    iph = skb.network_header
    if iph is None:
        if len(skb.data) < 20:
            stats[IPSTATS_MIB_INHDRERRORS] += 1
            kfree_skb_reason(skb, SKB_DROP_REASON_IP_INHDR)
            return None
        iph = skb.network_header = iphdr._from_bytes(skb.data)
        skb.data = skb.data[20 + len(iph._options) :]
    assert isinstance(iph, iphdr)
    reason = _bad_header(iph, skb)
    if reason:
        if reason == SKB_DROP_REASON_PKT_TOO_SMALL:
            stats[IPSTATS_MIB_INTRUNCATEDPKTS] += 1
        else:
            if reason == SKB_DROP_REASON_IP_CSUM:
                stats[IPSTATS_MIB_CSUMERRORS] += 1
            stats[IPSTATS_MIB_INHDRERRORS] += 1
        kfree_skb_reason(skb, reason)
        return None
    stats[IPSTATS_MIB_NOECTPKTS + (iph.tos & 3)] += 1
    if skb.len > iph.tot_len:
        skb_trim(skb, iph.tot_len)
    if skb.cb is not None:
        skb.cb = inet_skb_parm(skb.skb_iif) if skb.skb_iif else None
    if skb.destructor is not None:
        skb.destructor(skb)
        skb.destructor = None
    skb.sk = None
    return skb


def ip_rcv(skb: sk_buff, dev: net_device, pt: packet_type, orig_dev: net_device) -> int:
    """A packet of ETH_P_IP from a device."""
    net = dev.nd_net
    received = ip_rcv_core(skb, net)
    if received is None:
        return NET_RX_DROP
    return ip_rcv_finish(net, None, received)
