"""Addresses and identifiers of ping sockets (part of net/ipv4/ping.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.errno import EADDRINUSE, EADDRNOTAVAIL, EAFNOSUPPORT, EINVAL
from kshell.abi.rtnetlink import RT_TABLE_LOCAL, RTN_LOCAL
from kshell.abi.socket import AF_INET, AF_UNSPEC
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.net.inet_sock import inet_can_nonlocal_bind, inet_sk
from kshell.linux.include.net.ping import PING_HTABLE_MASK, ping_table
from kshell.linux.include.net.sock import SOCK_BINDADDR_LOCK, SOCK_BINDPORT_LOCK, SOCK_RCU_FREE, sock
from kshell.linux.include.net.sock_dst import sk_dst_reset
from kshell.linux.net.core.sock_lock import lock_sock_nested as lock_sock
from kshell.linux.net.core.sock_lock import release_sock
from kshell.linux.net.core.sock_proto import sock_prot_inuse_add
from kshell.linux.net.ipv4 import fib_frontend
from kshell.linux.net.l3mdev import l3mdev_fib_table_by_index

if TYPE_CHECKING:
    from kshell.linux.include.net.net_namespace import net as net_t


def ping_hashslot(table: ping_table, num: int) -> list[sock]:
    """The sockets whose identifier falls into the same slot, newest first."""
    return table.hash[num & PING_HTABLE_MASK]


def _in_use(table: ping_table, net: net_t, sk: sock, ident: int) -> bool:
    return any(
        sk2.skc_num == ident and sk2 is not sk and sk2.skc_net is net and not (sk2.sk_reuse and sk.sk_reuse)
        for sk2 in ping_hashslot(table, ident)
    )


def ping_get_port(sk: sock, ident: int) -> int:
    """Take an identifier, any if 0. EADDRINUSE."""
    net = sk.skc_net
    kernel = net.kernel
    table = kernel.ping_table
    if not ident:
        for step in range(1 << 16):
            candidate = (kernel.ping_port_rover + 1 + step) & 0xFFFF or 1
            if not any(s.skc_num == candidate and s.skc_net is net for s in ping_hashslot(table, candidate)):
                ident = kernel.ping_port_rover = candidate
                break
        else:
            raise KernelError(EADDRINUSE)
    elif _in_use(table, net, sk, ident):
        raise KernelError(EADDRINUSE)
    sk.skc_num = ident
    if not sk.skc_hash:
        ping_hashslot(table, ident).insert(0, sk)
        sk.skc_hash = ident
        sk.skc_refcnt += 1
        sock_prot_inuse_add(sk.skc_net, sk.skc_prot, 1)
        sk.skc_flags |= 1 << SOCK_RCU_FREE
    return 0


def ping_hash(sk: sock) -> int:
    """Never called: sockets are hashed when they get an identifier."""
    raise AssertionError("ping_hash")


def ping_unhash(sk: sock) -> None:
    """Give the identifier back."""
    if sk.skc_hash:
        ping_hashslot(sk.skc_net.kernel.ping_table, sk.skc_hash).remove(sk)
        sk.skc_hash = 0
        sk.skc_refcnt -= 1
        sock_prot_inuse_add(sk.skc_net, sk.skc_prot, -1)
        sk.skc_num = 0
        inet_sk(sk).inet_sport = 0


def ping_check_bind_addr(sk: sock, uaddr: bytes, addr_len: int) -> None:
    """EINVAL, EAFNOSUPPORT, EADDRNOTAVAIL."""
    if addr_len < 16:
        raise KernelError(EINVAL)
    family = int.from_bytes(uaddr[:2], "little")
    saddr = int.from_bytes(uaddr[4:8], "big")
    if family != AF_INET and (family != AF_UNSPEC or saddr):
        raise KernelError(EAFNOSUPPORT)
    if not saddr:
        return
    net = sk.skc_net
    tb_id = l3mdev_fib_table_by_index(net, sk.sk_bound_dev_if) or RT_TABLE_LOCAL
    kind = fib_frontend.inet_addr_type_table(net, saddr, tb_id)
    if kind in (3, 5) or (kind != RTN_LOCAL and not inet_can_nonlocal_bind(net, inet_sk(sk))):
        raise KernelError(EADDRNOTAVAIL)


def ping_set_saddr(sk: sock, saddr: bytes) -> None:
    """Set the local address."""
    inet_sk(sk).inet_saddr = sk.skc_rcv_saddr = int.from_bytes(saddr[4:8], "big")


def ping_bind(sk: sock, uaddr: bytes, addr_len: int) -> int:
    """bind(): the port is the identifier. EINVAL if bound already, EADDRINUSE."""
    isk = inet_sk(sk)
    ping_check_bind_addr(sk, uaddr, addr_len)
    lock_sock(sk)
    try:
        if isk.inet_num:
            raise KernelError(EINVAL)
        snum = int.from_bytes(uaddr[2:4], "big")
        ping_get_port(sk, snum)
        ping_set_saddr(sk, uaddr)
        if isk.inet_rcv_saddr:
            sk.sk_userlocks |= SOCK_BINDADDR_LOCK
        if snum:
            sk.sk_userlocks |= SOCK_BINDPORT_LOCK
        isk.inet_sport = isk.inet_num
        isk.inet_daddr = isk.inet_dport = 0
        sk_dst_reset(sk)
    finally:
        release_sock(sk)
    return 0
