"""include/net/netns/netfilter.h: what netfilter keeps in each network namespace."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kshell.linux.include.linux.sysctl import ctl_table_header


class netns_nf:
    """The registered table of loggers."""

    __slots__ = ("nf_log_dir_header",)

    def __init__(self) -> None:
        self.nf_log_dir_header: ctl_table_header | None = None
