"""The loopback device: what is sent comes in again (drivers/net/loopback.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kshell.abi.netdevice import ARPHRD_LOOPBACK, ETH_ALEN, ETH_HLEN, IFF_LOOPBACK
from kshell.linux.include.linux.if_link import rtnl_link_stats64
from kshell.linux.include.linux.netdev_features import (
    NETIF_F_FRAGLIST,
    NETIF_F_GSO_SOFTWARE,
    NETIF_F_HIGHDMA,
    NETIF_F_HW_CSUM,
    NETIF_F_LLTX,
    NETIF_F_LOOPBACK,
    NETIF_F_NETNS_LOCAL,
    NETIF_F_RXCSUM,
    NETIF_F_SCTP_CRC,
    NETIF_F_SG,
    NETIF_F_VLAN_CHALLENGED,
)
from kshell.linux.include.linux.netdevice import (
    IFF_LIVE_ADDR_CHANGE,
    IFF_NO_QUEUE,
    IFF_XMIT_DST_RELEASE,
    IFF_XMIT_DST_RELEASE_PERM,
    NETDEV_TX_OK,
    net_device,
    net_device_ops,
    pcpu_lstats,
)
from kshell.linux.include.linux.skbuff import skb_orphan
from kshell.linux.include.net.net_namespace import pernet_operations
from kshell.linux.net.core.dev_receive import __netif_rx
from kshell.linux.net.core.dev_register import alloc_netdev_mqs, register_netdev
from kshell.linux.net.core.timestamping import skb_clone_tx_timestamp
from kshell.linux.net.ethernet.eth import eth_header_ops, eth_mac_addr, eth_type_trans

if TYPE_CHECKING:
    from kshell.linux.include.linux.skbuff import sk_buff
    from kshell.linux.include.net.net_namespace import net

LOOPBACK_MTU: Final = 64 * 1024


def loopback_xmit(skb: sk_buff, dev: net_device) -> int:
    """Send: the packet leaves its sender's account and enters the receive queue."""
    skb_clone_tx_timestamp(skb)
    skb.tstamp = 0
    skb_orphan(skb)
    length = skb.len
    skb.protocol = eth_type_trans(skb, dev)
    if __netif_rx(skb) == 0:
        assert dev.lstats is not None
        dev.lstats.packets += 1
        dev.lstats.bytes += length
    return NETDEV_TX_OK


def dev_lstats_read(dev: net_device) -> tuple[int, int]:
    """Packets and bytes so far."""
    return (dev.lstats.packets, dev.lstats.bytes) if dev.lstats is not None else (0, 0)


def loopback_get_stats64(dev: net_device, stats: rtnl_link_stats64) -> None:
    """What is sent is what is received."""
    packets, count = dev_lstats_read(dev)
    stats.rx_packets = stats.tx_packets = packets
    stats.rx_bytes = stats.tx_bytes = count


def loopback_dev_init(dev: net_device) -> None:
    """The device begins."""
    dev.lstats = pcpu_lstats()


def loopback_setup(dev: net_device) -> None:
    """What the device is."""
    dev.mtu = LOOPBACK_MTU
    dev.hard_header_len = dev.min_header_len = ETH_HLEN
    dev.addr_len = ETH_ALEN
    dev.type = ARPHRD_LOOPBACK
    dev.flags = IFF_LOOPBACK
    dev.priv_flags |= IFF_LIVE_ADDR_CHANGE | IFF_NO_QUEUE
    dev.priv_flags &= ~(IFF_XMIT_DST_RELEASE | IFF_XMIT_DST_RELEASE_PERM)
    dev.hw_features = NETIF_F_GSO_SOFTWARE
    dev.features = (
        NETIF_F_SG | NETIF_F_FRAGLIST | NETIF_F_GSO_SOFTWARE | NETIF_F_HW_CSUM | NETIF_F_RXCSUM | NETIF_F_SCTP_CRC
        | NETIF_F_HIGHDMA | NETIF_F_LLTX | NETIF_F_NETNS_LOCAL | NETIF_F_VLAN_CHALLENGED | NETIF_F_LOOPBACK
    )  # fmt: skip
    dev.tso_max_size = 524280
    dev.header_ops = eth_header_ops
    dev.netdev_ops = loopback_ops
    dev.broadcast = bytes(ETH_ALEN)
    dev.needs_free_netdev = True


def loopback_net_init(net: net) -> None:
    """Every namespace has its own, the first of its devices."""
    dev = alloc_netdev_mqs(net, "lo", loopback_setup)
    register_netdev(dev)
    net.loopback_dev = dev


loopback_ops = net_device_ops(
    ndo_init=loopback_dev_init,
    ndo_start_xmit=loopback_xmit,
    ndo_get_stats64=loopback_get_stats64,
    ndo_set_mac_address=eth_mac_addr,
)
loopback_net_ops = pernet_operations(init=loopback_net_init)
