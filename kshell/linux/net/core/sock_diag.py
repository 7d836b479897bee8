"""net/core/sock_diag.c: cookies, memory figures and destroy notices of sockets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.inet import IPPROTO_TCP, IPPROTO_UDP
from kshell.abi.netlink import NETLINK_SOCK_DIAG
from kshell.abi.socket import AF_INET, AF_INET6, SOCK_RAW
from kshell.linux.include.net.net_namespace import pernet_operations
from kshell.linux.net.core import net_namespace
from kshell.linux.net.core import sock as sock_c
from kshell.linux.net.netlink import af_netlink, af_netlink_kernel

if TYPE_CHECKING:
    from kshell.linux.include.linux.skbuff import sk_buff
    from kshell.linux.include.net.net_namespace import net
    from kshell.linux.include.net.sock import sock
    from kshell.linux.init.kernel import Kernel

SKNLGRP_NONE = 0
SKNLGRP_INET_TCP_DESTROY = 1
SKNLGRP_INET_UDP_DESTROY = 2
SKNLGRP_INET6_TCP_DESTROY = 3
SKNLGRP_INET6_UDP_DESTROY = 4
SKNLGRP_MAX = 4
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


def sock_diag_destroy_group(sk: sock) -> int:
    """The multicast group that is told when such a socket goes, SKNLGRP_NONE if none."""
    if sk.sk_type == SOCK_RAW:
        return SKNLGRP_NONE
    return _GROUPS.get((sk.skc_family, sk.sk_protocol), SKNLGRP_NONE)


def sock_diag_has_destroy_listeners(sk: sock) -> bool:
    """True if somebody wants to be told that the socket goes."""
    diag_nlsk = sk.skc_net.diag_nlsk
    if diag_nlsk is None:
        return False
    group = sock_diag_destroy_group(sk)
    return group != SKNLGRP_NONE and bool(af_netlink.netlink_has_listeners(diag_nlsk, group))


def sock_diag_broadcast_destroy(sk: sock) -> None:
    """Tell those who listen; nothing is there to tell yet, so the socket just goes."""
    sock_c.sk_destruct(sk)


def sock_diag_rcv(skb: sk_buff) -> None:
    """A request of SOCK_DIAG_BY_FAMILY: no handler is registered."""
    af_netlink_kernel.netlink_rcv_skb(skb, None)


def sock_diag_bind(net: net, group: int) -> int:
    """Somebody joins a destroy group; Linux asks for the family's diag module here."""
    return 0


def diag_net_init(net: net) -> None:
    """The kernel's end of NETLINK_SOCK_DIAG."""
    net.diag_nlsk = af_netlink_kernel.__netlink_kernel_create(
        net, NETLINK_SOCK_DIAG, groups=SKNLGRP_MAX, input=sock_diag_rcv, bind=sock_diag_bind
    )


def diag_net_exit(net: net) -> None:
    """The namespace goes."""
    if net.diag_nlsk is not None:
        af_netlink_kernel.netlink_kernel_release(net.diag_nlsk)
    net.diag_nlsk = None


diag_net_ops = pernet_operations(init=diag_net_init, exit=diag_net_exit)


def sock_diag_init(kernel: Kernel) -> None:
    """Initcall: NETLINK_SOCK_DIAG."""
    net_namespace.register_pernet_subsys(kernel, diag_net_ops)
