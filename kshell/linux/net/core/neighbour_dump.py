"""net/core/neighbour.c: reading neighbours by NETLINK_ROUTE, all or one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi import neighbour as nb
from kshell.abi import rtnetlink as r
from kshell.abi.errno import EAFNOSUPPORT, EMSGSIZE, ENODEV, ENOENT
from kshell.abi.netlink import NLM_F_DUMP_FILTERED, NLM_F_MULTI
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.netlink import NETLINK_CB
from kshell.linux.include.net.netlink import (
    nla_get_in_addr,
    nla_get_u32,
    nlmsg_len,
    nlmsg_new,
    nlmsg_parse_deprecated,
    nlmsg_parse_deprecated_strict,
)
from kshell.linux.include.net.rtnetlink import rtnl_msg_family
from kshell.linux.net.core import neighbour as neigh_c
from kshell.linux.net.core.dev import __dev_get_by_index, netdev_master_upper_dev_get
from kshell.linux.net.core.neighbour_fill import (
    NDMSG,
    _refuse,
    nda_policy,
    ndmsg,
    neigh_fill_info,
    neigh_find_table,
    neigh_nlmsg_size,
    pneigh_fill_info,
)
from kshell.linux.net.core.neighbour_proxy import pneigh_lookup
from kshell.linux.net.core.rtnetlink_send import rtnl_unicast

if TYPE_CHECKING:
    from kshell.linux.include.linux.netdevice import net_device
    from kshell.linux.include.linux.netlink import netlink_callback, netlink_ext_ack
    from kshell.linux.include.linux.skbuff import sk_buff
    from kshell.linux.include.net.neighbour import neigh_table, neighbour, pneigh_entry
    from kshell.linux.include.net.net_namespace import net as net_t
    from kshell.linux.include.net.netlink import nlmsghdr
    from kshell.linux.init.kernel import Kernel


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
