"""net/ipv4/devinet.c: settings of IPv4 on devices by NETLINK_ROUTE (RTM_GETNETCONF)."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from kshell.abi.errno import EINVAL, EMSGSIZE
from kshell.abi.netlink import NLM_F_MULTI
from kshell.abi.rtnetlink import (
    NETCONFA_ALL,
    NETCONFA_BC_FORWARDING,
    NETCONFA_FORWARDING,
    NETCONFA_IFINDEX,
    NETCONFA_IFINDEX_ALL,
    NETCONFA_IFINDEX_DEFAULT,
    NETCONFA_IGNORE_ROUTES_WITH_LINKDOWN,
    NETCONFA_MAX,
    NETCONFA_MC_FORWARDING,
    NETCONFA_PROXY_NEIGH,
    NETCONFA_RP_FILTER,
    RTM_GETNETCONF,
    RTM_NEWNETCONF,
    RTNLGRP_IPV4_NETCONF,
)
from kshell.abi.socket import AF_INET, PF_INET
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.inetdevice import (
    IPV4_DEVCONF_BC_FORWARDING,
    IPV4_DEVCONF_FORWARDING,
    IPV4_DEVCONF_IGNORE_ROUTES_WITH_LINKDOWN,
    IPV4_DEVCONF_MC_FORWARDING,
    IPV4_DEVCONF_PROXY_ARP,
    IPV4_DEVCONF_RP_FILTER,
    ipv4_devconf,
)
from kshell.linux.include.linux.netlink import NETLINK_CB, netlink_callback, netlink_ext_ack
from kshell.linux.include.net.netlink import (
    NLMSG_ALIGN,
    nl_dump_check_consistent,
    nla_get_s32,
    nla_put_s32,
    nlmsg_attrlen,
    nlmsg_cancel,
    nlmsg_end,
    nlmsg_len,
    nlmsg_new,
    nlmsg_parse_deprecated,
    nlmsg_parse_deprecated_strict,
    nlmsg_put,
)
from kshell.linux.include.net.nlattr import NL_SET_ERR_MSG, nla_policy, nla_total_size, nlattrs
from kshell.linux.net.core import rtnetlink
from kshell.linux.net.core.dev import __dev_get_by_index
from kshell.linux.net.core.rtnetlink_getlink import netlink_strict_get_check
from kshell.linux.net.core.rtnetlink_send import rtnl_notify, rtnl_unicast
from kshell.linux.net.ipv4.devinet_rtnl import inet_base_seq

if TYPE_CHECKING:
    from kshell.linux.include.linux.skbuff import sk_buff
    from kshell.linux.include.net.net_namespace import net as net_t
    from kshell.linux.include.net.netlink import nlmsghdr
    from kshell.linux.init.kernel import Kernel

SIZEOF_NETCONFMSG: Final = 1

#: attribute → setting, in the order of the message
_SETTINGS: Final = (
    (NETCONFA_FORWARDING, IPV4_DEVCONF_FORWARDING),
    (NETCONFA_RP_FILTER, IPV4_DEVCONF_RP_FILTER),
    (NETCONFA_MC_FORWARDING, IPV4_DEVCONF_MC_FORWARDING),
    (NETCONFA_BC_FORWARDING, IPV4_DEVCONF_BC_FORWARDING),
    (NETCONFA_PROXY_NEIGH, IPV4_DEVCONF_PROXY_ARP),
    (NETCONFA_IGNORE_ROUTES_WITH_LINKDOWN, IPV4_DEVCONF_IGNORE_ROUTES_WITH_LINKDOWN),
)
_INT = nla_policy(len=4)
devconf_ipv4_policy: Final = MappingProxyType(
    {
        NETCONFA_IFINDEX: _INT,
        NETCONFA_FORWARDING: _INT,
        NETCONFA_RP_FILTER: _INT,
        NETCONFA_PROXY_NEIGH: _INT,
        NETCONFA_IGNORE_ROUTES_WITH_LINKDOWN: _INT,
    }
)


def inet_netconf_msgsize_devconf(type: int) -> int:
    """Room for a message with one setting, or with all."""
    wanted = sum(type in (NETCONFA_ALL, attrtype) for attrtype, _ in _SETTINGS)
    return NLMSG_ALIGN(SIZEOF_NETCONFMSG) + (1 + wanted) * nla_total_size(4)


def inet_netconf_fill_devconf(
    skb: sk_buff,
    ifindex: int,
    devconf: ipv4_devconf | None,
    portid: int,
    seq: int,
    event: int,
    flags: int,
    type: int,
) -> int:
    """Append a message with the settings of a device; where it begins. EMSGSIZE: no room."""
    nlh = nlmsg_put(skb, portid, seq, event, bytes((AF_INET,)), flags)
    try:
        nla_put_s32(skb, NETCONFA_IFINDEX, ifindex)
        for attrtype, setting in _SETTINGS if devconf is not None else ():
            if type in (NETCONFA_ALL, attrtype) and devconf is not None:
                nla_put_s32(skb, attrtype, devconf.data[setting - 1])
    except KernelError:
        nlmsg_cancel(skb, nlh)
        raise
    nlmsg_end(skb, nlh)
    return nlh


def inet_netconf_notify_devconf(
    net: net_t, event: int, type: int, ifindex: int, devconf: ipv4_devconf | None
) -> None:
    """Tell route sockets that a setting changed."""
    skb = nlmsg_new(net.kernel, inet_netconf_msgsize_devconf(type))
    inet_netconf_fill_devconf(skb, ifindex, devconf, 0, 0, event, 0, type)
    rtnl_notify(skb, net, 0, RTNLGRP_IPV4_NETCONF, None)


def inet_netconf_valid_get_req(skb: sk_buff, nlh: nlmsghdr, extack: netlink_ext_ack) -> nlattrs:
    """The attributes of a request for one device's settings. EINVAL."""
    if nlmsg_len(nlh) < SIZEOF_NETCONFMSG:
        NL_SET_ERR_MSG(extack, "ipv4: Invalid header for netconf get request")
        raise KernelError(EINVAL)
    if not netlink_strict_get_check(skb):
        return nlmsg_parse_deprecated(nlh, SIZEOF_NETCONFMSG, NETCONFA_MAX, devconf_ipv4_policy, extack)
    tb = nlmsg_parse_deprecated_strict(nlh, SIZEOF_NETCONFMSG, NETCONFA_MAX, devconf_ipv4_policy, extack)
    if any(kind != NETCONFA_IFINDEX for kind in tb):
        NL_SET_ERR_MSG(extack, "ipv4: Unsupported attribute in netconf get request")
        raise KernelError(EINVAL)
    return tb


def _devconf_of(net: net_t, ifindex: int) -> ipv4_devconf:
    if ifindex == NETCONFA_IFINDEX_ALL:
        return net.ipv4.devconf_all
    if ifindex == NETCONFA_IFINDEX_DEFAULT:
        return net.ipv4.devconf_dflt
    dev = __dev_get_by_index(net, ifindex)
    if dev is None or dev.ip_ptr is None:
        raise KernelError(EINVAL)
    return dev.ip_ptr.cnf


def inet_netconf_get_devconf(in_skb: sk_buff, nlh: nlmsghdr, extack: netlink_ext_ack) -> None:
    """RTM_GETNETCONF of a device, of conf/all (-1) or conf/default (-2). EINVAL."""
    assert in_skb.sk is not None
    net = in_skb.sk.sk_net
    tb = inet_netconf_valid_get_req(in_skb, nlh, extack)
    if NETCONFA_IFINDEX not in tb:
        raise KernelError(EINVAL)
    ifindex = nla_get_s32(tb[NETCONFA_IFINDEX])
    devconf = _devconf_of(net, ifindex)
    skb = nlmsg_new(net.kernel, inet_netconf_msgsize_devconf(NETCONFA_ALL))
    portid = NETLINK_CB(in_skb).portid
    inet_netconf_fill_devconf(skb, ifindex, devconf, portid, nlh.nlmsg_seq, RTM_NEWNETCONF, 0, NETCONFA_ALL)
    rtnl_unicast(skb, net, portid)


def inet_netconf_dump_devconf(skb: sk_buff, cb: netlink_callback) -> int:
    """RTM_GETNETCONF of all devices, then all and default, as many as fit; args[0] of them are done."""
    assert cb.skb.sk is not None
    net = cb.skb.sk.sk_net
    nlh = cb.nlh
    if cb.strict_check:
        if nlmsg_len(nlh) < SIZEOF_NETCONFMSG:
            NL_SET_ERR_MSG(cb.extack, "ipv4: Invalid header for netconf dump request")
            raise KernelError(EINVAL)
        if nlmsg_attrlen(nlh, SIZEOF_NETCONFMSG) > 0:
            NL_SET_ERR_MSG(cb.extack, "ipv4: Invalid data after header in netconf dump request")
            raise KernelError(EINVAL)
    cb.seq = inet_base_seq(net)
    confs = [(dev.ifindex, dev.ip_ptr.cnf) for dev in net.dev_base_head if dev.ip_ptr is not None]
    confs += [(NETCONFA_IFINDEX_ALL, net.ipv4.devconf_all), (NETCONFA_IFINDEX_DEFAULT, net.ipv4.devconf_dflt)]
    portid = NETLINK_CB(cb.skb).portid
    try:
        for ifindex, cnf in confs[cb.args[0] :]:
            start = inet_netconf_fill_devconf(
                skb, ifindex, cnf, portid, nlh.nlmsg_seq, RTM_NEWNETCONF, NLM_F_MULTI, NETCONFA_ALL
            )
            nl_dump_check_consistent(cb, skb, start)
            cb.args[0] += 1
    except KernelError as error:
        if error.errno != EMSGSIZE or not skb.len:
            raise
    return skb.len


def _netconf_init(kernel: Kernel) -> None:
    """Part of devinet_init(): who answers requests about settings."""
    rtnetlink.rtnl_register(kernel, PF_INET, RTM_GETNETCONF, inet_netconf_get_devconf, inet_netconf_dump_devconf)
