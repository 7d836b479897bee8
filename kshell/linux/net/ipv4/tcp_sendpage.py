"""Sending pages (part of net/ipv4/tcp.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.socket import MSG_OOB
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.net import SOCKWQ_ASYNC_NOSPACE
from kshell.linux.include.linux.socket import MSG_SENDPAGE_NOTLAST
from kshell.linux.include.linux.tcp import tcp_sock
from kshell.linux.include.net.tcp import TCPHDR_PSH
from kshell.linux.net.core.sock import lock_sock, release_sock, sk_clear_bit
from kshell.linux.net.core.stream import sk_stream_wait_connect
from kshell.linux.net.ipv4 import tcp_push, tcp_rate, tcp_sendmsg

if TYPE_CHECKING:
    from kshell.linux.include.linux.skbuff import sk_buff


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


async def _send_page(sk: tcp_sock, page: bytes, state: tcp_sendmsg._sendmsg_state) -> None:
    """Write all of the page into the queue, and push full packets."""
    state.measure(sk)
    while page:
        found = _build_frag(sk, state.size_goal, page)
        if found is None:
            await tcp_sendmsg._wait_for_space(sk, state, True)
            continue
        skb, copy = found
        if not state.copied:
            skb.cb.tcp_flags &= ~TCPHDR_PSH  # type: ignore[attr-defined]
        state.copied += copy
        page = page[copy:]
        if not page or skb.len < state.size_goal or state.flags & MSG_OOB:
            continue
        tcp_sendmsg._push_full(sk, skb, state)


async def do_tcp_sendpages(sk: tcp_sock, page: bytes, flags: int) -> int:
    """Write a page to the stream; how much was taken. As tcp_sendmsg()."""
    state = tcp_sendmsg._sendmsg_state(sk, flags)
    try:
        if not tcp_sendmsg._MAY_SEND >> sk.skc_state & 1 and sk.fastopen_rsk is None:
            state.timeo = await sk_stream_wait_connect(sk, state.timeo)
        sk_clear_bit(SOCKWQ_ASYNC_NOSPACE, sk)
        await _send_page(sk, page, state)
    except KernelError as error:
        tcp_sendmsg.tcp_remove_empty_skb(sk)
        if not state.copied:
            tcp_sendmsg._out_err(sk, flags, error)
            raise
        state.mss_now, state.size_goal = tcp_push.tcp_send_mss(sk, flags)
    if state.copied:
        tcp_sendmsg.tcp_tx_timestamp(sk, sk.sk_tsflags)
        if not flags & MSG_SENDPAGE_NOTLAST:
            tcp_push.tcp_push(sk, flags, state.mss_now, sk.nonagle, state.size_goal)
    return state.copied


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
