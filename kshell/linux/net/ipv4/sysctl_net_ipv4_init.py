"""Registering the settings of IPv4 (net/ipv4/sysctl_net_ipv4.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.linux.include.net.net_namespace import pernet_operations
from kshell.linux.net.core.net_namespace import register_pernet_subsys
from kshell.linux.net.ipv4.sysctl_net_ipv4 import ipv4_table
from kshell.linux.net.ipv4.sysctl_net_ipv4_table import ipv4_net_table
from kshell.linux.net.sysctl_net import register_net_sysctl, unregister_net_sysctl_table

if TYPE_CHECKING:
    from kshell.linux.include.net.net_namespace import net as net_t
    from kshell.linux.init.kernel import Kernel


def ipv4_sysctl_init_net(net: net_t) -> None:
    """A namespace comes."""
    net.ipv4.ipv4_hdr = register_net_sysctl(net, "net/ipv4", ipv4_net_table)
    net.ipv4.sysctl_local_reserved_ports = set()


def ipv4_sysctl_exit_net(net: net_t) -> None:
    """A namespace goes."""
    unregister_net_sysctl_table(net.ipv4.ipv4_hdr)


ipv4_sysctl_ops = pernet_operations(init=ipv4_sysctl_init_net, exit=ipv4_sysctl_exit_net)


def sysctl_ipv4_init(kernel: Kernel) -> None:
    """Initcall: net.ipv4."""
    register_net_sysctl(kernel.init_net, "net/ipv4", ipv4_table)
    register_pernet_subsys(kernel, ipv4_sysctl_ops)
