"""Connecting AF_UNIX sockets (net/unix/af_unix.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.errno import EAGAIN, ECONNREFUSED, EINVAL, EISCONN, EOPNOTSUPP, EPERM
from kshell.abi.fcntl import O_NONBLOCK
from kshell.abi.socket import AF_UNSPEC, MSG_DONTWAIT, SOCK_SEQPACKET, SOCK_STREAM, SS_CONNECTED
from kshell.abi.tcp import TCP_CLOSE, TCP_ESTABLISHED, TCP_LISTEN
from kshell.linux.fs.namei_path import path_get
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.net import SOCK_PASSCRED, SOCK_PASSSEC
from kshell.linux.include.linux.path import path
from kshell.linux.include.linux.sched import signal_pending
from kshell.linux.include.linux.skbuff import __skb_queue_tail
from kshell.linux.include.net.af_unix import _sk_of, peer_wait, unix_sk
from kshell.linux.include.net.sock import RCV_SHUTDOWN, SOCK_DEAD, sock_flag, sock_graft, sock_hold
from kshell.linux.include.net.sock_wait import sock_intr_errno, sock_sndtimeo
from kshell.linux.kernel.sched.wait import wake_up_interruptible, wake_up_interruptible_all
from kshell.linux.net.core.datagram import skb_free_datagram, skb_recv_datagram
from kshell.linux.net.core.skbuff import kfree_skb
from kshell.linux.net.core.sock import sock_put
from kshell.linux.net.core.sock_mem import sock_wmalloc
from kshell.linux.net.unix import af_unix
from kshell.linux.net.unix.af_unix_bind import unix_autobind
from kshell.linux.net.unix.af_unix_peer import (
    copy_peercred,
    init_peercred,
    unix_dgram_disconnected,
    unix_dgram_peer_wake_disconnect_wakeup,
    unix_may_send,
    unix_recvq_full_lockless,
    unix_wait_for_peer,
)
from kshell.linux.net.unix.af_unix_table import unix_find_other, unix_validate_addr
from kshell.linux.net.unix.garbage import unix_update_edges
from kshell.linux.security.security import security_unix_may_send, security_unix_stream_connect

if TYPE_CHECKING:
    from kshell.linux.include.linux.net import socket
    from kshell.linux.include.net.af_unix import unix_sock


def unix_listen(sock: socket, backlog: int) -> int:
    """Take connections, backlog + 1 of them waiting. EOPNOTSUPP: a datagram socket; EINVAL: no name, or connected."""
    if sock.type not in (SOCK_STREAM, SOCK_SEQPACKET):
        raise KernelError(EOPNOTSUPP)
    sk = _sk_of(sock)
    if sk.addr is None or sk.skc_state not in (TCP_CLOSE, TCP_LISTEN):
        raise KernelError(EINVAL)
    if backlog > sk.sk_max_ack_backlog:
        wake_up_interruptible_all(peer_wait(sk))
    sk.sk_max_ack_backlog = backlog
    sk.skc_state = TCP_LISTEN
    init_peercred(sk)
    return 0


def _find_dgram_peer(sock: socket, sk: unix_sock, addr: bytes, alen: int) -> unix_sock:
    """The socket to be connected to, with a reference. EPERM: it is connected to another one."""
    unix_validate_addr(addr, alen)
    if sock.flags >> SOCK_PASSCRED & 1 and sk.addr is None:
        unix_autobind(sk)
    other = unix_find_other(sk.skc_net, addr, alen, sock.type)
    try:
        if not unix_may_send(sk, other):
            raise KernelError(EPERM)
        security_unix_may_send(sk.sk_socket, other.sk_socket)
    except KernelError:
        sock_put(other)
        raise
    sk.skc_state = TCP_ESTABLISHED
    other.skc_state = TCP_ESTABLISHED
    return other


async def unix_dgram_connect(sock: socket, addr: bytes, alen: int, flags: int) -> int:
    """Set where messages go and from whom they are taken; AF_UNSPEC undoes it."""
    if alen < 2:
        raise KernelError(EINVAL)
    sk = _sk_of(sock)
    other = None
    if int.from_bytes(addr[:2], "little") != AF_UNSPEC:
        other = _find_dgram_peer(sock, sk, addr, alen)
    old_peer = sk.peer
    sk.peer = other
    if old_peer is None:
        return 0
    if other is None:
        sk.skc_state = TCP_CLOSE
    unix_dgram_peer_wake_disconnect_wakeup(sk, old_peer)
    if other is not old_peer:
        unix_dgram_disconnected(sk, old_peer)
        if old_peer.peer is None:
            old_peer.skc_state = TCP_CLOSE
    sock_put(old_peer)
    return 0


async def _find_listener(sk: unix_sock, sunaddr: bytes, addr_len: int, timeo: int) -> unix_sock:
    """A listening socket with room in its backlog, with a reference. ECONNREFUSED, EAGAIN, EINTR."""
    kernel = sk.skc_net.kernel
    while True:
        other = unix_find_other(sk.skc_net, sunaddr, addr_len, sk.sk_type)
        try:
            if sock_flag(other, SOCK_DEAD):
                sock_put(other)
                continue
            if other.skc_state != TCP_LISTEN or other.sk_shutdown & RCV_SHUTDOWN:
                raise KernelError(ECONNREFUSED)
            if not unix_recvq_full_lockless(other):
                return other
            if not timeo:
                raise KernelError(EAGAIN)
            timeo = await unix_wait_for_peer(other, timeo)
            if signal_pending(kernel.current):
                raise KernelError(sock_intr_errno(timeo))
        except KernelError:
            sock_put(other)
            raise
        sock_put(other)


def _join(sock: socket, sk: unix_sock, newsk: unix_sock, other: unix_sock) -> None:
    """Make newsk, which the listener will hand out, the peer of sk."""
    sock_hold(sk)
    newsk.peer = sk
    newsk.skc_state = TCP_ESTABLISHED
    newsk.sk_type = sk.sk_type
    init_peercred(newsk)
    newsk.listener = other
    newsk.sk_wq = newsk.peer_wq
    if other.path is not None:
        path_get(other.path)
        newsk.path = path(other.path.mnt, other.path.dentry)
    assert other.addr is not None
    other.addr.refcnt += 1
    newsk.addr = other.addr
    copy_peercred(sk, other)
    sock.state = SS_CONNECTED
    sk.skc_state = TCP_ESTABLISHED
    sock_hold(newsk)
    sk.peer = newsk


async def unix_stream_connect(sock: socket, uaddr: bytes, addr_len: int, flags: int) -> int:
    """Put a new connection into a listener's queue; it need not be accepted yet. EISCONN, EINVAL."""
    sk = _sk_of(sock)
    unix_validate_addr(uaddr, addr_len)
    if sock.flags >> SOCK_PASSCRED & 1 and sk.addr is None:
        unix_autobind(sk)
    timeo = sock_sndtimeo(sk, flags & O_NONBLOCK)
    newsk = af_unix.unix_create1(sk.skc_net, None, 0, sock.type)
    skb = other = None
    try:
        skb = sock_wmalloc(newsk, 1, 0)
        other = await _find_listener(sk, uaddr, addr_len, timeo)
        if sk.skc_state != TCP_CLOSE:
            raise KernelError(EISCONN if sk.skc_state == TCP_ESTABLISHED else EINVAL)
        security_unix_stream_connect(sk, other, newsk)
    except KernelError:
        kfree_skb(skb)
        af_unix.unix_release_sock(newsk, 0)
        if other is not None:
            sock_put(other)
        raise
    assert skb is not None
    _join(sock, sk, newsk, other)
    __skb_queue_tail(other.sk_receive_queue, skb)
    other.sk_data_ready(other)
    sock_put(other)
    return 0


def unix_socketpair(socka: socket, sockb: socket) -> int:
    """Join two new sockets back to back."""
    ska, skb = _sk_of(socka), _sk_of(sockb)
    sock_hold(ska)
    sock_hold(skb)
    ska.peer = skb
    skb.peer = ska
    init_peercred(ska)
    init_peercred(skb)
    ska.skc_state = skb.skc_state = TCP_ESTABLISHED
    socka.state = sockb.state = SS_CONNECTED
    return 0


def unix_sock_inherit_flags(old: socket, new: socket) -> None:
    """An accepted socket passes credentials if its listener does."""
    new.flags |= old.flags & (1 << SOCK_PASSCRED | 1 << SOCK_PASSSEC)


async def unix_accept(sock: socket, newsock: socket, flags: int, kern: bool) -> int:
    """Hand out the first waiting connection. EOPNOTSUPP, EINVAL: not listening; EAGAIN."""
    if sock.type not in (SOCK_STREAM, SOCK_SEQPACKET):
        raise KernelError(EOPNOTSUPP)
    sk = _sk_of(sock)
    if sk.skc_state != TCP_LISTEN:
        raise KernelError(EINVAL)
    skb = await skb_recv_datagram(sk, MSG_DONTWAIT if flags & O_NONBLOCK else 0)
    if skb is None:
        raise KernelError(EINVAL)
    assert skb.sk is not None
    tsk = unix_sk(skb.sk)
    skb_free_datagram(sk, skb)
    wake_up_interruptible(peer_wait(sk))
    unix_update_edges(tsk)
    newsock.state = SS_CONNECTED
    unix_sock_inherit_flags(sock, newsock)
    sock_graft(tsk, newsock)
    return 0
