"""net/core/dev.c: devices going up and down, their flags and MTU."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.errno import EINVAL, ENODEV, EOVERFLOW
from kshell.abi.netdevice import (
    IFF_ALLMULTI,
    IFF_AUTOMEDIA,
    IFF_DEBUG,
    IFF_DYNAMIC,
    IFF_MULTICAST,
    IFF_NOARP,
    IFF_NOTRAILERS,
    IFF_PORTSEL,
    IFF_PROMISC,
    IFF_RUNNING,
    IFF_UP,
    IFF_VOLATILE,
)
from kshell.abi.rtnetlink import RTM_NEWLINK
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.netdevice import (
    LINK_STATE_START,
    NETDEV_CHANGE,
    NETDEV_CHANGEMTU,
    NETDEV_DOWN,
    NETDEV_GOING_DOWN,
    NETDEV_PRE_UP,
    NETDEV_PRECHANGEMTU,
    NETDEV_UP,
    netdev_notifier_change_info,
    netif_device_present,
)
from kshell.linux.include.linux.notifier import notifier_to_errno
from kshell.linux.include.net.nlattr import NL_SET_ERR_MSG
from kshell.linux.kernel.printk import pr_info
from kshell.linux.net.core import rtnetlink_ifinfo
from kshell.linux.net.core.dev import (
    call_netdevice_notifiers,
    call_netdevice_notifiers_extack,
    call_netdevice_notifiers_info,
    call_netdevice_notifiers_mtu,
    dev_set_rx_mode,
)
from kshell.linux.net.sched import sch_generic

if TYPE_CHECKING:
    from kshell.linux.include.linux.netdevice import net_device
    from kshell.linux.include.linux.netlink import netlink_ext_ack
    from kshell.linux.include.net.netlink import nlmsghdr

_SETTABLE = (
    IFF_DEBUG | IFF_NOTRAILERS | IFF_NOARP | IFF_DYNAMIC | IFF_MULTICAST | IFF_PORTSEL | IFF_AUTOMEDIA
)  # fmt: skip


def __dev_open(dev: net_device, extack: netlink_ext_ack | None) -> None:
    """Bring a device up. ENODEV, and what a notifier or the driver says."""
    ops = dev.netdev_ops
    if not netif_device_present(dev):
        raise KernelError(ENODEV)
    err = notifier_to_errno(call_netdevice_notifiers_extack(NETDEV_PRE_UP, dev, extack))
    if err:
        raise KernelError(err)
    dev.state |= 1 << LINK_STATE_START
    try:
        if ops.ndo_validate_addr is not None:
            ops.ndo_validate_addr(dev)
        if ops.ndo_open is not None:
            ops.ndo_open(dev)
    except KernelError:
        dev.state &= ~(1 << LINK_STATE_START)
        raise
    dev.flags |= IFF_UP
    dev_set_rx_mode(dev)
    sch_generic.dev_activate(dev)


def __dev_close_many(head: list[net_device]) -> None:
    """Take devices down."""
    for dev in head:
        call_netdevice_notifiers(NETDEV_GOING_DOWN, dev)
        dev.state &= ~(1 << LINK_STATE_START)
    sch_generic.dev_deactivate_many(head)
    for dev in head:
        if dev.netdev_ops.ndo_stop is not None:
            dev.netdev_ops.ndo_stop(dev)
        dev.flags &= ~IFF_UP


def __dev_close(dev: net_device) -> None:
    """Take a device down."""
    __dev_close_many([dev])


def dev_close_many(head: list[net_device]) -> None:
    """Take those that are up down and tell all."""
    up = [dev for dev in head if dev.flags & IFF_UP]
    __dev_close_many(up)
    for dev in up:
        rtnetlink_ifinfo.rtmsg_ifinfo(RTM_NEWLINK, dev, IFF_UP | IFF_RUNNING)
        call_netdevice_notifiers(NETDEV_DOWN, dev)


def dev_close(dev: net_device) -> None:
    """Take a device down and tell all."""
    if dev.flags & IFF_UP:
        dev_close_many([dev])


def _count(dev: net_device, field: str, flag: int, inc: int) -> int:
    """Count users of promiscuous or all-multicast reception; the flags before. EOVERFLOW."""
    old_flags = dev.flags
    count = getattr(dev, field) + inc
    if count > 0xFFFFFFFF:
        raise KernelError(EOVERFLOW)
    setattr(dev, field, count)
    dev.flags = dev.flags | flag if count else dev.flags & ~flag
    return old_flags


def __dev_set_promiscuity(dev: net_device, inc: int, notify: bool) -> None:
    """One user more or less of promiscuous reception. EOVERFLOW."""
    old_flags = _count(dev, "promiscuity", IFF_PROMISC, inc)
    if dev.flags != old_flags:
        word = "entered" if dev.flags & IFF_PROMISC else "left"
        pr_info(dev.nd_net.kernel, f"device {dev.name} {word} promiscuous mode")
    if notify:
        __dev_notify_flags(dev, old_flags, IFF_PROMISC)


def dev_set_promiscuity(dev: net_device, inc: int) -> None:
    """One user more or less of promiscuous reception. EOVERFLOW."""
    old_flags = dev.flags
    __dev_set_promiscuity(dev, inc, True)
    if dev.flags != old_flags:
        dev_set_rx_mode(dev)


def __dev_set_allmulti(dev: net_device, inc: int, notify: bool) -> None:
    """One user more or less of all multicast. EOVERFLOW."""
    old_flags = _count(dev, "allmulti", IFF_ALLMULTI, inc)
    if dev.flags != old_flags:
        dev_set_rx_mode(dev)
        if notify:
            __dev_notify_flags(dev, old_flags, dev.gflags & IFF_ALLMULTI)


def dev_set_allmulti(dev: net_device, inc: int) -> None:
    """One user more or less of all multicast. EOVERFLOW."""
    __dev_set_allmulti(dev, inc, True)


def __dev_change_flags(dev: net_device, flags: int, extack: netlink_ext_ack | None) -> None:
    """Set the flags that may be set; opens, closes, counts as they change."""
    old_flags = dev.flags
    dev.flags = flags & _SETTABLE | dev.flags & (IFF_UP | IFF_VOLATILE | IFF_PROMISC | IFF_ALLMULTI)
    dev_set_rx_mode(dev)
    if (old_flags ^ flags) & IFF_UP:
        if old_flags & IFF_UP:
            __dev_close(dev)
        else:
            __dev_open(dev, extack)
    if (flags ^ dev.gflags) & IFF_PROMISC:
        dev.gflags ^= IFF_PROMISC
        __dev_set_promiscuity(dev, 1 if flags & IFF_PROMISC else -1, False)
    if (flags ^ dev.gflags) & IFF_ALLMULTI:
        dev.gflags ^= IFF_ALLMULTI
        __dev_set_allmulti(dev, 1 if flags & IFF_ALLMULTI else -1, False)


def __dev_notify_flags(
    dev: net_device, old_flags: int, gchanges: int, portid: int = 0, nlh: nlmsghdr | None = None
) -> None:
    """Tell all of changed flags."""
    changes = dev.flags ^ old_flags
    if gchanges:
        rtnetlink_ifinfo.rtmsg_ifinfo(RTM_NEWLINK, dev, gchanges, portid, nlh)
    if changes & IFF_UP:
        call_netdevice_notifiers(NETDEV_UP if dev.flags & IFF_UP else NETDEV_DOWN, dev)
    if dev.flags & IFF_UP and changes & ~(IFF_UP | IFF_PROMISC | IFF_ALLMULTI | IFF_VOLATILE):
        call_netdevice_notifiers_info(NETDEV_CHANGE, netdev_notifier_change_info(dev, changes))


def dev_change_flags(dev: net_device, flags: int, extack: netlink_ext_ack | None = None) -> None:
    """Set a device's flags and tell all."""
    old_flags, old_gflags = dev.flags, dev.gflags
    __dev_change_flags(dev, flags, extack)
    __dev_notify_flags(dev, old_flags, (old_flags ^ dev.flags) | (old_gflags ^ dev.gflags))


def __dev_set_mtu(dev: net_device, new_mtu: int) -> None:
    """Set the MTU without asking."""
    if dev.netdev_ops.ndo_change_mtu is not None:
        dev.netdev_ops.ndo_change_mtu(dev, new_mtu)
    else:
        dev.mtu = new_mtu


def dev_set_mtu(dev: net_device, new_mtu: int) -> None:
    """Set the MTU. EINVAL: out of the device's range."""
    dev_set_mtu_ext(dev, new_mtu)


def dev_validate_mtu(dev: net_device, new_mtu: int, extack: netlink_ext_ack | None) -> None:
    """EINVAL: the MTU is out of the device's range."""
    if new_mtu < 0 or new_mtu < dev.min_mtu:
        NL_SET_ERR_MSG(extack, "mtu less than device minimum")
        raise KernelError(EINVAL)
    if 0 < dev.max_mtu < new_mtu:
        NL_SET_ERR_MSG(extack, "mtu greater than device maximum")
        raise KernelError(EINVAL)


def dev_set_mtu_ext(dev: net_device, new_mtu: int, extack: netlink_ext_ack | None = None) -> None:
    """Set the MTU. EINVAL: out of the device's range; ENODEV; what a notifier says."""
    if new_mtu == dev.mtu:
        return
    dev_validate_mtu(dev, new_mtu, extack)
    if not netif_device_present(dev):
        raise KernelError(ENODEV)
    err = notifier_to_errno(call_netdevice_notifiers(NETDEV_PRECHANGEMTU, dev))
    if err:
        raise KernelError(err)
    orig_mtu = dev.mtu
    __dev_set_mtu(dev, new_mtu)
    err = notifier_to_errno(call_netdevice_notifiers_mtu(NETDEV_CHANGEMTU, dev, orig_mtu))
    if err:
        __dev_set_mtu(dev, orig_mtu)
        call_netdevice_notifiers_mtu(NETDEV_CHANGEMTU, dev, new_mtu)
        raise KernelError(err)
