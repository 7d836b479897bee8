"""net/packet/diag.c: questions about packet sockets."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from kshell.abi import sock_diag as d
from kshell.abi.errno import EINVAL, EOPNOTSUPP
from kshell.abi.netlink import NLM_F_DUMP, NLM_F_MULTI
from kshell.abi.socket import AF_PACKET
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.netlink import NETLINK_CB, netlink_callback
from kshell.linux.include.linux.sock_diag import sock_diag_handler
from kshell.linux.include.net.netlink import (
    nla_put,
    nla_put_u32,
    nlmsg_cancel,
    nlmsg_end,
    nlmsg_len,
    nlmsg_put,
)
from kshell.linux.net.core.sock import sock_i_ino, sock_i_uid
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
    from kshell.linux.include.net.netlink import nlmsghdr
    from kshell.linux.init.kernel import Kernel
    from kshell.linux.net.packet.internal import packet_sock

PACKET_DIAG_REQ: Final = struct.Struct("<BBxxIIII")  # family, protocol, inode, what to show, cookie
PACKET_DIAG_MSG: Final = struct.Struct("<BBHIII")  # family, type, link protocol, inode, cookie


def pdiag_put_info(po: packet_sock, nlskb: sk_buff) -> None:
    """Append device and version of the ring interface."""
    fields = (po.ifindex, po.tp_version, po.tp_reserve, po.copy_thresh, po.tp_tstamp, 0)
    nla_put(nlskb, d.PACKET_DIAG_INFO, struct.pack("<6I", *(value & 0xFFFFFFFF for value in fields)))


def sk_diag_fill(po: packet_sock, skb: sk_buff, show: int, portid: int, seq: int) -> None:
    """Append a message about a socket. EMSGSIZE: no room."""
    fields = (AF_PACKET, po.sk_type, po.num, sock_i_ino(po), *sock_diag_save_cookie(po))
    nlh = nlmsg_put(skb, portid, seq, d.SOCK_DIAG_BY_FAMILY, PACKET_DIAG_MSG.pack(*fields), NLM_F_MULTI)
    try:
        if show & d.PACKET_SHOW_INFO:
            pdiag_put_info(po, skb)
            nla_put_u32(skb, d.PACKET_DIAG_UID, sock_i_uid(po))
        if show & d.PACKET_SHOW_MEMINFO:
            sock_diag_put_meminfo(po, skb, d.PACKET_DIAG_MEMINFO)
    except KernelError:
        nlmsg_cancel(skb, nlh)
        raise
    nlmsg_end(skb, nlh)


def packet_diag_dump(skb: sk_buff, cb: netlink_callback) -> int:
    """All sockets, as many as fit; args[0]: those that are done."""
    assert cb.skb.sk is not None
    show = PACKET_DIAG_REQ.unpack_from(cb.nlh._payload)[3]
    portid, seq = NETLINK_CB(cb.skb).portid, cb.nlh.nlmsg_seq
    sockets = list(cb.skb.sk.sk_net.packet.sklist)
    return _dump_sockets(skb, cb, 0, sockets, lambda po: sk_diag_fill(po, skb, show, portid, seq))


def packet_diag_handler_dump(skb: sk_buff, h: nlmsghdr) -> None:
    """A question about packet sockets. EINVAL; EOPNOTSUPP: about a single one."""
    if nlmsg_len(h) < PACKET_DIAG_REQ.size or h._payload[1]:
        raise KernelError(EINVAL)
    if not h.nlmsg_flags & NLM_F_DUMP:
        raise KernelError(EOPNOTSUPP)
    _start_dump(skb, h, packet_diag_dump)


def packet_diag_init(kernel: Kernel, mod: module) -> None:
    """The module af_packet_diag is loaded."""
    sock_diag_register(kernel, sock_diag_handler(family=AF_PACKET, dump=packet_diag_handler_dump, owner=mod))


def packet_diag_exit(kernel: Kernel, mod: module) -> None:
    """It is removed."""
    sock_diag_unregister(kernel, kernel.sock_diag_handlers[AF_PACKET])
