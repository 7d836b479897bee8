"""net/ipv4/datagram.c: connect() of sockets without connections."""

from __future__ import annotations

from kshell.abi.errno import EACCES, EAFNOSUPPORT, EINVAL, ENETUNREACH
from kshell.abi.socket import AF_INET
from kshell.abi.tcp import TCP_ESTABLISHED
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.in_ import ipv4_is_multicast
from kshell.linux.include.linux.snmp import IPSTATS_MIB_OUTNOROUTES
from kshell.linux.include.net.flow import flowi4
from kshell.linux.include.net.inet_sock import _cork_of, inet_sk
from kshell.linux.include.net.route import RT_CONN_FLAGS, ip_route_connect, ip_route_output_ports
from kshell.linux.include.net.rtable import RTCF_BROADCAST
from kshell.linux.include.net.sock import SOCK_BROADCAST, sock
from kshell.linux.include.net.sock_dst import sk_dst_reset, sk_dst_set
from kshell.linux.net.core.dst import dst_release
from kshell.linux.net.core.sock_lock import lock_sock_nested as lock_sock
from kshell.linux.net.core.sock_lock import release_sock
from kshell.linux.net.core.sock_reuseport import reuseport_has_conns_set


def __ip4_datagram_connect(sk: sock, uaddr: bytes, addr_len: int) -> int:
    """Set the peer. EINVAL, EAFNOSUPPORT, ENETUNREACH, EACCES (broadcast)."""
    inet = inet_sk(sk)
    if addr_len < 16:
        raise KernelError(EINVAL)
    if int.from_bytes(uaddr[:2], "little") != AF_INET:
        raise KernelError(EAFNOSUPPORT)
    sk_dst_reset(sk)
    daddr = int.from_bytes(uaddr[4:8], "big")
    dport = int.from_bytes(uaddr[2:4], "big")
    oif = sk.sk_bound_dev_if
    saddr = inet.inet_saddr
    if ipv4_is_multicast(daddr):
        oif = oif or inet.mc_index
        saddr = saddr or inet.mc_addr
    elif not oif:
        oif = inet.uc_index
    fl4 = _cork_of(inet).fl
    net = sk.skc_net
    try:
        rt = ip_route_connect(fl4, daddr, saddr, oif, sk.sk_protocol, inet.inet_sport, dport, sk)
    except KernelError as e:
        if e.errno == ENETUNREACH:
            net.mib.ip_statistics[IPSTATS_MIB_OUTNOROUTES] += 1
        raise
    if rt.rt_flags & RTCF_BROADCAST and not sk.skc_flags >> SOCK_BROADCAST & 1:
        dst_release(rt)
        raise KernelError(EACCES)
    if not inet.inet_saddr:
        inet.inet_saddr = fl4.saddr
    if not inet.inet_rcv_saddr:
        inet.inet_rcv_saddr = fl4.saddr
        if sk.sk_prot.rehash is not None:
            sk.sk_prot.rehash(sk)
    inet.inet_daddr = fl4.daddr
    inet.inet_dport = dport
    reuseport_has_conns_set(sk)
    sk.sk_state = TCP_ESTABLISHED
    sk.sk_txhash = net.kernel.random.getrandbits(32) or 1
    inet.inet_id = net.kernel.random.getrandbits(16)
    sk_dst_set(sk, rt)
    return 0


async def ip4_datagram_connect(sk: sock, uaddr: bytes, addr_len: int) -> int:
    """The same as the owner of the socket."""
    lock_sock(sk)
    try:
        return __ip4_datagram_connect(sk, uaddr, addr_len)
    finally:
        release_sock(sk)


def ip4_datagram_release_cb(sk: sock) -> None:
    """The socket is let go of: find another route if the one it has went bad."""
    dst = sk.sk_dst_cache
    if dst is None or not dst.obsolete or dst.ops.check(dst, 0) is not None:
        return
    inet = inet_sk(sk)
    opt = inet.inet_opt
    daddr = opt.opt.faddr if opt is not None and opt.opt.srr else inet.inet_daddr
    try:
        rt = ip_route_output_ports(
            sk.skc_net, flowi4(), sk, daddr, inet.inet_saddr, inet.inet_dport, inet.inet_sport, sk.sk_protocol,
            RT_CONN_FLAGS(sk), sk.sk_bound_dev_if,
        )  # fmt: skip
    except KernelError:
        sk_dst_set(sk, None)
        return
    sk_dst_set(sk, rt)
