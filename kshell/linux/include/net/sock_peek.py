"""SO_PEEK_OFF: where the next MSG_PEEK starts (include/net/sock.h)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.socket import MSG_PEEK

if TYPE_CHECKING:
    from kshell.linux.include.net.sock import sock


def sk_peek_offset(sk: sock, flags: int) -> int:
    """The offset for a receive with these flags; -1: the option is not set."""
    return sk.sk_peek_off if flags & MSG_PEEK else 0


def sk_peek_offset_bwd(sk: sock, val: int) -> None:
    """Data was received: the offset moves back."""
    if sk.sk_peek_off >= 0:
        sk.sk_peek_off = max(sk.sk_peek_off - val, 0)


def sk_peek_offset_fwd(sk: sock, val: int) -> None:
    """Data was peeked at: the offset moves on."""
    sk_peek_offset_bwd(sk, -val)
