"""include/net/ping.h: sockets that send ICMP echo without privilege."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kshell.linux.include.linux.icmp import icmphdr
    from kshell.linux.include.linux.socket import msghdr
    from kshell.linux.include.net.sock import sock

PING_HTABLE_SIZE = 64
PING_HTABLE_MASK = 63
GID_T_MAX = 0xFFFFFFFE


class ping_table:
    """All ping sockets that have an identifier; hash[slot] is a list, newest first."""

    __slots__ = ("hash",)

    def __init__(self) -> None:
        self.hash: list[list[sock]] = [[] for _ in range(PING_HTABLE_SIZE)]


class pingfakehdr:
    """What ping_getfrag() needs to build the packet."""

    __slots__ = ("family", "icmph", "msg", "wcheck")

    def __init__(self, icmph: icmphdr, msg: msghdr, family: int) -> None:
        self.icmph = icmph
        self.msg = msg
        self.family = family
        self.wcheck = 0
