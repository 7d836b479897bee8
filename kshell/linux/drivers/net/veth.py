"""drivers/net/veth.c: pairs of devices: what goes into one comes out of the other, also in another namespace."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kshell.abi import if_link as i
from kshell.abi.errno import EADDRNOTAVAIL, EINVAL, ENOTCONN
from kshell.abi.if_link import VETH_INFO_PEER
from kshell.abi.netdevice import ETH_ALEN, ETH_MAX_MTU, IFF_UP
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.if_ether import is_valid_ether_addr
from kshell.linux.include.linux.if_link import rtnl_link_stats64
from kshell.linux.include.linux.netdev_features import (
    NETIF_F_FRAGLIST,
    NETIF_F_GSO_SOFTWARE,
    NETIF_F_HIGHDMA,
    NETIF_F_HW_CSUM,
    NETIF_F_LLTX,
    NETIF_F_RXCSUM,
    NETIF_F_SCTP_CRC,
    NETIF_F_SG,
)
from kshell.linux.include.linux.netdevice import (
    IFF_LIVE_ADDR_CHANGE,
    IFF_NO_QUEUE,
    IFF_PHONY_HEADROOM,
    NET_NAME_ENUM,
    NET_NAME_USER,
    NETDEV_TX_OK,
    net_device,
    net_device_ops,
    pcpu_lstats,
)
from kshell.linux.include.net.nlattr import nla_for_each_attr, nla_type
from kshell.linux.include.net.rtnetlink import rtnl_link_ops
from kshell.linux.net.core import rtnetlink_link
from kshell.linux.net.core.dev_receive import __dev_forward_skb, netif_rx
from kshell.linux.net.core.dev_register import register_netdevice, unregister_netdevice
from kshell.linux.net.core.net_namespace import put_net
from kshell.linux.net.core.rtnetlink import rtnl_link_register, rtnl_link_unregister
from kshell.linux.net.core.rtnetlink_ifsize import IFINFOMSG
from kshell.linux.net.core.rtnetlink_setlink import ifinfomsg, rtnl_link_get_net, validate_linkmsg
from kshell.linux.net.core.skbuff import kfree_skb
from kshell.linux.net.core.timestamping import skb_clone_tx_timestamp
from kshell.linux.net.ethernet.eth import eth_hw_addr_random, eth_mac_addr, ether_setup
from kshell.linux.net.sched.sch_generic_carrier import netif_carrier_off, netif_carrier_on

if TYPE_CHECKING:
    from kshell.linux.include.linux.module import module
    from kshell.linux.include.linux.netlink import netlink_ext_ack
    from kshell.linux.include.linux.skbuff import sk_buff
    from kshell.linux.include.net.net_namespace import net as net_t
    from kshell.linux.include.net.nlattr import nlattr, nlattrs
    from kshell.linux.init.kernel import Kernel

VETH_FEATURES: Final = (
    NETIF_F_SG | NETIF_F_FRAGLIST | NETIF_F_HW_CSUM | NETIF_F_RXCSUM | NETIF_F_SCTP_CRC | NETIF_F_HIGHDMA
    | NETIF_F_GSO_SOFTWARE
)  # fmt: skip


class veth_priv:
    """The other device of the pair; packets that could not be given to it."""

    __slots__ = ("dropped", "peer")

    def __init__(self) -> None:
        self.peer: net_device | None = None
        self.dropped = 0


def _priv(dev: net_device) -> veth_priv:
    priv = dev._priv
    assert isinstance(priv, veth_priv)
    return priv


def veth_forward_skb(dev: net_device, skb: sk_buff) -> int:
    """Have a packet come in by the other device; NET_RX_*."""
    return netif_rx(skb) if __dev_forward_skb(dev, skb) else 1


def veth_xmit(skb: sk_buff, dev: net_device) -> int:
    """Send: the packet comes out at the other end."""
    priv = _priv(dev)
    rcv = priv.peer
    if rcv is None:
        priv.dropped += 1
        kfree_skb(skb)
        return NETDEV_TX_OK
    length = skb.len
    skb_clone_tx_timestamp(skb)
    if veth_forward_skb(rcv, skb) == 0:
        assert dev.lstats is not None
        dev.lstats.packets += 1
        dev.lstats.bytes += length
    else:
        priv.dropped += 1
    return NETDEV_TX_OK


def veth_get_stats64(dev: net_device, tot: rtnl_link_stats64) -> None:
    """What one end sent the other received."""
    priv = _priv(dev)
    assert dev.lstats is not None
    tot.tx_packets, tot.tx_bytes, tot.tx_dropped = dev.lstats.packets, dev.lstats.bytes, priv.dropped
    tot.rx_dropped = dev.stats.rx_dropped
    if priv.peer is not None and priv.peer.lstats is not None:
        tot.rx_packets, tot.rx_bytes = priv.peer.lstats.packets, priv.peer.lstats.bytes


def veth_set_multicast_list(dev: net_device) -> None:
    """All groups are received."""


def veth_open(dev: net_device) -> int:
    """Both ends have a link when both are up. ENOTCONN: the other end is gone."""
    peer = _priv(dev).peer
    if peer is None:
        raise KernelError(ENOTCONN)
    if peer.flags & IFF_UP:
        netif_carrier_on(dev)
        netif_carrier_on(peer)
    return 0


def veth_close(dev: net_device) -> int:
    """Neither end has a link any more."""
    peer = _priv(dev).peer
    netif_carrier_off(dev)
    if peer is not None:
        netif_carrier_off(peer)
    return 0


def veth_dev_init(dev: net_device) -> None:
    """The device begins."""
    dev.lstats = pcpu_lstats()


def veth_get_iflink(dev: net_device) -> int:
    """Number of the other device."""
    peer = _priv(dev).peer
    return peer.ifindex if peer is not None else 0


veth_netdev_ops = net_device_ops(
    ndo_init=veth_dev_init, ndo_open=veth_open, ndo_stop=veth_close, ndo_start_xmit=veth_xmit,
    ndo_get_stats64=veth_get_stats64, ndo_set_rx_mode=veth_set_multicast_list, ndo_set_mac_address=eth_mac_addr,
    ndo_get_iflink=veth_get_iflink,
)  # fmt: skip


def veth_setup(dev: net_device) -> None:
    """What the devices are."""
    ether_setup(dev)
    dev._priv = veth_priv()
    dev.priv_flags |= IFF_LIVE_ADDR_CHANGE | IFF_NO_QUEUE | IFF_PHONY_HEADROOM
    dev.netdev_ops = veth_netdev_ops
    dev.features = VETH_FEATURES | NETIF_F_LLTX
    dev.hw_features = VETH_FEATURES
    dev.needs_free_netdev = True
    dev.max_mtu = ETH_MAX_MTU


def is_valid_veth_mtu(mtu: int) -> bool:
    """68 to 65535."""
    return 68 <= mtu <= ETH_MAX_MTU


def veth_validate(tb: nlattrs, data: nlattrs | None, extack: netlink_ext_ack | None) -> None:
    """Addresses and MTU must be possible. EINVAL, EADDRNOTAVAIL."""
    if i.IFLA_ADDRESS in tb:
        if len(tb[i.IFLA_ADDRESS]) != ETH_ALEN:
            raise KernelError(EINVAL)
        if not is_valid_ether_addr(tb[i.IFLA_ADDRESS]):
            raise KernelError(EADDRNOTAVAIL)
    if i.IFLA_MTU in tb and not is_valid_veth_mtu(int.from_bytes(tb[i.IFLA_MTU][:4], "little")):
        raise KernelError(EINVAL)


def rtnl_nla_parse_ifinfomsg(head: nlattr, extack: netlink_ext_ack | None) -> nlattrs:
    """The attributes behind a struct ifinfomsg in an attribute. EINVAL: it is too short."""
    if len(head) < IFINFOMSG.size:
        raise KernelError(EINVAL)
    return {nla_type(attr): attr for attr in nla_for_each_attr(head[IFINFOMSG.size :])}


def _flags_of(nest: nlattr) -> ifinfomsg:
    ifmp = ifinfomsg.__new__(ifinfomsg)
    fields = IFINFOMSG.unpack_from(nest)
    ifmp.ifi_family, ifmp.ifi_type, ifmp.ifi_index, ifmp.ifi_flags, ifmp.ifi_change = fields
    return ifmp


def _make_peer(
    src_net: net_t, tbp: nlattrs, ifmp: ifinfomsg | None, named: bool, extack: netlink_ext_ack | None
) -> net_device:
    """The other end, registered. What rtnl_create_link() and register_netdevice() raise."""
    name = tbp[i.IFLA_IFNAME].split(b"\0", 1)[0].decode("latin-1") if named else "veth%d"
    net = rtnl_link_get_net(src_net, tbp)
    try:
        assign = NET_NAME_USER if named else NET_NAME_ENUM
        peer = rtnetlink_link.rtnl_create_link(net, name, assign, veth_link_ops, tbp, extack)
        if ifmp is None or i.IFLA_ADDRESS not in tbp:
            eth_hw_addr_random(peer)
        if ifmp is not None:
            peer.ifindex = ifmp.ifi_index
        register_netdevice(peer)
    finally:
        put_net(net)
    netif_carrier_off(peer)
    return peer


def veth_newlink(
    src_net: net_t, dev: net_device, tb: nlattrs, data: nlattrs | None, extack: netlink_ext_ack | None
) -> None:
    """Make the pair: `dev` and its peer, of which VETH_INFO_PEER tells."""
    ifmp = None
    tbp = tb
    if data is not None and VETH_INFO_PEER in data:
        nest = data[VETH_INFO_PEER]
        tbp = rtnl_nla_parse_ifinfomsg(nest, extack)
        ifmp = _flags_of(nest)
        validate_linkmsg(None, tbp, extack)
        veth_validate(tbp, None, extack)
    peer = _make_peer(src_net, tbp, ifmp, ifmp is not None and i.IFLA_IFNAME in tbp, extack)
    try:
        if ifmp is not None:
            rtnetlink_link.rtnl_configure_link(peer, ifmp)
        if i.IFLA_ADDRESS not in tb:
            eth_hw_addr_random(dev)
        if i.IFLA_IFNAME not in tb:
            dev.name = "veth%d"
        register_netdevice(dev)
    except KernelError:
        unregister_netdevice(peer)
        raise
    netif_carrier_off(dev)
    _priv(dev).peer = peer
    _priv(peer).peer = dev


def veth_dellink(dev: net_device) -> None:
    """Both devices go."""
    peer = _priv(dev).peer
    _priv(dev).peer = None
    unregister_netdevice(dev)
    if peer is not None:
        _priv(peer).peer = None
        unregister_netdevice(peer)


def veth_get_link_net(dev: net_device) -> net_t:
    """The namespace of the other device."""
    peer = _priv(dev).peer
    return peer.nd_net if peer is not None else dev.nd_net


veth_link_ops = rtnl_link_ops(
    kind="veth", setup=veth_setup, validate=veth_validate, newlink=veth_newlink, dellink=veth_dellink,
    maxtype=VETH_INFO_PEER, get_link_net=veth_get_link_net,
)  # fmt: skip


def veth_init(kernel: Kernel, mod: module) -> None:
    """The module is loaded."""
    rtnl_link_register(kernel, veth_link_ops)


def veth_exit(kernel: Kernel, mod: module) -> None:
    """The module is removed, and its devices."""
    rtnl_link_unregister(kernel, veth_link_ops)


