"""net/netlink/diag.c: questions about netlink sockets."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from kshell.abi import sock_diag as d
from kshell.abi.errno import EINVAL, ENOENT, EOPNOTSUPP
from kshell.abi.netlink import NLM_F_DUMP, NLM_F_MULTI
from kshell.abi.socket import AF_NETLINK
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.netlink import (
    NETLINK_CB,
    NETLINK_F_BROADCAST_SEND_ERROR,
    NETLINK_F_CAP_ACK,
    NETLINK_F_LISTEN_ALL_NSID,
    NETLINK_F_RECV_NO_ENOBUFS,
    NETLINK_F_RECV_PKTINFO,
    netlink_callback,
    netlink_sock,
)
from kshell.linux.include.linux.sock_diag import sock_diag_handler
from kshell.linux.include.net.netlink import nla_put, nla_put_u32, nlmsg_cancel, nlmsg_end, nlmsg_len, nlmsg_put
from kshell.linux.net.core.sock import sock_i_ino
from kshell.linux.net.core.sock_diag_init import (
    _dump_sockets,
    _start_dump,
    sock_diag_put_meminfo,
    sock_diag_register,
    sock_diag_save_cookie,
    sock_diag_unregister,
)

if TYPE_CHECKING:
    from kshell.linux.include.linux.module import module
    from kshell.linux.include.linux.skbuff import sk_buff
    from kshell.linux.include.net.net_namespace import net as net_t
    from kshell.linux.include.net.netlink import nlmsghdr
    from kshell.linux.init.kernel import Kernel

NETLINK_DIAG_REQ: Final = struct.Struct("<BBxxIIII")  # family, protocol, inode, what to show, cookie
NETLINK_DIAG_MSG: Final = struct.Struct("<BBBBIIIIII")
_FLAGS: Final = (
    (NETLINK_F_RECV_PKTINFO, d.NDIAG_FLAG_PKTINFO),
    (NETLINK_F_BROADCAST_SEND_ERROR, d.NDIAG_FLAG_BROADCAST_ERROR),
    (NETLINK_F_RECV_NO_ENOBUFS, d.NDIAG_FLAG_NO_ENOBUFS),
    (NETLINK_F_LISTEN_ALL_NSID, d.NDIAG_FLAG_LISTEN_ALL_NSID),
    (NETLINK_F_CAP_ACK, d.NDIAG_FLAG_CAP_ACK),
)


def sk_diag_dump_groups(sk: netlink_sock, nlskb: sk_buff) -> None:
    """Append the groups that the socket listens to, if it can."""
    if sk.ngroups:
        nla_put(nlskb, d.NETLINK_DIAG_GROUPS, sk.groups.to_bytes(-(-sk.ngroups // 64) * 8, "little"))


def sk_diag_put_flags(sk: netlink_sock, skb: sk_buff) -> None:
    """Append NDIAG_FLAG_*."""
    flags = d.NDIAG_FLAG_CB_RUNNING if sk.cb_running else 0
    flags |= sum(shown for bit, shown in _FLAGS if sk.flags >> bit & 1)
    nla_put_u32(skb, d.NETLINK_DIAG_FLAGS, flags)


def sk_diag_fill(sk: netlink_sock, skb: sk_buff, show: int, portid: int, seq: int) -> None:
    """Append a message about a socket. EMSGSIZE: no room."""
    fields = (
        AF_NETLINK, sk.sk_type, sk.sk_protocol, sk.skc_state, sk.portid, sk.dst_portid, sk.dst_group, sock_i_ino(sk),
        *sock_diag_save_cookie(sk),
    )  # fmt: skip
    nlh = nlmsg_put(skb, portid, seq, d.SOCK_DIAG_BY_FAMILY, NETLINK_DIAG_MSG.pack(*fields), NLM_F_MULTI)
    try:
        if show & d.NDIAG_SHOW_GROUPS:
            sk_diag_dump_groups(sk, skb)
        if show & d.NDIAG_SHOW_MEMINFO:
            sock_diag_put_meminfo(sk, skb, d.NETLINK_DIAG_MEMINFO)
        if show & d.NDIAG_SHOW_FLAGS:
            sk_diag_put_flags(sk, skb)
    except KernelError:
        nlmsg_cancel(skb, nlh)
        raise
    nlmsg_end(skb, nlh)


def _sockets(net: net_t, protocol: int) -> list[netlink_sock]:
    """The sockets of one protocol, or of all; those that have no address yet listen all the same."""
    tables = net.kernel.nl_table if protocol == d.NDIAG_PROTO_ALL else [net.kernel.nl_table[protocol]]
    found = []
    for table in tables:
        found += [sk for sk in table.hash.values() if sk.sk_net is net]
        found += [sk for sk in table.mc_list if sk.sk_net is net and not sk.bound]
    return found


def netlink_diag_dump(skb: sk_buff, cb: netlink_callback) -> int:
    """All sockets asked for, as many as fit; args[1]: those that are done. ENOENT: no such protocol."""
    assert cb.skb.sk is not None
    net = cb.skb.sk.sk_net
    _, protocol, _, show, _, _ = NETLINK_DIAG_REQ.unpack_from(cb.nlh._payload)
    if protocol != d.NDIAG_PROTO_ALL and protocol >= len(net.kernel.nl_table):
        raise KernelError(ENOENT)
    portid, seq = NETLINK_CB(cb.skb).portid, cb.nlh.nlmsg_seq
    return _dump_sockets(skb, cb, 1, _sockets(net, protocol), lambda sk: sk_diag_fill(sk, skb, show, portid, seq))


def netlink_diag_handler_dump(skb: sk_buff, h: nlmsghdr) -> None:
    """A question about netlink sockets. EINVAL; EOPNOTSUPP: about a single one."""
    if nlmsg_len(h) < NETLINK_DIAG_REQ.size:
        raise KernelError(EINVAL)
    if not h.nlmsg_flags & NLM_F_DUMP:
        raise KernelError(EOPNOTSUPP)
    _start_dump(skb, h, netlink_diag_dump)


def netlink_diag_init(kernel: Kernel, mod: module) -> None:
    """The module netlink_diag is loaded."""
    sock_diag_register(kernel, sock_diag_handler(family=AF_NETLINK, dump=netlink_diag_handler_dump, owner=mod))


def netlink_diag_exit(kernel: Kernel, mod: module) -> None:
    """It is removed."""
    sock_diag_unregister(kernel, kernel.sock_diag_handlers[AF_NETLINK])
