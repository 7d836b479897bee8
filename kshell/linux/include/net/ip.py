"""include/net/ip.h: the IP layer's structures and inlines."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from kshell.linux.include.linux.in_ import ipv4_is_multicast
from kshell.linux.include.net.dst import dst_metric_locked
from kshell.linux.include.net.inet_sock import inet_sk, inet_sock, ip_options, ip_options_rcu
from kshell.linux.net.core.sock_queue import sockcm_cookie

if TYPE_CHECKING:
    from kshell.linux.include.linux.skbuff import sk_buff
    from kshell.linux.include.net.dst import dst_entry
    from kshell.linux.include.net.sock import sock

IPV4_MIN_MTU = 68
IP_MAX_MTU = 0xFFFF

IPSKB_FORWARDED = 1 << 0
IPSKB_XFRM_TUNNEL_SIZE = 1 << 1
IPSKB_XFRM_TRANSFORMED = 1 << 2
IPSKB_FRAG_COMPLETE = 1 << 3
IPSKB_REROUTED = 1 << 4
IPSKB_DOREDIRECT = 1 << 5
IPSKB_FRAG_PMTU = 1 << 6
IPSKB_L3SLAVE = 1 << 7
IPSKB_NOPOLICY = 1 << 8
IPSKB_MULTIPATH = 1 << 9

IP_REPLY_ARG_NOSRCCHECK = 1

# enum ip_defrag_users
IP_DEFRAG_LOCAL_DELIVER = 0
IP_DEFRAG_CALL_RA_CHAIN = 1
IP_DEFRAG_AF_PACKET = 9


class inet_skb_parm:
    """The control block of a packet in the IP layer."""

    __slots__ = ("_pktinfo", "flags", "frag_max_size", "iif", "opt")

    def __init__(self, iif: int = 0) -> None:
        self.iif = iif
        self._pktinfo = (0, 0)  # struct in_pktinfo, which overlays this: (ipi_ifindex, ipi_spec_dst)
        self.opt: ip_options = ip_options()
        self.flags = 0
        self.frag_max_size = 0


def IPCB(skb: sk_buff) -> inet_skb_parm:
    """The packet's control block, made when first asked for (a protocol's own block holds it as `h4`)."""
    cb = skb.cb
    if isinstance(cb, inet_skb_parm):
        return cb
    if cb is None:
        cb = skb.cb = inet_skb_parm(skb.skb_iif)
        return cb
    h4: inet_skb_parm | None = getattr(cb, "h4", None)
    if h4 is None:
        h4 = inet_skb_parm(skb.skb_iif)
        cb.h4 = h4  # type: ignore[attr-defined]
    return h4


def _ipcb_opt(skb: sk_buff) -> ip_options | None:
    """The packet's compiled options, or None: without making a control block."""
    cb = skb.cb
    if cb is None:
        return None
    if not isinstance(cb, inet_skb_parm):
        cb = getattr(cb, "h4", None)
    return cb.opt if cb is not None and cb.opt._data else None


class _sockcm_none(sockcm_cookie):
    """Nothing asked for, as memset() leaves it."""

    __slots__ = ()

    def __init__(self) -> None:
        self.transmit_time = self.mark = self.tsflags = 0


class ipcm_cookie:
    """What sendmsg() settles for one packet: socket defaults, overruled by control messages."""

    __slots__ = ("addr", "gso_size", "oif", "opt", "priority", "protocol", "sockc", "tos", "ttl")

    def __init__(self) -> None:
        self.sockc: sockcm_cookie = _sockcm_none()
        self.addr = self.oif = self.protocol = self.ttl = self.priority = self.gso_size = 0
        self.tos = -1
        self.opt: ip_options_rcu | None = None


def ipcm_init_sk(ipcm: ipcm_cookie, inet: inet_sock) -> None:
    """Take the socket's settings."""
    ipcm.sockc.mark = inet.sk_mark
    ipcm.sockc.tsflags = inet.sk_tsflags
    ipcm.oif = inet.sk_bound_dev_if
    ipcm.addr = inet.inet_saddr
    ipcm.protocol = inet.inet_num


class ip_ra_chain:
    """A raw socket with IP_ROUTER_ALERT."""

    __slots__ = ("next", "sk")

    def __init__(self, sk: sock, next: ip_ra_chain | None) -> None:
        self.sk = sk
        self.next = next


class ip_reply_arg:
    """How an answer that belongs to no socket is to be sent (ip_send_unicast_reply)."""

    __slots__ = ("bound_dev_if", "csum", "csumoffset", "flags", "iov", "tos", "uid")

    def __init__(self, iov: bytes = b"", flags: int = 0, bound_dev_if: int = 0, tos: int = 0, uid: int = 0) -> None:
        self.iov = iov
        self.flags = flags
        self.csum = 0
        self.csumoffset = -1
        self.bound_dev_if = bound_dev_if
        self.tos = tos
        self.uid = uid


def _pick_device(ipc: ipcm_cookie, inet: inet_sock, daddr: int, saddr: int) -> int:
    """The source; it and the device are the socket's settings for multicast or unicast where the message has none."""
    if ipv4_is_multicast(daddr):
        ipc.oif = ipc.oif or inet.mc_index
        return saddr or inet.mc_addr
    ipc.oif = ipc.oif or inet.uc_index
    return saddr


def get_rttos(ipc: ipcm_cookie, inet: inet_sock) -> int:
    """TOS bits for routing: a control message's, else the socket's."""
    return (ipc.tos if ipc.tos != -1 else inet.tos) & 0x1E


def ip_sk_accept_pmtu(sk: sock) -> bool:
    """True if ICMP "fragmentation needed" may change the route's MTU for this socket."""
    return inet_sk(sk).pmtudisc not in (4, 5)


def ip_sk_use_pmtu(sk: sock) -> bool:
    """True if the socket uses the path MTU at all."""
    return inet_sk(sk).pmtudisc < 3


def ip_sk_ignore_df(sk: sock) -> bool:
    """True if too large packets are fragmented here although DF is set."""
    return inet_sk(sk).pmtudisc < 2 or inet_sk(sk).pmtudisc == 5


def ip_dont_fragment(sk: sock, dst: dst_entry) -> bool:
    """True if packets of this socket get DF."""
    pmtudisc = inet_sk(sk).pmtudisc
    return pmtudisc == 2 or (pmtudisc == 1 and not ip_mtu_locked(dst))


def ip_mtu_locked(dst: dst_entry) -> bool:
    """ip_mtu_locked(): the route's MTU is fixed by the administrator or by what was learnt."""
    return bool(dst.rt_mtu_locked) or dst_metric_locked(dst, 2)  # type: ignore[attr-defined]


getfrag_t = Callable[[object, int, int, "sk_buff"], bytes]
