"""net/ipv4/udp.c: the receive queue and recvmsg()."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from kshell.abi.errno import EAGAIN, EFAULT, ENOBUFS, ENOMEM
from kshell.abi.socket import MSG_DONTWAIT, MSG_ERRQUEUE, MSG_PEEK, MSG_TRUNC, SOL_UDP
from kshell.abi.tcp import UDP_GRO
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.mm_types import PAGE_SHIFT, PAGE_SIZE
from kshell.linux.include.linux.skbuff import (
    SKB_GSO_UDP_L4,
    __skb_dequeue,
    __skb_queue_tail,
    sk_buff,
    skb_queue_splice_tail_init,
)
from kshell.linux.include.linux.snmp import UDP_MIB_INDATAGRAMS, UDP_MIB_INERRORS
from kshell.linux.include.linux.udp import UDP_FLAGS_GRO_ENABLED, udp_sk
from kshell.linux.include.net.inet_sock import inet_sk
from kshell.linux.include.net.sock import SK_MEM_RECV, SOCK_DEAD, sock, sock_error
from kshell.linux.include.net.sock_space import sk_mem_pages
from kshell.linux.lib.iov_iter import copy_to_iter, iov_iter_revert
from kshell.linux.net.core.datagram import (
    __skb_try_recv_from_queue,
    __skb_wait_for_more_packets,
    skb_copy_datagram_msg,
)
from kshell.linux.net.core.scm import put_cmsg
from kshell.linux.net.core.skbuff import (
    __consume_stateless_skb,
    kfree_skb,
    skb_condense,
    skb_release_head_state,
)
from kshell.linux.net.core.sock_mem import __sk_mem_raise_allocated, __sk_mem_reduce_allocated
from kshell.linux.net.ipv4.ip_output_append import _run_nowait
from kshell.linux.net.ipv4.ip_sockglue import ip_cmsg_recv_offset, ip_recv_error
from kshell.linux.net.ipv4.udp_send import _statistics
from kshell.linux.net.socket_cmsg import sock_recv_cmsgs

if TYPE_CHECKING:
    from kshell.linux.include.linux.socket import msghdr


_SKB_MAX_ALLOC = 16000  # above this the data is in page fragments


def udp_rmem_release(sk: sock, size: int, partial: int, rx_queue_lock_held: bool) -> None:
    """Give back memory of packets that were received; small amounts are collected first."""
    up = udp_sk(sk)
    if partial:
        deficit = up.forward_deficit + size
        if deficit < sk.sk_rcvbuf >> 2 and up.reader_queue.next is not None:
            up.forward_deficit = deficit
            return
        size = deficit
    else:
        size += up.forward_deficit
    if up.forward_deficit:
        up.forward_deficit = 0
    amt = (size + sk.sk_forward_alloc - partial) & ~(PAGE_SIZE - 1)
    sk.sk_forward_alloc += size - amt
    if amt:
        __sk_mem_reduce_allocated(sk, amt >> PAGE_SHIFT)
    sk.sk_rmem_alloc -= size
    skb_queue_splice_tail_init(sk.sk_receive_queue, up.reader_queue)


def __udp_enqueue_schedule_skb(sk: sock, skb: sk_buff) -> int:
    """Queue a packet and tell readers; ENOMEM (buffer full) or ENOBUFS as a positive errno."""
    rmem = sk.sk_rmem_alloc
    if rmem > sk.sk_rcvbuf:
        sk.sk_drops += 1
        return ENOMEM
    if rmem > sk.sk_rcvbuf >> 1:
        skb_condense(skb)
    size = skb.truesize
    if rmem + size > size + sk.sk_rcvbuf:
        sk.sk_drops += 1
        return ENOMEM
    sk.sk_rmem_alloc = rmem + size
    if size >= sk.sk_forward_alloc:
        amt = sk_mem_pages(size)
        delta = amt << PAGE_SHIFT
        if not __sk_mem_raise_allocated(sk, delta, amt, SK_MEM_RECV):
            sk.sk_rmem_alloc -= size
            sk.sk_drops += 1
            return ENOBUFS
        sk.sk_forward_alloc += delta
    sk.sk_forward_alloc -= size
    if sk.sk_drops:
        skb._dropcount = sk.sk_drops
    __skb_queue_tail(sk.sk_receive_queue, skb)
    if not sk.skc_flags >> SOCK_DEAD & 1:
        sk.sk_data_ready(sk)
    return 0


def udp_destruct_common(sk: sock) -> None:
    """Free what was never read."""
    up = udp_sk(sk)
    total = 0
    skb_queue_splice_tail_init(sk.sk_receive_queue, up.reader_queue)
    while (skb := __skb_dequeue(up.reader_queue)) is not None:
        total += skb.truesize
        kfree_skb(skb)
    udp_rmem_release(sk, total, 0, True)


def skb_consume_udp(sk: sock, skb: sk_buff, length: int) -> None:
    """A packet was copied to the user."""
    if sk.sk_peek_off >= 0:
        sk.sk_peek_off = max(sk.sk_peek_off - length, 0)
    skb.users -= 1
    if skb.users:
        return
    if skb._skb_refdst is not None or skb.destructor is not None:
        skb_release_head_state(skb)
    __consume_stateless_skb(skb)


def first_packet_length(sk: sock) -> int:
    """Length of the first packet in the queue, -1 if there is none."""
    rcvq = udp_sk(sk).reader_queue
    if rcvq.next is None and sk.sk_receive_queue.next is not None:
        skb_queue_splice_tail_init(sk.sk_receive_queue, rcvq)
    return rcvq.next.len if rcvq.next is not None else -1


async def __skb_recv_udp(sk: sock, flags: int, off: int) -> tuple[sk_buff | None, int]:
    """The next packet and the offset into it, waiting for one; None: end of file. EAGAIN, EINTR, the socket's error."""
    queue = udp_sk(sk).reader_queue
    sk_queue = sk.sk_receive_queue
    timeo = 0 if flags & MSG_DONTWAIT else sk.sk_rcvtimeo
    while True:
        err = sk.sk_err
        if err:
            raise KernelError(sock_error(sk))
        skb, skip, _ = __skb_try_recv_from_queue(sk, queue, flags, off)
        if skb is None and sk_queue.next is not None:
            skb_queue_splice_tail_init(sk_queue, queue)
            skb, skip, _ = __skb_try_recv_from_queue(sk, queue, flags, off)
        if skb is not None:
            if not flags & MSG_PEEK:
                udp_rmem_release(sk, skb.truesize, 1, False)
            return skb, skip
        if not timeo:
            raise KernelError(EAGAIN)
        left = await __skb_wait_for_more_packets(sk, sk_queue, timeo, None)
        if left is None:
            return None, 0
        timeo = left


def udp_read_skb(sk: sock, recv_actor: Callable[[sock, sk_buff], int]) -> int:
    """Hand the next packet to a function. EAGAIN."""
    skb, _ = _run_nowait(__skb_recv_udp(sk, MSG_DONTWAIT, 0))
    return 0 if skb is None else recv_actor(sk, skb)


def udp_cmsg_recv(msg: msghdr, sk: sock, skb: sk_buff) -> None:
    """UDP_GRO: size of the segments of which the packet was made."""
    shinfo = skb._shinfo
    if shinfo is not None and shinfo.gso_type & SKB_GSO_UDP_L4:
        put_cmsg(msg, SOL_UDP, UDP_GRO, 4, shinfo.gso_size.to_bytes(4, "little"))


def _copy_linear_skb(skb: sk_buff, length: int, off: int, msg: msghdr) -> None:
    """copy_linear_skb(): all data is in one piece. EFAULT."""
    copied = copy_to_iter(skb.data[off : off + length], msg.msg_iter)
    if copied != length:
        iov_iter_revert(msg.msg_iter, copied)
        raise KernelError(EFAULT)


async def udp_recvmsg(sk: sock, msg: msghdr, length: int, flags: int) -> int:
    """recvmsg() of UDP sockets. EAGAIN, EINTR, ECONNREFUSED and other pending errors, EFAULT."""
    if flags & MSG_ERRQUEUE:
        return ip_recv_error(sk, msg, length)
    peeking = flags & MSG_PEEK
    off = sk.sk_peek_off if peeking else 0
    skb, off = await __skb_recv_udp(sk, flags, off)
    if skb is None:
        return 0
    ulen = skb.len
    copied = length
    if copied > ulen - off:
        copied = ulen - off
    elif copied < ulen:
        msg.msg_flags |= MSG_TRUNC
    statistics = _statistics(sk)
    try:
        if ulen < _SKB_MAX_ALLOC:
            _copy_linear_skb(skb, copied, off, msg)
        else:
            skb_copy_datagram_msg(skb, off, msg, copied)
    except KernelError:
        if not peeking:
            sk.sk_drops += 1
            statistics[UDP_MIB_INERRORS] += 1
        kfree_skb(skb)
        raise
    if not peeking:
        statistics[UDP_MIB_INDATAGRAMS] += 1
    sock_recv_cmsgs(msg, sk, skb)
    if msg._want_name:
        uh, iph = skb.transport_header, skb.network_header
        port: int = uh.source  # type: ignore[attr-defined]
        saddr: int = iph.saddr  # type: ignore[attr-defined]
        msg.msg_name = b"\x02\0" + port.to_bytes(2, "big") + saddr.to_bytes(4, "big") + bytes(8)
        msg.msg_namelen = 16
    if udp_sk(sk).udp_flags >> UDP_FLAGS_GRO_ENABLED & 1:
        udp_cmsg_recv(msg, sk, skb)
    if inet_sk(sk).cmsg_flags:
        ip_cmsg_recv_offset(msg, sk, skb, 8, off)
    err = ulen if flags & MSG_TRUNC else copied
    skb_consume_udp(sk, skb, -err if peeking else err)
    return err
