"""Options and group membership of netlink sockets (net/netlink/af_netlink.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kshell.abi.capability import CAP_NET_BROADCAST
from kshell.abi.errno import EINVAL, ENOENT, ENOPROTOOPT, EPERM
from kshell.abi.netlink import (
    NETLINK_ADD_MEMBERSHIP,
    NETLINK_BROADCAST_ERROR,
    NETLINK_CAP_ACK,
    NETLINK_DROP_MEMBERSHIP,
    NETLINK_EXT_ACK,
    NETLINK_GET_STRICT_CHK,
    NETLINK_LIST_MEMBERSHIPS,
    NETLINK_LISTEN_ALL_NSID,
    NETLINK_NO_ENOBUFS,
    NETLINK_PKTINFO,
)  # fmt: skip
from kshell.abi.socket import SOL_NETLINK
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.netlink import (
    NETLINK_F_BROADCAST_SEND_ERROR,
    NETLINK_F_CAP_ACK,
    NETLINK_F_EXT_ACK,
    NETLINK_F_LISTEN_ALL_NSID,
    NETLINK_F_RECV_NO_ENOBUFS,
    NETLINK_F_RECV_PKTINFO,
    NETLINK_F_STRICT_CHK,
    NETLINK_S_CONGESTED,
    NL_CFG_F_NONROOT_RECV,
    netlink_sock,
    nlk_sk,
)
from kshell.linux.include.linux.sockptr import copy_from_sockptr
from kshell.linux.include.linux.uaccess import get_user, put_user
from kshell.linux.kernel.capability import ns_capable
from kshell.linux.kernel.sched.wait import wake_up_interruptible
from kshell.linux.net.netlink import af_netlink

if TYPE_CHECKING:
    from kshell.linux.include.linux.net import socket
    from kshell.linux.include.linux.sockptr import sockptr_t

FLAG_OF_OPTION: Final = {
    NETLINK_PKTINFO: NETLINK_F_RECV_PKTINFO,
    NETLINK_BROADCAST_ERROR: NETLINK_F_BROADCAST_SEND_ERROR,
    NETLINK_NO_ENOBUFS: NETLINK_F_RECV_NO_ENOBUFS,
    NETLINK_LISTEN_ALL_NSID: NETLINK_F_LISTEN_ALL_NSID,
    NETLINK_CAP_ACK: NETLINK_F_CAP_ACK,
    NETLINK_EXT_ACK: NETLINK_F_EXT_ACK,
    NETLINK_GET_STRICT_CHK: NETLINK_F_STRICT_CHK,
}


def netlink_realloc_groups(sk: netlink_sock) -> None:
    """Let the socket know as many groups as its protocol has. ENOENT: the protocol is gone."""
    table = sk.sk_net.kernel.nl_table[sk.sk_protocol]
    if not table.registered:
        raise KernelError(ENOENT)
    sk.ngroups = max(sk.ngroups, table.groups)


def netlink_update_subscriptions(sk: netlink_sock, subscriptions: int) -> None:
    """Enter the socket among the listeners or take it out."""
    listeners = sk.sk_net.kernel.nl_table[sk.sk_protocol].mc_list
    if sk.subscriptions and not subscriptions:
        listeners.remove(sk)
    elif not sk.subscriptions and subscriptions:
        listeners.append(sk)
    sk.subscriptions = subscriptions


def netlink_update_socket_mc(sk: netlink_sock, group: int, is_new: bool) -> None:
    """Join or leave a group."""
    bit = 1 << (group - 1)
    was = bool(sk.groups & bit)
    netlink_update_subscriptions(sk, sk.subscriptions + is_new - was)
    sk.groups = sk.groups | bit if is_new else sk.groups & ~bit


def _membership(sk: netlink_sock, optname: int, group: int) -> None:
    if not af_netlink.netlink_allowed(sk, NL_CFG_F_NONROOT_RECV):
        raise KernelError(EPERM)
    netlink_realloc_groups(sk)
    if not 1 <= group <= sk.ngroups:
        raise KernelError(EINVAL)
    joins = optname == NETLINK_ADD_MEMBERSHIP
    if joins and sk.netlink_bind is not None:
        sk.netlink_bind(sk.sk_net, group)
    netlink_update_socket_mc(sk, group, joins)
    if not joins and sk.netlink_unbind is not None:
        sk.netlink_unbind(sk.sk_net, group)


def netlink_setsockopt(sock: socket, level: int, optname: int, optval: sockptr_t, optlen: int) -> int:
    """setsockopt(SOL_NETLINK): an unsigned int. ENOPROTOOPT, EPERM, EINVAL, EFAULT."""
    sk = nlk_sk(sock.sk)  # type: ignore[arg-type]  # an open socket has its sk
    if level != SOL_NETLINK:
        raise KernelError(ENOPROTOOPT)
    val = int.from_bytes(copy_from_sockptr(optval, 4), "little") if optlen >= 4 else 0
    if optname in (NETLINK_ADD_MEMBERSHIP, NETLINK_DROP_MEMBERSHIP):
        _membership(sk, optname, val)
        return 0
    flag = FLAG_OF_OPTION.get(optname)
    if flag is None:
        raise KernelError(ENOPROTOOPT)
    if optname == NETLINK_LISTEN_ALL_NSID and not ns_capable(
        sk.sk_net.kernel.current, sk.sk_net.user_ns, CAP_NET_BROADCAST
    ):
        raise KernelError(EPERM)
    sk.flags = sk.flags | 1 << flag if val else sk.flags & ~(1 << flag)
    if optname == NETLINK_NO_ENOBUFS and val:
        sk.state &= ~(1 << NETLINK_S_CONGESTED)
        wake_up_interruptible(sk.wait)
    return 0


def netlink_getsockopt(sock: socket, level: int, optname: int, optval: int, optlen: int) -> int:
    """getsockopt(SOL_NETLINK). ENOPROTOOPT, EINVAL, EFAULT."""
    sk = nlk_sk(sock.sk)  # type: ignore[arg-type]  # an open socket has its sk
    if level != SOL_NETLINK:
        raise KernelError(ENOPROTOOPT)
    current = sk.sk_net.kernel.current
    length = get_user(current, optlen)
    if length < 0:
        raise KernelError(EINVAL)
    if optname == NETLINK_LIST_MEMBERSHIPS:
        for pos in range(0, (sk.ngroups + 7) // 8, 4):
            if length - pos < 4:
                break
            put_user(current, optval + pos, sk.groups >> pos * 8)
        put_user(current, optlen, (sk.ngroups + 31) // 32 * 4)
        return 0
    flag = FLAG_OF_OPTION.get(optname)
    if flag is None or optname == NETLINK_LISTEN_ALL_NSID:
        raise KernelError(ENOPROTOOPT)
    if length < 4:
        raise KernelError(EINVAL)
    put_user(current, optlen, 4)
    put_user(current, optval, sk.flags >> flag & 1)
    return 0
