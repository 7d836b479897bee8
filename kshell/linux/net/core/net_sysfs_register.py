"""Devices come to and leave /sys/class/net, with their queues (net/core/net-sysfs.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.errno import ENOENT
from kshell.linux.drivers.base.core import class_register, device_add, device_del, device_rename
from kshell.linux.fs.sysfs.mount import sysfs_create_group
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.kernfs import attribute, attribute_group
from kshell.linux.include.linux.pci import pci_name
from kshell.linux.lib.kobject import kobject, kobject_create_and_add, kobject_init_and_add
from kshell.linux.net.core.net_sysfs import net_dev_groups

if TYPE_CHECKING:
    from kshell.linux.include.linux.netdevice import net_device
    from kshell.linux.include.net.net_namespace import net as net_t
    from kshell.linux.init.kernel import Kernel

DQL_MAX_LIMIT = 1879048192


def traffic_class_show(dev: net_device) -> str:
    """Devices with several send queues could sort packets into classes. ENOENT: there is one."""
    raise KernelError(ENOENT)


def xps_cpus_show(dev: net_device) -> str:
    """Which processors use the queue. ENOENT: there is one queue."""
    raise KernelError(ENOENT)


def tx_timeout_show(dev: net_device) -> str:
    """How often sending took too long: never."""
    return "0\n"


rx_queue_default_group = attribute_group((
    attribute("rps_cpus", lambda dev: "0\n", mode=0o644), attribute("rps_flow_cnt", lambda dev: "0\n", mode=0o644),
))  # fmt: skip
netdev_queue_default_group = attribute_group((
    attribute("tx_maxrate", lambda dev: "0\n", mode=0o644), attribute("tx_timeout", tx_timeout_show),
    attribute("traffic_class", traffic_class_show), attribute("xps_cpus", xps_cpus_show, mode=0o644),
    attribute("xps_rxqs", lambda dev: "0\n", mode=0o644),
))  # fmt: skip
dql_group = attribute_group((
    attribute("hold_time", lambda dev: "1000\n", mode=0o644), attribute("inflight", lambda dev: "0\n"),
    attribute("limit", lambda dev: "0\n", mode=0o644), attribute("limit_max", lambda dev: f"{DQL_MAX_LIMIT}\n", mode=0o644),
    attribute("limit_min", lambda dev: "0\n", mode=0o644),
), "byte_queue_limits")  # fmt: skip


def net_namespace(dev: net_device) -> net_t:
    """Who sees a device."""
    return dev.nd_net


def net_rx_queue_update_kobjects(dev: net_device, queues: kobject) -> None:
    """The directories of the receive queues."""
    for number in range(dev.real_num_rx_queues):
        kobject_init_and_add(dev.nd_net.kernel, f"rx-{number}", queues, dev, (rx_queue_default_group,))


def netdev_queue_add_kobject(dev: net_device, queues: kobject, index: int) -> None:
    """The directory of a send queue."""
    queue = kobject_init_and_add(dev.nd_net.kernel, f"tx-{index}", queues, dev, (netdev_queue_default_group,))
    sysfs_create_group(queue, dql_group)


def netdev_queue_update_kobjects(dev: net_device, queues: kobject) -> None:
    """The directories of the send queues."""
    for index in range(dev.real_num_tx_queues):
        netdev_queue_add_kobject(dev, queues, index)


def register_queue_kobjects(dev: net_device, kobj: kobject) -> None:
    """The directory of queues."""
    queues = kobject_create_and_add(dev.nd_net.kernel, "queues", kobj)
    net_rx_queue_update_kobjects(dev, queues)
    netdev_queue_update_kobjects(dev, queues)


def netdev_register_kobject(dev: net_device) -> None:
    """A device comes: its directory below its parent's or /sys/devices/virtual/net. EEXIST."""
    kernel = dev.nd_net.kernel
    parent = dev._parent
    path = ("pci0000:00", pci_name(parent)) if parent is not None else ()
    dev._dev = device_add(kernel, kernel.net_class, dev.name, dev, net_dev_groups, path, dev.nd_net)
    register_queue_kobjects(dev, dev._dev.kobj)


def netdev_unregister_kobject(dev: net_device) -> None:
    """A device goes."""
    if dev._dev is not None:
        device_del(dev._dev)
        dev._dev = None


def _device_renamed(dev: net_device) -> None:
    """A device has another name or namespace: so has its directory. EEXIST."""
    if dev._dev is not None:
        device_rename(dev._dev, dev.name, dev.nd_net)


def netdev_kobject_init(kernel: Kernel) -> None:
    """Make /sys/class/net."""
    kernel.net_class = class_register(kernel, "net")
