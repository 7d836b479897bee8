"""net/ipv4/udplite.c: UDP whose checksum may cover less than the packet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.inet import IPPROTO_UDPLITE
from kshell.abi.socket import SOCK_DGRAM
from kshell.linux.include.linux.udp import UDPLITE_BIT, udp_sk, udp_sock
from kshell.linux.include.net.protocol import INET_PROTOSW_PERMANENT, inet_protosw, net_protocol
from kshell.linux.include.net.sock_proto import proto
from kshell.linux.net.core.sock_proto import proto_register
from kshell.linux.net.ipv4 import af_inet_init
from kshell.linux.net.ipv4.datagram import ip4_datagram_connect
from kshell.linux.net.ipv4.protocol import inet_add_protocol
from kshell.linux.net.ipv4.udp import (
    udp_destroy_sock,
    udp_getsockopt,
    udp_init_sock,
    udp_ioctl,
    udp_lib_close,
    udp_setsockopt,
    udp_table_init,
)
from kshell.linux.net.ipv4.udp_connect import udp_disconnect
from kshell.linux.net.ipv4.udp_hash import udp_lib_hash, udp_lib_unhash, udp_v4_get_port, udp_v4_rehash
from kshell.linux.net.ipv4.udp_proc import udplite4_proc_init
from kshell.linux.net.ipv4.udp_rcv import __udp4_lib_err, __udp4_lib_rcv
from kshell.linux.net.ipv4.udp_recv import udp_recvmsg
from kshell.linux.net.ipv4.udp_send import udp_sendmsg, udp_sendpage

if TYPE_CHECKING:
    from kshell.linux.include.linux.skbuff import sk_buff
    from kshell.linux.include.net.sock import sock
    from kshell.linux.init.kernel import Kernel


def udplite_sk_init(sk: sock) -> int:
    """A new socket."""
    udp_init_sock(sk)
    udp_sk(sk).pcflag = UDPLITE_BIT
    return 0


def udplite_rcv(skb: sk_buff) -> int:
    """handler of UDP-Lite."""
    assert skb.dev is not None
    return __udp4_lib_rcv(skb, skb.dev.nd_net.kernel.udplite_table, IPPROTO_UDPLITE)


def udplite_err(skb: sk_buff, info: int) -> int:
    """err_handler of UDP-Lite."""
    assert skb.dev is not None
    return __udp4_lib_err(skb, info, skb.dev.nd_net.kernel.udplite_table)


udplite_protocol = net_protocol(handler=udplite_rcv, err_handler=udplite_err, no_policy=1)

udplite_prot = proto(
    name="UDP-Lite",
    cls=udp_sock,
    obj_size=1152,
    close=udp_lib_close,
    connect=ip4_datagram_connect,
    disconnect=udp_disconnect,
    ioctl=udp_ioctl,
    init=udplite_sk_init,
    destroy=udp_destroy_sock,
    setsockopt=udp_setsockopt,
    getsockopt=udp_getsockopt,
    sendmsg=udp_sendmsg,
    recvmsg=udp_recvmsg,
    sendpage=udp_sendpage,
    hash=udp_lib_hash,
    unhash=udp_lib_unhash,
    rehash=udp_v4_rehash,
    get_port=udp_v4_get_port,
    memory_allocated="udp_memory_allocated",
    per_cpu_fw_alloc="udp_memory_per_cpu_fw_alloc",
    sysctl_mem="sysctl_udp_mem",
    sysctl_wmem_offset="sysctl_udp_wmem_min",
    sysctl_rmem_offset="sysctl_udp_rmem_min",
    h="udplite_table",
)


def udplite4_register(kernel: Kernel) -> None:
    """Set up UDP-Lite."""
    kernel.udplite_table = udp_table_init(kernel, "UDP-Lite")
    proto_register(kernel, udplite_prot, 1)
    inet_add_protocol(kernel, udplite_protocol, IPPROTO_UDPLITE)
    af_inet_init.inet_register_protosw(
        kernel,
        inet_protosw(
            type=SOCK_DGRAM, protocol=IPPROTO_UDPLITE, prot=udplite_prot, ops=af_inet_init.inet_dgram_ops,
            flags=INET_PROTOSW_PERMANENT,
        ),
    )  # fmt: skip
    udplite4_proc_init(kernel)
