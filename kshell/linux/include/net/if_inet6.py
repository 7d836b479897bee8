"""include/net/if_inet6.h: what IPv6 keeps of each device: settings, of which none is followed."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kshell.linux.include.linux.netdevice import net_device
    from kshell.linux.include.linux.sysctl import ctl_table_header
    from kshell.linux.include.net.neighbour import neigh_parms

IPV6_MIN_MTU = 1280


class ipv6_devconf:
    """The settings of a device (include/linux/ipv6.h). _values: in the order of addrconf_sysctl."""

    __slots__ = ("_values", "sysctl_header")

    def __init__(self, values: list[int]) -> None:
        self._values = values
        self.sysctl_header: ctl_table_header | None = None


class inet6_dev:
    """A device: its settings, and how its neighbours would be treated."""

    __slots__ = ("cnf", "dev", "nd_parms")

    def __init__(self, dev: net_device, cnf: ipv6_devconf, nd_parms: neigh_parms) -> None:
        self.dev = dev
        self.cnf = cnf
        self.nd_parms = nd_parms
