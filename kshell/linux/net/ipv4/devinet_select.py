"""Which address of a device speaks for it (part of net/ipv4/devinet.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.rtnetlink import IFA_F_SECONDARY, RT_SCOPE_HOST, RT_SCOPE_LINK, RT_TABLE_LOCAL, RTN_LOCAL
from kshell.linux.include.linux.inetdevice import (
    IN_DEV_ORCONF,
    IPV4_DEVCONF_ROUTE_LOCALNET,
    _ifas,
    in_device,
    in_ifaddr,
    inet_ifa_match,
)
from kshell.linux.include.net.flow import flowi4
from kshell.linux.include.net.ip_fib import FIB_LOOKUP_NOREF, fib_result
from kshell.linux.net.ipv4 import fib_trie

if TYPE_CHECKING:
    from kshell.linux.include.linux.netdevice import net_device
    from kshell.linux.include.net.net_namespace import net as net_t


def inet_lookup_ifaddr_rcu(net: net_t, addr: int) -> in_ifaddr | None:
    """The in_ifaddr with this local address."""
    return net.kernel.inet_addr_lst.get((net, addr))


def __ip_dev_find(net: net_t, addr: int, devref: bool) -> net_device | None:
    """The device that has a local address; also by the local table, for 127.0.0.0/8."""
    ifa = net.kernel.inet_addr_lst.get((net, addr))
    result: net_device | None = None
    if ifa is not None:
        assert ifa.ifa_dev is not None
        result = ifa.ifa_dev.dev
    else:
        local = net.ipv4.fib_table_hash.get(RT_TABLE_LOCAL)
        res = fib_result()
        if (
            local is not None
            and not fib_trie.fib_table_lookup(local, flowi4(daddr=addr), res, FIB_LOOKUP_NOREF)
            and res.type == RTN_LOCAL
            and res.nhc is not None
        ):
            result = res.nhc.nhc_dev
    if result is not None and devref:
        result.pcpu_refcnt += 1
    return result


def ip_dev_find(net: net_t, addr: int) -> net_device | None:
    """The same with a reference."""
    return __ip_dev_find(net, addr, True)


def inet_addr_onlink(in_dev: in_device, a: int, b: int) -> bool:
    """True if one subnet of the device holds both addresses (b may be 0)."""
    return any(inet_ifa_match(a, ifa) and (not b or inet_ifa_match(b, ifa)) for ifa in _ifas(in_dev))


def inet_ifa_byprefix(in_dev: in_device, prefix: int, mask: int) -> in_ifaddr | None:
    """The first address of a subnet."""
    for ifa in _ifas(in_dev):
        if ifa.ifa_mask == mask and inet_ifa_match(prefix, ifa):
            return ifa
    return None


def in_dev_select_addr(in_dev: in_device, scope: int) -> int:
    """A primary address of at most that scope, not link."""
    for ifa in _ifas(in_dev):
        if not ifa.ifa_flags & IFA_F_SECONDARY and ifa.ifa_scope != RT_SCOPE_LINK and ifa.ifa_scope <= scope:
            return ifa.ifa_local
    return 0


def inet_select_addr(dev: net_device, dst: int, scope: int) -> int:
    """The source address for packets out of a device to dst (0: any); other devices' if it has none."""
    net = dev.nd_net
    in_dev = dev.ip_ptr
    addr = 0
    if in_dev is not None:
        localnet_scope = RT_SCOPE_LINK if IN_DEV_ORCONF(in_dev, IPV4_DEVCONF_ROUTE_LOCALNET) else RT_SCOPE_HOST
        for ifa in _ifas(in_dev):
            if not ifa.ifa_flags & IFA_F_SECONDARY and min(ifa.ifa_scope, localnet_scope) <= scope:
                if not dst or inet_ifa_match(dst, ifa):
                    return ifa.ifa_local
                addr = addr or ifa.ifa_local
    if addr:
        return addr
    for other in net.dev_base_head:
        if other.ip_ptr is not None:
            addr = in_dev_select_addr(other.ip_ptr, scope)
            if addr:
                return addr
    return 0


def confirm_addr_indev(in_dev: in_device, dst: int, local: int, scope: int) -> int:
    """inet_confirm_addr() for one device."""
    link = RT_SCOPE_LINK if IN_DEV_ORCONF(in_dev, IPV4_DEVCONF_ROUTE_LOCALNET) else RT_SCOPE_HOST
    same = False
    addr = 0
    for ifa in _ifas(in_dev):
        min_scope = min(ifa.ifa_scope, link)
        if not addr and min_scope <= scope and local in (0, ifa.ifa_local):
            addr = ifa.ifa_local
            if same:
                break
        if not same:
            same = (not local or inet_ifa_match(local, ifa)) and (not dst or inet_ifa_match(dst, ifa))
            if same and addr:
                if local or not dst or inet_ifa_match(addr, ifa):
                    break
                if min_scope <= scope:
                    addr = ifa.ifa_local
                    break
                same = False
    return addr if same else 0


def inet_confirm_addr(net: net_t, in_dev: in_device | None, dst: int, local: int, scope: int) -> int:
    """A local address (`local`, 0: any) of at most that scope whose subnet holds dst (0: any); 0 if there is none."""
    if in_dev is not None:
        return confirm_addr_indev(in_dev, dst, local, scope)
    for dev in net.dev_base_head:
        addr = confirm_addr_indev(dev.ip_ptr, dst, local, scope) if dev.ip_ptr is not None else 0
        if addr:
            return addr
    return 0
