"""net/ipv4/udp.c: disconnecting."""

from __future__ import annotations

from kshell.abi.errno import EINVAL
from kshell.abi.tcp import TCP_CLOSE
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.net.inet_sock import inet_sk
from kshell.linux.include.net.sock import SOCK_BINDADDR_LOCK, SOCK_BINDPORT_LOCK, sock
from kshell.linux.include.net.sock_dst import sk_dst_reset
from kshell.linux.net.core.sock_lock import lock_sock_nested as lock_sock
from kshell.linux.net.core.sock_lock import release_sock


def udp_pre_connect(sk: sock, uaddr: bytes, addr_len: int) -> int:
    """Before connect(): EINVAL for a short address."""
    if addr_len < 16:
        raise KernelError(EINVAL)
    return 0


def __udp_disconnect(sk: sock, flags: int) -> int:
    """Forget the peer, and address and port unless they were bound."""
    inet = inet_sk(sk)
    sk.sk_state = TCP_CLOSE
    inet.inet_daddr = inet.inet_dport = 0
    sk.sk_bound_dev_if = 0
    prot = sk.sk_prot
    if not sk.sk_userlocks & SOCK_BINDADDR_LOCK:
        inet.inet_rcv_saddr = inet.inet_saddr = 0
        if prot.rehash is not None and sk.sk_userlocks & SOCK_BINDPORT_LOCK:
            prot.rehash(sk)
    if not sk.sk_userlocks & SOCK_BINDPORT_LOCK:
        assert prot.unhash is not None
        prot.unhash(sk)
        inet.inet_sport = 0
    sk_dst_reset(sk)
    return 0


def udp_disconnect(sk: sock, flags: int) -> int:
    """The same as the owner of the socket."""
    lock_sock(sk)
    __udp_disconnect(sk, flags)
    release_sock(sk)
    return 0
