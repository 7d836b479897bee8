"""include/linux/sock_diag.h: who answers questions about the sockets of a family."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kshell.linux.include.linux.module import module
    from kshell.linux.include.linux.skbuff import sk_buff
    from kshell.linux.include.net.netlink import nlmsghdr


class sock_diag_handler:
    """dump answers SOCK_DIAG_BY_FAMILY, destroy SOCK_DESTROY. Constant."""

    __slots__ = ("destroy", "dump", "family", "owner")

    def __init__(
        self,
        *,
        family: int,
        dump: Callable[[sk_buff, nlmsghdr], None],
        destroy: Callable[[sk_buff, nlmsghdr], None] | None = None,
        owner: module | None = None,
    ) -> None:
        self.family = family
        self.dump = dump
        self.destroy = destroy
        self.owner = owner
