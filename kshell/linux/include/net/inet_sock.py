"""include/net/inet_sock.h: the part of a socket that all of AF_INET shares."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.linux.include.net.flow import FLOWI_FLAG_ANYSRC, flowi4
from kshell.linux.include.net.request_sock import request_sock
from kshell.linux.include.net.sock import sock, sock_common

if TYPE_CHECKING:
    from kshell.linux.include.linux.igmp import ip_mc_socklist
    from kshell.linux.include.linux.skbuff import sk_buff
    from kshell.linux.include.net.dst import dst_entry
    from kshell.linux.include.net.net_namespace import net

IPCORK_OPT = 1

IP_CMSG_PKTINFO = 1 << 0
IP_CMSG_TTL = 1 << 1
IP_CMSG_TOS = 1 << 2
IP_CMSG_RECVOPTS = 1 << 3
IP_CMSG_RETOPTS = 1 << 4
IP_CMSG_PASSSEC = 1 << 5
IP_CMSG_ORIGDSTADDR = 1 << 6
IP_CMSG_CHECKSUM = 1 << 7
IP_CMSG_RECVFRAGSIZE = 1 << 8


class ip_options:
    """Compiled IP options; offsets (srr, rr, ts, router_alert, cipso) count from the start of the IP header.

    `_data` is Linux's __data: the option bytes, padded to a multiple of four.
    """

    __slots__ = (
        "_data", "cipso", "faddr", "is_changed", "is_strictroute", "nexthop", "router_alert", "rr",
        "rr_needaddr", "srr",
        "srr_is_hit", "ts", "ts_needaddr", "ts_needtime",
    )  # fmt: skip

    def __init__(self, data: bytes = b"") -> None:
        self.faddr = self.nexthop = 0
        self.srr = self.rr = self.ts = self.is_strictroute = self.srr_is_hit = self.is_changed = 0
        self.rr_needaddr = self.ts_needtime = self.ts_needaddr = self.router_alert = self.cipso = 0
        self._data = bytearray(data)

    @property
    def optlen(self) -> int:
        return len(self._data)


class ip_options_rcu:
    """An allocated ip_options."""

    __slots__ = ("_addr", "opt")

    def __init__(self, opt: ip_options | None = None) -> None:
        self.opt = opt or ip_options()


class inet_cork:
    """What all fragments of a packet under construction share."""

    __slots__ = (
        "addr", "dst", "flags", "fragsize", "gso_size", "length", "mark", "opt", "priority", "tos",
        "transmit_time", "ttl",
        "tx_flags",
    )  # fmt: skip

    def __init__(self) -> None:
        self.flags = self.addr = self.fragsize = self.length = self.tx_flags = self.ttl = self.priority = 0
        self.gso_size = self.transmit_time = self.mark = 0
        self.tos = -1
        self.opt: ip_options | None = None
        self.dst: dst_entry | None = None


class inet_cork_full:
    """base, and the flow (`fl` is Linux's fl.u.ip4)."""

    __slots__ = ("base", "fl")

    def __init__(self) -> None:
        self.base = inet_cork()
        self.fl = flowi4()


class inet_sock(sock):
    """struct inet_sock (992 bytes)."""

    __slots__ = (
        "inet_id", "inet_saddr", "inet_sport", "is_icsk", "pmtudisc",
    )  # fmt: skip
    inet_saddr: int  # __be32, host order
    inet_sport: int  # __be16, host order
    inet_id: int
    pmtudisc: int
    is_icsk: int
    # cold; the first four as inet_create() sets them
    uc_ttl: int = -1
    mc_ttl: int = 1
    mc_loop: int = 1
    mc_all: int = 1
    sk_txrehash: int = 1  # net.core.txrehash unless that was changed
    cmsg_flags: int = 0
    inet_opt: ip_options_rcu | None = None
    tos: int = 0
    min_ttl: int = 0
    recverr: int = 0
    freebind: int = 0
    hdrincl: int = 0
    transparent: int = 0
    nodefrag: int = 0
    bind_address_no_port: int = 0
    recverr_rfc4884: int = 0
    defer_connect: int = 0
    rcv_tos: int = 0
    convert_csum: int = 0
    uc_index: int = 0
    mc_index: int = 0
    mc_addr: int = 0
    mc_list: ip_mc_socklist | None = None
    cork: inet_cork_full | None = None  # embedded in Linux; made by _cork_of() when first used
    local_port_range: tuple[int, int] = (0, 0)  # struct { lo, hi }
    if TYPE_CHECKING:
        inet_daddr: int
        inet_rcv_saddr: int
        inet_dport: int
        inet_num: int
    else:
        inet_daddr = sock.skc_daddr
        inet_rcv_saddr = sock.skc_rcv_saddr
        inet_dport = sock.skc_dport
        inet_num = sock.skc_num

    def __init__(self) -> None:
        sock.__init__(self)
        self.inet_saddr = self.inet_sport = self.inet_id = self.pmtudisc = self.is_icsk = 0


class inet_request_sock(request_sock):
    """struct inet_request_sock: what the SYN said, until there is a socket to know it."""

    __slots__ = (
        "acked", "ecn_ok", "ir_mark", "ireq_opt", "no_srccheck", "rcv_wscale", "sack_ok", "snd_wscale", "tstamp_ok",
        "wscale_ok",
    )  # fmt: skip

    acked: int
    ecn_ok: int
    ir_mark: int
    ireq_opt: ip_options_rcu | None
    no_srccheck: int
    rcv_wscale: int
    sack_ok: int
    snd_wscale: int
    tstamp_ok: int
    wscale_ok: int
    if TYPE_CHECKING:
        ir_loc_addr: int
        ir_rmt_addr: int
        ir_num: int
        ir_rmt_port: int
        ir_iif: int
        ireq_net: net
        ireq_state: int
        ireq_family: int
    else:
        ir_loc_addr = sock_common.skc_rcv_saddr
        ir_rmt_addr = sock_common.skc_daddr
        ir_num = sock_common.skc_num
        ir_rmt_port = sock_common.skc_dport
        ir_iif = sock_common.skc_bound_dev_if
        ireq_net = sock_common.skc_net
        ireq_state = sock_common.skc_state
        ireq_family = sock_common.skc_family

    def __init__(self) -> None:
        super().__init__()
        self.acked = self.ecn_ok = self.ir_mark = self.no_srccheck = self.rcv_wscale = 0
        self.sack_ok = self.snd_wscale = self.tstamp_ok = self.wscale_ok = 0
        self.ireq_opt = None


def inet_sk(sk: sock) -> inet_sock:
    """The socket seen as an inet_sock."""
    return sk  # type: ignore[return-value]


def _cork_of(inet: inet_sock) -> inet_cork_full:
    """inet->cork, made on demand."""
    cork = inet.cork
    if cork is None:
        cork = inet.cork = inet_cork_full()
    return cork


def inet_sk_flowi_flags(sk: sock) -> int:
    """FLOWI_FLAG_ANYSRC for transparent sockets and those that write their own header."""
    inet = inet_sk(sk)
    return FLOWI_FLAG_ANYSRC if inet.transparent or inet.hdrincl else 0


def inet_request_mark(sk: sock, skb: sk_buff) -> int:
    """Mark of a connection request: the listener's, or the packet's where tcp_fwmark_accept says so."""
    mark = sk.sk_mark
    if not mark and sk.sk_net.ipv4.sysctl_tcp_fwmark_accept:
        return skb.mark
    return mark


def inet_request_bound_dev_if(sk: sock, skb: sk_buff) -> int:
    """Device a connection request is bound to."""
    return sk.sk_bound_dev_if


def inet_bound_dev_eq(l3mdev_accept: bool, bound_dev_if: int, dif: int, sdif: int) -> bool:
    """True if a socket bound to bound_dev_if may have a packet of device dif."""
    if not bound_dev_if:
        return not sdif or l3mdev_accept
    return bound_dev_if in (dif, sdif)


def inet_sk_bound_dev_eq(net: net, bound_dev_if: int, dif: int, sdif: int) -> bool:
    """The same for TCP, with tcp_l3mdev_accept."""
    return inet_bound_dev_eq(bool(net.ipv4.sysctl_tcp_l3mdev_accept), bound_dev_if, dif, sdif)


def inet_is_local_reserved_port(net: net, port: int) -> bool:
    """True if ip_local_reserved_ports keeps the port from being chosen automatically."""
    reserved = net.ipv4.sysctl_local_reserved_ports
    return bool(reserved) and port in reserved


def inet_port_requires_bind_service(net: net, port: int) -> bool:
    """True for ports below ip_unprivileged_port_start."""
    return port < net.ipv4.sysctl_ip_prot_sock


def inet_can_nonlocal_bind(net: net, inet: inet_sock) -> bool:
    """True if the socket may bind to an address that is not ours."""
    return bool(net.ipv4.sysctl_ip_nonlocal_bind or inet.freebind or inet.transparent)


def inet_addr_valid_or_nonlocal(net: net, inet: inet_sock, addr: int, addr_type: int) -> bool:
    """True if bind() accepts an address of this RTN_xxx type."""
    return addr == 0 or addr_type in (2, 3, 5) or inet_can_nonlocal_bind(net, inet)
