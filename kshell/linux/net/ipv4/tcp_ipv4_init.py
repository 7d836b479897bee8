"""TCP's sockets, its namespaces and its start at boot (part of net/ipv4/tcp_ipv4.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.inet import IP_PMTUDISC_DO, IPPROTO_TCP
from kshell.abi.socket import PF_INET, SOCK_RAW
from kshell.linux.include.net.inet_timewait_sock import inet_timewait_death_row
from kshell.linux.include.net.net_namespace import pernet_operations
from kshell.linux.include.net.sock import SOCK_USE_WRITE_QUEUE
from kshell.linux.include.net.tcp import (
    TCP_FIN_TIMEOUT,
    TCP_KEEPALIVE_INTVL,
    TCP_KEEPALIVE_TIME,
)
from kshell.linux.net import socket as net_socket
from kshell.linux.net.core.net_namespace import register_pernet_subsys
from kshell.linux.net.ipv4 import inet_timewait_sock
from kshell.linux.net.ipv4.tcp_cong import tcp_reno
from kshell.linux.net.ipv4.tcp_metrics import tcp_net_metrics_init

if TYPE_CHECKING:
    from kshell.linux.include.net.net_namespace import net
    from kshell.linux.init.kernel import Kernel

EHASH_ENTRIES = 32768


def tcp_set_hashinfo(net: net) -> None:
    """The tables of a namespace: shared with the initial one."""
    kernel = net.kernel
    net.ipv4.tcp_death_row = inet_timewait_death_row(kernel.tcp_hashinfo, EHASH_ENTRIES // 2)
    net.ipv4.sysctl_max_syn_backlog = max(128, EHASH_ENTRIES // 128)


def tcp_sk_init(net: net) -> None:
    """A namespace comes. The settings that are not here are class defaults of netns_ipv4."""
    ipv4 = net.ipv4
    kernel = net.kernel
    ipv4.sysctl_tcp_keepalive_time = TCP_KEEPALIVE_TIME
    ipv4.sysctl_tcp_keepalive_intvl = TCP_KEEPALIVE_INTVL
    ipv4.sysctl_tcp_fin_timeout = TCP_FIN_TIMEOUT
    ipv4.sysctl_tcp_invalid_ratelimit = 125
    tcp_set_hashinfo(net)
    tcp_net_metrics_init(net)
    if net is not kernel.init_net:
        ipv4.sysctl_tcp_rmem = list(kernel.init_net.ipv4.sysctl_tcp_rmem)
        ipv4.sysctl_tcp_wmem = list(kernel.init_net.ipv4.sysctl_tcp_wmem)
        ipv4.tcp_congestion_control = kernel.init_net.ipv4.tcp_congestion_control
    else:
        ipv4.tcp_congestion_control = tcp_reno


def tcp_sk_exit_batch(nets: list[net]) -> None:
    """Namespaces go: so do their TIME_WAIT sockets."""
    for gone in nets:
        hashinfo = gone.ipv4.tcp_death_row.hashinfo
        for chain in list(hashinfo.ehash.values()):
            for sk in list(chain):
                if sk.skc_net is gone and sk.skc_state == 6:  # TCP_TIME_WAIT
                    sk.skc_refcnt += 1
                    inet_timewait_sock.inet_twsk_deschedule_put(sk)  # type: ignore[arg-type]


tcp_sk_ops = pernet_operations(init=tcp_sk_init, exit_batch=tcp_sk_exit_batch)


def tcp_v4_init(kernel: Kernel) -> None:
    """At boot: the socket that answers for nobody, and the namespaces."""
    register_pernet_subsys(kernel, tcp_sk_ops)
    sk = net_socket.sock_create_kern(kernel.init_net, PF_INET, SOCK_RAW, IPPROTO_TCP).sk
    assert sk is not None
    assert sk.skc_prot.unhash is not None
    sk.skc_prot.unhash(sk)
    sk.skc_flags |= 1 << SOCK_USE_WRITE_QUEUE
    sk.pmtudisc = IP_PMTUDISC_DO  # type: ignore[attr-defined]
    kernel.ipv4_tcp_sk = sk  # type: ignore[assignment]
