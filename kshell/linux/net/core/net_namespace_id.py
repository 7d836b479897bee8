"""net/core/net_namespace.c: the numbers by which a namespace knows others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kshell.abi import rtnetlink as r
from kshell.abi.errno import ENOSPC
from kshell.abi.socket import AF_UNSPEC
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.net.net_namespace import get_net
from kshell.linux.include.net.netlink import (
    NLMSG_ALIGN,
    nla_put_u32,
    nlmsg_cancel,
    nlmsg_end,
    nlmsg_new,
    nlmsg_put,
)
from kshell.linux.include.net.nlattr import nla_total_size
from kshell.linux.net.core import rtnetlink_send

if TYPE_CHECKING:
    from kshell.linux.include.linux.skbuff import sk_buff
    from kshell.linux.include.net.net_namespace import net as net_t
    from kshell.linux.include.net.netlink import nlmsghdr

SIZEOF_RTGENMSG: Final = 1


def alloc_netid(net: net_t, peer: net_t, reqid: int) -> int:
    """Give peer a number in net: reqid, or (negative) the lowest free one. ENOSPC: it is taken."""
    if reqid >= 0:
        if reqid in net.netns_ids:
            raise KernelError(ENOSPC)
        net.netns_ids[reqid] = peer
        return reqid
    number = next(n for n in range(len(net.netns_ids) + 1) if n not in net.netns_ids)
    net.netns_ids[number] = peer
    return number


def __peernet2id(net: net_t, peer: net_t) -> int:
    return next((number for number, other in sorted(net.netns_ids.items()) if other is peer), r.NETNSA_NSID_NOT_ASSIGNED)


def peernet2id_alloc(net: net_t, peer: net_t) -> int:
    """The number of peer in net, which gets one if it has none; NETNSA_NSID_NOT_ASSIGNED: one of them is dying."""
    if not net.ns.count:
        return r.NETNSA_NSID_NOT_ASSIGNED
    number = __peernet2id(net, peer)
    if number >= 0 or not peer.ns.count:
        return number
    number = alloc_netid(net, peer, -1)
    rtnl_net_notifyid(net, r.RTM_NEWNSID, number, 0, None)
    return number


def peernet2id(net: net_t, peer: net_t) -> int:
    """The number of peer in net, NETNSA_NSID_NOT_ASSIGNED: it has none."""
    return __peernet2id(net, peer)


def get_net_ns_by_id(net: net_t, id: int) -> net_t | None:
    """The namespace of that number, referenced."""
    peer = net.netns_ids.get(id)
    return get_net(peer) if peer is not None and peer.ns.count else None


def unhash_nsid(net: net_t) -> None:
    """A namespace dies: the others forget its number."""
    for other in net.kernel.net_namespace_list:
        number = __peernet2id(other, net)
        if number >= 0:
            del other.netns_ids[number]
            rtnl_net_notifyid(other, r.RTM_DELNSID, number, 0, None)
    net.netns_ids.clear()


def rtnl_net_get_size() -> int:
    """The most that a message takes, in bytes."""
    return NLMSG_ALIGN(SIZEOF_RTGENMSG) + 2 * nla_total_size(4)


class net_fill_args:
    """What a message about a number says. ref_nsid: the number in the asker's namespace, None: not asked for."""

    __slots__ = ("cmd", "flags", "nsid", "portid", "ref_nsid", "seq")

    def __init__(self, cmd: int, nsid: int, portid: int, seq: int, flags: int = 0, ref_nsid: int | None = None) -> None:
        self.cmd = cmd
        self.nsid = nsid
        self.portid = portid
        self.seq = seq
        self.flags = flags
        self.ref_nsid = ref_nsid


def rtnl_net_fill(skb: sk_buff, args: net_fill_args) -> None:
    """Append a message about a number. EMSGSIZE: no room."""
    nlh = nlmsg_put(skb, args.portid, args.seq, args.cmd, bytes((AF_UNSPEC,)), args.flags)
    try:
        nla_put_u32(skb, r.NETNSA_NSID, args.nsid & 0xFFFFFFFF)
        if args.ref_nsid is not None:
            nla_put_u32(skb, r.NETNSA_CURRENT_NSID, args.ref_nsid & 0xFFFFFFFF)
    except KernelError:
        nlmsg_cancel(skb, nlh)
        raise
    nlmsg_end(skb, nlh)


def rtnl_net_notifyid(net: net_t, cmd: int, id: int, portid: int, nlh: nlmsghdr | None) -> None:
    """Tell listeners of numbers (RTNLGRP_NSID)."""
    msg = nlmsg_new(net.kernel, rtnl_net_get_size())
    rtnl_net_fill(msg, net_fill_args(cmd, id, portid, nlh.nlmsg_seq if nlh is not None else 0))
    rtnetlink_send.rtnl_notify(msg, net, portid, r.RTNLGRP_NSID, nlh)
