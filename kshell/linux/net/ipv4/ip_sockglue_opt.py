"""net/ipv4/ip_sockglue.c: setsockopt and getsockopt at level IPPROTO_IP. Multicast is in ip_sockglue_mcast."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from kshell.abi import inet as abi
from kshell.abi.capability import CAP_NET_ADMIN, CAP_NET_RAW
from kshell.abi.errno import EADDRNOTAVAIL, EINVAL, EMSGSIZE, ENOPROTOOPT, ENOTCONN, EOPNOTSUPP, EPERM
from kshell.abi.inet import MRT_BASE, MRT_MAX
from kshell.abi.socket import SOCK_DGRAM, SOCK_RAW, SOCK_STREAM, SOL_IP
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.socket import msghdr
from kshell.linux.include.linux.sockptr import USER_SOCKPTR, copy_from_sockptr, copy_to_sockptr
from kshell.linux.include.linux.uio import _kvec_iter
from kshell.linux.include.net.inet_sock import (
    IP_CMSG_CHECKSUM,
    IP_CMSG_ORIGDSTADDR,
    IP_CMSG_PASSSEC,
    IP_CMSG_PKTINFO,
    IP_CMSG_RECVFRAGSIZE,
    IP_CMSG_RECVOPTS,
    IP_CMSG_RETOPTS,
    IP_CMSG_TOS,
    IP_CMSG_TTL,
    inet_sk,
    ip_options,
)
from kshell.linux.include.net.sock import sock
from kshell.linux.include.net.sock_dst import sk_dst_get, sk_dst_reset
from kshell.linux.kernel.capability import ns_capable
from kshell.linux.net.core.dev import dev_get_by_index
from kshell.linux.net.core.dst import dst_release
from kshell.linux.net.core.scm import put_cmsg
from kshell.linux.net.core.skbuff import skb_queue_purge
from kshell.linux.net.core.sock_lock import lock_sock_nested as lock_sock
from kshell.linux.net.core.sock_lock import release_sock
from kshell.linux.net.ipv4 import ip_sockglue_mcast as mcast
from kshell.linux.net.ipv4 import route
from kshell.linux.net.ipv4.bpfilter.sockopt import (
    BPFILTER_IPT_GET_MAX,
    BPFILTER_IPT_SO_GET_INFO,
    bpfilter_ip_get_sockopt,
)
from kshell.linux.net.ipv4.ip_options import ip_options_get, ip_options_undo
from kshell.linux.net.ipv4.ip_sockglue import ip_ra_control

if TYPE_CHECKING:
    from kshell.linux.include.linux.sockptr import sockptr_t


_CMSG_FLAGS = MappingProxyType(
    {
        abi.IP_PKTINFO: IP_CMSG_PKTINFO,
        abi.IP_RECVTTL: IP_CMSG_TTL,
        abi.IP_RECVTOS: IP_CMSG_TOS,
        abi.IP_RECVOPTS: IP_CMSG_RECVOPTS,
        abi.IP_RETOPTS: IP_CMSG_RETOPTS,
        abi.IP_PASSSEC: IP_CMSG_PASSSEC,
        abi.IP_RECVORIGDSTADDR: IP_CMSG_ORIGDSTADDR,
        abi.IP_CHECKSUM: IP_CMSG_CHECKSUM,
        abi.IP_RECVFRAGSIZE: IP_CMSG_RECVFRAGSIZE,
    }
)
_INTS = frozenset(_CMSG_FLAGS) | {
    abi.IP_TOS, abi.IP_TTL, abi.IP_HDRINCL, abi.IP_MTU_DISCOVER, abi.IP_RECVERR, abi.IP_ROUTER_ALERT, abi.IP_FREEBIND,
    abi.IP_TRANSPARENT, abi.IP_MINTTL, abi.IP_NODEFRAG, abi.IP_BIND_ADDRESS_NO_PORT, abi.IP_UNICAST_IF,
    abi.IP_MULTICAST_TTL, abi.IP_MULTICAST_ALL, abi.IP_MULTICAST_LOOP, abi.IP_RECVERR_RFC4884, abi.IP_LOCAL_PORT_RANGE,
}  # fmt: skip
# options of one field: (field, least length of the value, smallest, largest value; None: any, stored as 0 or 1)
_FIELDS: MappingProxyType[int, tuple[str, int, tuple[int, int] | None]] = MappingProxyType(
    {
        abi.IP_BIND_ADDRESS_NO_PORT: ("bind_address_no_port", 0, None),
        abi.IP_MTU_DISCOVER: ("pmtudisc", 0, (abi.IP_PMTUDISC_DONT, abi.IP_PMTUDISC_OMIT)),
        abi.IP_RECVERR_RFC4884: ("recverr_rfc4884", 0, (0, 1)),
        abi.IP_MULTICAST_LOOP: ("mc_loop", 1, None),
        abi.IP_MULTICAST_ALL: ("mc_all", 1, (0, 1)),
        abi.IP_FREEBIND: ("freebind", 1, None),
        abi.IP_MINTTL: ("min_ttl", 1, (0, 255)),
    }
)


def ip_mroute_opt(optname: int) -> bool:
    """True for the options of multicast routing daemons."""
    return MRT_BASE <= optname <= MRT_MAX


def ip_mroute_setsockopt(sk: sock, optname: int, optval: sockptr_t, optlen: int) -> int:
    """Multicast routing is not modelled: EOPNOTSUPP, as on any socket but a raw IGMP one."""
    raise KernelError(EOPNOTSUPP)


def __ip_sock_set_tos(sk: sock, val: int) -> None:
    """Set TOS and with it the priority; streams keep their ECN bits."""
    inet = inet_sk(sk)
    if sk.sk_type == SOCK_STREAM:
        val = (val & ~3) | (inet.tos & 3)
    val &= 0xFF
    if inet.tos != val:
        inet.tos = val
        sk.sk_priority = route.rt_tos2priority(val)
        sk_dst_reset(sk)


def _set_options(sk: sock, optval: sockptr_t, optlen: int) -> None:
    """IP_OPTIONS."""
    inet = inet_sk(sk)
    if optlen > 40:
        raise KernelError(EINVAL)
    opt = ip_options_get(sk.skc_net, optval, optlen)
    if inet.is_icsk:
        old = inet.inet_opt
        icsk = sk
        if old is not None:
            icsk.icsk_ext_hdr_len -= old.opt.optlen  # type: ignore[attr-defined]
        icsk.icsk_ext_hdr_len += opt.opt.optlen  # type: ignore[attr-defined]
        icsk.icsk_sync_mss(sk, icsk.icsk_pmtu_cookie)  # type: ignore[attr-defined]
    inet.inet_opt = opt


def _set_unicast_if(sk: sock, val: int, optlen: int) -> None:
    """IP_UNICAST_IF: the index comes in network byte order."""
    if optlen != 4:
        raise KernelError(EINVAL)
    ifindex = int.from_bytes((val & 0xFFFFFFFF).to_bytes(4, "little"), "big", signed=True)
    inet = inet_sk(sk)
    if ifindex == 0:
        inet.uc_index = 0
        return
    dev = dev_get_by_index(sk.skc_net, ifindex)
    if dev is None:
        raise KernelError(EADDRNOTAVAIL)
    dev.pcpu_refcnt -= 1
    if sk.sk_bound_dev_if:
        raise KernelError(EINVAL)
    inet.uc_index = ifindex


def xfrm_user_policy(sk: sock, optname: int, optval: sockptr_t, optlen: int) -> int:
    """IPsec policies of a socket: no key manager is there to compile one. EMSGSIZE, EFAULT, EINVAL."""
    if not optlen and not optval.user:
        return 0
    if optlen <= 0 or optlen > 4096:
        raise KernelError(EMSGSIZE)
    copy_from_sockptr(optval, optlen)
    raise KernelError(EINVAL)


def _set_simple(sk: sock, optname: int, val: int, optlen: int) -> None:
    """Options that set one field."""
    field, least, bounds = _FIELDS[optname]
    if optlen < least or (bounds is not None and not bounds[0] <= val <= bounds[1]):
        raise KernelError(EINVAL)
    setattr(inet_sk(sk), field, val if bounds is not None else int(bool(val)))


def _set_cmsg(sk: sock, optname: int, val: int) -> None:
    """Options that ask for a control message."""
    inet = inet_sk(sk)
    if optname == abi.IP_RECVFRAGSIZE and sk.sk_type not in (SOCK_RAW, SOCK_DGRAM):
        raise KernelError(EINVAL)
    flag = _CMSG_FLAGS[optname]
    if optname == abi.IP_CHECKSUM:
        inet.convert_csum = int(bool(val))
    inet.cmsg_flags = inet.cmsg_flags | flag if val else inet.cmsg_flags & ~flag


def _set_ttl(sk: sock, optname: int, val: int, optlen: int) -> None:
    """IP_TTL, IP_MULTICAST_TTL."""
    inet = inet_sk(sk)
    if optname == abi.IP_TTL:
        if optlen < 1 or (val != -1 and not 1 <= val <= 255):
            raise KernelError(EINVAL)
        inet.uc_ttl = val
        return
    if sk.sk_type == SOCK_STREAM or optlen < 1:
        raise KernelError(EINVAL)
    if val == -1:
        val = 1
    if not 0 <= val <= 255:
        raise KernelError(EINVAL)
    inet.mc_ttl = val


def _set_port_range(sk: sock, val: int, optlen: int) -> None:
    """IP_LOCAL_PORT_RANGE."""
    lo, hi = val & 0xFFFF, val >> 16 & 0xFFFF
    if optlen != 4 or (lo and hi and lo > hi):
        raise KernelError(EINVAL)
    inet_sk(sk).local_port_range = (lo, hi)


def _setsockopt_locked(sk: sock, optname: int, val: int, optval: sockptr_t, optlen: int) -> None:
    """The part of do_ip_setsockopt() that owns the socket."""
    inet = inet_sk(sk)
    net = sk.skc_net
    if optname in _CMSG_FLAGS:
        _set_cmsg(sk, optname, val)
    elif optname in _FIELDS:
        _set_simple(sk, optname, val, optlen)
    elif optname == abi.IP_TOS:
        __ip_sock_set_tos(sk, val)
    elif optname in (abi.IP_TTL, abi.IP_MULTICAST_TTL):
        _set_ttl(sk, optname, val, optlen)
    elif optname == abi.IP_OPTIONS:
        _set_options(sk, optval, optlen)
    elif optname in (abi.IP_HDRINCL, abi.IP_NODEFRAG):
        if sk.sk_type != SOCK_RAW:
            raise KernelError(ENOPROTOOPT)
        setattr(inet, "hdrincl" if optname == abi.IP_HDRINCL else "nodefrag", int(bool(val)))
    elif optname == abi.IP_RECVERR:
        inet.recverr = int(bool(val))
        if not val:
            skb_queue_purge(sk.sk_error_queue)
    elif optname == abi.IP_UNICAST_IF:
        _set_unicast_if(sk, val, optlen)
    elif optname in (abi.IP_IPSEC_POLICY, abi.IP_XFRM_POLICY):
        if not ns_capable(net.kernel.current, net.user_ns, CAP_NET_ADMIN):
            raise KernelError(EPERM)
        xfrm_user_policy(sk, optname, optval, optlen)
    elif optname == abi.IP_TRANSPARENT:
        current = net.kernel.current
        if val and not (
            ns_capable(current, net.user_ns, CAP_NET_RAW) or ns_capable(current, net.user_ns, CAP_NET_ADMIN)
        ):
            raise KernelError(EPERM)
        if optlen < 1:
            raise KernelError(EINVAL)
        inet.transparent = int(bool(val))
    elif optname == abi.IP_LOCAL_PORT_RANGE:
        _set_port_range(sk, val, optlen)
    elif not mcast._setsockopt(sk, optname, optval, optlen):
        raise KernelError(ENOPROTOOPT)


def do_ip_setsockopt(sk: sock, level: int, optname: int, optval: sockptr_t, optlen: int) -> int:
    """setsockopt(IPPROTO_IP, …). EFAULT, EINVAL, ENOPROTOOPT, EPERM and what the option adds."""
    val = 0
    if optname in _INTS and optlen:
        if optlen >= 4:
            val = int.from_bytes(copy_from_sockptr(optval, 4), "little", signed=True)
        else:
            val = copy_from_sockptr(optval, 1)[0]
    if optname == abi.IP_ROUTER_ALERT:
        return ip_ra_control(sk, bool(val))
    if ip_mroute_opt(optname):
        return ip_mroute_setsockopt(sk, optname, optval, optlen)
    lock_sock(sk)
    try:
        _setsockopt_locked(sk, optname, val, optval, optlen)
    finally:
        release_sock(sk)
    return 0


def ip_setsockopt(sk: sock, level: int, optname: int, optval: sockptr_t, optlen: int) -> int:
    """The same; ENOPROTOOPT for other levels."""
    if level != SOL_IP:
        raise KernelError(ENOPROTOOPT)
    return do_ip_setsockopt(sk, level, optname, optval, optlen)


def _get_mtu(sk: sock) -> int:
    """IP_MTU: ENOTCONN without a route."""
    dst = sk_dst_get(sk)
    val = 0
    if dst is not None:
        val = dst.ops.mtu(dst)
        dst_release(dst)
    if not val:
        raise KernelError(ENOTCONN)
    return val


_GET_FIELDS = MappingProxyType(
    {
        abi.IP_TOS: "tos",
        abi.IP_HDRINCL: "hdrincl",
        abi.IP_NODEFRAG: "nodefrag",
        abi.IP_BIND_ADDRESS_NO_PORT: "bind_address_no_port",
        abi.IP_MTU_DISCOVER: "pmtudisc",
        abi.IP_RECVERR: "recverr",
        abi.IP_RECVERR_RFC4884: "recverr_rfc4884",
        abi.IP_MULTICAST_TTL: "mc_ttl",
        abi.IP_MULTICAST_LOOP: "mc_loop",
        abi.IP_MULTICAST_ALL: "mc_all",
        abi.IP_FREEBIND: "freebind",
        abi.IP_TRANSPARENT: "transparent",
        abi.IP_MINTTL: "min_ttl",
        abi.IP_PROTOCOL: "inet_num",
    }
)


def _get_value(sk: sock, optname: int) -> int:
    """The value of an option that is an int. ENOPROTOOPT, ENOTCONN."""
    inet = inet_sk(sk)
    field = _GET_FIELDS.get(optname)
    if field is not None:
        return int(getattr(inet, field))
    if optname in _CMSG_FLAGS:
        return int(bool(inet.cmsg_flags & _CMSG_FLAGS[optname]))
    if optname == abi.IP_TTL:
        return sk.skc_net.ipv4.sysctl_ip_default_ttl if inet.uc_ttl == -1 else inet.uc_ttl
    if optname == abi.IP_MTU:
        return _get_mtu(sk)
    if optname == abi.IP_UNICAST_IF:
        return int.from_bytes(inet.uc_index.to_bytes(4, "big"), "little", signed=True)
    if optname == abi.IP_LOCAL_PORT_RANGE:
        lo, hi = inet.local_port_range
        return int.from_bytes((hi << 16 | lo).to_bytes(4, "little"), "little", signed=True)
    raise KernelError(ENOPROTOOPT)


def _put(optval: sockptr_t, optlen: sockptr_t, data: bytes) -> int:
    copy_to_sockptr(optlen, len(data).to_bytes(4, "little"))
    copy_to_sockptr(optval, data)
    return 0


def _get_options(sk: sock, length: int, optval: sockptr_t, optlen: sockptr_t) -> int:
    """IP_OPTIONS: what was set."""
    inet_opt = inet_sk(sk).inet_opt
    if inet_opt is None or not inet_opt.opt.optlen:
        copy_to_sockptr(optlen, bytes(4))
        return 0
    opt = ip_options(bytes(inet_opt.opt._data))
    for name in ("srr", "rr", "rr_needaddr", "ts", "ts_needaddr", "ts_needtime", "faddr"):
        setattr(opt, name, getattr(inet_opt.opt, name))
    ip_options_undo(opt)
    return _put(optval, optlen, bytes(opt._data[:length]))


def _get_pktoptions(sk: sock, length: int, optval: sockptr_t, optlen: sockptr_t) -> int:
    """IP_PKTOPTIONS: control messages of a stream."""
    if sk.sk_type != SOCK_STREAM:
        raise KernelError(ENOPROTOOPT)
    inet = inet_sk(sk)
    assert optval.current is not None
    msg = msghdr(optval.current, _kvec_iter(b""))
    msg.msg_control_user = optval.user
    msg.msg_controllen = length
    if inet.cmsg_flags & IP_CMSG_PKTINFO:
        addr = inet.inet_rcv_saddr.to_bytes(4, "big")
        put_cmsg(msg, SOL_IP, abi.IP_PKTINFO, 12, inet.mc_index.to_bytes(4, "little") + addr + addr)
    if inet.cmsg_flags & IP_CMSG_TTL:
        put_cmsg(msg, SOL_IP, abi.IP_TTL, 4, inet.mc_ttl.to_bytes(4, "little"))
    if inet.cmsg_flags & IP_CMSG_TOS:
        put_cmsg(msg, SOL_IP, abi.IP_TOS, 4, inet.rcv_tos.to_bytes(4, "little"))
    copy_to_sockptr(optlen, (length - msg.msg_controllen).to_bytes(4, "little"))
    return 0


def do_ip_getsockopt(sk: sock, level: int, optname: int, optval: sockptr_t, optlen: sockptr_t) -> int:
    """getsockopt(IPPROTO_IP, …). EOPNOTSUPP for other levels, EFAULT, EINVAL, ENOPROTOOPT."""
    if level != SOL_IP or ip_mroute_opt(optname):
        raise KernelError(EOPNOTSUPP)
    length = int.from_bytes(copy_from_sockptr(optlen, 4), "little", signed=True)
    if length < 0:
        raise KernelError(EINVAL)
    lock_sock(sk)
    try:
        if optname == abi.IP_OPTIONS:
            return _get_options(sk, length, optval, optlen)
        if optname == abi.IP_MULTICAST_IF:
            return _put(optval, optlen, inet_sk(sk).mc_addr.to_bytes(4, "big")[:length])
        if optname == abi.IP_MSFILTER:
            return mcast._ip_get_msfilter(sk, optval, optlen, length)
        if optname == abi.MCAST_MSFILTER:
            return mcast.ip_get_mcast_msfilter(sk, optval, optlen, length)
        if optname == abi.IP_PKTOPTIONS:
            return _get_pktoptions(sk, length, optval, optlen)
        val = _get_value(sk, optname)
    finally:
        release_sock(sk)
    if 0 < length < 4 and 0 <= val <= 255:
        return _put(optval, optlen, bytes((val,)))
    return _put(optval, optlen, (val & 0xFFFFFFFF).to_bytes(4, "little")[:length])


def ip_getsockopt(sk: sock, level: int, optname: int, optval: int, optlen: int) -> int:
    """The same with user pointers."""
    current = sk.skc_net.kernel.current
    if BPFILTER_IPT_SO_GET_INFO <= optname < BPFILTER_IPT_GET_MAX:
        return bpfilter_ip_get_sockopt(current, optlen)
    return do_ip_getsockopt(sk, level, optname, USER_SOCKPTR(current, optval), USER_SOCKPTR(current, optlen))
