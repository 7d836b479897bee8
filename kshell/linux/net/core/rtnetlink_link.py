"""net/core/rtnetlink.c: making, removing, showing links."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi import if_link as i
from kshell.abi.capability import CAP_NET_ADMIN
from kshell.abi.errno import EEXIST, EINVAL, ENODEV, EOPNOTSUPP, EPERM
from kshell.abi.netdevice import IFNAMSIZ
from kshell.abi.netlink import NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.netdevice import NET_NAME_ENUM, NET_NAME_USER
from kshell.linux.include.linux.netlink import NETLINK_CB, netlink_ext_ack
from kshell.linux.include.net.netlink import nla_get_u8, nla_get_u32, nlmsg_parse_deprecated
from kshell.linux.include.net.nlattr import NL_SET_ERR_MSG, nlattrs
from kshell.linux.include.net.rtnetlink import RTNL_LINK_INITIALIZED, RTNL_LINK_INITIALIZING, rtnl_link_ops
from kshell.linux.kernel.kmod import request_module
from kshell.linux.kernel.module.main import MODULE_NAME_LEN
from kshell.linux.lib.nlattr import nla_parse_nested_deprecated, nla_strscpy
from kshell.linux.net.core import dev_settings, rtnetlink
from kshell.linux.net.core.dev import __dev_get_by_index, netdev_master_upper_dev_get
from kshell.linux.net.core.dev_flags import __dev_change_flags, __dev_notify_flags, dev_validate_mtu
from kshell.linux.net.core.dev_register import alloc_netdev_mqs, free_netdev, register_netdevice, unregister_netdevice
from kshell.linux.net.core.net_namespace import put_net
from kshell.linux.net.core.rtnetlink_ifsize import IFINFOMSG
from kshell.linux.net.core.rtnetlink_policy import ifla_info_policy, ifla_policy
from kshell.linux.net.core.rtnetlink_setlink import (
    DO_SETLINK_NOTIFY,
    _named_device,
    do_set_master,
    do_setlink,
    ifinfomsg,
    rtnl_dev_combine_flags,
    rtnl_dev_get,
    rtnl_ensure_unique_netns,
    rtnl_link_get_net_capable,
    set_operstate,
    validate_linkmsg,
)

if TYPE_CHECKING:
    from kshell.linux.include.linux.netdevice import net_device
    from kshell.linux.include.linux.skbuff import sk_buff
    from kshell.linux.include.net.net_namespace import net as net_t
    from kshell.linux.include.net.netlink import nlmsghdr
    from kshell.linux.init.kernel import Kernel


# ---- RTM_NEWLINK ----


def rtnl_configure_link(dev: net_device, ifm: ifinfomsg, portid: int = 0, nlh: nlmsghdr | None = None) -> None:
    """A new link takes the flags it was asked for, and listeners are told."""
    old_flags = dev.flags
    if ifm.ifi_flags or ifm.ifi_change:
        __dev_change_flags(dev, rtnl_dev_combine_flags(dev, ifm), None)
    first = dev.rtnl_link_state != RTNL_LINK_INITIALIZED
    dev.rtnl_link_state = RTNL_LINK_INITIALIZED
    __dev_notify_flags(dev, old_flags, 0xFFFFFFFF if first else old_flags ^ dev.flags, portid, nlh)


def _queues(tb: nlattrs, kind: int, default: int, what: str, extack: netlink_ext_ack | None) -> int:
    number = nla_get_u32(tb[kind]) if kind in tb else default
    if not 1 <= number <= 4096:
        NL_SET_ERR_MSG(extack, f"Invalid number of {what} queues")
        raise KernelError(EINVAL)
    return number


def rtnl_create_link(
    net: net_t,
    ifname: str,
    name_assign_type: int,
    ops: rtnl_link_ops,
    tb: nlattrs,
    extack: netlink_ext_ack | None,
) -> net_device:
    """A device of a kind, set up but not registered. EINVAL, EAFNOSUPPORT."""
    tx = _queues(tb, i.IFLA_NUM_TX_QUEUES, ops.get_num_tx_queues() if ops.get_num_tx_queues else 1, "transmit", extack)
    rx = _queues(tb, i.IFLA_NUM_RX_QUEUES, ops.get_num_rx_queues() if ops.get_num_rx_queues else 1, "receive", extack)
    if ops.alloc is not None:
        dev = ops.alloc(tb, ifname, name_assign_type, tx, rx)
    else:
        assert ops.setup is not None
        dev = alloc_netdev_mqs(net, ifname, ops.setup)
        dev.name_assign_type = name_assign_type
    try:
        validate_linkmsg(dev, tb, extack)
        dev.nd_net = net
        dev.rtnl_link_ops = ops
        dev.rtnl_link_state = RTNL_LINK_INITIALIZING
        _apply_settings(dev, tb, extack)
    except KernelError:
        free_netdev(dev)
        raise
    return dev


def _apply_settings(dev: net_device, tb: nlattrs, extack: netlink_ext_ack | None) -> None:
    """What a request for a new link says of it."""
    if i.IFLA_MTU in tb:
        mtu = nla_get_u32(tb[i.IFLA_MTU])
        dev_validate_mtu(dev, mtu, extack)
        dev.mtu = mtu
    if i.IFLA_ADDRESS in tb:
        dev.dev_addr = bytes(tb[i.IFLA_ADDRESS])
        dev.addr_assign_type = dev_settings.NET_ADDR_SET
    if i.IFLA_BROADCAST in tb:
        dev.broadcast = bytes(tb[i.IFLA_BROADCAST])
    for kind, field in (
        (i.IFLA_TXQLEN, "tx_queue_len"), (i.IFLA_GROUP, "group"), (i.IFLA_GSO_MAX_SIZE, "gso_max_size"),
        (i.IFLA_GSO_MAX_SEGS, "gso_max_segs"), (i.IFLA_GRO_MAX_SIZE, "gro_max_size"),
    ):  # fmt: skip
        if kind in tb:
            setattr(dev, field, nla_get_u32(tb[kind]))
    if i.IFLA_OPERSTATE in tb:
        set_operstate(dev, nla_get_u8(tb[i.IFLA_OPERSTATE]))
    if i.IFLA_LINKMODE in tb:
        dev.link_mode = nla_get_u8(tb[i.IFLA_LINKMODE])


def rtnl_newlink_create(
    skb: sk_buff,
    ifm: ifinfomsg,
    ops: rtnl_link_ops,
    tb: nlattrs,
    data: nlattrs | None,
    extack: netlink_ext_ack | None,
) -> None:
    """Make a new link. EOPNOTSUPP: devices of this kind can't be made; what the kind and register_netdevice() raise."""
    if ops.alloc is None and ops.setup is None:
        raise KernelError(EOPNOTSUPP)
    named = i.IFLA_IFNAME in tb
    ifname = nla_strscpy(tb[i.IFLA_IFNAME], IFNAMSIZ) if named else f"{ops.kind}%d"
    assert skb.sk is not None
    net = skb.sk.sk_net
    dest_net = rtnl_link_get_net_capable(skb, net, tb, CAP_NET_ADMIN)
    try:
        dev = rtnl_create_link(dest_net, ifname, NET_NAME_USER if named else NET_NAME_ENUM, ops, tb, extack)
        dev.ifindex = ifm.ifi_index
        try:
            if ops.newlink is not None:
                ops.newlink(net, dev, tb, data, extack)
            else:
                register_netdevice(dev)
        except KernelError:
            free_netdev(dev)
            raise
        try:
            rtnl_configure_link(dev, ifm)
            if i.IFLA_MASTER in tb:
                do_set_master(dev, nla_get_u32(tb[i.IFLA_MASTER]), extack)
        except KernelError:
            _dellink(dev, ops)
            raise
    finally:
        put_net(dest_net)


def _linkinfo(tb: nlattrs) -> nlattrs:
    if i.IFLA_LINKINFO not in tb:
        return {}
    return nla_parse_nested_deprecated(tb[i.IFLA_LINKINFO], i.IFLA_INFO_MAX, ifla_info_policy, None)


def _kind_data(
    tb: nlattrs, linkinfo: nlattrs, ops: rtnl_link_ops, extack: netlink_ext_ack | None
) -> nlattrs | None:
    """The attributes that belong to the kind of device, which it is asked about."""
    data = None
    if ops.maxtype and i.IFLA_INFO_DATA in linkinfo:
        data = nla_parse_nested_deprecated(linkinfo[i.IFLA_INFO_DATA], ops.maxtype, ops.policy, extack)
    if ops.validate is not None:
        ops.validate(tb, data, extack)
    return data


def _requested_link(net: net_t, ifm: ifinfomsg, tb: nlattrs, extack: netlink_ext_ack) -> net_device | None:
    if ifm.ifi_index > 0:
        return __dev_get_by_index(net, ifm.ifi_index)
    if ifm.ifi_index < 0:
        NL_SET_ERR_MSG(extack, "ifindex can't be negative")
        raise KernelError(EINVAL)
    return rtnl_dev_get(net, tb)


def _change_kind(
    dev: net_device,
    tb: nlattrs,
    linkinfo: nlattrs,
    ops: rtnl_link_ops | None,
    data: nlattrs | None,
    extack: netlink_ext_ack,
) -> int:
    """Change what belongs to the kind of device, and to that of its master. EOPNOTSUPP."""
    status = 0
    if i.IFLA_INFO_DATA in linkinfo:
        if ops is None or ops is not dev.rtnl_link_ops or ops.changelink is None:
            raise KernelError(EOPNOTSUPP)
        ops.changelink(dev, tb, data, extack)
        status |= DO_SETLINK_NOTIFY
    if i.IFLA_INFO_SLAVE_DATA in linkinfo:
        master_dev = netdev_master_upper_dev_get(dev)
        m_ops = master_dev.rtnl_link_ops if master_dev is not None else None
        if m_ops is None or m_ops.slave_changelink is None or master_dev is None:
            raise KernelError(EOPNOTSUPP)
        nest = linkinfo[i.IFLA_INFO_SLAVE_DATA]
        slave_data = nla_parse_nested_deprecated(nest, m_ops.slave_maxtype, m_ops.slave_policy, extack)
        m_ops.slave_changelink(master_dev, dev, tb, slave_data, extack)
        status |= DO_SETLINK_NOTIFY
    return status


def rtnl_group_changelink(
    skb: sk_buff, net: net_t, group: int, ifm: ifinfomsg, extack: netlink_ext_ack, tb: nlattrs
) -> None:
    """Change all links of a group."""
    for dev in list(net.dev_base_head):
        if dev.group == group:
            do_setlink(skb, dev, ifm, extack, tb, 0)


def _find_kind(kernel: Kernel, linkinfo: nlattrs, load: bool) -> rtnl_link_ops | None:
    """The kind of device that a request names; with load its module is asked for."""
    if i.IFLA_INFO_KIND not in linkinfo:
        return None
    kind = nla_strscpy(linkinfo[i.IFLA_INFO_KIND], MODULE_NAME_LEN)
    if load:
        request_module(kernel, f"rtnl-link-{kind}")
    return rtnetlink.rtnl_link_ops_get(kernel, kind)


def __rtnl_newlink(skb: sk_buff, nlh: nlmsghdr, extack: netlink_ext_ack) -> None:
    """RTM_NEWLINK: change a link that is there, or with NLM_F_CREATE make one."""
    assert skb.sk is not None
    net = skb.sk.sk_net
    tb = nlmsg_parse_deprecated(nlh, IFINFOMSG.size, i.IFLA_MAX, ifla_policy, extack)
    rtnl_ensure_unique_netns(tb, extack, False)
    ifm = ifinfomsg(nlh)
    dev = _requested_link(net, ifm, tb, extack)
    if dev is not None:
        netdev_master_upper_dev_get(dev)
    validate_linkmsg(dev, tb, extack)
    linkinfo = _linkinfo(tb)
    ops = _find_kind(net.kernel, linkinfo, False)
    data = _kind_data(tb, linkinfo, ops, extack) if ops is not None else None
    if dev is not None:
        if nlh.nlmsg_flags & NLM_F_EXCL:
            raise KernelError(EEXIST)
        if nlh.nlmsg_flags & NLM_F_REPLACE:
            raise KernelError(EOPNOTSUPP)
        status = _change_kind(dev, tb, linkinfo, ops, data, extack)
        do_setlink(skb, dev, ifm, extack, tb, status)
        return
    if not nlh.nlmsg_flags & NLM_F_CREATE:
        specified = ifm.ifi_index > 0 or i.IFLA_IFNAME in tb or i.IFLA_ALT_IFNAME in tb
        if specified or i.IFLA_GROUP not in tb:
            raise KernelError(ENODEV)
        rtnl_group_changelink(skb, net, nla_get_u32(tb[i.IFLA_GROUP]), ifm, extack, tb)
        return
    if i.IFLA_MAP in tb or i.IFLA_PROTINFO in tb:
        raise KernelError(EOPNOTSUPP)
    if ops is None:
        ops = _find_kind(net.kernel, linkinfo, True)
        if ops is None:
            NL_SET_ERR_MSG(extack, "Unknown device type")
            raise KernelError(EOPNOTSUPP)
        data = _kind_data(tb, linkinfo, ops, extack)
    rtnl_newlink_create(skb, ifm, ops, tb, data, extack)


def rtnl_newlink(skb: sk_buff, nlh: nlmsghdr, extack: netlink_ext_ack) -> None:
    """RTM_NEWLINK. ENODEV, EEXIST, EOPNOTSUPP, EINVAL and what the device says."""
    __rtnl_newlink(skb, nlh, extack)


# ---- RTM_DELLINK ----


def _dellink(dev: net_device, ops: rtnl_link_ops, portid: int = 0, nlh: nlmsghdr | None = None) -> None:
    if ops.dellink is not None:
        ops.dellink(dev)
    else:
        unregister_netdevice(dev, portid, nlh)


def _can_be_deleted(ops: rtnl_link_ops | None) -> bool:
    return ops is not None and (ops.dellink is not None or ops.alloc is not None or ops.setup is not None)


def rtnl_delete_link(dev: net_device, portid: int, nlh: nlmsghdr | None) -> None:
    """Remove a link. EOPNOTSUPP: it is no virtual one."""
    ops = dev.rtnl_link_ops
    if ops is None or not _can_be_deleted(ops):
        raise KernelError(EOPNOTSUPP)
    _dellink(dev, ops, portid, nlh)


def rtnl_group_dellink(net: net_t, group: int) -> None:
    """Remove all links of a group. EPERM: the default group; EOPNOTSUPP, ENODEV."""
    if not group:
        raise KernelError(EPERM)
    members = [dev for dev in net.dev_base_head if dev.group == group]
    if not members:
        raise KernelError(ENODEV)
    if not all(_can_be_deleted(dev.rtnl_link_ops) for dev in members):
        raise KernelError(EOPNOTSUPP)
    for dev in members:
        if dev in net.dev_base_head:  # the other end of a pair goes with the first
            rtnl_delete_link(dev, 0, None)


def rtnl_dellink(skb: sk_buff, nlh: nlmsghdr, extack: netlink_ext_ack) -> None:
    """RTM_DELLINK. EINVAL: no device is named; ENODEV, EOPNOTSUPP, EPERM."""
    assert skb.sk is not None
    net = skb.sk.sk_net
    tb = nlmsg_parse_deprecated(nlh, IFINFOMSG.size, i.IFLA_MAX, ifla_policy, extack)
    rtnl_ensure_unique_netns(tb, extack, True)
    _no_other_net(tb)
    ifm = ifinfomsg(nlh)
    by_name = i.IFLA_IFNAME in tb or i.IFLA_ALT_IFNAME in tb
    if ifm.ifi_index <= 0 and not by_name and i.IFLA_GROUP in tb:
        rtnl_group_dellink(net, nla_get_u32(tb[i.IFLA_GROUP]))
        return
    rtnl_delete_link(_named_device(net, ifm, tb), NETLINK_CB(skb).portid, nlh)


def _no_other_net(tb: nlattrs) -> None:
    """rtnl_get_net_ns_capable(): no namespace has a number here. EINVAL."""
    if i.IFLA_TARGET_NETNSID in tb:
        raise KernelError(EINVAL)


# ---- RTM_GETLINK ----
