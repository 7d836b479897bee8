"""net/ipv4/udp.c: the protocol as sockets see it. Ports and lookup: udp_hash; messages: udp_send, udp_recv, udp_rcv."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.errno import EINVAL, ENOPROTOOPT
from kshell.abi.fcntl import O_NONBLOCK
from kshell.abi.inet import IPPROTO_UDPLITE
from kshell.abi.ioctl import SIOCINQ, SIOCOUTQ
from kshell.abi.poll import EPOLLIN, EPOLLRDNORM
from kshell.abi.socket import SOL_UDP, SOL_UDPLITE
from kshell.abi.tcp import (
    UDP_CORK,
    UDP_ENCAP,
    UDP_ENCAP_ESPINUDP,
    UDP_ENCAP_ESPINUDP_NON_IKE,
    UDP_ENCAP_L2TPINUDP,
    UDP_GRO,
    UDP_NO_CHECK6_RX,
    UDP_NO_CHECK6_TX,
    UDP_SEGMENT,
)
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.errno import ENOIOCTLCMD
from kshell.linux.include.linux.net import SOCK_SUPPORT_ZC
from kshell.linux.include.linux.sockptr import copy_from_sockptr
from kshell.linux.include.linux.uaccess import copy_to_user, get_user, put_user
from kshell.linux.include.linux.udp import (
    UDP_FLAGS_ACCEPT_L4,
    UDP_FLAGS_CORK,
    UDP_FLAGS_ENCAP_ENABLED,
    UDP_FLAGS_GRO_ENABLED,
    UDP_FLAGS_NO_CHECK6_RX,
    UDP_FLAGS_NO_CHECK6_TX,
    UDPLITE_RECV_CC,
    UDPLITE_SEND_CC,
    udp_assign_bit,
    udp_clear_bit,
    udp_set_bit,
    udp_sk,
    udp_sock,
    udp_test_bit,
)
from kshell.linux.include.net.net_namespace import pernet_operations
from kshell.linux.include.net.protocol import net_protocol
from kshell.linux.include.net.sock import RCV_SHUTDOWN, SOCK_DEAD, sk_error_report, sock
from kshell.linux.include.net.sock_proto import proto
from kshell.linux.include.net.sock_space import sk_wmem_alloc_get
from kshell.linux.include.net.udp import udp_table
from kshell.linux.kernel.printk import pr_info
from kshell.linux.net.core.datagram import datagram_poll
from kshell.linux.net.core.net_namespace import register_pernet_subsys
from kshell.linux.net.core.sock import sk_common_release
from kshell.linux.net.core.sock_lock import __lock_sock_fast, release_sock, unlock_sock_fast
from kshell.linux.net.core.sock_lock import lock_sock_nested as lock_sock
from kshell.linux.net.ipv4.af_inet import inet_sock_destruct
from kshell.linux.net.ipv4.datagram import ip4_datagram_connect, ip4_datagram_release_cb
from kshell.linux.net.ipv4.ip_sockglue_opt import ip_getsockopt, ip_setsockopt
from kshell.linux.net.ipv4.udp_connect import __udp_disconnect, udp_disconnect, udp_pre_connect
from kshell.linux.net.ipv4.udp_hash import udp_lib_hash, udp_lib_unhash, udp_v4_get_port, udp_v4_rehash
from kshell.linux.net.ipv4.udp_rcv import udp_err, udp_rcv
from kshell.linux.net.ipv4.udp_recv import first_packet_length, udp_destruct_common, udp_recvmsg
from kshell.linux.net.ipv4.udp_send import (
    udp_flush_pending_frames,
    udp_push_pending_frames,
    udp_sendmsg,
    udp_sendpage,
    udp_splice_eof,
)

if TYPE_CHECKING:
    from kshell.linux.include.linux.fs import file
    from kshell.linux.include.linux.net import socket
    from kshell.linux.include.linux.poll import poll_table_struct
    from kshell.linux.include.linux.skbuff import sk_buff
    from kshell.linux.include.linux.sockptr import sockptr_t
    from kshell.linux.include.net.net_namespace import net as net_t
    from kshell.linux.init.kernel import Kernel

UDPLITE_SEND_CSCOV = 10
UDPLITE_RECV_CSCOV = 11
USHRT_MAX = 65535


def udp_destruct_sock(sk: sock) -> None:
    """The last reference is gone."""
    udp_destruct_common(sk)
    inet_sock_destruct(sk)


def udp_init_sock(sk: sock) -> int:
    """A new socket."""
    sk.sk_destruct = udp_destruct_sock
    if sk.sk_socket is not None:
        sk.sk_socket.flags |= 1 << SOCK_SUPPORT_ZC
    return 0


def udp_lib_close(sk: sock, timeout: int) -> None:
    """The descriptor is closed."""
    sk_common_release(sk)


def udp_destroy_sock(sk: sock) -> None:
    """Throw away what is corked."""
    slow = __lock_sock_fast(sk)
    sk.skc_flags |= 1 << SOCK_DEAD
    udp_flush_pending_frames(sk)
    unlock_sock_fast(sk, slow)


def udp_ioctl(sk: sock, cmd: int, arg: int) -> int:
    """SIOCOUTQ, SIOCINQ (length of the next packet)."""
    current = sk.skc_net.kernel.current
    if cmd == SIOCOUTQ:
        put_user(current, arg, sk_wmem_alloc_get(sk))
        return 0
    if cmd == SIOCINQ:
        put_user(current, arg, max(0, first_packet_length(sk)))
        return 0
    raise KernelError(ENOIOCTLCMD)


def udp_tunnel_encap_enable(sk: sock) -> None:
    """The socket is a tunnel's end."""
    udp_set_bit(UDP_FLAGS_ENCAP_ENABLED, sk)


def xfrm4_udp_encap_rcv(sk: sock, skb: sk_buff) -> int:
    """IPsec in UDP is not modelled: what comes stays an ordinary packet."""
    return 1


def _set_encap(sk: sock, val: int) -> None:
    """UDP_ENCAP. ENOPROTOOPT."""
    up = udp_sk(sk)
    if val not in (0, UDP_ENCAP_ESPINUDP, UDP_ENCAP_ESPINUDP_NON_IKE, UDP_ENCAP_L2TPINUDP):
        raise KernelError(ENOPROTOOPT)
    if val != UDP_ENCAP_L2TPINUDP:
        up.encap_rcv = xfrm4_udp_encap_rcv
    up.encap_type = val
    udp_tunnel_encap_enable(sk)


def _set_coverage(sk: sock, optname: int, val: int) -> None:
    """UDPLITE_SEND_CSCOV, UDPLITE_RECV_CSCOV. ENOPROTOOPT on UDP sockets."""
    up = udp_sk(sk)
    if sk.sk_protocol != IPPROTO_UDPLITE:
        raise KernelError(ENOPROTOOPT)
    if val != 0 and val < 8:
        val = 8
    val = min(val, USHRT_MAX)
    if optname == UDPLITE_SEND_CSCOV:
        up.pcslen = val
        up.pcflag |= UDPLITE_SEND_CC
    else:
        up.pcrlen = val
        up.pcflag |= UDPLITE_RECV_CC


def udp_lib_setsockopt(sk: sock, level: int, optname: int, optval: sockptr_t, optlen: int) -> int:
    """setsockopt() at SOL_UDP. EINVAL, EFAULT, ENOPROTOOPT."""
    if optlen < 4:
        raise KernelError(EINVAL)
    val = int.from_bytes(copy_from_sockptr(optval, 4), "little", signed=True)
    if optname == UDP_CORK:
        if val:
            udp_set_bit(UDP_FLAGS_CORK, sk)
        else:
            udp_clear_bit(UDP_FLAGS_CORK, sk)
            lock_sock(sk)
            try:
                udp_push_pending_frames(sk)
            except KernelError:
                pass
            release_sock(sk)
    elif optname == UDP_ENCAP:
        _set_encap(sk, val)
    elif optname == UDP_NO_CHECK6_TX:
        udp_assign_bit(UDP_FLAGS_NO_CHECK6_TX, sk, bool(val))
    elif optname == UDP_NO_CHECK6_RX:
        udp_assign_bit(UDP_FLAGS_NO_CHECK6_RX, sk, bool(val))
    elif optname == UDP_SEGMENT:
        if not 0 <= val <= USHRT_MAX:
            raise KernelError(EINVAL)
        udp_sk(sk).gso_size = val
    elif optname == UDP_GRO:
        if val:
            udp_tunnel_encap_enable(sk)
        udp_assign_bit(UDP_FLAGS_GRO_ENABLED, sk, bool(val))
        udp_assign_bit(UDP_FLAGS_ACCEPT_L4, sk, bool(val))
    elif optname in (UDPLITE_SEND_CSCOV, UDPLITE_RECV_CSCOV):
        _set_coverage(sk, optname, val)
    else:
        raise KernelError(ENOPROTOOPT)
    return 0


def udp_setsockopt(sk: sock, level: int, optname: int, optval: sockptr_t, optlen: int) -> int:
    """setsockopt() at SOL_UDP or IPPROTO_IP."""
    if level in (SOL_UDP, SOL_UDPLITE):
        return udp_lib_setsockopt(sk, level, optname, optval, optlen)
    return ip_setsockopt(sk, level, optname, optval, optlen)


def _get_option(sk: sock, optname: int) -> int:
    """ENOPROTOOPT."""
    up = udp_sk(sk)
    if optname == UDP_CORK:
        return int(udp_test_bit(UDP_FLAGS_CORK, sk))
    if optname == UDP_ENCAP:
        return up.encap_type
    if optname == UDP_NO_CHECK6_TX:
        return int(udp_test_bit(UDP_FLAGS_NO_CHECK6_TX, sk))
    if optname == UDP_NO_CHECK6_RX:
        return int(udp_test_bit(UDP_FLAGS_NO_CHECK6_RX, sk))
    if optname == UDP_SEGMENT:
        return up.gso_size
    if optname == UDP_GRO:
        return int(udp_test_bit(UDP_FLAGS_GRO_ENABLED, sk))
    if optname == UDPLITE_SEND_CSCOV:
        return up.pcslen
    if optname == UDPLITE_RECV_CSCOV:
        return up.pcrlen
    raise KernelError(ENOPROTOOPT)


def udp_lib_getsockopt(sk: sock, level: int, optname: int, optval: int, optlen: int) -> int:
    """getsockopt() at SOL_UDP. EFAULT, EINVAL, ENOPROTOOPT."""
    current = sk.skc_net.kernel.current
    length = get_user(current, optlen)
    if length < 0:
        raise KernelError(EINVAL)
    length = min(length, 4)
    val = _get_option(sk, optname)
    put_user(current, optlen, length)
    copy_to_user(current, optval, val.to_bytes(4, "little")[:length])
    return 0


def udp_getsockopt(sk: sock, level: int, optname: int, optval: int, optlen: int) -> int:
    """getsockopt() at SOL_UDP or IPPROTO_IP."""
    if level in (SOL_UDP, SOL_UDPLITE):
        return udp_lib_getsockopt(sk, level, optname, optval, optlen)
    return ip_getsockopt(sk, level, optname, optval, optlen)


def udp_poll(file: file, sock: socket, wait: poll_table_struct | None) -> int:
    """What a UDP socket is ready for."""
    mask = datagram_poll(file, sock, wait)
    sk = sock.sk
    assert sk is not None
    if udp_sk(sk).reader_queue.next is not None:
        mask |= EPOLLIN | EPOLLRDNORM
    if (
        mask & EPOLLRDNORM
        and not file.f_flags & O_NONBLOCK
        and not sk.sk_shutdown & RCV_SHUTDOWN
        and first_packet_length(sk) == -1
    ):
        mask &= ~(EPOLLIN | EPOLLRDNORM)
    return mask


def udp_abort(sk: sock, err: int) -> int:
    """Disconnect with an error (ss -K)."""
    lock_sock(sk)
    if not sk.skc_flags >> SOCK_DEAD & 1:
        sk.sk_err = err
        sk_error_report(sk)
        __udp_disconnect(sk, 0)
    release_sock(sk)
    return 0


udp_prot = proto(
    name="UDP",
    cls=udp_sock,
    obj_size=1152,
    close=udp_lib_close,
    pre_connect=udp_pre_connect,
    connect=ip4_datagram_connect,
    disconnect=udp_disconnect,
    ioctl=udp_ioctl,
    init=udp_init_sock,
    destroy=udp_destroy_sock,
    setsockopt=udp_setsockopt,
    getsockopt=udp_getsockopt,
    sendmsg=udp_sendmsg,
    recvmsg=udp_recvmsg,
    sendpage=udp_sendpage,
    splice_eof=udp_splice_eof,
    release_cb=ip4_datagram_release_cb,
    hash=udp_lib_hash,
    unhash=udp_lib_unhash,
    rehash=udp_v4_rehash,
    get_port=udp_v4_get_port,
    put_port=udp_lib_unhash,
    memory_allocated="udp_memory_allocated",
    per_cpu_fw_alloc="udp_memory_per_cpu_fw_alloc",
    sysctl_mem="sysctl_udp_mem",
    sysctl_wmem_offset="sysctl_udp_wmem_min",
    sysctl_rmem_offset="sysctl_udp_rmem_min",
    h="udp_table",
    diag_destroy=udp_abort,
)

udp_protocol = net_protocol(handler=udp_rcv, err_handler=udp_err, no_policy=1)


def udp_table_init(kernel: Kernel, name: str) -> udp_table:
    """A hash table of 2048 slots."""
    pr_info(kernel, f"{name} hash table entries: 2048 (order: 4, 65536 bytes, linear)")
    return udp_table(11)


def udp_sysctl_init(net: net_t) -> None:
    """The settings have their defaults."""


udp_sysctl_ops = pernet_operations(init=udp_sysctl_init)


def udp_init(kernel: Kernel) -> None:
    """Set up UDP; udp_mem as on a machine with 750 MB."""
    kernel.udp_table = udp_table_init(kernel, "UDP")
    kernel.sysctl_udp_mem = [67728, 90307, 135456]
    kernel.udp_memory_allocated = 0
    kernel.udp_memory_per_cpu_fw_alloc = 0
    register_pernet_subsys(kernel, udp_sysctl_ops)
