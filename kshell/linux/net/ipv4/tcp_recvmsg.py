"""Receiving (part of net/ipv4/tcp.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.errno import EAGAIN, EFAULT, EINVAL, ENOTCONN, EPERM
from kshell.abi.socket import (
    MSG_DONTWAIT,
    MSG_ERRQUEUE,
    MSG_OOB,
    MSG_PEEK,
    MSG_TRUNC,
    MSG_WAITALL,
    SOCK_RCVBUF_LOCK,
    SOL_TCP,
)
from kshell.abi.tcp import TCP_CLOSE, TCP_CM_INQ, TCP_LISTEN
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.sched import signal_pending
from kshell.linux.include.linux.skbuff import __skb_unlink
from kshell.linux.include.linux.tcp import tcp_sock
from kshell.linux.include.net.inet_connection_sock import (
    ICSK_ACK_PUSHED,
    ICSK_ACK_PUSHED2,
    ICSK_ACK_SCHED,
    TCP_PINGPONG_THRESH,
)
from kshell.linux.include.net.sock import RCV_SHUTDOWN, SOCK_DONE, SOCK_URGINLINE, sock_error
from kshell.linux.include.net.sock_wait import sock_intr_errno, sock_rcvlowat
from kshell.linux.include.net.tcp import TCP_URG_READ, TCP_URG_VALID, TCPHDR_FIN, U32, _s32, after, tcp_skb_cb
from kshell.linux.include.net.tcp_window import tcp_full_space, tcp_receive_window
from kshell.linux.lib.iov_iter import copy_to_iter
from kshell.linux.net.core.datagram import skb_copy_datagram_iter
from kshell.linux.net.core.scm import put_cmsg
from kshell.linux.net.core.skbuff import __kfree_skb, skb_attempt_defer_free
from kshell.linux.net.core.sock import lock_sock, release_sock, sk_wait_data
from kshell.linux.net.core.sock_lock import __release_sock
from kshell.linux.net.core.sock_mem import sock_rfree
from kshell.linux.net.ipv4 import tcp_input_ack, tcp_input_rtt, tcp_output_ack, tcp_output_mss
from kshell.linux.net.ipv4.ip_sockglue import ip_recv_error
from kshell.linux.net.ipv4.tcp_input_data import tcp_data_ready
from kshell.linux.net.socket_cmsg import __sock_recv_timestamp

if TYPE_CHECKING:
    from kshell.linux.include.linux.skbuff import sk_buff
    from kshell.linux.include.linux.socket import msghdr

_NO_QUEUE, _SEND_QUEUE = 0, 2
_VM_WRITE, _VM_EXEC, _VM_MAYWRITE, _VM_MAYEXEC = 2, 4, 0x20, 0x40


def tcp_recv_urg(sk: tcp_sock, msg: msghdr, length: int, flags: int) -> int:
    """recv(MSG_OOB). EINVAL: there is none, or it is inline; EAGAIN: it was announced only."""
    urg_data = sk.urg_data
    if sk.skc_flags >> SOCK_URGINLINE & 1 or not urg_data or urg_data == TCP_URG_READ:
        raise KernelError(EINVAL)
    if sk.skc_state == TCP_CLOSE and not sk.skc_flags >> SOCK_DONE & 1:
        raise KernelError(ENOTCONN)
    if urg_data & TCP_URG_VALID:
        if not flags & MSG_PEEK:
            sk.urg_data = TCP_URG_READ
        msg.msg_flags |= MSG_OOB
        if length <= 0:
            msg.msg_flags |= MSG_TRUNC
            return length
        if not flags & MSG_TRUNC and copy_to_iter(bytes((urg_data & 0xFF,)), msg.msg_iter) != 1:
            raise KernelError(EFAULT)
        return 1
    if sk.skc_state == TCP_CLOSE or sk.sk_shutdown & RCV_SHUTDOWN:
        return 0
    raise KernelError(EAGAIN)


def tcp_peek_sndq(sk: tcp_sock, msg: msghdr, length: int) -> int:
    """TCP_REPAIR: read what is not acknowledged."""
    copied = 0
    for skb in (*sk.tcp_rtx_queue, *sk.sk_write_queue):
        skb_copy_datagram_iter(skb, 0, msg.msg_iter, skb.len)
        copied += skb.len
    return copied


def __tcp_cleanup_rbuf(sk: tcp_sock, copied: int) -> None:
    """Acknowledge what was read if an ACK is due or the window has grown much."""
    time_to_ack = False
    ack = sk.icsk_ack
    pending = ack.pending
    if pending & ICSK_ACK_SCHED:
        time_to_ack = sk.rcv_nxt - sk.rcv_wup & U32 > ack.rcv_mss or bool(
            copied > 0
            and (pending & ICSK_ACK_PUSHED2 or (pending & ICSK_ACK_PUSHED and ack.pingpong < TCP_PINGPONG_THRESH))
            and not sk.sk_rmem_alloc
        )
    if copied > 0 and not time_to_ack and not sk.sk_shutdown & RCV_SHUTDOWN:
        rcv_window_now = tcp_receive_window(sk)
        if 2 * rcv_window_now <= sk.window_clamp:
            new_window = tcp_output_mss.__tcp_select_window(sk)
            if new_window and new_window >= 2 * rcv_window_now:
                time_to_ack = True
    if time_to_ack:
        tcp_output_ack.tcp_send_ack(sk)


def tcp_cleanup_rbuf(sk: tcp_sock, copied: int) -> None:
    """The same, for the receive queue."""
    __tcp_cleanup_rbuf(sk, copied)


def tcp_eat_recv_skb(sk: tcp_sock, skb: sk_buff) -> None:
    """Free a packet that was read."""
    __skb_unlink(skb, sk.sk_receive_queue)
    if skb.destructor is sock_rfree:
        sock_rfree(skb)
        skb.destructor = None
        skb.sk = None
        skb_attempt_defer_free(skb)
        return
    __kfree_skb(skb)


def tcp_recv_skb(sk: tcp_sock, seq: int) -> tuple[sk_buff, int] | None:
    """(packet that holds `seq`, offset in it); packets before it are freed."""
    queue = sk.sk_receive_queue
    while (skb := queue.next) is not None:
        cb: tcp_skb_cb = skb.cb  # type: ignore[assignment]
        offset = seq - cb.seq & U32
        if offset < skb.len or cb.tcp_flags & TCPHDR_FIN:
            return skb, offset
        tcp_eat_recv_skb(sk, skb)
    return None


def tcp_inq_hint(sk: tcp_sock) -> int:
    """Bytes still to read, 1 for a FIN."""
    inq = _s32(sk.rcv_nxt - sk.copied_seq)
    if inq == 0 and sk.skc_flags >> SOCK_DONE & 1:
        return 1
    return inq


def _must_wait(sk: tcp_sock, copied: int, target: int, timeo: int) -> bool:
    """Nothing more in the queue: False to return with what there is. The socket's error, ENOTCONN, EAGAIN, EINTR."""
    backlog = sk.sk_backlog
    if copied >= target and (backlog is None or backlog.tail is None):
        return False
    state, flags = sk.skc_state, sk.skc_flags
    current = sk.skc_net.kernel.current
    if copied:
        return not (
            not timeo or sk.sk_err or state == TCP_CLOSE or sk.sk_shutdown & RCV_SHUTDOWN or signal_pending(current)
        )
    if flags >> SOCK_DONE & 1:
        return False
    if sk.sk_err:
        raise KernelError(sock_error(sk))
    if sk.sk_shutdown & RCV_SHUTDOWN:
        return False
    if state == TCP_CLOSE:
        raise KernelError(ENOTCONN)
    if not timeo:
        raise KernelError(EAGAIN)
    if signal_pending(current):
        raise KernelError(sock_intr_errno(timeo))
    return True


class _reader:
    """The state of one recvmsg()."""

    __slots__ = ("copied", "flags", "left", "seq", "stamp", "urg_hole")

    def __init__(self, seq: int, length: int, flags: int) -> None:
        self.seq = seq
        self.left = length
        self.flags = flags
        self.copied = 0
        self.urg_hole = 0
        self.stamp: sk_buff | None = None


def _find(sk: tcp_sock, seq: int) -> tuple[sk_buff | None, int, sk_buff | None]:
    """(packet with data or FIN at `seq`, offset, last packet looked at)."""
    last = sk.sk_receive_queue.prev
    skb = sk.sk_receive_queue.next
    while skb is not None:
        last = skb
        cb: tcp_skb_cb = skb.cb  # type: ignore[assignment]
        offset = seq - cb.seq & U32
        if offset < skb.len or cb.tcp_flags & TCPHDR_FIN:
            return skb, offset, last
        skb = skb.next
    return None, 0, last


def _around_urgent(sk: tcp_sock, r: _reader, offset: int, used: int) -> tuple[int, int]:
    """Where to read on and how much: up to the urgent byte, and not that byte itself unless it is read inline."""
    urg_offset = sk.urg_seq - r.seq & U32
    if urg_offset >= used:
        return offset, used
    if urg_offset:
        return offset, urg_offset
    if sk.skc_flags >> SOCK_URGINLINE & 1:
        return offset, used
    r.seq = r.seq + 1 & U32
    r.urg_hole += 1
    return offset + 1, used - 1


def _take(sk: tcp_sock, msg: msghdr, r: _reader, skb: sk_buff, offset: int) -> bool:
    """Copy what is wanted of a packet; False when the read ends with it. EFAULT."""
    peek = r.flags & MSG_PEEK
    cb: tcp_skb_cb = skb.cb  # type: ignore[assignment]
    if offset < skb.len:
        used = min(skb.len - offset, r.left)
        if sk.urg_data:
            offset, used = _around_urgent(sk, r, offset, used)
        if used or not sk.urg_data:
            if not r.flags & MSG_TRUNC:
                try:
                    skb_copy_datagram_iter(skb, offset, msg.msg_iter, used)
                except KernelError:
                    if not r.copied:
                        raise
                    _advance(sk, r)
                    return False
            r.seq = r.seq + used & U32
            r.copied += used
            r.left -= used
            _advance(sk, r)
            tcp_input_rtt.tcp_rcv_space_adjust(sk)
        _advance(sk, r)
        if sk.urg_data and after(sk.copied_seq, sk.urg_seq):
            sk.urg_data = 0
            tcp_input_ack.tcp_fast_path_check(sk)
        if cb.has_rxtstamp:
            r.stamp = skb
        if used + offset < skb.len:
            return True
        if not cb.tcp_flags & TCPHDR_FIN:
            if not peek:
                tcp_eat_recv_skb(sk, skb)
            return True
    r.seq = r.seq + 1 & U32
    _advance(sk, r)
    if not peek:
        tcp_eat_recv_skb(sk, skb)
    return False


def _advance(sk: tcp_sock, r: _reader) -> None:
    if not r.flags & MSG_PEEK:
        sk.copied_seq = r.seq


async def _read(sk: tcp_sock, msg: msghdr, r: _reader, timeo: int, target: int) -> None:
    kernel = sk.skc_net.kernel
    while True:
        if sk.urg_data and sk.urg_seq == r.seq:
            if r.copied:
                break
            if signal_pending(kernel.current):
                raise KernelError(sock_intr_errno(timeo) if timeo else EAGAIN)
        skb, offset, last = _find(sk, r.seq)
        if skb is not None:
            if not _take(sk, msg, r, skb, offset) or r.left <= 0:
                break
            continue
        if not _must_wait(sk, r.copied, target, timeo):
            break
        if r.copied >= target:
            __release_sock(sk)
        else:
            tcp_cleanup_rbuf(sk, r.copied)
            try:
                timeo = await sk_wait_data(sk, timeo, last)
            except KernelError:
                if not r.copied:
                    raise
                return
        if r.flags & MSG_PEEK and r.seq - r.copied - r.urg_hole & U32 != sk.copied_seq:
            r.seq = sk.copied_seq
        if r.left <= 0:
            break
    tcp_cleanup_rbuf(sk, r.copied)


async def tcp_recvmsg_locked(sk: tcp_sock, msg: msghdr, length: int, flags: int) -> tuple[int, sk_buff | None]:
    """Read from the stream: (how much, packet whose time stamp counts). ENOTCONN, EAGAIN, EFAULT …"""
    if sk.skc_state == TCP_LISTEN:
        raise KernelError(ENOTCONN)
    if sk.recvmsg_inq:
        msg.msg_get_inq = True
    timeo = 0 if flags & MSG_DONTWAIT else sk.sk_rcvtimeo
    if flags & MSG_OOB:
        return tcp_recv_urg(sk, msg, length, flags), None
    if sk.repair:
        if not flags & MSG_PEEK:
            raise KernelError(EPERM)
        if sk.repair_queue == _SEND_QUEUE:
            return tcp_peek_sndq(sk, msg, length), None
        if sk.repair_queue == _NO_QUEUE:
            raise KernelError(EINVAL)
    reader = _reader(sk.copied_seq, length, flags)
    try:
        await _read(sk, msg, reader, timeo, sock_rcvlowat(sk, flags & MSG_WAITALL, length))
    except KernelError:
        if not reader.copied:
            tcp_cleanup_rbuf(sk, 0)
        raise
    return reader.copied, reader.stamp


async def tcp_recvmsg(sk: tcp_sock, msg: msghdr, length: int, flags: int) -> int:
    """proto.recvmsg of TCP."""
    if flags & MSG_ERRQUEUE:
        return ip_recv_error(sk, msg, length)
    lock_sock(sk)
    try:
        copied, stamp = await tcp_recvmsg_locked(sk, msg, length, flags)
    finally:
        release_sock(sk)
    if stamp is not None:
        __sock_recv_timestamp(msg, sk, stamp)
    if msg.msg_get_inq:
        msg.msg_inq = tcp_inq_hint(sk)
        if sk.recvmsg_inq:
            put_cmsg(msg, SOL_TCP, TCP_CM_INQ, 4, msg.msg_inq.to_bytes(4, "little"))
    return copied


def tcp_set_rcvlowat(sk: tcp_sock, val: int) -> int:
    """SO_RCVLOWAT: grow the buffer so that so much fits."""
    cap = sk.sk_rcvbuf >> 1 if sk.sk_userlocks & SOCK_RCVBUF_LOCK else sk.skc_net.ipv4.sysctl_tcp_rmem[2] >> 1
    val = min(val, cap)
    sk.sk_rcvlowat = val or 1
    tcp_data_ready(sk)
    if sk.sk_userlocks & SOCK_RCVBUF_LOCK:
        return 0
    val <<= 1
    if val > sk.sk_rcvbuf:
        sk.sk_rcvbuf = val
        sk.window_clamp = tcp_full_space(sk)
    return 0
