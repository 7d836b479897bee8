"""Messages of AF_UNIX datagram and seqpacket sockets (net/unix/af_unix.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kshell.abi.errno import EAGAIN, ECONNREFUSED, ECONNRESET, EMSGSIZE, ENOTCONN, EOPNOTSUPP, EPERM, EPIPE
from kshell.abi.poll import EPOLLOUT, EPOLLWRBAND, EPOLLWRNORM
from kshell.abi.socket import MSG_DONTWAIT, MSG_OOB, MSG_PEEK, MSG_TRUNC, SOCK_SEQPACKET
from kshell.abi.tcp import TCP_CLOSE, TCP_ESTABLISHED
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.mm_types import PAGE_SIZE
from kshell.linux.include.linux.net import SOCK_PASSCRED
from kshell.linux.include.linux.sched import signal_pending
from kshell.linux.include.linux.skbuff import SKB_MAX_ALLOC
from kshell.linux.include.linux.wait import wq_has_sleeper
from kshell.linux.include.net.af_unix import UNIXCB, _sk_of, peer_wait, unix_sk
from kshell.linux.include.net.scm import scm_cookie, scm_destroy, scm_recv, scm_send, scm_set_cred
from kshell.linux.include.net.sock import RCV_SHUTDOWN, SOCK_DEAD, SOCK_RCVTSTAMP, sock_error, sock_flag
from kshell.linux.include.net.sock_peek import sk_peek_offset, sk_peek_offset_bwd, sk_peek_offset_fwd
from kshell.linux.include.net.sock_wait import sock_intr_errno, sock_rcvtimeo, sock_sndtimeo
from kshell.linux.kernel.sched.wait import wake_up_interruptible_sync_poll
from kshell.linux.kernel.time.timekeeping import ktime_get_real
from kshell.linux.net.core.datagram import (
    __skb_try_recv_datagram,
    __skb_wait_for_more_packets,
    skb_copy_datagram_from_iter,
    skb_copy_datagram_msg,
    skb_free_datagram,
)
from kshell.linux.net.core.filter import sk_filter
from kshell.linux.net.core.skbuff import kfree_skb, skb_put, skb_queue_tail
from kshell.linux.net.core.sock import sock_put
from kshell.linux.net.core.sock_mem import sock_alloc_send_pskb
from kshell.linux.net.socket_cmsg import __sock_recv_timestamp
from kshell.linux.net.unix.af_unix_bind import unix_autobind
from kshell.linux.net.unix.af_unix_peer import (
    unix_dgram_disconnected,
    unix_dgram_peer_wake_disconnect_wakeup,
    unix_dgram_peer_wake_me,
    unix_may_send,
    unix_peer_get,
    unix_recvq_full_lockless,
    unix_wait_for_peer,
)
from kshell.linux.net.unix.af_unix_scm import (
    maybe_add_creds,
    scm_stat_add,
    scm_stat_del,
    unix_detach_fds,
    unix_peek_fds,
    unix_scm_to_skb,
)
from kshell.linux.net.unix.af_unix_table import unix_find_other, unix_validate_addr
from kshell.linux.net.unix.garbage import wait_for_unix_gc
from kshell.linux.security.security import security_unix_may_send

if TYPE_CHECKING:
    from kshell.linux.include.linux.net import socket
    from kshell.linux.include.linux.skbuff import sk_buff
    from kshell.linux.include.linux.socket import msghdr
    from kshell.linux.include.net.af_unix import unix_sock
    from kshell.linux.include.net.sock import sock as sock_t

MAX_PAGED: Final = 17 * PAGE_SIZE


async def _filled_skb(
    sk: unix_sock, msg: msghdr, scm: scm_cookie, size: int, data_len: int, send_fds: bool
) -> sk_buff:
    """The next size bytes of the message as an skb, data_len of them in pages. EAGAIN, EFAULT, EPIPE, ETOOMANYREFS."""
    skb = await sock_alloc_send_pskb(sk, size - data_len, data_len, msg.msg_flags & MSG_DONTWAIT)
    try:
        unix_scm_to_skb(scm, skb, send_fds)
        skb_put(skb, b"")  # the room; what is in it comes next
        skb.data_len = data_len
        skb.len = size
        skb_copy_datagram_from_iter(skb, 0, msg.msg_iter, size)
    except KernelError:
        kfree_skb(skb)
        raise
    return skb


async def _dgram_skb(sk: unix_sock, msg: msghdr, scm: scm_cookie, length: int) -> sk_buff:
    """The message as an skb. EMSGSIZE, EAGAIN, EFAULT, ETOOMANYREFS."""
    if length > sk.sk_sndbuf - 32:
        raise KernelError(EMSGSIZE)
    data_len = 0
    if length > SKB_MAX_ALLOC:
        data_len = min(length - SKB_MAX_ALLOC, MAX_PAGED) + PAGE_SIZE - 1 & -PAGE_SIZE
    return await _filled_skb(sk, msg, scm, length, data_len, True)


def _dgram_peer_died(sk: unix_sock, other: unix_sock) -> None:
    """The receiver was closed. EPIPE or ECONNREFUSED when we are connected to it; else it is looked up anew."""
    sock_put(other)
    if sk.sk_type == SOCK_SEQPACKET:
        raise KernelError(EPIPE)
    if sk.peer is other:
        sk.peer = None
        unix_dgram_peer_wake_disconnect_wakeup(sk, other)
        sk.skc_state = TCP_CLOSE
        unix_dgram_disconnected(sk, other)
        sock_put(other)
        raise KernelError(ECONNREFUSED)


def _dgram_check(sk: unix_sock, other: unix_sock) -> None:
    """EPIPE: the receiver takes no more."""
    if other.sk_shutdown & RCV_SHUTDOWN:
        raise KernelError(EPIPE)
    if sk.sk_type != SOCK_SEQPACKET:
        security_unix_may_send(sk.sk_socket, other.sk_socket)


async def _dgram_route(
    sk: unix_sock, other: unix_sock | None, sunaddr: bytes | None, skb: sk_buff, timeo: int
) -> unix_sock | None:
    """The receiver, with room and a reference; None: its filter doesn't want the message.

    Takes over the reference to other. ECONNRESET, EPERM, EAGAIN and what unix_find_other() gives.
    """
    kernel = sk.skc_net.kernel
    while True:
        if other is None:
            if sunaddr is None:
                raise KernelError(ECONNRESET)
            other = unix_find_other(sk.skc_net, sunaddr, len(sunaddr), sk.sk_type)
        held: unix_sock | None = other
        try:
            if sk_filter(other, skb):
                sock_put(other)
                return None
            if not unix_may_send(sk, other):
                raise KernelError(EPERM)
            if sock_flag(other, SOCK_DEAD):
                held = None
                _dgram_peer_died(sk, other)
                other = None
                continue
            _dgram_check(sk, other)
            if other is sk or other.peer is sk or not unix_recvq_full_lockless(other):
                return other
            if not timeo:
                if sk.peer is other:
                    unix_dgram_peer_wake_me(sk, other)
                raise KernelError(EAGAIN)
            timeo = await unix_wait_for_peer(other, timeo)
            if signal_pending(kernel.current):
                raise KernelError(sock_intr_errno(timeo))
        except KernelError:
            if held is not None:
                sock_put(held)
            raise


async def unix_dgram_sendmsg(sock: socket, msg: msghdr, length: int) -> int:
    """Send a message to the peer or to a name. ENOTCONN, ECONNREFUSED, ENOENT, EPERM, EMSGSIZE, EPIPE, EAGAIN."""
    sk = _sk_of(sock)
    kernel = sk.skc_net.kernel
    scm = scm_cookie(kernel)
    scm_send(sock, msg, scm, False)
    other = None
    try:
        wait_for_unix_gc(kernel, scm.fp)
        if msg.msg_flags & MSG_OOB:
            raise KernelError(EOPNOTSUPP)
        sunaddr = None
        if msg.msg_namelen:
            assert msg.msg_name is not None
            sunaddr = msg.msg_name[: msg.msg_namelen]
            unix_validate_addr(sunaddr, msg.msg_namelen)
        else:
            other = unix_peer_get(sk)
            if other is None:
                raise KernelError(ENOTCONN)
        try:
            if sock.flags >> SOCK_PASSCRED & 1 and sk.addr is None:
                unix_autobind(sk)
            skb = await _dgram_skb(sk, msg, scm, length)
        except KernelError:
            if other is not None:
                sock_put(other)
            raise
        try:
            timeo = sock_sndtimeo(sk, msg.msg_flags & MSG_DONTWAIT)
            other = await _dgram_route(sk, other, sunaddr, skb, timeo)
        except KernelError:
            kfree_skb(skb)
            raise
        if other is None:
            kfree_skb(skb)
            return length
        _dgram_deliver(sock, other, skb)
    finally:
        scm_destroy(scm)
    return length


def _dgram_deliver(sock: socket, other: unix_sock, skb: sk_buff) -> None:
    if sock_flag(other, SOCK_RCVTSTAMP):
        skb.tstamp = ktime_get_real(other.skc_net.kernel)
    maybe_add_creds(skb, sock, other)
    scm_stat_add(other, skb)
    skb_queue_tail(other.sk_receive_queue, skb)
    other.sk_data_ready(other)
    sock_put(other)


async def unix_seqpacket_sendmsg(sock: socket, msg: msghdr, length: int) -> int:
    """Send a record to the peer. ENOTCONN, and a pending error."""
    sk = _sk_of(sock)
    err = sock_error(sk)
    if err:
        raise KernelError(err)
    if sk.skc_state != TCP_ESTABLISHED:
        raise KernelError(ENOTCONN)
    if msg.msg_namelen:
        msg.msg_namelen = 0
    return await unix_dgram_sendmsg(sock, msg, length)


async def unix_seqpacket_recvmsg(sock: socket, msg: msghdr, size: int, flags: int) -> int:
    """Receive a record. ENOTCONN."""
    if _sk_of(sock).skc_state != TCP_ESTABLISHED:
        raise KernelError(ENOTCONN)
    return await unix_dgram_recvmsg(sock, msg, size, flags)


def unix_copy_addr(msg: msghdr, sk: sock_t) -> None:
    """Tell the receiver the sender's name, if it has one."""
    addr = unix_sk(sk).addr
    if addr is not None:
        msg.msg_name = addr.name
        msg.msg_namelen = addr.len


async def _dgram_wait(sk: unix_sock, flags: int) -> tuple[sk_buff, int] | None:
    """The first message and how many bytes of it to skip; None: end of file. EAGAIN, and a pending error."""
    timeo = sock_rcvtimeo(sk, flags & MSG_DONTWAIT)
    queue = sk.sk_receive_queue
    while True:
        skb, skip, last = __skb_try_recv_datagram(sk, queue, flags, sk_peek_offset(sk, flags))
        if skb is not None:
            if not flags & MSG_PEEK:
                scm_stat_del(sk, skb)
            return skb, skip
        if not timeo:
            break
        left = await __skb_wait_for_more_packets(sk, queue, timeo, last)
        if left is None:
            return None
        timeo = left
    if sk.sk_type == SOCK_SEQPACKET and sk.sk_shutdown & RCV_SHUTDOWN:
        return None
    raise KernelError(EAGAIN)


def _dgram_scm(sk: unix_sock, skb: sk_buff, flags: int, size: int) -> scm_cookie:
    """What came with the message."""
    cb = UNIXCB(skb)
    scm = scm_cookie(sk.skc_net.kernel)
    scm_set_cred(scm, cb.pid, cb.uid, cb.gid)
    scm.secid = cb.secid
    if not flags & MSG_PEEK:
        if cb.fp is not None:
            unix_detach_fds(scm, skb)
        sk_peek_offset_bwd(sk, skb.len)
    else:
        sk_peek_offset_fwd(sk, size)
        if cb.fp is not None:
            unix_peek_fds(scm, skb)
    return scm


async def __unix_dgram_recvmsg(sk: unix_sock, msg: msghdr, size: int, flags: int) -> int:
    if flags & MSG_OOB:
        raise KernelError(EOPNOTSUPP)
    found = await _dgram_wait(sk, flags)
    if found is None:
        return 0
    skb, skip = found
    sock = sk.sk_socket
    assert sock is not None
    assert skb.sk is not None
    try:
        if wq_has_sleeper(peer_wait(sk)):
            wake_up_interruptible_sync_poll(peer_wait(sk), EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND)
        if msg._want_name:
            unix_copy_addr(msg, skb.sk)
        if size > skb.len - skip:
            size = skb.len - skip
        elif size < skb.len - skip:
            msg.msg_flags |= MSG_TRUNC
        skb_copy_datagram_msg(skb, skip, msg, size)
        if sock_flag(sk, SOCK_RCVTSTAMP):
            __sock_recv_timestamp(msg, sk, skb)
        scm = _dgram_scm(sk, skb, flags, size)
        scm_recv(sock, msg, scm, flags)
        return skb.len - skip if flags & MSG_TRUNC else size
    finally:
        skb_free_datagram(sk, skb)


async def unix_dgram_recvmsg(sock: socket, msg: msghdr, size: int, flags: int) -> int:
    """Receive a message. EAGAIN, EOPNOTSUPP: MSG_OOB, EFAULT, and a pending error."""
    return await __unix_dgram_recvmsg(_sk_of(sock), msg, size, flags)
