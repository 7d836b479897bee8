"""net/ipv4/ip_fragment.c: net.ipv4.ipfrag_*."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.linux.include.linux.sysctl import SYSCTL_ZERO, ctl_table, initial
from kshell.linux.kernel.sysctl import (
    proc_dointvec_jiffies,
    proc_dointvec_minmax,
    proc_doulongvec_minmax,
)
from kshell.linux.net.sysctl_net import register_net_sysctl, unregister_net_sysctl_table

if TYPE_CHECKING:
    from kshell.linux.include.net.net_namespace import net as net_t
    from kshell.linux.init.kernel import Kernel

ip4_frags_ns_ctl_table = (
    ctl_table(
        "ipfrag_high_thresh", "init_net.ipv4.fqdir.high_thresh", 8, 0o644, proc_doulongvec_minmax,
        "init_net.ipv4.fqdir.low_thresh",
    ),
    ctl_table(
        "ipfrag_low_thresh", "init_net.ipv4.fqdir.low_thresh", 8, 0o644, proc_doulongvec_minmax,
        None, "init_net.ipv4.fqdir.high_thresh",
    ),
    ctl_table("ipfrag_time", "init_net.ipv4.fqdir.timeout", 4, 0o644, proc_dointvec_jiffies),
    ctl_table("ipfrag_max_dist", "init_net.ipv4.fqdir.max_dist", 4, 0o644, proc_dointvec_minmax, SYSCTL_ZERO),
)  # fmt: skip
ip4_frags_ctl_table = (ctl_table("ipfrag_secret_interval", initial(0), 4, 0o644, proc_dointvec_jiffies),)


def ip4_frags_ns_ctl_register(net: net_t) -> None:
    """A namespace comes."""
    net.ipv4.frags_hdr = register_net_sysctl(net, "net/ipv4", ip4_frags_ns_ctl_table)


def ip4_frags_ns_ctl_unregister(net: net_t) -> None:
    """A namespace goes."""
    unregister_net_sysctl_table(net.ipv4.frags_hdr)


def ip4_frags_ctl_register(kernel: Kernel) -> None:
    """What all namespaces have in common."""
    register_net_sysctl(kernel.init_net, "net/ipv4", ip4_frags_ctl_table)
