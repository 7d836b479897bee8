"""include/linux/in.h: classes of IPv4 addresses. Addresses are ints in host byte order."""

INADDR_ANY = 0
INADDR_BROADCAST = 0xFFFFFFFF
INADDR_LOOPBACK = 0x7F000001
INADDR_UNSPEC_GROUP = 0xE0000000
INADDR_ALLHOSTS_GROUP = 0xE0000001
INADDR_ALLRTRS_GROUP = 0xE0000002
INADDR_ALLSNOOPERS_GROUP = 0xE000006A
INADDR_MAX_LOCAL_GROUP = 0xE00000FF


def ipv4_is_loopback(addr: int) -> bool:
    """127.0.0.0/8."""
    return addr >> 24 == 127


def ipv4_is_multicast(addr: int) -> bool:
    """224.0.0.0/4."""
    return addr >> 28 == 0xE


def ipv4_is_local_multicast(addr: int) -> bool:
    """224.0.0.0/24, never routed."""
    return addr & 0xFFFFFF00 == 0xE0000000


def ipv4_is_lbcast(addr: int) -> bool:
    """255.255.255.255."""
    return addr == INADDR_BROADCAST


def ipv4_is_all_snoopers(addr: int) -> bool:
    """224.0.0.106."""
    return addr == INADDR_ALLSNOOPERS_GROUP


def ipv4_is_zeronet(addr: int) -> bool:
    """0.0.0.0 only (since 5.3)."""
    return addr == 0
