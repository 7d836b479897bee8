"""Messages about links: their layout, and how long one may become (part of net/core/rtnetlink.c)."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from kshell.abi.netdevice import IFALIASZ, IFNAMSIZ, MAX_ADDR_LEN
from kshell.abi.rtnetlink import RTEXT_FILTER_VF
from kshell.linux.include.linux.netdevice import MAX_PHYS_ITEM_ID_LEN
from kshell.linux.include.net.netlink import NLMSG_ALIGN
from kshell.linux.include.net.nlattr import nla_total_size
from kshell.linux.net.core import dev as net_dev

if TYPE_CHECKING:
    from kshell.linux.include.linux.netdevice import net_device

IFINFOMSG: Final = struct.Struct("<BxHiII")  # family, type, index, flags, change
RTNL_LINK_IFMAP: Final = struct.Struct("<QQQHBB4x")
STATS: Final = struct.Struct("<24I")
STATS64: Final = struct.Struct("<25Q")


def rtnl_link_get_slave_info_data_size(dev: net_device) -> int:
    """Room for what a device's master says of it."""
    master_dev = net_dev.netdev_master_upper_dev_get_rcu(dev)
    ops = master_dev.rtnl_link_ops if master_dev is not None else None
    if ops is None or master_dev is None:
        return 0
    size = nla_total_size(len(ops.kind) + 1)
    return size + (nla_total_size(4) + ops.get_slave_size(master_dev, dev) if ops.get_slave_size else 0)


def rtnl_link_get_size(dev: net_device) -> int:
    """Room for IFLA_LINKINFO."""
    ops = dev.rtnl_link_ops
    if ops is None:
        return 0
    size = nla_total_size(4) + nla_total_size(len(ops.kind) + 1)
    if ops.get_size is not None:
        size += nla_total_size(4) + ops.get_size(dev)
    if ops.get_xstats_size is not None:
        size += nla_total_size(ops.get_xstats_size(dev))
    return size + rtnl_link_get_slave_info_data_size(dev)


def rtnl_link_get_af_size(dev: net_device, ext_filter_mask: int) -> int:
    """Room for IFLA_AF_SPEC."""
    size = nla_total_size(4)
    for af_ops in dev.nd_net.kernel.rtnl_af_ops.values():
        if af_ops.get_link_af_size is not None:
            size += nla_total_size(4) + af_ops.get_link_af_size(dev, ext_filter_mask)
    return size


def if_nlmsg_size(dev: net_device, ext_filter_mask: int) -> int:
    """The most that a link's description takes, in bytes."""
    words = 25  # IFLA_TXQLEN, WEIGHT, MTU, LINK, MASTER and others of four bytes
    small = 4  # IFLA_CARRIER, OPERSTATE, LINKMODE, PROTO_DOWN
    return (
        NLMSG_ALIGN(IFINFOMSG.size)
        + 3 * nla_total_size(IFNAMSIZ)  # IFLA_IFNAME, QDISC, PHYS_PORT_NAME
        + nla_total_size(IFALIASZ)
        + nla_total_size(RTNL_LINK_IFMAP.size)
        + nla_total_size(STATS.size)
        + nla_total_size(STATS64.size)
        + 3 * nla_total_size(MAX_ADDR_LEN)  # IFLA_ADDRESS, BROADCAST, PERM_ADDRESS
        + words * nla_total_size(4)
        + small * nla_total_size(1)
        + nla_total_size(4 if ext_filter_mask & RTEXT_FILTER_VF else 0)  # IFLA_NUM_VF
        + rtnl_link_get_size(dev)
        + rtnl_link_get_af_size(dev, ext_filter_mask)
        + 2 * nla_total_size(MAX_PHYS_ITEM_ID_LEN)  # IFLA_PHYS_PORT_ID, PHYS_SWITCH_ID
        + nla_total_size(0) + nla_total_size(1) + 2 * nla_total_size(4)  # IFLA_XDP
    )  # fmt: skip
