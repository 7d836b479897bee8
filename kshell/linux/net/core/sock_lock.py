"""net/core/sock.c: owning a socket, and the packets that come while it is owned."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kshell.linux.include.net.sock import sock


def lock_sock_nested(sk: sock) -> None:
    """Own the socket. One processor, and sleepers let go of it: it is never taken here."""
    sk.sk_lock = 1


lock_sock = lock_sock_nested


def __lock_sock_fast(sk: sock) -> bool:
    """Own the socket for a moment; True if release_sock() must follow."""
    return False


def __release_sock(sk: sock) -> None:
    """Process the packets that came while the socket was owned."""
    backlog = sk.sk_backlog
    if backlog is None:
        return
    skb = backlog.head
    while skb is not None:
        backlog.head = backlog.tail = None
        while skb is not None:
            following = skb.next
            skb.next = None
            sk.sk_backlog_rcv(sk, skb)
            skb = following
        skb = backlog.head
    backlog.len = 0
    sk.sk_backlog = None


def release_sock(sk: sock) -> None:
    """Disown the socket, after the packets that came meanwhile were processed."""
    if sk.sk_backlog is not None:
        __release_sock(sk)
    release_cb = sk.skc_prot.release_cb
    if release_cb is not None:
        release_cb(sk)
    sk.sk_lock = 0


def unlock_sock_fast(sk: sock, slow: bool) -> None:
    """Undo lock_sock_fast()."""
    if slow:
        release_sock(sk)


lock_sock_fast = __lock_sock_fast
