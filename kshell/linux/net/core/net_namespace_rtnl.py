"""net/core/net_namespace.c: route sockets ask for and give the numbers of namespaces (RTM_NEWNSID, RTM_GETNSID)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kshell.abi import rtnetlink as r
from kshell.abi.errno import EEXIST, EINVAL, EMSGSIZE, ENOENT
from kshell.abi.netlink import NLM_F_MULTI
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.netlink import NETLINK_CB
from kshell.linux.include.net.netlink import (
    nla_get_s32,
    nla_get_u32,
    nlmsg_new,
    nlmsg_parse_deprecated,
    nlmsg_parse_deprecated_strict,
)
from kshell.linux.include.net.nlattr import NL_SET_BAD_ATTR, NL_SET_ERR_MSG, NLA_S32, NLA_U32, nla_policy
from kshell.linux.net.core import rtnetlink_getlink, rtnetlink_send, rtnetlink_setlink
from kshell.linux.net.core.net_namespace import get_net_ns_by_fd, get_net_ns_by_pid, put_net
from kshell.linux.net.core.net_namespace_id import (
    SIZEOF_RTGENMSG,
    __peernet2id,
    alloc_netid,
    get_net_ns_by_id,
    net_fill_args,
    peernet2id,
    rtnl_net_fill,
    rtnl_net_get_size,
    rtnl_net_notifyid,
)

if TYPE_CHECKING:
    from kshell.linux.include.linux.netlink import netlink_callback, netlink_ext_ack
    from kshell.linux.include.linux.skbuff import sk_buff
    from kshell.linux.include.net.net_namespace import net as net_t
    from kshell.linux.include.net.netlink import nlmsghdr
    from kshell.linux.include.net.nlattr import nlattrs

rtnl_net_policy: Final = {
    r.NETNSA_NSID: nla_policy(NLA_S32),
    r.NETNSA_PID: nla_policy(NLA_U32),
    r.NETNSA_FD: nla_policy(NLA_U32),
    r.NETNSA_TARGET_NSID: nla_policy(NLA_S32),
}


def _peer_named(net: net_t, tb: nlattrs, extack: netlink_ext_ack | None, by_id: bool) -> net_t:
    """The namespace that a request names by task, descriptor or number, referenced. EINVAL, ESRCH, EBADF, ENOENT."""
    current = net.kernel.current
    kind = next((k for k in (r.NETNSA_PID, r.NETNSA_FD, *([r.NETNSA_NSID] if by_id else ())) if k in tb), None)
    if kind is None:
        NL_SET_ERR_MSG(extack, "Peer netns reference is missing")
        raise KernelError(EINVAL)
    try:
        if kind == r.NETNSA_PID:
            return get_net_ns_by_pid(current, nla_get_u32(tb[kind]))
        if kind == r.NETNSA_FD:
            return get_net_ns_by_fd(current, nla_get_u32(tb[kind]))
        peer = get_net_ns_by_id(net, nla_get_s32(tb[kind]))
        if peer is None:
            raise KernelError(ENOENT)
        return peer
    except KernelError:
        NL_SET_BAD_ATTR(extack, tb[kind])
        NL_SET_ERR_MSG(extack, "Peer netns reference is invalid")
        raise


def rtnl_net_newid(skb: sk_buff, nlh: nlmsghdr, extack: netlink_ext_ack | None) -> None:
    """RTM_NEWNSID: give another namespace a number. EEXIST; EINVAL; what naming it raises."""
    assert skb.sk is not None
    net = skb.sk.sk_net
    tb = nlmsg_parse_deprecated(nlh, SIZEOF_RTGENMSG, r.NETNSA_MAX, rtnl_net_policy, extack)
    if r.NETNSA_NSID not in tb:
        NL_SET_ERR_MSG(extack, "nsid is missing")
        raise KernelError(EINVAL)
    peer = _peer_named(net, tb, extack, by_id=False)
    try:
        if __peernet2id(net, peer) >= 0:
            NL_SET_ERR_MSG(extack, "Peer netns already has a nsid assigned")
            raise KernelError(EEXIST)
        try:
            number = alloc_netid(net, peer, nla_get_s32(tb[r.NETNSA_NSID]))
        except KernelError:
            NL_SET_BAD_ATTR(extack, tb[r.NETNSA_NSID])
            NL_SET_ERR_MSG(extack, "The specified nsid is already used")
            raise KernelError(EEXIST) from None
        rtnl_net_notifyid(net, r.RTM_NEWNSID, number, NETLINK_CB(skb).portid, nlh)
    finally:
        put_net(peer)


def rtnl_net_valid_getid_req(skb: sk_buff, nlh: nlmsghdr, extack: netlink_ext_ack | None) -> nlattrs:
    """Read a request, strictly if the socket wants that. EINVAL."""
    if not rtnetlink_getlink.netlink_strict_get_check(skb):
        return nlmsg_parse_deprecated(nlh, SIZEOF_RTGENMSG, r.NETNSA_MAX, rtnl_net_policy, extack)
    tb = nlmsg_parse_deprecated_strict(nlh, SIZEOF_RTGENMSG, r.NETNSA_MAX, rtnl_net_policy, extack)
    if any(kind not in rtnl_net_policy for kind in tb):
        NL_SET_ERR_MSG(extack, "Unsupported attribute in peer netns getid request")
        raise KernelError(EINVAL)
    return tb


def rtnl_net_getid(skb: sk_buff, nlh: nlmsghdr, extack: netlink_ext_ack | None) -> None:
    """RTM_GETNSID: the number of a namespace. EINVAL; what naming it raises."""
    assert skb.sk is not None
    net, portid = skb.sk.sk_net, NETLINK_CB(skb).portid
    tb = rtnl_net_valid_getid_req(skb, nlh, extack)
    peer = _peer_named(net, tb, extack, by_id=True)
    try:
        args = net_fill_args(r.RTM_NEWNSID, peernet2id(net, peer), portid, nlh.nlmsg_seq)
        if r.NETNSA_TARGET_NSID in tb:
            args.ref_nsid = args.nsid
            target = _target(skb, tb, extack, "Target netns reference is invalid")
            args.nsid = peernet2id(target, peer)
            put_net(target)
        msg = nlmsg_new(net.kernel, rtnl_net_get_size())
        rtnl_net_fill(msg, args)
        rtnetlink_send.rtnl_unicast(msg, net, portid)
    finally:
        put_net(peer)


def _target(skb: sk_buff, tb: nlattrs, extack: netlink_ext_ack | None, complaint: str) -> net_t:
    """The namespace whose numbers are asked for, referenced. EINVAL, EACCES."""
    assert skb.sk is not None
    try:
        return rtnetlink_setlink.rtnl_get_net_ns_capable(skb.sk, nla_get_s32(tb[r.NETNSA_TARGET_NSID]))
    except KernelError:
        NL_SET_BAD_ATTR(extack, tb[r.NETNSA_TARGET_NSID])
        NL_SET_ERR_MSG(extack, complaint)
        raise


def rtnl_valid_dump_net_req(nlh: nlmsghdr, cb: netlink_callback) -> net_t | None:
    """Read a request for all numbers strictly: the namespace whose they are, referenced, None: the asker's. EINVAL."""
    tb = nlmsg_parse_deprecated_strict(nlh, SIZEOF_RTGENMSG, r.NETNSA_MAX, rtnl_net_policy, cb.extack)
    for kind in tb:
        if kind != r.NETNSA_TARGET_NSID:
            NL_SET_BAD_ATTR(cb.extack, tb[kind])
            NL_SET_ERR_MSG(cb.extack, "Unsupported attribute in dump request")
            raise KernelError(EINVAL)
    return _target(cb.skb, tb, cb.extack, "Invalid target network namespace id") if tb else None


def rtnl_net_dumpid(skb: sk_buff, cb: netlink_callback) -> int:
    """RTM_GETNSID of all numbers. EINVAL."""
    assert cb.skb.sk is not None
    own = cb.skb.sk.sk_net
    target = rtnl_valid_dump_net_req(cb.nlh, cb) if cb.strict_check else None
    net = target if target is not None else own
    try:
        for number, peer in sorted(net.netns_ids.items())[cb.args[0] :]:
            ref = __peernet2id(own, peer) if target is not None else None
            portid = NETLINK_CB(cb.skb).portid
            rtnl_net_fill(skb, net_fill_args(r.RTM_NEWNSID, number, portid, cb.nlh.nlmsg_seq, NLM_F_MULTI, ref))
            cb.args[0] += 1
    except KernelError as error:
        if error.errno != EMSGSIZE or not skb.len:
            raise
    finally:
        if target is not None:
            put_net(target)
    return skb.len
