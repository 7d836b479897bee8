"""net/core/datagram.c: receiving packets one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.errno import EAGAIN, EFAULT, ENOTCONN
from kshell.abi.poll import EPOLLERR, EPOLLHUP, EPOLLPRI, EPOLLRDHUP, EPOLLWRBAND
from kshell.abi.socket import MSG_DONTWAIT, MSG_PEEK, SOCK_SEQPACKET, SOCK_STREAM
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.net import SOCKWQ_ASYNC_NOSPACE
from kshell.linux.include.linux.poll import EPOLLIN, EPOLLOUT, EPOLLRDNORM, EPOLLWRNORM, poll_wait
from kshell.linux.include.linux.sched import TASK_INTERRUPTIBLE, signal_pending
from kshell.linux.include.linux.skbuff import __skb_unlink
from kshell.linux.include.net.sock import RCV_SHUTDOWN, SHUTDOWN_MASK, SOCK_SELECT_ERR_QUEUE, sock_error
from kshell.linux.include.net.sock_wait import sk_set_bit, sock_intr_errno
from kshell.linux.kernel.sched.wait import (
    DEFINE_WAIT_FUNC,
    autoremove_wake_function,
    finish_wait,
    prepare_to_wait_exclusive,
)
from kshell.linux.kernel.time.timer import schedule_timeout
from kshell.linux.lib.iov_iter import copy_from_iter_full, copy_to_iter, iov_iter_revert
from kshell.linux.net.core.skbuff import consume_skb

if TYPE_CHECKING:

    from kshell.linux.include.linux.fs import file
    from kshell.linux.include.linux.net import socket
    from kshell.linux.include.linux.poll import poll_table
    from kshell.linux.include.linux.skbuff import sk_buff, sk_buff_head
    from kshell.linux.include.linux.socket import msghdr
    from kshell.linux.include.linux.uio import iov_iter
    from kshell.linux.include.linux.wait import wait_queue_entry
    from kshell.linux.include.net.sock import sock

TCP_ESTABLISHED, TCP_SYN_SENT, TCP_CLOSE, TCP_LISTEN = 1, 2, 7, 10


def connection_based(sk: sock) -> bool:
    """True for sockets that are connected before they receive."""
    return sk.sk_type in (SOCK_SEQPACKET, SOCK_STREAM)


def receiver_wake_function(wait: wait_queue_entry, mode: int, sync: int, key: int) -> int:
    """Wake a receiver for input and errors only."""
    if key and not key & (EPOLLIN | EPOLLERR):
        return 0
    return autoremove_wake_function(wait, mode, sync, key)


async def __skb_wait_for_more_packets(sk: sock, queue: sk_buff_head, timeo: int, skb: sk_buff | None) -> int | None:
    """Wait until the last packet of the queue is another than `skb`; what is left of the timeout in jiffies.

    None: shut down, no packet will come. ENOTCONN, EINTR, the socket's error.
    """
    kernel = sk.skc_net.kernel
    current = kernel.current
    assert sk.sk_wq is not None
    wq = sk.sk_wq.wait
    wait = DEFINE_WAIT_FUNC(current, receiver_wake_function)
    prepare_to_wait_exclusive(wq, wait, TASK_INTERRUPTIBLE)
    try:
        if sk.sk_err:
            raise KernelError(sock_error(sk))
        if queue.prev is not skb:
            return timeo
        if sk.sk_shutdown & RCV_SHUTDOWN:
            return None
        if connection_based(sk) and sk.skc_state not in (TCP_ESTABLISHED, TCP_LISTEN):
            raise KernelError(ENOTCONN)
        if signal_pending(current):
            raise KernelError(sock_intr_errno(timeo))
        return await schedule_timeout(kernel, timeo)
    finally:
        finish_wait(wq, wait)


def __skb_try_recv_from_queue(
    sk: sock, queue: sk_buff_head, flags: int, off: int
) -> tuple[sk_buff | None, int, sk_buff | None]:
    """The first packet (for MSG_PEEK with off >= 0: that holds byte `off`), the offset into it, and the last packet."""
    last = queue.prev
    if not flags & MSG_PEEK:
        skb = queue.next
        if skb is not None:
            __skb_unlink(skb, queue)
        return skb, 0, last
    rest = max(off, 0)
    for skb in queue:
        if off >= 0 and rest >= skb.len and (rest or skb.peeked):
            rest -= skb.len
            continue
        if not skb.len:
            skb.peeked = 1
        skb.users += 1
        return skb, rest, last
    return None, off, last


def __skb_try_recv_datagram(
    sk: sock, queue: sk_buff_head, flags: int, off: int
) -> tuple[sk_buff | None, int, sk_buff | None]:
    """A packet, the offset into it, and the last packet of the queue. EAGAIN is None; the socket's error raises."""
    if sk.sk_err:
        raise KernelError(sock_error(sk))
    return __skb_try_recv_from_queue(sk, queue, flags, off)


async def __skb_recv_datagram(sk: sock, sk_queue: sk_buff_head, flags: int, off: int) -> tuple[sk_buff | None, int]:
    """The next packet, for which it waits, and the offset into it; None: shut down, end of file.

    EAGAIN, EINTR, ENOTCONN, the socket's error.
    """
    timeo = 0 if flags & MSG_DONTWAIT else sk.sk_rcvtimeo
    while True:
        skb, skip, last = __skb_try_recv_datagram(sk, sk_queue, flags, off)
        if skb is not None:
            return skb, skip
        if not timeo:
            raise KernelError(EAGAIN)
        left = await __skb_wait_for_more_packets(sk, sk_queue, timeo, last)
        if left is None:
            return None, 0
        timeo = left


async def skb_recv_datagram(sk: sock, flags: int) -> sk_buff | None:
    """The next packet of the receive queue, for which it waits; None: end of file. EAGAIN, EINTR, sk_err."""
    skb, _ = await __skb_recv_datagram(sk, sk.sk_receive_queue, flags, 0)
    return skb


def skb_free_datagram(sk: sock, skb: sk_buff) -> None:
    """Free a packet that was received."""
    consume_skb(skb)


def simple_copy_to_iter(data: bytes, to: iov_iter) -> int:
    """Bytes that could be copied."""
    return copy_to_iter(data, to)


def __skb_datagram_iter(skb: sk_buff, offset: int, to: iov_iter, length: int) -> None:
    """Copy from the packet. EFAULT, with nothing consumed of `to`."""
    data = skb.data
    if offset or length != len(data):
        data = data[offset : offset + length]
    copied = simple_copy_to_iter(data, to)
    if copied < len(data) and to.count:
        iov_iter_revert(to, copied)
        raise KernelError(EFAULT)


def skb_copy_datagram_iter(skb: sk_buff, offset: int, to: iov_iter, length: int) -> int:
    """Copy `length` bytes from byte `offset` of the packet's data. EFAULT."""
    __skb_datagram_iter(skb, offset, to, length)
    return 0


def skb_copy_datagram_msg(skb: sk_buff, offset: int, msg: msghdr, size: int) -> int:
    """Copy `size` bytes from byte `offset` of the packet's data to the receiver. EFAULT."""
    __skb_datagram_iter(skb, offset, msg.msg_iter, size)
    return 0


def skb_copy_datagram_from_iter(skb: sk_buff, offset: int, source: iov_iter, length: int) -> int:
    """Make `length` bytes of the sender's memory the packet's data from byte `offset` on. EFAULT."""
    data = copy_from_iter_full(source, length)
    skb.data = skb.data[:offset] + data
    return 0


def datagram_poll(file: file, sock: socket, wait: poll_table | None) -> int:
    """What a datagram socket is ready for."""
    sk = sock.sk
    assert sk is not None
    poll_wait(file, sock.wq.wait, wait)
    mask = 0
    if sk.sk_err or sk.sk_error_queue.next is not None:
        mask |= EPOLLERR | (EPOLLPRI if sk.skc_flags >> SOCK_SELECT_ERR_QUEUE & 1 else 0)
    shutdown = sk.sk_shutdown
    if shutdown & RCV_SHUTDOWN:
        mask |= EPOLLRDHUP | EPOLLIN | EPOLLRDNORM
    if shutdown == SHUTDOWN_MASK:
        mask |= EPOLLHUP
    if sk.sk_receive_queue.next is not None:
        mask |= EPOLLIN | EPOLLRDNORM
    if connection_based(sk):
        state = sk.skc_state
        if state == TCP_CLOSE:
            mask |= EPOLLHUP
        if state == TCP_SYN_SENT:
            return mask
    if sk.sk_wmem_alloc < sk.sk_sndbuf >> 1:
        mask |= EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND
    else:
        sk_set_bit(SOCKWQ_ASYNC_NOSPACE, sk)
    return mask
