"""IPsec for IPv4: its setting (net/ipv4/xfrm4_policy.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.linux.include.linux.sysctl import ctl_table, initial
from kshell.linux.include.net.net_namespace import pernet_operations
from kshell.linux.kernel.sysctl import proc_dointvec
from kshell.linux.net.core.net_namespace import register_pernet_subsys
from kshell.linux.net.sysctl_net import register_net_sysctl, unregister_net_sysctl_table

if TYPE_CHECKING:
    from kshell.linux.include.net.net_namespace import net as net_t
    from kshell.linux.init.kernel import Kernel

xfrm4_policy_table = (ctl_table("xfrm4_gc_thresh", initial(32768), 4, 0o644, proc_dointvec),)


def xfrm4_net_sysctl_init(net: net_t) -> None:
    """net.ipv4.xfrm4_gc_thresh."""
    net.ipv4.xfrm4_hdr = register_net_sysctl(net, "net/ipv4", xfrm4_policy_table)


def xfrm4_net_init(net: net_t) -> None:
    """A namespace comes."""
    xfrm4_net_sysctl_init(net)


def xfrm4_net_exit(net: net_t) -> None:
    """A namespace goes."""
    unregister_net_sysctl_table(net.ipv4.xfrm4_hdr)


xfrm4_net_ops = pernet_operations(init=xfrm4_net_init, exit=xfrm4_net_exit)


def xfrm4_init(kernel: Kernel) -> None:
    """Set IPsec up for IPv4."""
    register_pernet_subsys(kernel, xfrm4_net_ops)
