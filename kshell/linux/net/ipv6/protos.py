"""The IPv6 protocols where no device has an IPv6 address: what they do over IPv4, and nowhere to go.

Linux has these functions in tcp_ipv6.c, udp.c, raw.c, ping.c, datagram.c and ipv6_sockglue.c of net/ipv6.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.errno import EAFNOSUPPORT, EDESTADDRREQ, EINVAL, ENETUNREACH
from kshell.abi.socket import AF_INET6
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.tcp import tcp_sk
from kshell.linux.include.net.inet_timewait_sock import timewait_sock_ops
from kshell.linux.include.net.sock_proto import proto
from kshell.linux.net.ipv4.inet_hashtables import inet_hash
from kshell.linux.net.ipv4.ip_sockglue_opt import ip_getsockopt, ip_setsockopt
from kshell.linux.net.ipv4.ping import ping_prot
from kshell.linux.net.ipv4.raw import raw_close, raw_destroy, raw_prot, raw_recvmsg, raw_sk_init
from kshell.linux.net.ipv4.raw_opt import raw_getsockopt, raw_ioctl, raw_setsockopt
from kshell.linux.net.ipv4.tcp_ipv4 import tcp_prot, tcp_twsk_unique, tcp_v4_init_sock
from kshell.linux.net.ipv4.tcp_ipv4_rcv import tcp_v4_do_rcv
from kshell.linux.net.ipv4.tcp_minisocks_timewait import tcp_twsk_destructor
from kshell.linux.net.ipv4.udp import udp_destroy_sock, udp_getsockopt, udp_init_sock, udp_prot, udp_setsockopt
from kshell.linux.net.ipv4.udp_hash import udp_v4_get_port
from kshell.linux.net.ipv4.udp_recv import udp_recvmsg
from kshell.linux.net.ipv4.udplite import udplite_prot

if TYPE_CHECKING:
    from kshell.linux.include.linux.skbuff import sk_buff
    from kshell.linux.include.linux.socket import msghdr
    from kshell.linux.include.linux.sockptr import sockptr_t
    from kshell.linux.include.net.sock import sock

SIN6_LEN_RFC2133 = 24


def _check_address(uaddr: bytes, addr_len: int) -> None:
    if addr_len < SIN6_LEN_RFC2133:
        raise KernelError(EINVAL)
    if int.from_bytes(uaddr[:2], "little") != AF_INET6:
        raise KernelError(EAFNOSUPPORT)


async def tcp_v6_connect(sk: sock, uaddr: bytes, addr_len: int) -> int:
    """EINVAL, EAFNOSUPPORT for a bad address; no other can be reached: ENETUNREACH."""
    _check_address(uaddr, addr_len)
    raise KernelError(ENETUNREACH)


async def ip6_datagram_connect(sk: sock, uaddr: bytes, addr_len: int) -> int:
    """As tcp_v6_connect()."""
    _check_address(uaddr, addr_len)
    raise KernelError(ENETUNREACH)


async def ip6_datagram_connect_v6_only(sk: sock, uaddr: bytes, addr_len: int) -> int:
    """As ip6_datagram_connect(), and no IPv4 address in IPv6 clothes."""
    return await ip6_datagram_connect(sk, uaddr, addr_len)


def tcp_v6_init_sock(sk: sock) -> int:
    return tcp_v4_init_sock(tcp_sk(sk))


def inet6_hash(sk: sock) -> None:
    inet_hash(sk)


def tcp_v6_do_rcv(sk: sock, skb: sk_buff) -> int:
    """A segment for the socket: they all come by IPv4."""
    return tcp_v4_do_rcv(tcp_sk(sk), skb)


def udpv6_init_sock(sk: sock) -> int:
    return udp_init_sock(sk)


def udpv6_destroy_sock(sk: sock) -> None:
    udp_destroy_sock(sk)


def udpv6_setsockopt(sk: sock, level: int, optname: int, optval: sockptr_t, optlen: int) -> int:
    return udp_setsockopt(sk, level, optname, optval, optlen)


def udpv6_getsockopt(sk: sock, level: int, optname: int, optval: int, optlen: int) -> int:
    return udp_getsockopt(sk, level, optname, optval, optlen)


async def udpv6_sendmsg(sk: sock, msg: msghdr, length: int) -> int:
    """ENETUNREACH, EDESTADDRREQ: there is nowhere to send to."""
    raise KernelError(ENETUNREACH if msg.msg_name else EDESTADDRREQ)


async def udpv6_recvmsg(sk: sock, msg: msghdr, length: int, flags: int) -> int:
    return await udp_recvmsg(sk, msg, length, flags)


def udp_v6_get_port(sk: sock, snum: int) -> int:
    return udp_v4_get_port(sk, snum)


def rawv6_close(sk: sock, timeout: int) -> None:
    raw_close(sk, timeout)


def rawv6_ioctl(sk: sock, cmd: int, arg: int) -> int:
    return raw_ioctl(sk, cmd, arg)


def rawv6_init_sk(sk: sock) -> int:
    return raw_sk_init(sk)


def raw6_destroy(sk: sock) -> None:
    raw_destroy(sk)


def rawv6_setsockopt(sk: sock, level: int, optname: int, optval: sockptr_t, optlen: int) -> int:
    return raw_setsockopt(sk, level, optname, optval, optlen)


def rawv6_getsockopt(sk: sock, level: int, optname: int, optval: int, optlen: int) -> int:
    return raw_getsockopt(sk, level, optname, optval, optlen)


async def rawv6_sendmsg(sk: sock, msg: msghdr, length: int) -> int:
    """As udpv6_sendmsg()."""
    raise KernelError(ENETUNREACH if msg.msg_name else EDESTADDRREQ)


async def rawv6_recvmsg(sk: sock, msg: msghdr, length: int, flags: int) -> int:
    return await raw_recvmsg(sk, msg, length, flags)


def ipv6_setsockopt(sk: sock, level: int, optname: int, optval: sockptr_t, optlen: int) -> int:
    return ip_setsockopt(sk, level, optname, optval, optlen)


def ipv6_getsockopt(sk: sock, level: int, optname: int, optval: int, optlen: int) -> int:
    return ip_getsockopt(sk, level, optname, optval, optlen)


async def ping_v6_sendmsg(sk: sock, msg: msghdr, length: int) -> int:
    """As udpv6_sendmsg()."""
    raise KernelError(ENETUNREACH if msg.msg_name else EDESTADDRREQ)


def _variant(base: proto, name: str, obj_size: int, **changed: object) -> proto:
    """A protocol as over IPv4, but for its name, its size and what `changed` says."""
    fields = {field: getattr(base, field) for field in proto.__slots__ if field not in ("_cls", "inuse_idx")}
    fields |= {"name": name, "obj_size": obj_size, "pre_connect": None, "bind": None, "rsk_prot": None,
               "twsk_prot": None, **changed}  # fmt: skip
    return proto(cls=base._cls, **fields)


_UDP = {
    "connect": ip6_datagram_connect, "init": udpv6_init_sock, "destroy": udpv6_destroy_sock,
    "setsockopt": udpv6_setsockopt, "getsockopt": udpv6_getsockopt, "sendmsg": udpv6_sendmsg,
    "recvmsg": udpv6_recvmsg, "sendpage": None, "splice_eof": None, "release_cb": None, "rehash": None,
    "get_port": udp_v6_get_port,
}  # fmt: skip

tcp6_timewait_sock_ops = timewait_sock_ops(
    twsk_slab_name="tw_sock_TCPv6",
    twsk_obj_size=264,
    twsk_unique=tcp_twsk_unique,
    twsk_destructor=tcp_twsk_destructor,
)

tcpv6_prot = _variant(
    tcp_prot, "TCPv6", 2440, connect=tcp_v6_connect, init=tcp_v6_init_sock, hash=inet6_hash, backlog_rcv=tcp_v6_do_rcv,
    twsk_prot=tcp6_timewait_sock_ops,
)  # fmt: skip
udpv6_prot = _variant(udp_prot, "UDPv6", 1344, **_UDP)
udplitev6_prot = _variant(udplite_prot, "UDPLITEv6", 1344, **_UDP)
rawv6_prot = _variant(
    raw_prot, "RAWv6", 1200, connect=ip6_datagram_connect_v6_only, close=rawv6_close, ioctl=rawv6_ioctl,
    compat_ioctl=None, init=rawv6_init_sk, destroy=raw6_destroy, setsockopt=rawv6_setsockopt,
    getsockopt=rawv6_getsockopt, sendmsg=rawv6_sendmsg, recvmsg=rawv6_recvmsg, backlog_rcv=None, release_cb=None,
    useroffset=1000, usersize=32,
)  # fmt: skip
pingv6_prot = _variant(
    ping_prot, "PINGv6", 1200, connect=ip6_datagram_connect_v6_only, setsockopt=ipv6_setsockopt,
    getsockopt=ipv6_getsockopt, sendmsg=ping_v6_sendmsg, release_cb=None,
)  # fmt: skip
