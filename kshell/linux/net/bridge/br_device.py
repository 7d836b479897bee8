"""net/bridge/br_device.c: the bridge as a network device of its machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.errno import EADDRNOTAVAIL
from kshell.abi.netdevice import ETH_HLEN, ETH_MAX_MTU, NET_ADDR_SET
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.if_ether import eth_hdr, is_multicast_ether_addr, is_valid_ether_addr
from kshell.linux.include.linux.netdev_features import (
    NETIF_F_FRAGLIST,
    NETIF_F_GSO_SOFTWARE,
    NETIF_F_HIGHDMA,
    NETIF_F_HW_CSUM,
    NETIF_F_LLTX,
    NETIF_F_NETNS_LOCAL,
    NETIF_F_SG,
)
from kshell.linux.include.linux.netdevice import (
    IFF_DONT_BRIDGE,
    IFF_EBRIDGE,
    IFF_NO_QUEUE,
    NETDEV_TX_OK,
    net_device,
    net_device_ops,
)
from kshell.linux.net.bridge.br_fdb import br_fdb_find_rcu
from kshell.linux.net.bridge.br_forward import br_flood, br_forward
from kshell.linux.net.bridge.br_if import br_add_if, br_del_if
from kshell.linux.net.bridge.br_private import _br, net_bridge
from kshell.linux.net.bridge.br_stp import br_stp_change_bridge_id, br_stp_disable_bridge, br_stp_enable_bridge
from kshell.linux.net.core.skbuff import skb_pull
from kshell.linux.net.ethernet.eth import eth_hw_addr_random, ether_setup
from kshell.linux.net.sched.sch_generic_carrier import netif_carrier_off

if TYPE_CHECKING:
    from kshell.linux.include.linux.netlink import netlink_ext_ack
    from kshell.linux.include.linux.skbuff import sk_buff


def br_dev_xmit(skb: sk_buff, dev: net_device) -> int:
    """The machine itself sends by the bridge: to the port behind which the destination is, or to all."""
    br = _br(dev)
    dev.stats.tx_packets += 1
    dev.stats.tx_bytes += skb.len
    skb_pull(skb, ETH_HLEN)
    dest = eth_hdr(skb).h_dest
    dst = None if is_multicast_ether_addr(dest) else br_fdb_find_rcu(br, dest)
    if dst is not None and dst.dst is not None:
        br_forward(dst.dst, skb, False, True)
    else:
        br_flood(br, skb, False, True)
    return NETDEV_TX_OK


def br_dev_open(dev: net_device) -> int:
    """The bridge goes up."""
    br_stp_enable_bridge(_br(dev))
    return 0


def br_dev_stop(dev: net_device) -> int:
    """The bridge goes down."""
    br_stp_disable_bridge(_br(dev))
    return 0


def br_dev_set_multicast_list(dev: net_device) -> None:
    """All groups are received."""


def br_change_mtu(dev: net_device, new_mtu: int) -> int:
    """Set the MTU."""
    dev.mtu = new_mtu
    return 0


def br_set_mac_address(dev: net_device, addr: bytes) -> int:
    """Give the bridge an address, which it keeps. EADDRNOTAVAIL."""
    if not is_valid_ether_addr(addr):
        raise KernelError(EADDRNOTAVAIL)
    if dev.dev_addr != addr:
        dev.addr_assign_type = NET_ADDR_SET
        br_stp_change_bridge_id(_br(dev), addr)
    return 0


def br_add_slave(dev: net_device, slave_dev: net_device, extack: netlink_ext_ack | None) -> None:
    """`ip link set DEV master BRIDGE`."""
    br_add_if(_br(dev), slave_dev, extack)


def br_del_slave(dev: net_device, slave_dev: net_device) -> None:
    """`ip link set DEV nomaster`."""
    br_del_if(_br(dev), slave_dev)


def br_dev_init(dev: net_device) -> None:
    """The device begins, without a link."""
    netif_carrier_off(dev)


br_netdev_ops = net_device_ops(
    ndo_open=br_dev_open, ndo_stop=br_dev_stop, ndo_init=br_dev_init, ndo_start_xmit=br_dev_xmit,
    ndo_set_mac_address=br_set_mac_address, ndo_set_rx_mode=br_dev_set_multicast_list, ndo_change_mtu=br_change_mtu,
    ndo_add_slave=br_add_slave, ndo_del_slave=br_del_slave,
)  # fmt: skip


def br_dev_setup(dev: net_device) -> None:
    """What a bridge is."""
    eth_hw_addr_random(dev)
    ether_setup(dev)
    dev.netdev_ops = br_netdev_ops
    dev.needs_free_netdev = True
    dev.priv_flags |= IFF_EBRIDGE | IFF_NO_QUEUE | IFF_DONT_BRIDGE
    features = NETIF_F_SG | NETIF_F_FRAGLIST | NETIF_F_HIGHDMA | NETIF_F_GSO_SOFTWARE | NETIF_F_HW_CSUM
    dev.features = features | NETIF_F_LLTX | NETIF_F_NETNS_LOCAL
    dev.hw_features = features
    dev.max_mtu = ETH_MAX_MTU
    dev._priv = net_bridge(dev)
