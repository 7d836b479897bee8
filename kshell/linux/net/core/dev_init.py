"""net/core/dev.c: the initcall of devices, and what each namespace gets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.linux.drivers.net.loopback import loopback_net_ops
from kshell.linux.include.linux.netdev_features import NETIF_F_NETNS_LOCAL
from kshell.linux.include.linux.netdevice import napi_struct, softnet_data
from kshell.linux.include.net.net_namespace import pernet_operations
from kshell.linux.kernel.softirq import NET_RX_SOFTIRQ, NET_TX_SOFTIRQ, open_softirq
from kshell.linux.net.core.dev import __dev_get_by_name
from kshell.linux.net.core.dev_change_net import dev_change_net_namespace
from kshell.linux.net.core.dev_receive import net_rx_action, process_backlog
from kshell.linux.net.core.dev_register import unregister_netdevice
from kshell.linux.net.core.dev_xmit import net_tx_action
from kshell.linux.net.core.net_namespace import register_pernet_device, register_pernet_subsys
from kshell.linux.net.core.net_procfs import dev_proc_init
from kshell.linux.net.core.net_sysfs_register import netdev_kobject_init
from kshell.linux.net.core.rtnl_lock import rtnl_lock, rtnl_unlock

if TYPE_CHECKING:
    from kshell.linux.include.net.net_namespace import net
    from kshell.linux.init.kernel import Kernel


def netdev_init(net: net) -> None:
    """A namespace comes: no devices."""
    netdev_create_hash(net)


def netdev_create_hash(net: net) -> None:
    """Empty tables of devices by name and number."""
    net.dev_name_head = {}
    net.dev_index_head = {}


def netdev_exit(net: net) -> None:
    """A namespace goes."""


def default_device_exit_net(net: net) -> None:
    """A namespace goes: the cards that are in it go back to the first one, under another name if theirs is taken."""
    init_net = net.kernel.init_net
    for dev in net.dev_base_head[:]:
        if dev.features & NETIF_F_NETNS_LOCAL or dev.rtnl_link_ops is not None:
            continue
        fb_name = f"dev{dev.ifindex}"
        dev_change_net_namespace(dev, init_net, "dev%d" if __dev_get_by_name(init_net, fb_name) is not None else fb_name)


def default_device_exit_batch(nets: list[net]) -> None:
    """Namespaces go: with them the devices that software made, the last first, and the other ends of pairs."""
    kernel = nets[0].kernel
    rtnl_lock(kernel)
    for each in nets:
        default_device_exit_net(each)
    for each in nets:
        while each.dev_base_head:
            dev = each.dev_base_head[-1]
            ops = dev.rtnl_link_ops
            if ops is not None and ops.dellink is not None:
                ops.dellink(dev)
            else:
                unregister_netdevice(dev)
    rtnl_unlock(kernel)


netdev_net_ops = pernet_operations(init=netdev_init, exit=netdev_exit)
default_device_ops = pernet_operations(exit_batch=default_device_exit_batch)


def net_dev_init(kernel: Kernel) -> None:
    """Initcall: the receive queue, the loopback device, the softirqs."""
    dev_proc_init(kernel)
    netdev_kobject_init(kernel)
    register_pernet_subsys(kernel, netdev_net_ops)
    backlog = napi_struct(process_backlog, kernel.weight_p)
    kernel.softnet_data = softnet_data(kernel, backlog)
    backlog._owner = kernel.softnet_data
    register_pernet_device(kernel, loopback_net_ops)
    register_pernet_device(kernel, default_device_ops)
    open_softirq(kernel, NET_TX_SOFTIRQ, net_tx_action)
    open_softirq(kernel, NET_RX_SOFTIRQ, net_rx_action)
