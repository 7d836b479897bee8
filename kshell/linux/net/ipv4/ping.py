"""net/ipv4/ping.c: ICMP echo for those in ping_group_range."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.errno import (
    EACCES,
    EAFNOSUPPORT,
    EDESTADDRREQ,
    EHOSTUNREACH,
    EINVAL,
    EMSGSIZE,
    ENETUNREACH,
    EOPNOTSUPP,
    EPROTO,
    EREMOTEIO,
)
from kshell.abi.inet import (
    ICMP_DEST_UNREACH,
    ICMP_ECHO,
    ICMP_EXT_ECHO,
    ICMP_FRAG_NEEDED,
    ICMP_PARAMETERPROB,
    ICMP_REDIRECT,
    ICMP_SOURCE_QUENCH,
)
from kshell.abi.socket import AF_INET, MSG_DONTROUTE, MSG_ERRQUEUE, MSG_OOB, MSG_TRUNC
from kshell.abi.tcp import TCP_ESTABLISHED
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.icmp import NR_ICMP_UNREACH, icmphdr
from kshell.linux.include.linux.ip import iphdr
from kshell.linux.include.linux.skbuff import CHECKSUM_NONE, sk_buff
from kshell.linux.include.linux.snmp import IPSTATS_MIB_OUTNOROUTES
from kshell.linux.include.net.dropreason import SKB_DROP_REASON_NO_SOCKET
from kshell.linux.include.net.flow import flowi4
from kshell.linux.include.net.inet_sock import inet_sk, inet_sk_flowi_flags, inet_sock
from kshell.linux.include.net.ip import IPCB, _pick_device, get_rttos, ipcm_cookie, ipcm_init_sk
from kshell.linux.include.net.ping import ping_table, pingfakehdr
from kshell.linux.include.net.rtable import RTO_ONLINK, inet_iif
from kshell.linux.include.net.sock import SOCK_LOCALROUTE, sk_error_report, sock
from kshell.linux.include.net.sock_proto import proto
from kshell.linux.lib.iov_iter import copy_from_iter_full
from kshell.linux.net.core.datagram import skb_copy_datagram_msg, skb_free_datagram, skb_recv_datagram
from kshell.linux.net.core.skbuff import kfree_skb_reason, skb_clone, skb_push
from kshell.linux.net.core.skbuff_bytes import _transport_bytes
from kshell.linux.net.core.sock import sk_common_release
from kshell.linux.net.core.sock_lock import lock_sock_nested as lock_sock
from kshell.linux.net.core.sock_lock import release_sock
from kshell.linux.net.core.sock_queue import sock_queue_rcv_skb_reason
from kshell.linux.net.ipv4 import icmp, route_pmtu
from kshell.linux.net.ipv4.datagram import ip4_datagram_connect, ip4_datagram_release_cb
from kshell.linux.net.ipv4.ip_output_append import _may_send, ip_append_data
from kshell.linux.net.ipv4.ip_output_push import ip_flush_pending_frames, ip_push_pending_frames
from kshell.linux.net.ipv4.ip_sockglue import ip_cmsg_recv, ip_cmsg_send, ip_icmp_error, ip_recv_error
from kshell.linux.net.ipv4.ip_sockglue_opt import ip_getsockopt, ip_setsockopt
from kshell.linux.net.ipv4.ping_bind import ping_bind, ping_get_port, ping_hash, ping_hashslot, ping_unhash
from kshell.linux.net.ipv4.route_output import ip_route_output_flow
from kshell.linux.net.ipv4.udp_connect import __udp_disconnect
from kshell.linux.net.socket_cmsg import sock_recv_timestamp
from kshell.linux.security.security import security_sk_classify_flow

if TYPE_CHECKING:
    from kshell.linux.include.linux.socket import msghdr
    from kshell.linux.include.net.net_namespace import net as net_t
    from kshell.linux.init.kernel import Kernel


def ping_lookup(net: net_t, skb: sk_buff, ident: int) -> sock | None:
    """The socket that an echo reply belongs to."""
    iph = skb.network_header
    assert isinstance(iph, iphdr)
    dif = inet_iif(skb)
    for sk in ping_hashslot(net.kernel.ping_table, ident):
        if (
            sk.skc_num == ident
            and sk.skc_net is net
            and sk.skc_rcv_saddr in (0, iph.daddr)
            and sk.skc_bound_dev_if in (0, dif)
        ):
            return sk
    return None


def ping_init_sock(sk: sock) -> int:
    """socket(): EACCES unless a group of the caller lies in ping_group_range."""
    low, high = sk.skc_net.ipv4.ping_group_range.range
    cred = sk.skc_net.kernel.current.cred
    if low <= cred.egid <= high or any(low <= gid <= high for gid in cred.group_info):
        return 0
    raise KernelError(EACCES)


def ping_close(sk: sock, timeout: int) -> None:
    """The descriptor is closed."""
    sk_common_release(sk)


def ping_pre_connect(sk: sock, uaddr: bytes, addr_len: int) -> int:
    """Before connect(): EINVAL for a short address."""
    if addr_len < 16:
        raise KernelError(EINVAL)
    return 0


def ping_supported(type: int, code: int) -> bool:
    """Only echo requests may be sent."""
    return type in (ICMP_ECHO, ICMP_EXT_ECHO) and code == 0


def ping_err(skb: sk_buff, offset: int, info: int) -> None:
    """An ICMP error about an echo request; skb.data is the packet in error, its ICMP header at offset."""
    icmph = skb.transport_header
    assert isinstance(icmph, icmphdr)
    assert skb.dev is not None
    inner = icmphdr._from_bytes(skb.data[offset : offset + 8])
    if not ping_supported(inner.type, inner.code):
        return
    sk = ping_lookup(skb.dev.nd_net, skb, inner._id)
    if sk is None:
        return
    inet = inet_sk(sk)
    err, harderr = EHOSTUNREACH, 0
    if icmph.type in (ICMP_SOURCE_QUENCH, ICMP_REDIRECT):
        err = EREMOTEIO
    elif icmph.type == ICMP_PARAMETERPROB:
        err, harderr = EPROTO, 1
    elif icmph.type == ICMP_DEST_UNREACH:
        if icmph.code == ICMP_FRAG_NEEDED:
            route_pmtu.ipv4_sk_update_pmtu(skb, sk, info)
            if not inet.pmtudisc:
                return
            err, harderr = EMSGSIZE, 1
        elif icmph.code <= NR_ICMP_UNREACH:
            err = icmp.icmp_err_convert[icmph.code].errno
            harderr = icmp.icmp_err_convert[icmph.code].fatal
    if inet.recverr:
        ip_icmp_error(sk, skb, err, 0, info, offset)
    elif not harderr or sk.sk_state != TCP_ESTABLISHED:
        return
    sk.sk_err = err
    sk_error_report(sk)


def ping_getfrag(from_: object, offset: int, fraglen: int, skb: sk_buff) -> bytes:
    """getfrag: the message after its ICMP header. EFAULT."""
    assert isinstance(from_, pingfakehdr)
    return copy_from_iter_full(from_.msg.msg_iter, fraglen)


def ping_v4_push_pending_frames(sk: sock, pfh: pingfakehdr, fl4: flowi4) -> int:
    """Put the ICMP header in and send."""
    skb = sk.sk_write_queue.next
    if skb is None:
        return 0
    skb.transport_header = pfh.icmph
    skb.ip_summed = CHECKSUM_NONE
    return ip_push_pending_frames(sk, fl4)


def ping_common_sendmsg(msg: msghdr, length: int) -> icmphdr:
    """Take the user's ICMP header. EMSGSIZE, EINVAL, EOPNOTSUPP, EFAULT."""
    if length > 0xFFFF:
        raise KernelError(EMSGSIZE)
    if length < 8:
        raise KernelError(EINVAL)
    if msg.msg_flags & MSG_OOB:
        raise KernelError(EOPNOTSUPP)
    header = icmphdr._from_bytes(copy_from_iter_full(msg.msg_iter, 8))
    if not ping_supported(header.type, header.code):
        raise KernelError(EINVAL)
    return header


def _ping_destination(sk: sock, msg: msghdr) -> int:
    """EINVAL, EAFNOSUPPORT, EDESTADDRREQ."""
    name = msg.msg_name
    if name is not None:
        if msg.msg_namelen < 16:
            raise KernelError(EINVAL)
        if int.from_bytes(name[:2], "little") != AF_INET:
            raise KernelError(EAFNOSUPPORT)
        return int.from_bytes(name[4:8], "big")
    if sk.sk_state != TCP_ESTABLISHED:
        raise KernelError(EDESTADDRREQ)
    return sk.skc_daddr


def _ping_flow(sk: sock, ipc: ipcm_cookie, msg_flags: int, daddr: int, header: icmphdr) -> flowi4:
    """The flow of a message. EINVAL."""
    inet = inet_sk(sk)
    saddr = ipc.addr
    ipc.addr = faddr = daddr
    if ipc.opt is None:
        ipc.opt = inet.inet_opt
    opt = ipc.opt.opt if ipc.opt is not None else None
    if opt is not None and opt.srr:
        if not daddr:
            raise KernelError(EINVAL)
        faddr = opt.faddr
    tos = get_rttos(ipc, inet)
    if sk.skc_flags >> SOCK_LOCALROUTE & 1 or msg_flags & MSG_DONTROUTE or (opt is not None and opt.is_strictroute):
        tos |= RTO_ONLINK
    saddr = _pick_device(ipc, inet, daddr, saddr)
    return flowi4(
        ipc.oif, 1, ipc.sockc.mark, tos, 0, sk.sk_protocol, inet_sk_flowi_flags(sk), faddr, saddr,
        header.type << 8 | header.code, 0, sk.sk_uid,
    )  # fmt: skip


async def ping_v4_sendmsg(sk: sock, msg: msghdr, length: int) -> int:
    """sendmsg(): the message begins with an ICMP header, whose identifier and checksum are replaced."""
    inet = inet_sk(sk)
    net = sk.skc_net
    flags = msg.msg_flags
    header = ping_common_sendmsg(msg, length)
    daddr = _ping_destination(sk, msg)
    ipc = ipcm_cookie()
    ipcm_init_sk(ipc, inet)
    if msg.msg_controllen:
        ip_cmsg_send(sk, msg, ipc, False)
    fl4 = _ping_flow(sk, ipc, flags, daddr, header)
    security_sk_classify_flow(sk, fl4)
    try:
        rt = ip_route_output_flow(net, fl4, sk)
    except KernelError as e:
        if e.errno == ENETUNREACH:
            net.mib.ip_statistics[IPSTATS_MIB_OUTNOROUTES] += 1
        raise
    if not await _may_send(sk, rt, flags, length):
        return 0
    if not ipc.addr:
        ipc.addr = fl4.daddr
    lock_sock(sk)
    pfh = pingfakehdr(icmphdr(header.type, header.code, inet.inet_sport << 16 | header._sequence), msg, AF_INET)
    try:
        try:
            ip_append_data(sk, fl4, ping_getfrag, pfh, length, 8, ipc, rt, flags)
        except KernelError:
            ip_flush_pending_frames(sk)
            raise
        ping_v4_push_pending_frames(sk, pfh, fl4)
    finally:
        release_sock(sk)
    return length


async def ping_recvmsg(sk: sock, msg: msghdr, length: int, flags: int) -> int:
    """recvmsg(): the ICMP message of the reply. EOPNOTSUPP, EAGAIN …"""
    if flags & MSG_OOB:
        raise KernelError(EOPNOTSUPP)
    if flags & MSG_ERRQUEUE:
        return ip_recv_error(sk, msg, length)
    skb = await skb_recv_datagram(sk, flags)
    if skb is None:
        return 0
    copied = skb.len
    if copied > length:
        msg.msg_flags |= MSG_TRUNC
        copied = length
    try:
        skb_copy_datagram_msg(skb, 0, msg, copied)
        sock_recv_timestamp(msg, sk, skb)
        if msg._want_name:
            iph = skb.network_header
            assert isinstance(iph, iphdr)
            msg.msg_name = b"\x02\0\0\0" + iph.saddr.to_bytes(4, "big") + bytes(8)
            msg.msg_namelen = 16
        if inet_sk(sk).cmsg_flags:
            ip_cmsg_recv(msg, sk, skb)
    finally:
        skb_free_datagram(sk, skb)
    return copied


def __ping_queue_rcv_skb(sk: sock, skb: sk_buff) -> int:
    """Queue a reply; a drop reason or 0."""
    reason = sock_queue_rcv_skb_reason(sk, skb)
    if reason:
        kfree_skb_reason(skb, reason)
    return reason


def ping_queue_rcv_skb(sk: sock, skb: sk_buff) -> int:
    """The same: -1 if it was dropped."""
    return -1 if __ping_queue_rcv_skb(sk, skb) else 0


def ping_rcv(skb: sk_buff) -> int:
    """An echo reply came in; a drop reason or 0."""
    icmph = skb.transport_header
    assert isinstance(icmph, icmphdr)
    assert skb.dev is not None
    skb_push(skb, 8)
    sk = ping_lookup(skb.dev.nd_net, skb, icmph._id)
    if sk is None:
        return SKB_DROP_REASON_NO_SOCKET
    clone = skb_clone(skb)
    clone.data = _transport_bytes(skb)
    IPCB(clone)._pktinfo = (skb.skb_iif, 0)  # nobody prepares it: the control block's iif stands in its place
    return __ping_queue_rcv_skb(sk, clone)


ping_prot = proto(
    name="PING",
    cls=inet_sock,
    obj_size=992,
    init=ping_init_sock,
    close=ping_close,
    pre_connect=ping_pre_connect,
    connect=ip4_datagram_connect,
    disconnect=__udp_disconnect,
    setsockopt=ip_setsockopt,
    getsockopt=ip_getsockopt,
    sendmsg=ping_v4_sendmsg,
    recvmsg=ping_recvmsg,
    bind=ping_bind,
    backlog_rcv=ping_queue_rcv_skb,
    release_cb=ip4_datagram_release_cb,
    hash=ping_hash,
    unhash=ping_unhash,
    get_port=ping_get_port,
    put_port=ping_unhash,
)


def ping_init(kernel: Kernel) -> None:
    """Set up the table."""
    kernel.ping_table = ping_table()
    kernel.ping_port_rover = kernel.random.getrandbits(16)
