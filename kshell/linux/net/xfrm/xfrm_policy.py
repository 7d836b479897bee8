"""IPsec's place in a namespace: its settings and counters; there are no policies (net/xfrm/xfrm_policy.c, xfrm_sysctl.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.linux.include.linux.sysctl import ctl_table, initial
from kshell.linux.include.net.net_namespace import pernet_operations
from kshell.linux.kernel.sysctl import proc_dointvec, proc_douintvec
from kshell.linux.net.core.net_namespace import register_pernet_subsys
from kshell.linux.net.sysctl_net import register_net_sysctl, unregister_net_sysctl_table

if TYPE_CHECKING:
    from kshell.linux.include.net.net_namespace import net as net_t
    from kshell.linux.init.kernel import Kernel

xfrm_table = (
    ctl_table("xfrm_aevent_etime", initial(10), 4, 0o644, proc_douintvec),
    ctl_table("xfrm_aevent_rseqth", initial(2), 4, 0o644, proc_douintvec),
    ctl_table("xfrm_larval_drop", initial(1), 4, 0o644, proc_dointvec),
    ctl_table("xfrm_acq_expires", initial(30), 4, 0o644, proc_dointvec),
)


def xfrm_sysctl_init(net: net_t) -> None:
    """net.core.xfrm_*."""
    net.xfrm_sysctl_hdr = register_net_sysctl(net, "net/core", xfrm_table)


def xfrm_sysctl_fini(net: net_t) -> None:
    """Take them away."""
    unregister_net_sysctl_table(net.xfrm_sysctl_hdr)


def xfrm_net_init(net: net_t) -> None:
    """A namespace comes."""
    xfrm_sysctl_init(net)


def xfrm_net_exit(net: net_t) -> None:
    """A namespace goes."""
    xfrm_sysctl_fini(net)


xfrm_net_ops = pernet_operations(init=xfrm_net_init, exit=xfrm_net_exit)


def xfrm_init(kernel: Kernel) -> None:
    """Set IPsec up."""
    register_pernet_subsys(kernel, xfrm_net_ops)
