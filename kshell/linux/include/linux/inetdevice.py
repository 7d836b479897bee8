"""include/linux/inetdevice.h: the IPv4 side of a network device."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kshell.linux.include.linux.igmp import ip_mc_list
    from kshell.linux.include.linux.netdevice import net_device
    from kshell.linux.include.linux.sysctl import ctl_table_header
    from kshell.linux.include.net.neighbour import neigh_parms
    from kshell.linux.include.net.net_namespace import net
    from kshell.linux.kernel.time.timer import timer_list

IPV4_DEVCONF_FORWARDING = 1
IPV4_DEVCONF_MC_FORWARDING = 2
IPV4_DEVCONF_PROXY_ARP = 3
IPV4_DEVCONF_ACCEPT_REDIRECTS = 4
IPV4_DEVCONF_SECURE_REDIRECTS = 5
IPV4_DEVCONF_SEND_REDIRECTS = 6
IPV4_DEVCONF_SHARED_MEDIA = 7
IPV4_DEVCONF_RP_FILTER = 8
IPV4_DEVCONF_ACCEPT_SOURCE_ROUTE = 9
IPV4_DEVCONF_BOOTP_RELAY = 10
IPV4_DEVCONF_LOG_MARTIANS = 11
IPV4_DEVCONF_TAG = 12
IPV4_DEVCONF_ARPFILTER = 13
IPV4_DEVCONF_MEDIUM_ID = 14
IPV4_DEVCONF_NOXFRM = 15
IPV4_DEVCONF_NOPOLICY = 16
IPV4_DEVCONF_FORCE_IGMP_VERSION = 17
IPV4_DEVCONF_ARP_ANNOUNCE = 18
IPV4_DEVCONF_ARP_IGNORE = 19
IPV4_DEVCONF_PROMOTE_SECONDARIES = 20
IPV4_DEVCONF_ARP_ACCEPT = 21
IPV4_DEVCONF_ARP_NOTIFY = 22
IPV4_DEVCONF_ACCEPT_LOCAL = 23
IPV4_DEVCONF_SRC_VMARK = 24
IPV4_DEVCONF_PROXY_ARP_PVLAN = 25
IPV4_DEVCONF_ROUTE_LOCALNET = 26
IPV4_DEVCONF_IGMPV2_UNSOLICITED_REPORT_INTERVAL = 27
IPV4_DEVCONF_IGMPV3_UNSOLICITED_REPORT_INTERVAL = 28
IPV4_DEVCONF_IGNORE_ROUTES_WITH_LINKDOWN = 29
IPV4_DEVCONF_DROP_UNICAST_IN_L2_MULTICAST = 30
IPV4_DEVCONF_DROP_GRATUITOUS_ARP = 31
IPV4_DEVCONF_BC_FORWARDING = 32
IPV4_DEVCONF_ARP_EVICT_NOCARRIER = 33
IPV4_DEVCONF_MAX = 33

INFINITY_LIFE_TIME = 0xFFFFFFFF


class ipv4_devconf:
    """The conf/* settings of a device, of `all` or of `default`: data[IPV4_DEVCONF_x - 1]."""

    __slots__ = ("data", "state", "sysctl")

    def __init__(self, data: list[int] | None = None) -> None:
        self.data = list(data) if data else [0] * IPV4_DEVCONF_MAX
        self.state = 0
        self.sysctl: ctl_table_header | None = None


class in_ifaddr:
    """An IPv4 address of a device."""
    _addr: int

    __slots__ = (
        "_addr", "ifa_address", "ifa_broadcast", "ifa_cstamp", "ifa_dev", "ifa_flags", "ifa_label", "ifa_local", "ifa_mask",
        "ifa_next", "ifa_preferred_lft", "ifa_prefixlen", "ifa_proto", "ifa_rt_priority", "ifa_scope", "ifa_tstamp",
        "ifa_valid_lft",
    )

    def __init__(self) -> None:
        self.ifa_next: in_ifaddr | None = None
        self.ifa_dev: in_device | None = None
        self.ifa_local = 0
        self.ifa_address = 0
        self.ifa_mask = 0
        self.ifa_rt_priority = 0
        self.ifa_broadcast = 0
        self.ifa_scope = 0
        self.ifa_prefixlen = 0
        self.ifa_proto = 0
        self.ifa_flags = 0
        self.ifa_label = ""
        self.ifa_valid_lft = INFINITY_LIFE_TIME
        self.ifa_preferred_lft = INFINITY_LIFE_TIME
        self.ifa_cstamp = 0
        self.ifa_tstamp = 0


class in_device:
    """struct in_device: `dev.ip_ptr`."""
    _addr: int

    __slots__ = (
        "_addr", "arp_parms", "cnf", "dead", "dev", "ifa_list", "mc_count", "mc_hash", "mc_list", "mc_tomb", "mr_gq_running",
        "mr_gq_timer", "mr_ifc_count", "mr_ifc_timer", "mr_maxdelay", "mr_qi", "mr_qri", "mr_qrv", "mr_v1_seen",
        "mr_v2_seen", "refcnt",
    )

    def __init__(self, dev: net_device | None = None) -> None:
        self.dev = dev
        self.refcnt = 1
        self.dead = 0
        self.ifa_list: in_ifaddr | None = None
        self.mc_list: ip_mc_list | None = None
        self.mc_hash: dict[int, ip_mc_list] | None = None
        self.mc_count = 0
        self.mc_tomb: ip_mc_list | None = None
        self.mr_v1_seen = 0
        self.mr_v2_seen = 0
        self.mr_maxdelay = 0
        self.mr_qi = 0
        self.mr_qri = 0
        self.mr_qrv = 2
        self.mr_gq_running = 0
        self.mr_ifc_count = 0
        self.mr_gq_timer: timer_list | None = None
        self.mr_ifc_timer: timer_list | None = None
        self.arp_parms: neigh_parms | None = None
        self.cnf = ipv4_devconf()


def IPV4_DEVCONF_ALL(net: net, attr: int) -> int:
    """A setting of conf/all."""
    return net.ipv4.devconf_all.data[attr - 1]


def ipv4_devconf_set(in_dev: in_device, index: int, val: int) -> None:
    """Set conf/DEV/x and remember that it no longer follows conf/default."""
    in_dev.cnf.state |= 1 << (index - 1)
    in_dev.cnf.data[index - 1] = val


def ipv4_devconf_setall(in_dev: in_device) -> None:
    """No setting of this device follows conf/default any more."""
    in_dev.cnf.state = (1 << IPV4_DEVCONF_MAX) - 1


def IN_DEV_CONF_GET(in_dev: in_device, attr: int) -> int:
    """A setting of conf/DEV."""
    return in_dev.cnf.data[attr - 1]


def _all(in_dev: in_device, attr: int) -> int:
    dev = in_dev.dev
    assert dev is not None
    return dev.nd_net.ipv4.devconf_all.data[attr - 1]


def IN_DEV_ANDCONF(in_dev: in_device, attr: int) -> bool:
    """True if both conf/all and conf/DEV are set."""
    return bool(_all(in_dev, attr) and in_dev.cnf.data[attr - 1])


def IN_DEV_ORCONF(in_dev: in_device, attr: int) -> bool:
    """True if conf/all or conf/DEV is set."""
    return bool(_all(in_dev, attr) or in_dev.cnf.data[attr - 1])


def IN_DEV_NET_ORCONF(in_dev: in_device, net: net, attr: int) -> bool:
    """True if conf/all of `net` or conf/DEV is set."""
    return bool(net.ipv4.devconf_all.data[attr - 1] or in_dev.cnf.data[attr - 1])


def IN_DEV_MAXCONF(in_dev: in_device, attr: int) -> int:
    """The larger of conf/all and conf/DEV."""
    return max(_all(in_dev, attr), in_dev.cnf.data[attr - 1])


def IN_DEV_FORWARD(in_dev: in_device) -> int:
    return in_dev.cnf.data[IPV4_DEVCONF_FORWARDING - 1]


def IN_DEV_RX_REDIRECTS(in_dev: in_device) -> bool:
    """Whether ICMP redirects are believed."""
    if IN_DEV_FORWARD(in_dev):
        return IN_DEV_ANDCONF(in_dev, IPV4_DEVCONF_ACCEPT_REDIRECTS)
    return IN_DEV_ORCONF(in_dev, IPV4_DEVCONF_ACCEPT_REDIRECTS)


def inet_make_mask(logmask: int) -> int:
    """Netmask of a prefix length."""
    return 0xFFFFFFFF << (32 - logmask) & 0xFFFFFFFF if logmask else 0


def inet_mask_len(mask: int) -> int:
    """Prefix length of a netmask."""
    return mask.bit_count()


def bad_mask(mask: int, addr: int) -> bool:
    """True if `mask` is no netmask, or leaves host bits of `addr` set."""
    mask = ~mask & 0xFFFFFFFF
    return bool(addr & mask) or bool(mask & (mask + 1))


def inet_ifa_match(addr: int, ifa: in_ifaddr) -> bool:
    """True if `addr` lies in the subnet of `ifa`."""
    return not (addr ^ ifa.ifa_address) & ifa.ifa_mask


def __in_dev_get_rcu(dev: net_device) -> in_device | None:
    """struct in_device of the device, or None when IPv4 is not set up on it."""
    return dev.ip_ptr


__in_dev_get_rtnl = __in_dev_get_rcu


def _ifas(in_dev: in_device) -> list[in_ifaddr]:
    """in_dev_for_each_ifa_rcu(): the addresses of a device; the list may change meanwhile."""
    out = []
    ifa = in_dev.ifa_list
    while ifa is not None:
        out.append(ifa)
        ifa = ifa.ifa_next
    return out
