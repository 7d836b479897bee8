"""include/net/sock.h: memory accounting, the inlines that call net/core/sock.c."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.linux.include.linux.mm_types import PAGE_SIZE
from kshell.linux.include.net.sock import SK_MEM_RECV, SK_MEM_SEND
from kshell.linux.include.net.sock_space import sk_unused_reserved_mem
from kshell.linux.net.core.sock_mem import __sk_mem_reclaim, __sk_mem_schedule

if TYPE_CHECKING:
    from kshell.linux.include.linux.skbuff import sk_buff
    from kshell.linux.include.net.sock import sock


def sk_wmem_schedule(sk: sock, size: int) -> bool:
    """Make sure that `size` bytes to send can be charged."""
    return sk.sk_forward_alloc >= size or sk.sk_prot.memory_allocated is None or __sk_mem_schedule(
        sk, size - sk.sk_forward_alloc, SK_MEM_SEND
    )


def sk_rmem_schedule(sk: sock, skb: sk_buff, size: int) -> bool:
    """Make sure that `size` received bytes can be charged."""
    return sk.sk_forward_alloc >= size or sk.sk_prot.memory_allocated is None or __sk_mem_schedule(
        sk, size - sk.sk_forward_alloc, SK_MEM_RECV
    )


def sk_mem_reclaim(sk: sock) -> None:
    """Give whole unused pages back."""
    if sk.sk_prot.memory_allocated is None:
        return
    reclaimable = sk.sk_forward_alloc - sk_unused_reserved_mem(sk)
    if reclaimable >= PAGE_SIZE:
        __sk_mem_reclaim(sk, reclaimable)


def sk_mem_reclaim_final(sk: sock) -> None:
    """Give all unused memory back, SO_RESERVE_MEM included."""
    if sk.sk_reserved_mem:
        sk.sk_reserved_mem = 0
    sk_mem_reclaim(sk)


def sk_mem_uncharge(sk: sock, size: int) -> None:
    """Give charged bytes back."""
    if sk.sk_prot.memory_allocated is None:
        return
    sk.sk_forward_alloc += size
    sk_mem_reclaim(sk)
