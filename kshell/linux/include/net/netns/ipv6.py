"""include/net/netns/ipv6.h: what IPv6 keeps in each network namespace."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kshell.linux.include.linux.sysctl import ctl_table_header
    from kshell.linux.include.net.if_inet6 import ipv6_devconf


class netns_sysctl_ipv6:
    """The registered tables of settings."""

    __slots__ = ("frags_hdr", "hdr", "icmp_hdr", "route_hdr", "xfrm6_hdr")

    def __init__(self) -> None:
        self.hdr: ctl_table_header | None = None
        self.route_hdr: ctl_table_header | None = None
        self.icmp_hdr: ctl_table_header | None = None
        self.frags_hdr: ctl_table_header | None = None
        self.xfrm6_hdr: ctl_table_header | None = None


class netns_ipv6:
    """Settings: of all devices, and those that a new device begins with."""

    __slots__ = ("devconf_all", "devconf_dflt", "sysctl")
    devconf_all: ipv6_devconf
    devconf_dflt: ipv6_devconf

    def __init__(self) -> None:
        self.sysctl = netns_sysctl_ipv6()
