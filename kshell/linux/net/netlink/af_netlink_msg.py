"""Messages between netlink sockets (net/netlink/af_netlink.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.errno import (
    EINVAL,
    EMSGSIZE,
    ENOBUFS,
    ENODATA,
    EOPNOTSUPP,
    EPERM,
    ESRCH,
)  # fmt: skip
from kshell.abi.netlink import NETLINK_LISTEN_ALL_NSID, NETLINK_PKTINFO
from kshell.abi.socket import AF_NETLINK, MSG_DONTWAIT, MSG_OOB, MSG_TRUNC, SOL_NETLINK
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.netlink import (
    NETLINK_CB,
    NETLINK_F_LISTEN_ALL_NSID,
    NETLINK_F_RECV_PKTINFO,
    NETLINK_S_CONGESTED,
    NETLINK_SKB_DST,
    NL_CFG_F_NONROOT_SEND,
    netlink_sock,
    nlk_sk,
)
from kshell.linux.include.linux.sched import TASK_INTERRUPTIBLE, TASK_RUNNING, signal_pending
from kshell.linux.include.net.scm import scm_cookie, scm_destroy, scm_recv, scm_send
from kshell.linux.include.net.sock import SOCK_DEAD, sk_error_report
from kshell.linux.include.net.sock_wait import sock_intr_errno, sock_sndtimeo
from kshell.linux.kernel.sched.core import default_wake_function
from kshell.linux.kernel.sched.wait import (
    DEFINE_WAIT_FUNC,
    add_wait_queue,
    remove_wait_queue,
    wake_up_interruptible,
)
from kshell.linux.kernel.time.timer import schedule_timeout
from kshell.linux.lib.iov_iter import copy_from_iter_full
from kshell.linux.net.core.datagram import skb_copy_datagram_iter, skb_free_datagram, skb_recv_datagram
from kshell.linux.net.core.scm import put_cmsg
from kshell.linux.net.core.skbuff import (
    __alloc_skb,
    kfree_skb,
    skb_put,
)
from kshell.linux.net.core.sock import sock_put
from kshell.linux.net.netlink import af_netlink, af_netlink_rcv
from kshell.linux.net.netlink.af_netlink_deliver import netlink_broadcast, netlink_unicast
from kshell.linux.security.security import security_netlink_send

if TYPE_CHECKING:
    from kshell.linux.include.linux.net import socket
    from kshell.linux.include.linux.skbuff import sk_buff
    from kshell.linux.include.linux.socket import msghdr
    from kshell.linux.include.net.sock import sock

MAX_RECVMSG_LEN = 32448  # SKB_WITH_OVERHEAD(32768)


def netlink_rcv_wake(sk: netlink_sock) -> None:
    """There is room again."""
    if sk.sk_receive_queue.next is None:
        sk.state &= ~(1 << NETLINK_S_CONGESTED)
    if not sk.state >> NETLINK_S_CONGESTED & 1:
        wake_up_interruptible(sk.wait)


async def _wait_for_room(sk: netlink_sock, skb: sk_buff, timeo: int) -> int:
    """The second half of netlink_attachskb(): sleep until the receiver reads; the ticks left."""
    kernel = sk.sk_net.kernel
    current = kernel.current
    entry = DEFINE_WAIT_FUNC(current, default_wake_function)
    current.state = TASK_INTERRUPTIBLE
    add_wait_queue(sk.wait, entry)
    full = sk.sk_rmem_alloc and sk.sk_rmem_alloc + skb.truesize > sk.sk_rcvbuf
    if (full or sk.state >> NETLINK_S_CONGESTED & 1) and not sk.sk_flags >> SOCK_DEAD & 1:
        timeo = await schedule_timeout(kernel, timeo)
    current.state = TASK_RUNNING
    remove_wait_queue(sk.wait, entry)
    sock_put(sk)
    if signal_pending(current):
        kfree_skb(skb)
        raise KernelError(sock_intr_errno(timeo))
    return timeo


def netlink_alloc_large_skb(sk: sock, size: int) -> sk_buff:
    """Room for a message of size bytes."""
    return __alloc_skb(sk.sk_net.kernel, size)


def _destination(sk: netlink_sock, msg: msghdr) -> tuple[int, int, int]:
    """Port id, group and flags of the receiver. EINVAL, EPERM."""
    if not msg.msg_namelen:
        return sk.dst_portid, sk.dst_group, 0
    if msg.msg_namelen < af_netlink.SOCKADDR_NL.size or msg.msg_name is None:
        raise KernelError(EINVAL)
    family, _, portid, groups = af_netlink.SOCKADDR_NL.unpack_from(msg.msg_name)
    if family != AF_NETLINK:
        raise KernelError(EINVAL)
    group = (groups & -groups).bit_length()
    if (group or portid) and not af_netlink.netlink_allowed(sk, NL_CFG_F_NONROOT_SEND):
        raise KernelError(EPERM)
    return portid, group, NETLINK_SKB_DST


async def netlink_sendmsg(sock: socket, msg: msghdr, length: int) -> int:
    """sendmsg(). EOPNOTSUPP, ENODATA, EINVAL, EPERM, EMSGSIZE, EFAULT, ECONNREFUSED, EAGAIN."""
    sk = nlk_sk(sock.sk)  # type: ignore[arg-type]  # an open socket has its sk
    if msg.msg_flags & MSG_OOB:
        raise KernelError(EOPNOTSUPP)
    if length == 0:
        raise KernelError(ENODATA)
    scm = scm_cookie(sk.sk_net.kernel)
    scm_send(sock, msg, scm, True)
    try:
        dst_portid, dst_group, flags = _destination(sk, msg)
        if not sk.bound:
            af_netlink.netlink_autobind(sk)
        if length > sk.sk_sndbuf - 32:
            raise KernelError(EMSGSIZE)
        skb = netlink_alloc_large_skb(sk, length)
        cb = NETLINK_CB(skb)
        cb.portid, cb.dst_group, cb.creds, cb.flags = sk.portid, dst_group, scm.creds, flags
        try:
            skb_put(skb, copy_from_iter_full(msg.msg_iter, length))
        except KernelError:
            kfree_skb(skb)
            raise
        security_netlink_send(sk, skb)
        if dst_group:
            _try_broadcast(sk, skb, dst_portid, dst_group)
        return await _unicast_waiting(sk, skb, dst_portid, bool(msg.msg_flags & MSG_DONTWAIT))
    finally:
        scm_destroy(scm)


def _try_broadcast(sk: netlink_sock, skb: sk_buff, portid: int, group: int) -> None:
    skb.users += 1
    try:
        netlink_broadcast(sk, skb, portid, group)
    except KernelError as error:
        if error.errno not in (ESRCH, ENOBUFS):
            raise


async def _unicast_waiting(sk: netlink_sock, skb: sk_buff, portid: int, nonblock: bool) -> int:
    timeo = sock_sndtimeo(sk, nonblock)
    while True:
        outcome = netlink_unicast(sk, skb, portid, not timeo)
        if isinstance(outcome, int):
            return outcome
        timeo = await _wait_for_room(outcome, skb, timeo)


def netlink_cmsg_recv_pktinfo(msg: msghdr, skb: sk_buff) -> None:
    """Tell the group the message was sent to."""
    put_cmsg(msg, SOL_NETLINK, NETLINK_PKTINFO, 4, NETLINK_CB(skb).dst_group.to_bytes(4, "little"))


async def netlink_recvmsg(sock: socket, msg: msghdr, length: int, flags: int) -> int:
    """recvmsg(): one message, and the next part of a dump is made. EOPNOTSUPP, EAGAIN, ENOBUFS, EFAULT."""
    sk = nlk_sk(sock.sk)  # type: ignore[arg-type]  # an open socket has its sk
    if flags & MSG_OOB:
        raise KernelError(EOPNOTSUPP)
    try:
        skb = await skb_recv_datagram(sk, flags)
    except KernelError:
        netlink_rcv_wake(sk)
        raise
    if skb is None:
        return 0
    cb = NETLINK_CB(skb)
    sk.max_recvmsg_len = min(max(sk.max_recvmsg_len, length), MAX_RECVMSG_LEN)
    copied = skb.len
    if length < copied:
        msg.msg_flags |= MSG_TRUNC
        copied = length
    error: KernelError | None = None
    try:
        skb_copy_datagram_iter(skb, 0, msg.msg_iter, copied)
    except KernelError as failure:
        error = failure
    if msg._want_name:
        groups = af_netlink.netlink_group_mask(cb.dst_group)
        msg.msg_name = af_netlink.SOCKADDR_NL.pack(AF_NETLINK, 0, cb.portid, groups)
        msg.msg_namelen = af_netlink.SOCKADDR_NL.size
    if sk.flags >> NETLINK_F_RECV_PKTINFO & 1:
        netlink_cmsg_recv_pktinfo(msg, skb)
    if sk.flags >> NETLINK_F_LISTEN_ALL_NSID & 1 and cb.nsid_is_set:
        put_cmsg(msg, SOL_NETLINK, NETLINK_LISTEN_ALL_NSID, 4, cb.nsid.to_bytes(4, "little", signed=True))
    scm = scm_cookie(sk.sk_net.kernel)
    if cb.creds is not None:
        scm.creds = cb.creds
    if flags & MSG_TRUNC:
        copied = skb.len
    skb_free_datagram(sk, skb)
    if sk.cb_running and sk.sk_rmem_alloc <= sk.sk_rcvbuf // 2:
        _dump_more(sk)
    scm_recv(sock, msg, scm, flags)
    netlink_rcv_wake(sk)
    if error is not None:
        raise error
    return copied


def _dump_more(sk: netlink_sock) -> None:
    try:
        af_netlink_rcv.netlink_dump(sk)
    except KernelError as failure:
        sk.sk_err = failure.errno
        sk_error_report(sk)
