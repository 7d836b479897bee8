"""Local ports: conflicts, choice of a free one (the first half of net/ipv4/inet_connection_sock.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.errno import EADDRINUSE
from kshell.abi.tcp import TCP_LISTEN, TCP_TIME_WAIT
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.random import prandom_u32_max
from kshell.linux.include.net.inet_hashtables import (
    FASTREUSEPORT_ANY,
    FASTREUSEPORT_STRICT,
    inet_bhashfn,
    inet_bhashfn_portaddr,
    inet_bind2_bucket,
    inet_bind_bucket,
    tcp_or_dccp_get_hashinfo,
)
from kshell.linux.include.net.inet_sock import inet_is_local_reserved_port
from kshell.linux.include.net.sock import SK_CAN_REUSE, SK_FORCE_REUSE
from kshell.linux.net.core import sock as net_core_sock
from kshell.linux.net.ipv4 import inet_hashtables_bind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kshell.linux.include.net.inet_connection_sock import inet_connection_sock
    from kshell.linux.include.net.net_namespace import net
    from kshell.linux.include.net.sock import sock, sock_common
    from kshell.linux.init.kernel import Kernel


def inet_rcv_saddr_equal(sk: sock_common, sk2: sock_common, match_wildcard: bool) -> bool:
    """True when both have the same local address, or one of them any and `match_wildcard`."""
    addr, addr2 = sk.skc_rcv_saddr, sk2.skc_rcv_saddr
    return addr == addr2 or (match_wildcard and (not addr or not addr2))


def inet_rcv_saddr_any(sk: sock_common) -> bool:
    """True for 0.0.0.0."""
    return not sk.skc_rcv_saddr


def inet_get_local_port_range(net: net) -> tuple[int, int]:
    """ip_local_port_range: lowest and highest ephemeral port."""
    low, high = net.ipv4.ip_local_ports.range
    return low, high


def inet_sk_get_local_port_range(sk: sock) -> tuple[int, int]:
    """The ephemeral ports of a socket: the namespace's, narrowed by IP_LOCAL_PORT_RANGE."""
    lo, hi = inet_get_local_port_range(sk.skc_net)
    sk_lo, sk_hi = sk.local_port_range  # type: ignore[attr-defined]
    return (sk_lo if lo <= sk_lo <= hi else lo), (sk_hi if lo <= sk_hi <= hi else hi)


def inet_bind_conflict(
    sk: sock, sk2: sock_common, sk_uid: int, relax: bool, reuseport_cb_ok: bool, reuseport_ok: bool
) -> bool:
    """True when `sk` may not have the port because `sk2` has it (addresses aside)."""
    if sk is sk2:
        return False
    dev, dev2 = sk.skc_bound_dev_if, sk2.skc_bound_dev_if
    if dev and dev2 and dev != dev2:
        return False
    if sk.skc_reuse and sk2.skc_reuse and sk2.skc_state != TCP_LISTEN:
        return not relax or bool(
            not reuseport_ok
            and sk.skc_reuseport
            and sk2.skc_reuseport
            and reuseport_cb_ok
            and (sk2.skc_state == TCP_TIME_WAIT or sk_uid == net_core_sock.sock_i_uid(sk2))  # type: ignore[arg-type]
        )
    return bool(
        not reuseport_ok
        or not sk.skc_reuseport
        or not sk2.skc_reuseport
        or not reuseport_cb_ok
        or (sk2.skc_state != TCP_TIME_WAIT and sk_uid != net_core_sock.sock_i_uid(sk2))  # type: ignore[arg-type]
    )


def __inet_bhash2_conflict(
    sk: sock, sk2: sock_common, sk_uid: int, relax: bool, reuseport_cb_ok: bool, reuseport_ok: bool
) -> bool:
    return inet_bind_conflict(sk, sk2, sk_uid, relax, reuseport_cb_ok, reuseport_ok)


def inet_bhash2_conflict(
    sk: sock, tb2: inet_bind2_bucket, sk_uid: int, relax: bool, reuseport_cb_ok: bool, reuseport_ok: bool
) -> bool:
    """True when an owner of the port at this address stands in the way."""
    for sk2 in tb2.owners:
        if __inet_bhash2_conflict(sk, sk2, sk_uid, relax, reuseport_cb_ok, reuseport_ok):
            return True
    return any(__inet_bhash2_conflict(sk, tw2, sk_uid, relax, reuseport_cb_ok, reuseport_ok) for tw2 in tb2.deathrow)


def _reuseport_cb_ok(sk: sock) -> bool:
    cb = sk.sk_reuseport_cb
    return cb is None


def inet_csk_bind_conflict(
    sk: sock, tb: inet_bind_bucket, tb2: inet_bind2_bucket | None, relax: bool, reuseport_ok: bool
) -> bool:
    """True when an owner of the port stands in the way at an address that meets the socket's."""
    uid = net_core_sock.sock_i_uid(sk)
    cb_ok = _reuseport_cb_ok(sk)
    if sk.skc_rcv_saddr:
        return tb2 is not None and inet_bhash2_conflict(sk, tb2, uid, relax, cb_ok, reuseport_ok)
    for sk2 in tb.owners:
        if inet_bind_conflict(sk, sk2, uid, relax, cb_ok, reuseport_ok) and inet_rcv_saddr_equal(sk, sk2, True):
            return True
    return False


def inet_bhash2_addr_any_conflict(sk: sock, port: int, l3mdev: int, relax: bool, reuseport_ok: bool) -> bool:
    """True when a socket at 0.0.0.0 stands in the way of one with an address."""
    uid = net_core_sock.sock_i_uid(sk)
    net = sk.skc_net
    cb_ok = _reuseport_cb_ok(sk)
    for tb2 in inet_hashtables_bind.inet_bhash2_addr_any_hashbucket(sk, net, port):
        if inet_hashtables_bind.inet_bind2_bucket_match_addr_any(
            tb2, net, port, l3mdev, sk
        ) and inet_bhash2_conflict(sk, tb2, uid, relax, cb_ok, reuseport_ok):
            return True
    return False


def _find_bucket(sk: sock, port: int) -> inet_bind_bucket | None:
    hinfo = tcp_or_dccp_get_hashinfo(sk)
    net = sk.skc_net
    for tb in hinfo.bhash.get(inet_bhashfn(net, port, hinfo.bhash_size), ()):
        if inet_hashtables_bind.inet_bind_bucket_match(tb, net, port, 0):
            return tb
    return None


def _port_is_open(sk: sock, port: int, relax: bool) -> tuple[inet_bind_bucket | None, inet_bind2_bucket | None] | None:
    """The port's buckets when the socket may have it, None when not."""
    hinfo = tcp_or_dccp_get_hashinfo(sk)
    net = sk.skc_net
    if inet_is_local_reserved_port(net, port):
        return None
    if sk.skc_rcv_saddr and inet_bhash2_addr_any_conflict(sk, port, 0, relax, False):
        return None
    slot = inet_bhashfn_portaddr(hinfo, sk, net, port)
    tb2 = inet_hashtables_bind.inet_bind2_bucket_find(hinfo, slot, net, port, 0, sk)
    tb = _find_bucket(sk, port)
    if tb is not None and inet_csk_bind_conflict(sk, tb, tb2, relax, False):
        return None
    return tb, tb2


def _candidates(kernel: Kernel, low: int, high: int) -> Iterator[int]:
    """The ports from low to below high: every second one from somewhere on, then the others."""
    remaining = high - low
    if remaining > 1:
        remaining &= ~1
    offset = prandom_u32_max(kernel, remaining) | 1
    for start in (low + offset, low + offset - 1):
        port = start
        for _ in range(0, remaining, 2):
            if port >= high:
                port -= remaining
            yield port
            port += 2


def inet_csk_find_open_port(sk: sock) -> tuple[int, inet_bind_bucket | None, inet_bind2_bucket | None]:
    """A free port for bind(0): odd ones first, with SO_REUSEADDR from the lower half first. EADDRINUSE."""
    net = sk.skc_net
    relax = False
    while True:
        for attempt_half in (1, 2) if sk.skc_reuse == SK_CAN_REUSE else (0,):
            low, high = inet_sk_get_local_port_range(sk)
            high += 1
            if attempt_half and high - low >= 4:
                half = low + (((high - low) >> 2) << 1)
                low, high = (low, half) if attempt_half == 1 else (half, high)
            for port in _candidates(net.kernel, low, high):
                found = _port_is_open(sk, port, relax)
                if found is not None:
                    return port, *found
        if not net.ipv4.sysctl_ip_autobind_reuse or relax:
            raise KernelError(EADDRINUSE)
        relax = True


def sk_reuseport_match(tb: inet_bind_bucket, sk: sock) -> bool:
    """True when SO_REUSEPORT alone lets the socket in, without a look at each owner."""
    uid = net_core_sock.sock_i_uid(sk)
    if tb.fastreuseport <= 0 or not sk.skc_reuseport or sk.sk_reuseport_cb is not None or tb.fastuid != uid:
        return False
    if tb.fastreuseport == FASTREUSEPORT_ANY:
        return True
    return tb.fast_rcv_saddr == sk.skc_rcv_saddr or not tb.fast_rcv_saddr


def _set_fastreuseport(tb: inet_bind_bucket, sk: sock, kind: int, uid: int) -> None:
    tb.fastreuseport = kind
    tb.fastuid = uid
    tb.fast_rcv_saddr = sk.skc_rcv_saddr
    tb.fast_sk_family = sk.skc_family


def inet_csk_update_fastreuse(tb: inet_bind_bucket, sk: sock) -> None:
    """Note on the bucket what a newcomer may rely on once this socket is an owner."""
    uid = net_core_sock.sock_i_uid(sk)
    reuse = bool(sk.skc_reuse and sk.skc_state != TCP_LISTEN)
    if not tb.owners:
        tb.fastreuse = int(reuse)
        if sk.skc_reuseport:
            _set_fastreuseport(tb, sk, FASTREUSEPORT_ANY, uid)
        else:
            tb.fastreuseport = 0
        return
    if not reuse:
        tb.fastreuse = 0
    if not sk.skc_reuseport:
        tb.fastreuseport = 0
    elif not sk_reuseport_match(tb, sk):
        _set_fastreuseport(tb, sk, FASTREUSEPORT_STRICT, uid)


def inet_csk_get_port(sk: inet_connection_sock, snum: int) -> None:
    """Give the socket local port `snum`, any free one for 0. EADDRINUSE."""
    hinfo = tcp_or_dccp_get_hashinfo(sk)
    net = sk.skc_net
    port = snum
    tb2 = None
    found_port = check_bind_conflict = False
    if not port:
        port, tb, tb2 = inet_csk_find_open_port(sk)
        found_port = True
    else:
        tb = _find_bucket(sk, port)
    bhash_created = tb is None
    if tb is None:
        slot = inet_bhashfn(net, port, hinfo.bhash_size)
        tb = inet_hashtables_bind.inet_bind_bucket_create(hinfo.bind_bucket_cachep, net, (hinfo.bhash, slot), port, 0)
    slot2 = inet_bhashfn_portaddr(hinfo, sk, net, port)
    bhash2_created = False
    try:
        if not found_port:
            reuse = sk.skc_reuse and sk.skc_state != TCP_LISTEN
            check_bind_conflict = not tb.owners or not (
                sk.skc_reuse == SK_FORCE_REUSE or (tb.fastreuse > 0 and reuse) or sk_reuseport_match(tb, sk)
            )
            if check_bind_conflict and sk.skc_rcv_saddr and inet_bhash2_addr_any_conflict(sk, port, 0, True, True):
                raise KernelError(EADDRINUSE)
            tb2 = inet_hashtables_bind.inet_bind2_bucket_find(hinfo, slot2, net, port, 0, sk)
        if tb2 is None:
            tb2 = inet_hashtables_bind.inet_bind2_bucket_create(
                hinfo.bind2_bucket_cachep, net, (hinfo.bhash2, slot2), port, 0, sk
            )
            bhash2_created = True
        if check_bind_conflict and inet_csk_bind_conflict(sk, tb, tb2, True, True):
            raise KernelError(EADDRINUSE)
    except KernelError:
        if bhash_created:
            inet_hashtables_bind.inet_bind_bucket_destroy(hinfo.bind_bucket_cachep, tb)
        if bhash2_created and tb2 is not None:
            inet_hashtables_bind.inet_bind2_bucket_destroy(hinfo.bind2_bucket_cachep, tb2)
        raise
    inet_csk_update_fastreuse(tb, sk)
    if sk.icsk_bind_hash is None:
        inet_hashtables_bind.inet_bind_hash(sk, tb, tb2, port)
