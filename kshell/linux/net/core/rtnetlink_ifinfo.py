"""net/core/rtnetlink.c: the message that describes a link (RTM_NEWLINK), and telling listeners of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kshell.abi.errno import ENODATA
from kshell.abi.if_link import (
    IFLA_ADDRESS,
    IFLA_AF_SPEC,
    IFLA_ALLMULTI,
    IFLA_BROADCAST,
    IFLA_CARRIER,
    IFLA_CARRIER_CHANGES,
    IFLA_CARRIER_DOWN_COUNT,
    IFLA_CARRIER_UP_COUNT,
    IFLA_EVENT,
    IFLA_EVENT_FEATURES,
    IFLA_EVENT_IGMP_RESEND,
    IFLA_EVENT_NONE,
    IFLA_EVENT_NOTIFY_PEERS,
    IFLA_EVENT_REBOOT,
    IFLA_GRO_MAX_SIZE,
    IFLA_GROUP,
    IFLA_GSO_MAX_SEGS,
    IFLA_GSO_MAX_SIZE,
    IFLA_IFALIAS,
    IFLA_IFNAME,
    IFLA_INFO_DATA,
    IFLA_INFO_KIND,
    IFLA_INFO_SLAVE_DATA,
    IFLA_INFO_SLAVE_KIND,
    IFLA_LINK,
    IFLA_LINK_NETNSID,
    IFLA_LINKINFO,
    IFLA_LINKMODE,
    IFLA_MAP,
    IFLA_MASTER,
    IFLA_MAX_MTU,
    IFLA_MIN_MTU,
    IFLA_MTU,
    IFLA_NEW_IFINDEX,
    IFLA_NEW_NETNSID,
    IFLA_NUM_RX_QUEUES,
    IFLA_NUM_TX_QUEUES,
    IFLA_OPERSTATE,
    IFLA_PAD,
    IFLA_PERM_ADDRESS,
    IFLA_PHYS_PORT_ID,
    IFLA_PHYS_PORT_NAME,
    IFLA_PHYS_SWITCH_ID,
    IFLA_PROMISCUITY,
    IFLA_PROTO_DOWN,
    IFLA_QDISC,
    IFLA_STATS,
    IFLA_STATS64,
    IFLA_TSO_MAX_SEGS,
    IFLA_TSO_MAX_SIZE,
    IFLA_TXQLEN,
    IFLA_XDP,
    IFLA_XDP_ATTACHED,
)
from kshell.abi.netdevice import IF_OPER_DOWN
from kshell.abi.rtnetlink import RTNLGRP_LINK
from kshell.abi.socket import AF_UNSPEC
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.if_link import rtnl_link_stats64
from kshell.linux.include.linux.netdevice import (
    NETDEV_FEAT_CHANGE,
    NETDEV_NOTIFY_PEERS,
    NETDEV_REBOOT,
    NETDEV_RESEND_IGMP,
    NETREG_REGISTERED,
    netif_carrier_ok,
    netif_running,
)
from kshell.linux.include.net.netlink import (
    nla_nest_cancel,
    nla_nest_end,
    nla_nest_start_noflag,
    nla_put,
    nla_put_64bit,
    nla_put_string,
    nla_put_u8,
    nla_put_u32,
    nlmsg_cancel,
    nlmsg_end,
    nlmsg_new,
    nlmsg_put,
)
from kshell.linux.net.core import dev as net_dev
from kshell.linux.net.core import dev_ident, net_namespace_id, rtnetlink_send
from kshell.linux.net.core.rtnetlink_ifsize import IFINFOMSG, RTNL_LINK_IFMAP, STATS, STATS64, if_nlmsg_size

if TYPE_CHECKING:
    from kshell.linux.include.linux.netdevice import net_device
    from kshell.linux.include.linux.skbuff import sk_buff
    from kshell.linux.include.net.net_namespace import net as net_t
    from kshell.linux.include.net.netlink import nlmsghdr

_STATS64: Final = (
    "rx_packets", "tx_packets", "rx_bytes", "tx_bytes", "rx_errors", "tx_errors", "rx_dropped", "tx_dropped",
    "multicast", "collisions", "rx_length_errors", "rx_over_errors", "rx_crc_errors", "rx_frame_errors",
    "rx_fifo_errors", "rx_missed_errors", "tx_aborted_errors", "tx_carrier_errors", "tx_fifo_errors",
    "tx_heartbeat_errors", "tx_window_errors", "rx_compressed", "tx_compressed", "rx_nohandler",
    "rx_otherhost_dropped",
)  # fmt: skip


_EVENTS: Final = {
    NETDEV_REBOOT: IFLA_EVENT_REBOOT,
    NETDEV_FEAT_CHANGE: IFLA_EVENT_FEATURES,
    NETDEV_NOTIFY_PEERS: IFLA_EVENT_NOTIFY_PEERS,
    NETDEV_RESEND_IGMP: IFLA_EVENT_IGMP_RESEND,
}


# ---- how long the message may become ----


# ---- its parts ----


def put_master_ifindex(skb: sk_buff, dev: net_device) -> None:
    """Append the number of the device that this one is part of."""
    upper_dev = net_dev.netdev_master_upper_dev_get_rcu(dev)
    if upper_dev is not None:
        nla_put_u32(skb, IFLA_MASTER, upper_dev.ifindex)


def nla_put_ifalias(skb: sk_buff, dev: net_device) -> None:
    """Append the text that an administrator gave the device."""
    alias = dev_ident.dev_get_alias(dev)
    if alias:
        nla_put_string(skb, IFLA_IFALIAS, alias)


def rtnl_phys_port_id_fill(skb: sk_buff, dev: net_device) -> None:
    """Append the number of the port of the card, if the driver knows it."""
    try:
        port_id = dev_ident.dev_get_phys_port_id(dev)
    except KernelError:
        return
    nla_put(skb, IFLA_PHYS_PORT_ID, port_id)


def rtnl_phys_port_name_fill(skb: sk_buff, dev: net_device) -> None:
    """Append the name of the port of the card, if the driver knows it."""
    try:
        name = dev_ident.dev_get_phys_port_name(dev)
    except KernelError:
        return
    nla_put_string(skb, IFLA_PHYS_PORT_NAME, name)


def rtnl_phys_switch_id_fill(skb: sk_buff, dev: net_device) -> None:
    """Append the number of the switch that the port belongs to, if the driver knows it."""
    try:
        switch_id = dev_ident.dev_get_port_parent_id(dev)
    except KernelError:
        return
    nla_put(skb, IFLA_PHYS_SWITCH_ID, switch_id)


def rtnl_fill_link_ifmap(skb: sk_buff, dev: net_device) -> None:
    """Append where the device's registers are."""
    fields = (dev.mem_start, dev.mem_end, dev.base_addr, dev.irq, dev.dma, dev.if_port)
    nla_put_64bit(skb, IFLA_MAP, RTNL_LINK_IFMAP.pack(*fields), IFLA_PAD)


def copy_rtnl_link_stats(sp: rtnl_link_stats64) -> bytes:
    """struct rtnl_link_stats: the same counters in 32 bits."""
    return STATS.pack(*(getattr(sp, name) & 0xFFFFFFFF for name in _STATS64[:-1]))


def rtnl_fill_stats(skb: sk_buff, dev: net_device) -> None:
    """Append the counters, in 64 and in 32 bits."""
    nla_put_64bit(skb, IFLA_STATS64, bytes(STATS64.size), IFLA_PAD)
    sp = net_dev.dev_get_stats(dev, rtnl_link_stats64())
    skb.data = skb.data[: -STATS64.size] + STATS64.pack(*(getattr(sp, name) for name in _STATS64))
    nla_put(skb, IFLA_STATS, copy_rtnl_link_stats(sp))


def rtnl_fill_vf(skb: sk_buff, dev: net_device, ext_filter_mask: int) -> None:
    """Append the virtual functions of a card on a bus; there is none."""


def rtnl_xdp_report_one(skb: sk_buff, dev: net_device) -> int:
    """XDP_ATTACHED_* of the program that sees the packets first; none is."""
    return int(dev_ident.dev_xdp_prog_id(dev) != 0)


def rtnl_xdp_fill(skb: sk_buff, dev: net_device) -> None:
    """Append that no BPF program sees the packets first."""
    xdp = nla_nest_start_noflag(skb, IFLA_XDP)
    nla_put_u8(skb, IFLA_XDP_ATTACHED, rtnl_xdp_report_one(skb, dev))
    nla_nest_end(skb, xdp)


def rtnl_have_link_slave_info(dev: net_device) -> bool:
    """Whether the device's master has something to say of it."""
    master_dev = net_dev.netdev_master_upper_dev_get_rcu(dev)
    return master_dev is not None and master_dev.rtnl_link_ops is not None


def rtnl_link_slave_info_fill(skb: sk_buff, dev: net_device) -> None:
    """Append what the device's master says of it."""
    master_dev = net_dev.netdev_master_upper_dev_get(dev)
    ops = master_dev.rtnl_link_ops if master_dev is not None else None
    if ops is None or master_dev is None:
        return
    nla_put_string(skb, IFLA_INFO_SLAVE_KIND, ops.kind)
    if ops.fill_slave_info is not None:
        data = nla_nest_start_noflag(skb, IFLA_INFO_SLAVE_DATA)
        ops.fill_slave_info(skb, master_dev, dev)
        nla_nest_end(skb, data)


def rtnl_link_info_fill(skb: sk_buff, dev: net_device) -> None:
    """Append the kind of device and its settings."""
    ops = dev.rtnl_link_ops
    if ops is None:
        return
    nla_put_string(skb, IFLA_INFO_KIND, ops.kind)
    if ops.fill_xstats is not None:
        ops.fill_xstats(skb, dev)
    if ops.fill_info is not None:
        data = nla_nest_start_noflag(skb, IFLA_INFO_DATA)
        ops.fill_info(skb, dev)
        nla_nest_end(skb, data)


def rtnl_link_fill(skb: sk_buff, dev: net_device) -> None:
    """Append IFLA_LINKINFO."""
    linkinfo = nla_nest_start_noflag(skb, IFLA_LINKINFO)
    rtnl_link_info_fill(skb, dev)
    rtnl_link_slave_info_fill(skb, dev)
    nla_nest_end(skb, linkinfo)


def nla_put_iflink(skb: sk_buff, dev: net_device, force: bool) -> None:
    """Append the device below or opposite, if it is another or may bear the same number elsewhere."""
    ifindex = net_dev.dev_get_iflink(dev)
    if force or ifindex != dev.ifindex:
        nla_put_u32(skb, IFLA_LINK, ifindex)


def rtnl_fill_link_netnsid(skb: sk_buff, dev: net_device, src_net: net_t) -> None:
    """Append the device below or opposite, if it is another, and the number of its namespace, if that is another."""
    ops = dev.rtnl_link_ops
    link_net = ops.get_link_net(dev) if ops is not None and ops.get_link_net is not None else dev.nd_net
    if link_net is not dev.nd_net:
        number = net_namespace_id.peernet2id_alloc(src_net, link_net)
        nla_put_u32(skb, IFLA_LINK_NETNSID, number & 0xFFFFFFFF)
    nla_put_iflink(skb, dev, link_net is not dev.nd_net)


def rtnl_fill_link_af(skb: sk_buff, dev: net_device, ext_filter_mask: int) -> None:
    """Append what each address family says of the device."""
    af_spec = nla_nest_start_noflag(skb, IFLA_AF_SPEC)
    for af_ops in dev.nd_net.kernel.rtnl_af_ops.values():
        if af_ops.fill_link_af is None:
            continue
        af = nla_nest_start_noflag(skb, af_ops.family)
        try:
            af_ops.fill_link_af(skb, dev, ext_filter_mask)
        except KernelError as error:
            if error.errno != ENODATA:
                raise
            nla_nest_cancel(skb, af)
        else:
            nla_nest_end(skb, af)
    nla_nest_end(skb, af_spec)


def _fill_settings(skb: sk_buff, dev: net_device) -> None:
    """The first half: name, state, sizes, queues."""
    nla_put_string(skb, IFLA_IFNAME, dev.name)
    nla_put_u32(skb, IFLA_TXQLEN, dev.tx_queue_len)
    nla_put_u8(skb, IFLA_OPERSTATE, dev.operstate if netif_running(dev) else IF_OPER_DOWN)
    nla_put_u8(skb, IFLA_LINKMODE, dev.link_mode)
    for attrtype, value in (
        (IFLA_MTU, dev.mtu), (IFLA_MIN_MTU, dev.min_mtu), (IFLA_MAX_MTU, dev.max_mtu), (IFLA_GROUP, dev.group),
        (IFLA_PROMISCUITY, dev.promiscuity), (IFLA_ALLMULTI, dev.allmulti), (IFLA_NUM_TX_QUEUES, dev.num_tx_queues),
        (IFLA_GSO_MAX_SEGS, dev.gso_max_segs), (IFLA_GSO_MAX_SIZE, dev.gso_max_size),
        (IFLA_GRO_MAX_SIZE, dev.gro_max_size), (IFLA_TSO_MAX_SIZE, dev.tso_max_size),
        (IFLA_TSO_MAX_SEGS, dev.tso_max_segs), (IFLA_NUM_RX_QUEUES, dev.num_rx_queues),
    ):  # fmt: skip
        nla_put_u32(skb, attrtype, value)
    put_master_ifindex(skb, dev)
    nla_put_u8(skb, IFLA_CARRIER, netif_carrier_ok(dev))
    if dev.qdisc is not None:
        nla_put_string(skb, IFLA_QDISC, dev.qdisc.ops.id)
    nla_put_ifalias(skb, dev)
    nla_put_u32(skb, IFLA_CARRIER_CHANGES, dev.carrier_up_count + dev.carrier_down_count)
    nla_put_u32(skb, IFLA_CARRIER_UP_COUNT, dev.carrier_up_count)
    nla_put_u32(skb, IFLA_CARRIER_DOWN_COUNT, dev.carrier_down_count)
    nla_put_u8(skb, IFLA_PROTO_DOWN, dev.proto_down)


def rtnl_fill_ifinfo(
    skb: sk_buff,
    dev: net_device,
    src_net: net_t,
    type: int,
    pid: int,
    seq: int,
    change: int,
    flags: int,
    ext_filter_mask: int,
    event: int,
    new_nsid: int | None = None,
    new_ifindex: int = 0,
) -> int:
    """Append a message that describes the link; where it begins. new_*: what it becomes in the namespace it goes to.
    EMSGSIZE: no room."""
    nlh = nlmsg_put(skb, pid, seq, type, bytes(IFINFOMSG.size), flags)
    header = IFINFOMSG.pack(AF_UNSPEC, dev.type, dev.ifindex, net_dev.dev_get_flags(dev), change)
    skb.data = skb.data[: -IFINFOMSG.size] + header
    try:
        _fill_settings(skb, dev)
        if event != IFLA_EVENT_NONE:
            nla_put_u32(skb, IFLA_EVENT, event)
        rtnl_fill_link_ifmap(skb, dev)
        if dev.addr_len:
            nla_put(skb, IFLA_ADDRESS, dev.dev_addr[: dev.addr_len])
            nla_put(skb, IFLA_BROADCAST, dev.broadcast[: dev.addr_len])
        rtnl_phys_port_id_fill(skb, dev)
        rtnl_phys_port_name_fill(skb, dev)
        rtnl_phys_switch_id_fill(skb, dev)
        rtnl_fill_stats(skb, dev)
        rtnl_fill_vf(skb, dev, ext_filter_mask)
        rtnl_xdp_fill(skb, dev)
        if dev.rtnl_link_ops is not None or rtnl_have_link_slave_info(dev):
            rtnl_link_fill(skb, dev)
        rtnl_fill_link_netnsid(skb, dev, src_net)
        if new_nsid is not None:
            nla_put_u32(skb, IFLA_NEW_NETNSID, new_nsid & 0xFFFFFFFF)
        if new_ifindex:
            nla_put_u32(skb, IFLA_NEW_IFINDEX, new_ifindex)
        if any(dev.perm_addr[: dev.addr_len]):
            nla_put(skb, IFLA_PERM_ADDRESS, dev.perm_addr[: dev.addr_len])
        rtnl_fill_link_af(skb, dev, ext_filter_mask)
    except KernelError:
        nlmsg_cancel(skb, nlh)
        raise
    nlmsg_end(skb, nlh)
    return nlh


# ---- telling listeners ----


def rtnl_get_event(event: int) -> int:
    """IFLA_EVENT_* of a device event."""
    return _EVENTS.get(event, IFLA_EVENT_NONE)


def rtmsg_ifinfo_build_skb(
    type: int, dev: net_device, change: int, event: int, new_nsid: int | None = None, new_ifindex: int = 0,
    portid: int = 0, seq: int = 0,
) -> sk_buff:
    """A message about a link by itself."""
    skb = nlmsg_new(dev.nd_net.kernel, if_nlmsg_size(dev, 0))
    rtnl_fill_ifinfo(skb, dev, dev.nd_net, type, portid, seq, change, 0, 0, event, new_nsid, new_ifindex)
    return skb


def rtmsg_ifinfo_send(skb: sk_buff, dev: net_device, portid: int, nlh: nlmsghdr | None) -> None:
    """Give it to those who listen to links."""
    rtnetlink_send.rtnl_notify(skb, dev.nd_net, portid, RTNLGRP_LINK, nlh)


def rtmsg_ifinfo_event(
    type: int, dev: net_device, change: int, event: int, new_nsid: int | None, new_ifindex: int, portid: int,
    nlh: nlmsghdr | None,
) -> None:  # fmt: skip
    """Tell of a link, unless it is not registered (any more)."""
    if dev.reg_state != NETREG_REGISTERED:
        return
    seq = nlh.nlmsg_seq if nlh is not None else 0
    skb = rtmsg_ifinfo_build_skb(type, dev, change, event, new_nsid, new_ifindex, portid, seq)
    rtmsg_ifinfo_send(skb, dev, portid, nlh)


def rtmsg_ifinfo(type: int, dev: net_device, change: int, portid: int = 0, nlh: nlmsghdr | None = None) -> None:
    """Tell route sockets that a link is new or has changed. nlh: the request that did it."""
    rtmsg_ifinfo_event(type, dev, change, rtnl_get_event(0), None, 0, portid, nlh)


def rtmsg_ifinfo_newnet(type: int, dev: net_device, change: int, new_nsid: int, new_ifindex: int) -> None:
    """Tell route sockets that a link goes to another namespace, and what it will be there."""
    rtmsg_ifinfo_event(type, dev, change, rtnl_get_event(0), new_nsid, new_ifindex, 0, None)
