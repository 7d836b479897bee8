"""drivers/net/dummy.c: a device that swallows all that is sent by it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.errno import EADDRNOTAVAIL, EINVAL
from kshell.abi.if_link import IFLA_ADDRESS
from kshell.abi.netdevice import ETH_ALEN, IFF_MULTICAST, IFF_NOARP
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.if_ether import is_valid_ether_addr
from kshell.linux.include.linux.if_link import rtnl_link_stats64
from kshell.linux.include.linux.netdev_features import (
    NETIF_F_FRAGLIST,
    NETIF_F_GSO_SOFTWARE,
    NETIF_F_HIGHDMA,
    NETIF_F_HW_CSUM,
    NETIF_F_LLTX,
    NETIF_F_SG,
)
from kshell.linux.include.linux.netdevice import (
    IFF_LIVE_ADDR_CHANGE,
    IFF_NO_QUEUE,
    NETDEV_TX_OK,
    net_device,
    net_device_ops,
    pcpu_lstats,
)
from kshell.linux.include.net.rtnetlink import rtnl_link_ops
from kshell.linux.net.core.rtnetlink import rtnl_link_register, rtnl_link_unregister
from kshell.linux.net.core.skbuff import dev_kfree_skb_any
from kshell.linux.net.core.timestamping import skb_clone_tx_timestamp
from kshell.linux.net.ethernet.eth import (
    eth_hw_addr_random,
    eth_mac_addr,
    eth_validate_addr,
    ether_setup,
)
from kshell.linux.net.sched.sch_generic_carrier import netif_carrier_off, netif_carrier_on

if TYPE_CHECKING:
    from kshell.linux.include.linux.module import module
    from kshell.linux.include.linux.netlink import netlink_ext_ack
    from kshell.linux.include.linux.skbuff import sk_buff
    from kshell.linux.include.net.nlattr import nlattrs
    from kshell.linux.init.kernel import Kernel


def set_multicast_list(dev: net_device) -> None:
    """All groups are received: none is."""


def dummy_get_stats64(dev: net_device, stats: rtnl_link_stats64) -> None:
    """What was swallowed."""
    assert dev.lstats is not None
    stats.tx_packets, stats.tx_bytes = dev.lstats.packets, dev.lstats.bytes


def dummy_xmit(skb: sk_buff, dev: net_device) -> int:
    """Swallow a packet."""
    assert dev.lstats is not None
    dev.lstats.packets += 1
    dev.lstats.bytes += skb.len
    skb_clone_tx_timestamp(skb)
    dev_kfree_skb_any(skb)
    return NETDEV_TX_OK


def dummy_dev_init(dev: net_device) -> None:
    """The device begins."""
    dev.lstats = pcpu_lstats()


def dummy_change_carrier(dev: net_device, new_carrier: bool) -> int:
    """Pretend to have a link, or not."""
    (netif_carrier_on if new_carrier else netif_carrier_off)(dev)
    return 0


dummy_netdev_ops = net_device_ops(
    ndo_init=dummy_dev_init, ndo_start_xmit=dummy_xmit, ndo_validate_addr=eth_validate_addr,
    ndo_set_rx_mode=set_multicast_list, ndo_set_mac_address=eth_mac_addr, ndo_get_stats64=dummy_get_stats64,
    ndo_change_carrier=dummy_change_carrier,
)  # fmt: skip


def dummy_setup(dev: net_device) -> None:
    """What the device is."""
    ether_setup(dev)
    dev.netdev_ops = dummy_netdev_ops
    dev.needs_free_netdev = True
    dev.flags |= IFF_NOARP
    dev.flags &= ~IFF_MULTICAST
    dev.priv_flags |= IFF_LIVE_ADDR_CHANGE | IFF_NO_QUEUE
    dev.features = (
        NETIF_F_SG | NETIF_F_FRAGLIST | NETIF_F_GSO_SOFTWARE | NETIF_F_HW_CSUM | NETIF_F_HIGHDMA | NETIF_F_LLTX
    )
    dev.hw_features = dev.features
    eth_hw_addr_random(dev)
    dev.min_mtu = 0
    dev.max_mtu = 0


def dummy_validate(tb: nlattrs, data: nlattrs | None, extack: netlink_ext_ack | None) -> None:
    """An address must be that of one station. EINVAL, EADDRNOTAVAIL."""
    if IFLA_ADDRESS in tb:
        if len(tb[IFLA_ADDRESS]) != ETH_ALEN:
            raise KernelError(EINVAL)
        if not is_valid_ether_addr(tb[IFLA_ADDRESS]):
            raise KernelError(EADDRNOTAVAIL)


dummy_link_ops = rtnl_link_ops(kind="dummy", setup=dummy_setup, validate=dummy_validate)


def dummy_init_module(kernel: Kernel, mod: module) -> None:
    """The module is loaded (numdummies=0: devices come when they are asked for)."""
    rtnl_link_register(kernel, dummy_link_ops)


def dummy_cleanup_module(kernel: Kernel, mod: module) -> None:
    """The module is removed, and its devices."""
    rtnl_link_unregister(kernel, dummy_link_ops)
