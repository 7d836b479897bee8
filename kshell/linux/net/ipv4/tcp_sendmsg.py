"""Copying what is to be sent into packets (part of net/ipv4/tcp.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.errno import EAGAIN, EALREADY, EFAULT, EINPROGRESS, EINVAL, EOPNOTSUPP, EPIPE
from kshell.abi.fcntl import O_NONBLOCK
from kshell.abi.socket import (
    AF_UNSPEC,
    MSG_DONTWAIT,
    MSG_EOR,
    MSG_FASTOPEN,
    MSG_MORE,
    MSG_OOB,
    MSG_ZEROCOPY,
    SOF_TIMESTAMPING_TX_ACK,
    SOF_TIMESTAMPING_TX_RECORD_MASK,
)
from kshell.abi.tcp import TCP_CLOSE, TCPF_CLOSE_WAIT, TCPF_ESTABLISHED
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.net import SOCK_NOSPACE, SOCKWQ_ASYNC_NOSPACE
from kshell.linux.include.linux.skbuff import CHECKSUM_PARTIAL, SKB_TRUESIZE, __skb_unlink, skb_shinfo
from kshell.linux.include.linux.socket import msghdr
from kshell.linux.include.linux.tcp import tcp_sock
from kshell.linux.include.net.sock import SEND_SHUTDOWN, SOCK_ZEROCOPY
from kshell.linux.include.net.sock_mem import sk_mem_uncharge, sk_wmem_schedule
from kshell.linux.include.net.sock_space import sk_stream_memory_free
from kshell.linux.include.net.tcp import (
    MAX_TCP_HEADER,
    TCP_CHRONO_BUSY,
    TCP_CHRONO_SNDBUF_LIMITED,
    TCP_NAGLE_PUSH,
    TCPCB_REPAIRED,
    TCPHDR_ACK,
    TCPHDR_PSH,
    TFO_CLIENT_ENABLE,
    U32,
    tcp_fastopen_request,
    tcp_skb_cb,
)
from kshell.linux.lib.iov_iter import copy_from_iter
from kshell.linux.net.core.skbuff import __kfree_skb, alloc_skb_fclone
from kshell.linux.net.core.skbuff_zerocopy import msg_zerocopy_realloc, net_zcopy_put
from kshell.linux.net.core.sock import lock_sock, release_sock, sk_clear_bit, sk_page_frag_refill
from kshell.linux.net.core.sock_lock import __release_sock
from kshell.linux.net.core.sock_queue import sock_cmsg_send, sockcm_init
from kshell.linux.net.core.stream import sk_stream_error, sk_stream_wait_connect, sk_stream_wait_memory
from kshell.linux.net.ipv4 import tcp, tcp_input_data, tcp_output, tcp_output_syn, tcp_rate
from kshell.linux.net.ipv4.af_inet_connect import __inet_stream_connect
from kshell.linux.net.ipv4.tcp_push import forced_push, tcp_mark_push, tcp_push, tcp_send_mss

if TYPE_CHECKING:
    from kshell.linux.include.linux.net import socket
    from kshell.linux.include.linux.skbuff import sk_buff

_MAY_SEND = TCPF_ESTABLISHED | TCPF_CLOSE_WAIT
_NO_QUEUE, _RECV_QUEUE = 0, 1


def tcp_stream_alloc_skb(sk: tcp_sock, size: int, force_schedule: bool) -> sk_buff | None:
    """A packet to send, its memory granted; None when there is none."""
    skb = alloc_skb_fclone(sk.skc_net.kernel, size + MAX_TCP_HEADER)
    skb.truesize = SKB_TRUESIZE(_skb_end_offset(size))
    if force_schedule:
        tcp_output.sk_forced_mem_schedule(sk, skb.truesize)
    elif sk.sk_forward_alloc < skb.truesize and not sk_wmem_schedule(sk, skb.truesize):
        __kfree_skb(skb)
        return None
    skb.ip_summed = CHECKSUM_PARTIAL
    return skb


def _skb_end_offset(size: int) -> int:
    """What kmalloc gives for a packet of `size` bytes, without the shared info."""
    want = size + MAX_TCP_HEADER + 320
    return max(1 << (want - 1).bit_length(), 512) - 320


def tcp_wmem_free_skb(sk: tcp_sock, skb: sk_buff) -> None:
    """Free a packet of the write or retransmission queue."""
    truesize = skb.truesize
    sk.sk_wmem_queued -= truesize
    sk_mem_uncharge(sk, truesize)
    __kfree_skb(skb)


def tcp_tx_timestamp(sk: tcp_sock, tsflags: int) -> None:
    """Ask for timestamps of the last byte written."""
    skb = sk.sk_write_queue.prev
    if tsflags and skb is not None:
        shinfo = skb_shinfo(skb)
        cb: tcp_skb_cb = skb.cb  # type: ignore[assignment]
        if tsflags & 1 << 1:
            shinfo.tx_flags |= 1 << 1
        if tsflags & 1 << 8:
            shinfo.tx_flags |= 1 << 6
        if tsflags & SOF_TIMESTAMPING_TX_ACK:
            cb.txstamp_ack = 1
        if tsflags & SOF_TIMESTAMPING_TX_RECORD_MASK:
            shinfo.tskey = cb.seq + skb.len - 1 & U32


def tcp_skb_entail(sk: tcp_sock, skb: sk_buff) -> None:
    """Append an empty packet to the write queue."""
    seq = sk.write_seq
    skb.cb = tcp_skb_cb(seq, seq, TCPHDR_ACK)
    tcp_output.tcp_add_write_queue_tail(sk, skb)
    sk.sk_wmem_queued += skb.truesize
    sk.sk_forward_alloc -= skb.truesize
    if sk.nonagle & TCP_NAGLE_PUSH:
        sk.nonagle &= ~TCP_NAGLE_PUSH
    if not sk.packets_out and (sk.skc_net.kernel.jiffies - sk.lsndtime & U32) > sk.icsk_rto:
        tcp_output.tcp_slow_start_after_idle_check(sk)


def tcp_remove_empty_skb(sk: tcp_sock) -> None:
    """Drop a packet into which nothing could be copied."""
    skb = sk.sk_write_queue.prev
    if skb is not None and skb.cb.seq == skb.cb.end_seq:  # type: ignore[attr-defined]
        __skb_unlink(skb, sk.sk_write_queue)
        if sk.sk_write_queue.next is None:
            tcp_output.tcp_chrono_stop(sk, TCP_CHRONO_BUSY)
        tcp_wmem_free_skb(sk, skb)


def tcp_wmem_schedule(sk: tcp_sock, copy: int) -> int:
    """How many of `copy` bytes there is memory for; tcp_wmem[0] is guaranteed."""
    if sk.sk_forward_alloc >= copy or sk_wmem_schedule(sk, copy):
        return copy
    left = sk.skc_net.ipv4.sysctl_tcp_wmem[0] - sk.sk_wmem_queued
    if left > 0:
        tcp_output.sk_forced_mem_schedule(sk, min(left, copy))
    return min(copy, sk.sk_forward_alloc)


def tcp_free_fastopen_req(tp: tcp_sock) -> None:
    """Fast Open is done."""
    if tp.fastopen_req is not None:
        tp.fastopen_req = None


async def tcp_sendmsg_fastopen(sk: tcp_sock, msg: msghdr, size: int) -> int:
    """Connect, data on the SYN if there is a cookie; how much of it went. EOPNOTSUPP, EALREADY, EINPROGRESS."""
    uaddr = msg.msg_name
    if not sk.skc_net.ipv4.sysctl_tcp_fastopen & TFO_CLIENT_ENABLE or (
        uaddr and len(uaddr) >= 2 and int.from_bytes(uaddr[:2], "little") == AF_UNSPEC
    ):
        raise KernelError(EOPNOTSUPP)
    if sk.fastopen_req is not None:
        raise KernelError(EALREADY)
    req = sk.fastopen_req = tcp_fastopen_request(msg, size)
    try:
        if sk.defer_connect:
            try:
                tcp_output_syn.tcp_connect(sk)
            except KernelError:
                tcp.tcp_set_state(sk, TCP_CLOSE)
                sk.inet_dport = 0
                sk.sk_route_caps = 0
        flags = O_NONBLOCK if msg.msg_flags & MSG_DONTWAIT else 0
        assert sk.sk_socket is not None
        await __inet_stream_connect(sk.sk_socket, uaddr, msg.msg_namelen, flags, True)
    except KernelError as e:
        if e.errno != EINPROGRESS or not req.copied:
            raise
        raise _Sent(req.copied) from None
    finally:
        if sk.fastopen_req is not None:
            tcp_free_fastopen_req(sk)
            sk.defer_connect = 0
    return req.copied


class _Sent(Exception):
    """The SYN carried data and the call need not wait."""

    def __init__(self, copied: int) -> None:
        self.copied = copied


def _new_segment(sk: tcp_sock) -> sk_buff | None:
    """An empty packet at the end of the write queue; None when there is no room."""
    if not sk_stream_memory_free(sk):
        return None
    first = not sk.tcp_rtx_queue and sk.sk_write_queue.next is None
    skb = tcp_stream_alloc_skb(sk, 0, first)
    if skb is not None:
        tcp_skb_entail(sk, skb)
        if sk.repair:
            skb.cb.sacked |= TCPCB_REPAIRED  # type: ignore[attr-defined]
    return skb


def sk_flush_backlog(sk: tcp_sock) -> bool:
    """Process what came while the socket was locked; True if there was something."""
    backlog = sk.sk_backlog
    if backlog is None or backlog.tail is None:
        return False
    __release_sock(sk)
    return True


def _fill(sk: tcp_sock, skb: sk_buff, msg: msghdr, copy: int) -> int:
    """Copy up to `copy` bytes into a packet; how many, 0 when there is no memory. EFAULT."""
    sk_page_frag_refill(sk)
    copy = tcp_wmem_schedule(sk, copy)
    if not copy:
        return 0
    data = copy_from_iter(msg.msg_iter, copy)
    if len(data) != copy:
        raise KernelError(EFAULT)
    _append(sk, skb, data)
    return copy


def _append(sk: tcp_sock, skb: sk_buff, data: bytes) -> None:
    copy = len(data)
    skb.data = skb.data + data if skb.data else data
    skb.len += copy
    skb.truesize += copy
    sk.sk_wmem_queued += copy
    sk.sk_forward_alloc -= copy
    sk.write_seq = sk.write_seq + copy & U32
    cb: tcp_skb_cb = skb.cb  # type: ignore[assignment]
    cb.end_seq = cb.end_seq + copy & U32
    cb.tcp_gso_segs = 0


class _sendmsg_state:
    """The variables of tcp_sendmsg_locked() that its steps share; `copied` counts the bytes in the write queue."""

    __slots__ = ("copied", "copied_syn", "flags", "mss_now", "size_goal", "timeo", "tsflags")

    def __init__(self, sk: tcp_sock, flags: int) -> None:
        self.flags = flags
        self.copied = self.copied_syn = self.mss_now = self.size_goal = 0
        self.timeo = 0 if flags & MSG_DONTWAIT else sk.sk_sndtimeo
        self.tsflags = sk.sk_tsflags

    def measure(self, sk: tcp_sock) -> None:
        """What a packet may hold by now. EPIPE: nothing can be sent any more."""
        self.mss_now, self.size_goal = tcp_send_mss(sk, self.flags)
        if sk.sk_err or sk.sk_shutdown & SEND_SHUTDOWN:
            raise KernelError(EPIPE)


async def _prepare(sk: tcp_sock, msg: msghdr, state: _sendmsg_state) -> None:
    """Wait until connected; heed the control messages."""
    if not _MAY_SEND >> sk.skc_state & 1 and sk.fastopen_rsk is None:
        state.timeo = await sk_stream_wait_connect(sk, state.timeo)
    if msg.msg_control:
        sockc = sockcm_init(sk)
        try:
            sock_cmsg_send(sk, msg, sockc)
        except KernelError:
            raise KernelError(EINVAL) from None
        state.tsflags = sockc.tsflags


async def _send_all(sk: tcp_sock, msg: msghdr, state: _sendmsg_state) -> None:
    """Write all of the message into the queue, and push full packets."""
    state.measure(sk)
    left = msg.msg_iter.count
    made = 0
    while left:
        skb = sk.sk_write_queue.prev
        room = state.size_goal - skb.len if skb is not None else 0
        if room <= 0 or skb.cb.eor:  # type: ignore[union-attr]
            if made >= 16 and sk_stream_memory_free(sk):
                made = 0
                if sk_flush_backlog(sk):
                    state.measure(sk)
                    continue
            skb = _new_segment(sk)
            room = state.size_goal
            made += 1
        copy = _fill(sk, skb, msg, min(room, left)) if skb is not None else 0
        if skb is None or not copy:
            await _wait_for_space(sk, state, bool(state.copied))
            continue
        cb: tcp_skb_cb = skb.cb  # type: ignore[assignment]
        if not state.copied:
            cb.tcp_flags &= ~TCPHDR_PSH
        state.copied += copy
        left -= copy
        if not left:
            if state.flags & MSG_EOR:
                cb.eor = 1
            break
        if skb.len < state.size_goal or state.flags & MSG_OOB or sk.repair:
            continue
        _push_full(sk, skb, state)


def _push_full(sk: tcp_sock, skb: sk_buff, state: _sendmsg_state) -> None:
    """A packet is full: send it when it is the first, or when half the window waits."""
    if forced_push(sk):
        tcp_mark_push(sk, skb)
        tcp_output.__tcp_push_pending_frames(sk, state.mss_now, TCP_NAGLE_PUSH)
    elif skb is sk.sk_write_queue.next:
        tcp_output.tcp_push_one(sk, state.mss_now)


async def _wait_for_space(sk: tcp_sock, state: _sendmsg_state, push: bool) -> None:
    """Wait for room in the send buffer; push: send what is there before. EAGAIN, EPIPE, EINTR."""
    assert sk.sk_socket is not None
    sk.sk_socket.flags |= 1 << SOCK_NOSPACE
    if push:
        tcp_push(sk, state.flags & ~MSG_MORE, state.mss_now, TCP_NAGLE_PUSH, state.size_goal)
    state.timeo = await sk_stream_wait_memory(sk, state.timeo)
    state.mss_now, state.size_goal = tcp_send_mss(sk, state.flags)


def _out_err(sk: tcp_sock, flags: int, error: KernelError) -> None:
    """The send that raised `error` wrote nothing: what it gives instead, with SIGPIPE where that is due."""
    error.errno = sk_stream_error(sk, flags, error.errno)
    if error.errno == EAGAIN and not sk.tcp_rtx_queue and sk.sk_write_queue.next is None:
        sk.sk_write_space(sk)
        tcp_output.tcp_chrono_stop(sk, TCP_CHRONO_SNDBUF_LIMITED)


async def tcp_sendmsg_locked(sk: tcp_sock, msg: msghdr, size: int) -> int:
    """Write a message to the stream; how many bytes were taken. EPIPE, EAGAIN, EFAULT, the socket's error …"""
    flags = msg.msg_flags
    uarg = msg_zerocopy_realloc(sk, size) if flags & MSG_ZEROCOPY and size and sk.skc_flags >> SOCK_ZEROCOPY & 1 else None
    state = _sendmsg_state(sk, flags)
    if (flags & MSG_FASTOPEN or sk.defer_connect) and not sk.repair:
        try:
            state.copied_syn = await tcp_sendmsg_fastopen(sk, msg, size)
        except _Sent as sent:
            return sent.copied
        except KernelError as error:
            _out_err(sk, flags, error)
            raise
    tcp_rate.tcp_rate_check_app_limited(sk)
    try:
        await _prepare(sk, msg, state)
        if sk.repair:
            if sk.repair_queue == _RECV_QUEUE:
                return tcp_input_data.tcp_send_rcvq(sk, msg, size) + state.copied_syn
            if sk.repair_queue == _NO_QUEUE:
                raise KernelError(EINVAL)
        sk_clear_bit(SOCKWQ_ASYNC_NOSPACE, sk)
        await _send_all(sk, msg, state)
    except KernelError as error:
        tcp_remove_empty_skb(sk)
        if not state.copied + state.copied_syn:
            _out_err(sk, flags, error)
            raise
        state.mss_now, state.size_goal = tcp_send_mss(sk, flags)
    if state.copied:
        tcp_tx_timestamp(sk, state.tsflags)
        tcp_push(sk, flags, state.mss_now, sk.nonagle, state.size_goal)
    if uarg is not None:
        net_zcopy_put(sk, uarg)
    return state.copied + state.copied_syn


async def tcp_sendmsg(sk: tcp_sock, msg: msghdr, size: int) -> int:
    """proto.sendmsg of TCP."""
    lock_sock(sk)
    try:
        return await tcp_sendmsg_locked(sk, msg, size)
    finally:
        release_sock(sk)


def tcp_splice_eof(sock: socket) -> None:
    """A file that was spliced into the socket ends: push what waits for more."""
    sk: tcp_sock = sock.sk  # type: ignore[assignment]
    if sk.sk_write_queue.prev is None:
        return
    lock_sock(sk)
    mss_now, size_goal = tcp_send_mss(sk, 0)
    tcp_push(sk, 0, mss_now, sk.nonagle, size_goal)
    release_sock(sk)
