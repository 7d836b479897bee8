"""What AF_UNIX sockets tell their peers: credentials, room in the queue, the end (net/unix/af_unix.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from kshell.abi.errno import ECONNRESET
from kshell.abi.poll import EPOLLOUT, EPOLLWRBAND, EPOLLWRNORM
from kshell.abi.signal import POLL_OUT
from kshell.abi.tcp import TCP_LISTEN
from kshell.linux.include.linux.net import SOCK_WAKE_SPACE
from kshell.linux.include.linux.sched import PIDTYPE_TGID, TASK_INTERRUPTIBLE
from kshell.linux.include.linux.wait import wait_queue_entry, waitqueue_active
from kshell.linux.include.net.af_unix import UNIXCB, peer_wait, unix_sk, unix_sock
from kshell.linux.include.net.sock import RCV_SHUTDOWN, SOCK_DEAD, sk_error_report, sock_flag, sock_hold
from kshell.linux.include.net.sock_wait import sk_sleep
from kshell.linux.kernel.cred import put_cred
from kshell.linux.kernel.pid import get_pid, put_pid
from kshell.linux.kernel.sched.wait import (
    add_wait_queue,
    finish_wait,
    init_wait,
    prepare_to_wait_exclusive,
    remove_wait_queue,
    wake_up_interruptible_all,
    wake_up_interruptible_poll,
    wake_up_interruptible_sync_poll,
)
from kshell.linux.kernel.time.timer import schedule_timeout
from kshell.linux.net.core.skbuff import skb_queue_purge
from kshell.linux.net.core.sock import sk_wake_async

if TYPE_CHECKING:
    from kshell.linux.include.linux.skbuff import sk_buff
    from kshell.linux.include.net.sock import sock

WRITABLE = EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND


def unix_may_send(sk: unix_sock, osk: unix_sock) -> bool:
    """Whether osk takes messages from sk: it is connected to nobody else."""
    return osk.peer is None or osk.peer is sk


def unix_recvq_full_lockless(sk: unix_sock) -> bool:
    """Whether as many messages or connections wait as the socket takes."""
    return sk.sk_receive_queue.qlen > sk.sk_max_ack_backlog


def unix_peer_get(s: unix_sock) -> unix_sock | None:
    """The other end, with a reference."""
    peer = s.peer
    if peer is not None:
        sock_hold(peer)
    return peer


def unix_skb_len(skb: sk_buff) -> int:
    """Bytes not read yet."""
    return skb.len - UNIXCB(skb).consumed


def unix_writable(sk: unix_sock, state: int) -> bool:
    """Whether at most a quarter of the send buffer is in use."""
    return state != TCP_LISTEN and sk.sk_wmem_alloc << 2 <= sk.sk_sndbuf


def unix_write_space(sk: sock) -> None:
    """A receiver took a message: wake those who wait to write."""
    if unix_writable(unix_sk(sk), sk.skc_state):
        wq = sk.sk_wq
        if wq is not None and waitqueue_active(wq.wait):
            wake_up_interruptible_sync_poll(wq.wait, WRITABLE)
        sk_wake_async(sk, SOCK_WAKE_SPACE, POLL_OUT)


def unix_dgram_peer_wake_relay(q: wait_queue_entry, mode: int, flags: int, key: int) -> int:
    """Wake function in the peer's queue: there is room; pass it on to our own sleepers."""
    u, other = cast("tuple[unix_sock, unix_sock]", q._owner)
    remove_wait_queue(peer_wait(other), q)
    q._owner = None
    u.peer_wake = None
    if u.sk_wq is not None:
        wake_up_interruptible_poll(sk_sleep(u), key)
    return 0


def unix_dgram_peer_wake_connect(sk: unix_sock, other: unix_sock) -> bool:
    """Have room at other relayed to sk; False when it is already."""
    if sk.peer_wake is not None:
        return False
    sk.peer_wake = wait_queue_entry(None, unix_dgram_peer_wake_relay, (sk, other))
    add_wait_queue(peer_wait(other), sk.peer_wake)
    return True


def unix_dgram_peer_wake_disconnect(sk: unix_sock, other: unix_sock) -> None:
    """End the relaying."""
    wake = sk.peer_wake
    if wake is not None and cast("tuple[unix_sock, unix_sock]", wake._owner)[1] is other:
        remove_wait_queue(peer_wait(other), wake)
        wake._owner = None
        sk.peer_wake = None


def unix_dgram_peer_wake_disconnect_wakeup(sk: unix_sock, other: unix_sock) -> None:
    """End the relaying, and let writers look anew."""
    unix_dgram_peer_wake_disconnect(sk, other)
    wake_up_interruptible_poll(sk_sleep(sk), WRITABLE)


def unix_dgram_peer_wake_me(sk: unix_sock, other: unix_sock) -> bool:
    """Whether other has no room; sk's writers are then woken once it has."""
    connected = unix_dgram_peer_wake_connect(sk, other)
    if unix_recvq_full_lockless(other) and not sock_flag(other, SOCK_DEAD):
        return True
    if connected:
        unix_dgram_peer_wake_disconnect(sk, other)
    return False


def unix_dgram_disconnected(sk: unix_sock, other: unix_sock) -> None:
    """sk no longer talks to other: what waits is lost, and other learns that (ECONNRESET)."""
    if sk.sk_receive_queue.next is None:
        return
    skb_queue_purge(sk.sk_receive_queue)
    wake_up_interruptible_all(peer_wait(sk))
    if not sock_flag(other, SOCK_DEAD) and other.peer is sk:
        other.sk_err = ECONNRESET
        sk_error_report(other)


async def unix_wait_for_peer(other: unix_sock, timeo: int) -> int:
    """Sleep until other has room; the jiffies left of timeo."""
    kernel = other.skc_net.kernel
    entry = init_wait(kernel.current)
    prepare_to_wait_exclusive(peer_wait(other), entry, TASK_INTERRUPTIBLE)
    sched = (
        not sock_flag(other, SOCK_DEAD)
        and not other.sk_shutdown & RCV_SHUTDOWN
        and unix_recvq_full_lockless(other)
    )
    if sched:
        timeo = await schedule_timeout(kernel, timeo)
    finish_wait(peer_wait(other), entry)
    return timeo


def init_peercred(sk: unix_sock) -> None:
    """Let SO_PEERCRED of the other end show current."""
    kernel = sk.skc_net.kernel
    current = kernel.current
    old_pid, old_cred = sk.sk_peer_pid, sk.sk_peer_cred
    tgid = current.signal.pids[PIDTYPE_TGID]
    sk.sk_peer_pid = get_pid(tgid) if tgid is not None else None
    current.cred.usage += 1
    sk.sk_peer_cred = current.cred
    put_pid(kernel, old_pid)
    if old_cred is not None:
        put_cred(kernel, old_cred)


def copy_peercred(sk: unix_sock, peersk: unix_sock) -> None:
    """Let SO_PEERCRED of sk show who listened."""
    if peersk.sk_peer_pid is not None:
        sk.sk_peer_pid = get_pid(peersk.sk_peer_pid)
    if peersk.sk_peer_cred is not None:
        peersk.sk_peer_cred.usage += 1
        sk.sk_peer_cred = peersk.sk_peer_cred
