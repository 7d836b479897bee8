"""include/net/flow.h: the key of a route lookup."""

LOOPBACK_IFINDEX = 1
FLOWI_FLAG_ANYSRC = 1
FLOWI_FLAG_KNOWN_NH = 2


class flowi4:
    """struct flowi4: what a packet to be routed looks like. Ports and addresses in host byte order."""

    __slots__ = (
        "daddr",
        "fl4_dport",
        "fl4_sport",
        "flowi4_flags",
        "flowi4_iif",
        "flowi4_l3mdev",
        "flowi4_mark",
        "flowi4_multipath_hash",
        "flowi4_oif",
        "flowi4_proto",
        "flowi4_scope",
        "flowi4_secid",
        "flowi4_tos",
        "flowi4_uid",
        "saddr",
    )

    def __init__(
        self,
        flowi4_oif: int = 0,
        flowi4_iif: int = 0,
        flowi4_mark: int = 0,
        flowi4_tos: int = 0,
        flowi4_scope: int = 0,
        flowi4_proto: int = 0,
        flowi4_flags: int = 0,
        daddr: int = 0,
        saddr: int = 0,
        fl4_dport: int = 0,
        fl4_sport: int = 0,
        flowi4_uid: int = 0,
        flowi4_l3mdev: int = 0,
    ) -> None:
        self.flowi4_oif = flowi4_oif
        self.flowi4_iif = flowi4_iif
        self.flowi4_l3mdev = flowi4_l3mdev
        self.flowi4_mark = flowi4_mark
        self.flowi4_tos = flowi4_tos
        self.flowi4_scope = flowi4_scope
        self.flowi4_proto = flowi4_proto
        self.flowi4_flags = flowi4_flags
        self.flowi4_secid = 0
        self.flowi4_uid = flowi4_uid
        self.flowi4_multipath_hash = 0
        self.daddr = daddr
        self.saddr = saddr
        self.fl4_dport = fl4_dport
        self.fl4_sport = fl4_sport

    @property
    def fl4_icmp_type(self) -> int:
        """uli.icmpt.type: the first byte of the port words."""
        return self.fl4_dport >> 8

    @property
    def fl4_icmp_code(self) -> int:
        return self.fl4_dport & 0xFF


def flowi4_init_output(
    fl4: flowi4,
    oif: int,
    mark: int,
    tos: int,
    scope: int,
    proto: int,
    flags: int,
    daddr: int,
    saddr: int,
    dport: int,
    sport: int,
    uid: int,
) -> None:
    """Fill the key for a locally made packet."""
    fl4.__init__(  # type: ignore[misc]
        oif, LOOPBACK_IFINDEX, mark, tos, scope, proto, flags, daddr, saddr, dport, sport, uid
    )


def flowi4_update_output(fl4: flowi4, oif: int, daddr: int, saddr: int) -> None:
    """Put back what a lookup changed, before the next one."""
    fl4.flowi4_oif = oif
    fl4.daddr = daddr
    fl4.saddr = saddr
