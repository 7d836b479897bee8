"""net/core/dev.c: devices that move to another network namespace."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.errno import EBUSY, EEXIST, EINVAL
from kshell.abi.rtnetlink import RTM_DELLINK, RTM_NEWLINK
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.netdev_features import NETIF_F_NETNS_LOCAL
from kshell.linux.include.linux.netdevice import NETDEV_REGISTER, NETDEV_UNREGISTER, NETREG_REGISTERED, dev_net_set
from kshell.linux.net.core import net_namespace_id, rtnetlink_ifinfo
from kshell.linux.net.core.dev import __dev_get_by_index, __dev_get_by_name, call_netdevice_notifiers
from kshell.linux.net.core.dev_flags import dev_close
from kshell.linux.net.core.dev_register import dev_get_valid_name, dev_new_index, list_netdevice, unlist_netdevice
from kshell.linux.net.core.net_sysfs_register import _device_renamed
from kshell.linux.net.sched.sch_generic import dev_shutdown

if TYPE_CHECKING:
    from kshell.linux.include.linux.netdevice import net_device
    from kshell.linux.include.net.net_namespace import net as net_t


def __dev_change_net_namespace(dev: net_device, net: net_t, pat: str, new_ifindex: int) -> None:
    """Move a device, under another name (pat) if its own is taken. EINVAL: it may not; EEXIST; EBUSY: number taken."""
    if dev.features & NETIF_F_NETNS_LOCAL or dev.reg_state != NETREG_REGISTERED:
        raise KernelError(EINVAL)
    if dev.nd_net is net:
        return
    renamed = __dev_get_by_name(net, dev.name) is not None
    if renamed and not pat:
        raise KernelError(EEXIST)
    if new_ifindex and __dev_get_by_index(net, new_ifindex) is not None:
        raise KernelError(EBUSY)
    dev_close(dev)
    unlist_netdevice(dev)
    dev_shutdown(dev)
    call_netdevice_notifiers(NETDEV_UNREGISTER, dev)
    new_nsid = net_namespace_id.peernet2id_alloc(dev.nd_net, net)
    if not new_ifindex:
        taken = __dev_get_by_index(net, dev.ifindex) is not None
        new_ifindex = dev_new_index(net) if taken else dev.ifindex
    rtnetlink_ifinfo.rtmsg_ifinfo_newnet(RTM_DELLINK, dev, 0xFFFFFFFF, new_nsid, new_ifindex)
    dev.uc.clear()
    dev.mc.clear()
    dev_net_set(dev, net)
    dev.ifindex = new_ifindex
    if renamed:
        dev_get_valid_name(net, dev, pat)
    _device_renamed(dev)
    list_netdevice(dev)
    call_netdevice_notifiers(NETDEV_REGISTER, dev)
    rtnetlink_ifinfo.rtmsg_ifinfo(RTM_NEWLINK, dev, 0xFFFFFFFF)


def dev_change_net_namespace(dev: net_device, net: net_t, pat: str) -> None:
    """Move a device. EINVAL, EEXIST."""
    __dev_change_net_namespace(dev, net, pat, 0)
