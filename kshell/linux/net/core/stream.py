"""net/core/stream.c: waiting and errors of stream sockets."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from kshell.abi.errno import EAGAIN, EPIPE
from kshell.abi.poll import EPOLLWRBAND
from kshell.abi.signal import POLL_OUT, SIGPIPE
from kshell.abi.socket import MSG_NOSIGNAL
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.jiffies import HZ, MAX_SCHEDULE_TIMEOUT
from kshell.linux.include.linux.net import SOCK_NOSPACE, SOCK_WAKE_SPACE, SOCKWQ_ASYNC_NOSPACE
from kshell.linux.include.linux.poll import EPOLLOUT, EPOLLWRNORM
from kshell.linux.include.linux.random import get_random_u32
from kshell.linux.include.linux.sched import TASK_INTERRUPTIBLE, signal_pending
from kshell.linux.include.linux.wait import wait_queue_entry
from kshell.linux.include.net.sock import SEND_SHUTDOWN, SOCK_DEAD, sock_error
from kshell.linux.include.net.sock_mem import sk_mem_reclaim_final
from kshell.linux.include.net.sock_space import __sk_stream_is_writeable, sk_stream_memory_free
from kshell.linux.include.net.sock_wait import sk_clear_bit, sk_set_bit, sock_intr_errno
from kshell.linux.kernel.sched.wait import (
    __wake_up,
    add_wait_queue,
    remove_wait_queue,
    wait_woken,
    woken_wake_function,
)
from kshell.linux.kernel.signal import send_sig
from kshell.linux.net.core.skbuff import __skb_queue_purge, skb_queue_purge
from kshell.linux.net.core.sock_lock import lock_sock, release_sock
from kshell.linux.net.socket_async import sock_wake_async

if TYPE_CHECKING:
    from kshell.linux.include.linux.sched import Rest
    from kshell.linux.include.net.sock import sock

TCPF_ESTABLISHED, TCPF_SYN_SENT, TCPF_SYN_RECV, TCPF_FIN_WAIT1 = 1 << 1, 1 << 2, 1 << 3, 1 << 4
TCPF_CLOSE_WAIT, TCPF_LAST_ACK, TCPF_CLOSING = 1 << 8, 1 << 9, 1 << 11


def sk_stream_write_space(sk: sock) -> None:
    """There is room: tell writers, if it is a third of the send buffer."""
    sock = sk.sk_socket
    if sock is None or not __sk_stream_is_writeable(sk, 1):
        return
    sock.flags &= ~(1 << SOCK_NOSPACE)
    wq = sk.sk_wq
    if wq is None:
        return
    if wq.wait.head:
        __wake_up(wq.wait, TASK_INTERRUPTIBLE, 1, EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND)
    if wq.fasync_list is not None and not sk.sk_shutdown & SEND_SHUTDOWN:
        sock_wake_async(wq, SOCK_WAKE_SPACE, POLL_OUT)


async def _sk_wait_event(
    sk: sock, timeo: int, condition: Callable[[], bool], wait: wait_queue_entry
) -> tuple[bool, int]:
    """sk_wait_event(): let go of the socket and sleep once; whether the condition holds, what is left of the timeout.

    EPIPE: somebody disconnected the socket meanwhile.
    """
    disconnects = sk.sk_disconnects
    release_sock(sk)
    if not condition():
        timeo = await wait_woken(wait, TASK_INTERRUPTIBLE, timeo)
    lock_sock(sk)
    if disconnects != sk.sk_disconnects:
        raise KernelError(EPIPE)
    return condition(), timeo


async def sk_stream_wait_connect(sk: sock, timeo: int) -> int:
    """Wait until the socket is connected; what is left of the timeout. EPIPE, EAGAIN, EINTR, the socket's error."""
    current = sk.skc_net.kernel.current
    wait = wait_queue_entry(current, woken_wake_function)

    def connected() -> bool:
        return not sk.sk_err and not 1 << sk.skc_state & ~(TCPF_ESTABLISHED | TCPF_CLOSE_WAIT)

    while True:
        if sk.sk_err:
            raise KernelError(sock_error(sk))
        if 1 << sk.skc_state & ~(TCPF_SYN_SENT | TCPF_SYN_RECV):
            raise KernelError(EPIPE)
        if not timeo:
            raise KernelError(EAGAIN)
        if signal_pending(current):
            raise KernelError(sock_intr_errno(timeo))
        assert sk.sk_wq is not None
        wq = sk.sk_wq.wait
        add_wait_queue(wq, wait)
        sk.sk_write_pending += 1
        try:
            done, timeo = await _sk_wait_event(sk, timeo, connected, wait)
        finally:
            remove_wait_queue(wq, wait)
            sk.sk_write_pending -= 1
        if done:
            return timeo


def sk_stream_closing(sk: sock) -> bool:
    """True while data or FIN are still to be acknowledged."""
    return bool(1 << sk.skc_state & (TCPF_FIN_WAIT1 | TCPF_CLOSING | TCPF_LAST_ACK))


def sk_stream_wait_close(sk: sock, timeout: int) -> Rest | None:
    """SO_LINGER: wait until all is acknowledged, time is up (jiffies) or a signal comes."""
    return _rest_of_sk_stream_wait_close(sk, timeout) if timeout else None


async def _rest_of_sk_stream_wait_close(sk: sock, timeout: int) -> None:
    current = sk.skc_net.kernel.current
    wait = wait_queue_entry(current, woken_wake_function)
    assert sk.sk_wq is not None
    wq = sk.sk_wq.wait
    add_wait_queue(wq, wait)
    try:
        while True:
            done, timeout = await _sk_wait_event(sk, timeout, lambda: not sk_stream_closing(sk), wait)
            if done or signal_pending(current) or not timeout:
                break
    except KernelError:
        return  # disconnected: nothing to wait for
    finally:
        remove_wait_queue(wq, wait)


async def sk_stream_wait_memory(sk: sock, timeo: int) -> int:
    """Wait until there is room in the send buffer; what is left of the timeout. EPIPE, EAGAIN, EINTR."""
    kernel = sk.skc_net.kernel
    current = kernel.current
    current_timeo = timeo
    vm_wait = 0
    if sk_stream_memory_free(sk):
        current_timeo = vm_wait = get_random_u32(kernel) % (HZ // 5) + 2
    wait = wait_queue_entry(current, woken_wake_function)
    assert sk.sk_wq is not None
    assert sk.sk_socket is not None
    wq = sk.sk_wq.wait
    sock = sk.sk_socket
    add_wait_queue(wq, wait)

    def room() -> bool:
        return bool(sk.sk_err or sk.sk_shutdown & SEND_SHUTDOWN or (sk_stream_memory_free(sk) and not vm_wait))

    try:
        while True:
            sk_set_bit(SOCKWQ_ASYNC_NOSPACE, sk)
            if sk.sk_err or sk.sk_shutdown & SEND_SHUTDOWN:
                raise KernelError(EPIPE)
            if not timeo:
                sock.flags |= 1 << SOCK_NOSPACE
                raise KernelError(EAGAIN)
            if signal_pending(current):
                raise KernelError(sock_intr_errno(timeo))
            sk_clear_bit(SOCKWQ_ASYNC_NOSPACE, sk)
            if sk_stream_memory_free(sk) and not vm_wait:
                return timeo
            sock.flags |= 1 << SOCK_NOSPACE
            sk.sk_write_pending += 1
            try:
                _, current_timeo = await _sk_wait_event(sk, current_timeo, room, wait)
            finally:
                sk.sk_write_pending -= 1
            if vm_wait:
                vm_wait -= current_timeo
                current_timeo = timeo
                if current_timeo != MAX_SCHEDULE_TIMEOUT:
                    current_timeo = max(current_timeo - vm_wait, 0)
                vm_wait = 0
            timeo = current_timeo
    finally:
        if not sk.skc_flags & 1 << SOCK_DEAD:
            remove_wait_queue(wq, wait)


def sk_stream_error(sk: sock, flags: int, err: int) -> int:
    """The errno of a failed send (positive, as `err`); EPIPE sends SIGPIPE unless MSG_NOSIGNAL is set."""
    if err == EPIPE:
        err = sock_error(sk) or EPIPE
    if err == EPIPE and not flags & MSG_NOSIGNAL:
        send_sig(SIGPIPE, sk.skc_net.kernel.current, 0)
    return err


def sk_stream_kill_queues(sk: sock) -> None:
    """Free what the queues hold, for a socket about to be destroyed."""
    if sk.sk_receive_queue.next is not None:
        __skb_queue_purge(sk.sk_receive_queue)
    skb_queue_purge(sk.sk_error_queue)
    if sk.sk_forward_alloc:
        sk_mem_reclaim_final(sk)
