"""Packet sockets: making and binding them (net/packet/af_packet.c).

Frames in and out are in af_packet_frames, options in af_packet_opt.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from kshell.abi.capability import CAP_NET_RAW
from kshell.abi.errno import EINVAL, ENETDOWN, ENODEV, EOPNOTSUPP, EPERM, ESOCKTNOSUPPORT
from kshell.abi.ioctl import (
    SIOCADDRT,
    SIOCDARP,
    SIOCDELRT,
    SIOCGARP,
    SIOCGIFADDR,
    SIOCGIFBRDADDR,
    SIOCGIFDSTADDR,
    SIOCGIFNETMASK,
    SIOCINQ,
    SIOCOUTQ,
    SIOCSARP,
    SIOCSIFADDR,
    SIOCSIFBRDADDR,
    SIOCSIFDSTADDR,
    SIOCSIFFLAGS,
    SIOCSIFNETMASK,
)  # fmt: skip
from kshell.abi.netdevice import IFF_UP
from kshell.abi.socket import AF_PACKET, PF_PACKET, SOCK_DGRAM, SOCK_PACKET, SOCK_RAW, SS_UNCONNECTED
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.errno import ENOIOCTLCMD
from kshell.linux.include.linux.net import net_proto_family, proto_ops, socket
from kshell.linux.include.linux.netdevice import (
    NETDEV_DOWN,
    NETDEV_UNREGISTER,
    NETDEV_UP,
    net_device,
    netdev_notifier_info_to_dev,
    packet_type,
)
from kshell.linux.include.linux.notifier import NOTIFY_DONE, notifier_block
from kshell.linux.include.linux.uaccess import put_user
from kshell.linux.include.net.net_namespace import pernet_operations
from kshell.linux.include.net.sock import SOCK_DEAD, sk_error_report, sock, sock_hold, sock_orphan
from kshell.linux.include.net.sock_proto import proto
from kshell.linux.kernel.capability import ns_capable
from kshell.linux.kernel.printk import pr_err
from kshell.linux.net.core.datagram import datagram_poll
from kshell.linux.net.core.dev import dev_get_by_index_rcu, register_netdevice_notifier
from kshell.linux.net.core.dev_pack import __dev_remove_pack, dev_add_pack
from kshell.linux.net.core.net_namespace import register_pernet_subsys
from kshell.linux.net.core.skbuff import skb_queue_purge
from kshell.linux.net.core.sock import sk_alloc, sock_init_data, sock_put
from kshell.linux.net.core.sock_lock import lock_sock, release_sock
from kshell.linux.net.core.sock_no import (
    sock_no_accept,
    sock_no_connect,
    sock_no_listen,
    sock_no_mmap,
    sock_no_sendpage,
    sock_no_shutdown,
    sock_no_socketpair,
)
from kshell.linux.net.core.sock_proto import proto_register, sock_prot_inuse_add
from kshell.linux.net.ipv4.af_inet_init import inet_ioctl
from kshell.linux.net.packet.af_packet_frames import (
    SLL_ADDR,
    SOCKADDR_LL,
    packet_rcv,
    packet_rcv_spkt,
    packet_recvmsg,
    packet_sendmsg,
    packet_sendmsg_spkt,
)
from kshell.linux.net.packet.af_packet_opt import (
    packet_dev_mclist_delete,
    packet_flush_mclist,
    packet_getsockopt,
    packet_setsockopt,
)
from kshell.linux.net.packet.af_packet_proc import packet_net_exit, packet_net_init
from kshell.linux.net.packet.internal import packet_sock, pkt_sk
from kshell.linux.net.socket import sock_register
from kshell.linux.net.socket_ioctl import sock_gettstamp

if TYPE_CHECKING:
    from kshell.linux.include.linux.fs import file
    from kshell.linux.include.linux.poll import poll_table_struct
    from kshell.linux.include.net.net_namespace import net as net_t
    from kshell.linux.init.kernel import Kernel

INET_IOCTLS: Final = frozenset({
    SIOCADDRT, SIOCDELRT, SIOCDARP, SIOCGARP, SIOCSARP, SIOCGIFADDR, SIOCSIFADDR, SIOCGIFBRDADDR, SIOCSIFBRDADDR,
    SIOCGIFNETMASK, SIOCSIFNETMASK, SIOCGIFDSTADDR, SIOCSIFDSTADDR, SIOCSIFFLAGS,
})  # fmt: skip


def register_prot_hook(po: packet_sock) -> None:
    """Start to receive."""
    __register_prot_hook(po)


def __register_prot_hook(po: packet_sock) -> None:
    if not po._running:
        dev_add_pack(po.sk_net.kernel, po.prot_hook)
        sock_hold(po)
        po._running = 1


def unregister_prot_hook(po: packet_sock) -> None:
    """Stop to receive."""
    if po._running:
        __unregister_prot_hook(po)


def __unregister_prot_hook(po: packet_sock) -> None:
    po._running = 0
    __dev_remove_pack(po.sk_net.kernel, po.prot_hook)
    sock_put(po)


def packet_sock_destruct(sk: sock) -> None:
    """The last reference is gone."""
    skb_queue_purge(sk.sk_error_queue)
    if not sk.sk_flags >> SOCK_DEAD & 1:
        pr_err(sk.sk_net.kernel, f"Attempt to release alive packet socket: {sk._addr:x}")


def packet_create(net: net_t, sock: socket, protocol: int, kern: int) -> int:
    """socket(AF_PACKET, …, htons(ETH_P_x)). EPERM, ESOCKTNOSUPPORT."""
    if not ns_capable(net.kernel.current, net.user_ns, CAP_NET_RAW):
        raise KernelError(EPERM)
    if sock.type not in (SOCK_DGRAM, SOCK_RAW, SOCK_PACKET):
        raise KernelError(ESOCKTNOSUPPORT)
    sock.state = SS_UNCONNECTED
    po = pkt_sk(sk_alloc(net, PF_PACKET, packet_proto, kern))
    sock.ops = packet_ops_spkt if sock.type == SOCK_PACKET else packet_ops
    sock_init_data(sock, po)
    po.sk_destruct = packet_sock_destruct
    po.num = (protocol & 0xFF) << 8 | protocol >> 8 & 0xFF
    receive = packet_rcv_spkt if sock.type == SOCK_PACKET else packet_rcv
    po.prot_hook = packet_type(type=po.num, func=receive, af_packet_net=net, af_packet_priv=po)
    if po.num:
        __register_prot_hook(po)
    net.packet.sklist[po] = None
    sock_hold(po)
    sock_prot_inuse_add(net, po.skc_prot, 1)
    return 0


def packet_release(sock: socket) -> None:
    """close()."""
    if sock.sk is None:
        return
    po = pkt_sk(sock.sk)
    if po in po.sk_net.packet.sklist:
        del po.sk_net.packet.sklist[po]
        sock_put(po)
    sock_prot_inuse_add(po.sk_net, po.skc_prot, -1)
    unregister_prot_hook(po)
    packet_flush_mclist(po)
    po.prot_hook.dev = po.cached_dev = None
    sock_orphan(po)
    sock.sk = None
    skb_queue_purge(po.sk_receive_queue)
    sock_put(po)


def packet_do_bind(po: packet_sock, dev: net_device | None, ifindex: int, protocol: int) -> None:
    """Receive protocol from a device (0: from all). ENODEV."""
    lock_sock(po)
    try:
        if ifindex:
            dev = dev_get_by_index_rcu(po.sk_net, ifindex)
            if dev is None:
                raise KernelError(ENODEV)
        if po.num != protocol or po.prot_hook.dev is not dev:
            unregister_prot_hook(po)
            po.num = po.prot_hook.type = protocol
            po.prot_hook.dev = po.cached_dev = dev
            po.ifindex = dev.ifindex if dev is not None else 0
        if not protocol:
            return
        if dev is None or dev.flags & IFF_UP:
            register_prot_hook(po)
        else:
            po.sk_err = ENETDOWN
            if not po.sk_flags >> SOCK_DEAD & 1:
                sk_error_report(po)
    finally:
        release_sock(po)


def packet_bind(sock: socket, addr: bytes, addr_len: int) -> int:
    """bind() to a struct sockaddr_ll. EINVAL, ENODEV."""
    po = pkt_sk(sock.sk)  # type: ignore[arg-type]  # an open socket has its sk
    if addr_len < SOCKADDR_LL.size:
        raise KernelError(EINVAL)
    family, protocol, ifindex, *_ = SOCKADDR_LL.unpack_from(addr)
    if family != AF_PACKET:
        raise KernelError(EINVAL)
    packet_do_bind(po, None, ifindex, int.from_bytes(protocol, "big") or po.num)
    return 0


def packet_bind_spkt(sock: socket, addr: bytes, addr_len: int) -> int:
    """bind() of a SOCK_PACKET socket to a device name (struct sockaddr, 16 bytes). EINVAL, ENODEV."""
    po = pkt_sk(sock.sk)  # type: ignore[arg-type]  # an open socket has its sk
    if addr_len != 16:
        raise KernelError(EINVAL)
    name = addr[2:16].split(b"\0", 1)[0].decode("latin-1")
    dev = po.sk_net.dev_name_head.get(name)
    if dev is None:
        raise KernelError(ENODEV)
    packet_do_bind(po, dev, dev.ifindex, po.num)
    return 0


def packet_getname(sock: socket, peer: int) -> bytes:
    """getsockname(); a packet socket has no peer: EOPNOTSUPP."""
    if peer:
        raise KernelError(EOPNOTSUPP)
    po = pkt_sk(sock.sk)  # type: ignore[arg-type]  # an open socket has its sk
    dev = dev_get_by_index_rcu(po.sk_net, po.ifindex) if po.ifindex else None
    hatype, address = (dev.type, dev.dev_addr[: dev.addr_len]) if dev is not None else (0, b"")
    sll = SOCKADDR_LL.pack(AF_PACKET, po.num.to_bytes(2, "big"), po.ifindex, hatype, 0, len(address), address)
    return sll[: SLL_ADDR + len(address)]


def packet_getname_spkt(sock: socket, peer: int) -> bytes:
    """getsockname() of a SOCK_PACKET socket: the device's name (struct sockaddr_pkt)."""
    if peer:
        raise KernelError(EOPNOTSUPP)
    po = pkt_sk(sock.sk)  # type: ignore[arg-type]  # an open socket has its sk
    dev = dev_get_by_index_rcu(po.sk_net, po.ifindex) if po.ifindex else None
    name = dev.name.encode("latin-1") if dev is not None else b""
    return struct.pack("<H14s", AF_PACKET, name)


def packet_poll(file: file, sock: socket, wait: poll_table_struct | None) -> int:
    """As datagram_poll(): there are no rings."""
    return datagram_poll(file, sock, wait)


def packet_ioctl(sock: socket, cmd: int, arg: int) -> int:
    """SIOCOUTQ and SIOCINQ; addresses and routes as on AF_INET sockets."""
    sk = pkt_sk(sock.sk)  # type: ignore[arg-type]  # an open socket has its sk
    if cmd == SIOCOUTQ:
        put_user(sk.sk_net.kernel.current, arg, sk.sk_wmem_alloc - 1)
    elif cmd == SIOCINQ:
        first = sk.sk_receive_queue.next
        put_user(sk.sk_net.kernel.current, arg, first.len if first is not None else 0)
    elif cmd in INET_IOCTLS:
        return inet_ioctl(sock, cmd, arg)
    else:
        raise KernelError(ENOIOCTLCMD)
    return 0


def packet_mmap(file: file, sock: socket, vma: object) -> int:
    """Rings are not modelled: EINVAL, as without one."""
    raise KernelError(EINVAL)


def packet_notifier(block: notifier_block, event: int, info: object) -> int:
    """A device went up, down or away: the sockets bound to it learn it."""
    dev = netdev_notifier_info_to_dev(info)
    for po in tuple(dev.nd_net.packet.sklist):
        if event == NETDEV_UNREGISTER:
            packet_dev_mclist_delete(dev, po)
        if po.ifindex != dev.ifindex:
            continue
        if event in (NETDEV_DOWN, NETDEV_UNREGISTER) and po._running:
            unregister_prot_hook(po)
            po.sk_err = ENETDOWN
            sk_error_report(po)
        if event == NETDEV_UNREGISTER:
            po.ifindex = -1
            po.prot_hook.dev = po.cached_dev = None
        if event == NETDEV_UP and po.num:
            register_prot_hook(po)
    return NOTIFY_DONE


def packet_init(kernel: Kernel) -> None:
    """device_initcall: the family."""
    register_pernet_subsys(kernel, packet_net_ops)
    register_netdevice_notifier(kernel, notifier_block(notifier_call=packet_notifier))
    proto_register(kernel, packet_proto, 0)
    sock_register(kernel, packet_family_ops)


packet_proto = proto(name="PACKET", cls=packet_sock, obj_size=1600)
packet_family_ops = net_proto_family(family=PF_PACKET, create=packet_create)
packet_net_ops = pernet_operations(init=packet_net_init, exit=packet_net_exit)

packet_ops = proto_ops(
    family=PF_PACKET,
    release=packet_release,
    bind=packet_bind,
    connect=sock_no_connect,
    socketpair=sock_no_socketpair,
    accept=sock_no_accept,
    getname=packet_getname,
    poll=packet_poll,
    ioctl=packet_ioctl,
    gettstamp=sock_gettstamp,
    listen=sock_no_listen,
    shutdown=sock_no_shutdown,
    setsockopt=packet_setsockopt,
    getsockopt=packet_getsockopt,
    sendmsg=packet_sendmsg,
    recvmsg=packet_recvmsg,
    mmap=packet_mmap,
    sendpage=sock_no_sendpage,
)

packet_ops_spkt = proto_ops(
    family=PF_PACKET,
    release=packet_release,
    bind=packet_bind_spkt,
    connect=sock_no_connect,
    socketpair=sock_no_socketpair,
    accept=sock_no_accept,
    getname=packet_getname_spkt,
    poll=datagram_poll,
    ioctl=packet_ioctl,
    gettstamp=sock_gettstamp,
    listen=sock_no_listen,
    shutdown=sock_no_shutdown,
    sendmsg=packet_sendmsg_spkt,
    recvmsg=packet_recvmsg,
    mmap=sock_no_mmap,
    sendpage=sock_no_sendpage,
)
