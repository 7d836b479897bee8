"""include/net/sock.h: the route that a socket keeps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.linux.net.core.dst import dst_release

if TYPE_CHECKING:
    from kshell.linux.include.net.dst import dst_entry
    from kshell.linux.include.net.sock import sock


def sk_dst_get(sk: sock) -> dst_entry | None:
    """The cached route, with a reference."""
    dst = sk.sk_dst_cache
    if dst is not None:
        dst.refcnt += 1
    return dst


def __sk_dst_set(sk: sock, dst: dst_entry | None) -> None:
    """Cache a route whose reference it takes over, dropping the old one."""
    if sk.sk_dst_pending_confirm:
        sk.sk_dst_pending_confirm = 0
    old = sk.sk_dst_cache
    sk.sk_dst_cache = dst
    dst_release(old)


sk_dst_set = __sk_dst_set


def __sk_dst_reset(sk: sock) -> None:
    """Forget the cached route."""
    __sk_dst_set(sk, None)


def sk_dst_reset(sk: sock) -> None:
    """Forget the cached route."""
    sk_dst_set(sk, None)
