"""include/net/raw.h."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.linux.include.linux.icmp import icmp_filter
from kshell.linux.include.net.inet_sock import inet_bound_dev_eq, inet_sock

if TYPE_CHECKING:
    from kshell.linux.include.net.net_namespace import net
    from kshell.linux.include.net.sock import sock

RAW_HTABLE_SIZE = 256


class raw_hashinfo:
    """All raw sockets, by protocol: ht[slot] is an ordered set, reversed() gives Linux's order; absent if empty."""

    __slots__ = ("ht",)

    def __init__(self) -> None:
        self.ht: dict[int, dict[sock, None]] = {}


class raw_sock(inet_sock):
    """struct raw_sock (1000 bytes)."""

    __slots__ = ("filter",)
    ipmr_table: int = 0

    def __init__(self) -> None:
        super().__init__()
        self.filter = icmp_filter()


def raw_sk(sk: sock) -> raw_sock:
    """The socket seen as a raw_sock."""
    return sk  # type: ignore[return-value]


def raw_hashfunc(net: net, proto: int) -> int:
    """Slot of a protocol."""
    return proto & (RAW_HTABLE_SIZE - 1)


def raw_sk_bound_dev_eq(net: net, bound_dev_if: int, dif: int, sdif: int) -> bool:
    """True if the socket may have packets of this device."""
    return inet_bound_dev_eq(bool(net.ipv4.sysctl_raw_l3mdev_accept), bound_dev_if, dif, sdif)
