"""net/ipv6/addrconf.c: devices that could speak IPv6. With disable_ipv6 = 1 they have settings but no addresses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.netdevice import IFF_LOOPBACK, IFF_NOARP
from kshell.linux.include.linux.netdevice import (
    NETDEV_CHANGEMTU,
    NETDEV_CHANGENAME,
    NETDEV_REGISTER,
    NETDEV_UNREGISTER,
    net_device,
)
from kshell.linux.include.linux.notifier import NOTIFY_OK, notifier_block
from kshell.linux.include.net.if_inet6 import IPV6_MIN_MTU, inet6_dev, ipv6_devconf
from kshell.linux.include.net.neighbour import neigh_parms
from kshell.linux.include.net.net_namespace import pernet_operations
from kshell.linux.net.core.dev import register_netdevice_notifier
from kshell.linux.net.core.net_namespace import register_pernet_subsys
from kshell.linux.net.ipv6.addrconf_sysctl import (
    __addrconf_sysctl_register,
    __addrconf_sysctl_unregister,
    _first_values,
    _set,
    addrconf_sysctl_register,
    addrconf_sysctl_unregister,
)

if TYPE_CHECKING:
    from kshell.linux.include.net.net_namespace import net as net_t
    from kshell.linux.init.kernel import Kernel


def ipv6_add_dev(dev: net_device) -> inet6_dev:
    """Give a device IPv6's settings."""
    net = dev.nd_net
    tbl = net.kernel.nd_tbl
    cnf = ipv6_devconf(list(net.ipv6.devconf_dflt._values))
    _set(cnf, "mtu", dev.mtu)
    if dev.flags & (IFF_NOARP | IFF_LOOPBACK):
        _set(cnf, "accept_dad", -1)
    if dev.flags & IFF_LOOPBACK:
        _set(cnf, "use_tempaddr", -1)
    ndev = inet6_dev(dev, cnf, neigh_parms(tbl, dev, list(tbl.parms.data)))
    tbl.parms_list.append(ndev.nd_parms)
    addrconf_sysctl_register(ndev)
    dev.ip6_ptr = ndev
    return ndev


def addrconf_ifdown(idev: inet6_dev) -> None:
    """Take the settings off a device that goes, or can carry no packet of IPv6."""
    dev = idev.dev
    addrconf_sysctl_unregister(idev)
    dev.nd_net.kernel.nd_tbl.parms_list.remove(idev.nd_parms)
    dev.ip6_ptr = None


def addrconf_notify(this: notifier_block, event: int, ptr: object) -> int:
    """A device changed."""
    dev: net_device = ptr.dev  # type: ignore[attr-defined]
    idev = dev.ip6_ptr
    if idev is None:
        if event in (NETDEV_REGISTER, NETDEV_CHANGEMTU) and dev.mtu >= IPV6_MIN_MTU:
            ipv6_add_dev(dev)
    elif event == NETDEV_UNREGISTER or (event == NETDEV_CHANGEMTU and dev.mtu < IPV6_MIN_MTU):
        addrconf_ifdown(idev)
    elif event == NETDEV_CHANGEMTU:
        _set(idev.cnf, "mtu", dev.mtu)
    elif event == NETDEV_CHANGENAME:
        addrconf_sysctl_unregister(idev)
        addrconf_sysctl_register(idev)
    return NOTIFY_OK


ipv6_dev_notf = notifier_block(notifier_call=addrconf_notify)


def addrconf_init_net(net: net_t) -> None:
    """A namespace comes."""
    net.ipv6.devconf_all, net.ipv6.devconf_dflt = _first_values(accept_dad=0), _first_values()
    __addrconf_sysctl_register(net, "all", net.ipv6.devconf_all)
    __addrconf_sysctl_register(net, "default", net.ipv6.devconf_dflt)


def addrconf_exit_net(net: net_t) -> None:
    """A namespace goes."""
    __addrconf_sysctl_unregister(net.ipv6.devconf_dflt)
    __addrconf_sysctl_unregister(net.ipv6.devconf_all)


addrconf_ops = pernet_operations(init=addrconf_init_net, exit=addrconf_exit_net)


def addrconf_init(kernel: Kernel) -> None:
    """Set up devices, those that are there already first."""
    register_pernet_subsys(kernel, addrconf_ops)
    register_netdevice_notifier(kernel, ipv6_dev_notf)
