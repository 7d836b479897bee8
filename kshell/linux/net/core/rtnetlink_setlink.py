"""net/core/rtnetlink.c: changing links that are there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from kshell.abi import if_link as i
from kshell.abi.capability import CAP_NET_ADMIN
from kshell.abi.errno import EACCES, EAFNOSUPPORT, EINVAL, ENODEV, EOPNOTSUPP, EPERM
from kshell.abi.netdevice import IF_OPER_DORMANT, IF_OPER_UNKNOWN, IF_OPER_UP, IFF_ALLMULTI, IFF_PROMISC, IFNAMSIZ
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.netdevice import GSO_MAX_SEGS, NETDEV_CHANGEADDR
from kshell.linux.include.net.net_namespace import get_net
from kshell.linux.include.net.netlink import nla_get_u8, nla_get_u32, nlmsg_parse_deprecated
from kshell.linux.include.net.nlattr import NL_SET_ERR_MSG, nla_for_each_nested, nla_type, nlattrs
from kshell.linux.kernel.printk import pr_warn
from kshell.linux.lib.nlattr import nla_strscpy
from kshell.linux.net.core import dev_settings, net_namespace, net_namespace_id, rtnetlink
from kshell.linux.net.core.dev import (
    __dev_get_by_index,
    __dev_get_by_name,
    call_netdevice_notifiers,
    netdev_master_upper_dev_get,
)
from kshell.linux.net.core.dev_change_net import __dev_change_net_namespace
from kshell.linux.net.core.dev_flags import dev_change_flags, dev_set_mtu_ext
from kshell.linux.net.core.dev_register import dev_change_name
from kshell.linux.net.core.net_namespace import put_net
from kshell.linux.net.core.rtnetlink_ifsize import IFINFOMSG
from kshell.linux.net.core.rtnetlink_policy import ALTIFNAMSIZ, ifla_policy

if TYPE_CHECKING:
    from kshell.linux.include.linux.netdevice import net_device
    from kshell.linux.include.linux.netlink import netlink_ext_ack
    from kshell.linux.include.linux.skbuff import sk_buff
    from kshell.linux.include.net.net_namespace import net as net_t
    from kshell.linux.include.net.netlink import nlmsghdr
    from kshell.linux.include.net.sock import sock

DO_SETLINK_MODIFIED: Final = 1
DO_SETLINK_NOTIFY: Final = 3  # and tell of it
_PROMISC: Final = IFF_PROMISC | IFF_ALLMULTI
_NETNS: Final = (i.IFLA_NET_NS_PID, i.IFLA_NET_NS_FD, i.IFLA_TARGET_NETNSID)


class ifinfomsg:
    """The header of messages about links."""

    __slots__ = ("ifi_change", "ifi_family", "ifi_flags", "ifi_index", "ifi_type")
    ifi_family: int
    ifi_type: int
    ifi_index: int
    ifi_flags: int
    ifi_change: int

    def __init__(self, nlh: nlmsghdr) -> None:
        fields = IFINFOMSG.unpack_from(nlh._payload)
        self.ifi_family, self.ifi_type, self.ifi_index, self.ifi_flags, self.ifi_change = fields


def rtnl_ensure_unique_netns(tb: nlattrs, extack: netlink_ext_ack | None, netns_id_only: bool) -> None:
    """A request names one namespace at most. EINVAL, EOPNOTSUPP."""
    named = [kind for kind in _NETNS if kind in tb]
    if netns_id_only and (i.IFLA_NET_NS_PID in named or i.IFLA_NET_NS_FD in named):
        NL_SET_ERR_MSG(extack, "specified netns attribute not supported")
        raise KernelError(EOPNOTSUPP)
    if len(named) > 1:
        NL_SET_ERR_MSG(extack, "multiple netns identifying attributes specified")
        raise KernelError(EINVAL)


def rtnl_link_get_net(src_net: net_t, tb: nlattrs) -> net_t:
    """The namespace a request is about, by task or descriptor, referenced. ESRCH; EBADF, EINVAL: no namespace."""
    current = src_net.kernel.current
    if i.IFLA_NET_NS_PID in tb:
        return net_namespace.get_net_ns_by_pid(current, nla_get_u32(tb[i.IFLA_NET_NS_PID]))
    if i.IFLA_NET_NS_FD in tb:
        return net_namespace.get_net_ns_by_fd(current, nla_get_u32(tb[i.IFLA_NET_NS_FD]))
    return get_net(src_net)


def rtnl_link_get_net_by_nlattr(src_net: net_t, tb: nlattrs) -> net_t:
    """As rtnl_link_get_net(), also by number. EINVAL: nobody has it."""
    if i.IFLA_NET_NS_PID in tb or i.IFLA_NET_NS_FD in tb or i.IFLA_TARGET_NETNSID not in tb:
        return rtnl_link_get_net(src_net, tb)
    net = net_namespace_id.get_net_ns_by_id(src_net, nla_get_u32(tb[i.IFLA_TARGET_NETNSID]))
    if net is None:
        raise KernelError(EINVAL)
    return net


def rtnl_get_net_ns_capable(sk: sock, netnsid: int) -> net_t:
    """The namespace of a number, in which the sender must be capable, referenced. EINVAL, EACCES."""
    net = net_namespace_id.get_net_ns_by_id(sk.sk_net, netnsid)
    if net is None:
        raise KernelError(EINVAL)
    if not rtnetlink.sk_ns_capable(sk, net.user_ns, CAP_NET_ADMIN):
        put_net(net)
        raise KernelError(EACCES)
    return net


def rtnl_link_get_net_capable(skb: sk_buff, src_net: net_t, tb: nlattrs, cap: int) -> net_t:
    """The namespace a request is about, in which the sender must be capable. EPERM, ESRCH, EINVAL."""
    net = rtnl_link_get_net_by_nlattr(src_net, tb)
    if not rtnetlink.netlink_ns_capable(skb, net.user_ns, cap):
        put_net(net)
        raise KernelError(EPERM)
    return net


def validate_linkmsg(dev: net_device | None, tb: nlattrs, extack: netlink_ext_ack | None) -> None:
    """Addresses of full length, families that are known. EINVAL, EAFNOSUPPORT, EOPNOTSUPP."""
    for kind in (i.IFLA_ADDRESS, i.IFLA_BROADCAST):
        if dev is not None and kind in tb and len(tb[kind]) < dev.addr_len:
            raise KernelError(EINVAL)
    if i.IFLA_AF_SPEC not in tb or extack is None or extack._current is None:
        return
    for af in nla_for_each_nested(tb[i.IFLA_AF_SPEC]):
        af_ops = rtnetlink.rtnl_af_lookup(extack._current.kernel, nla_type(af))
        if af_ops is None:
            raise KernelError(EAFNOSUPPORT)
        if af_ops.set_link_af is None:
            raise KernelError(EOPNOTSUPP)
        if af_ops.validate_link_af is not None:
            af_ops.validate_link_af(dev, af, extack)


def set_operstate(dev: net_device, transition: int) -> None:
    """A program that watches over the link says what it is worth (RFC 2863)."""
    operstate = dev.operstate
    if transition == IF_OPER_UP and operstate in (IF_OPER_DORMANT, IF_OPER_UNKNOWN):
        operstate = IF_OPER_UP
    elif transition == IF_OPER_DORMANT and operstate in (IF_OPER_UP, IF_OPER_UNKNOWN):
        operstate = IF_OPER_DORMANT
    if dev.operstate != operstate:
        dev.operstate = operstate
        dev_settings.netdev_state_change(dev)


def rtnl_dev_get_flags(dev: net_device) -> int:
    """The flags that a request changes."""
    return dev.flags & ~_PROMISC | dev.gflags & _PROMISC


def rtnl_dev_combine_flags(dev: net_device, ifm: ifinfomsg) -> int:
    """The flags a request asks for: those in ifi_change, all if it is 0."""
    if not ifm.ifi_change:
        return ifm.ifi_flags
    return ifm.ifi_flags & ifm.ifi_change | rtnl_dev_get_flags(dev) & ~ifm.ifi_change


def do_set_master(dev: net_device, ifindex: int, extack: netlink_ext_ack | None) -> None:
    """Make a device part of another (0: of none). EINVAL: no such; EOPNOTSUPP: it takes none."""
    upper_dev = netdev_master_upper_dev_get(dev)
    if upper_dev is not None:
        if upper_dev.ifindex == ifindex:
            return
        if upper_dev.netdev_ops.ndo_del_slave is None:
            raise KernelError(EOPNOTSUPP)
        upper_dev.netdev_ops.ndo_del_slave(upper_dev, dev)
    if ifindex:
        upper_dev = __dev_get_by_index(dev.nd_net, ifindex)
        if upper_dev is None:
            raise KernelError(EINVAL)
        if upper_dev.netdev_ops.ndo_add_slave is None:
            raise KernelError(EOPNOTSUPP)
        upper_dev.netdev_ops.ndo_add_slave(upper_dev, dev, extack)


def do_setlink(
    skb: sk_buff,
    dev: net_device,
    ifm: ifinfomsg,
    extack: netlink_ext_ack | None,
    tb: nlattrs,
    status: int,
) -> None:
    """Change a link as the attributes say, one after another; what was done stays when one fails."""
    validate_linkmsg(dev, tb, extack)
    changes = _changes(skb, dev, ifm, extack, tb)
    failure: KernelError | None = None
    try:
        for change in changes:
            status |= change
    except KernelError as error:
        failure = error
    if status & DO_SETLINK_MODIFIED and status & DO_SETLINK_NOTIFY == DO_SETLINK_NOTIFY:
        dev_settings.netdev_state_change(dev)
    if failure is not None:
        if status & DO_SETLINK_MODIFIED:
            pr_warn(
                dev.nd_net.kernel,
                "A link change request failed with some changes committed already. Interface"
                f" {dev.name} may have been left with an inconsistent configuration, please check.",
            )
        raise failure


def _changes(
    skb: sk_buff, dev: net_device, ifm: ifinfomsg, extack: netlink_ext_ack | None, tb: nlattrs
) -> Iterator[int]:
    """Make the changes in Linux's order; what each means for those who listen."""
    yield from _change_place(skb, dev, tb)
    yield from _change_identity(dev, ifm, extack, tb)
    if ifm.ifi_flags or ifm.ifi_change:
        dev_change_flags(dev, rtnl_dev_combine_flags(dev, ifm), extack)
    yield from _change_state(dev, extack, tb)
    yield from _change_offloads(dev, tb)
    yield from _change_rest(dev, extack, tb)


def _change_place(skb: sk_buff, dev: net_device, tb: nlattrs) -> Iterator[int]:
    if not any(kind in tb for kind in _NETNS):
        return
    pattern = nla_strscpy(tb[i.IFLA_IFNAME], IFNAMSIZ) if i.IFLA_IFNAME in tb else ""
    net = rtnl_link_get_net_capable(skb, dev.nd_net, tb, CAP_NET_ADMIN)
    try:
        new_ifindex = nla_get_u32(tb[i.IFLA_NEW_IFINDEX]) if i.IFLA_NEW_IFINDEX in tb else 0
        __dev_change_net_namespace(dev, net, pattern, new_ifindex)
    finally:
        put_net(net)
    yield DO_SETLINK_MODIFIED


def _change_identity(
    dev: net_device, ifm: ifinfomsg, extack: netlink_ext_ack | None, tb: nlattrs
) -> Iterator[int]:
    if i.IFLA_MAP in tb:  # no driver's registers can be moved
        raise KernelError(EOPNOTSUPP)
    if i.IFLA_ADDRESS in tb:
        dev_settings.dev_set_mac_address_user(dev, dev.type, bytes(tb[i.IFLA_ADDRESS]), extack)
        yield DO_SETLINK_MODIFIED
    if i.IFLA_MTU in tb:
        dev_set_mtu_ext(dev, nla_get_u32(tb[i.IFLA_MTU]), extack)
        yield DO_SETLINK_MODIFIED
    if i.IFLA_GROUP in tb:
        dev_settings.dev_set_group(dev, nla_get_u32(tb[i.IFLA_GROUP]))
        yield DO_SETLINK_NOTIFY
    if ifm.ifi_index > 0 and i.IFLA_IFNAME in tb:
        dev_change_name(dev, nla_strscpy(tb[i.IFLA_IFNAME], IFNAMSIZ))
        yield DO_SETLINK_MODIFIED
    if i.IFLA_IFALIAS in tb:
        dev_settings.dev_set_alias(dev, bytes(tb[i.IFLA_IFALIAS]))
        yield DO_SETLINK_NOTIFY
    if i.IFLA_BROADCAST in tb:
        dev.broadcast = bytes(tb[i.IFLA_BROADCAST][: dev.addr_len])
        call_netdevice_notifiers(NETDEV_CHANGEADDR, dev)


def _change_state(dev: net_device, extack: netlink_ext_ack | None, tb: nlattrs) -> Iterator[int]:
    if i.IFLA_MASTER in tb:
        do_set_master(dev, nla_get_u32(tb[i.IFLA_MASTER]), extack)
        yield DO_SETLINK_MODIFIED
    if i.IFLA_CARRIER in tb:
        dev_settings.dev_change_carrier(dev, bool(nla_get_u8(tb[i.IFLA_CARRIER])))
        yield DO_SETLINK_MODIFIED
    if i.IFLA_TXQLEN in tb:
        dev_settings.dev_change_tx_queue_len(dev, nla_get_u32(tb[i.IFLA_TXQLEN]))
        yield DO_SETLINK_MODIFIED


def _change_offloads(dev: net_device, tb: nlattrs) -> Iterator[int]:
    for kind, field, most in (
        (i.IFLA_GSO_MAX_SIZE, "gso_max_size", dev.tso_max_size),
        (i.IFLA_GSO_MAX_SEGS, "gso_max_segs", min(GSO_MAX_SEGS, dev.tso_max_segs)),
        (i.IFLA_GRO_MAX_SIZE, "gro_max_size", 0xFFFFFFFF),
    ):
        if kind not in tb:
            continue
        value = nla_get_u32(tb[kind])
        if value > most:
            raise KernelError(EINVAL)
        if getattr(dev, field) != value:
            setattr(dev, field, value)
            yield DO_SETLINK_MODIFIED


def _change_rest(dev: net_device, extack: netlink_ext_ack | None, tb: nlattrs) -> Iterator[int]:
    if i.IFLA_OPERSTATE in tb:
        set_operstate(dev, nla_get_u8(tb[i.IFLA_OPERSTATE]))
    if i.IFLA_LINKMODE in tb:
        mode = nla_get_u8(tb[i.IFLA_LINKMODE])
        changed, dev.link_mode = dev.link_mode != mode, mode
        if changed:
            yield DO_SETLINK_NOTIFY
    if i.IFLA_VF_PORTS in tb or i.IFLA_PORT_SELF in tb:
        raise KernelError(EOPNOTSUPP)
    for af in nla_for_each_nested(tb[i.IFLA_AF_SPEC]) if i.IFLA_AF_SPEC in tb else ():
        af_ops = rtnetlink.rtnl_af_lookup(dev.nd_net.kernel, nla_type(af))
        assert af_ops is not None, "validate_linkmsg() has looked"
        assert af_ops.set_link_af is not None
        af_ops.set_link_af(dev, af, extack)
        yield DO_SETLINK_NOTIFY
    if i.IFLA_PROTO_DOWN in tb or i.IFLA_PROTO_DOWN_REASON in tb:
        NL_SET_ERR_MSG(extack, "Protodown not supported by device")
        raise KernelError(EOPNOTSUPP)
    if i.IFLA_XDP in tb:  # there are no BPF programs
        raise KernelError(EINVAL)


def rtnl_dev_get(net: net_t, tb: nlattrs) -> net_device | None:
    """The device that a request names."""
    for kind, size in ((i.IFLA_IFNAME, IFNAMSIZ), (i.IFLA_ALT_IFNAME, ALTIFNAMSIZ)):
        if kind in tb:
            return __dev_get_by_name(net, nla_strscpy(tb[kind], size))
    return None


def _named_device(net: net_t, ifm: ifinfomsg, tb: nlattrs) -> net_device:
    """The device of a request, by index or name. EINVAL: none is named; ENODEV."""
    if ifm.ifi_index > 0:
        dev = __dev_get_by_index(net, ifm.ifi_index)
    elif i.IFLA_IFNAME in tb or i.IFLA_ALT_IFNAME in tb:
        dev = rtnl_dev_get(net, tb)
    else:
        raise KernelError(EINVAL)
    if dev is None:
        raise KernelError(ENODEV)
    return dev


def rtnl_setlink(skb: sk_buff, nlh: nlmsghdr, extack: netlink_ext_ack) -> None:
    """RTM_SETLINK. EINVAL: no device is named; ENODEV; what do_setlink() raises."""
    assert skb.sk is not None
    net = skb.sk.sk_net
    tb = nlmsg_parse_deprecated(nlh, IFINFOMSG.size, i.IFLA_MAX, ifla_policy, extack)
    rtnl_ensure_unique_netns(tb, extack, False)
    ifm = ifinfomsg(nlh)
    dev = _named_device(net, ifm, tb)
    do_setlink(skb, dev, ifm, extack, tb, 0)
