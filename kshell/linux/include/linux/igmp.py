"""include/linux/igmp.h: multicast membership of sockets and of devices."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.inet import MCAST_EXCLUDE

if TYPE_CHECKING:
    from kshell.linux.include.linux.inetdevice import in_device
    from kshell.linux.kernel.time.timer import timer_list

IP_SFBLOCK = 10


IGMPV2_HOST_MEMBERSHIP_REPORT = 0x16
IGMPV3_HOST_MEMBERSHIP_REPORT = 0x22
IGMP_ALL_HOSTS = 0xE0000001


class ip_mreqn:
    """struct ip_mreqn: group, interface by address or by index."""

    __slots__ = ("imr_address", "imr_ifindex", "imr_multiaddr")

    def __init__(self, imr_multiaddr: int = 0, imr_address: int = 0, imr_ifindex: int = 0) -> None:
        self.imr_multiaddr = imr_multiaddr
        self.imr_address = imr_address
        self.imr_ifindex = imr_ifindex


class ip_mreq_source:
    """struct ip_mreq_source: group, interface address, source."""

    __slots__ = ("imr_interface", "imr_multiaddr", "imr_sourceaddr")

    def __init__(self, imr_multiaddr: int = 0, imr_interface: int = 0, imr_sourceaddr: int = 0) -> None:
        self.imr_multiaddr = imr_multiaddr
        self.imr_interface = imr_interface
        self.imr_sourceaddr = imr_sourceaddr


class ip_sf_socklist:
    """Source filter of one group of one socket: sl_addr in ascending order."""
    _addr: int

    __slots__ = ("_addr", "sl_addr", "sl_max")

    def __init__(self) -> None:
        self.sl_max = 0
        self.sl_addr: list[int] = []

    @property
    def sl_count(self) -> int:
        return len(self.sl_addr)


class ip_mc_socklist:
    """One multicast membership of a socket; `inet.mc_list` is the chain, newest first."""
    _addr: int

    __slots__ = ("_addr", "multi", "next_rcu", "sflist", "sfmode")

    def __init__(self) -> None:
        self.next_rcu: ip_mc_socklist | None = None
        self.multi = ip_mreqn()
        self.sfmode = MCAST_EXCLUDE
        self.sflist: ip_sf_socklist | None = None


class ip_sf_list:
    """A source address filtered on a device's group; sf_count[MCAST_EXCLUDE|MCAST_INCLUDE] sockets."""

    __slots__ = ("_addr", "sf_count", "sf_crcount", "sf_gsresp", "sf_inaddr", "sf_oldin")

    def __init__(self, sf_inaddr: int) -> None:
        self.sf_inaddr = sf_inaddr
        self.sf_count = [0, 0]
        self.sf_gsresp = 0
        self.sf_oldin = 0
        self.sf_crcount = 0


class ip_mc_list:
    """A group that a device listens to; `in_dev.mc_list` is the chain, newest first."""
    _addr: int

    __slots__ = (
        "_addr", "crcount", "gsquery", "interface", "loaded", "multiaddr", "next_rcu", "refcnt", "reporter", "sfcount",
        "sfmode", "sources", "timer", "tm_running", "tomb", "unsolicit_count", "users",
    )

    def __init__(self) -> None:
        self.interface: in_device | None = None
        self.multiaddr = 0
        self.sfmode = MCAST_EXCLUDE
        self.sources: list[ip_sf_list] = []
        self.tomb: list[ip_sf_list] = []
        self.sfcount = [0, 0]
        self.next_rcu: ip_mc_list | None = None
        self.timer: timer_list | None = None
        self.users = 0
        self.refcnt = 1
        self.tm_running = 0
        self.reporter = 0
        self.unsolicit_count = 0
        self.loaded = 0
        self.gsquery = 0
        self.crcount = 0
