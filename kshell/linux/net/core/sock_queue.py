"""net/core/sock.c: packets that arrive at a socket, and control messages that come with a message to send."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.capability import CAP_NET_ADMIN, CAP_NET_RAW
from kshell.abi.errno import EAGAIN, EINVAL, ENOBUFS, ENOMEM, EPERM
from kshell.abi.socket import (
    MSG_ERRQUEUE,
    MSG_TRUNC,
    SCM_CREDENTIALS,
    SCM_RIGHTS,
    SCM_TXTIME,
    SO_MARK,
    SO_TIMESTAMPING_NEW,
    SO_TIMESTAMPING_OLD,
    SOF_TIMESTAMPING_TX_RECORD_MASK,
    SOL_SOCKET,
)
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.skbuff import __skb_queue_tail
from kshell.linux.include.linux.socket import CMSG_LEN, cmsghdr, for_each_cmsghdr
from kshell.linux.include.net.dropreason import (
    SKB_DROP_REASON_NOT_SPECIFIED,
    SKB_DROP_REASON_PROTO_MEM,
    SKB_DROP_REASON_SOCKET_FILTER,
    SKB_DROP_REASON_SOCKET_RCVBUFF,
    SKB_NOT_DROPPED_YET,
)
from kshell.linux.include.net.sock import SOCK_DEAD, SOCK_RXQ_OVFL, SOCK_TXTIME
from kshell.linux.include.net.sock_mem import sk_rmem_schedule
from kshell.linux.kernel.capability import ns_capable
from kshell.linux.net.core import filter as net_filter
from kshell.linux.net.core.datagram import skb_copy_datagram_msg
from kshell.linux.net.core.scm import put_cmsg
from kshell.linux.net.core.skbuff import consume_skb, skb_dst_drop
from kshell.linux.net.core.skbuff_error import SKB_EXT_ERR, sock_dequeue_err_skb
from kshell.linux.net.core.sock_mem import skb_set_owner_r
from kshell.linux.net.socket_cmsg import sock_recv_timestamp

if TYPE_CHECKING:
    from kshell.linux.include.linux.skbuff import sk_buff
    from kshell.linux.include.linux.socket import msghdr
    from kshell.linux.include.net.sock import sock

_REASON = {ENOMEM: SKB_DROP_REASON_SOCKET_RCVBUFF, ENOBUFS: SKB_DROP_REASON_PROTO_MEM, EPERM: SKB_DROP_REASON_SOCKET_FILTER}


class sockcm_cookie:
    """What control messages of SOL_SOCKET say about a message to send."""

    __slots__ = ("mark", "transmit_time", "tsflags")

    def __init__(self, sk: sock) -> None:
        self.transmit_time = 0
        self.mark = sk.sk_mark
        self.tsflags = sk.sk_tsflags


def sockcm_init(sk: sock) -> sockcm_cookie:
    """The socket's own settings, for control messages to change."""
    return sockcm_cookie(sk)


def __sock_queue_rcv_skb(sk: sock, skb: sk_buff) -> int:
    """Put a packet in the receive queue and tell readers; a positive errno (ENOMEM, ENOBUFS) if there is no room."""
    queue = sk.sk_receive_queue
    if sk.sk_rmem_alloc >= sk.sk_rcvbuf:
        sk.sk_drops += 1
        return ENOMEM
    if sk.skc_prot.memory_allocated is not None and not sk_rmem_schedule(sk, skb, skb.truesize):
        sk.sk_drops += 1
        return ENOBUFS
    skb.dev = None
    skb_set_owner_r(skb, sk)
    if skb._skb_refdst is not None:
        skb_dst_drop(skb)
    if sk.skc_flags & 1 << SOCK_RXQ_OVFL:
        skb._dropcount = sk.sk_drops
    __skb_queue_tail(queue, skb)
    if not sk.skc_flags & 1 << SOCK_DEAD:
        sk.sk_data_ready(sk)
    return 0


def sock_queue_rcv_skb_reason(sk: sock, skb: sk_buff) -> int:
    """Filter and queue a packet; SKB_NOT_DROPPED_YET (0), or why it was refused: the caller then drops it."""
    err = net_filter.sk_filter(sk, skb)
    if not err:
        err = __sock_queue_rcv_skb(sk, skb)
    if not err:
        return SKB_NOT_DROPPED_YET
    return _REASON.get(err, SKB_DROP_REASON_NOT_SPECIFIED)


def __sock_cmsg_send(sk: sock, msg: msghdr, cmsg: cmsghdr, sockc: sockcm_cookie) -> None:
    """One control message of SOL_SOCKET. EPERM, EINVAL."""
    kind = cmsg.cmsg_type
    if kind == SO_MARK:
        net = sk.skc_net
        current = net.kernel.current
        if not ns_capable(current, net.user_ns, CAP_NET_RAW) and not ns_capable(current, net.user_ns, CAP_NET_ADMIN):
            raise KernelError(EPERM)
        if cmsg.cmsg_len != CMSG_LEN(4):
            raise KernelError(EINVAL)
        sockc.mark = int.from_bytes(cmsg._data, "little")
    elif kind in (SO_TIMESTAMPING_OLD, SO_TIMESTAMPING_NEW):
        if cmsg.cmsg_len != CMSG_LEN(4):
            raise KernelError(EINVAL)
        tsflags = int.from_bytes(cmsg._data, "little")
        if tsflags & ~SOF_TIMESTAMPING_TX_RECORD_MASK:
            raise KernelError(EINVAL)
        sockc.tsflags = sockc.tsflags & ~SOF_TIMESTAMPING_TX_RECORD_MASK | tsflags
    elif kind == SCM_TXTIME:
        if not sk.skc_flags & 1 << SOCK_TXTIME or cmsg.cmsg_len != CMSG_LEN(8):
            raise KernelError(EINVAL)
        sockc.transmit_time = int.from_bytes(cmsg._data, "little")
    elif kind not in (SCM_RIGHTS, SCM_CREDENTIALS):
        raise KernelError(EINVAL)


def sock_cmsg_send(sk: sock, msg: msghdr, sockc: sockcm_cookie) -> None:
    """The control messages of SOL_SOCKET. EINVAL: a malformed or unknown one; EPERM."""
    for cmsg in for_each_cmsghdr(msg):
        if cmsg is None:
            raise KernelError(EINVAL)
        if cmsg.cmsg_level == SOL_SOCKET:
            __sock_cmsg_send(sk, msg, cmsg, sockc)


def sock_recv_errqueue(sk: sock, msg: msghdr, length: int, level: int, kind: int) -> int:
    """MSG_ERRQUEUE for protocols without addresses. EAGAIN: nothing there."""
    skb = sock_dequeue_err_skb(sk)
    if skb is None:
        raise KernelError(EAGAIN)
    try:
        copied = len(skb.data)
        if copied > length:
            msg.msg_flags |= MSG_TRUNC
            copied = length
        skb_copy_datagram_msg(skb, 0, msg, copied)
        sock_recv_timestamp(msg, sk, skb)
        err = SKB_EXT_ERR(skb)
        put_cmsg(msg, level, kind, 16, err.ee._to_bytes())
        msg.msg_flags |= MSG_ERRQUEUE
    finally:
        consume_skb(skb)
    return copied
