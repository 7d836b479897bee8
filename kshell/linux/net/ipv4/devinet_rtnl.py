"""net/ipv4/devinet.c: requests about addresses by NETLINK_ROUTE, addresses that expire, IFLA_AF_SPEC of AF_INET."""

from __future__ import annotations

import struct
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from kshell.abi.errno import (
    EADDRNOTAVAIL,
    EAFNOSUPPORT,
    EEXIST,
    EINVAL,
    EMSGSIZE,
    ENOBUFS,
    ENODATA,
    ENODEV,
)
from kshell.abi.if_link import IFLA_INET_CONF, IFLA_INET_MAX
from kshell.abi.netdevice import IFNAMSIZ
from kshell.abi.netlink import NLM_F_DUMP_FILTERED, NLM_F_EXCL, NLM_F_MULTI, NLM_F_REPLACE
from kshell.abi.rtnetlink import (
    IFA_ADDRESS,
    IFA_BROADCAST,
    IFA_CACHEINFO,
    IFA_F_DEPRECATED,
    IFA_F_PERMANENT,
    IFA_FLAGS,
    IFA_LABEL,
    IFA_LOCAL,
    IFA_MAX,
    IFA_PROTO,
    IFA_RT_PRIORITY,
    IFA_TARGET_NETNSID,
    RTM_DELADDR,
    RTM_GETADDR,
    RTM_NEWADDR,
)
from kshell.abi.socket import AF_INET, PF_INET
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.inetdevice import (
    INFINITY_LIFE_TIME,
    IPV4_DEVCONF_MAX,
    _ifas,
    in_device,
    in_ifaddr,
    inet_ifa_match,
    inet_make_mask,
    ipv4_devconf_set,
    ipv4_devconf_setall,
)
from kshell.linux.include.linux.jiffies import HZ
from kshell.linux.include.linux.netlink import NETLINK_CB, netlink_callback, netlink_ext_ack
from kshell.linux.include.net.netlink import (
    nl_dump_check_consistent,
    nla_get_in_addr,
    nla_get_u8,
    nla_get_u32,
    nla_put,
    nlmsg_len,
    nlmsg_parse_deprecated,
    nlmsg_parse_deprecated_strict,
)
from kshell.linux.include.net.nlattr import (
    NL_SET_ERR_MSG,
    NLA_NESTED,
    NLA_S32,
    NLA_STRING,
    NLA_U8,
    NLA_U32,
    nla_for_each_nested,
    nla_policy,
    nla_total_size,
    nla_type,
    nlattr,
    nlattrs,
)
from kshell.linux.include.net.rtnetlink import rtnl_af_ops
from kshell.linux.kernel.workqueue import INIT_DELAYED_WORK, cancel_delayed_work, schedule_delayed_work
from kshell.linux.lib.nlattr import nla_parse_nested_deprecated, nla_strcmp, nla_strscpy
from kshell.linux.net.core import rtnetlink
from kshell.linux.net.core.dev import __dev_get_by_index
from kshell.linux.net.ipv4 import devinet, fib_frontend_dev
from kshell.linux.net.ipv4.devinet_fill import (
    IFA_CACHEINFO_STRUCT,
    IFADDRMSG,
    inet_fill_args,
    inet_fill_ifaddr,
    rtmsg_ifa,
)

if TYPE_CHECKING:
    from kshell.linux.include.linux.netdevice import net_device
    from kshell.linux.include.linux.skbuff import sk_buff
    from kshell.linux.include.linux.workqueue import work_struct
    from kshell.linux.include.net.net_namespace import net as net_t
    from kshell.linux.include.net.netlink import nlmsghdr
    from kshell.linux.init.kernel import Kernel

ADDRCONF_TIMER_FUZZ_MINUS: Final = HZ // 50

_U32 = nla_policy(NLA_U32)
ifa_ipv4_policy: Final = MappingProxyType(
    {
        IFA_LOCAL: _U32,
        IFA_ADDRESS: _U32,
        IFA_BROADCAST: _U32,
        IFA_LABEL: nla_policy(NLA_STRING, len=15),
        IFA_CACHEINFO: nla_policy(len=IFA_CACHEINFO_STRUCT.size),
        IFA_FLAGS: _U32,
        IFA_RT_PRIORITY: _U32,
        IFA_TARGET_NETNSID: nla_policy(NLA_S32),
        IFA_PROTO: nla_policy(NLA_U8),
    }
)
inet_af_policy: Final = MappingProxyType({IFLA_INET_CONF: nla_policy(NLA_NESTED)})


# ---- RTM_NEWADDR, RTM_DELADDR ----


class _lifetime:
    """How long an address is to be valid and preferred, in seconds."""

    __slots__ = ("preferred", "valid")

    def __init__(self, tb: nlattrs) -> None:
        self.preferred = self.valid = INFINITY_LIFE_TIME
        if IFA_CACHEINFO in tb:
            self.preferred, self.valid, _, _ = IFA_CACHEINFO_STRUCT.unpack_from(tb[IFA_CACHEINFO])
            if not self.valid or self.preferred > self.valid:
                raise KernelError(EINVAL)


def rtm_to_ifaddr(net: net_t, nlh: nlmsghdr, extack: netlink_ext_ack | None) -> tuple[in_ifaddr, _lifetime]:
    """Make an address of a request. EINVAL, ENODEV; ENOBUFS: IPv4 is not set up on the device."""
    tb = nlmsg_parse_deprecated(nlh, IFADDRMSG.size, IFA_MAX, ifa_ipv4_policy, extack)
    _, prefixlen, flags, scope, index = IFADDRMSG.unpack_from(nlh._payload)
    if prefixlen > 32 or IFA_LOCAL not in tb:
        raise KernelError(EINVAL)
    dev = __dev_get_by_index(net, index)
    if dev is None:
        raise KernelError(ENODEV)
    in_dev = dev.ip_ptr
    if in_dev is None:
        raise KernelError(ENOBUFS)
    lifetime = _lifetime(tb)
    ifa = devinet.inet_alloc_ifa(net.kernel)
    ipv4_devconf_setall(in_dev)
    in_dev.refcnt += 1
    ifa.ifa_dev = in_dev
    ifa.ifa_prefixlen = prefixlen
    ifa.ifa_mask = inet_make_mask(prefixlen)
    ifa.ifa_flags = nla_get_u32(tb[IFA_FLAGS]) if IFA_FLAGS in tb else flags
    ifa.ifa_scope = scope
    ifa.ifa_local = nla_get_in_addr(tb[IFA_LOCAL])
    ifa.ifa_address = nla_get_in_addr(tb.get(IFA_ADDRESS, tb[IFA_LOCAL]))
    ifa.ifa_broadcast = nla_get_in_addr(tb[IFA_BROADCAST]) if IFA_BROADCAST in tb else 0
    ifa.ifa_label = nla_strscpy(tb[IFA_LABEL], IFNAMSIZ) if IFA_LABEL in tb else dev.name
    ifa.ifa_rt_priority = nla_get_u32(tb[IFA_RT_PRIORITY]) if IFA_RT_PRIORITY in tb else 0
    ifa.ifa_proto = nla_get_u8(tb[IFA_PROTO]) if IFA_PROTO in tb else 0
    return ifa, lifetime


def find_matching_ifa(ifa: in_ifaddr) -> in_ifaddr | None:
    """The address of the device that is the same in the same subnet."""
    assert ifa.ifa_dev is not None
    if not ifa.ifa_local:
        return None
    for ifa1 in _ifas(ifa.ifa_dev):
        if ifa1.ifa_mask == ifa.ifa_mask and inet_ifa_match(ifa1.ifa_address, ifa) and ifa1.ifa_local == ifa.ifa_local:
            return ifa1
    return None


def inet_rtm_newaddr(skb: sk_buff, nlh: nlmsghdr, extack: netlink_ext_ack) -> None:
    """RTM_NEWADDR: add an address, or with NLM_F_REPLACE set one anew. EEXIST, EINVAL, ENODEV."""
    assert skb.sk is not None
    net = skb.sk.sk_net
    kernel = net.kernel
    ifa, lifetime = rtm_to_ifaddr(net, nlh, extack)
    portid = NETLINK_CB(skb).portid
    ifa_existing = find_matching_ifa(ifa)
    if ifa_existing is None:
        devinet.set_ifa_lifetime(kernel, ifa, lifetime.valid, lifetime.preferred)
        devinet.__inet_insert_ifa(ifa, nlh, portid)
        return
    new_metric = ifa.ifa_rt_priority
    devinet.inet_free_ifa(kernel, ifa)
    if nlh.nlmsg_flags & NLM_F_EXCL or not nlh.nlmsg_flags & NLM_F_REPLACE:
        raise KernelError(EEXIST)
    if ifa_existing.ifa_rt_priority != new_metric:
        fib_frontend_dev.fib_modify_prefix_metric(ifa_existing, new_metric)
        ifa_existing.ifa_rt_priority = new_metric
    devinet.set_ifa_lifetime(kernel, ifa_existing, lifetime.valid, lifetime.preferred)
    _recheck_lifetimes(kernel)
    rtmsg_ifa(RTM_NEWADDR, ifa_existing, nlh, portid)


def inet_rtm_deladdr(skb: sk_buff, nlh: nlmsghdr, extack: netlink_ext_ack) -> None:
    """RTM_DELADDR: remove the first address that the request fits. ENODEV, EADDRNOTAVAIL."""
    assert skb.sk is not None
    tb = nlmsg_parse_deprecated(nlh, IFADDRMSG.size, IFA_MAX, ifa_ipv4_policy, extack)
    _, prefixlen, _, _, index = IFADDRMSG.unpack_from(nlh._payload)
    in_dev = devinet.inetdev_by_index(skb.sk.sk_net, index)
    if in_dev is None:
        raise KernelError(ENODEV)
    for ifa in _ifas(in_dev):
        if IFA_LOCAL in tb and ifa.ifa_local != nla_get_in_addr(tb[IFA_LOCAL]):
            continue
        if IFA_LABEL in tb and nla_strcmp(tb[IFA_LABEL], ifa.ifa_label):
            continue
        if IFA_ADDRESS in tb and (
            prefixlen != ifa.ifa_prefixlen or not inet_ifa_match(nla_get_in_addr(tb[IFA_ADDRESS]), ifa)
        ):
            continue
        devinet.__inet_del_ifa(in_dev, ifa, True, nlh, NETLINK_CB(skb).portid)
        return
    raise KernelError(EADDRNOTAVAIL)


# ---- addresses that expire ----


def _recheck_lifetimes(kernel: Kernel) -> None:
    """Look at the lifetimes at once; then again whenever the next of them ends."""
    if all(ifa.ifa_flags & IFA_F_PERMANENT for ifa in kernel.inet_addr_lst.values()):
        return
    if kernel.check_lifetime_work is None:
        kernel.check_lifetime_work = INIT_DELAYED_WORK(kernel, check_lifetime, kernel)
    cancel_delayed_work(kernel.check_lifetime_work)
    schedule_delayed_work(kernel, kernel.check_lifetime_work, 0)


def _expire(ifa: in_ifaddr, now: int) -> int | None:
    """Remove an address that is no longer valid, mark one that is not preferred; when to look again (ticks)."""
    if ifa.ifa_flags & IFA_F_PERMANENT and ifa.ifa_preferred_lft == INFINITY_LIFE_TIME:
        return None
    age = (now - ifa.ifa_tstamp + ADDRCONF_TIMER_FUZZ_MINUS) // HZ
    assert ifa.ifa_dev is not None
    if ifa.ifa_valid_lft != INFINITY_LIFE_TIME and age >= ifa.ifa_valid_lft:
        devinet.inet_del_ifa(ifa.ifa_dev, ifa, True)
        return None
    if ifa.ifa_preferred_lft != INFINITY_LIFE_TIME:
        if age < ifa.ifa_preferred_lft:
            return ifa.ifa_tstamp + ifa.ifa_preferred_lft * HZ
        if not ifa.ifa_flags & IFA_F_DEPRECATED:
            ifa.ifa_flags |= IFA_F_DEPRECATED
            rtmsg_ifa(RTM_NEWADDR, ifa, None, 0)
    return None if ifa.ifa_valid_lft == INFINITY_LIFE_TIME else ifa.ifa_tstamp + ifa.ifa_valid_lft * HZ


async def check_lifetime(work: work_struct) -> None:
    """Work: let addresses expire."""
    kernel: Kernel = work._owner  # type: ignore[assignment]
    ends = [_expire(ifa, kernel.jiffies) for ifa in list(kernel.inet_addr_lst.values())]
    following = min((end for end in ends if end is not None), default=None)
    if following is not None and kernel.check_lifetime_work is not None:
        schedule_delayed_work(kernel, kernel.check_lifetime_work, max(HZ, following - kernel.jiffies))


# ---- RTM_GETADDR ----


def inet_valid_dump_ifaddr_req(nlh: nlmsghdr, fillargs: inet_fill_args, cb: netlink_callback) -> None:
    """Read a request for all addresses strictly. EINVAL."""
    extack = cb.extack
    if nlmsg_len(nlh) < IFADDRMSG.size:
        NL_SET_ERR_MSG(extack, "ipv4: Invalid header for address dump request")
        raise KernelError(EINVAL)
    _, prefixlen, flags, scope, fillargs.ifindex = IFADDRMSG.unpack_from(nlh._payload)
    if prefixlen or flags or scope:
        NL_SET_ERR_MSG(extack, "ipv4: Invalid values in header for address dump request")
        raise KernelError(EINVAL)
    if fillargs.ifindex:
        cb.answer_flags |= NLM_F_DUMP_FILTERED
        fillargs.flags |= NLM_F_DUMP_FILTERED
    tb = nlmsg_parse_deprecated_strict(nlh, IFADDRMSG.size, IFA_MAX, ifa_ipv4_policy, extack)
    if tb:
        known = min(tb) == IFA_TARGET_NETNSID
        what = "Invalid target network namespace id" if known else "Unsupported attribute in dump request"
        NL_SET_ERR_MSG(extack, "ipv4: " + what)
        raise KernelError(EINVAL)


def in_dev_dump_addr(in_dev: in_device, skb: sk_buff, cb: netlink_callback, fillargs: inet_fill_args) -> None:
    """Append the addresses of a device from number args[2] on. EMSGSIZE: not all fit."""
    for ifa in _ifas(in_dev)[cb.args[2] :]:
        start = inet_fill_ifaddr(skb, ifa, fillargs)
        nl_dump_check_consistent(cb, skb, start)
        cb.args[2] += 1


def inet_base_seq(net: net_t) -> int:
    """A number that changes with the addresses and devices, never 0."""
    return (net.ipv4.dev_addr_genid + net.dev_base_seq) & 0xFFFFFFFF or 0x80000000


def inet_dump_ifaddr(skb: sk_buff, cb: netlink_callback) -> int:
    """RTM_GETADDR of all addresses, as many as fit; args: devices and addresses of the next one that are done."""
    assert cb.skb.sk is not None
    net = cb.skb.sk.sk_net
    fillargs = inet_fill_args(NETLINK_CB(cb.skb).portid, cb.nlh.nlmsg_seq, RTM_NEWADDR, NLM_F_MULTI)
    devices = list(net.dev_base_head)
    if cb.strict_check:
        inet_valid_dump_ifaddr_req(cb.nlh, fillargs, cb)
        if fillargs.ifindex:
            dev = __dev_get_by_index(net, fillargs.ifindex)
            if dev is None:
                raise KernelError(ENODEV)
            devices = [dev]
    cb.seq = inet_base_seq(net)
    try:
        for dev in devices[cb.args[1] :]:
            if dev.ip_ptr is not None:
                in_dev_dump_addr(dev.ip_ptr, skb, cb, fillargs)
            cb.args[1] += 1
            cb.args[2] = 0
    except KernelError as error:
        if error.errno != EMSGSIZE or not skb.len:
            raise
    return skb.len


# ---- IFLA_AF_SPEC ----


def inet_get_link_af_size(dev: net_device, ext_filter_mask: int) -> int:
    """Room for the settings of a device."""
    return nla_total_size(IPV4_DEVCONF_MAX * 4) if dev.ip_ptr is not None else 0


def inet_fill_link_af(skb: sk_buff, dev: net_device, ext_filter_mask: int) -> None:
    """Append conf/DEV/* of a device. ENODATA: IPv4 is not set up on it."""
    in_dev = dev.ip_ptr
    if in_dev is None:
        raise KernelError(ENODATA)
    values = [value & 0xFFFFFFFF for value in in_dev.cnf.data[:IPV4_DEVCONF_MAX]]
    nla_put(skb, IFLA_INET_CONF, struct.pack(f"<{IPV4_DEVCONF_MAX}I", *values))


def inet_validate_link_af(dev: net_device | None, nla: nlattr, extack: netlink_ext_ack | None) -> None:
    """Hold new settings to what there is. EAFNOSUPPORT, EINVAL."""
    if dev is not None and dev.ip_ptr is None:
        raise KernelError(EAFNOSUPPORT)
    tb = nla_parse_nested_deprecated(nla, IFLA_INET_MAX, inet_af_policy, extack)
    for setting in nla_for_each_nested(tb[IFLA_INET_CONF]) if IFLA_INET_CONF in tb else ():
        if len(setting) < 4 or not 0 < nla_type(setting) <= IPV4_DEVCONF_MAX:
            raise KernelError(EINVAL)


def inet_set_link_af(dev: net_device, nla: nlattr, extack: netlink_ext_ack | None) -> None:
    """Change settings of a device. EAFNOSUPPORT."""
    if dev.ip_ptr is None:
        raise KernelError(EAFNOSUPPORT)
    tb = nla_parse_nested_deprecated(nla, IFLA_INET_MAX, None, None)
    for setting in nla_for_each_nested(tb[IFLA_INET_CONF]) if IFLA_INET_CONF in tb else ():
        ipv4_devconf_set(dev.ip_ptr, nla_type(setting), nla_get_u32(setting))


inet_af_ops: Final = rtnl_af_ops(
    family=AF_INET,
    fill_link_af=inet_fill_link_af,
    get_link_af_size=inet_get_link_af_size,
    validate_link_af=inet_validate_link_af,
    set_link_af=inet_set_link_af,
)


def _rtnl_init(kernel: Kernel) -> None:
    """Part of devinet_init(): who answers requests about addresses."""
    rtnetlink.rtnl_af_register(kernel, inet_af_ops)
    rtnetlink.rtnl_register(kernel, PF_INET, RTM_NEWADDR, inet_rtm_newaddr, None)
    rtnetlink.rtnl_register(kernel, PF_INET, RTM_DELADDR, inet_rtm_deladdr, None)
    rtnetlink.rtnl_register(kernel, PF_INET, RTM_GETADDR, None, inet_dump_ifaddr)
