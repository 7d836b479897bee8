"""net/core/dev.c: settings of devices that user space changes: alias, queue length, address, group, carrier."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.errno import EINVAL, ENODEV, EOPNOTSUPP, ERANGE
from kshell.abi.netdevice import IFALIASZ, IFF_UP, NET_ADDR_SET
from kshell.abi.rtnetlink import RTM_NEWLINK
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.netdevice import (
    NETDEV_CHANGE,
    NETDEV_CHANGE_TX_QUEUE_LEN,
    NETDEV_CHANGEADDR,
    NETDEV_PRE_CHANGEADDR,
    netdev_notifier_change_info,
    netif_device_present,
)
from kshell.linux.include.linux.notifier import notifier_to_errno
from kshell.linux.net.core import rtnetlink_ifinfo
from kshell.linux.net.core.dev import call_netdevice_notifiers, call_netdevice_notifiers_info

if TYPE_CHECKING:
    from kshell.linux.include.linux.netdevice import net_device
    from kshell.linux.include.linux.netlink import netlink_ext_ack



def netdev_state_change(dev: net_device) -> None:
    """Tell all that settings of a device changed, if it is up."""
    if dev.flags & IFF_UP:
        call_netdevice_notifiers_info(NETDEV_CHANGE, netdev_notifier_change_info(dev, 0))
        rtnetlink_ifinfo.rtmsg_ifinfo(RTM_NEWLINK, dev, 0)


def dev_set_alias(dev: net_device, alias: bytes) -> None:
    """Give a device a text; an empty one takes it away. EINVAL: too long."""
    if len(alias) >= IFALIASZ:
        raise KernelError(EINVAL)
    dev.ifalias = alias.split(b"\0", 1)[0].decode("latin-1")


def dev_change_tx_queue_len(dev: net_device, new_len: int) -> None:
    """Set how many packets may wait to be sent. ERANGE; what a notifier says."""
    if new_len >> 31:
        raise KernelError(ERANGE)
    if new_len == dev.tx_queue_len:
        return
    orig_len, dev.tx_queue_len = dev.tx_queue_len, new_len
    err = notifier_to_errno(call_netdevice_notifiers(NETDEV_CHANGE_TX_QUEUE_LEN, dev))
    if err:
        dev.tx_queue_len = orig_len
        raise KernelError(err)


def dev_set_group(dev: net_device, new_group: int) -> None:
    """Put a device into a group of devices."""
    dev.group = new_group


def dev_pre_changeaddr_notify(dev: net_device, addr: bytes, extack: netlink_ext_ack | None) -> None:
    """Ask all whether the device's address may change."""
    err = notifier_to_errno(call_netdevice_notifiers(NETDEV_PRE_CHANGEADDR, dev))
    if err:
        raise KernelError(err)


def dev_set_mac_address(dev: net_device, sa_family: int, addr: bytes, extack: netlink_ext_ack | None) -> None:
    """Set a device's link address. EOPNOTSUPP, EINVAL: another kind of address; ENODEV; EBUSY, EADDRNOTAVAIL."""
    ops = dev.netdev_ops
    if ops.ndo_set_mac_address is None:
        raise KernelError(EOPNOTSUPP)
    if sa_family != dev.type:
        raise KernelError(EINVAL)
    if not netif_device_present(dev):
        raise KernelError(ENODEV)
    dev_pre_changeaddr_notify(dev, addr, extack)
    ops.ndo_set_mac_address(dev, addr[: dev.addr_len])
    dev.addr_assign_type = NET_ADDR_SET
    call_netdevice_notifiers(NETDEV_CHANGEADDR, dev)


def dev_set_mac_address_user(dev: net_device, sa_family: int, addr: bytes, extack: netlink_ext_ack | None) -> None:
    """dev_set_mac_address() for a request from user space."""
    dev_set_mac_address(dev, sa_family, addr, extack)


def dev_change_carrier(dev: net_device, new_carrier: bool) -> None:
    """Plug or unplug a device. EOPNOTSUPP, ENODEV."""
    ops = dev.netdev_ops
    if ops.ndo_change_carrier is None:
        raise KernelError(EOPNOTSUPP)
    if not netif_device_present(dev):
        raise KernelError(ENODEV)
    ops.ndo_change_carrier(dev, new_carrier)
