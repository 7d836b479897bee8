"""include/net/netns/core.h: net.core."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kshell.linux.include.linux.sysctl import ctl_table_header
    from kshell.linux.include.net.sock_proto import proto


class prot_inuse:
    """How many sockets there are: in all, and of each protocol."""

    __slots__ = ("all", "val")

    def __init__(self) -> None:
        self.all = 0
        self.val: dict[proto, int] = {}


class netns_core:
    """Core networking's share of a network namespace."""

    def __init__(self) -> None:
        self.sysctl_hdr: ctl_table_header | None = None
        self.sysctl_somaxconn = 4096
        self.sysctl_txrehash = 1
        self.prot_inuse = prot_inuse()
