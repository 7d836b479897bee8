"""Messages between netlink sockets: finding the receiver, one or a group, and queueing (net/netlink/af_netlink.c).

A leaf: devices, addresses and routes tell of their changes through it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.errno import EAGAIN, ECONNREFUSED, ENOBUFS, ESRCH
from kshell.abi.netlink import NETLINK_CONNECTED
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.netlink import (
    NETLINK_CB,
    NETLINK_F_BROADCAST_SEND_ERROR,
    NETLINK_F_LISTEN_ALL_NSID,
    NETLINK_F_RECV_NO_ENOBUFS,
    NETLINK_S_CONGESTED,
    netlink_is_kernel,
    netlink_sock,
    netlink_table,
    nlk_sk,
)
from kshell.linux.include.net.sock import sk_error_report, sock_hold
from kshell.linux.kernel.sched.wait import wake_up
from kshell.linux.net.core.filter import sk_filter
from kshell.linux.net.core.skbuff import consume_skb, kfree_skb, skb_clone, skb_queue_tail
from kshell.linux.net.core.sock import sock_put
from kshell.linux.net.core.sock_mem import sock_rfree

if TYPE_CHECKING:
    from kshell.linux.include.linux.skbuff import sk_buff
    from kshell.linux.include.net.net_namespace import net as net_t
    from kshell.linux.include.net.sock import sock
    from kshell.linux.init.kernel import Kernel


def netlink_lock_table(kernel: Kernel) -> None:
    """Keep the sockets and their groups as they are until netlink_unlock_table()."""
    kernel.nl_table_users += 1


def netlink_unlock_table(kernel: Kernel) -> None:
    """The last one out wakes those who want to change the table: nobody, on one CPU."""
    kernel.nl_table_users -= 1
    if not kernel.nl_table_users:
        wake_up(kernel.nl_table_wait)


def __netlink_lookup(table: netlink_table, portid: int, net: net_t) -> netlink_sock | None:
    return table.hash.get((net._addr, portid))


def netlink_lookup(net: net_t, protocol: int, portid: int) -> netlink_sock | None:
    """The socket with a port id, referenced."""
    sk = __netlink_lookup(net.kernel.nl_table[protocol], portid, net)
    if sk is not None:
        sock_hold(sk)
    return sk


def netlink_getsockbyportid(ssk: sock, portid: int) -> netlink_sock:
    """Whom a message to portid goes to, referenced. ECONNREFUSED: nobody, or a socket connected to another."""
    sk = netlink_lookup(ssk.sk_net, ssk.sk_protocol, portid)
    if sk is None:
        raise KernelError(ECONNREFUSED)
    if sk.sk_state == NETLINK_CONNECTED and sk.dst_portid != nlk_sk(ssk).portid:
        sock_put(sk)
        raise KernelError(ECONNREFUSED)
    return sk


def netlink_overrun(sk: netlink_sock) -> None:
    """The reader is too slow: a message is lost, and it is told by ENOBUFS."""
    if not sk.flags >> NETLINK_F_RECV_NO_ENOBUFS & 1 and not sk.state >> NETLINK_S_CONGESTED & 1:
        sk.state |= 1 << NETLINK_S_CONGESTED
        sk.sk_err = ENOBUFS
        sk_error_report(sk)
    sk.sk_drops += 1


def netlink_skb_destructor(skb: sk_buff) -> None:
    """The message leaves its receiver's account."""
    if skb.sk is not None:
        sock_rfree(skb)


def netlink_skb_set_owner_r(skb: sk_buff, sk: sock) -> None:
    """Charge the message to its receiver (sk_rmem_alloc has it already)."""
    skb.sk = sk
    skb.destructor = netlink_skb_destructor
    sk.sk_forward_alloc -= skb.truesize if sk.sk_prot.memory_allocated else 0


def netlink_trim(skb: sk_buff) -> sk_buff:
    """Give unused room back: a message is as long as its data here."""
    return skb


def netlink_attachskb(sk: netlink_sock, skb: sk_buff, nonblock: bool, ssk: sock) -> bool:
    """Charge the message to its receiver; False when the caller has to wait for room. EAGAIN: nonblock."""
    room = sk.sk_rmem_alloc == 0 or sk.sk_rmem_alloc + skb.truesize <= sk.sk_rcvbuf
    if room and not sk.state >> NETLINK_S_CONGESTED & 1:
        sk.sk_rmem_alloc += skb.truesize
        netlink_skb_set_owner_r(skb, sk)
        return True
    if nonblock:
        if netlink_is_kernel(ssk):
            netlink_overrun(sk)
        sock_put(sk)
        kfree_skb(skb)
        raise KernelError(EAGAIN)
    return False


def __netlink_sendskb(sk: netlink_sock, skb: sk_buff) -> int:
    length = skb.len
    skb_queue_tail(sk.sk_receive_queue, skb)
    sk.sk_data_ready(sk)
    return length


def netlink_sendskb(sk: netlink_sock, skb: sk_buff) -> int:
    """Queue the message at its receiver; its length."""
    length = __netlink_sendskb(sk, skb)
    sock_put(sk)
    return length


def netlink_unicast_kernel(sk: netlink_sock, skb: sk_buff, ssk: sock) -> int:
    """Hand the message to the kernel's side, which answers before this returns. ECONNREFUSED: it takes none."""
    try:
        if sk.netlink_rcv is None:
            kfree_skb(skb)
            raise KernelError(ECONNREFUSED)
        length = skb.len
        sk.sk_rmem_alloc += skb.truesize
        netlink_skb_set_owner_r(skb, sk)
        NETLINK_CB(skb).sk = ssk
        sk.netlink_rcv(skb)
        NETLINK_CB(skb).sk = None
        consume_skb(skb)
        return length
    finally:
        sock_put(sk)


def netlink_unicast(ssk: sock, skb: sk_buff, portid: int, nonblock: bool) -> int | netlink_sock:
    """Send to one socket: the length, or the receiver that has no room when the caller may wait.

    ECONNREFUSED: nobody there; EAGAIN: no room, and nonblock.
    """
    skb = netlink_trim(skb)
    try:
        sk = netlink_getsockbyportid(ssk, portid)
    except KernelError:
        kfree_skb(skb)
        raise
    if netlink_is_kernel(sk):
        return netlink_unicast_kernel(sk, skb, ssk)
    if sk_filter(sk, skb):
        length = skb.len
        kfree_skb(skb)
        sock_put(sk)
        return length
    if not netlink_attachskb(sk, skb, nonblock, ssk):
        return sk
    return netlink_sendskb(sk, skb)


def nlmsg_unicast(sk: sock, skb: sk_buff, portid: int) -> None:
    """netlink_unicast() from the kernel: never waits."""
    netlink_unicast(sk, skb, portid, True)


def netlink_broadcast_deliver(sk: netlink_sock, skb: sk_buff) -> bool:
    """Queue a message of a group at one listener, where it has room."""
    if sk.sk_rmem_alloc <= sk.sk_rcvbuf and not sk.state >> NETLINK_S_CONGESTED & 1:
        sk.sk_rmem_alloc += skb.truesize
        netlink_skb_set_owner_r(skb, sk)
        __netlink_sendskb(sk, skb)
        return True
    return False


def do_one_broadcast(sk: netlink_sock, ssk: sock, skb: sk_buff, portid: int, group: int) -> bool | None:
    """Deliver to one listener: None when the message is not for it, else whether it could."""
    if sk is ssk or sk.portid == portid or group > sk.ngroups or not sk.groups >> (group - 1) & 1:
        return None
    if sk.sk_net is not ssk.sk_net and not sk.flags >> NETLINK_F_LISTEN_ALL_NSID & 1:
        return None
    copy = skb_clone(skb)
    if sk_filter(sk, copy):
        kfree_skb(copy)
        return None
    if netlink_broadcast_deliver(sk, copy):
        return True
    kfree_skb(copy)
    netlink_overrun(sk)
    return False


def netlink_broadcast(ssk: sock, skb: sk_buff, portid: int, group: int) -> None:
    """Send to all listeners of a group but portid. ESRCH: nobody got it; ENOBUFS: one who wants to know lost it."""
    kernel = ssk.sk_net.kernel
    skb = netlink_trim(skb)
    delivered = failed = False
    netlink_lock_table(kernel)
    for sk in tuple(kernel.nl_table[ssk.sk_protocol].mc_list):
        outcome = do_one_broadcast(sk, ssk, skb, portid, group)
        delivered |= outcome is True
        failed |= outcome is False and bool(sk.flags >> NETLINK_F_BROADCAST_SEND_ERROR & 1)
    consume_skb(skb)
    netlink_unlock_table(kernel)
    if failed:
        raise KernelError(ENOBUFS)
    if not delivered:
        raise KernelError(ESRCH)


def nlmsg_notify(sk: sock, skb: sk_buff, portid: int, group: int, report: bool) -> None:
    """Send to a group, and with report to portid too. ENOBUFS and what netlink_unicast() raises."""
    failure: KernelError | None = None
    if report:
        skb.users += 1
    try:
        netlink_broadcast(sk, skb, portid if report else 0, group)
    except KernelError as error:
        if error.errno != ESRCH:
            failure = error
    if report:
        nlmsg_unicast(sk, skb, portid)
    if failure is not None:
        raise failure
