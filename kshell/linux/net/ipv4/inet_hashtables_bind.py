"""Bound ports: the buckets of bhash and bhash2 (part of net/ipv4/inet_hashtables.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.linux.include.net.inet_hashtables import (
    inet_bhashfn_portaddr,
    inet_bind2_bucket,
    inet_bind_bucket,
    inet_hashinfo,
    ipv4_portaddr_hash,
    tcp_or_dccp_get_hashinfo,
)
from kshell.linux.mm.slub import kmem_cache_alloc, kmem_cache_free

if TYPE_CHECKING:
    from kshell.linux.include.net.net_namespace import net
    from kshell.linux.include.net.sock import sock, sock_common
    from kshell.linux.mm.slub import kmem_cache


def inet_bind_bucket_create(
    cachep: kmem_cache, net: net, head: tuple[dict[int, list[inet_bind_bucket]], int], snum: int, l3mdev: int
) -> inet_bind_bucket:
    """A new bucket for port `snum`; `head` is the table and the slot."""
    return _bind_bucket_create(cachep, net, head, snum, l3mdev)


def _bind_bucket_create(
    cachep: kmem_cache, net: net, head: tuple[dict[int, list[inet_bind_bucket]], int], snum: int, l3mdev: int
) -> inet_bind_bucket:
    """The same where the compiler inlined it."""
    tb = kmem_cache_alloc(cachep, inet_bind_bucket)
    tb.ib_net = net
    tb.l3mdev = l3mdev
    tb.port = snum
    tb._node = head
    head[0].setdefault(head[1], []).insert(0, tb)
    return tb


def inet_bind_bucket_destroy(cachep: kmem_cache, tb: inet_bind_bucket) -> None:
    """Free a bucket that has no owner left."""
    if not tb.owners:
        _unlink_bucket(tb)
        kmem_cache_free(cachep, tb)


def _unlink_bucket(tb: inet_bind_bucket | inet_bind2_bucket) -> None:
    table, slot = tb._node
    chain: list[inet_bind_bucket] | list[inet_bind2_bucket] = table[slot]
    chain.remove(tb)  # type: ignore[arg-type]
    if not chain:
        del table[slot]


def inet_bind_bucket_match(tb: inet_bind_bucket, net: net, port: int, l3mdev: int) -> bool:
    """True when the bucket is this port's."""
    return tb.port == port and tb.ib_net is net and tb.l3mdev == l3mdev


def inet_bind2_bucket_init(
    tb: inet_bind2_bucket, net: net, head: tuple[dict[int, list[inet_bind2_bucket]], int], port: int, l3mdev: int,
    sk: sock_common,
) -> None:  # fmt: skip
    """Give a new bucket its port and address and link it."""
    tb.ib_net = net
    tb.l3mdev = l3mdev
    tb.port = port
    tb.family = sk.skc_family
    tb.rcv_saddr = sk.skc_rcv_saddr
    tb._node = head
    head[0].setdefault(head[1], []).insert(0, tb)


def inet_bind2_bucket_create(
    cachep: kmem_cache, net: net, head: tuple[dict[int, list[inet_bind2_bucket]], int], port: int, l3mdev: int,
    sk: sock_common,
) -> inet_bind2_bucket:  # fmt: skip
    """A new bucket for `port` at the socket's address."""
    return _bind2_bucket_create(cachep, net, head, port, l3mdev, sk)


def _bind2_bucket_create(
    cachep: kmem_cache, net: net, head: tuple[dict[int, list[inet_bind2_bucket]], int], port: int, l3mdev: int,
    sk: sock_common,
) -> inet_bind2_bucket:  # fmt: skip
    """The same where the compiler inlined it."""
    tb = kmem_cache_alloc(cachep, inet_bind2_bucket)
    inet_bind2_bucket_init(tb, net, head, port, l3mdev, sk)
    return tb


def inet_bind2_bucket_destroy(cachep: kmem_cache, tb: inet_bind2_bucket) -> None:
    """Free a bucket that has no owner left, in TIME_WAIT or alive."""
    if not tb.owners and not tb.deathrow:
        _unlink_bucket(tb)
        kmem_cache_free(cachep, tb)


def inet_bind2_bucket_addr_match(tb2: inet_bind2_bucket, sk: sock_common) -> bool:
    """True when the bucket is that of the socket's local address."""
    return tb2.rcv_saddr == sk.skc_rcv_saddr and tb2.family == sk.skc_family


def inet_bind2_bucket_match(tb: inet_bind2_bucket, net: net, port: int, l3mdev: int, sk: sock_common) -> bool:
    """True when the bucket is that of `port` at the socket's local address."""
    if tb.port != port or tb.ib_net is not net or tb.l3mdev != l3mdev:
        return False
    return inet_bind2_bucket_addr_match(tb, sk)


def inet_bind2_bucket_match_addr_any(tb: inet_bind2_bucket, net: net, port: int, l3mdev: int, sk: sock_common) -> bool:
    """True when the bucket is that of `port` at 0.0.0.0."""
    return tb.port == port and tb.ib_net is net and tb.l3mdev == l3mdev and tb.rcv_saddr == 0


def inet_bind2_bucket_find(
    hinfo: inet_hashinfo, slot: int, net: net, port: int, l3mdev: int, sk: sock_common
) -> inet_bind2_bucket | None:
    """The bucket of `port` at the socket's local address."""
    for tb in hinfo.bhash2.get(slot, ()):
        if inet_bind2_bucket_match(tb, net, port, l3mdev, sk):
            return tb
    return None


def inet_bhash2_addr_any_hashbucket(sk: sock_common, net: net, port: int) -> list[inet_bind2_bucket]:
    """The buckets among which that of 0.0.0.0 is."""
    hinfo = tcp_or_dccp_get_hashinfo(sk)
    return hinfo.bhash2.get(ipv4_portaddr_hash(net, 0, port) & (hinfo.bhash_size - 1), [])


def inet_bind_hash(sk: sock, tb: inet_bind_bucket, tb2: inet_bind2_bucket, port: int) -> None:
    """Make the socket an owner of the port."""
    _bind_hash(sk, tb, tb2, port)


def _bind_hash(sk: sock, tb: inet_bind_bucket, tb2: inet_bind2_bucket, port: int) -> None:
    """The same where the compiler inlined it."""
    sk.skc_num = port
    tb.owners[sk] = None
    sk.icsk_bind_hash = tb  # type: ignore[attr-defined]
    tb2.owners[sk] = None
    sk.icsk_bind2_hash = tb2  # type: ignore[attr-defined]


def __inet_put_port(sk: sock) -> None:
    hashinfo = tcp_or_dccp_get_hashinfo(sk)
    tb: inet_bind_bucket = sk.icsk_bind_hash  # type: ignore[attr-defined]
    del tb.owners[sk]
    sk.icsk_bind_hash = None  # type: ignore[attr-defined]
    sk.skc_num = 0
    if not tb.owners:
        _unlink_bucket(tb)
        kmem_cache_free(hashinfo.bind_bucket_cachep, tb)
    tb2: inet_bind2_bucket | None = sk.icsk_bind2_hash  # type: ignore[attr-defined]
    if tb2 is not None:
        del tb2.owners[sk]
        sk.icsk_bind2_hash = None  # type: ignore[attr-defined]
        if not tb2.owners and not tb2.deathrow:
            _unlink_bucket(tb2)
            kmem_cache_free(hashinfo.bind2_bucket_cachep, tb2)


def inet_put_port(sk: sock) -> None:
    """Give the local port back."""
    __inet_put_port(sk)


def __inet_inherit_port(sk: sock, child: sock) -> None:
    """Make a new connection an owner of its listener's port."""
    table = tcp_or_dccp_get_hashinfo(sk)
    port = child.skc_num
    net = sk.skc_net
    tb: inet_bind_bucket = sk.icsk_bind_hash  # type: ignore[attr-defined]
    tb2: inet_bind2_bucket | None = sk.icsk_bind2_hash  # type: ignore[attr-defined]
    assert tb2 is not None
    if not inet_bind2_bucket_addr_match(tb2, child):
        slot = inet_bhashfn_portaddr(table, child, net, port)
        tb2 = inet_bind2_bucket_find(table, slot, net, port, 0, child)
        if tb2 is None:
            tb2 = _bind2_bucket_create(table.bind2_bucket_cachep, net, (table.bhash2, slot), port, 0, child)
    _bind_hash(child, tb, tb2, port)


def __inet_bhash2_update_saddr(sk: sock, saddr: int, family: int, reset: bool) -> None:
    """Change the local address, moving the socket to the bucket of the new one."""
    hinfo = tcp_or_dccp_get_hashinfo(sk)
    tb2: inet_bind2_bucket | None = sk.icsk_bind2_hash  # type: ignore[attr-defined]
    if tb2 is not None:
        del tb2.owners[sk]
        inet_bind2_bucket_destroy(hinfo.bind2_bucket_cachep, tb2)
    if reset:
        saddr = 0
    sk.inet_saddr = sk.skc_rcv_saddr = saddr  # type: ignore[attr-defined]
    if tb2 is None:
        return
    net = sk.skc_net
    port = sk.skc_num
    slot = inet_bhashfn_portaddr(hinfo, sk, net, port)
    tb2 = inet_bind2_bucket_find(hinfo, slot, net, port, 0, sk)
    if tb2 is None:
        tb2 = _bind2_bucket_create(hinfo.bind2_bucket_cachep, net, (hinfo.bhash2, slot), port, 0, sk)
    tb2.owners[sk] = None
    sk.icsk_bind2_hash = tb2  # type: ignore[attr-defined]


def inet_bhash2_update_saddr(sk: sock, saddr: int, family: int) -> None:
    """Set the local address that routing chose."""
    __inet_bhash2_update_saddr(sk, saddr, family, False)


def inet_bhash2_reset_saddr(sk: sock) -> None:
    """Forget a local address that bind() did not give."""
    if not sk.sk_userlocks & 4:  # SOCK_BINDADDR_LOCK
        __inet_bhash2_update_saddr(sk, 0, 0, True)
