"""include/net/inet_hashtables.h: the tables in which segments find their socket and bind() its conflicts.

Buckets are dict entries that come and go with their content, keyed by the hash that Linux would mask with the size.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kshell.linux.include.net.inet_timewait_sock import inet_timewait_sock
    from kshell.linux.include.net.net_namespace import net
    from kshell.linux.include.net.sock import sock, sock_common
    from kshell.linux.mm.slab_common import kmem_cache

FASTREUSEPORT_ANY = 1
FASTREUSEPORT_STRICT = 2


class inet_bind_bucket:
    """struct inet_bind_bucket: the owners of one local port, and whether a newcomer surely fits."""

    __slots__ = (
        "_addr", "_node", "fast_ipv6_only", "fast_rcv_saddr", "fast_sk_family", "fastreuse", "fastreuseport",
        "fastuid", "ib_net", "l3mdev", "owners", "port",
    )

    _addr: int
    ib_net: net
    _node: tuple[dict[int, list[inet_bind_bucket]], int]

    def __init__(self) -> None:
        self.l3mdev = 0
        self.port = 0
        self.fastreuse = 0
        self.fastreuseport = 0
        self.fastuid = 0
        self.fast_rcv_saddr = 0
        self.fast_sk_family = 0
        self.fast_ipv6_only = False
        self.owners: dict[sock | inet_timewait_sock, None] = {}


class inet_bind2_bucket:
    """struct inet_bind2_bucket: the owners of one local port at one local address."""

    __slots__ = ("_addr", "_node", "deathrow", "family", "ib_net", "l3mdev", "owners", "port", "rcv_saddr")

    _addr: int
    ib_net: net
    _node: tuple[dict[int, list[inet_bind2_bucket]], int]

    def __init__(self) -> None:
        self.l3mdev = 0
        self.port = 0
        self.family = 0
        self.rcv_saddr = 0
        self.owners: dict[sock, None] = {}
        self.deathrow: dict[inet_timewait_sock, None] = {}


class inet_hashinfo:
    """struct inet_hashinfo: established (and TIME_WAIT, and half open) sockets, bound ports, listeners."""

    __slots__ = (
        "bhash", "bhash2", "bhash_size", "bind2_bucket_cachep", "bind_bucket_cachep", "ehash", "ehash_mask", "lhash2",
        "lhash2_mask", "pernet",
    )

    bind_bucket_cachep: kmem_cache
    bind2_bucket_cachep: kmem_cache

    def __init__(self) -> None:
        self.ehash: dict[int, list[sock_common]] = {}
        self.ehash_mask = 0
        self.bhash: dict[int, list[inet_bind_bucket]] = {}
        self.bhash2: dict[int, list[inet_bind2_bucket]] = {}
        self.bhash_size = 0
        self.lhash2_mask = 0
        self.lhash2: dict[int, list[sock]] = {}
        self.pernet = False


def inet_bhashfn(net: net, lport: int, bhash_size: int) -> int:
    """The bind bucket of a port."""
    return (lport + net.hash_mix) & (bhash_size - 1)


def ipv4_portaddr_hash(net: net, saddr: int, port: int) -> int:
    """The bind and listen bucket of an address and port."""
    return hash((saddr, net.hash_mix)) & 0xFFFFFFFF ^ port


def inet_bhashfn_portaddr(hinfo: inet_hashinfo, sk: sock_common, net: net, port: int) -> int:
    """The bhash2 bucket of a socket's local address and `port`."""
    return ipv4_portaddr_hash(net, sk.skc_rcv_saddr, port) & (hinfo.bhash_size - 1)


def tcp_or_dccp_get_hashinfo(sk: sock_common) -> inet_hashinfo:
    """The tables that a socket stands in."""
    return sk.skc_net.ipv4.tcp_death_row.hashinfo
