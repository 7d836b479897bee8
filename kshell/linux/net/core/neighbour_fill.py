"""net/core/neighbour.c: what messages of NETLINK_ROUTE say of a neighbour, and telling listeners of one."""

from __future__ import annotations

import struct
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from kshell.abi import neighbour as nb
from kshell.abi import rtnetlink as r
from kshell.abi.errno import EINVAL, ENODEV
from kshell.abi.netdevice import MAX_ADDR_LEN
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.jiffies import jiffies_to_clock_t
from kshell.linux.include.net.neighbour import NUD_VALID
from kshell.linux.include.net.netlink import (
    NLMSG_ALIGN,
    nla_put,
    nla_put_in_addr,
    nla_put_u8,
    nla_put_u32,
    nlmsg_cancel,
    nlmsg_end,
    nlmsg_new,
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
)
from kshell.linux.net.core.dev import __dev_get_by_index
from kshell.linux.net.core.rtnetlink_send import rtnl_notify

if TYPE_CHECKING:
    from kshell.linux.include.linux.netdevice import net_device
    from kshell.linux.include.linux.netlink import netlink_ext_ack
    from kshell.linux.include.linux.skbuff import sk_buff
    from kshell.linux.include.net.neighbour import neigh_table, neighbour, pneigh_entry
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


def _device_of(net: net_t, ifindex: int) -> net_device:
    dev = __dev_get_by_index(net, ifindex)
    if dev is None:
        raise KernelError(ENODEV)
    return dev
