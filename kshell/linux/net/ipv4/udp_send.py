"""net/ipv4/udp.c: sending."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.errno import (
    EACCES,
    EAFNOSUPPORT,
    EDESTADDRREQ,
    EINVAL,
    EIO,
    EMSGSIZE,
    ENETUNREACH,
    ENOBUFS,
    EOPNOTSUPP,
)
from kshell.abi.inet import IPPROTO_UDPLITE
from kshell.abi.socket import (
    AF_INET,
    AF_UNSPEC,
    MSG_CONFIRM,
    MSG_DONTROUTE,
    MSG_DONTWAIT,
    MSG_MORE,
    MSG_OOB,
    MSG_PROBE,
    SOL_UDP,
)
from kshell.abi.tcp import TCP_ESTABLISHED, UDP_SEGMENT
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.in_ import ipv4_is_multicast
from kshell.linux.include.linux.net import SOCK_NOSPACE
from kshell.linux.include.linux.skbuff import (
    CHECKSUM_NONE,
    CHECKSUM_PARTIAL,
    SKB_GSO_UDP_L4,
    sk_buff,
    skb_shinfo,
)
from kshell.linux.include.linux.snmp import IPSTATS_MIB_OUTNOROUTES, UDP_MIB_OUTDATAGRAMS, UDP_MIB_SNDBUFERRORS
from kshell.linux.include.linux.socket import CMSG_LEN, MSG_SENDPAGE_NOTLAST, for_each_cmsghdr, msghdr
from kshell.linux.include.linux.udp import UDP_FLAGS_CORK, UDP_MAX_SEGMENTS, udp_sk, udphdr
from kshell.linux.include.linux.uio import _kvec_iter
from kshell.linux.include.net.flow import flowi4
from kshell.linux.include.net.inet_sock import _cork_of, inet_cork, inet_sk, inet_sk_flowi_flags
from kshell.linux.include.net.ip import _pick_device, get_rttos, ipcm_cookie, ipcm_init_sk
from kshell.linux.include.net.rtable import RTCF_BROADCAST, RTO_ONLINK, rtable
from kshell.linux.include.net.sock import SOCK_BROADCAST, SOCK_LOCALROUTE, sock
from kshell.linux.include.net.sock_dst import sk_dst_set
from kshell.linux.net.core.dst import dst_release
from kshell.linux.net.core.skbuff import kfree_skb
from kshell.linux.net.core.sock import sk_dst_check
from kshell.linux.net.core.sock_lock import lock_sock_nested as lock_sock
from kshell.linux.net.core.sock_lock import release_sock
from kshell.linux.net.ipv4.ip_output import ip_generic_getfrag, ip_send_skb
from kshell.linux.net.ipv4.ip_output_append import _wait_for_sndbuf, ip_append_data
from kshell.linux.net.ipv4.ip_output_push import __ip_make_skb, ip_flush_pending_frames, ip_make_skb
from kshell.linux.net.ipv4.ip_sockglue import ip_cmsg_send
from kshell.linux.net.ipv4.route_output import ip_route_output_flow
from kshell.linux.security.security import security_sk_classify_flow

if TYPE_CHECKING:
    from kshell.linux.include.linux.net import socket
    from kshell.linux.include.linux.udp import udp_sock

_HDR = 8


def _statistics(sk: sock) -> list[int]:
    """UDP_INC_STATS(): the counters of UDP or UDP-Lite."""
    mib = sk.skc_net.mib
    return mib.udplite_statistics if sk.sk_protocol == IPPROTO_UDPLITE else mib.udp_statistics


def udp_flush_pending_frames(sk: sock) -> None:
    """Throw away what is corked."""
    up = udp_sk(sk)
    if up.pending:
        up.len = 0
        up.pending = 0
        ip_flush_pending_frames(sk)


def udp4_hwcsum(skb: sk_buff, src: int, dst: int) -> None:
    """Leave the checksum to the device (here: to whoever looks at the bytes)."""
    uh = skb.transport_header
    assert isinstance(uh, udphdr)
    uh.check = None


def udp_send_skb(skb: sk_buff, fl4: flowi4, cork: inet_cork) -> int:
    """Give a finished packet its UDP header and send it. EMSGSIZE, EINVAL, EIO (UDP_SEGMENT), ENOBUFS and others."""
    sk = skb.sk
    assert sk is not None
    iph_len = skb.network_header.ihl * 4  # type: ignore[attr-defined]
    length = skb.len - iph_len
    datalen = length - _HDR
    skb.transport_header = udphdr(inet_sk(sk).inet_sport, fl4.fl4_dport, length)
    is_udplite = sk.sk_protocol == IPPROTO_UDPLITE
    if cork.gso_size:
        err = 0
        if iph_len + _HDR + min(datalen, cork.gso_size) > cork.fragsize:
            err = EMSGSIZE
        elif datalen > cork.gso_size * UDP_MAX_SEGMENTS or sk.sk_no_check_tx:
            err = EINVAL
        elif skb.ip_summed != CHECKSUM_PARTIAL or is_udplite:
            err = EIO
        if err:
            kfree_skb(skb)
            raise KernelError(err)
        if datalen > cork.gso_size:
            shinfo = skb_shinfo(skb)
            shinfo.gso_size = cork.gso_size
            shinfo.gso_type = SKB_GSO_UDP_L4
            shinfo.gso_segs = -(-datalen // cork.gso_size)
        udp4_hwcsum(skb, fl4.saddr, fl4.daddr)
    elif is_udplite:
        up = udp_sk(sk)
        if up.pcflag & 2 and up.pcslen and up.pcslen < length:
            skb.transport_header.len = up.pcslen
    elif sk.sk_no_check_tx:
        skb.ip_summed = CHECKSUM_NONE
        skb.transport_header.check = 0
    elif skb.ip_summed == CHECKSUM_PARTIAL:
        udp4_hwcsum(skb, fl4.saddr, fl4.daddr)
    try:
        ip_send_skb(sk.skc_net, skb)
    except KernelError as e:
        if e.errno == ENOBUFS and not inet_sk(sk).recverr:
            _statistics(sk)[UDP_MIB_SNDBUFERRORS] += 1
            return 0
        raise
    _statistics(sk)[UDP_MIB_OUTDATAGRAMS] += 1
    return 0


def udp_push_pending_frames(sk: sock) -> int:
    """Send what is corked as one datagram."""
    up = udp_sk(sk)
    cork = _cork_of(up)
    try:
        skb = __ip_make_skb(sk, cork.fl, sk.sk_write_queue, cork.base)
        if skb is not None:
            udp_send_skb(skb, cork.fl, cork.base)
    finally:
        up.len = 0
        up.pending = 0
    return 0


def udp_cmsg_send(sk: sock, msg: msghdr, ipc: ipcm_cookie) -> bool:
    """Take UDP_SEGMENT from the control messages; True if others are there for the IP layer. EINVAL."""
    need_ip = False
    for cmsg in for_each_cmsghdr(msg):
        if cmsg is None:
            raise KernelError(EINVAL)
        if cmsg.cmsg_level != SOL_UDP:
            need_ip = True
            continue
        if cmsg.cmsg_type != UDP_SEGMENT or cmsg.cmsg_len != CMSG_LEN(2):
            raise KernelError(EINVAL)
        ipc.gso_size = int.from_bytes(cmsg._data[:2], "little")
    return need_ip


def _destination(sk: sock, msg: msghdr) -> tuple[int, int, bool]:
    """(address, port, connected) that a message goes to. EINVAL, EAFNOSUPPORT, EDESTADDRREQ."""
    name = msg.msg_name
    if name is not None:
        if msg.msg_namelen < 16:
            raise KernelError(EINVAL)
        if int.from_bytes(name[:2], "little") not in (AF_INET, AF_UNSPEC):
            raise KernelError(EAFNOSUPPORT)
        dport = int.from_bytes(name[2:4], "big")
        if not dport:
            raise KernelError(EINVAL)
        return int.from_bytes(name[4:8], "big"), dport, False
    if sk.sk_state != TCP_ESTABLISHED:
        raise KernelError(EDESTADDRREQ)
    return sk.skc_daddr, sk.skc_dport, True


def _route(
    sk: sock, fl4: flowi4, ipc: ipcm_cookie, msg_flags: int, daddr: int, dport: int, connected: bool
) -> tuple[rtable, bool]:
    """The route of a message, a reference with it; fl4 gets the addresses if it was looked up."""
    inet = inet_sk(sk)
    saddr = ipc.addr
    ipc.addr = faddr = daddr
    opt = ipc.opt.opt if ipc.opt is not None else None
    if opt is not None and opt.srr:
        if not daddr:
            raise KernelError(EINVAL)
        faddr = opt.faddr
        connected = False
    tos = get_rttos(ipc, inet)
    if sk.skc_flags >> SOCK_LOCALROUTE & 1 or msg_flags & MSG_DONTROUTE or (opt is not None and opt.is_strictroute):
        tos |= RTO_ONLINK
        connected = False
    saddr = _pick_device(ipc, inet, daddr, saddr)
    connected = connected and not ipv4_is_multicast(daddr)
    if connected:
        rt = sk_dst_check(sk, 0)
        if rt is not None:
            return rt, True  # type: ignore[return-value]
    net = sk.skc_net
    fl4.__init__(
        ipc.oif, 1, ipc.sockc.mark, tos, 0, sk.sk_protocol, inet_sk_flowi_flags(sk), faddr, saddr, dport,
        inet.inet_sport, sk.sk_uid,
    )  # fmt: skip
    security_sk_classify_flow(sk, fl4)
    try:
        found = ip_route_output_flow(net, fl4, sk)
    except KernelError as e:
        if e.errno == ENETUNREACH:
            net.mib.ip_statistics[IPSTATS_MIB_OUTNOROUTES] += 1
        raise
    if found.rt_flags & RTCF_BROADCAST and not sk.skc_flags >> SOCK_BROADCAST & 1:
        dst_release(found)
        raise KernelError(EACCES)
    if connected:
        found.refcnt += 1
        sk_dst_set(sk, found)
    return found, False


def _cookie(up: udp_sock, msg: msghdr) -> tuple[ipcm_cookie, bool]:
    """What the socket and the message's control messages say of the way; whether some of those are IP's."""
    ipc = ipcm_cookie()
    ipcm_init_sk(ipc, up)
    ipc.gso_size = up.gso_size
    has_ip_options = bool(msg.msg_controllen and udp_cmsg_send(up, msg, ipc))
    if has_ip_options:
        ip_cmsg_send(up, msg, ipc, False)
    if ipc.opt is None:
        ipc.opt = up.inet_opt
    return ipc, has_ip_options


def _send_at_once(sk: sock, fl4: flowi4, msg: msghdr, length: int, ipc: ipcm_cookie, rt: rtable) -> None:
    """Make a datagram and send it; the packet takes over the reference to rt."""
    cork = inet_cork()
    try:
        skb = ip_make_skb(
            sk, fl4, ip_generic_getfrag, msg, length + _HDR, _HDR, ipc, rt, cork, msg.msg_flags
        )  # fmt: skip
        if skb is not None:
            udp_send_skb(skb, fl4, cork)
    except KernelError as e:
        _count_error(sk, e.errno)
        raise
    finally:
        dst_release(None)  # ip_rt_put(rt): the packet has it


async def udp_sendmsg(sk: sock, msg: msghdr, length: int) -> int:
    """sendmsg() of UDP sockets: EMSGSIZE, EOPNOTSUPP (MSG_OOB), EINVAL, EDESTADDRREQ, ENETUNREACH, EACCES, EAGAIN …"""
    up = udp_sk(sk)
    flags = msg.msg_flags
    if length > 0xFFFF:
        raise KernelError(EMSGSIZE)
    if flags & MSG_OOB:
        raise KernelError(EOPNOTSUPP)
    corkreq = bool(up.udp_flags >> UDP_FLAGS_CORK & 1 or flags & MSG_MORE)
    if up.pending:
        lock_sock(sk)
        return _append(sk, _cork_of(up).fl, msg, length, length, None, None, corkreq)
    daddr, dport, connected = _destination(sk, msg)
    ipc, has_ip_options = _cookie(up, msg)
    connected = connected and not has_ip_options
    fl4 = flowi4()
    rt, cached = _route(sk, fl4, ipc, flags, daddr, dport, connected)
    if cached:
        fl4 = _cork_of(up).fl
    if flags & MSG_CONFIRM and flags & MSG_PROBE and not length:
        dst_release(rt)
        return 0
    if not ipc.addr:
        daddr = ipc.addr = fl4.daddr
    if sk.sk_wmem_alloc > sk.sk_sndbuf and not flags & MSG_DONTWAIT:
        try:
            await _wait_for_sndbuf(sk, flags)
        except KernelError:
            dst_release(rt)
            raise
    if corkreq:
        lock_sock(sk)
        if up.pending:
            release_sock(sk)
            dst_release(rt)
            raise KernelError(EINVAL)
        saddr = fl4.saddr
        fl4 = _cork_of(up).fl
        fl4.daddr = daddr
        fl4.saddr = saddr
        fl4.fl4_dport = dport
        fl4.fl4_sport = up.inet_sport
        up.pending = AF_INET
        return _append(sk, fl4, msg, length, length + _HDR, ipc, rt, corkreq)
    _send_at_once(sk, fl4, msg, length, ipc, rt)
    return length


def _count_error(sk: sock, errno: int) -> None:
    if errno == ENOBUFS or (sk.sk_socket is not None and sk.sk_socket.flags >> SOCK_NOSPACE & 1):
        _statistics(sk)[UDP_MIB_SNDBUFERRORS] += 1


def _append(
    sk: sock,
    fl4: flowi4,
    msg: msghdr,
    length: int,
    ulen: int,
    ipc: ipcm_cookie | None,
    rt: rtable | None,
    corkreq: bool,
) -> int:
    """do_append_data: add to what is corked, and send it unless more is to come."""
    up = udp_sk(sk)
    up.len += ulen
    flags = msg.msg_flags | MSG_MORE if corkreq else msg.msg_flags
    try:
        try:
            ip_append_data(sk, fl4, ip_generic_getfrag, msg, ulen, _HDR, ipc, rt, flags)
        except KernelError:
            udp_flush_pending_frames(sk)
            raise
        if not corkreq:
            udp_push_pending_frames(sk)
        elif sk.sk_write_queue.next is None:
            up.pending = 0
    except KernelError as e:
        _count_error(sk, e.errno)
        raise
    finally:
        release_sock(sk)
    return length


def udp_splice_eof(sock: socket) -> None:
    """The source of a splice ended: send what is pending unless UDP_CORK is set."""
    sk = sock.sk
    assert sk is not None
    up = udp_sk(sk)
    if not up.pending or up.udp_flags >> UDP_FLAGS_CORK & 1:
        return
    lock_sock(sk)
    if up.pending:
        udp_push_pending_frames(sk)
    release_sock(sk)


async def udp_sendpage(sk: sock, page: bytes, flags: int) -> int:
    """A page (or less) from splice() or sendfile(): more of the packet that is being built, or one of its own."""
    up = udp_sk(sk)
    if flags & MSG_SENDPAGE_NOTLAST:
        flags |= MSG_MORE
    current = sk.skc_net.kernel.current
    if not up.pending:
        await udp_sendmsg(sk, msghdr(current, _kvec_iter(b""), flags | MSG_MORE), 0)
    size = len(page)
    lock_sock(sk)
    corkreq = bool(up.udp_flags >> UDP_FLAGS_CORK & 1 or flags & MSG_MORE)
    return _append(sk, _cork_of(up).fl, msghdr(current, _kvec_iter(page), flags), size, size, None, None, corkreq)
