"""net/ipv4/raw.c: raw sockets. Receiving is in raw_rcv."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.errno import EADDRNOTAVAIL, EAFNOSUPPORT, EDESTADDRREQ, EINVAL, EMSGSIZE, ENOBUFS, EOPNOTSUPP
from kshell.abi.inet import IPPROTO_ICMP, IPPROTO_RAW
from kshell.abi.netdevice import ETH_P_IP
from kshell.abi.rtnetlink import RT_TABLE_LOCAL, RTN_BROADCAST, RTN_MULTICAST
from kshell.abi.socket import (
    AF_INET,
    AF_UNSPEC,
    MSG_DONTROUTE,
    MSG_ERRQUEUE,
    MSG_MORE,
    MSG_OOB,
    MSG_PROBE,
    MSG_TRUNC,
)
from kshell.abi.tcp import TCP_CLOSE, TCP_ESTABLISHED
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.ip import iphdr
from kshell.linux.include.linux.netdevice import NET_XMIT_CN
from kshell.linux.include.linux.skbuff import CHECKSUM_NONE
from kshell.linux.include.linux.snmp import IPSTATS_MIB_OUTDISCARDS
from kshell.linux.include.net.dst import dst_output
from kshell.linux.include.net.flow import FLOWI_FLAG_KNOWN_NH, flowi4
from kshell.linux.include.net.inet_sock import inet_addr_valid_or_nonlocal, inet_sk, inet_sk_flowi_flags
from kshell.linux.include.net.ip import _pick_device, get_rttos, ipcm_cookie, ipcm_init_sk
from kshell.linux.include.net.raw import raw_sock
from kshell.linux.include.net.rtable import RTO_ONLINK, rtable
from kshell.linux.include.net.sock import SOCK_LOCALROUTE, sk_error_report, sock
from kshell.linux.include.net.sock_dst import sk_dst_reset
from kshell.linux.include.net.sock_proto import proto
from kshell.linux.lib.iov_iter import copy_from_iter_full
from kshell.linux.net.core.datagram import skb_copy_datagram_msg, skb_free_datagram, skb_recv_datagram
from kshell.linux.net.core.dst import dst_release
from kshell.linux.net.core.skbuff import kfree_skb
from kshell.linux.net.core.sock import sk_common_release
from kshell.linux.net.core.sock_lock import lock_sock_nested as lock_sock
from kshell.linux.net.core.sock_lock import release_sock
from kshell.linux.net.core.sock_mem import sock_alloc_send_skb
from kshell.linux.net.ipv4 import fib_frontend, icmp
from kshell.linux.net.ipv4.datagram import ip4_datagram_connect, ip4_datagram_release_cb
from kshell.linux.net.ipv4.ip_output import _ip_select_ident_segs, ip_generic_getfrag
from kshell.linux.net.ipv4.ip_output_append import _may_send, _run_nowait, ip_append_data
from kshell.linux.net.ipv4.ip_output_push import ip_flush_pending_frames, ip_push_pending_frames
from kshell.linux.net.ipv4.ip_sockglue import ip_cmsg_recv, ip_cmsg_send, ip_local_error, ip_ra_control, ip_recv_error
from kshell.linux.net.ipv4.raw_opt import compat_raw_ioctl, raw_getsockopt, raw_ioctl, raw_setsockopt
from kshell.linux.net.ipv4.raw_rcv import raw_hash_sk, raw_rcv_skb, raw_unhash_sk
from kshell.linux.net.ipv4.route_output import ip_route_output_flow
from kshell.linux.net.ipv4.udp_connect import __udp_disconnect
from kshell.linux.net.l3mdev import l3mdev_fib_table_by_index
from kshell.linux.net.socket_cmsg import sock_recv_cmsgs
from kshell.linux.security.security import security_sk_classify_flow

if TYPE_CHECKING:
    from kshell.linux.include.linux.skbuff import sk_buff
    from kshell.linux.include.linux.socket import msghdr
    from kshell.linux.init.kernel import Kernel


class raw_frag_vec:
    """The message, of which hdr was taken out already to look at it."""

    __slots__ = ("hdr", "msg")

    def __init__(self, msg: msghdr) -> None:
        self.msg = msg
        self.hdr = b""


def _users_packet(sk: sock, msg: msghdr, length: int) -> tuple[sk_buff, iphdr]:
    """The packet that a message is, and its header. EAGAIN, EFAULT, EINVAL: the header's length is wrong."""
    skb: sk_buff | None = None
    try:
        skb = _run_nowait(sock_alloc_send_skb(sk, length + 31, True))
        data = copy_from_iter_full(msg.msg_iter, length)
        iph = iphdr._from_bytes(data)
        iphlen = iph.ihl * 4
        if iphlen > length or iphlen < 20:
            raise KernelError(EINVAL)
    except KernelError:
        kfree_skb(skb)
        raise
    skb.protocol = ETH_P_IP
    skb.len = length
    skb.network_header = iph
    skb.data = data[iphlen:]
    skb.ip_summed = CHECKSUM_NONE
    return skb, iph


def raw_send_hdrinc(sk: sock, fl4: flowi4, msg: msghdr, length: int, rt: rtable, flags: int, mark: int) -> None:
    """Send a packet whose IP header the user made. EMSGSIZE, EINVAL, EFAULT; takes over the reference to rt."""
    net = sk.skc_net
    if length > rt.dev.mtu:
        ip_local_error(sk, EMSGSIZE, fl4.daddr, inet_sk(sk).inet_dport, rt.dev.mtu)
        dst_release(rt)
        raise KernelError(EMSGSIZE)
    if length < 20 or flags & MSG_PROBE:
        dst_release(rt)
        if length < 20:
            raise KernelError(EINVAL)
        return
    try:
        skb, iph = _users_packet(sk, msg, length)
    except KernelError:
        net.mib.ip_statistics[IPSTATS_MIB_OUTDISCARDS] += 1
        dst_release(rt)
        raise
    skb._skb_refdst = rt
    if sk.sk_priority:
        skb.priority = sk.sk_priority
    if mark:
        skb.mark = mark
    if not iph.saddr:
        iph.saddr = fl4.saddr
    iph.check = None
    iph.tot_len = length & 0xFFFF
    if not iph.id:
        _ip_select_ident_segs(net, skb, None, 1)
    if iph.protocol == IPPROTO_ICMP and length >= iph.ihl * 4 + 8:
        icmp.icmp_out_count(net, skb.data[0])
    try:
        err = dst_output(net, sk, skb)
        if err > 0 and err != NET_XMIT_CN:
            raise KernelError(ENOBUFS)
    except KernelError as e:
        net.mib.ip_statistics[IPSTATS_MIB_OUTDISCARDS] += 1
        if e.errno != ENOBUFS or inet_sk(sk).recverr:
            raise


def raw_probe_proto_opt(rfv: raw_frag_vec, fl4: flowi4) -> None:
    """Look at the ICMP type and code, for routing. EFAULT."""
    if fl4.flowi4_proto == IPPROTO_ICMP:
        rfv.hdr = copy_from_iter_full(rfv.msg.msg_iter, 2)
        fl4.fl4_dport = rfv.hdr[0] << 8 | rfv.hdr[1]


def raw_getfrag(from_: object, offset: int, length: int, skb: sk_buff) -> bytes:
    """getfrag: what was taken out, then the rest of the message."""
    assert isinstance(from_, raw_frag_vec)
    head = from_.hdr[offset : offset + length]
    rest = length - len(head)
    return head + ip_generic_getfrag(from_.msg, offset, rest, skb) if rest else head


def _raw_destination(sk: sock, msg: msghdr) -> int:
    """Where a message goes. EINVAL, EAFNOSUPPORT, EDESTADDRREQ."""
    if msg.msg_namelen:
        name = msg.msg_name
        if msg.msg_namelen < 16 or name is None:
            raise KernelError(EINVAL)
        if int.from_bytes(name[:2], "little") not in (AF_INET, AF_UNSPEC):
            raise KernelError(EAFNOSUPPORT)
        return int.from_bytes(name[4:8], "big")
    if sk.sk_state != TCP_ESTABLISHED:
        raise KernelError(EDESTADDRREQ)
    return sk.skc_daddr


def _raw_flow(sk: sock, ipc: ipcm_cookie, msg_flags: int, daddr: int, hdrincl: int) -> flowi4:
    """The flow of a message. EINVAL (options with IP_HDRINCL)."""
    inet = inet_sk(sk)
    saddr = ipc.addr
    ipc.addr = daddr
    if ipc.opt is None:
        ipc.opt = inet.inet_opt
    if ipc.opt is not None:
        if hdrincl or (ipc.opt.opt.srr and not daddr):
            raise KernelError(EINVAL)
        if ipc.opt.opt.srr:
            daddr = ipc.opt.opt.faddr
    tos = get_rttos(ipc, inet)
    if sk.skc_flags >> SOCK_LOCALROUTE & 1 or msg_flags & MSG_DONTROUTE:
        tos |= RTO_ONLINK
    saddr = _pick_device(ipc, inet, daddr, saddr)
    flow_flags = inet_sk_flowi_flags(sk) | (FLOWI_FLAG_KNOWN_NH if hdrincl else 0)
    protocol = ipc.protocol if hdrincl else sk.sk_protocol
    return flowi4(ipc.oif, 1, ipc.sockc.mark, tos, 0, protocol, flow_flags, daddr, saddr, 0, 0, sk.sk_uid)


async def raw_sendmsg(sk: sock, msg: msghdr, length: int) -> int:
    """sendmsg() of raw sockets: EMSGSIZE, EOPNOTSUPP, EINVAL, EAFNOSUPPORT, EDESTADDRREQ, EACCES, ENETUNREACH …"""
    inet = inet_sk(sk)
    net = sk.skc_net
    flags = msg.msg_flags
    if length > 0xFFFF:
        raise KernelError(EMSGSIZE)
    hdrincl = inet.hdrincl
    if flags & MSG_OOB:
        raise KernelError(EOPNOTSUPP)
    daddr = _raw_destination(sk, msg)
    ipc = ipcm_cookie()
    ipcm_init_sk(ipc, inet)
    if hdrincl:
        ipc.protocol = IPPROTO_RAW
    if msg.msg_controllen:
        ip_cmsg_send(sk, msg, ipc, False)
    fl4 = _raw_flow(sk, ipc, flags, daddr, hdrincl)
    rfv = raw_frag_vec(msg)
    if not hdrincl:
        raw_probe_proto_opt(rfv, fl4)
    security_sk_classify_flow(sk, fl4)
    rt = ip_route_output_flow(net, fl4, sk)
    if not await _may_send(sk, rt, flags, length):
        return 0
    if hdrincl:
        raw_send_hdrinc(sk, fl4, msg, length, rt, flags, ipc.sockc.mark)
        return length
    if not ipc.addr:
        ipc.addr = fl4.daddr
    lock_sock(sk)
    try:
        try:
            ip_append_data(sk, fl4, raw_getfrag, rfv, length, 0, ipc, rt, flags)
        except KernelError:
            ip_flush_pending_frames(sk)
            raise
        if not flags & MSG_MORE:
            try:
                ip_push_pending_frames(sk, fl4)
            except KernelError as e:
                if e.errno != ENOBUFS or inet.recverr:
                    raise
    finally:
        release_sock(sk)
    return length


def raw_close(sk: sock, timeout: int) -> None:
    """The descriptor is closed."""
    try:
        ip_ra_control(sk, False)
    except KernelError:
        pass
    sk_common_release(sk)


def raw_destroy(sk: sock) -> None:
    """Throw away what was not sent."""
    lock_sock(sk)
    ip_flush_pending_frames(sk)
    release_sock(sk)


def raw_bind(sk: sock, uaddr: bytes, addr_len: int) -> int:
    """bind() of raw sockets: an address, no port. EINVAL, EADDRNOTAVAIL."""
    inet = inet_sk(sk)
    lock_sock(sk)
    try:
        if sk.sk_state != TCP_CLOSE or addr_len < 16:
            raise KernelError(EINVAL)
        tb_id = RT_TABLE_LOCAL
        if sk.sk_bound_dev_if:
            tb_id = l3mdev_fib_table_by_index(sk.skc_net, sk.sk_bound_dev_if) or tb_id
        saddr = int.from_bytes(uaddr[4:8], "big")
        kind = fib_frontend.inet_addr_type_table(sk.skc_net, saddr, tb_id)
        if not inet_addr_valid_or_nonlocal(sk.skc_net, inet, saddr, kind):
            raise KernelError(EADDRNOTAVAIL)
        inet.inet_rcv_saddr = inet.inet_saddr = saddr
        if kind in (RTN_MULTICAST, RTN_BROADCAST):
            inet.inet_saddr = 0
        sk_dst_reset(sk)
    finally:
        release_sock(sk)
    return 0


async def raw_recvmsg(sk: sock, msg: msghdr, length: int, flags: int) -> int:
    """recvmsg() of raw sockets: the packet from its IP header on. EOPNOTSUPP, EAGAIN …"""
    if flags & MSG_OOB:
        raise KernelError(EOPNOTSUPP)
    if flags & MSG_ERRQUEUE:
        return ip_recv_error(sk, msg, length)
    skb = await skb_recv_datagram(sk, flags)
    if skb is None:
        return 0
    copied = skb.len
    if length < copied:
        msg.msg_flags |= MSG_TRUNC
        copied = length
    try:
        skb_copy_datagram_msg(skb, 0, msg, copied)
        sock_recv_cmsgs(msg, sk, skb)
        iph = skb.network_header
        assert isinstance(iph, iphdr)
        if msg._want_name:
            msg.msg_name = b"\x02\0\0\0" + iph.saddr.to_bytes(4, "big") + bytes(8)
            msg.msg_namelen = 16
        if inet_sk(sk).cmsg_flags:
            ip_cmsg_recv(msg, sk, skb)
        return skb.len if flags & MSG_TRUNC else copied
    finally:
        skb_free_datagram(sk, skb)


def raw_sk_init(sk: sock) -> int:
    """A new socket blocks no ICMP type."""
    return 0


def raw_abort(sk: sock, err: int) -> int:
    """Disconnect with an error (ss -K)."""
    lock_sock(sk)
    sk.sk_err = err
    sk_error_report(sk)
    __udp_disconnect(sk, 0)
    release_sock(sk)
    return 0


raw_prot = proto(
    name="RAW",
    cls=raw_sock,
    obj_size=1000,
    close=raw_close,
    destroy=raw_destroy,
    connect=ip4_datagram_connect,
    disconnect=__udp_disconnect,
    ioctl=raw_ioctl,
    init=raw_sk_init,
    setsockopt=raw_setsockopt,
    getsockopt=raw_getsockopt,
    sendmsg=raw_sendmsg,
    recvmsg=raw_recvmsg,
    bind=raw_bind,
    backlog_rcv=raw_rcv_skb,
    release_cb=ip4_datagram_release_cb,
    hash=raw_hash_sk,
    unhash=raw_unhash_sk,
    useroffset=992,
    usersize=4,
    h="raw_v4_hashinfo",
    compat_ioctl=compat_raw_ioctl,
    diag_destroy=raw_abort,
)


def raw_init(kernel: Kernel) -> None:
    """Set up raw sockets; the table is there since inet_init() began."""
