"""include/net/netns/unix.h: net.unx."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kshell.linux.include.linux.sysctl import ctl_table_header
    from kshell.linux.include.net.af_unix import unix_sock

UNIX_HASH_MOD = 256 - 1
UNIX_HASH_SIZE = 256 * 2


class unix_table:
    """All AF_UNIX sockets: buckets 0 to 255 hold unbound and pathname ones, 256 to 511 abstract names.

    A bucket keeps the order in which they came; None while nobody ever was in it.
    """

    __slots__ = ("buckets",)

    def __init__(self) -> None:
        self.buckets: list[dict[unix_sock, None] | None] = [None] * UNIX_HASH_SIZE


class netns_unix:
    """AF_UNIX's share of a network namespace."""

    __slots__ = ("ctl", "sysctl_max_dgram_qlen", "table")
    ctl: ctl_table_header

    def __init__(self) -> None:
        self.table = unix_table()
        self.sysctl_max_dgram_qlen = 10
