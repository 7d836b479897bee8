"""Writing to AF_UNIX streams (net/unix/af_unix.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kshell.abi.errno import EISCONN, ENOTCONN, EOPNOTSUPP, EPIPE
from kshell.abi.signal import SIGPIPE
from kshell.abi.socket import MSG_DONTWAIT, MSG_NOSIGNAL, MSG_OOB
from kshell.abi.tcp import TCP_ESTABLISHED
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.mm_types import PAGE_SIZE
from kshell.linux.include.linux.skbuff import MAX_SKB_FRAGS, __skb_queue_tail, skb_peek_tail
from kshell.linux.include.net.af_unix import _sk_of
from kshell.linux.include.net.scm import scm_cookie, scm_destroy, scm_send
from kshell.linux.include.net.sock import RCV_SHUTDOWN, SEND_SHUTDOWN, SOCK_DEAD, sock_flag
from kshell.linux.kernel.signal import send_sig
from kshell.linux.net.core.skbuff import kfree_skb, skb_queue_tail
from kshell.linux.net.core.sock import sk_send_sigurg
from kshell.linux.net.core.sock_mem import sock_alloc_send_pskb
from kshell.linux.net.unix.af_unix_dgram import _filled_skb
from kshell.linux.net.unix.af_unix_scm import (
    maybe_add_creds,
    maybe_init_creds,
    scm_stat_add,
    unix_scm_to_skb,
    unix_skb_scm_eq,
)
from kshell.linux.net.unix.garbage import wait_for_unix_gc

if TYPE_CHECKING:
    from kshell.linux.include.linux.net import socket
    from kshell.linux.include.linux.skbuff import sk_buff
    from kshell.linux.include.linux.socket import msghdr
    from kshell.linux.include.net.af_unix import unix_sock

SKB_MAX_HEAD: Final = 3776  # what fits with skb_shared_info into a page
UNIX_SKB_FRAGS_SZ: Final = 32768


def _takes_data(other: unix_sock) -> bool:
    return not sock_flag(other, SOCK_DEAD) and not other.sk_shutdown & RCV_SHUTDOWN


async def queue_oob(
    sock: socket, msg: msghdr, other: unix_sock, scm: scm_cookie, fds_sent: bool
) -> None:
    """Send the last byte of the message out of band. EPIPE, EAGAIN, EFAULT."""
    skb = await _filled_skb(_sk_of(sock), msg, scm, 1, 0, not fds_sent)
    if not _takes_data(other):
        kfree_skb(skb)
        raise KernelError(EPIPE)
    maybe_add_creds(skb, sock, other)
    scm_stat_add(other, skb)
    other.oob_skb = skb
    __skb_queue_tail(other.sk_receive_queue, skb)
    sk_send_sigurg(other)
    other.sk_data_ready(other)


def _stream_check(sk: unix_sock, msg: msghdr, length: int) -> tuple[unix_sock, int]:
    """The other end, and the number of bytes to send in band. EOPNOTSUPP, EISCONN, ENOTCONN."""
    if msg.msg_flags & MSG_OOB:
        if not length:
            raise KernelError(EOPNOTSUPP)
        length -= 1
    if msg.msg_namelen:
        raise KernelError(EISCONN if sk.skc_state == TCP_ESTABLISHED else EOPNOTSUPP)
    if sk.peer is None:
        raise KernelError(ENOTCONN)
    return sk.peer, length


async def _send_stream(sock: socket, msg: msghdr, scm: scm_cookie, length: int, sent: list[int]) -> None:
    """Send all; sent[0] counts the bytes that went before an error."""
    sk = _sk_of(sock)
    other, length = _stream_check(sk, msg, length)
    if sk.sk_shutdown & SEND_SHUTDOWN:
        raise KernelError(EPIPE)
    fds_sent = False
    while sent[0] < length:
        size = min(length - sent[0], (sk.sk_sndbuf >> 1) - 64, SKB_MAX_HEAD + UNIX_SKB_FRAGS_SZ)
        data_len = min(size, max(0, size - SKB_MAX_HEAD) + PAGE_SIZE - 1 & -PAGE_SIZE)
        skb = await _filled_skb(_sk_of(sock), msg, scm, size, data_len, not fds_sent)
        fds_sent = True
        if not _takes_data(other):
            kfree_skb(skb)
            raise KernelError(EPIPE)
        maybe_add_creds(skb, sock, other)
        scm_stat_add(other, skb)
        skb_queue_tail(other.sk_receive_queue, skb)
        other.sk_data_ready(other)
        sent[0] += size
    if msg.msg_flags & MSG_OOB:
        await queue_oob(sock, msg, other, scm, fds_sent)
        sent[0] += 1


async def unix_stream_sendmsg(sock: socket, msg: msghdr, length: int) -> int:
    """Write to the peer's queue. ENOTCONN, EISCONN, EOPNOTSUPP, EAGAIN, EPIPE with SIGPIPE."""
    kernel = _sk_of(sock).skc_net.kernel
    scm = scm_cookie(kernel)
    scm_send(sock, msg, scm, False)
    sent = [0]
    try:
        wait_for_unix_gc(kernel, scm.fp)
        await _send_stream(sock, msg, scm, length, sent)
    except KernelError as error:
        if error.errno == EPIPE and not sent[0] and not msg.msg_flags & MSG_NOSIGNAL:
            send_sig(SIGPIPE, kernel.current, 0)
        if not sent[0]:
            raise
    finally:
        scm_destroy(scm)
    return sent[0]


async def _sendpage_skb(sk: unix_sock, other: unix_sock, scm: scm_cookie, flags: int) -> sk_buff:
    """The last skb of the peer's queue if more can be added to it, or a new one behind it."""
    tail = skb_peek_tail(other.sk_receive_queue)
    if tail is not None and unix_skb_scm_eq(tail, scm) and _skb_room(tail):
        return tail
    newskb = await sock_alloc_send_pskb(sk, 0, 0, flags & MSG_DONTWAIT)
    if not _takes_data(other):
        kfree_skb(newskb)
        raise KernelError(EPIPE)
    unix_scm_to_skb(scm, newskb, False)
    __skb_queue_tail(other.sk_receive_queue, newskb)
    return newskb


def _skb_room(skb: sk_buff) -> bool:
    """Whether one more page can be hung onto the skb."""
    return len(skb.data) < MAX_SKB_FRAGS * PAGE_SIZE


async def unix_stream_sendpage(sock: socket, page: bytes, flags: int) -> int:
    """Hand a page (or less) to the peer, as sendfile() and splice() do. EPIPE with SIGPIPE, ENOTCONN, EAGAIN."""
    sk = _sk_of(sock)
    kernel = sk.skc_net.kernel
    if flags & MSG_OOB:
        raise KernelError(EOPNOTSUPP)
    other = sk.peer
    if other is None or sk.skc_state != TCP_ESTABLISHED:
        raise KernelError(ENOTCONN)
    scm = scm_cookie(kernel)
    try:
        if sk.sk_shutdown & SEND_SHUTDOWN or not _takes_data(other):
            raise KernelError(EPIPE)
        maybe_init_creds(scm, sock, other)
        skb = await _sendpage_skb(sk, other, scm, flags)
    except KernelError as error:
        if error.errno == EPIPE and not flags & MSG_NOSIGNAL:
            send_sig(SIGPIPE, kernel.current, 0)
        raise
    finally:
        scm_destroy(scm)
    size = len(page)
    skb.data += page
    skb.len += size
    skb.data_len += size
    skb.truesize += size
    sk.sk_wmem_alloc += size
    other.sk_data_ready(other)
    return size
