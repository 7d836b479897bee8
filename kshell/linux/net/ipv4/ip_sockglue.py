"""net/ipv4/ip_sockglue.c: control messages of the IP layer and the error queue. Options are in ip_sockglue_opt."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from kshell.abi.errno import EADDRINUSE, EAGAIN, EINVAL, ENOBUFS
from kshell.abi.inet import (
    IP_ORIGDSTADDR,
    IP_PKTINFO,
    IP_PROTOCOL,
    IP_RECVERR,
    IP_RECVFRAGSIZE,
    IP_RECVOPTS,
    IP_RETOPTS,
    IP_TOS,
    IP_TTL,
    IPPROTO_RAW,
)
from kshell.abi.socket import (
    MSG_CTRUNC,
    MSG_ERRQUEUE,
    MSG_TRUNC,
    SO_EE_ORIGIN_ICMP,
    SO_EE_ORIGIN_LOCAL,
    SOCK_RAW,
    SOL_IP,
    SOL_SOCKET,
)
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.errqueue import SKB_EXT_ERR, sock_extended_err, sock_exterr_skb
from kshell.linux.include.linux.icmp import icmphdr
from kshell.linux.include.linux.ip import iphdr
from kshell.linux.include.linux.skbuff import sk_buff
from kshell.linux.include.linux.socket import CMSG_LEN, for_each_cmsghdr
from kshell.linux.include.net.flow import LOOPBACK_IFINDEX
from kshell.linux.include.net.inet_sock import (
    IP_CMSG_ORIGDSTADDR,
    IP_CMSG_PKTINFO,
    IP_CMSG_RECVFRAGSIZE,
    IP_CMSG_RECVOPTS,
    IP_CMSG_RETOPTS,
    IP_CMSG_TOS,
    IP_CMSG_TTL,
    inet_sk,
    ip_options,
)
from kshell.linux.include.net.ip import IPCB, inet_skb_parm, ip_ra_chain, ipcm_cookie
from kshell.linux.include.net.rtable import inet_iif
from kshell.linux.net.core.datagram import skb_copy_datagram_msg
from kshell.linux.net.core.scm import put_cmsg
from kshell.linux.net.core.skbuff import alloc_skb, consume_skb, kfree_skb, skb_clone, skb_dst_drop
from kshell.linux.net.core.skbuff_error import sock_dequeue_err_skb, sock_queue_err_skb
from kshell.linux.net.core.sock_queue import __sock_cmsg_send
from kshell.linux.net.ipv4 import fib_frontend, route
from kshell.linux.net.ipv4.ip_options import ip_options_get, ip_options_undo
from kshell.linux.net.ipv4.ip_options_echo import __ip_options_echo
from kshell.linux.net.socket_cmsg import sock_recv_timestamp

if TYPE_CHECKING:
    from kshell.linux.include.linux.socket import cmsghdr, msghdr
    from kshell.linux.include.net.net_namespace import net as net_t
    from kshell.linux.include.net.sock import sock

_INT = struct.Struct("<i")


def _iph(skb: sk_buff) -> iphdr:
    iph = skb.network_header
    assert isinstance(iph, iphdr)
    return iph


def ip_cmsg_recv_pktinfo(msg: msghdr, skb: sk_buff) -> None:
    """IP_PKTINFO: struct in_pktinfo."""
    cb = skb.cb
    parm = cb if isinstance(cb, inet_skb_parm) else getattr(cb, "h4", None)
    ifindex, spec_dst = parm._pktinfo if parm is not None else (0, 0)
    daddr = _iph(skb).daddr
    data = _INT.pack(ifindex) + spec_dst.to_bytes(4, "big") + daddr.to_bytes(4, "big")
    put_cmsg(msg, SOL_IP, IP_PKTINFO, 12, data)


def ip_cmsg_recv_ttl(msg: msghdr, skb: sk_buff) -> None:
    """IP_TTL: int."""
    put_cmsg(msg, SOL_IP, IP_TTL, 4, _INT.pack(_iph(skb).ttl))


def ip_cmsg_recv_tos(msg: msghdr, skb: sk_buff) -> None:
    """IP_TOS: one byte."""
    put_cmsg(msg, SOL_IP, IP_TOS, 1, bytes((_iph(skb).tos,)))


def ip_cmsg_recv_opts(msg: msghdr, skb: sk_buff) -> None:
    """IP_RECVOPTS: the options as received."""
    options = _iph(skb)._options
    if options:
        put_cmsg(msg, SOL_IP, IP_RECVOPTS, len(options), options)


def ip_cmsg_recv_retopts(net: net_t, msg: msghdr, skb: sk_buff) -> None:
    """IP_RETOPTS: the options to answer with."""
    sopt = IPCB(skb).opt
    if not sopt._data:
        return
    opt = ip_options()
    if not __ip_options_echo(net, opt, skb, sopt):
        msg.msg_flags |= MSG_CTRUNC
        return
    ip_options_undo(opt)
    put_cmsg(msg, SOL_IP, IP_RETOPTS, opt.optlen, bytes(opt._data))


def ip_cmsg_recv_fragsize(msg: msghdr, skb: sk_buff) -> None:
    """IP_RECVFRAGSIZE: int, size of the largest fragment."""
    size = IPCB(skb).frag_max_size
    if size:
        put_cmsg(msg, SOL_IP, IP_RECVFRAGSIZE, 4, _INT.pack(size))


def ip_cmsg_recv_dstaddr(msg: msghdr, skb: sk_buff) -> None:
    """IP_ORIGDSTADDR: struct sockaddr_in of where the packet was sent to."""
    header = skb.transport_header
    if header is None or isinstance(header, icmphdr):
        raw = skb.data[_iph(skb).ihl * 4 :] if skb.sk is not None and skb.sk.sk_type == SOCK_RAW else skb.data
        if len(raw) < 4:
            return
        port = int.from_bytes(raw[2:4], "big")
    else:
        port = header.dest  # type: ignore[attr-defined]
    daddr = _iph(skb).daddr
    data = b"\x02\0" + port.to_bytes(2, "big") + daddr.to_bytes(4, "big") + bytes(8)
    put_cmsg(msg, SOL_IP, IP_ORIGDSTADDR, 16, data)


def ip_cmsg_recv_offset(msg: msghdr, sk: sock, skb: sk_buff, tlen: int, offset: int) -> None:
    """Give the receiver the control messages that it asked for."""
    flags = inet_sk(sk).cmsg_flags
    if flags & IP_CMSG_PKTINFO:
        ip_cmsg_recv_pktinfo(msg, skb)
    if flags & IP_CMSG_TTL:
        ip_cmsg_recv_ttl(msg, skb)
    if flags & IP_CMSG_TOS:
        ip_cmsg_recv_tos(msg, skb)
    if flags & IP_CMSG_RECVOPTS:
        ip_cmsg_recv_opts(msg, skb)
    if flags & IP_CMSG_RETOPTS:
        ip_cmsg_recv_retopts(sk.skc_net, msg, skb)
    if flags & IP_CMSG_ORIGDSTADDR:
        ip_cmsg_recv_dstaddr(msg, skb)
    if flags & IP_CMSG_RECVFRAGSIZE:
        ip_cmsg_recv_fragsize(msg, skb)


def ip_cmsg_recv(msg: msghdr, sk: sock, skb: sk_buff) -> None:
    """The same for protocols without a header of their own."""
    ip_cmsg_recv_offset(msg, sk, skb, 0, 0)


def _cmsg_int(cmsg: cmsghdr, low: int) -> int:
    if cmsg.cmsg_len != CMSG_LEN(4):
        raise KernelError(EINVAL)
    val: int = _INT.unpack_from(cmsg._data)[0]
    if val < low or val > 255:
        raise KernelError(EINVAL)
    return val


def _cmsg_tos(cmsg: cmsghdr) -> int:
    if cmsg.cmsg_len == CMSG_LEN(1):
        return cmsg._data[0]
    return _cmsg_int(cmsg, 0)


def ip_cmsg_send(sk: sock, msg: msghdr, ipc: ipcm_cookie, allow_ipv6: bool) -> None:
    """Take the sender's control messages. EINVAL, EPERM, EFAULT."""
    for cmsg in for_each_cmsghdr(msg):
        if cmsg is None:
            raise KernelError(EINVAL)
        if cmsg.cmsg_level == SOL_SOCKET:
            __sock_cmsg_send(sk, msg, cmsg, ipc.sockc)
            continue
        if cmsg.cmsg_level != SOL_IP:
            continue
        kind = cmsg.cmsg_type
        if kind == IP_RETOPTS:
            ipc.opt = ip_options_get(sk.skc_net, bytes(cmsg._data[:40]), min(len(cmsg._data), 40))
        elif kind == IP_PKTINFO:
            if cmsg.cmsg_len != CMSG_LEN(12):
                raise KernelError(EINVAL)
            ifindex = _INT.unpack_from(cmsg._data)[0]
            if ifindex:
                ipc.oif = ifindex
            ipc.addr = int.from_bytes(cmsg._data[4:8], "big")
        elif kind == IP_TTL:
            ipc.ttl = _cmsg_int(cmsg, 1)
        elif kind == IP_TOS:
            ipc.tos = _cmsg_tos(cmsg)
            ipc.priority = route.rt_tos2priority(ipc.tos)
        elif kind == IP_PROTOCOL:
            ipc.protocol = _cmsg_int(cmsg, 1)
        else:
            raise KernelError(EINVAL)


def ip_ra_control(sk: sock, on: bool) -> int:
    """IP_ROUTER_ALERT. EINVAL unless raw, EADDRINUSE if on already, ENOBUFS if off already."""
    if sk.sk_type != SOCK_RAW or inet_sk(sk).inet_num == IPPROTO_RAW:
        raise KernelError(EINVAL)
    ipv4 = sk.skc_net.ipv4
    last = None
    ra = ipv4.ra_chain
    while ra is not None and ra.sk is not sk:
        last, ra = ra, ra.next
    if ra is not None:
        if on:
            raise KernelError(EADDRINUSE)
        if last is None:
            ipv4.ra_chain = ra.next
        else:
            last.next = ra.next
        sk.skc_refcnt -= 1
        return 0
    if not on:
        raise KernelError(ENOBUFS)
    new = ip_ra_chain(sk, None)
    if last is None:
        ipv4.ra_chain = new
    else:
        last.next = new
    sk.skc_refcnt += 1
    return 0


def ip_icmp_error(sk: sock, skb: sk_buff, err: int, port: int, info: int, payload: int) -> None:
    """Queue an ICMP error for IP_RECVERR; skb.data is the packet in error, its own data begin at `payload`."""
    icmph = skb.transport_header
    assert isinstance(icmph, icmphdr)
    inner = skb.data
    clone = skb_clone(skb)
    if clone is None:
        return
    ee = sock_extended_err(err, SO_EE_ORIGIN_ICMP, icmph.type, icmph.code, info)
    clone.cb = sock_exterr_skb(ee, int.from_bytes(inner[16:20], "big"), port)
    if payload <= len(inner):
        clone.data = inner[payload:]
        clone.len = len(clone.data)
        try:
            sock_queue_err_skb(sk, clone)
            return
        except KernelError:
            pass
    kfree_skb(clone)


def ip_local_error(sk: sock, err: int, daddr: int, port: int, info: int) -> None:
    """Queue an error that arose here (EMSGSIZE) for IP_RECVERR."""
    if not inet_sk(sk).recverr:
        return
    skb = alloc_skb(sk.skc_net.kernel, 20)
    skb.network_header = iphdr(daddr=daddr)
    skb.cb = sock_exterr_skb(sock_extended_err(err, SO_EE_ORIGIN_LOCAL, 0, 0, info), daddr, port)
    try:
        sock_queue_err_skb(sk, skb)
    except KernelError:
        kfree_skb(skb)


def ipv4_datagram_support_cmsg(sk: sock, skb: sk_buff, ee_origin: int) -> bool:
    """Whether an error comes with address and control messages."""
    return ee_origin == SO_EE_ORIGIN_ICMP


def ip_recv_error(sk: sock, msg: msghdr, length: int) -> int:
    """recvmsg(MSG_ERRQUEUE): the next error. EAGAIN."""
    skb = sock_dequeue_err_skb(sk)
    if skb is None:
        raise KernelError(EAGAIN)
    copied = skb.len
    if copied > length:
        msg.msg_flags |= MSG_TRUNC
        copied = length
    try:
        skb_copy_datagram_msg(skb, 0, msg, copied)
    except KernelError:
        kfree_skb(skb)
        raise
    sock_recv_timestamp(msg, sk, skb)
    serr = SKB_EXT_ERR(skb)
    ee = serr.ee
    if msg._want_name and (ee.ee_origin in (SO_EE_ORIGIN_ICMP, SO_EE_ORIGIN_LOCAL) or serr.port):
        msg.msg_name = b"\x02\0" + serr.port.to_bytes(2, "big") + serr._daddr.to_bytes(4, "big") + bytes(8)
        msg.msg_namelen = 16
    offender = bytes(16)
    if ipv4_datagram_support_cmsg(sk, skb, ee.ee_origin):
        offender = b"\x02\0\0\0" + _iph(skb).saddr.to_bytes(4, "big") + bytes(8)
        if inet_sk(sk).cmsg_flags:
            ip_cmsg_recv(msg, sk, skb)
    put_cmsg(msg, SOL_IP, IP_RECVERR, 32, ee._to_bytes() + offender)
    msg.msg_flags |= MSG_ERRQUEUE
    consume_skb(skb)
    return copied


def ipv4_pktinfo_prepare(sk: sock, skb: sk_buff, drop_dst: bool) -> None:
    """Keep what IP_PKTINFO tells before the route is dropped."""
    if inet_sk(sk).cmsg_flags & IP_CMSG_PKTINFO and skb._skb_refdst is not None:
        old = IPCB(skb)
        new = inet_skb_parm(old.iif)
        new.opt, new.flags, new.frag_max_size = old.opt, old.flags, old.frag_max_size
        ifindex = old.iif or skb.skb_iif
        if ifindex == LOOPBACK_IFINDEX:
            ifindex = inet_iif(skb)
        new._pktinfo = (ifindex, fib_frontend.fib_compute_spec_dst(skb))
        if isinstance(skb.cb, inet_skb_parm):
            skb.cb = new
        else:
            skb.cb.h4 = new  # type: ignore[attr-defined]
    if drop_dst:
        skb_dst_drop(skb)
