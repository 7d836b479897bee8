"""net/bridge/br.c, br_netlink.c: Ethernet bridges. Loaded when the first is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kshell.abi import if_link as i
from kshell.abi.errno import EADDRNOTAVAIL, EINVAL, EOPNOTSUPP
from kshell.abi.netdevice import ETH_ALEN
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.if_ether import is_valid_ether_addr
from kshell.linux.include.linux.jiffies import HZ, USER_HZ
from kshell.linux.include.linux.netdevice import (
    NETDEV_CHANGE,
    NETDEV_CHANGEADDR,
    NETDEV_CHANGEMTU,
    NETDEV_DOWN,
    NETDEV_UNREGISTER,
    NETDEV_UP,
    netdev_notifier_info_to_dev,
)
from kshell.linux.include.linux.notifier import NOTIFY_DONE, notifier_block
from kshell.linux.include.net.netlink import nla_get_u32, nla_put_u32
from kshell.linux.include.net.nlattr import NLA_U32, nla_policy
from kshell.linux.include.net.rtnetlink import rtnl_link_ops
from kshell.linux.net.bridge.br_device import br_dev_setup
from kshell.linux.net.bridge.br_fdb import br_fdb_changeaddr
from kshell.linux.net.bridge.br_if import br_del_if, br_dev_delete, br_mtu_auto_adjust
from kshell.linux.net.bridge.br_private import _br, br_port_get_rtnl
from kshell.linux.net.bridge.br_stp import br_port_carrier_check, br_stp_recalculate_bridge_id
from kshell.linux.net.core.dev import register_netdevice_notifier, unregister_netdevice_notifier
from kshell.linux.net.core.dev_register import register_netdevice
from kshell.linux.net.core.rtnetlink import rtnl_link_register, rtnl_link_unregister

if TYPE_CHECKING:
    from kshell.linux.include.linux.module import module
    from kshell.linux.include.linux.netdevice import net_device
    from kshell.linux.include.linux.netlink import netlink_ext_ack
    from kshell.linux.include.linux.skbuff import sk_buff
    from kshell.linux.include.net.net_namespace import net as net_t
    from kshell.linux.include.net.nlattr import nlattrs
    from kshell.linux.init.kernel import Kernel


br_policy: Final = {
    i.IFLA_BR_FORWARD_DELAY: nla_policy(NLA_U32),
    i.IFLA_BR_AGEING_TIME: nla_policy(NLA_U32),
    i.IFLA_BR_STP_STATE: nla_policy(NLA_U32),
}


def br_device_event(this: notifier_block, event: int, ptr: object) -> int:
    """A device changed: is it a port?"""
    dev = netdev_notifier_info_to_dev(ptr)
    p = br_port_get_rtnl(dev)
    if p is None:
        return NOTIFY_DONE
    br = p.br
    if event == NETDEV_CHANGEMTU:
        br_mtu_auto_adjust(br)
    elif event == NETDEV_CHANGEADDR:
        br_fdb_changeaddr(p, dev.dev_addr)
        br_stp_recalculate_bridge_id(br)
    elif event in (NETDEV_CHANGE, NETDEV_UP, NETDEV_DOWN):
        br_port_carrier_check(p)
    elif event == NETDEV_UNREGISTER:
        br_del_if(br, dev)
    return NOTIFY_DONE


br_device_notifier = notifier_block(notifier_call=br_device_event)


def br_validate(tb: nlattrs, data: nlattrs | None, extack: netlink_ext_ack | None) -> None:
    """An address must be that of one station. EINVAL, EADDRNOTAVAIL."""
    if i.IFLA_ADDRESS in tb:
        if len(tb[i.IFLA_ADDRESS]) != ETH_ALEN:
            raise KernelError(EINVAL)
        if not is_valid_ether_addr(tb[i.IFLA_ADDRESS]):
            raise KernelError(EADDRNOTAVAIL)


def br_changelink(brdev: net_device, tb: nlattrs, data: nlattrs | None, extack: netlink_ext_ack | None) -> None:
    """Change the ageing time. EOPNOTSUPP: the spanning tree protocol is not built in."""
    if data is None:
        return
    if i.IFLA_BR_STP_STATE in data and nla_get_u32(data[i.IFLA_BR_STP_STATE]):
        raise KernelError(EOPNOTSUPP)
    if i.IFLA_BR_AGEING_TIME in data:
        _br(brdev).ageing_time = nla_get_u32(data[i.IFLA_BR_AGEING_TIME]) * HZ // USER_HZ


def br_dev_newlink(
    src_net: net_t, dev: net_device, tb: nlattrs, data: nlattrs | None, extack: netlink_ext_ack | None
) -> None:
    """`ip link add br0 type bridge`."""
    br_changelink(dev, tb, data, extack)
    register_netdevice(dev)


def br_fill_info(skb: sk_buff, brdev: net_device) -> None:
    """What IFLA_INFO_DATA says of a bridge, as far as it is modelled."""
    br = _br(brdev)
    nla_put_u32(skb, i.IFLA_BR_FORWARD_DELAY, 15 * USER_HZ)
    nla_put_u32(skb, i.IFLA_BR_AGEING_TIME, br.ageing_time * USER_HZ // HZ)
    nla_put_u32(skb, i.IFLA_BR_STP_STATE, br.stp_enabled)


br_link_ops = rtnl_link_ops(
    kind="bridge", setup=br_dev_setup, maxtype=i.IFLA_BR_MCAST_QUERIER_STATE, policy=br_policy, validate=br_validate,
    newlink=br_dev_newlink, changelink=br_changelink, dellink=br_dev_delete, fill_info=br_fill_info,
)  # fmt: skip


def br_init(kernel: Kernel, mod: module) -> None:
    """The module is loaded."""
    register_netdevice_notifier(kernel, br_device_notifier)
    rtnl_link_register(kernel, br_link_ops)


def br_deinit(kernel: Kernel, mod: module) -> None:
    """The module is removed, and all bridges."""
    rtnl_link_unregister(kernel, br_link_ops)
    unregister_netdevice_notifier(kernel, br_device_notifier)
