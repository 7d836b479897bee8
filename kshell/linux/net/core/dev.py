"""net/core/dev.c: network devices: names, notifiers. See also dev_flags, dev_register, dev_xmit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.capability import CAP_NET_ADMIN, CAP_SYS_MODULE
from kshell.abi.errno import ENOBUFS, ENODEV
from kshell.abi.netdevice import IFF_ALLMULTI, IFF_DORMANT, IFF_LOWER_UP, IFF_PROMISC, IFF_RUNNING, IFF_UP
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.netdevice import (
    NET_XMIT_CN,
    NETDEV_REGISTER,
    NETDEV_UP,
    netdev_notifier_info,
    netdev_notifier_info_ext,
    netif_carrier_ok,
    netif_device_present,
    netif_oper_up,
    netif_running,
)
from kshell.linux.include.linux.notifier import NOTIFY_STOP_MASK, notifier_block
from kshell.linux.kernel.capability import capable
from kshell.linux.kernel.kmod import request_module
from kshell.linux.kernel.notifier import raw_notifier_call_chain, raw_notifier_chain_register
from kshell.linux.net.core.rtnl_lock import rtnl_lock, rtnl_unlock

if TYPE_CHECKING:
    from kshell.linux.include.linux.if_link import rtnl_link_stats64
    from kshell.linux.include.linux.netdevice import net_device
    from kshell.linux.include.linux.netlink import netlink_ext_ack
    from kshell.linux.include.net.net_namespace import net
    from kshell.linux.init.kernel import Kernel

def netdev_name_node_lookup(net: net, name: str) -> net_device | None:
    """A device by name."""
    return net.dev_name_head.get(name)


def __dev_get_by_name(net: net, name: str) -> net_device | None:
    """A device by name, without a reference."""
    return netdev_name_node_lookup(net, name)


def netdev_name_node_lookup_rcu(net: net, name: str) -> net_device | None:
    """A device by name."""
    return net.dev_name_head.get(name)


def dev_get_by_name_rcu(net: net, name: str) -> net_device | None:
    """A device by name, without a reference."""
    return netdev_name_node_lookup_rcu(net, name)


def dev_get_by_name(net: net, name: str) -> net_device | None:
    """A device by name, with a reference."""
    dev = dev_get_by_name_rcu(net, name)
    if dev is not None:
        dev.pcpu_refcnt += 1
    return dev


def __dev_get_by_index(net: net, ifindex: int) -> net_device | None:
    """A device by number, without a reference."""
    return net.dev_index_head.get(ifindex)


def dev_get_by_index_rcu(net: net, ifindex: int) -> net_device | None:
    """A device by number, without a reference."""
    return net.dev_index_head.get(ifindex)


def dev_get_by_index(net: net, ifindex: int) -> net_device | None:
    """A device by number, with a reference."""
    dev = net.dev_index_head.get(ifindex)
    if dev is not None:
        dev.pcpu_refcnt += 1
    return dev


def netdev_get_name(net: net, ifindex: int) -> str:
    """A device's name. ENODEV."""
    dev = dev_get_by_index_rcu(net, ifindex)
    if dev is None:
        raise KernelError(ENODEV)
    return dev.name


def dev_load(net: net, name: str) -> None:
    """Ask for the driver of a device that is not there."""
    if dev_get_by_name_rcu(net, name) is not None:
        return
    current = net.kernel.current
    if capable(current, CAP_NET_ADMIN):
        request_module(net.kernel, f"netdev-{name}")
    if capable(current, CAP_SYS_MODULE):
        request_module(net.kernel, name)


def net_xmit_errno(rc: int) -> int:
    """A positive errno for what dev_queue_xmit() returned, 0 if congestion is all that happened."""
    return 0 if rc in (0, NET_XMIT_CN) else ENOBUFS if rc > 0 else -rc


def call_netdevice_notifiers_info(val: int, info: netdev_notifier_info) -> int:
    """Tell the namespace's and the machine's notifiers."""
    net = info.dev.nd_net
    ret = raw_notifier_call_chain(net.netdev_chain, val, info)
    if ret & NOTIFY_STOP_MASK:
        return ret
    return raw_notifier_call_chain(net.kernel.netdev_chain, val, info)


def call_netdevice_notifiers_extack(val: int, dev: net_device, extack: netlink_ext_ack | None) -> int:
    """Tell all who want to know about devices; extack: where they say why they object."""
    return call_netdevice_notifiers_info(val, netdev_notifier_info(dev, extack))


def call_netdevice_notifiers(val: int, dev: net_device) -> int:
    """Tell all who want to know about devices."""
    return call_netdevice_notifiers_extack(val, dev, None)


def call_netdevice_notifiers_mtu(val: int, dev: net_device, arg: int) -> int:
    """Tell all of a changed MTU; arg: the other one."""
    return call_netdevice_notifiers_info(val, netdev_notifier_info_ext(dev, arg))


def register_netdevice_notifier(kernel: Kernel, nb: notifier_block) -> None:
    """Be told about devices, first of all about those that are there already."""
    rtnl_lock(kernel)
    raw_notifier_chain_register(kernel.netdev_chain, nb)
    for each in kernel.net_namespace_list:
        call_netdevice_register_net_notifiers(nb, each)
    rtnl_unlock(kernel)


def call_netdevice_register_net_notifiers(nb: notifier_block, net: net) -> None:
    """Tell a notifier about a namespace's devices."""
    for dev in net.dev_base_head:
        nb.notifier_call(nb, NETDEV_REGISTER, netdev_notifier_info(dev))
        if dev.flags & IFF_UP:
            nb.notifier_call(nb, NETDEV_UP, netdev_notifier_info(dev))


def unregister_netdevice_notifier(kernel: Kernel, nb: notifier_block) -> None:
    """Be told no more."""
    kernel.netdev_chain.remove(nb)


def __dev_set_rx_mode(dev: net_device) -> None:
    """Have the driver filter as the lists of addresses say."""
    if dev.flags & IFF_UP and netif_device_present(dev) and dev.netdev_ops.ndo_set_rx_mode is not None:
        dev.netdev_ops.ndo_set_rx_mode(dev)


dev_set_rx_mode = __dev_set_rx_mode


def dev_get_flags(dev: net_device) -> int:
    """IFF_* as user space sees them."""
    flags = dev.flags & ~(IFF_PROMISC | IFF_ALLMULTI | IFF_RUNNING | IFF_LOWER_UP | IFF_DORMANT)
    flags |= dev.gflags & (IFF_PROMISC | IFF_ALLMULTI)
    if netif_running(dev):
        if netif_oper_up(dev):
            flags |= IFF_RUNNING
        if netif_carrier_ok(dev):
            flags |= IFF_LOWER_UP
    return flags


def netdev_master_upper_dev_get_rcu(dev: net_device) -> net_device | None:
    """The device that this one is part of: its bridge."""
    return dev._master


def netdev_master_upper_dev_get(dev: net_device) -> net_device | None:
    """The device that this one is part of: its bridge."""
    return dev._master


def dev_get_iflink(dev: net_device) -> int:
    """Number of the device below or opposite; its own if there is none."""
    ops = dev.netdev_ops
    return ops.ndo_get_iflink(dev) if ops.ndo_get_iflink is not None else dev.ifindex


def dev_get_stats(dev: net_device, storage: rtnl_link_stats64) -> rtnl_link_stats64:
    """Fill in a device's counters."""
    if dev.netdev_ops.ndo_get_stats64 is not None:
        dev.netdev_ops.ndo_get_stats64(dev, storage)
    else:
        for name in storage.__slots__:
            setattr(storage, name, getattr(dev.stats, name))
    return storage
