"""net/ipv6/af_inet6.c: sockets of a kernel in which IPv6 is disabled on every device (disable_ipv6 = 1).

They can be made, configured and bound to ::, but there is no address to bind to and none that can be reached:
EADDRNOTAVAIL, ENETUNREACH. Packets of IPv6 are not modelled.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from kshell.abi.capability import CAP_NET_RAW
from kshell.abi.errno import (
    EADDRINUSE,
    EADDRNOTAVAIL,
    EAFNOSUPPORT,
    EINVAL,
    ENOTCONN,
    EPERM,
    EPROTONOSUPPORT,
    ESOCKTNOSUPPORT,
)
from kshell.abi.inet import (
    IP_PMTUDISC_WANT,
    IPPROTO_ICMPV6,
    IPPROTO_IP,
    IPPROTO_MAX,
    IPPROTO_RAW,
    IPPROTO_TCP,
    IPPROTO_UDP,
    IPPROTO_UDPLITE,
)
from kshell.abi.socket import AF_INET6, PF_INET6, SOCK_DGRAM, SOCK_RAW, SOCK_STREAM, SS_UNCONNECTED
from kshell.abi.tcp import TCP_CLOSE, TCPF_CLOSE, TCPF_SYN_SENT
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.errno import ENOIOCTLCMD
from kshell.linux.include.linux.net import net_proto_family, proto_ops
from kshell.linux.include.net.inet_sock import inet_sk, inet_sock
from kshell.linux.include.net.protocol import (
    INET_PROTOSW_ICSK,
    INET_PROTOSW_PERMANENT,
    INET_PROTOSW_REUSE,
    inet_protosw,
)
from kshell.linux.include.net.sock import SK_CAN_REUSE
from kshell.linux.kernel.capability import ns_capable
from kshell.linux.kernel.kmod import __request_module
from kshell.linux.net.core.datagram import datagram_poll
from kshell.linux.net.core.sock import lock_sock, release_sock, sk_alloc, sk_common_release, sock_init_data
from kshell.linux.net.core.sock_no import (
    sock_common_getsockopt,
    sock_common_setsockopt,
    sock_no_accept,
    sock_no_listen,
    sock_no_mmap,
    sock_no_socketpair,
)
from kshell.linux.net.core.sock_proto import proto_register
from kshell.linux.net.ipv4.af_inet import inet_recvmsg, inet_release, inet_shutdown, inet_sock_destruct
from kshell.linux.net.ipv4.af_inet_connect import inet_accept, inet_dgram_connect, inet_listen, inet_stream_connect
from kshell.linux.net.ipv4.tcp import tcp_poll
from kshell.linux.net.ipv4.udp import udp_poll
from kshell.linux.net.ipv6.addrconf import addrconf_init
from kshell.linux.net.ipv6.ndisc import ndisc_init
from kshell.linux.net.ipv6.protos import (
    SIN6_LEN_RFC2133,
    pingv6_prot,
    rawv6_prot,
    tcpv6_prot,
    udplitev6_prot,
    udpv6_prot,
)
from kshell.linux.net.ipv6.sysctl_net_ipv6 import ipv6_sysctl_register
from kshell.linux.net.socket import sock_register

if TYPE_CHECKING:
    from kshell.linux.include.linux.net import socket
    from kshell.linux.include.linux.sched import Rest
    from kshell.linux.include.linux.socket import msghdr
    from kshell.linux.include.net.net_namespace import net
    from kshell.linux.init.kernel import Kernel

_ANY = bytes(16)
_MAPPED = bytes(10) + b"\xff\xff"


def inet6_release(sock: socket) -> Rest | None:
    """The descriptor is closed."""
    return inet_release(sock)


def inet6_bind(sock: socket, uaddr: bytes, addr_len: int) -> int:
    """bind(): to :: and a port. EINVAL, EAFNOSUPPORT, EADDRNOTAVAIL, EADDRINUSE."""
    sk = sock.sk
    assert sk is not None
    if addr_len < SIN6_LEN_RFC2133:
        raise KernelError(EINVAL)
    family, port, _flow, address = struct.unpack_from("<H2sI16s", uaddr)
    if family != AF_INET6:
        raise KernelError(EAFNOSUPPORT)
    if address != _ANY:
        raise KernelError(EADDRNOTAVAIL)
    inet = inet_sk(sk)
    snum = int.from_bytes(port, "big")
    lock_sock(sk)
    try:
        if sk.sk_state != TCP_CLOSE or inet.inet_num:
            raise KernelError(EINVAL)
        if sk.sk_prot.get_port is not None:
            try:
                sk.sk_prot.get_port(sk, snum)
            except KernelError:
                raise KernelError(EADDRINUSE) from None
        inet.inet_sport = inet.inet_num
    finally:
        release_sock(sk)
    return 0


def inet6_getname(sock: socket, peer: int) -> bytes:
    """getsockname(), getpeername(). ENOTCONN."""
    sk = sock.sk
    assert sk is not None
    inet = inet_sk(sk)
    if not peer:
        return _sockaddr_in6(inet.inet_saddr, inet.inet_sport)
    if not inet.inet_dport or (peer == 1 and 1 << sk.sk_state & (TCPF_CLOSE | TCPF_SYN_SENT)):
        raise KernelError(ENOTCONN)
    return _sockaddr_in6(inet.inet_daddr, inet.inet_dport)


def _sockaddr_in6(addr: int, port: int) -> bytes:
    """The address of an end that is reached by IPv4: ::ffff:a.b.c.d, or :: for any."""
    mapped = _MAPPED + addr.to_bytes(4, "big") if addr else _ANY
    return struct.pack("<H2sI16sI", AF_INET6, port.to_bytes(2, "big"), 0, mapped, 0)


def inet6_ioctl(sock: socket, cmd: int, arg: int) -> int:
    """ioctl(): what the protocol knows."""
    sk = sock.sk
    assert sk is not None
    if sk.sk_prot.ioctl is None:
        raise KernelError(ENOIOCTLCMD)
    return sk.sk_prot.ioctl(sk, cmd, arg)


async def inet6_sendmsg(sock: socket, msg: msghdr, size: int) -> int:
    """sendmsg() by the protocol."""
    sk = sock.sk
    assert sk is not None
    assert sk.sk_prot.sendmsg is not None
    return await sk.sk_prot.sendmsg(sk, msg, size)


async def inet6_recvmsg(sock: socket, msg: msghdr, size: int, flags: int) -> int:
    """recvmsg() by the protocol."""
    return await inet_recvmsg(sock, msg, size, flags)


inet6_stream_ops = proto_ops(
    family=PF_INET6, release=inet6_release, bind=inet6_bind, connect=inet_stream_connect, socketpair=sock_no_socketpair,
    accept=inet_accept, getname=inet6_getname, poll=tcp_poll, ioctl=inet6_ioctl, listen=inet_listen,
    shutdown=inet_shutdown, setsockopt=sock_common_setsockopt, getsockopt=sock_common_getsockopt,
    sendmsg=inet6_sendmsg, recvmsg=inet6_recvmsg,
)  # fmt: skip
inet6_dgram_ops = proto_ops(
    family=PF_INET6, release=inet6_release, bind=inet6_bind, connect=inet_dgram_connect, socketpair=sock_no_socketpair,
    accept=sock_no_accept, getname=inet6_getname, poll=udp_poll, ioctl=inet6_ioctl, listen=sock_no_listen,
    shutdown=inet_shutdown, setsockopt=sock_common_setsockopt, getsockopt=sock_common_getsockopt,
    sendmsg=inet6_sendmsg, recvmsg=inet6_recvmsg, mmap=sock_no_mmap,
)  # fmt: skip
inet6_sockraw_ops = proto_ops(
    family=PF_INET6, release=inet6_release, bind=inet6_bind, connect=inet_dgram_connect, socketpair=sock_no_socketpair,
    accept=sock_no_accept, getname=inet6_getname, poll=datagram_poll, ioctl=inet6_ioctl, listen=sock_no_listen,
    shutdown=inet_shutdown, setsockopt=sock_common_setsockopt, getsockopt=sock_common_getsockopt,
    sendmsg=inet6_sendmsg, recvmsg=inet6_recvmsg, mmap=sock_no_mmap,
)  # fmt: skip

_PERMANENT = INET_PROTOSW_PERMANENT
inetsw6_array = (
    inet_protosw(type=SOCK_STREAM, protocol=IPPROTO_TCP, prot=tcpv6_prot, ops=inet6_stream_ops,
                 flags=_PERMANENT | INET_PROTOSW_ICSK),
    inet_protosw(type=SOCK_DGRAM, protocol=IPPROTO_UDP, prot=udpv6_prot, ops=inet6_dgram_ops, flags=_PERMANENT),
    inet_protosw(type=SOCK_DGRAM, protocol=IPPROTO_UDPLITE, prot=udplitev6_prot, ops=inet6_dgram_ops, flags=_PERMANENT),
    inet_protosw(type=SOCK_DGRAM, protocol=IPPROTO_ICMPV6, prot=pingv6_prot, ops=inet6_sockraw_ops,
                 flags=INET_PROTOSW_REUSE),
    inet_protosw(type=SOCK_RAW, protocol=IPPROTO_IP, prot=rawv6_prot, ops=inet6_sockraw_ops, flags=INET_PROTOSW_REUSE),
)  # fmt: skip


def _lookup(type: int, protocol: int) -> tuple[inet_protosw, int]:
    err = ESOCKTNOSUPPORT
    for answer in inetsw6_array:
        if answer.type != type:
            continue
        if protocol == answer.protocol:
            if protocol != IPPROTO_IP:
                return answer, protocol
        elif protocol == IPPROTO_IP:
            return answer, answer.protocol
        elif answer.protocol == IPPROTO_IP:
            return answer, protocol
        err = EPROTONOSUPPORT
    raise KernelError(err)


def inet6_create(net: net, sock: socket, protocol: int, kern: int) -> int:
    """socket(AF_INET6, …): EINVAL, ESOCKTNOSUPPORT, EPROTONOSUPPORT, EPERM (raw without CAP_NET_RAW), EACCES (ping)."""
    if not 0 <= protocol < IPPROTO_MAX:
        raise KernelError(EINVAL)
    sock.state = SS_UNCONNECTED
    kernel = net.kernel
    try:
        answer, protocol = _lookup(sock.type, protocol)
    except KernelError:
        __request_module(kernel, True, f"net-pf-{PF_INET6}-proto-{protocol}-type-{sock.type}")
        __request_module(kernel, True, f"net-pf-{PF_INET6}-proto-{protocol}")
        raise
    if sock.type == SOCK_RAW and not kern and not ns_capable(kernel.current, net.user_ns, CAP_NET_RAW):
        raise KernelError(EPERM)
    sock.ops = answer.ops
    sk = sk_alloc(net, PF_INET6, answer.prot, kern)
    sock_init_data(sock, sk)
    _init_inet(inet_sk(sk), answer, protocol)
    try:
        if inet_sk(sk).inet_num and answer.prot.hash is not None:
            answer.prot.hash(sk)
        if answer.prot.init is not None:
            answer.prot.init(sk)
    except KernelError:
        sk_common_release(sk)
        raise
    return 0


def _init_inet(inet: inet_sock, answer: inet_protosw, protocol: int) -> None:
    if answer.flags & INET_PROTOSW_REUSE:
        inet.sk_reuse = SK_CAN_REUSE
    if answer.flags & INET_PROTOSW_ICSK:
        inet.is_icsk = 1
    if answer.type == SOCK_RAW:
        inet.inet_num = inet.inet_sport = protocol
        if protocol == IPPROTO_RAW:
            inet.hdrincl = 1
    inet.sk_destruct = inet_sock_destruct
    inet.sk_protocol = protocol
    inet.sk_backlog_rcv = answer.prot.backlog_rcv  # type: ignore[assignment]
    inet.uc_ttl = -1
    inet.mc_loop = inet.mc_ttl = inet.mc_all = 1
    inet.pmtudisc = IP_PMTUDISC_WANT


inet6_family_ops = net_proto_family(family=PF_INET6, create=inet6_create)


def inet6_init(kernel: Kernel) -> None:
    """Initcall: the family and its protocols."""
    for prot in (tcpv6_prot, udpv6_prot, udplitev6_prot, rawv6_prot, pingv6_prot):
        proto_register(kernel, prot, 1)
    sock_register(kernel, inet6_family_ops)
    ndisc_init(kernel)
    addrconf_init(kernel)
    ipv6_sysctl_register(kernel)


