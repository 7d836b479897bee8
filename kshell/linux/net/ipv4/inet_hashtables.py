"""Lookup of TCP sockets: established, listening, bound (net/ipv4/inet_hashtables.c)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from kshell.abi.tcp import TCP_CLOSE, TCP_LISTEN, TCP_NEW_SYN_RECV, TCP_TIME_WAIT
from kshell.linux.include.linux.random import get_random_u32
from kshell.linux.include.net.inet_hashtables import (
    inet_hashinfo,
    ipv4_portaddr_hash,
    tcp_or_dccp_get_hashinfo,
)
from kshell.linux.include.net.inet_sock import inet_sk_bound_dev_eq
from kshell.linux.include.net.sock import SOCK_DEAD, SOCK_RCU_FREE, sock_set_flag
from kshell.linux.net.core import sock as net_core_sock
from kshell.linux.net.core import sock_reuseport
from kshell.linux.net.core.sock_free import sk_free
from kshell.linux.net.core.sock_mem import _sock_edemux
from kshell.linux.net.core.sock_proto import sock_prot_inuse_add
from kshell.linux.net.ipv4 import af_inet, inet_connection_sock, inet_connection_sock_bind, inet_timewait_sock

if TYPE_CHECKING:
    from kshell.linux.include.linux.skbuff import sk_buff
    from kshell.linux.include.net.net_namespace import net
    from kshell.linux.include.net.sock import sock, sock_common
    from kshell.linux.init.kernel import Kernel


def inet_ehashfn(net: net, laddr: int, lport: int, faddr: int, fport: int) -> int:
    """The hash of a connection, never 0 (which marks a socket that stands in no table)."""
    return hash((net.hash_mix, laddr, lport, faddr, fport)) & 0xFFFFFFFF or 1


def sk_ehashfn(sk: sock_common) -> int:
    """The hash of a socket's own connection."""
    return inet_ehashfn(sk.skc_net, sk.skc_rcv_saddr, sk.skc_num, sk.skc_daddr, sk.skc_dport)


def inet_lhash2_bucket_sk(h: inet_hashinfo, sk: sock) -> int:
    """The slot of lhash2 in which a listener stands."""
    return ipv4_portaddr_hash(sk.skc_net, sk.skc_rcv_saddr, sk.skc_num) & h.lhash2_mask


def _compute_score(sk: sock, net: net, hnum: int, daddr: int, dif: int, sdif: int) -> int:
    """How well a listener fits a SYN; -1 not at all."""
    if sk.skc_net is not net or sk.skc_num != hnum or sk.sk_ipv6only or sk.skc_rcv_saddr != daddr:
        return -1
    bound = sk.skc_bound_dev_if
    if (bound or sdif) and not inet_sk_bound_dev_eq(net, bound, dif, sdif):
        return -1
    return (2 if bound else 1) + (sk.skc_family == 2) + (sk.sk_incoming_cpu == 0)


def inet_lookup_reuseport(
    net: net, sk: sock, skb: sk_buff | None, doff: int, saddr: int, sport: int, daddr: int, hnum: int,
    ehashfn: Callable[[net, int, int, int, int], int],
) -> sock | None:  # fmt: skip
    """One of the sockets that share the port by SO_REUSEPORT, by the hash of the flow."""
    if not sk.skc_reuseport:
        return None
    return sock_reuseport.reuseport_select_sock(sk, ehashfn(net, daddr, hnum, saddr, sport), skb, doff)


def inet_lhash2_lookup(
    net: net, ilb2: list[sock], skb: sk_buff | None, doff: int, saddr: int, sport: int, daddr: int, hnum: int, dif: int,
    sdif: int,
) -> sock | None:  # fmt: skip
    """The best listener of one slot."""
    result = None
    hiscore = 0
    for sk in ilb2:
        score = _compute_score(sk, net, hnum, daddr, dif, sdif)
        if score > hiscore:
            if sk.skc_reuseport:
                result = inet_lookup_reuseport(net, sk, skb, doff, saddr, sport, daddr, hnum, inet_ehashfn)
                if result is not None:
                    return result
            result = sk
            hiscore = score
    return result


def __inet_lookup_listener(
    net: net, hashinfo: inet_hashinfo, skb: sk_buff | None, doff: int, saddr: int, sport: int, daddr: int, hnum: int,
    dif: int, sdif: int,
) -> sock | None:  # fmt: skip
    """The listener for a SYN: bound to the address, else to 0.0.0.0. No reference is taken."""
    for addr in (daddr, 0):
        ilb2 = hashinfo.lhash2.get(ipv4_portaddr_hash(net, addr, hnum) & hashinfo.lhash2_mask)
        if ilb2 is not None or addr == 0:
            result = inet_lhash2_lookup(net, ilb2 or [], skb, doff, saddr, sport, addr, hnum, dif, sdif)
            if result is not None:
                return result
    return None


def sock_gen_put(sk: sock_common) -> None:
    """Drop a reference to a socket of any kind."""
    sk.skc_refcnt -= 1
    if sk.skc_refcnt:
        return
    if sk.skc_state == TCP_TIME_WAIT:
        inet_timewait_sock.inet_twsk_free(sk)  # type: ignore[arg-type]
    elif sk.skc_state == TCP_NEW_SYN_RECV:
        inet_connection_sock.reqsk_free(sk)  # type: ignore[arg-type]
    else:
        sk_free(sk)  # type: ignore[arg-type]


def sock_edemux(skb: sk_buff) -> None:
    """Destructor of a packet whose socket was looked up early."""
    assert skb.sk is not None
    sock_gen_put(skb.sk)


_sock_edemux.append(sock_edemux)


def __inet_lookup_established(
    net: net, hashinfo: inet_hashinfo, saddr: int, sport: int, daddr: int, hnum: int, dif: int, sdif: int
) -> sock_common | None:
    """The connection (or TIME_WAIT, or request) that a segment belongs to, with a reference."""
    hash_ = inet_ehashfn(net, daddr, hnum, saddr, sport)
    for sk in hashinfo.ehash.get(hash_, ()):
        if (
            sk.skc_dport == sport
            and sk.skc_num == hnum
            and sk.skc_daddr == saddr
            and sk.skc_rcv_saddr == daddr
            and sk.skc_net is net
            and (not sk.skc_bound_dev_if or inet_sk_bound_dev_eq(net, sk.skc_bound_dev_if, dif, sdif))
        ):
            sk.skc_refcnt += 1
            return sk
    return None


def _ehash_add(hashinfo: inet_hashinfo, sk: sock_common, hash_: int) -> None:
    sk.skc_hash = hash_
    chain = hashinfo.ehash.get(hash_)
    if chain is None:
        hashinfo.ehash[hash_] = [sk]
    else:
        chain.insert(0, sk)


def _ehash_del(hashinfo: inet_hashinfo, sk: sock_common) -> bool:
    hash_ = sk.skc_hash
    if not hash_:
        return False
    chain = hashinfo.ehash[hash_]
    if len(chain) == 1:
        del hashinfo.ehash[hash_]
    else:
        chain.remove(sk)
    sk.skc_hash = 0
    return True


def inet_ehash_lookup_by_sk(sk: sock_common, chain: list[sock_common]) -> bool:
    """True when another socket already stands for the same connection."""
    return any(
        esk.skc_dport == sk.skc_dport
        and esk.skc_num == sk.skc_num
        and esk.skc_daddr == sk.skc_daddr
        and esk.skc_rcv_saddr == sk.skc_rcv_saddr
        and esk.skc_net is sk.skc_net
        and esk.skc_bound_dev_if == sk.skc_bound_dev_if
        for esk in chain
    )


def inet_ehash_insert(sk: sock_common, osk: sock_common | None, found_dup_sk: list[bool] | None) -> bool:
    """Put a socket into the established hash, in place of `osk` if given; False when it is taken."""
    hashinfo = tcp_or_dccp_get_hashinfo(sk)
    hash_ = sk_ehashfn(sk)
    if osk is not None:
        ret = _ehash_del(hashinfo, osk)
        if ret:
            osk.skc_refcnt -= 1
            _ehash_add(hashinfo, sk, hash_)
        return ret
    if found_dup_sk is not None and hash_ in hashinfo.ehash:
        found_dup_sk[0] = inet_ehash_lookup_by_sk(sk, hashinfo.ehash[hash_])
        if found_dup_sk[0]:
            return False
    _ehash_add(hashinfo, sk, hash_)
    return True


def inet_ehash_nolisten(sk: sock, osk: sock_common | None, found_dup_sk: list[bool] | None) -> bool:
    """Put a connection into the established hash, or destroy it when the place is taken."""
    if inet_ehash_insert(sk, osk, found_dup_sk):
        sock_prot_inuse_add(sk.skc_net, sk.skc_prot, 1)
        return True
    sk.skc_net.kernel.tcp_orphan_count += 1
    af_inet.inet_sk_set_state(sk, TCP_CLOSE)
    sock_set_flag(sk, SOCK_DEAD)
    inet_connection_sock.inet_csk_destroy_sock(sk)  # type: ignore[arg-type]
    return False


def inet_reuseport_add_sock(sk: sock, ilb: list[sock]) -> None:
    """Join the group of listeners that share the port, or found it."""
    uid = net_core_sock.sock_i_uid(sk)
    for sk2 in ilb:
        if (
            sk2 is not sk
            and sk2.skc_family == sk.skc_family
            and sk2.skc_bound_dev_if == sk.skc_bound_dev_if
            and sk2.icsk_bind_hash is sk.icsk_bind_hash  # type: ignore[attr-defined]
            and sk2.skc_reuseport
            and uid == net_core_sock.sock_i_uid(sk2)
            and inet_connection_sock_bind.inet_rcv_saddr_equal(sk, sk2, False)
        ):
            sock_reuseport.reuseport_add_sock(sk, sk2, inet_connection_sock_bind.inet_rcv_saddr_any(sk))
            return
    sock_reuseport.reuseport_alloc(sk, inet_connection_sock_bind.inet_rcv_saddr_any(sk))


def __inet_hash(sk: sock, osk: sock | None) -> None:
    """Put a listener (or else a connection) where segments find it."""
    if sk.skc_state != TCP_LISTEN:
        inet_ehash_nolisten(sk, osk, None)
        return
    hashinfo = tcp_or_dccp_get_hashinfo(sk)
    slot = inet_lhash2_bucket_sk(hashinfo, sk)
    if sk.skc_reuseport:
        inet_reuseport_add_sock(sk, hashinfo.lhash2.get(slot, []))
    sock_set_flag(sk, SOCK_RCU_FREE)
    hashinfo.lhash2.setdefault(slot, []).insert(0, sk)
    sk.skc_hash = slot + 1
    sock_prot_inuse_add(sk.skc_net, sk.skc_prot, 1)


def inet_hash(sk: sock) -> None:
    """sk->sk_prot->hash of TCP."""
    if sk.skc_state != TCP_CLOSE:
        __inet_hash(sk, None)


def inet_unhash(sk: sock) -> None:
    """Take a socket out of the table it stands in, if any."""
    if not sk.skc_hash:
        return
    hashinfo = tcp_or_dccp_get_hashinfo(sk)
    if sk.skc_state == TCP_LISTEN:
        slot = inet_lhash2_bucket_sk(hashinfo, sk)
        if sk.sk_reuseport_cb is not None:
            sock_reuseport.reuseport_stop_listen_sock(sk)
        chain = hashinfo.lhash2[slot]
        chain.remove(sk)
        if not chain:
            del hashinfo.lhash2[slot]
        sk.skc_hash = 0
    elif not _ehash_del(hashinfo, sk):
        return
    sock_prot_inuse_add(sk.skc_net, sk.skc_prot, -1)


def inet_hashinfo2_init(kernel: Kernel, h: inet_hashinfo, numentries: int) -> None:
    """Size the table of listeners; draw the table that spreads ephemeral ports."""
    h.lhash2_mask = numentries - 1
    kernel.table_perturb = [get_random_u32(kernel) for _ in range(16)]
