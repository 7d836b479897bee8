"""Sending pages (part of net/ipv4/tcp.c)."""


from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.errno import EPIPE
from kshell.abi.socket import MSG_DONTWAIT, MSG_MORE, MSG_OOB
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.net import SOCK_NOSPACE, SOCKWQ_ASYNC_NOSPACE
from kshell.linux.include.linux.tcp import tcp_sock
from kshell.linux.include.net.sock import SEND_SHUTDOWN
from kshell.linux.include.net.tcp import (
    TCP_NAGLE_PUSH,
    TCPHDR_PSH,
)
from kshell.linux.net.core.sock import lock_sock, release_sock, sk_clear_bit
from kshell.linux.net.core.stream import sk_stream_wait_connect, sk_stream_wait_memory
from kshell.linux.net.ipv4 import tcp_output, tcp_rate

if TYPE_CHECKING:
    from kshell.linux.include.linux.skbuff import sk_buff
from kshell.linux.net.ipv4 import tcp_sendmsg

MSG_SENDPAGE_NOTLAST = 0x20000


def _build_frag(sk: tcp_sock, size_goal: int, page: bytes) -> tuple[sk_buff, int] | None:
    """tcp_build_frag(): put a part of a page into the last packet or a new one; None when there is no room."""
    skb = sk.sk_write_queue.prev
    room = size_goal - skb.len if skb is not None else 0
    if skb is None or room <= 0 or skb.cb.eor:  # type: ignore[attr-defined]
        skb = tcp_sendmsg._new_segment(sk)
        if skb is None:
            return None
        room = size_goal
    copy = tcp_sendmsg.tcp_wmem_schedule(sk, min(room, len(page)))
    if not copy:
        return None
    tcp_sendmsg._append(sk, skb, page[:copy])
    return skb, copy


async def _send_page(sk: tcp_sock, page: bytes, flags: int, timeo: int, done: list[int]) -> tuple[int, int]:
    mss_now, size_goal = tcp_sendmsg.tcp_send_mss(sk, flags)
    if sk.sk_err or sk.sk_shutdown & SEND_SHUTDOWN:
        raise KernelError(EPIPE)
    while page:
        found = _build_frag(sk, size_goal, page)
        if found is None:
            assert sk.sk_socket is not None
            sk.sk_socket.flags |= 1 << SOCK_NOSPACE
            tcp_sendmsg.tcp_push(sk, flags & ~MSG_MORE, mss_now, TCP_NAGLE_PUSH, size_goal)
            timeo = await sk_stream_wait_memory(sk, timeo)
            mss_now, size_goal = tcp_sendmsg.tcp_send_mss(sk, flags)
            continue
        skb, copy = found
        if not done[0]:
            skb.cb.tcp_flags &= ~TCPHDR_PSH  # type: ignore[attr-defined]
        done[0] += copy
        page = page[copy:]
        if not page or skb.len < size_goal or flags & MSG_OOB:
            continue
        if tcp_sendmsg.forced_push(sk):
            tcp_sendmsg.tcp_mark_push(sk, skb)
            tcp_output.__tcp_push_pending_frames(sk, mss_now, TCP_NAGLE_PUSH)
        elif skb is sk.sk_write_queue.next:
            tcp_output.tcp_push_one(sk, mss_now)
    return mss_now, size_goal


async def do_tcp_sendpages(sk: tcp_sock, page: bytes, flags: int) -> int:
    """Write a page to the stream; how much was taken. As tcp_sendmsg()."""
    timeo = 0 if flags & MSG_DONTWAIT else sk.sk_sndtimeo
    done = [0]
    try:
        if not tcp_sendmsg._MAY_SEND >> sk.skc_state & 1 and sk.fastopen_rsk is None:
            timeo = await sk_stream_wait_connect(sk, timeo)
        sk_clear_bit(SOCKWQ_ASYNC_NOSPACE, sk)
        mss_now, size_goal = await _send_page(sk, page, flags, timeo, done)
    except KernelError as e:
        tcp_sendmsg.tcp_remove_empty_skb(sk)
        if not done[0]:
            raise tcp_sendmsg._failed(sk, flags, e.errno) from None
        mss_now, size_goal = tcp_sendmsg.tcp_send_mss(sk, flags)
    if done[0]:
        tcp_sendmsg.tcp_tx_timestamp(sk, sk.sk_tsflags)
        if not flags & MSG_SENDPAGE_NOTLAST:
            tcp_sendmsg.tcp_push(sk, flags, mss_now, sk.nonagle, size_goal)
    return done[0]


async def tcp_sendpage_locked(sk: tcp_sock, page: bytes, flags: int) -> int:
    """The same for who owns the socket."""
    tcp_rate.tcp_rate_check_app_limited(sk)
    return await do_tcp_sendpages(sk, page, flags)


async def tcp_sendpage(sk: tcp_sock, page: bytes, flags: int) -> int:
    """proto.sendpage of TCP."""
    lock_sock(sk)
    try:
        return await tcp_sendpage_locked(sk, page, flags)
    finally:
        release_sock(sk)
