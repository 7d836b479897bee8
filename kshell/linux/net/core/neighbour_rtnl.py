"""net/core/neighbour.c: requests about neighbours by NETLINK_ROUTE, and telling listeners of them."""

from __future__ import annotations

import struct
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from kshell.abi import neighbour as nb
from kshell.abi import rtnetlink as r
from kshell.abi.errno import EAFNOSUPPORT, EEXIST, EINVAL, EMSGSIZE, ENODEV, ENOENT
from kshell.abi.neighbour import NUD_FAILED
from kshell.abi.netdevice import MAX_ADDR_LEN
from kshell.abi.netlink import NLM_F_CREATE, NLM_F_DUMP_FILTERED, NLM_F_EXCL, NLM_F_MULTI, NLM_F_REPLACE
from kshell.abi.socket import PF_UNSPEC
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.jiffies import jiffies_to_clock_t
from kshell.linux.include.linux.netlink import NETLINK_CB, netlink_callback, netlink_ext_ack
from kshell.linux.include.net.neighbour import (
    NEIGH_UPDATE_F_ADMIN,
    NEIGH_UPDATE_F_EXT_LEARNED,
    NEIGH_UPDATE_F_OVERRIDE,
    NEIGH_UPDATE_F_USE,
    NUD_VALID,
    neigh_table,
    neighbour,
    pneigh_entry,
)
from kshell.linux.include.net.netlink import (
    NLMSG_ALIGN,
    nla_get_in_addr,
    nla_get_u8,
    nla_get_u32,
    nla_put,
    nla_put_in_addr,
    nla_put_u8,
    nla_put_u32,
    nlmsg_cancel,
    nlmsg_end,
    nlmsg_len,
    nlmsg_new,
    nlmsg_parse_deprecated,
    nlmsg_parse_deprecated_strict,
    nlmsg_put,
)
from kshell.linux.include.net.nlattr import (
    NL_SET_ERR_MSG,
    NLA_BINARY,
    NLA_NESTED,
    NLA_U8,
    NLA_U16,
    NLA_U32,
    nla_policy,
    nla_total_size,
    nlattrs,
)
from kshell.linux.include.net.rtnetlink import rtnl_msg_family
from kshell.linux.net.core import neighbour as neigh_c
from kshell.linux.net.core import rtnetlink
from kshell.linux.net.core.dev import __dev_get_by_index, netdev_master_upper_dev_get
from kshell.linux.net.core.neighbour_proxy import pneigh_delete, pneigh_lookup
from kshell.linux.net.core.neighbour_state import __neigh_update
from kshell.linux.net.core.rtnetlink_send import rtnl_notify, rtnl_unicast

if TYPE_CHECKING:
    from kshell.linux.include.linux.netdevice import net_device
    from kshell.linux.include.linux.skbuff import sk_buff
    from kshell.linux.include.net.net_namespace import net as net_t
    from kshell.linux.include.net.netlink import nlmsghdr
    from kshell.linux.init.kernel import Kernel

NDMSG: Final = struct.Struct("<BBHiHBB")  # family, two paddings, index, state, flags, type
NDA_CACHEINFO: Final = struct.Struct("<IIII")  # confirmed, used, updated (1/100 s ago), references
NTF_OLD_MASK: Final = 0xFF
NTF_EXT_SHIFT: Final = 8

_ADDRESS = nla_policy(NLA_BINARY, len=MAX_ADDR_LEN)
_U16, _U32 = nla_policy(NLA_U16), nla_policy(NLA_U32)
nda_policy: Final = MappingProxyType(
    {
        nb.NDA_UNSPEC: nla_policy(strict_start_type=nb.NDA_NH_ID),
        nb.NDA_DST: _ADDRESS,
        nb.NDA_LLADDR: _ADDRESS,
        nb.NDA_CACHEINFO: nla_policy(len=NDA_CACHEINFO.size),
        nb.NDA_PROBES: _U32,
        nb.NDA_VLAN: _U16,
        nb.NDA_PORT: _U16,
        nb.NDA_VNI: _U32,
        nb.NDA_IFINDEX: _U32,
        nb.NDA_MASTER: _U32,
        nb.NDA_PROTOCOL: nla_policy(NLA_U8),
        nb.NDA_NH_ID: _U32,
        nb.NDA_FLAGS_EXT: nla_policy(NLA_U32, max=1),
        nb.NDA_FDB_EXT_ATTRS: nla_policy(NLA_NESTED),
    }
)


class ndmsg:
    """The header of messages about neighbours."""

    __slots__ = ("ndm_family", "ndm_flags", "ndm_ifindex", "ndm_pad1", "ndm_pad2", "ndm_state", "ndm_type")
    ndm_family: int
    ndm_ifindex: int
    ndm_state: int
    ndm_flags: int
    ndm_type: int

    def __init__(self, nlh: nlmsghdr) -> None:
        fields = NDMSG.unpack_from(nlh._payload)
        self.ndm_family, pad1, pad2, self.ndm_ifindex, self.ndm_state, self.ndm_flags, self.ndm_type = fields
        self.ndm_pad1, self.ndm_pad2 = pad1, pad2


def _refuse(extack: netlink_ext_ack | None, why: str, errno: int = EINVAL) -> KernelError:
    NL_SET_ERR_MSG(extack, why)
    return KernelError(errno)


def neigh_find_table(kernel: Kernel, family: int) -> neigh_table | None:
    """The neighbours of a family."""
    return next((tbl for tbl in kernel.neigh_tables.values() if tbl.family == family), None)


# ---- the message, and telling listeners ----


def neigh_nlmsg_size() -> int:
    """The most that a neighbour's description takes, in bytes."""
    return (
        NLMSG_ALIGN(NDMSG.size) + 2 * nla_total_size(MAX_ADDR_LEN) + nla_total_size(NDA_CACHEINFO.size)
        + 2 * nla_total_size(4) + nla_total_size(1)
    )  # fmt: skip


def neigh_fill_info(skb: sk_buff, neigh: neighbour, pid: int, seq: int, type: int, flags: int) -> int:
    """Append a message that describes a neighbour; where it begins. EMSGSIZE: no room."""
    dev = neigh.dev
    now = dev.nd_net.kernel.jiffies
    family = neigh.tbl.family
    fields = (family, 0, 0, dev.ifindex, neigh.nud_state, neigh.flags & NTF_OLD_MASK, neigh.type)
    nlh = nlmsg_put(skb, pid, seq, type, NDMSG.pack(*fields), flags)
    try:
        nla_put_in_addr(skb, nb.NDA_DST, neigh.primary_key)
        if neigh.nud_state & NUD_VALID:
            nla_put(skb, nb.NDA_LLADDR, neigh.ha[: dev.addr_len])
        nla_put_u32(skb, nb.NDA_PROBES, neigh.probes)
        ages = [jiffies_to_clock_t(now - stamp) for stamp in (neigh.confirmed, neigh.used, neigh.updated)]
        nla_put(skb, nb.NDA_CACHEINFO, NDA_CACHEINFO.pack(*ages, neigh.refcnt - 1))
        if neigh.protocol:
            nla_put_u8(skb, nb.NDA_PROTOCOL, neigh.protocol)
        if neigh.flags >> NTF_EXT_SHIFT:
            nla_put_u32(skb, nb.NDA_FLAGS_EXT, neigh.flags >> NTF_EXT_SHIFT)
    except KernelError:
        nlmsg_cancel(skb, nlh)
        raise
    nlmsg_end(skb, nlh)
    return nlh


def pneigh_fill_info(skb: sk_buff, pn: pneigh_entry, pid: int, seq: int, type: int, flags: int, family: int) -> None:
    """Append a message that describes a proxy. EMSGSIZE: no room."""
    ifindex = pn.dev.ifindex if pn.dev is not None else 0
    fields = (family, 0, 0, ifindex, 0, (pn.flags & NTF_OLD_MASK) | nb.NTF_PROXY, r.RTN_UNICAST)
    nlh = nlmsg_put(skb, pid, seq, type, NDMSG.pack(*fields), flags)
    try:
        nla_put_in_addr(skb, nb.NDA_DST, pn.key)
        if pn.protocol:
            nla_put_u8(skb, nb.NDA_PROTOCOL, pn.protocol)
    except KernelError:
        nlmsg_cancel(skb, nlh)
        raise
    nlmsg_end(skb, nlh)


def _notify(n: neighbour, type: int, flags: int, pid: int) -> None:
    """__neigh_notify(): tell route sockets of a neighbour; neighbour_state calls it through the kernel object."""
    net = n.dev.nd_net
    skb = nlmsg_new(net.kernel, neigh_nlmsg_size())
    neigh_fill_info(skb, n, pid, 0, type, flags)
    rtnl_notify(skb, net, 0, r.RTNLGRP_NEIGH, None)


# ---- RTM_NEWNEIGH, RTM_DELNEIGH ----


def _device_of(net: net_t, ifindex: int) -> net_device:
    dev = __dev_get_by_index(net, ifindex)
    if dev is None:
        raise KernelError(ENODEV)
    return dev


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


# ---- RTM_GETNEIGH ----


def neigh_valid_dump_req(nlh: nlmsghdr, strict_check: bool, extack: netlink_ext_ack | None) -> tuple[int, int]:
    """The device and the master that a dump is restricted to (0: any). EINVAL."""
    if not strict_check:
        tb = nlmsg_parse_deprecated(nlh, NDMSG.size, nb.NDA_MAX, nda_policy, extack)
    else:
        if nlmsg_len(nlh) < NDMSG.size:
            raise _refuse(extack, "Invalid header for neighbor dump request")
        ndm = ndmsg(nlh)
        if ndm.ndm_pad1 or ndm.ndm_pad2 or ndm.ndm_ifindex or ndm.ndm_state or ndm.ndm_type:
            raise _refuse(extack, "Invalid values in header for neighbor dump request")
        if ndm.ndm_flags & ~nb.NTF_PROXY:
            raise _refuse(extack, "Invalid flags in header for neighbor dump request")
        tb = nlmsg_parse_deprecated_strict(nlh, NDMSG.size, nb.NDA_MAX, nda_policy, extack)
        if any(kind not in (nb.NDA_IFINDEX, nb.NDA_MASTER) for kind in tb):
            raise _refuse(extack, "Unsupported attribute in neighbor dump request")
    return (
        nla_get_u32(tb[nb.NDA_IFINDEX]) if nb.NDA_IFINDEX in tb else 0,
        nla_get_u32(tb[nb.NDA_MASTER]) if nb.NDA_MASTER in tb else 0,
    )


def neigh_ifindex_filtered(dev: net_device, filter_idx: int) -> bool:
    """Whether a dump leaves the neighbours on a device out."""
    return bool(filter_idx) and dev.ifindex != filter_idx


def neigh_master_filtered(dev: net_device, master_idx: int) -> bool:
    """Whether a dump leaves the neighbours on the parts of a device out."""
    if not master_idx:
        return False
    master = netdev_master_upper_dev_get(dev)
    return master is None or master.ifindex != master_idx


def neigh_dump_table(
    tbl: neigh_table, net: net_t, skb: sk_buff, cb: netlink_callback, dev_idx: int, master_idx: int
) -> None:
    """Append the neighbours of a table from number args[2] on. EMSGSIZE: not all fit."""
    flags = NLM_F_MULTI | (NLM_F_DUMP_FILTERED if dev_idx or master_idx else 0)
    portid = NETLINK_CB(cb.skb).portid
    for n in list(tbl.nht.values())[cb.args[2] :]:
        filtered = neigh_ifindex_filtered(n.dev, dev_idx) or neigh_master_filtered(n.dev, master_idx)
        if n.dev.nd_net is net and not filtered:
            neigh_fill_info(skb, n, portid, cb.nlh.nlmsg_seq, r.RTM_NEWNEIGH, flags)
        cb.args[2] += 1


def pneigh_dump_table(
    tbl: neigh_table, net: net_t, skb: sk_buff, cb: netlink_callback, dev_idx: int, master_idx: int
) -> None:
    """Append the proxies of a table from number args[3] on. EMSGSIZE: not all fit."""
    flags = NLM_F_MULTI | (NLM_F_DUMP_FILTERED if dev_idx or master_idx else 0)
    portid = NETLINK_CB(cb.skb).portid
    for n in tbl.phash_buckets[cb.args[3] :]:
        filtered = n.dev is None and bool(dev_idx or master_idx)
        if n.dev is not None:
            filtered = neigh_ifindex_filtered(n.dev, dev_idx) or neigh_master_filtered(n.dev, master_idx)
        if n.net is net and not filtered:
            pneigh_fill_info(skb, n, portid, cb.nlh.nlmsg_seq, r.RTM_NEWNEIGH, flags, tbl.family)
        cb.args[3] += 1


def neigh_dump_info(skb: sk_buff, cb: netlink_callback) -> int:
    """RTM_GETNEIGH of all neighbours, as many as fit, or (NTF_PROXY) of all proxies."""
    assert cb.skb.sk is not None
    net = cb.skb.sk.sk_net
    family = rtnl_msg_family(cb.nlh)
    proxy = nlmsg_len(cb.nlh) >= NDMSG.size and ndmsg(cb.nlh).ndm_flags == nb.NTF_PROXY
    dev_idx = master_idx = 0
    try:
        dev_idx, master_idx = neigh_valid_dump_req(cb.nlh, cb.strict_check, cb.extack)
    except KernelError:
        if cb.strict_check:
            raise
    tables = [tbl for _, tbl in sorted(net.kernel.neigh_tables.items()) if family in (0, tbl.family)]
    try:
        for tbl in tables[cb.args[0] :]:
            (pneigh_dump_table if proxy else neigh_dump_table)(tbl, net, skb, cb, dev_idx, master_idx)
            cb.args[0] += 1
            cb.args[2] = cb.args[3] = 0
    except KernelError as error:
        if error.errno != EMSGSIZE or not skb.len:
            raise
    return skb.len


def neigh_valid_get_req(
    kernel: Kernel, nlh: nlmsghdr, extack: netlink_ext_ack
) -> tuple[ndmsg, neigh_table, int | None]:
    """Header, table and address of a request for one neighbour. EINVAL, EAFNOSUPPORT."""
    if nlmsg_len(nlh) < NDMSG.size:
        raise _refuse(extack, "Invalid header for neighbor get request")
    ndm = ndmsg(nlh)
    if ndm.ndm_pad1 or ndm.ndm_pad2 or ndm.ndm_state or ndm.ndm_type:
        raise _refuse(extack, "Invalid values in header for neighbor get request")
    if ndm.ndm_flags & ~nb.NTF_PROXY:
        raise _refuse(extack, "Invalid flags in header for neighbor get request")
    tb = nlmsg_parse_deprecated_strict(nlh, NDMSG.size, nb.NDA_MAX, nda_policy, extack)
    tbl = neigh_find_table(kernel, ndm.ndm_family)
    if tbl is None:
        raise _refuse(extack, "Unsupported family in header for neighbor get request", EAFNOSUPPORT)
    if any(kind != nb.NDA_DST for kind in tb):
        raise _refuse(extack, "Unsupported attribute in neighbor get request")
    if nb.NDA_DST in tb and len(tb[nb.NDA_DST]) != tbl.key_len:
        raise _refuse(extack, "Invalid network address in neighbor get request")
    return ndm, tbl, nla_get_in_addr(tb[nb.NDA_DST]) if nb.NDA_DST in tb else None


def neigh_get_reply(net: net_t, neigh: neighbour, pid: int, seq: int) -> None:
    """Answer with one neighbour."""
    skb = nlmsg_new(net.kernel, neigh_nlmsg_size())
    neigh_fill_info(skb, neigh, pid, seq, r.RTM_NEWNEIGH, 0)
    rtnl_unicast(skb, net, pid)


def pneigh_get_reply(net: net_t, pn: pneigh_entry, pid: int, seq: int, tbl: neigh_table) -> None:
    """Answer with one proxy."""
    skb = nlmsg_new(net.kernel, neigh_nlmsg_size())
    pneigh_fill_info(skb, pn, pid, seq, r.RTM_NEWNEIGH, 0, tbl.family)
    rtnl_unicast(skb, net, pid)


def neigh_get(in_skb: sk_buff, nlh: nlmsghdr, extack: netlink_ext_ack) -> None:
    """RTM_GETNEIGH of one neighbour. EINVAL, ENODEV, ENOENT."""
    assert in_skb.sk is not None
    net = in_skb.sk.sk_net
    ndm, tbl, dst = neigh_valid_get_req(net.kernel, nlh, extack)
    dev = __dev_get_by_index(net, ndm.ndm_ifindex) if ndm.ndm_ifindex else None
    if ndm.ndm_ifindex and dev is None:
        raise _refuse(extack, "Unknown device ifindex", ENODEV)
    if dst is None:
        raise _refuse(extack, "Network address not specified")
    if ndm.ndm_flags & nb.NTF_PROXY:
        pn = pneigh_lookup(tbl, net, dst, dev, False)
        if pn is None:
            raise _refuse(extack, "Proxy neighbour entry not found", ENOENT)
        pneigh_get_reply(net, pn, NETLINK_CB(in_skb).portid, nlh.nlmsg_seq, tbl)
        return
    if dev is None:
        raise _refuse(extack, "No device specified")
    neigh = neigh_c.neigh_lookup(tbl, dst, dev)
    if neigh is None:
        raise _refuse(extack, "Neighbour entry not found", ENOENT)
    neigh_get_reply(net, neigh, NETLINK_CB(in_skb).portid, nlh.nlmsg_seq)
    neigh_c.neigh_release(neigh)


def neigh_init(kernel: Kernel) -> None:
    """subsys_initcall: who answers requests about neighbours."""
    kernel.neigh_notify = _notify
    rtnetlink.rtnl_register(kernel, PF_UNSPEC, r.RTM_NEWNEIGH, neigh_add, None)
    rtnetlink.rtnl_register(kernel, PF_UNSPEC, r.RTM_DELNEIGH, neigh_delete, None)
    rtnetlink.rtnl_register(kernel, PF_UNSPEC, r.RTM_GETNEIGH, neigh_get, neigh_dump_info)
