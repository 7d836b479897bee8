"""Routing domains of VRF devices (net/l3mdev): none is built, every device is in the main domain."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kshell.linux.include.net.net_namespace import net


def l3mdev_fib_table_by_index(net: net, ifindex: int) -> int:
    """The routing table of the domain a device is in; 0: none of its own."""
    return 0
