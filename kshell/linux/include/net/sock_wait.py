"""include/net/sock.h: what a task that waits for a socket looks at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.errno import EINTR
from kshell.linux.include.linux.errno import ERESTARTSYS
from kshell.linux.include.linux.jiffies import MAX_SCHEDULE_TIMEOUT
from kshell.linux.include.net.sock import SOCK_FASYNC

if TYPE_CHECKING:
    from kshell.linux.include.linux.wait import wait_queue_head
    from kshell.linux.include.net.sock import sock


def sk_sleep(sk: sock) -> wait_queue_head:
    """Where the socket's users sleep."""
    assert sk.sk_wq is not None
    return sk.sk_wq.wait


def sock_rcvlowat(sk: sock, waitall: bool | int, length: int) -> int:
    """How many bytes a receiver waits for."""
    lowat = length if waitall else min(sk.sk_rcvlowat, length)
    return lowat or 1


def sock_rcvtimeo(sk: sock, noblock: bool | int) -> int:
    """How long a receiver waits, in jiffies."""
    return 0 if noblock else sk.sk_rcvtimeo


def sock_sndtimeo(sk: sock, noblock: bool | int) -> int:
    """How long a sender waits, in jiffies."""
    return 0 if noblock else sk.sk_sndtimeo


def sock_intr_errno(timeo: int) -> int:
    """The errno of a wait that a signal cut short: restarted only if no timeout was set."""
    return ERESTARTSYS if timeo == MAX_SCHEDULE_TIMEOUT else EINTR


def sk_set_bit(nr: int, sk: sock) -> None:
    """Note in the wait queue that somebody waits; only for sockets that are signalled."""
    if sk.skc_flags >> SOCK_FASYNC & 1 and sk.sk_wq is not None:
        sk.sk_wq.flags |= 1 << nr


def sk_clear_bit(nr: int, sk: sock) -> None:
    """Undo sk_set_bit()."""
    if sk.skc_flags >> SOCK_FASYNC & 1 and sk.sk_wq is not None:
        sk.sk_wq.flags &= ~(1 << nr)
