"""RTM_GETLINK: one link or all (part of net/core/rtnetlink.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kshell.abi import if_link as i
from kshell.abi.errno import EINVAL, EMSGSIZE
from kshell.abi.netlink import NLM_F_DUMP_FILTERED, NLM_F_MULTI
from kshell.abi.rtnetlink import RTM_NEWLINK
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.netlink import (
    NETLINK_CB,
    NETLINK_F_STRICT_CHK,
    NLMSG_GOODSIZE,
    netlink_callback,
    netlink_ext_ack,
    nlk_sk,
)
from kshell.linux.include.net.netlink import (
    nl_dump_check_consistent,
    nla_get_u32,
    nlmsg_len,
    nlmsg_new,
    nlmsg_parse_deprecated,
    nlmsg_parse_deprecated_strict,
    nlmsg_total_size,
)
from kshell.linux.include.net.nlattr import NL_SET_ERR_MSG, nlattr, nlattrs
from kshell.linux.include.net.rtnetlink import rtnl_link_ops
from kshell.linux.lib.nlattr import nla_parse_nested_deprecated
from kshell.linux.net.core.dev import netdev_master_upper_dev_get
from kshell.linux.net.core.rtnetlink_ifinfo import rtnl_fill_ifinfo
from kshell.linux.net.core.rtnetlink_ifsize import IFINFOMSG, if_nlmsg_size
from kshell.linux.net.core.rtnetlink_link import _find_kind, _no_other_net
from kshell.linux.net.core.rtnetlink_policy import ifla_info_policy, ifla_policy
from kshell.linux.net.core.rtnetlink_send import rtnl_unicast
from kshell.linux.net.core.rtnetlink_setlink import _named_device, ifinfomsg, rtnl_ensure_unique_netns

if TYPE_CHECKING:
    from kshell.linux.include.linux.netdevice import net_device
    from kshell.linux.include.linux.skbuff import sk_buff
    from kshell.linux.include.net.netlink import nlmsghdr
    from kshell.linux.init.kernel import Kernel


SIZEOF_RTGENMSG: Final = 1
_GETLINK: Final = (i.IFLA_IFNAME, i.IFLA_ALT_IFNAME, i.IFLA_EXT_MASK, i.IFLA_TARGET_NETNSID)


def netlink_strict_get_check(skb: sk_buff) -> bool:
    """Whether the sender wants requests to be read strictly."""
    sk = NETLINK_CB(skb).sk
    return sk is not None and bool(nlk_sk(sk).flags >> NETLINK_F_STRICT_CHK & 1)


def _clean_header(ifm: ifinfomsg, nlh: nlmsghdr) -> bool:
    return not (nlh._payload[1] or ifm.ifi_type or ifm.ifi_flags or ifm.ifi_change)


def rtnl_valid_getlink_req(skb: sk_buff, nlh: nlmsghdr, extack: netlink_ext_ack) -> nlattrs:
    """The attributes of a request for one link. EINVAL."""
    if nlmsg_len(nlh) < IFINFOMSG.size:
        NL_SET_ERR_MSG(extack, "Invalid header for get link")
        raise KernelError(EINVAL)
    if not netlink_strict_get_check(skb):
        return nlmsg_parse_deprecated(nlh, IFINFOMSG.size, i.IFLA_MAX, ifla_policy, extack)
    if not _clean_header(ifinfomsg(nlh), nlh):
        NL_SET_ERR_MSG(extack, "Invalid values in header for get link request")
        raise KernelError(EINVAL)
    tb = nlmsg_parse_deprecated_strict(nlh, IFINFOMSG.size, i.IFLA_MAX, ifla_policy, extack)
    if any(kind not in _GETLINK for kind in tb):
        NL_SET_ERR_MSG(extack, "Unsupported attribute in get link request")
        raise KernelError(EINVAL)
    return tb


def rtnl_getlink(skb: sk_buff, nlh: nlmsghdr, extack: netlink_ext_ack) -> None:
    """RTM_GETLINK of one link. EINVAL, ENODEV."""
    assert skb.sk is not None
    net = skb.sk.sk_net
    tb = rtnl_valid_getlink_req(skb, nlh, extack)
    rtnl_ensure_unique_netns(tb, extack, True)
    _no_other_net(tb)
    ext_filter_mask = nla_get_u32(tb[i.IFLA_EXT_MASK]) if i.IFLA_EXT_MASK in tb else 0
    ifm = ifinfomsg(nlh)
    dev = _named_device(net, ifm, tb)
    nskb = nlmsg_new(net.kernel, if_nlmsg_size(dev, ext_filter_mask))
    portid = NETLINK_CB(skb).portid
    rtnl_fill_ifinfo(nskb, dev, net, RTM_NEWLINK, portid, nlh.nlmsg_seq, 0, 0, ext_filter_mask, 0)
    rtnl_unicast(nskb, net, portid)


def linkinfo_to_kind_ops(kernel: Kernel, nla: nlattr) -> rtnl_link_ops | None:
    """The kind of device that a dump is restricted to."""
    linfo = nla_parse_nested_deprecated(nla, i.IFLA_INFO_MAX, ifla_info_policy, None)
    return _find_kind(kernel, linfo, False)


def link_master_filtered(dev: net_device, master_idx: int) -> bool:
    """Whether a link is not part of the device asked for (-1: whether it is part of any)."""
    if not master_idx:
        return False
    master = netdev_master_upper_dev_get(dev)
    if master_idx == 0xFFFFFFFF:
        return master is not None
    return master is None or master.ifindex != master_idx


def link_dump_filtered(dev: net_device, master_idx: int, kind_ops: rtnl_link_ops | None) -> bool:
    """Whether a dump leaves a link out."""
    return link_master_filtered(dev, master_idx) or (kind_ops is not None and dev.rtnl_link_ops is not kind_ops)


def _header_length(nlh: nlmsghdr) -> int:
    """Programs before Linux 3.9 sent a shorter header."""
    return SIZEOF_RTGENMSG if nlmsg_len(nlh) < IFINFOMSG.size else IFINFOMSG.size


def rtnl_valid_dump_ifinfo_req(nlh: nlmsghdr, strict_check: bool, extack: netlink_ext_ack | None) -> nlattrs:
    """The attributes of a request for all links. EINVAL."""
    if not strict_check:
        return nlmsg_parse_deprecated(nlh, _header_length(nlh), i.IFLA_MAX, ifla_policy, extack)
    if nlmsg_len(nlh) < IFINFOMSG.size:
        NL_SET_ERR_MSG(extack, "Invalid header for link dump")
        raise KernelError(EINVAL)
    ifm = ifinfomsg(nlh)
    if not _clean_header(ifm, nlh):
        NL_SET_ERR_MSG(extack, "Invalid values in header for link dump request")
        raise KernelError(EINVAL)
    if ifm.ifi_index:
        NL_SET_ERR_MSG(extack, "Filter by device index not supported for link dumps")
        raise KernelError(EINVAL)
    return nlmsg_parse_deprecated_strict(nlh, IFINFOMSG.size, i.IFLA_MAX, ifla_policy, extack)


class _link_filter:
    """What a dump of links asks for."""

    __slots__ = ("ext_filter_mask", "kind_ops", "master_idx")

    def __init__(self) -> None:
        self.ext_filter_mask = self.master_idx = 0
        self.kind_ops: rtnl_link_ops | None = None


def _dump_filter(cb: netlink_callback, kernel: Kernel) -> _link_filter:
    wanted = _link_filter()
    try:
        tb = rtnl_valid_dump_ifinfo_req(cb.nlh, cb.strict_check, cb.extack)
    except KernelError:
        if cb.strict_check:
            raise
        return wanted
    for kind, nla in sorted(tb.items()):
        if kind == i.IFLA_TARGET_NETNSID:
            NL_SET_ERR_MSG(cb.extack, "Invalid target network namespace id")
            raise KernelError(EINVAL)
        if kind == i.IFLA_EXT_MASK:
            wanted.ext_filter_mask = nla_get_u32(nla)
        elif kind == i.IFLA_MASTER:
            wanted.master_idx = nla_get_u32(nla)
        elif kind == i.IFLA_LINKINFO:
            wanted.kind_ops = linkinfo_to_kind_ops(kernel, nla)
        elif cb.strict_check:
            NL_SET_ERR_MSG(cb.extack, "Unsupported attribute in link dump request")
            raise KernelError(EINVAL)
    return wanted


def rtnl_dump_ifinfo(skb: sk_buff, cb: netlink_callback) -> int:
    """RTM_GETLINK of all links, as many as fit; args[0] is the number of those that are done."""
    assert cb.skb.sk is not None
    net = cb.skb.sk.sk_net
    wanted = _dump_filter(cb, net.kernel)
    filtered = wanted.master_idx or wanted.kind_ops is not None
    flags = NLM_F_MULTI | (NLM_F_DUMP_FILTERED if filtered else 0)
    portid = NETLINK_CB(cb.skb).portid
    cb.seq = net.dev_base_seq
    for dev in list(net.dev_base_head)[cb.args[0] :]:
        if not link_dump_filtered(dev, wanted.master_idx, wanted.kind_ops):
            try:
                start = rtnl_fill_ifinfo(
                    skb, dev, net, RTM_NEWLINK, portid, cb.nlh.nlmsg_seq, 0, flags, wanted.ext_filter_mask, 0
                )
            except KernelError as error:
                if error.errno != EMSGSIZE or not skb.len:
                    raise
                break
            nl_dump_check_consistent(cb, skb, start)
        cb.args[0] += 1
    return skb.len


def rtnl_calcit(skb: sk_buff, nlh: nlmsghdr) -> int:
    """How much room the parts of a dump of links need at least."""
    assert skb.sk is not None
    try:
        tb = nlmsg_parse_deprecated(nlh, _header_length(nlh), i.IFLA_MAX, ifla_policy, None)
    except KernelError:
        return NLMSG_GOODSIZE
    mask = nla_get_u32(tb[i.IFLA_EXT_MASK]) if i.IFLA_EXT_MASK in tb else 0
    if not mask:
        return NLMSG_GOODSIZE
    return nlmsg_total_size(max((if_nlmsg_size(dev, mask) for dev in skb.sk.sk_net.dev_base_head), default=0))
