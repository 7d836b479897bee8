"""net/ipv4/fib_frontend.c: the routes that addresses and devices bring along and take with them; start-up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.netdevice import IFF_LOOPBACK, IFF_UP
from kshell.abi.netlink import NLM_F_APPEND, NLM_F_CREATE
from kshell.abi.rtnetlink import (
    IFA_F_NOPREFIXROUTE,
    IFA_F_SECONDARY,
    RT_SCOPE_HOST,
    RT_SCOPE_LINK,
    RT_TABLE_LOCAL,
    RT_TABLE_MAIN,
    RTM_DELROUTE,
    RTM_NEWROUTE,
    RTN_BROADCAST,
    RTN_LOCAL,
    RTN_UNICAST,
    RTNH_F_DEAD,
    RTNH_F_LINKDOWN,
    RTPROT_KERNEL,
)
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.inetdevice import _ifas, inet_ifa_match
from kshell.linux.include.linux.netdevice import (
    NETDEV_CHANGE,
    NETDEV_CHANGEMTU,
    NETDEV_DOWN,
    NETDEV_UNREGISTER,
    NETDEV_UP,
)
from kshell.linux.include.linux.notifier import NOTIFY_DONE, notifier_block
from kshell.linux.include.net.ip_fib import fib_config
from kshell.linux.include.net.net_namespace import pernet_operations
from kshell.linux.net.core.net_namespace import register_pernet_subsys
from kshell.linux.net.ipv4 import (
    arp,
    devinet,
    devinet_select,
    fib_frontend,
    fib_frontend_rtnl,
    fib_rules,
    fib_semantics,
    fib_semantics_sync,
    fib_trie,
    route,
)
from kshell.linux.net.ipv4.fib_trie_proc import fib_proc_exit, fib_proc_init
from kshell.linux.net.netlink import netlink_users

if TYPE_CHECKING:
    from kshell.linux.include.linux.inetdevice import in_ifaddr
    from kshell.linux.include.linux.netdevice import net_device
    from kshell.linux.include.net.net_namespace import net as net_t
    from kshell.linux.init.kernel import Kernel


def fib_magic(cmd: int, type: int, dst: int, dst_len: int, ifa: in_ifaddr, rt_priority: int) -> None:
    """Add or remove a route that comes with an address."""
    in_dev = ifa.ifa_dev
    assert in_dev is not None
    assert in_dev.dev is not None
    net = in_dev.dev.nd_net
    cfg = fib_config()
    cfg.fc_protocol = RTPROT_KERNEL
    cfg.fc_type = type
    cfg.fc_dst = dst
    cfg.fc_dst_len = dst_len
    cfg.fc_priority = rt_priority
    cfg.fc_prefsrc = ifa.ifa_local
    cfg.fc_oif = in_dev.dev.ifindex
    cfg.fc_nlflags = NLM_F_CREATE | NLM_F_APPEND
    tb = fib_frontend.fib_new_table(net, RT_TABLE_MAIN if type == RTN_UNICAST else RT_TABLE_LOCAL)
    cfg.fc_table = tb.tb_id
    cfg.fc_scope = RT_SCOPE_LINK if type != RTN_LOCAL else RT_SCOPE_HOST
    try:
        if cmd == RTM_NEWROUTE:
            fib_trie.fib_table_insert(net, tb, cfg)
        else:
            fib_trie.fib_table_delete(net, tb, cfg)
    except KernelError:
        pass


def fib_add_ifaddr(ifa: in_ifaddr) -> None:
    """Add the routes of an address: local, broadcast, subnet."""
    in_dev = ifa.ifa_dev
    assert in_dev is not None
    assert in_dev.dev is not None
    dev = in_dev.dev
    mask = ifa.ifa_mask
    prefix = ifa.ifa_address & mask
    prim: in_ifaddr | None = ifa
    if ifa.ifa_flags & IFA_F_SECONDARY:
        prim = devinet_select.inet_ifa_byprefix(in_dev, prefix, mask)
        if prim is None:
            return
    assert prim is not None
    fib_magic(RTM_NEWROUTE, RTN_LOCAL, ifa.ifa_local, 32, prim, 0)
    if not dev.flags & IFF_UP:
        return
    if ifa.ifa_broadcast and ifa.ifa_broadcast != 0xFFFFFFFF:
        fib_magic(RTM_NEWROUTE, RTN_BROADCAST, ifa.ifa_broadcast, 32, prim, 0)
        arp.arp_invalidate(dev, ifa.ifa_broadcast, False)
    if prefix and not ifa.ifa_flags & IFA_F_SECONDARY and (prefix != ifa.ifa_local or ifa.ifa_prefixlen < 32):
        if not ifa.ifa_flags & IFA_F_NOPREFIXROUTE:
            kind = RTN_LOCAL if dev.flags & IFF_LOOPBACK else RTN_UNICAST
            fib_magic(RTM_NEWROUTE, kind, prefix, ifa.ifa_prefixlen, prim, ifa.ifa_rt_priority)
        if ifa.ifa_prefixlen < 31:
            brd = prefix | ~mask & 0xFFFFFFFF
            fib_magic(RTM_NEWROUTE, RTN_BROADCAST, brd, 32, prim, 0)
            arp.arp_invalidate(dev, brd, False)


def fib_modify_prefix_metric(ifa: in_ifaddr, new_metric: int) -> None:
    """The route of an address's subnet gets another metric."""
    prefix = ifa.ifa_address & ifa.ifa_mask
    assert ifa.ifa_dev is not None
    assert ifa.ifa_dev.dev is not None
    dev = ifa.ifa_dev.dev
    hidden = ifa.ifa_flags & (IFA_F_SECONDARY | IFA_F_NOPREFIXROUTE)
    if not dev.flags & IFF_UP or hidden or not prefix >> 24 or (prefix == ifa.ifa_local and ifa.ifa_prefixlen == 32):
        return
    kind = RTN_LOCAL if dev.flags & IFF_LOOPBACK else RTN_UNICAST
    fib_magic(RTM_NEWROUTE, kind, prefix, ifa.ifa_prefixlen, ifa, new_metric)
    fib_magic(RTM_DELROUTE, kind, prefix, ifa.ifa_prefixlen, ifa, ifa.ifa_rt_priority)


def fib_del_ifaddr(ifa: in_ifaddr, iprim: in_ifaddr | None) -> None:
    """Remove the routes of an address, as far as no other address of the device needs them."""
    in_dev = ifa.ifa_dev
    assert in_dev is not None
    assert in_dev.dev is not None
    dev = in_dev.dev
    brd = (ifa.ifa_address | ~ifa.ifa_mask) & 0xFFFFFFFF
    any_ = ifa.ifa_address & ifa.ifa_mask
    prim: in_ifaddr | None = ifa
    subnet = False
    if ifa.ifa_flags & IFA_F_SECONDARY:
        prim = devinet_select.inet_ifa_byprefix(in_dev, any_, ifa.ifa_mask)
        if prim is None or (iprim is not None and iprim is not prim):
            return
    elif any_ and (any_ != ifa.ifa_local or ifa.ifa_prefixlen < 32):
        if not ifa.ifa_flags & IFA_F_NOPREFIXROUTE:
            kind = RTN_LOCAL if dev.flags & IFF_LOOPBACK else RTN_UNICAST
            fib_magic(RTM_DELROUTE, kind, any_, ifa.ifa_prefixlen, ifa, 0)
        subnet = True
    assert prim is not None
    others = []
    if not in_dev.dead:
        for other in _ifas(in_dev):
            if other is ifa or (
                iprim is not None and other.ifa_mask == iprim.ifa_mask and inet_ifa_match(other.ifa_address, iprim)
            ):
                continue
            same_subnet = other.ifa_mask == prim.ifa_mask and inet_ifa_match(other.ifa_address, prim)
            if (other.ifa_flags & IFA_F_SECONDARY and same_subnet) or other.ifa_local == prim.ifa_local:
                others.append(other)
    kept = set()
    for other in others:
        kept.add(other.ifa_broadcast)
        if other.ifa_prefixlen < 31 and not other.ifa_flags & IFA_F_SECONDARY:
            kept |= {other.ifa_address & other.ifa_mask, (other.ifa_address | ~other.ifa_mask) & 0xFFFFFFFF}
    if ifa.ifa_broadcast not in kept:
        fib_magic(RTM_DELROUTE, RTN_BROADCAST, ifa.ifa_broadcast, 32, prim, 0)
    if subnet and ifa.ifa_prefixlen < 31:
        if brd not in kept:
            fib_magic(RTM_DELROUTE, RTN_BROADCAST, brd, 32, prim, 0)
        if any_ not in kept:
            fib_magic(RTM_DELROUTE, RTN_BROADCAST, any_, 32, prim, 0)
    if not any(other.ifa_local == ifa.ifa_local for other in others):
        _del_local(dev, ifa, prim)


def _del_local(dev: net_device, ifa: in_ifaddr, prim: in_ifaddr) -> None:
    """The address itself is gone from the host (unless another device has it)."""
    net = dev.nd_net
    fib_magic(RTM_DELROUTE, RTN_LOCAL, ifa.ifa_local, 32, prim, 0)
    if fib_frontend.inet_addr_type_dev_table(net, dev, ifa.ifa_local) != RTN_LOCAL and fib_semantics_sync.fib_sync_down_addr(
        dev, ifa.ifa_local
    ):
        fib_frontend.fib_flush(net)


def fib_disable_ip(dev: net_device, event: int, force: bool) -> None:
    """Routes over the device are dead."""
    if fib_semantics_sync.fib_sync_down_dev(dev, event, force):
        fib_frontend.fib_flush(dev.nd_net)
    else:
        route.rt_cache_flush(dev.nd_net)
    arp.arp_ifdown(dev)


def fib_inetaddr_event(this: notifier_block, event: int, ptr: object) -> int:
    """An address came or went."""
    ifa: in_ifaddr = ptr  # type: ignore[assignment]
    in_dev = ifa.ifa_dev
    assert in_dev is not None
    assert in_dev.dev is not None
    dev = in_dev.dev
    net = dev.nd_net
    if event == NETDEV_UP:
        fib_add_ifaddr(ifa)
        fib_semantics_sync.fib_sync_up(dev, RTNH_F_DEAD)
        net.ipv4.dev_addr_genid += 1
        route.rt_cache_flush(net)
    elif event == NETDEV_DOWN:
        fib_del_ifaddr(ifa, None)
        net.ipv4.dev_addr_genid += 1
        if in_dev.ifa_list is None:
            fib_disable_ip(dev, event, True)
        else:
            route.rt_cache_flush(net)
    return NOTIFY_DONE


def fib_netdev_event(this: notifier_block, event: int, ptr: object) -> int:
    """A device changed."""
    dev: net_device = ptr.dev  # type: ignore[attr-defined]
    if event == NETDEV_UNREGISTER:
        fib_disable_ip(dev, event, True)
        route.rt_flush_dev(dev)
        return NOTIFY_DONE
    in_dev = dev.ip_ptr
    if in_dev is None:
        return NOTIFY_DONE
    net = dev.nd_net
    if event == NETDEV_UP:
        for ifa in _ifas(in_dev):
            fib_add_ifaddr(ifa)
        fib_semantics_sync.fib_sync_up(dev, RTNH_F_DEAD)
        net.ipv4.dev_addr_genid += 1
        route.rt_cache_flush(net)
    elif event == NETDEV_DOWN:
        fib_disable_ip(dev, event, False)
    elif event == NETDEV_CHANGE:
        if fib_semantics.netif_carrier_ok(dev):
            fib_semantics_sync.fib_sync_up(dev, RTNH_F_LINKDOWN)
        else:
            fib_semantics_sync.fib_sync_down_dev(dev, event, False)
        route.rt_cache_flush(net)
    elif event == NETDEV_CHANGEMTU:
        route.rt_cache_flush(net)
    return NOTIFY_DONE


fib_inetaddr_notifier = notifier_block(notifier_call=fib_inetaddr_event)
fib_netdev_notifier = notifier_block(notifier_call=fib_netdev_event)


def fib_net_init(net: net_t) -> None:
    """A namespace has no routes yet."""
    net.ipv4.fib_table_hash = {}
    fib_rules.fib4_rules_init(net)
    netlink_users.nl_fib_lookup_init(net)
    fib_proc_init(net)


def fib_net_exit_batch(net_list: list[net_t]) -> None:
    """Remove all routes of namespaces that go away."""
    for net in net_list:
        for tb in list(net.ipv4.fib_table_hash.values()):
            fib_trie.fib_table_flush(net, tb, True)
        net.ipv4.fib_main = net.ipv4.fib_default = None
        net.ipv4.fib_table_hash = {}


def fib_net_exit(net: net_t) -> None:
    """A namespace goes: its files."""
    fib_proc_exit(net)
    netlink_users.nl_fib_lookup_exit(net)


fib_net_ops = pernet_operations(init=fib_net_init, exit=fib_net_exit, exit_batch=fib_net_exit_batch)


def ip_fib_init(kernel: Kernel) -> None:
    """Set up the forwarding tables."""
    kernel.fib_info_hash = {}
    kernel.fib_info_devhash = {}
    fib_trie.fib_trie_init(kernel)
    register_pernet_subsys(kernel, fib_net_ops)
    devinet.register_netdevice_notifier(kernel, fib_netdev_notifier)
    devinet.register_inetaddr_notifier(kernel, fib_inetaddr_notifier)
    fib_frontend_rtnl._rtnl_init(kernel)
