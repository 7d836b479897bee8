"""net/ipv4/tcp_diag.c, udp_diag.c, raw_diag.c: where the sockets of each protocol are, and the lengths of their queues."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from kshell.abi.errno import ECONNABORTED
from kshell.abi.inet import IPPROTO_RAW, IPPROTO_TCP, IPPROTO_UDP, IPPROTO_UDPLITE
from kshell.abi.tcp import TCP_LISTEN, TCPF_LISTEN
from kshell.linux.include.linux.tcp import tcp_sk
from kshell.linux.kernel.kmod import request_module
from kshell.linux.net.ipv4.inet_diag import (
    inet_diag_handler,
    inet_diag_register,
    inet_diag_req_v2,
    inet_diag_unregister,
)
from kshell.linux.net.ipv4.tcp_close import tcp_abort
from kshell.linux.net.ipv4.tcp_info import tcp_get_info
from kshell.linux.net.ipv4.udp import udp_abort

if TYPE_CHECKING:
    from kshell.linux.include.linux.module import module
    from kshell.linux.include.net.net_namespace import net as net_t
    from kshell.linux.include.net.sock import sock, sock_common
    from kshell.linux.include.net.udp import udp_table
    from kshell.linux.init.kernel import Kernel


def _tcp_sockets(net: net_t, r: inet_diag_req_v2) -> Iterator[sock_common]:
    """inet_diag_dump_icsk(): the listeners, then the connections."""
    hashinfo = net.kernel.tcp_hashinfo
    if r.idiag_states & TCPF_LISTEN and not r.dport:
        for _, listeners in sorted(hashinfo.lhash2.items()):
            yield from listeners
    for _, chain in sorted(hashinfo.ehash.items()):
        yield from reversed(chain)


def _tcp_queues(sk: sock) -> tuple[int, int]:
    """tcp_diag_get_info(): bytes to be read and not acknowledged; of a listener connections that wait, and may."""
    if sk.skc_state == TCP_LISTEN:
        return sk.sk_ack_backlog, sk.sk_max_ack_backlog
    tp = tcp_sk(sk)
    return max(0, tp.rcv_nxt - tp.copied_seq & 0xFFFFFFFF), tp.write_seq - tp.snd_una & 0xFFFFFFFF


def tcp_diag_destroy(sk: sock) -> None:
    """SOCK_DESTROY: reset the connection."""
    tcp_abort(tcp_sk(sk), ECONNABORTED)


def _udp_walk(table: udp_table) -> Iterator[sock_common]:
    for _, slot in sorted(table.hash.items()):
        yield from reversed(slot.head)


def _udp_sockets(net: net_t, r: inet_diag_req_v2) -> Iterator[sock_common]:
    return _udp_walk(net.kernel.udp_table)


def _udplite_sockets(net: net_t, r: inet_diag_req_v2) -> Iterator[sock_common]:
    return _udp_walk(net.kernel.udplite_table)


def _raw_sockets(net: net_t, r: inet_diag_req_v2) -> Iterator[sock_common]:
    for _, sockets in sorted(net.kernel.raw_v4_hashinfo.ht.items()):
        yield from reversed(sockets)


def _datagram_queues(sk: sock) -> tuple[int, int]:
    """udp_diag_get_info(): memory that waits to be read, and to be sent."""
    return sk.sk_rmem_alloc, sk.sk_wmem_alloc - 1


def __udp_diag_destroy(sk: sock) -> None:
    """SOCK_DESTROY: end the socket with an error."""
    udp_abort(sk, ECONNABORTED)


tcp_diag_handler = inet_diag_handler(
    idiag_type=IPPROTO_TCP, sockets=_tcp_sockets, queues=_tcp_queues, info=lambda sk: tcp_get_info(tcp_sk(sk)),
    destroy=tcp_diag_destroy,
)  # fmt: skip
udp_diag_handler = inet_diag_handler(
    idiag_type=IPPROTO_UDP, sockets=_udp_sockets, queues=_datagram_queues, destroy=__udp_diag_destroy
)
udplite_diag_handler = inet_diag_handler(
    idiag_type=IPPROTO_UDPLITE, sockets=_udplite_sockets, queues=_datagram_queues, destroy=__udp_diag_destroy
)
raw_diag_handler = inet_diag_handler(idiag_type=IPPROTO_RAW, sockets=_raw_sockets, queues=_datagram_queues)


def _needs_inet_diag(kernel: Kernel) -> None:
    """modprobe loads what a module depends on first."""
    if "inet_diag" not in kernel.modules:
        request_module(kernel, "inet_diag")


def tcp_diag_init(kernel: Kernel, mod: module) -> None:
    """The module tcp_diag is loaded."""
    _needs_inet_diag(kernel)
    inet_diag_register(kernel, tcp_diag_handler)


def tcp_diag_exit(kernel: Kernel, mod: module) -> None:
    """It is removed."""
    inet_diag_unregister(kernel, tcp_diag_handler)


def udp_diag_init(kernel: Kernel, mod: module) -> None:
    """The module udp_diag is loaded."""
    _needs_inet_diag(kernel)
    inet_diag_register(kernel, udp_diag_handler)
    inet_diag_register(kernel, udplite_diag_handler)


def udp_diag_exit(kernel: Kernel, mod: module) -> None:
    """It is removed."""
    inet_diag_unregister(kernel, udp_diag_handler)
    inet_diag_unregister(kernel, udplite_diag_handler)


def raw_diag_init(kernel: Kernel, mod: module) -> None:
    """The module raw_diag is loaded."""
    _needs_inet_diag(kernel)
    inet_diag_register(kernel, raw_diag_handler)


def raw_diag_exit(kernel: Kernel, mod: module) -> None:
    """It is removed."""
    inet_diag_unregister(kernel, raw_diag_handler)
