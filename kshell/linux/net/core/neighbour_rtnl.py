"""net/core/neighbour.c: adding and deleting neighbours by NETLINK_ROUTE; who answers all requests about them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi import neighbour as nb
from kshell.abi import rtnetlink as r
from kshell.abi.errno import EAFNOSUPPORT, EEXIST, EINVAL, ENOENT
from kshell.abi.neighbour import NUD_FAILED
from kshell.abi.netlink import NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE
from kshell.abi.socket import PF_UNSPEC
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.netlink import NETLINK_CB, netlink_ext_ack
from kshell.linux.include.net.neighbour import (
    NEIGH_UPDATE_F_ADMIN,
    NEIGH_UPDATE_F_EXT_LEARNED,
    NEIGH_UPDATE_F_OVERRIDE,
    NEIGH_UPDATE_F_USE,
)
from kshell.linux.include.net.netlink import nla_get_in_addr, nla_get_u8, nla_get_u32, nlmsg_len, nlmsg_parse_deprecated
from kshell.linux.include.net.nlattr import nlattrs
from kshell.linux.net.core import neighbour as neigh_c
from kshell.linux.net.core import rtnetlink
from kshell.linux.net.core.neighbour_dump import neigh_dump_info, neigh_get
from kshell.linux.net.core.neighbour_fill import (
    NDMSG,
    NTF_EXT_SHIFT,
    _device_of,
    _notify,
    _refuse,
    nda_policy,
    ndmsg,
    neigh_find_table,
)
from kshell.linux.net.core.neighbour_proxy import pneigh_delete, pneigh_lookup
from kshell.linux.net.core.neighbour_state import __neigh_update

if TYPE_CHECKING:
    from kshell.linux.include.linux.netdevice import net_device
    from kshell.linux.include.linux.skbuff import sk_buff
    from kshell.linux.include.net.net_namespace import net as net_t
    from kshell.linux.include.net.netlink import nlmsghdr
    from kshell.linux.init.kernel import Kernel


class _request:
    """A change of a neighbour: device, address, attributes. EINVAL, ENODEV, EAFNOSUPPORT."""

    __slots__ = ("dev", "dst", "flags", "ndm", "tb", "tbl")

    def __init__(self, net: net_t, nlh: nlmsghdr, tb: nlattrs, extack: netlink_ext_ack) -> None:
        self.tb = tb
        self.ndm = ndmsg(nlh)
        if nb.NDA_DST not in tb:
            raise _refuse(extack, "Network address not specified")
        self.flags = self.ndm.ndm_flags
        if nb.NDA_FLAGS_EXT in tb:
            self.flags |= nla_get_u32(tb[nb.NDA_FLAGS_EXT]) << NTF_EXT_SHIFT
        self.dev: net_device | None = None
        if self.ndm.ndm_ifindex:
            self.dev = _device_of(net, self.ndm.ndm_ifindex)
            if nb.NDA_LLADDR in tb and len(tb[nb.NDA_LLADDR]) < self.dev.addr_len:
                raise _refuse(extack, "Invalid link address")
        tbl = neigh_find_table(net.kernel, self.ndm.ndm_family)
        if tbl is None:
            raise KernelError(EAFNOSUPPORT)
        self.tbl = tbl
        if len(tb[nb.NDA_DST]) < tbl.key_len:
            raise _refuse(extack, "Invalid network address")
        self.dst = nla_get_in_addr(tb[nb.NDA_DST])

    def _device(self, extack: netlink_ext_ack) -> net_device:
        if self.dev is None:
            raise _refuse(extack, "Device not specified")
        return self.dev


def _add_proxy(net: net_t, request: _request) -> None:
    """The part of neigh_add() about proxies."""
    pn = pneigh_lookup(request.tbl, net, request.dst, request.dev, True)
    assert pn is not None
    pn.flags = request.flags
    pn.permanent = bool(request.ndm.ndm_state & nb.NUD_PERMANENT)
    if nb.NDA_PROTOCOL in request.tb:
        pn.protocol = nla_get_u8(request.tb[nb.NDA_PROTOCOL])


def neigh_add(skb: sk_buff, nlh: nlmsghdr, extack: netlink_ext_ack) -> None:
    """RTM_NEWNEIGH. EINVAL, ENODEV, EAFNOSUPPORT, ENOENT: not there and not to be made; EEXIST."""
    assert skb.sk is not None
    tb = nlmsg_parse_deprecated(nlh, NDMSG.size, nb.NDA_MAX, nda_policy, extack)
    request = _request(skb.sk.sk_net, nlh, tb, extack)
    if request.flags & nb.NTF_PROXY:
        _add_proxy(skb.sk.sk_net, request)
        return
    dev = request._device(extack)
    flags = NEIGH_UPDATE_F_ADMIN | NEIGH_UPDATE_F_OVERRIDE
    neigh = neigh_c.neigh_lookup(request.tbl, request.dst, dev)
    if neigh is None:
        if not nlh.nlmsg_flags & NLM_F_CREATE:
            raise KernelError(ENOENT)
        neigh = neigh_c.___neigh_create(request.tbl, request.dst, dev, True)
    elif nlh.nlmsg_flags & NLM_F_EXCL:
        neigh_c.neigh_release(neigh)
        raise KernelError(EEXIST)
    elif not nlh.nlmsg_flags & NLM_F_REPLACE:
        flags &= ~NEIGH_UPDATE_F_OVERRIDE
    try:
        if nb.NDA_PROTOCOL in tb:
            neigh.protocol = nla_get_u8(tb[nb.NDA_PROTOCOL])
        flags |= NEIGH_UPDATE_F_EXT_LEARNED if request.flags & nb.NTF_EXT_LEARNED else 0
        flags |= NEIGH_UPDATE_F_USE if request.flags & nb.NTF_USE else 0
        lladdr = bytes(tb[nb.NDA_LLADDR][: dev.addr_len]) if nb.NDA_LLADDR in tb else None
        __neigh_update(neigh, lladdr, request.ndm.ndm_state, flags, NETLINK_CB(skb).portid)
        if request.flags & nb.NTF_USE:
            neigh_c.neigh_event_send(neigh, None)
    finally:
        neigh_c.neigh_release(neigh)


def neigh_delete(skb: sk_buff, nlh: nlmsghdr, extack: netlink_ext_ack) -> None:
    """RTM_DELNEIGH. EINVAL, ENODEV, EAFNOSUPPORT, ENOENT."""
    assert skb.sk is not None
    if nlmsg_len(nlh) < NDMSG.size:
        raise KernelError(EINVAL)
    tb = nlmsg_parse_deprecated(nlh, NDMSG.size, nb.NDA_MAX, nda_policy, extack)
    request = _request(skb.sk.sk_net, nlh, tb, extack)
    if request.flags & nb.NTF_PROXY:
        pneigh_delete(request.tbl, skb.sk.sk_net, request.dst, request.dev)
        return
    if request.dev is None:
        raise KernelError(EINVAL)
    neigh = neigh_c.neigh_lookup(request.tbl, request.dst, request.dev)
    if neigh is None:
        raise KernelError(ENOENT)
    __neigh_update(neigh, None, NUD_FAILED, NEIGH_UPDATE_F_OVERRIDE | NEIGH_UPDATE_F_ADMIN, NETLINK_CB(skb).portid)
    neigh_c.neigh_release(neigh)
    neigh_c.neigh_remove_one(neigh, request.tbl)


def neigh_init(kernel: Kernel) -> None:
    """subsys_initcall: who answers requests about neighbours."""
    kernel.neigh_notify = _notify
    rtnetlink.rtnl_register(kernel, PF_UNSPEC, r.RTM_NEWNEIGH, neigh_add, None)
    rtnetlink.rtnl_register(kernel, PF_UNSPEC, r.RTM_DELNEIGH, neigh_delete, None)
    rtnetlink.rtnl_register(kernel, PF_UNSPEC, r.RTM_GETNEIGH, neigh_get, neigh_dump_info)
