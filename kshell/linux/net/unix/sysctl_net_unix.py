"""net.unix.max_dgram_qlen (net/unix/sysctl_net_unix.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kshell.linux.include.net.net_namespace import net


def unix_sysctl_register(net: net) -> None:
    """A namespace's own settings start at the default."""
    net.unx.sysctl_max_dgram_qlen = 10


def unix_sysctl_unregister(net: net) -> None:
    """Nothing outlives the namespace."""
