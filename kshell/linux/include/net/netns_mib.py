"""include/net/netns/mib.h: a namespace's counters; index with the numbers of include/linux/snmp.py."""

from kshell.linux.include.linux import snmp

_SIZES = {name: getattr(snmp, f"__{name}_MIB_MAX") for name in ("IPSTATS", "ICMP", "ICMPMSG", "TCP", "UDP", "LINUX")}


class netns_mib:
    """struct netns_mib: `net.mib.udp_statistics[UDP_MIB_INDATAGRAMS] += 1`."""

    __slots__ = (
        "icmp_statistics", "icmpmsg_statistics", "ip_statistics", "net_statistics", "tcp_statistics", "udp_statistics",
        "udplite_statistics",
    )

    def __init__(self) -> None:
        self.ip_statistics = [0] * _SIZES["IPSTATS"]
        self.tcp_statistics = [0] * _SIZES["TCP"]
        self.net_statistics = [0] * _SIZES["LINUX"]
        self.udp_statistics = [0] * _SIZES["UDP"]
        self.udplite_statistics = [0] * _SIZES["UDP"]
        self.icmp_statistics = [0] * _SIZES["ICMP"]
        self.icmpmsg_statistics = [0] * _SIZES["ICMPMSG"]
