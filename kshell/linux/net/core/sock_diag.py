"""net/core/sock_diag.c: cookies, memory figures and destroy notices of sockets; the initcall is in sock_diag_init."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.inet import IPPROTO_TCP, IPPROTO_UDP
from kshell.abi.sock_diag import (
    SKNLGRP_INET6_TCP_DESTROY,
    SKNLGRP_INET6_UDP_DESTROY,
    SKNLGRP_INET_TCP_DESTROY,
    SKNLGRP_INET_UDP_DESTROY,
    SKNLGRP_NONE,
)
from kshell.abi.socket import AF_INET, AF_INET6, SOCK_RAW
from kshell.linux.net.netlink.af_netlink_listeners import netlink_has_listeners

if TYPE_CHECKING:
    from kshell.linux.include.net.sock import sock

# sock_diag_destroy_group(): the multicast group that is told when such a socket goes
_GROUPS = {
    (AF_INET, IPPROTO_TCP): SKNLGRP_INET_TCP_DESTROY,
    (AF_INET, IPPROTO_UDP): SKNLGRP_INET_UDP_DESTROY,
    (AF_INET6, IPPROTO_TCP): SKNLGRP_INET6_TCP_DESTROY,
    (AF_INET6, IPPROTO_UDP): SKNLGRP_INET6_UDP_DESTROY,
}


def __sock_gen_cookie(sk: sock) -> int:
    """A number that no other socket of this machine ever has."""
    if not sk.sk_cookie:
        kernel = sk.skc_net.kernel
        kernel.socket_cookie += 1
        sk.sk_cookie = kernel.socket_cookie
    return sk.sk_cookie


sock_gen_cookie = __sock_gen_cookie


def sk_get_meminfo(sk: sock) -> tuple[int, ...]:
    """SK_MEMINFO_*: rmem, rcvbuf, wmem, sndbuf, forward, wmem_queued, optmem, backlog, drops (bytes, packets)."""
    backlog = sk.sk_backlog
    return (
        sk.sk_rmem_alloc, sk.sk_rcvbuf, sk.sk_wmem_alloc - 1, sk.sk_sndbuf, sk.sk_forward_alloc, sk.sk_wmem_queued,
        sk.sk_omem_alloc, 0 if backlog is None else backlog.len, sk.sk_drops,
    )  # fmt: skip


def sock_diag_has_destroy_listeners(sk: sock) -> bool:
    """True if somebody wants to be told that the socket goes."""
    diag_nlsk = sk.skc_net.diag_nlsk
    if diag_nlsk is None:
        return False
    group = _GROUPS.get((sk.skc_family, sk.sk_protocol), SKNLGRP_NONE) if sk.sk_type != SOCK_RAW else SKNLGRP_NONE
    return group != SKNLGRP_NONE and netlink_has_listeners(diag_nlsk, group)
