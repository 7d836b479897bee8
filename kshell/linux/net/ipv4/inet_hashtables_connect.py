"""The local port of a connecting socket (the last part of net/ipv4/inet_hashtables.c)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from kshell.abi.errno import EADDRNOTAVAIL
from kshell.abi.tcp import TCP_TIME_WAIT
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.random import get_random_u8
from kshell.linux.include.linux.snmp import LINUX_MIB_TIMEWAITRECYCLED
from kshell.linux.include.net.inet_hashtables import inet_bhashfn, inet_bhashfn_portaddr, inet_bind_bucket
from kshell.linux.include.net.inet_sock import inet_is_local_reserved_port
from kshell.linux.net.core.secure_seq import secure_ipv4_port_ephemeral
from kshell.linux.net.core.sock_proto import sock_prot_inuse_add
from kshell.linux.net.ipv4 import inet_hashtables, inet_hashtables_bind
from kshell.linux.net.ipv4.inet_connection_sock_bind import inet_sk_get_local_port_range
from kshell.linux.net.ipv4.inet_timewait_sock import inet_twsk_bind_unhash, inet_twsk_deschedule_put

if TYPE_CHECKING:
    from kshell.linux.include.linux.tcp import tcp_sock
    from kshell.linux.include.net.inet_timewait_sock import inet_timewait_death_row, inet_timewait_sock

    check_established_t = Callable[
        [inet_timewait_death_row, tcp_sock, int, bool], tuple[bool, inet_timewait_sock | None]
    ]

INET_TABLE_PERTURB_SIZE = 16


def __inet_check_established(
    death_row: inet_timewait_death_row, sk: tcp_sock, lport: int, want_tw: bool
) -> tuple[bool, inet_timewait_sock | None]:
    """Hash the connection with local port `lport` if no other stands in its place.

    A TIME_WAIT socket there may give way (twsk_unique); it is handed back when the caller wants it.
    """
    hinfo = death_row.hashinfo
    net = sk.skc_net
    hash_ = inet_hashtables.inet_ehashfn(net, sk.skc_rcv_saddr, lport, sk.skc_daddr, sk.skc_dport)
    tw: inet_timewait_sock | None = None
    for sk2 in hinfo.ehash.get(hash_, ()):
        if (
            sk2.skc_dport == sk.skc_dport
            and sk2.skc_num == lport
            and sk2.skc_daddr == sk.skc_daddr
            and sk2.skc_rcv_saddr == sk.skc_rcv_saddr
            and sk2.skc_net is net
            and sk2.skc_bound_dev_if in (0, sk.skc_bound_dev_if)
        ):
            twsk_prot = sk.skc_prot.twsk_prot
            assert twsk_prot is not None
            if sk2.skc_state == TCP_TIME_WAIT and twsk_prot.twsk_unique(sk, sk2, want_tw):  # type: ignore[arg-type]
                tw = sk2  # type: ignore[assignment]
                break
            return False, None
    sk.inet_num = sk.inet_sport = lport
    if tw is not None:
        if inet_hashtables._ehash_del(hinfo, tw):
            tw.tw_refcnt -= 1
        net.mib.net_statistics[LINUX_MIB_TIMEWAITRECYCLED] += 1
    inet_hashtables._ehash_add(hinfo, sk, hash_)
    sock_prot_inuse_add(net, sk.skc_prot, 1)
    if tw is not None and not want_tw:
        inet_twsk_deschedule_put(tw)
        tw = None
    return True, tw


def inet_sk_port_offset(sk: tcp_sock) -> int:
    """Where the search for an ephemeral port begins: a secret function of the addresses and the remote port."""
    return secure_ipv4_port_ephemeral(sk.skc_net, sk.inet_rcv_saddr, sk.inet_daddr, sk.inet_dport)


def _try_port(
    death_row: inet_timewait_death_row, sk: tcp_sock, port: int, check_established: check_established_t
) -> tuple[inet_bind_bucket, inet_timewait_sock | None] | None:
    hinfo = death_row.hashinfo
    net = sk.skc_net
    if inet_is_local_reserved_port(net, port):
        return None
    slot = inet_bhashfn(net, port, hinfo.bhash_size)
    for tb in hinfo.bhash.get(slot, ()):
        if inet_hashtables_bind.inet_bind_bucket_match(tb, net, port, 0):
            if tb.fastreuse >= 0 or tb.fastreuseport >= 0:
                return None
            free, tw = check_established(death_row, sk, port, True)
            return (tb, tw) if free else None
    tb = inet_hashtables_bind._bind_bucket_create(hinfo.bind_bucket_cachep, net, (hinfo.bhash, slot), port, 0)
    tb.fastreuse = -1
    tb.fastreuseport = -1
    return tb, None


def __inet_hash_connect(
    death_row: inet_timewait_death_row, sk: tcp_sock, port_offset: int, check_established: check_established_t
) -> None:
    """Choose a local port, even ones first, and hash the connection. EADDRNOTAVAIL."""
    net = sk.skc_net
    if sk.inet_num:
        if not check_established(death_row, sk, sk.inet_num, False)[0]:
            raise KernelError(EADDRNOTAVAIL)
        return
    low, high = inet_sk_get_local_port_range(sk)
    high += 1
    remaining = high - low
    if remaining > 1:
        remaining &= ~1
    index = port_offset & (INET_TABLE_PERTURB_SIZE - 1)
    perturb = net.kernel.table_perturb
    offset = (perturb[index] + (port_offset >> 32) & 0xFFFFFFFF) % remaining & ~1
    for parity in (0, 1):
        port = low + offset + parity
        for i in range(0, remaining, 2):
            if port >= high:
                port -= remaining
            found = _try_port(death_row, sk, port, check_established)
            if found is not None:
                _take_port(sk, port, *found)
                step = max(i, (get_random_u8(net.kernel) & 7) * 2)
                perturb[index] = perturb[index] + step + 2 & 0xFFFFFFFF
                return
            port += 2
        if remaining <= 1:
            break
    raise KernelError(EADDRNOTAVAIL)


def _take_port(sk: tcp_sock, port: int, tb: inet_bind_bucket, tw: inet_timewait_sock | None) -> None:
    hinfo = sk.skc_net.ipv4.tcp_death_row.hashinfo
    net = sk.skc_net
    slot = inet_bhashfn_portaddr(hinfo, sk, net, port)
    tb2 = inet_hashtables_bind.inet_bind2_bucket_find(hinfo, slot, net, port, 0, sk)
    if tb2 is None:
        tb2 = inet_hashtables_bind._bind2_bucket_create(hinfo.bind2_bucket_cachep, net, (hinfo.bhash2, slot), port, 0, sk)
    inet_hashtables_bind._bind_hash(sk, tb, tb2, port)
    if not sk.skc_hash:
        sk.inet_sport = port
        inet_hashtables.inet_ehash_nolisten(sk, tw, None)
    if tw is not None:
        inet_twsk_bind_unhash(tw, hinfo)
        inet_twsk_deschedule_put(tw)


def inet_hash_connect(death_row: inet_timewait_death_row, sk: tcp_sock) -> None:
    """Bind a connecting socket to a port if it has none, and hash it. EADDRNOTAVAIL."""
    port_offset = 0 if sk.inet_num else inet_sk_port_offset(sk)
    __inet_hash_connect(death_row, sk, port_offset, __inet_check_established)
