"""include/net/udp.h: UDP's hash tables and control block."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kshell.linux.include.net.net_namespace import net
    from kshell.linux.include.net.sock import sock


class udp_hslot:
    """A slot of a hash table. `head` is an ordered set of sockets; reversed(head) is Linux's order, newest first."""

    __slots__ = ("head",)

    def __init__(self) -> None:
        self.head: dict[sock, None] = {}

    @property
    def count(self) -> int:
        return len(self.head)


class udp_table:
    """hash by local port, hash2 by local port and address; slots are made on demand."""

    __slots__ = ("hash", "hash2", "log", "mask")

    def __init__(self, log: int) -> None:
        self.log = log
        self.mask = (1 << log) - 1
        self.hash: dict[int, udp_hslot] = {}
        self.hash2: dict[int, udp_hslot] = {}


def udp_hashslot(table: udp_table, net: net, num: int) -> udp_hslot:
    """The slot of a local port."""
    index = num & table.mask
    slot = table.hash.get(index)
    if slot is None:
        slot = table.hash[index] = udp_hslot()
    return slot


def udp_hashslot2(table: udp_table, hash: int) -> udp_hslot:
    """The slot of a hash of local port and address."""
    index = hash & table.mask
    slot = table.hash2.get(index)
    if slot is None:
        slot = table.hash2[index] = udp_hslot()
    return slot


def ipv4_portaddr_hash(net: net, saddr: int, port: int) -> int:
    """Hash of a local address and port, 16 bits (include/net/ip.h)."""
    return (saddr * 0x9E3779B1 >> 12 ^ port) & 0xFFFF


def udp_sk_bound_dev_eq(net: net, bound_dev_if: int, dif: int, sdif: int) -> bool:
    """True if a socket bound to this device may have a packet of device dif."""
    return not bound_dev_if or bound_dev_if in (dif, sdif)
