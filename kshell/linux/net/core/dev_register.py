"""net/core/dev.c: devices that come and go."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from kshell.abi.errno import EBUSY, EEXIST, EINVAL
from kshell.abi.netdevice import IFF_LOOPBACK, IFF_UP, IFNAMSIZ
from kshell.abi.rtnetlink import RTM_DELLINK, RTM_NEWLINK
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.netdev_features import (
    NETIF_F_GRO,
    NETIF_F_GRO_FRAGLIST,
    NETIF_F_GRO_UDP_FWD,
    NETIF_F_GSO,
    NETIF_F_NOCACHE_COPY,
)
from kshell.linux.include.linux.netdevice import (
    LINK_STATE_PRESENT,
    NET_NAME_ENUM,
    NET_NAME_PREDICTABLE,
    NETDEV_CHANGENAME,
    NETDEV_POST_INIT,
    NETDEV_REGISTER,
    NETDEV_UNREGISTER,
    NETREG_REGISTERED,
    NETREG_UNREGISTERED,
    NETREG_UNREGISTERING,
    net_device,
)
from kshell.linux.include.linux.notifier import notifier_to_errno
from kshell.linux.include.net.rtnetlink import RTNL_LINK_INITIALIZED
from kshell.linux.mm.slab_common import kfree, kzalloc
from kshell.linux.net.core import link_watch, rtnetlink_ifinfo
from kshell.linux.net.core.dev import (
    __dev_get_by_index,
    __dev_get_by_name,
    call_netdevice_notifiers,
    netdev_name_node_lookup,
)
from kshell.linux.net.core.dev_flags import dev_close
from kshell.linux.net.core.net_sysfs_register import (
    _device_renamed,
    netdev_register_kobject,
    netdev_unregister_kobject,
)
from kshell.linux.net.core.rtnl_lock import rtnl_lock, rtnl_unlock
from kshell.linux.net.sched.sch_generic import dev_init_scheduler, dev_shutdown

if TYPE_CHECKING:
    from kshell.linux.include.net.net_namespace import net
    from kshell.linux.include.net.netlink import nlmsghdr

SIZEOF_NET_DEVICE = 2432


def alloc_netdev_mqs(net: net, name: str, setup: Callable[[net_device], None]) -> net_device:
    """A device that is not registered yet; `name` may hold %d."""
    dev = kzalloc(net.kernel, lambda: net_device(name), SIZEOF_NET_DEVICE)
    dev.nd_net = net
    dev.name_assign_type = NET_NAME_ENUM if "%d" in name else NET_NAME_PREDICTABLE
    setup(dev)
    return dev


def free_netdev(dev: net_device) -> None:
    """Free a device."""
    kfree(dev.nd_net.kernel, dev, SIZEOF_NET_DEVICE)


def dev_valid_name(name: str) -> bool:
    """True if a device may be called so."""
    if not name or len(name) >= IFNAMSIZ or name in (".", ".."):
        return False
    return not any(c in "/:" or c.isspace() for c in name)


def dev_get_valid_name(net: net, dev: net_device, name: str) -> None:
    """Name a device, counting up %d. EINVAL, EEXIST."""
    if not dev_valid_name(name):
        raise KernelError(EINVAL)
    if "%" in name:
        number = 0
        while netdev_name_node_lookup(net, name.replace("%d", str(number))) is not None:
            number += 1
        name = name.replace("%d", str(number))
    elif netdev_name_node_lookup(net, name) is not None:
        raise KernelError(EEXIST)
    dev.name = name


def dev_new_index(net: net) -> int:
    """A number that no device of the namespace has."""
    while True:
        net.ifindex += 1
        if net.ifindex not in net.dev_index_head:
            return net.ifindex


def list_netdevice(dev: net_device) -> None:
    """Let the device be found."""
    net = dev.nd_net
    net.dev_base_head.append(dev)
    net.dev_name_head[dev.name] = dev
    net.dev_index_head[dev.ifindex] = dev
    net.dev_base_seq += 1


def unlist_netdevice(dev: net_device) -> None:
    """Let the device not be found any more."""
    net = dev.nd_net
    net.dev_base_head.remove(dev)
    del net.dev_name_head[dev.name]
    del net.dev_index_head[dev.ifindex]
    net.dev_base_seq += 1


def register_netdevice(dev: net_device) -> None:
    """Make a device known to all. EINVAL, EEXIST; EBUSY: its number is taken; and what a notifier says."""
    net = dev.nd_net
    dev_get_valid_name(net, dev, dev.name)
    if dev.netdev_ops.ndo_init is not None:
        dev.netdev_ops.ndo_init(dev)
    if not dev.ifindex:
        dev.ifindex = dev_new_index(net)
    elif __dev_get_by_index(net, dev.ifindex) is not None:
        if dev.netdev_ops.ndo_uninit is not None:
            dev.netdev_ops.ndo_uninit(dev)
        raise KernelError(EBUSY)
    _init_features(dev)
    call_netdevice_notifiers(NETDEV_POST_INIT, dev)
    netdev_register_kobject(dev)
    dev.reg_state = NETREG_REGISTERED
    dev.state |= 1 << LINK_STATE_PRESENT
    link_watch.linkwatch_init_dev(dev)
    dev_init_scheduler(dev)
    list_netdevice(dev)
    err = notifier_to_errno(call_netdevice_notifiers(NETDEV_REGISTER, dev))
    if err:
        unlist_netdevice(dev)
        raise KernelError(err)
    if dev.rtnl_link_ops is None or dev.rtnl_link_state == RTNL_LINK_INITIALIZED:
        rtnetlink_ifinfo.rtmsg_ifinfo(RTM_NEWLINK, dev, 0xFFFFFFFF)


def _init_features(dev: net_device) -> None:
    """Offloads that software does come on every device, and can be switched."""
    dev.hw_features |= NETIF_F_GSO | NETIF_F_GRO | NETIF_F_GRO_FRAGLIST | NETIF_F_GRO_UDP_FWD
    dev.features |= NETIF_F_GSO | NETIF_F_GRO
    dev.wanted_features = dev.features & dev.hw_features
    if not dev.flags & IFF_LOOPBACK:
        dev.hw_features |= NETIF_F_NOCACHE_COPY


def register_netdev(dev: net_device) -> None:
    """register_netdevice() by itself."""
    kernel = dev.nd_net.kernel
    rtnl_lock(kernel)
    try:
        register_netdevice(dev)
    finally:
        rtnl_unlock(kernel)


def unregister_netdevice(dev: net_device, portid: int = 0, nlh: nlmsghdr | None = None) -> None:
    """Take a device away. nlh: the request that wants it."""
    dev_close(dev)
    unlist_netdevice(dev)
    dev.reg_state = NETREG_UNREGISTERING
    dev_shutdown(dev)
    call_netdevice_notifiers(NETDEV_UNREGISTER, dev)
    skb = None
    if dev.rtnl_link_ops is None or dev.rtnl_link_state == RTNL_LINK_INITIALIZED:
        seq = nlh.nlmsg_seq if nlh is not None else 0
        skb = rtnetlink_ifinfo.rtmsg_ifinfo_build_skb(RTM_DELLINK, dev, 0xFFFFFFFF, 0, None, 0, portid, seq)
    if dev.netdev_ops.ndo_uninit is not None:
        dev.netdev_ops.ndo_uninit(dev)
    if skb is not None:
        rtnetlink_ifinfo.rtmsg_ifinfo_send(skb, dev, portid, nlh)
    link_watch.linkwatch_forget_dev(dev)
    netdev_unregister_kobject(dev)
    dev.reg_state = NETREG_UNREGISTERED
    if dev.priv_destructor is not None:
        dev.priv_destructor(dev)
    if dev.needs_free_netdev:
        free_netdev(dev)


def unregister_netdev(dev: net_device) -> None:
    """unregister_netdevice() by itself."""
    kernel = dev.nd_net.kernel
    rtnl_lock(kernel)
    try:
        unregister_netdevice(dev)
    finally:
        rtnl_unlock(kernel)


def dev_change_name(dev: net_device, newname: str) -> None:
    """Rename a device. EBUSY: it is up. EINVAL, EEXIST, and what a notifier says."""
    net = dev.nd_net
    if dev.flags & IFF_UP:
        raise KernelError(EBUSY)
    if newname == dev.name:
        return
    oldname = dev.name
    if "%" not in newname and __dev_get_by_name(net, newname) is not None:
        raise KernelError(EEXIST)
    dev_get_valid_name(net, dev, newname)
    err = _take_name(dev, oldname)
    if err:
        newname, dev.name = dev.name, oldname
        _take_name(dev, newname)
        raise KernelError(err)


def _take_name(dev: net_device, oldname: str) -> int:
    """The name has changed: tell /sys, the table of names and all who are to know."""
    net = dev.nd_net
    _device_renamed(dev)
    del net.dev_name_head[oldname]
    net.dev_name_head[dev.name] = dev
    return notifier_to_errno(call_netdevice_notifiers(NETDEV_CHANGENAME, dev))
