"""net/unix/diag.c: questions about AF_UNIX sockets."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from kshell.abi import sock_diag as d
from kshell.abi.errno import EINVAL, ENOENT
from kshell.abi.netlink import NLM_F_DUMP, NLM_F_MULTI
from kshell.abi.socket import AF_UNIX
from kshell.abi.tcp import TCP_LISTEN
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.netlink import NETLINK_CB, NLMSG_GOODSIZE, netlink_callback
from kshell.linux.include.linux.sock_diag import sock_diag_handler
from kshell.linux.include.net.af_unix import SUN_PATH_OFFSET, unix_sock
from kshell.linux.include.net.netlink import (
    nla_put,
    nla_put_u8,
    nla_put_u32,
    nlmsg_cancel,
    nlmsg_end,
    nlmsg_len,
    nlmsg_new,
    nlmsg_put,
)
from kshell.linux.net.core.sock import sock_i_ino, sock_i_uid
from kshell.linux.net.core.sock_diag_init import (
    _dump_sockets,
    _start_dump,
    sock_diag_check_cookie,
    sock_diag_put_meminfo,
    sock_diag_register,
    sock_diag_save_cookie,
    sock_diag_unregister,
)
from kshell.linux.net.netlink.af_netlink_deliver import nlmsg_unicast
from kshell.linux.net.unix.af_unix_poll import unix_inq_len, unix_outq_len

if TYPE_CHECKING:
    from kshell.linux.include.linux.module import module
    from kshell.linux.include.linux.skbuff import sk_buff
    from kshell.linux.include.net.net_namespace import net as net_t
    from kshell.linux.include.net.netlink import nlmsghdr
    from kshell.linux.init.kernel import Kernel

UNIX_DIAG_REQ: Final = struct.Struct("<BBxxIIIII")  # family, protocol, states, inode, what to show, cookie
UNIX_DIAG_MSG: Final = struct.Struct("<BBBxIII")  # family, type, state, inode, cookie


class unix_diag_req:
    """A question: which states, or which inode, and what to show."""

    __slots__ = ("cookie", "udiag_ino", "udiag_show", "udiag_states")

    def __init__(self, raw: bytes) -> None:
        _, _, self.udiag_states, self.udiag_ino, self.udiag_show, low, high = UNIX_DIAG_REQ.unpack_from(raw)
        self.cookie = (low, high)


def sk_diag_dump_name(sk: unix_sock, nlskb: sk_buff) -> None:
    """Append the name, if there is one."""
    if sk.addr is not None:
        nla_put(nlskb, d.UNIX_DIAG_NAME, sk.addr.name[SUN_PATH_OFFSET : sk.addr.len])


def sk_diag_dump_vfs(sk: unix_sock, nlskb: sk_buff) -> None:
    """Append inode and device of the file that a path name is."""
    if sk.path is not None and sk.path.dentry is not None:
        inode = sk.path.dentry.d_inode
        if inode is not None:
            nla_put(nlskb, d.UNIX_DIAG_VFS, struct.pack("<II", inode.i_ino, inode.i_sb.s_dev))


def sk_diag_dump_peer(sk: unix_sock, nlskb: sk_buff) -> None:
    """Append the inode of the other end."""
    if sk.peer is not None:
        nla_put_u32(nlskb, d.UNIX_DIAG_PEER, sock_i_ino(sk.peer))


def _queued(sk: unix_sock) -> Iterator[sk_buff]:
    skb = sk.sk_receive_queue.next
    while skb is not None:
        yield skb
        skb = skb.next


def sk_diag_dump_icons(sk: unix_sock, nlskb: sk_buff) -> None:
    """Append the inodes of those who wait to be accepted."""
    if sk.skc_state != TCP_LISTEN:
        return
    inodes = []
    for skb in _queued(sk):
        peer = skb.sk.peer if isinstance(skb.sk, unix_sock) else None
        inodes.append(sock_i_ino(peer) if peer is not None else 0)
    nla_put(nlskb, d.UNIX_DIAG_ICONS, struct.pack(f"<{len(inodes)}I", *inodes))


def sk_diag_show_rqlen(sk: unix_sock, nlskb: sk_buff) -> None:
    """Append the lengths of both queues."""
    if sk.skc_state == TCP_LISTEN:
        lengths = (sk.sk_receive_queue.qlen, sk.sk_max_ack_backlog)
    else:
        lengths = (max(0, unix_inq_len(sk)), max(0, unix_outq_len(sk)))
    nla_put(nlskb, d.UNIX_DIAG_RQLEN, struct.pack("<II", *lengths))


def sk_diag_fill(sk: unix_sock, skb: sk_buff, req: unix_diag_req, portid: int, seq: int, flags: int) -> None:
    """Append a message about a socket. EMSGSIZE: no room."""
    fields = (AF_UNIX, sk.sk_type, sk.skc_state, sock_i_ino(sk), *sock_diag_save_cookie(sk))
    nlh = nlmsg_put(skb, portid, seq, d.SOCK_DIAG_BY_FAMILY, UNIX_DIAG_MSG.pack(*fields), flags)
    try:
        for wanted, put in (
            (d.UDIAG_SHOW_NAME, sk_diag_dump_name),
            (d.UDIAG_SHOW_VFS, sk_diag_dump_vfs),
            (d.UDIAG_SHOW_PEER, sk_diag_dump_peer),
            (d.UDIAG_SHOW_ICONS, sk_diag_dump_icons),
            (d.UDIAG_SHOW_RQLEN, sk_diag_show_rqlen),
        ):
            if req.udiag_show & wanted:
                put(sk, skb)
        if req.udiag_show & d.UDIAG_SHOW_MEMINFO:
            sock_diag_put_meminfo(sk, skb, d.UNIX_DIAG_MEMINFO)
        nla_put_u8(skb, d.UNIX_DIAG_SHUTDOWN, sk.sk_shutdown)
        if req.udiag_show & d.UDIAG_SHOW_UID:
            nla_put_u32(skb, d.UNIX_DIAG_UID, sock_i_uid(sk))
    except KernelError:
        nlmsg_cancel(skb, nlh)
        raise
    nlmsg_end(skb, nlh)


def _sockets(net: net_t) -> Iterator[unix_sock]:
    for bucket in net.unx.table.buckets:
        yield from reversed(bucket or {})


def unix_diag_dump(skb: sk_buff, cb: netlink_callback) -> int:
    """All sockets in the states asked for, as many as fit; args[0]: those that are done."""
    assert cb.skb.sk is not None
    req = unix_diag_req(cb.nlh._payload)
    portid = NETLINK_CB(cb.skb).portid

    def fill(sk: unix_sock) -> None:
        if req.udiag_states >> sk.skc_state & 1:
            sk_diag_fill(sk, skb, req, portid, cb.nlh.nlmsg_seq, NLM_F_MULTI)

    return _dump_sockets(skb, cb, 0, list(_sockets(cb.skb.sk.sk_net)), fill)


def unix_diag_get_exact(in_skb: sk_buff, nlh: nlmsghdr, req: unix_diag_req) -> None:
    """One socket by its inode. EINVAL, ENOENT, ESTALE."""
    assert in_skb.sk is not None
    net = in_skb.sk.sk_net
    if not req.udiag_ino:
        raise KernelError(EINVAL)
    sk = next((each for each in _sockets(net) if sock_i_ino(each) == req.udiag_ino), None)
    if sk is None:
        raise KernelError(ENOENT)
    sock_diag_check_cookie(sk, req.cookie)
    rep = nlmsg_new(net.kernel, NLMSG_GOODSIZE)
    portid = NETLINK_CB(in_skb).portid
    sk_diag_fill(sk, rep, req, portid, nlh.nlmsg_seq, 0)
    nlmsg_unicast(in_skb.sk, rep, portid)


def unix_diag_handler_dump(skb: sk_buff, h: nlmsghdr) -> None:
    """A question about AF_UNIX sockets. EINVAL and what follows."""
    if nlmsg_len(h) < UNIX_DIAG_REQ.size:
        raise KernelError(EINVAL)
    if h.nlmsg_flags & NLM_F_DUMP:
        _start_dump(skb, h, unix_diag_dump)
    else:
        unix_diag_get_exact(skb, h, unix_diag_req(h._payload))


def unix_diag_init(kernel: Kernel, mod: module) -> None:
    """The module unix_diag is loaded."""
    sock_diag_register(kernel, sock_diag_handler(family=AF_UNIX, dump=unix_diag_handler_dump, owner=mod))


def unix_diag_exit(kernel: Kernel, mod: module) -> None:
    """It is removed."""
    sock_diag_unregister(kernel, kernel.sock_diag_handlers[AF_UNIX])
