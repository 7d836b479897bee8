"""net/ipv4/af_inet.c: the tables of AF_INET, its ioctls, and the initcall of IPv4."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from kshell.abi import ioctl as i
from kshell.abi.errno import EINVAL
from kshell.abi.inet import IPPROTO_ICMP, IPPROTO_IGMP, IPPROTO_IP, IPPROTO_TCP, IPPROTO_UDP
from kshell.abi.netdevice import ETH_P_IP
from kshell.abi.socket import PF_INET, SOCK_DGRAM, SOCK_RAW, SOCK_STREAM
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.errno import ENOIOCTLCMD
from kshell.linux.include.linux.net import SOCK_MAX, net_proto_family, proto_ops
from kshell.linux.include.linux.netdevice import packet_type
from kshell.linux.include.linux.snmp import (
    TCP_MIB_MAXCONN,
    TCP_MIB_RTOALGORITHM,
    TCP_MIB_RTOMAX,
    TCP_MIB_RTOMIN,
)
from kshell.linux.include.linux.uaccess import copy_from_user
from kshell.linux.include.net.net_namespace import pernet_operations
from kshell.linux.include.net.protocol import (
    INET_PROTOSW_ICSK,
    INET_PROTOSW_PERMANENT,
    INET_PROTOSW_REUSE,
    inet_protosw,
)
from kshell.linux.include.net.raw import raw_hashinfo
from kshell.linux.kernel.printk import pr_err
from kshell.linux.mm.slab_common import kmem_cache_create
from kshell.linux.net import socket as net_socket
from kshell.linux.net import socket_ioctl as net_socket_ioctl
from kshell.linux.net.core.datagram import datagram_poll
from kshell.linux.net.core.dev_pack import dev_add_pack
from kshell.linux.net.core.net_namespace import register_pernet_subsys
from kshell.linux.net.core.sock_no import (
    sk_set_peek_off,
    sock_common_getsockopt,
    sock_common_setsockopt,
    sock_no_accept,
    sock_no_listen,
    sock_no_mmap,
    sock_no_sendpage,
    sock_no_socketpair,
)
from kshell.linux.net.core.sock_proto import proto_register
from kshell.linux.net.ipv4 import (
    arp,
    arp_ioctl,
    devinet_ioctl,
    fib_frontend,
    tcp,
    tcp_ipv4,
    tcp_recvmsg,
    tcp_sendmsg,
    tcp_splice,
)
from kshell.linux.net.ipv4.af_inet import (
    inet_bind,
    inet_create,
    inet_getname,
    inet_recvmsg,
    inet_release,
    inet_send_prepare,
    inet_sendmsg,
    inet_shutdown,
    inet_splice_eof,
)
from kshell.linux.net.ipv4.af_inet_connect import inet_accept, inet_dgram_connect, inet_listen, inet_stream_connect
from kshell.linux.net.ipv4.icmp import icmp_init
from kshell.linux.net.ipv4.icmp_rcv import icmp_protocol
from kshell.linux.net.ipv4.igmp_dev import igmp_mc_init, igmp_protocol
from kshell.linux.net.ipv4.ip_fragment import ipfrag_init
from kshell.linux.net.ipv4.ip_input import ip_rcv
from kshell.linux.net.ipv4.ping import ping_init, ping_prot
from kshell.linux.net.ipv4.proc import ip_misc_proc_init
from kshell.linux.net.ipv4.protocol import inet_add_protocol
from kshell.linux.net.ipv4.raw import raw_init, raw_prot
from kshell.linux.net.ipv4.route_init import ip_rt_init
from kshell.linux.net.ipv4.route_sysctl import ip_static_sysctl_init
from kshell.linux.net.ipv4.tcp_ipv4_proc import tcp4_proc_init
from kshell.linux.net.ipv4.udp import udp_init, udp_poll, udp_prot, udp_protocol
from kshell.linux.net.ipv4.udp_proc import ping_proc_init, raw_proc_init, udp4_proc_init
from kshell.linux.net.ipv4.udp_recv import udp_read_skb
from kshell.linux.net.ipv4.udplite import udplite4_register

if TYPE_CHECKING:
    from kshell.linux.include.linux.net import socket
    from kshell.linux.include.net.net_namespace import net as net_t
    from kshell.linux.include.net.sock import sock as sock_t
    from kshell.linux.init.kernel import Kernel

_ROUTES = (i.SIOCADDRT, i.SIOCDELRT)
_ARP = (i.SIOCDARP, i.SIOCGARP, i.SIOCSARP)
_ADDRESS_GET = (i.SIOCGIFADDR, i.SIOCGIFBRDADDR, i.SIOCGIFNETMASK, i.SIOCGIFDSTADDR, i.SIOCGIFPFLAGS)
_ADDRESS_SET = (
    i.SIOCSIFADDR, i.SIOCSIFBRDADDR, i.SIOCSIFNETMASK, i.SIOCSIFDSTADDR, i.SIOCSIFPFLAGS, i.SIOCSIFFLAGS,
)  # fmt: skip


def _ioctl(sock: socket, cmd: int, arg: int) -> int:
    sk = cast("sock_t", sock.sk)
    if sk.skc_prot.ioctl is None:
        raise KernelError(ENOIOCTLCMD)
    return sk.skc_prot.ioctl(sk, cmd, arg)


def inet_ioctl(sock: socket, cmd: int, arg: int) -> int:
    """Routes, neighbours and addresses; the rest is the protocol's. EINVAL, EPERM, ENODEV, EADDRNOTAVAIL, EFAULT."""
    sk = cast("sock_t", sock.sk)
    net = sk.skc_net
    current = net.kernel.current
    if cmd in _ROUTES:
        return fib_frontend.ip_rt_ioctl(net, cmd, fib_frontend.rtentry(copy_from_user(current, arg, 120)))
    if cmd == i.SIOCRTMSG:
        raise KernelError(EINVAL)
    if cmd in _ARP:
        return arp_ioctl.arp_ioctl(net, cmd, arg)
    if cmd in _ADDRESS_GET:
        ifr = net_socket_ioctl.get_user_ifreq(current, arg)
        err = devinet_ioctl.devinet_ioctl(net, cmd, ifr)
        net_socket_ioctl.put_user_ifreq(current, ifr, arg)
        return err
    if cmd in _ADDRESS_SET:
        return devinet_ioctl.devinet_ioctl(net, cmd, net_socket_ioctl.get_user_ifreq(current, arg))
    return _ioctl(sock, cmd, arg)


def inet_compat_ioctl(sock: socket, cmd: int, arg: int) -> int:
    """ioctl() by a 32-bit program. EINVAL, ENOIOCTLCMD."""
    sk = cast("sock_t", sock.sk)
    if cmd in _ROUTES:
        return inet_compat_routing_ioctl(sk, cmd, arg)
    if sk.skc_prot.compat_ioctl is None:
        raise KernelError(ENOIOCTLCMD)
    return sk.skc_prot.compat_ioctl(sk, cmd, arg)


def inet_compat_routing_ioctl(sk: sock_t, cmd: int, arg: int) -> int:
    """A struct rtentry of 32-bit fields: widen it. EFAULT, and as ip_rt_ioctl()."""
    net = sk.skc_net
    raw = copy_from_user(net.kernel.current, arg, 84)
    wide = bytearray(120)
    wide[8:58] = raw[4:54]
    wide[80:82] = raw[64:66]
    wide[88:92] = raw[68:72]
    wide[96:100] = raw[72:76]
    wide[104:108] = raw[76:80]
    wide[112:114] = raw[80:82]
    return fib_frontend.ip_rt_ioctl(net, cmd, fib_frontend.rtentry(bytes(wide)))


async def inet_sendpage(sock: socket, page: bytes, flags: int) -> int:
    """Send a part of a pipe or file."""
    sk = cast("sock_t", sock.sk)
    inet_send_prepare(sk)
    if sk.skc_prot.sendpage is not None:
        return await sk.skc_prot.sendpage(sk, page, flags)
    return await sock_no_sendpage(sock, page, flags)


inet_stream_ops = proto_ops(
    family=PF_INET,
    release=inet_release,
    bind=inet_bind,
    connect=inet_stream_connect,
    socketpair=sock_no_socketpair,
    accept=inet_accept,
    getname=inet_getname,
    poll=tcp.tcp_poll,
    ioctl=inet_ioctl,
    compat_ioctl=inet_compat_ioctl,
    gettstamp=net_socket_ioctl.sock_gettstamp,
    listen=inet_listen,
    shutdown=inet_shutdown,
    setsockopt=sock_common_setsockopt,
    getsockopt=sock_common_getsockopt,
    sendmsg=inet_sendmsg,
    recvmsg=inet_recvmsg,
    mmap=tcp_splice.tcp_mmap,  # type: ignore[arg-type]  # vma is always a vm_area_struct
    sendpage=inet_sendpage,
    splice_read=tcp_splice.tcp_splice_read,
    splice_eof=inet_splice_eof,
    peek_len=tcp.tcp_peek_len,
    read_sock=tcp_splice.tcp_read_sock,  # type: ignore[arg-type]  # only TCP sockets have this table  # type: ignore[arg-type]
    sendmsg_locked=tcp_sendmsg.tcp_sendmsg_locked,  # type: ignore[arg-type]
    set_rcvlowat=tcp_recvmsg.tcp_set_rcvlowat,  # type: ignore[arg-type]
)

inet_dgram_ops = proto_ops(
    family=PF_INET,
    release=inet_release,
    bind=inet_bind,
    connect=inet_dgram_connect,
    socketpair=sock_no_socketpair,
    accept=sock_no_accept,
    getname=inet_getname,
    poll=udp_poll,
    ioctl=inet_ioctl,
    compat_ioctl=inet_compat_ioctl,
    gettstamp=net_socket_ioctl.sock_gettstamp,
    listen=sock_no_listen,
    shutdown=inet_shutdown,
    setsockopt=sock_common_setsockopt,
    getsockopt=sock_common_getsockopt,
    sendmsg=inet_sendmsg,
    recvmsg=inet_recvmsg,
    mmap=sock_no_mmap,
    sendpage=inet_sendpage,
    splice_eof=inet_splice_eof,
    set_peek_off=sk_set_peek_off,
    read_skb=udp_read_skb,
)

# As inet_dgram_ops, without the checksum work in poll().
inet_sockraw_ops = proto_ops(
    family=PF_INET,
    release=inet_release,
    bind=inet_bind,
    connect=inet_dgram_connect,
    socketpair=sock_no_socketpair,
    accept=sock_no_accept,
    getname=inet_getname,
    poll=datagram_poll,
    ioctl=inet_ioctl,
    compat_ioctl=inet_compat_ioctl,
    gettstamp=net_socket_ioctl.sock_gettstamp,
    listen=sock_no_listen,
    shutdown=inet_shutdown,
    setsockopt=sock_common_setsockopt,
    getsockopt=sock_common_getsockopt,
    sendmsg=inet_sendmsg,
    recvmsg=inet_recvmsg,
    mmap=sock_no_mmap,
    sendpage=inet_sendpage,
    splice_eof=inet_splice_eof,
)

inet_family_ops = net_proto_family(family=PF_INET, create=inet_create)


def _inetsw_array() -> tuple[inet_protosw, ...]:
    """What socket() finds at start-up."""
    return (
        inet_protosw(
            type=SOCK_STREAM, protocol=IPPROTO_TCP, prot=tcp_ipv4.tcp_prot, ops=inet_stream_ops,
            flags=INET_PROTOSW_PERMANENT | INET_PROTOSW_ICSK,
        ),
        inet_protosw(
            type=SOCK_DGRAM, protocol=IPPROTO_UDP, prot=udp_prot, ops=inet_dgram_ops, flags=INET_PROTOSW_PERMANENT,
        ),
        inet_protosw(
            type=SOCK_DGRAM, protocol=IPPROTO_ICMP, prot=ping_prot, ops=inet_sockraw_ops, flags=INET_PROTOSW_REUSE,
        ),
        inet_protosw(
            type=SOCK_RAW, protocol=IPPROTO_IP, prot=raw_prot, ops=inet_sockraw_ops, flags=INET_PROTOSW_REUSE,
        ),
    )  # fmt: skip


inetsw_array = _inetsw_array()


def inet_register_protosw(kernel: Kernel, p: inet_protosw) -> None:
    """Let socket(AF_INET, type, protocol) find this, after the permanent ones."""
    if p.type >= SOCK_MAX:
        pr_err(kernel, f"IPv4: Ignoring attempt to register invalid socket type {p.type}.")
        return
    entries = kernel.inetsw[p.type]
    last_perm = 0
    for at, answer in enumerate(entries):
        # Permanent ones come first, and only they.
        if not answer.flags & INET_PROTOSW_PERMANENT:
            break
        if p.protocol == answer.protocol:
            pr_err(kernel, f"IPv4: Attempt to override permanent protocol {p.protocol}.")
            return
        last_perm = at + 1
    entries.insert(last_perm, p)


def inet_init_net(net: net_t) -> None:
    """A namespace comes: ports for connections, who may ping, and other settings as netns_ipv4 has them."""


def tcp_mib_init(net: net_t) -> None:
    """What RFC 2012 wants known of TCP: Van Jacobson's algorithm, RTO from 200 ms to 120 s, any number of sockets."""
    mib = net.mib.tcp_statistics
    mib[TCP_MIB_RTOALGORITHM], mib[TCP_MIB_RTOMIN], mib[TCP_MIB_RTOMAX], mib[TCP_MIB_MAXCONN] = 1, 200, 120000, -1


def ipv4_mib_init_net(net: net_t) -> None:
    """A namespace comes: its counters (netns_mib)."""
    tcp_mib_init(net)


def ipv4_mib_exit_net(net: net_t) -> None:
    """A namespace goes: its counters go."""


af_inet_ops = pernet_operations(init=inet_init_net)
ipv4_mib_ops = pernet_operations(init=ipv4_mib_init_net, exit=ipv4_mib_exit_net)


def init_ipv4_mibs(kernel: Kernel) -> None:
    """The counters of each namespace."""
    register_pernet_subsys(kernel, ipv4_mib_ops)


def init_inet_pernet_ops(kernel: Kernel) -> None:
    """The settings of each namespace."""
    register_pernet_subsys(kernel, af_inet_ops)


def inet_initpeers(kernel: Kernel) -> None:
    """The slab of what is known of other hosts."""
    kernel.peer_cachep = kmem_cache_create(kernel, "inet_peer_cache", 192)


def ip_init(kernel: Kernel) -> None:
    """Routes, peers, groups."""
    ip_rt_init(kernel)
    inet_initpeers(kernel)
    igmp_mc_init(kernel)


def ipv4_proc_init(kernel: Kernel) -> None:
    """The files of IPv4 below /proc/net."""
    raw_proc_init(kernel)
    tcp4_proc_init(kernel)
    udp4_proc_init(kernel)
    ping_proc_init(kernel)
    ip_misc_proc_init(kernel)


ip_packet_type = packet_type(type=ETH_P_IP, func=ip_rcv)


def inet_init(kernel: Kernel) -> None:
    """Initcall: IPv4 and its protocols."""
    kernel.inet_protos = {}
    kernel.inet_gifconf = devinet_ioctl.inet_gifconf
    kernel.raw_v4_hashinfo = raw_hashinfo()
    for prot in (tcp_ipv4.tcp_prot, udp_prot, raw_prot, ping_prot):
        proto_register(kernel, prot, 1)
    net_socket.sock_register(kernel, inet_family_ops)
    ip_static_sysctl_init(kernel)
    for protocol, number, name in (
        (icmp_protocol, IPPROTO_ICMP, "ICMP"),
        (udp_protocol, IPPROTO_UDP, "UDP"),
        (tcp_ipv4.tcp_protocol, IPPROTO_TCP, "TCP"),
        (igmp_protocol, IPPROTO_IGMP, "IGMP"),
    ):
        if inet_add_protocol(kernel, protocol, number) < 0:
            pr_err(kernel, f"inet_init: Cannot add {name} protocol")
    kernel.inetsw = [[] for _ in range(SOCK_MAX)]
    for protosw in inetsw_array:
        inet_register_protosw(kernel, protosw)
    arp.arp_init(kernel)
    ip_init(kernel)
    init_ipv4_mibs(kernel)
    tcp.tcp_init(kernel)
    udp_init(kernel)
    udplite4_register(kernel)
    raw_init(kernel)
    ping_init(kernel)
    icmp_init(kernel)
    init_inet_pernet_ops(kernel)
    ipv4_proc_init(kernel)
    ipfrag_init(kernel)
    dev_add_pack(kernel, ip_packet_type)
