"""include/linux/in.h: classes of IPv4 addresses. Addresses are ints in host byte order."""


from kshell.abi.inet import INADDR_BROADCAST


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


def ipv4_is_zeronet(addr: int) -> bool:
    """0.0.0.0 only (since 5.3)."""
    return addr == 0


def _be32(address: int) -> int:
    """What a little-endian machine shows as the number of an address."""
    return int.from_bytes(address.to_bytes(4, "big"), "little")
