"""NETLINK_ROUTE: requests about links, addresses, routes (net/core/rtnetlink.c).

Each family registers what it answers with rtnl_register(); links themselves are in rtnetlink_link.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.capability import CAP_NET_ADMIN
from kshell.abi.errno import EEXIST, EOPNOTSUPP, EPERM
from kshell.abi.netlink import NETLINK_ROUTE, NLM_F_BULK, NLM_F_DUMP
from kshell.abi.rtnetlink import (
    RTM_BASE,
    RTM_DELLINK,
    RTM_GETADDR,
    RTM_GETLINK,
    RTM_GETNETCONF,
    RTM_GETNSID,
    RTM_GETROUTE,
    RTM_MAX,
    RTM_NEWLINK,
    RTM_NEWNSID,
    RTM_SETLINK,
    RTNL_FAMILY_MAX,
    RTNLGRP_IPV4_MROUTE_R,
    RTNLGRP_IPV6_MROUTE_R,
    RTNLGRP_MAX,
)
from kshell.abi.socket import PF_PACKET, PF_UNSPEC
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.netdevice import (
    NETDEV_BONDING_FAILOVER,
    NETDEV_CHANGE_TX_QUEUE_LEN,
    NETDEV_CHANGEADDR,
    NETDEV_CHANGEINFODATA,
    NETDEV_CHANGELOWERSTATE,
    NETDEV_CHANGEMTU,
    NETDEV_CHANGENAME,
    NETDEV_CHANGEUPPER,
    NETDEV_FEAT_CHANGE,
    NETDEV_NOTIFY_PEERS,
    NETDEV_POST_TYPE_CHANGE,
    NETDEV_REBOOT,
    NETDEV_RESEND_IGMP,
    netdev_notifier_info_to_dev,
)
from kshell.linux.include.linux.netlink import (
    NETLINK_CB,
    NL_CFG_F_NONROOT_RECV,
    netlink_callback,
    netlink_dump_control,
    netlink_ext_ack,
    netlink_kernel_cfg,
)
from kshell.linux.include.linux.notifier import NOTIFY_DONE, notifier_block
from kshell.linux.include.net.net_namespace import pernet_operations
from kshell.linux.include.net.netlink import nlmsg_len, nlmsghdr
from kshell.linux.include.net.nlattr import NL_SET_ERR_MSG
from kshell.linux.include.net.rtnetlink import (
    RTNL_FLAG_BULK_DEL_SUPPORTED,
    RTNL_FLAG_DOIT_UNLOCKED,
    RTNL_KIND_DEL,
    RTNL_KIND_GET,
    rtnl_af_ops,
    rtnl_doit_func,
    rtnl_dumpit_func,
    rtnl_link,
    rtnl_link_ops,
    rtnl_msgtype_kind,
)
from kshell.linux.kernel.capability import file_ns_capable, ns_capable
from kshell.linux.net.core import (
    dev_register,
    net_namespace_rtnl,
    rtnetlink_getlink,
    rtnetlink_ifinfo,
    rtnetlink_link,
    rtnetlink_setlink,
)
from kshell.linux.net.core.dev import register_netdevice_notifier
from kshell.linux.net.core.net_namespace import register_pernet_subsys
from kshell.linux.net.core.rtnl_lock import rtnl_lock as rtnl_lock
from kshell.linux.net.core.rtnl_lock import rtnl_unlock as rtnl_unlock
from kshell.linux.net.netlink import af_netlink, af_netlink_rcv

if TYPE_CHECKING:
    from kshell.linux.include.linux.sched import user_namespace
    from kshell.linux.include.linux.skbuff import sk_buff
    from kshell.linux.include.net.net_namespace import net as net_t
    from kshell.linux.include.net.sock import sock
    from kshell.linux.init.kernel import Kernel
_TOLD = (
    NETDEV_REBOOT, NETDEV_CHANGEMTU, NETDEV_CHANGEADDR, NETDEV_CHANGENAME, NETDEV_FEAT_CHANGE, NETDEV_BONDING_FAILOVER,
    NETDEV_POST_TYPE_CHANGE, NETDEV_NOTIFY_PEERS, NETDEV_CHANGEUPPER, NETDEV_RESEND_IGMP, NETDEV_CHANGEINFODATA,
    NETDEV_CHANGELOWERSTATE, NETDEV_CHANGE_TX_QUEUE_LEN,
)  # fmt: skip


def rtnl_register_internal(
    kernel: Kernel, protocol: int, msgtype: int, doit: rtnl_doit_func | None, dumpit: rtnl_dumpit_func | None, flags: int
) -> None:
    key = (protocol, msgtype)
    known = kernel.rtnl_msg_handlers.get(key)
    if known is None:
        kernel.rtnl_msg_handlers[key] = rtnl_link(doit, dumpit, flags)
        return
    known.doit = doit or known.doit
    known.dumpit = dumpit or known.dumpit
    known.flags |= flags


def rtnl_register(
    kernel: Kernel,
    protocol: int,
    msgtype: int,
    doit: rtnl_doit_func | None,
    dumpit: rtnl_dumpit_func | None,
    flags: int = 0,
) -> None:
    """Have doit answer messages of a type for a family, and dumpit the dumps."""
    rtnl_register_internal(kernel, protocol, msgtype, doit, dumpit, flags)


def rtnl_get_link(kernel: Kernel, protocol: int, msgtype: int) -> rtnl_link | None:
    """What was registered for a family and type."""
    return kernel.rtnl_msg_handlers.get((protocol, msgtype))


def rtnl_link_ops_get(kernel: Kernel, kind: str) -> rtnl_link_ops | None:
    """The kind of device of that name."""
    return kernel.link_ops.get(kind)


def __rtnl_link_register(kernel: Kernel, ops: rtnl_link_ops) -> None:
    """Make a kind of device known, the lock being held. EEXIST."""
    if rtnl_link_ops_get(kernel, ops.kind) is not None:
        raise KernelError(EEXIST)
    kernel.link_ops[ops.kind] = ops


def rtnl_link_register(kernel: Kernel, ops: rtnl_link_ops) -> None:
    """Make a kind of device known. EEXIST."""
    rtnl_lock(kernel)
    try:
        __rtnl_link_register(kernel, ops)
    finally:
        rtnl_unlock(kernel)


def __rtnl_kill_links(net: net_t, ops: rtnl_link_ops) -> None:
    """Take all devices of a kind away."""
    for dev in list(net.dev_base_head):
        if dev.rtnl_link_ops is ops and dev in net.dev_base_head:
            (ops.dellink or dev_register.unregister_netdevice)(dev)


def __rtnl_link_unregister(kernel: Kernel, ops: rtnl_link_ops) -> None:
    """Forget a kind of device, the lock being held; its devices go with it."""
    for net in kernel.net_namespace_list:
        __rtnl_kill_links(net, ops)
    del kernel.link_ops[ops.kind]


def rtnl_link_unregister(kernel: Kernel, ops: rtnl_link_ops) -> None:
    """Forget a kind of device; its devices go with it."""
    rtnl_lock(kernel)
    __rtnl_link_unregister(kernel, ops)
    rtnl_unlock(kernel)


def rtnl_af_register(kernel: Kernel, ops: rtnl_af_ops) -> None:
    """Let a family speak in IFLA_AF_SPEC."""
    kernel.rtnl_af_ops[ops.family] = ops


def rtnl_af_lookup(kernel: Kernel, family: int) -> rtnl_af_ops | None:
    """What a family says in IFLA_AF_SPEC."""
    return kernel.rtnl_af_ops.get(family)


def sk_ns_capable(sk: sock, user_ns: user_namespace, cap: int) -> bool:
    """Whether both the opener of a socket and who uses it now have cap in a user namespace."""
    opener = sk.sk_socket.file if sk.sk_socket is not None else None
    if opener is not None and not file_ns_capable(opener, user_ns, cap):
        return False
    return ns_capable(sk.sk_net.kernel.current, user_ns, cap)


def netlink_ns_capable(skb: sk_buff, user_ns: user_namespace, cap: int) -> bool:
    """Whether both the opener of the sending socket and the sender have cap in a user namespace."""
    sk = NETLINK_CB(skb).sk
    assert sk is not None
    socket = sk.sk_socket
    if socket is not None and socket.file is not None and not file_ns_capable(socket.file, user_ns, cap):
        return False
    return ns_capable(sk.sk_net.kernel.current, user_ns, cap)


def netlink_net_capable(skb: sk_buff, cap: int) -> bool:
    """Whether both the opener of the sending socket and the sender have cap in its namespace."""
    sk = NETLINK_CB(skb).sk
    assert sk is not None
    return netlink_ns_capable(skb, sk.sk_net.user_ns, cap)


def rtnl_dump_all(skb: sk_buff, cb: netlink_callback) -> int:
    """Have every family dump, one behind the other."""
    s_idx = cb.family or 1
    assert cb.skb.sk is not None
    kernel = cb.skb.sk.sk_net.kernel
    ret = 0
    idx = 0
    for idx in range(1, RTNL_FAMILY_MAX + 1):
        link = rtnl_get_link(kernel, idx, cb.nlh.nlmsg_type)
        if idx < s_idx or idx == PF_PACKET or link is None or link.dumpit is None:
            continue
        if idx > s_idx:
            cb.args = [0] * 6
            cb.prev_seq = cb.seq = 0
        ret = link.dumpit(skb, cb)
        if ret:
            break
    else:
        idx += 1
    cb.family = idx
    return skb.len or ret


def rtnetlink_rcv_msg(skb: sk_buff, nlh: nlmsghdr, extack: netlink_ext_ack) -> None:
    """Answer one request. EOPNOTSUPP: nobody registered for it; EPERM: changes need CAP_NET_ADMIN."""
    assert skb.sk is not None
    net = skb.sk.sk_net
    msgtype = nlh.nlmsg_type
    if msgtype > RTM_MAX:
        raise KernelError(EOPNOTSUPP)
    if nlmsg_len(nlh) < 1:
        return
    family = nlh._payload[0]
    kind = rtnl_msgtype_kind(msgtype - RTM_BASE)
    if kind != RTNL_KIND_GET and not netlink_net_capable(skb, CAP_NET_ADMIN):
        raise KernelError(EPERM)
    if kind == RTNL_KIND_GET and nlh.nlmsg_flags & NLM_F_DUMP:
        _start_dump(net, skb, nlh, family)
        return
    link = _handler(net.kernel, family, msgtype, "doit")
    bulk = kind == RTNL_KIND_DEL and nlh.nlmsg_flags & NLM_F_BULK
    if bulk and not link.flags & RTNL_FLAG_BULK_DEL_SUPPORTED:
        NL_SET_ERR_MSG(extack, "Bulk delete is not supported")
        raise KernelError(EOPNOTSUPP)
    assert link.doit is not None
    if link.flags & RTNL_FLAG_DOIT_UNLOCKED:
        link.doit(skb, nlh, extack)
        return
    rtnl_lock(net.kernel)
    try:
        link.doit(skb, nlh, extack)
    finally:
        rtnl_unlock(net.kernel)


def _handler(kernel: Kernel, family: int, msgtype: int, what: str) -> rtnl_link:
    """Who has doit or dumpit for a type: the family, or those who answer for all. EOPNOTSUPP."""
    for each in (family, PF_UNSPEC):
        link = rtnl_get_link(kernel, each, msgtype)
        if link is not None and getattr(link, what) is not None:
            return link
    raise KernelError(EOPNOTSUPP)


def _start_dump(net: net_t, skb: sk_buff, nlh: nlmsghdr, family: int) -> None:
    link = _handler(net.kernel, family, nlh.nlmsg_type, "dumpit")
    assert link.dumpit is not None
    min_dump_alloc = rtnetlink_getlink.rtnl_calcit(skb, nlh) if nlh.nlmsg_type == RTM_GETLINK else 0
    assert net.rtnl is not None
    control = netlink_dump_control(link.dumpit, min_dump_alloc=min_dump_alloc)
    af_netlink_rcv.netlink_dump_start(net.rtnl, skb, nlh, control)


def rtnetlink_rcv(skb: sk_buff) -> None:
    """A packet from user space."""
    af_netlink_rcv.netlink_rcv_skb(skb, rtnetlink_rcv_msg)


def rtnetlink_bind(net: net_t, group: int) -> None:
    """Who may listen to a group. EPERM: those about multicast routing need CAP_NET_ADMIN."""
    about_mroutes = group in (RTNLGRP_IPV4_MROUTE_R, RTNLGRP_IPV6_MROUTE_R)
    if about_mroutes and not ns_capable(net.kernel.current, net.user_ns, CAP_NET_ADMIN):
        raise KernelError(EPERM)


def rtnetlink_event(this: notifier_block, event: int, ptr: object) -> int:
    """A device changed: tell those who listen to links."""
    if event in _TOLD:
        dev = netdev_notifier_info_to_dev(ptr)
        rtnetlink_ifinfo.rtmsg_ifinfo_event(RTM_NEWLINK, dev, 0, rtnetlink_ifinfo.rtnl_get_event(event), None, 0, 0, None)
    return NOTIFY_DONE


rtnetlink_dev_notifier = notifier_block(notifier_call=rtnetlink_event)


def rtnetlink_net_init(net: net_t) -> None:
    """The kernel's end of NETLINK_ROUTE in a namespace."""
    cfg = netlink_kernel_cfg(groups=RTNLGRP_MAX, flags=NL_CFG_F_NONROOT_RECV, input=rtnetlink_rcv, bind=rtnetlink_bind)
    net.rtnl = af_netlink.netlink_kernel_create(net, NETLINK_ROUTE, cfg)


def rtnetlink_net_exit(net: net_t) -> None:
    """The namespace goes."""
    if net.rtnl is not None:
        af_netlink.netlink_kernel_release(af_netlink.nlk_sk(net.rtnl))
    net.rtnl = None


rtnetlink_net_ops = pernet_operations(init=rtnetlink_net_init, exit=rtnetlink_net_exit)


def rtnetlink_init(kernel: Kernel) -> None:
    """Part of netlink_proto_init(): the protocol, and the messages about links."""
    register_pernet_subsys(kernel, rtnetlink_net_ops)
    register_netdevice_notifier(kernel, rtnetlink_dev_notifier)
    rtnl_register(
        kernel, PF_UNSPEC, RTM_GETLINK, rtnetlink_getlink.rtnl_getlink, rtnetlink_getlink.rtnl_dump_ifinfo
    )
    rtnl_register(kernel, PF_UNSPEC, RTM_SETLINK, rtnetlink_setlink.rtnl_setlink, None)
    rtnl_register(kernel, PF_UNSPEC, RTM_NEWLINK, rtnetlink_link.rtnl_newlink, None)
    rtnl_register(kernel, PF_UNSPEC, RTM_DELLINK, rtnetlink_link.rtnl_dellink, None)
    rtnl_register(kernel, PF_UNSPEC, RTM_NEWNSID, net_namespace_rtnl.rtnl_net_newid, None)
    rtnl_register(kernel, PF_UNSPEC, RTM_GETNSID, net_namespace_rtnl.rtnl_net_getid, net_namespace_rtnl.rtnl_net_dumpid)
    for msgtype in (RTM_GETADDR, RTM_GETROUTE, RTM_GETNETCONF):
        rtnl_register(kernel, PF_UNSPEC, msgtype, None, rtnl_dump_all)
