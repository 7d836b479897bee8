"""include/net/route.h: the route lookups that sockets make."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.rtnetlink import RT_SCOPE_LINK, RT_SCOPE_UNIVERSE
from kshell.linux.include.net.flow import FLOWI_FLAG_ANYSRC, flowi4, flowi4_init_output, flowi4_update_output
from kshell.linux.include.net.inet_sock import inet_sk, inet_sk_flowi_flags
from kshell.linux.include.net.rtable import (
    rtable,
)
from kshell.linux.include.net.sock import SOCK_LOCALROUTE, sock
from kshell.linux.net.core.dst import dst_release
from kshell.linux.security.security import security_sk_classify_flow

if TYPE_CHECKING:
    from kshell.linux.include.net.net_namespace import net as net_t


def RT_CONN_FLAGS(sk: sock) -> int:
    """TOS bits of the socket, with RTO_ONLINK for SO_DONTROUTE."""
    return (inet_sk(sk).tos & 0x1E) | (sk.sk_flags >> SOCK_LOCALROUTE & 1)


def RT_CONN_FLAGS_TOS(sk: sock, tos: int) -> int:
    """The same with another TOS."""
    return (tos & 0x1E) | (sk.sk_flags >> SOCK_LOCALROUTE & 1)


def ip_sock_rt_scope(sk: sock) -> int:
    """RT_SCOPE_LINK for SO_DONTROUTE."""
    return RT_SCOPE_LINK if sk.sk_flags >> SOCK_LOCALROUTE & 1 else RT_SCOPE_UNIVERSE


def ip_sock_rt_tos(sk: sock) -> int:
    """TOS bits of the socket that routing looks at."""
    return inet_sk(sk).tos & 0x1E


def ip_rt_put(rt: rtable | None) -> None:
    """Drop a reference to a route."""
    dst_release(rt)


def ip_route_output_key(net: net_t, flp: flowi4) -> rtable:
    """Route for a packet that belongs to no socket. ENETUNREACH and others."""
    return _route.ip_route_output_flow(net, flp, None)


def ip_route_output_ports(
    net: net_t,
    fl4: flowi4,
    sk: sock | None,
    daddr: int,
    saddr: int,
    dport: int,
    sport: int,
    proto: int,
    tos: int,
    oif: int,
) -> rtable:
    """Route for a connection whose ports are known."""
    mark = sk.sk_mark if sk is not None else 0
    flags = inet_sk_flowi_flags(sk) if sk is not None else 0
    uid = sk.sk_uid if sk is not None else 0
    flowi4_init_output(fl4, oif, mark, tos, RT_SCOPE_UNIVERSE, proto, flags, daddr, saddr, dport, sport, uid)
    if sk is not None:
        security_sk_classify_flow(sk, fl4)
    return _route.ip_route_output_flow(net, fl4, sk)


def ip_route_connect_init(
    fl4: flowi4, dst: int, src: int, oif: int, protocol: int, sport: int, dport: int, sk: sock
) -> None:
    """The key of a socket that connects."""
    flow_flags = FLOWI_FLAG_ANYSRC if inet_sk(sk).transparent else 0
    flowi4_init_output(
        fl4, oif, sk.sk_mark, ip_sock_rt_tos(sk), ip_sock_rt_scope(sk), protocol, flow_flags, dst, src, dport, sport,
        sk.sk_uid,
    )  # fmt: skip


def ip_route_connect(
    fl4: flowi4, dst: int, src: int, oif: int, protocol: int, sport: int, dport: int, sk: sock
) -> rtable:
    """Route for a socket that connects; fl4 comes back with both addresses. ENETUNREACH, EACCES, EINVAL."""
    net = sk.sk_net
    ip_route_connect_init(fl4, dst, src, oif, protocol, sport, dport, sk)
    if not dst or not src:
        rt = _route.ip_route_output_key_hash(net, fl4, None)
        dst_release(rt)
        flowi4_update_output(fl4, oif, fl4.daddr, fl4.saddr)
    security_sk_classify_flow(sk, fl4)
    return _route.ip_route_output_flow(net, fl4, sk)


def ip_route_newports(
    fl4: flowi4, rt: rtable, orig_sport: int, orig_dport: int, sport: int, dport: int, sk: sock
) -> rtable:
    """The route again, now that the ports are known."""
    if sport == orig_sport and dport == orig_dport:
        return rt
    fl4.fl4_dport = dport
    fl4.fl4_sport = sport
    dst_release(rt)
    flowi4_update_output(fl4, sk.sk_bound_dev_if, fl4.daddr, fl4.saddr)
    security_sk_classify_flow(sk, fl4)
    return _route.ip_route_output_flow(sk.sk_net, fl4, sk)


from kshell.linux.net.ipv4 import route_output as _route  # noqa: E402  it needs what stands above
