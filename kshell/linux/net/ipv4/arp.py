"""net/ipv4/arp.c: whose Ethernet address an IPv4 address is: the table, questions, answers. ioctls: arp_ioctl."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.errno import EINVAL
from kshell.abi.neighbour import NUD_FAILED, NUD_NOARP
from kshell.abi.netdevice import (
    ARPHRD_ETHER,
    ARPOP_REQUEST,
    ETH_P_ARP,
    ETH_P_IP,
    IFF_LOOPBACK,
    IFF_NOARP,
    IFF_POINTOPOINT,
)
from kshell.abi.rtnetlink import RT_SCOPE_LINK, RTN_BROADCAST, RTN_LOCAL, RTN_MULTICAST
from kshell.abi.socket import AF_INET
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.if_arp import ARP_LEN, arphdr
from kshell.linux.include.linux.in_ import ipv4_is_multicast
from kshell.linux.include.linux.inetdevice import (
    IN_DEV_ANDCONF,
    IN_DEV_MAXCONF,
    IPV4_DEVCONF_ARP_ANNOUNCE,
    IPV4_DEVCONF_ARP_EVICT_NOCARRIER,
    in_device,
)
from kshell.linux.include.linux.ip import iphdr
from kshell.linux.include.linux.jiffies import HZ
from kshell.linux.include.linux.netdevice import (
    IFF_XMIT_DST_RELEASE,
    NETDEV_CHANGE,
    NETDEV_CHANGEADDR,
    netdev_notifier_change_info,
    netdev_notifier_info_to_dev,
    netif_carrier_ok,
)
from kshell.linux.include.linux.netdevice_xmit import LL_RESERVED_SPACE, dev_hard_header
from kshell.linux.include.linux.notifier import NOTIFY_DONE, notifier_block
from kshell.linux.include.linux.skbuff import skb_dst_set
from kshell.linux.include.net.dropreason import SKB_DROP_REASON_NEIGH_FAILED
from kshell.linux.include.net.dst import dst_link_failure
from kshell.linux.include.net.neighbour import (
    NEIGH_UPDATE_F_ADMIN,
    NEIGH_UPDATE_F_OVERRIDE,
    NEIGH_VAR_UCAST_PROBES,
    NUD_VALID,
    neigh_ops,
    neigh_table,
    neighbour,
)
from kshell.linux.net.core.dev import register_netdevice_notifier
from kshell.linux.net.core.dev_pack import dev_add_pack
from kshell.linux.net.core.dev_xmit import dev_queue_xmit
from kshell.linux.net.core.neighbour import (
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
from kshell.linux.net.core.neighbour_state import neigh_update
from kshell.linux.net.core.neighbour_sysctl import neigh_sysctl_register
from kshell.linux.net.core.net_namespace import register_pernet_subsys
from kshell.linux.net.core.skbuff import alloc_skb, kfree_skb, kfree_skb_reason
from kshell.linux.net.ipv4 import arp_proc, arp_rcv, devinet_select, fib_frontend, route

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
    if announce == 1 and not devinet_select.inet_addr_onlink(in_dev, target, iph.saddr):
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
        saddr = devinet_select.inet_select_addr(dev, target, RT_SCOPE_LINK)
    known = neigh.ha if neigh.probes < neigh.parms.data[NEIGH_VAR_UCAST_PROBES] else None
    dst = skb._skb_refdst if skb is not None and not dev.priv_flags & IFF_XMIT_DST_RELEASE else None
    arp_send_dst(ARPOP_REQUEST, ETH_P_ARP, target, dev, saddr, known, dev.dev_addr, None, dst)


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
arp_netdev_notifier = notifier_block(notifier_call=arp_netdev_event)


def arp_init(kernel: Kernel) -> None:
    """Set up the neighbour table."""
    kernel.arp_tbl = neigh_table(
        family=AF_INET, key_len=4, protocol=ETH_P_IP, constructor=arp_constructor, id="arp_cache",
        parms_data=list(_PARMS), gc_interval=30 * HZ, gc_thresh1=128, gc_thresh2=512, gc_thresh3=1024,
        proxy_redo=arp_rcv.parp_redo, is_multicast=arp_is_multicast,
    )  # fmt: skip
    neigh_table_init(kernel, NEIGH_ARP_TABLE, kernel.arp_tbl)
    arp_proc._neigh_stat_init(kernel)
    dev_add_pack(kernel, arp_rcv.arp_packet_type)
    register_pernet_subsys(kernel, arp_proc.arp_net_ops)
    neigh_sysctl_register(kernel.init_net, None, kernel.arp_tbl.parms)
    register_netdevice_notifier(kernel, arp_netdev_notifier)
