"""Reading by splice() and in the kernel (part of net/ipv4/tcp.c)."""


from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from kshell.abi.errno import EAGAIN, ENOTCONN, EPERM, ESPIPE
from kshell.abi.fcntl import O_NONBLOCK
from kshell.abi.tcp import TCP_CLOSE, TCP_LISTEN
from kshell.linux.fs.splice_to_pipe import skb_splice_bits
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.sched import signal_pending
from kshell.linux.include.linux.tcp import tcp_sock
from kshell.linux.include.net.sock import RCV_SHUTDOWN, SOCK_DONE, sock_error
from kshell.linux.include.net.sock_wait import sock_intr_errno
from kshell.linux.include.net.tcp import TCPHDR_FIN, U32, tcp_skb_cb
from kshell.linux.net.core.sock import lock_sock, release_sock, sk_wait_data
from kshell.linux.net.ipv4 import tcp_input_rtt

if TYPE_CHECKING:
    from kshell.linux.fs.splice_to_pipe import pipe_inode_info
    from kshell.linux.include.linux.mm_types import vm_area_struct
    from kshell.linux.include.linux.net import socket
    from kshell.linux.include.linux.skbuff import sk_buff
from kshell.linux.net.ipv4 import tcp_recvmsg


class tcp_splice_state:
    """Where spliced data goes."""

    __slots__ = ("flags", "len", "pipe")

    def __init__(self, pipe: pipe_inode_info, len: int, flags: int) -> None:
        self.pipe = pipe
        self.len = len
        self.flags = flags


class read_descriptor_t:
    """How much a reader of packets still wants, and what its actor needs to know."""

    __slots__ = ("arg", "count")

    def __init__(self, arg: tcp_splice_state, count: int) -> None:
        self.arg = arg
        self.count = count


def tcp_read_sock(
    sk: tcp_sock, desc: read_descriptor_t, recv_actor: Callable[[read_descriptor_t, sk_buff, int, int], int]
) -> int:
    """Hand the data in the receive queue to an actor, packet by packet; how much it took. ENOTCONN."""
    if sk.skc_state == TCP_LISTEN:
        raise KernelError(ENOTCONN)
    seq = sk.copied_seq
    copied = 0
    while (found := tcp_recvmsg.tcp_recv_skb(sk, seq)) is not None:
        skb, offset = found
        if offset < skb.len:
            length = skb.len - offset
            if sk.urg_data:
                length = min(length, sk.urg_seq - seq & U32)
                if not length:
                    break
            try:
                used = recv_actor(desc, skb, offset, length)
            except KernelError:
                if not copied:
                    raise
                break
            if used <= 0:
                break
            seq = seq + used & U32
            copied += used
            if offset + used != skb.len:
                continue
        cb: tcp_skb_cb = skb.cb  # type: ignore[assignment]
        fin = cb.tcp_flags & TCPHDR_FIN
        tcp_recvmsg.tcp_eat_recv_skb(sk, skb)
        if fin:
            seq = seq + 1 & U32
            break
        if not desc.count:
            break
        sk.copied_seq = seq
    sk.copied_seq = seq
    tcp_input_rtt.tcp_rcv_space_adjust(sk)
    if copied > 0:
        tcp_recvmsg.tcp_recv_skb(sk, seq)
        tcp_recvmsg.tcp_cleanup_rbuf(sk, copied)
    return copied


def tcp_splice_data_recv(rd_desc: read_descriptor_t, skb: sk_buff, offset: int, len: int) -> int:
    """Put a packet's data into the pipe; how much it took."""
    tss = rd_desc.arg
    assert skb.sk is not None, "a received packet belongs to its socket"
    ret = skb_splice_bits(skb, skb.sk, offset, tss.pipe, min(rd_desc.count, len), tss.flags)
    if ret > 0:
        rd_desc.count -= ret
    return ret


def __tcp_splice_read(sk: tcp_sock, tss: tcp_splice_state) -> int:
    """What is in the queue goes into the pipe; how much that was."""
    return tcp_read_sock(sk, read_descriptor_t(tss, tss.len), tcp_splice_data_recv)


async def _splice_wait(sk: tcp_sock, timeo: int) -> int | None:
    """Wait for data: what is left of the timeout, None at the end of the stream. ENOTCONN, EAGAIN, EINTR …"""
    if sk.skc_flags >> SOCK_DONE & 1:
        return None
    if sk.sk_err:
        raise KernelError(sock_error(sk))
    if sk.sk_shutdown & RCV_SHUTDOWN:
        return None
    if sk.skc_state == TCP_CLOSE:
        raise KernelError(ENOTCONN)
    if not timeo:
        raise KernelError(EAGAIN)
    if sk.sk_receive_queue.next is not None:
        return None
    timeo = await sk_wait_data(sk, timeo, None)
    if signal_pending(sk.skc_net.kernel.current):
        raise KernelError(sock_intr_errno(timeo))
    return timeo


async def tcp_splice_read(sock: socket, ppos: list[int], pipe: pipe_inode_info, length: int, flags: int) -> int:
    """Splice from the stream into a pipe. ESPIPE and as _splice_wait()."""
    sk: tcp_sock = sock.sk  # type: ignore[assignment]
    if ppos[0]:
        raise KernelError(ESPIPE)
    lock_sock(sk)
    spliced = 0
    assert sock.file is not None
    timeo: int | None = 0 if sock.file.f_flags & O_NONBLOCK else sk.sk_rcvtimeo
    try:
        while length:
            ret = __tcp_splice_read(sk, tcp_splice_state(pipe, length, flags))
            if not ret:
                if spliced or timeo is None:
                    break
                timeo = await _splice_wait(sk, timeo)
                if timeo is None:
                    break
                continue
            length -= ret
            spliced += ret
            if not timeo:
                break
            release_sock(sk)
            lock_sock(sk)
            if (
                sk.sk_err
                or sk.skc_state == TCP_CLOSE
                or sk.sk_shutdown & RCV_SHUTDOWN
                or signal_pending(sk.skc_net.kernel.current)
            ):
                break
    except KernelError:
        if not spliced:
            raise
    finally:
        release_sock(sk)
    return spliced


def tcp_mmap(file: object, sock: socket, vma: vm_area_struct) -> int:
    """Map a range for TCP_ZEROCOPY_RECEIVE. EPERM: it is for reading only."""
    if vma.vm_flags & (tcp_recvmsg._VM_WRITE | tcp_recvmsg._VM_EXEC):
        raise KernelError(EPERM)
    vma.vm_flags &= ~(tcp_recvmsg._VM_MAYWRITE | tcp_recvmsg._VM_MAYEXEC)
    return 0
