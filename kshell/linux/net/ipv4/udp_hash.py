"""net/ipv4/udp.c: local ports, the hash tables, and finding the socket of a packet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.errno import EADDRINUSE
from kshell.abi.socket import AF_INET
from kshell.abi.tcp import TCP_ESTABLISHED
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.ip import iphdr
from kshell.linux.include.linux.random import get_random_u32
from kshell.linux.include.linux.udp import udp_sk
from kshell.linux.include.net.inet_sock import inet_is_local_reserved_port, inet_sk
from kshell.linux.include.net.rtable import inet_iif
from kshell.linux.include.net.sock import SOCK_RCU_FREE, sock
from kshell.linux.include.net.udp import (
    ipv4_portaddr_hash,
    udp_hashslot,
    udp_hashslot2,
    udp_hslot,
    udp_sk_bound_dev_eq,
    udp_table,
)
from kshell.linux.net.core.sock import sock_i_uid
from kshell.linux.net.core.sock_proto import sock_prot_inuse_add
from kshell.linux.net.core.sock_reuseport import (
    reuseport_add_sock,
    reuseport_alloc,
    reuseport_detach_sock,
    reuseport_has_conns,
)
from kshell.linux.net.ipv4.igmp import ip_mc_sf_allow
from kshell.linux.net.ipv4.inet_connection_sock_bind import (
    inet_rcv_saddr_any,
    inet_rcv_saddr_equal,
    inet_sk_get_local_port_range,
)
from kshell.linux.net.ipv4.inet_hashtables import inet_lookup_reuseport

if TYPE_CHECKING:
    from kshell.linux.include.linux.skbuff import sk_buff
    from kshell.linux.include.net.net_namespace import net as net_t

_EMPTY: dict[sock, None] = {}


def _udp_table_of(sk: sock) -> udp_table:
    """sk->sk_prot->h.udp_table."""
    name = sk.sk_prot.h
    assert name is not None
    table: udp_table = getattr(sk.skc_net.kernel, name)
    return table


def udp_lib_lport_inuse(net: net_t, num: int, hslot: udp_hslot, bitmap: set[int] | None, sk: sock, log: int) -> bool:
    """True if another socket keeps sk from using port num; with a bitmap, collect all such ports of the slot."""
    uid = sock_i_uid(sk)
    for sk2 in reversed(hslot.head):
        if (
            sk2 is not sk
            and (bitmap is not None or udp_sk(sk2).udp_port_hash == num)
            and sk2.skc_net is net
            and not (sk2.sk_reuse and sk.sk_reuse)
            and (not sk2.sk_bound_dev_if or not sk.sk_bound_dev_if or sk2.sk_bound_dev_if == sk.sk_bound_dev_if)
            and inet_rcv_saddr_equal(sk, sk2, True)
        ):
            shared = sk2.sk_reuseport and sk.sk_reuseport and sk.sk_reuseport_cb is None and uid == sock_i_uid(sk2)
            if bitmap is None:
                return not shared
            if not shared:
                bitmap.add(udp_sk(sk2).udp_port_hash)
    return False


def udp_reuseport_add_sock(sk: sock, hslot: udp_hslot) -> None:
    """Join the SO_REUSEPORT group of the port, or found it."""
    uid = sock_i_uid(sk)
    for sk2 in reversed(hslot.head):
        if (
            sk2 is not sk
            and sk2.skc_net is sk.skc_net
            and sk2.sk_family == sk.sk_family
            and udp_sk(sk2).udp_port_hash == udp_sk(sk).udp_port_hash
            and sk2.sk_bound_dev_if == sk.sk_bound_dev_if
            and sk2.sk_reuseport
            and uid == sock_i_uid(sk2)
            and inet_rcv_saddr_equal(sk, sk2, False)
        ):
            reuseport_add_sock(sk, sk2, inet_rcv_saddr_any(sk))
            return
    reuseport_alloc(sk, inet_rcv_saddr_any(sk))


def _choose_port(sk: sock, udptable: udp_table) -> int:
    """A free port of the local range, or 0."""
    net = sk.skc_net
    low, high = inet_sk_get_local_port_range(sk)
    rand = get_random_u32(net.kernel)
    size = udptable.mask + 1
    first = (rand * (high - low + 1) >> 32) + low
    rand = ((rand | 1) * size) & 0xFFFF
    for start in range(first, first + size):
        start &= 0xFFFF
        used: set[int] = set()
        udp_lib_lport_inuse(net, 0, udp_hashslot(udptable, net, start), used, sk, udptable.log)
        snum = start
        while True:
            if low <= snum <= high and snum not in used and not inet_is_local_reserved_port(net, snum):
                return snum
            snum = (snum + rand) & 0xFFFF
            if snum == start:
                break
    return 0


def udp_lib_get_port(sk: sock, snum: int, hash2_nulladdr: int) -> int:
    """Take local port snum, or any if 0, and hash the socket. EADDRINUSE."""
    udptable = _udp_table_of(sk)
    net = sk.skc_net
    if not snum:
        snum = _choose_port(sk, udptable)
        if not snum:
            raise KernelError(EADDRINUSE)
        hslot = udp_hashslot(udptable, net, snum)
    else:
        hslot = udp_hashslot(udptable, net, snum)
        if udp_lib_lport_inuse(net, snum, hslot, None, sk, 0):
            raise KernelError(EADDRINUSE)
    up = udp_sk(sk)
    up.inet_num = up.udp_port_hash = snum
    up.udp_portaddr_hash ^= snum
    if not sk.skc_hash:
        if sk.sk_reuseport:
            try:
                udp_reuseport_add_sock(sk, hslot)
            except KernelError:
                up.inet_num = up.udp_port_hash = 0
                up.udp_portaddr_hash ^= snum
                raise KernelError(EADDRINUSE) from None
        sk.skc_flags |= 1 << SOCK_RCU_FREE
        sk.skc_hash = snum
        sk.skc_refcnt += 1
        sock_prot_inuse_add(net, sk.skc_prot, 1)
        hslot.head[sk] = None
        udp_hashslot2(udptable, up.udp_portaddr_hash).head[sk] = None
    return 0


def udp_v4_get_port(sk: sock, snum: int) -> int:
    """bind() of UDP sockets: EADDRINUSE."""
    net = sk.skc_net
    udp_sk(sk).udp_portaddr_hash = ipv4_portaddr_hash(net, inet_sk(sk).inet_rcv_saddr, 0)
    return udp_lib_get_port(sk, snum, ipv4_portaddr_hash(net, 0, snum))


def udp_lib_hash(sk: sock) -> int:
    """Never called: UDP sockets are hashed when they get a port."""
    raise AssertionError("udp_lib_hash")


def udp_lib_unhash(sk: sock) -> None:
    """Give the port back."""
    if not sk.skc_hash:
        return
    udptable = _udp_table_of(sk)
    up = udp_sk(sk)
    if sk.sk_reuseport_cb is not None:
        reuseport_detach_sock(sk)
    del udptable.hash[up.udp_port_hash & udptable.mask].head[sk]
    del udptable.hash2[up.udp_portaddr_hash & udptable.mask].head[sk]
    sk.skc_hash = 0
    sk.skc_refcnt -= 1
    sock_prot_inuse_add(sk.skc_net, sk.skc_prot, -1)
    up.inet_num = 0


def udp_lib_rehash(sk: sock, newhash: int) -> None:
    """The local address changed: move to the right slot of the second table."""
    if not sk.skc_hash:
        return
    udptable = _udp_table_of(sk)
    up = udp_sk(sk)
    old = udp_hashslot2(udptable, up.udp_portaddr_hash)
    new = udp_hashslot2(udptable, newhash)
    up.udp_portaddr_hash = newhash
    if old is not new or sk.sk_reuseport_cb is not None:
        if sk.sk_reuseport_cb is not None:
            reuseport_detach_sock(sk)
        if old is not new:
            del old.head[sk]
            new.head[sk] = None


def udp_v4_rehash(sk: sock) -> None:
    """udp_lib_rehash() for the present IPv4 address."""
    inet = inet_sk(sk)
    udp_lib_rehash(sk, ipv4_portaddr_hash(sk.skc_net, inet.inet_rcv_saddr, inet.inet_num))


def udp_ehashfn(net: net_t, laddr: int, lport: int, faddr: int, fport: int) -> int:
    """Hash of a flow, to choose a socket of a SO_REUSEPORT group."""
    return hash((laddr, lport, faddr, fport)) & 0xFFFFFFFF


def compute_score(sk: sock, net: net_t, saddr: int, sport: int, daddr: int, hnum: int, dif: int, sdif: int) -> int:
    """How well a socket fits a packet; -1 if not at all."""
    if udp_sk(sk).udp_port_hash != hnum or sk.skc_net is not net or sk.skc_rcv_saddr != daddr:
        return -1
    score = 2 if sk.skc_family == AF_INET else 1
    if sk.skc_daddr:
        if sk.skc_daddr != saddr:
            return -1
        score += 4
    if sk.skc_dport:
        if sk.skc_dport != sport:
            return -1
        score += 4
    if not udp_sk_bound_dev_eq(net, sk.skc_bound_dev_if, dif, sdif):
        return -1
    if sk.skc_bound_dev_if:
        score += 4
    if sk.sk_incoming_cpu == 0:
        score += 1
    return score


def udp4_lib_lookup2(
    net: net_t, saddr: int, sport: int, daddr: int, hnum: int, dif: int, sdif: int,
    hslot2: dict[sock, None], skb: sk_buff | None,
) -> sock | None:  # fmt: skip
    """The best socket of a slot of the second table."""
    result = None
    badness = 0
    for sk in reversed(hslot2):
        score = compute_score(sk, net, saddr, sport, daddr, hnum, dif, sdif)
        if score <= badness:
            continue
        badness = score
        if sk.sk_state == TCP_ESTABLISHED:
            result = sk
            continue
        result = inet_lookup_reuseport(net, sk, skb, 8, saddr, sport, daddr, hnum, udp_ehashfn)
        if result is None:
            result = sk
            continue
        if not reuseport_has_conns(sk):
            return result
        badness = max(badness, compute_score(result, net, saddr, sport, daddr, hnum, dif, sdif))
    return result


def __udp4_lib_lookup(
    net: net_t, saddr: int, sport: int, daddr: int, dport: int, dif: int, sdif: int, udptable: udp_table,
    skb: sk_buff | None,
) -> sock | None:  # fmt: skip
    """The socket that a packet from saddr:sport to daddr:dport belongs to."""
    mask = udptable.mask
    slot = udptable.hash2.get(ipv4_portaddr_hash(net, daddr, dport) & mask)
    any_slot = udptable.hash2.get(ipv4_portaddr_hash(net, 0, dport) & mask)
    result = udp4_lib_lookup2(
        net, saddr, sport, daddr, dport, dif, sdif, slot.head if slot is not None else _EMPTY, skb
    )
    if result is not None:
        return result
    return udp4_lib_lookup2(
        net, saddr, sport, 0, dport, dif, sdif, any_slot.head if any_slot is not None else _EMPTY, skb
    )


def __udp4_lib_lookup_skb(skb: sk_buff, sport: int, dport: int, udptable: udp_table) -> sock | None:
    """The same for a packet at hand."""
    iph = skb.network_header
    assert isinstance(iph, iphdr)
    assert skb.dev is not None
    return __udp4_lib_lookup(
        skb.dev.nd_net, iph.saddr, sport, iph.daddr, dport, inet_iif(skb), 0, udptable, skb
    )  # fmt: skip


def __udp_is_mcast_sock(
    net: net_t, sk: sock, loc_port: int, loc_addr: int, rmt_port: int, rmt_addr: int, dif: int, sdif: int
) -> bool:
    """True if the socket gets a copy of a multicast or broadcast packet."""
    if (
        sk.skc_net is not net
        or udp_sk(sk).udp_port_hash != loc_port
        or (sk.skc_daddr and sk.skc_daddr != rmt_addr)
        or (sk.skc_dport and sk.skc_dport != rmt_port)
        or (sk.skc_rcv_saddr and sk.skc_rcv_saddr != loc_addr)
        or not udp_sk_bound_dev_eq(net, sk.skc_bound_dev_if, dif, sdif)
    ):
        return False
    return ip_mc_sf_allow(sk, loc_addr, rmt_addr, dif, sdif)
