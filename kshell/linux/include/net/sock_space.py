"""include/net/sock.h: how much a socket may hold, the limits of its protocol's memory, and its backlog."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from kshell.abi.errno import ENOBUFS
from kshell.abi.socket import SOCK_SNDBUF_LOCK
from kshell.linux.include.linux.mm_types import PAGE_SHIFT, PAGE_SIZE
from kshell.linux.include.net.sock import SOCK_MIN_SNDBUF

if TYPE_CHECKING:
    from kshell.linux.include.linux.skbuff import sk_buff
    from kshell.linux.include.net.sock import sock
    from kshell.linux.include.net.sock_proto import proto


class _sk_backlog:
    """struct { … } sk_backlog: packets that came while a task owned the socket. Made when the first one comes."""

    __slots__ = ("head", "len", "tail")
    len: int
    head: sk_buff | None
    tail: sk_buff | None

    def __init__(self) -> None:
        self.len = 0
        self.head = self.tail = None


def sk_rmem_alloc_get(sk: sock) -> int:
    """Bytes charged to the socket for packets received."""
    return sk.sk_rmem_alloc


def sk_wmem_alloc_get(sk: sock) -> int:
    """Bytes charged to the socket for packets on their way out."""
    return sk.sk_wmem_alloc - 1


def __sk_stream_memory_free(sk: sock, wake: int) -> bool:
    """True if a stream may queue more."""
    if sk.sk_wmem_queued >= sk.sk_sndbuf:
        return False
    memory_free = sk.sk_prot.stream_memory_free
    return memory_free(sk, wake) if memory_free is not None else True


def sk_stream_memory_free(sk: sock) -> bool:
    """True if a stream may queue more."""
    return __sk_stream_memory_free(sk, 0)


def __sk_stream_is_writeable(sk: sock, wake: int) -> bool:
    """True if poll() calls the stream writable."""
    return sk.sk_sndbuf - sk.sk_wmem_queued >= sk.sk_wmem_queued >> 1 and __sk_stream_memory_free(sk, wake)


def sk_stream_moderate_sndbuf(sk: sock) -> None:
    """Shrink the send buffer under memory pressure."""
    if sk.sk_userlocks & SOCK_SNDBUF_LOCK:
        return
    sk.sk_sndbuf = max(min(sk.sk_sndbuf, sk.sk_wmem_queued >> 1), SOCK_MIN_SNDBUF)


def sk_prot_mem_limits(sk: sock, index: int) -> int:
    """A limit of this protocol's memory, in pages."""
    name = sk.sk_prot.sysctl_mem
    assert name is not None
    return int(getattr(sk.skc_net.kernel, name)[index])


def _first(setting: int | Sequence[int]) -> int:
    """tcp_rmem is three numbers, udp_rmem_min one."""
    return setting if isinstance(setting, int) else setting[0]


def sk_get_wmem0(sk: sock, proto: proto) -> int:
    """The guaranteed part of the send buffer."""
    if proto.sysctl_wmem_offset is not None:
        return _first(getattr(sk.skc_net.ipv4, proto.sysctl_wmem_offset))
    assert proto.sysctl_wmem is not None
    return int(_table(sk, proto.sysctl_wmem)[0])


def sk_get_rmem0(sk: sock, proto: proto) -> int:
    """The guaranteed part of the receive buffer."""
    if proto.sysctl_rmem_offset is not None:
        return _first(getattr(sk.skc_net.ipv4, proto.sysctl_rmem_offset))
    assert proto.sysctl_rmem is not None
    return int(_table(sk, proto.sysctl_rmem)[0])


def _table(sk: sock, name: str) -> tuple[int, ...]:
    value = getattr(sk.skc_net.kernel, name)
    return (value,) if isinstance(value, int) else tuple(value)


def sk_unused_reserved_mem(sk: sock) -> int:
    """What is left of SO_RESERVE_MEM."""
    if not sk.sk_reserved_mem:
        return 0
    return max(sk.sk_reserved_mem - sk.sk_wmem_queued - sk.sk_rmem_alloc, 0)


def sk_mem_pages(amt: int) -> int:
    """Pages that hold `amt` bytes."""
    return (amt + PAGE_SIZE - 1) >> PAGE_SHIFT


def sk_rcvqueues_full(sk: sock, limit: int) -> bool:
    """True if receive queue and backlog hold more than the receive buffer."""
    backlog = sk.sk_backlog
    return (backlog.len if backlog is not None else 0) + sk.sk_rmem_alloc > limit


def __sk_add_backlog(sk: sock, skb: sk_buff) -> None:
    """Append a packet to the backlog."""
    backlog = sk.sk_backlog
    if backlog is None:
        backlog = sk.sk_backlog = _sk_backlog()
    if backlog.tail is None:
        backlog.head = skb
    else:
        backlog.tail.next = skb
    backlog.tail = skb
    skb.next = None


def sk_add_backlog(sk: sock, skb: sk_buff, limit: int) -> int:
    """Leave a packet to the task that owns the socket; a positive errno (ENOBUFS) if the backlog is full."""
    if sk_rcvqueues_full(sk, limit):
        return ENOBUFS
    __sk_add_backlog(sk, skb)
    backlog = sk.sk_backlog
    assert backlog is not None
    backlog.len += skb.truesize
    return 0


def sk_backlog_rcv(sk: sock, skb: sk_buff) -> int:
    """Process a packet now."""
    return sk.sk_backlog_rcv(sk, skb)
