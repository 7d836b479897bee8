"""net/mptcp/ctrl.c: net.mptcp.*. There is no protocol that follows them (kernel/sysctl_inert.py)."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from kshell.linux.include.linux.jiffies import HZ
from kshell.linux.include.linux.sysctl import SYSCTL_ONE, SYSCTL_ZERO, ctl_table, initial
from kshell.linux.include.net.net_namespace import pernet_operations
from kshell.linux.kernel.sysctl import proc_dointvec_jiffies, proc_dou8vec_minmax, proc_douintvec_minmax
from kshell.linux.net.core.net_namespace import register_pernet_subsys
from kshell.linux.net.sysctl_net import register_net_sysctl, unregister_net_sysctl_table

if TYPE_CHECKING:
    from kshell.linux.include.linux.sysctl import ctl_table_header
    from kshell.linux.include.net.net_namespace import net as net_t
    from kshell.linux.init.kernel import Kernel

mptcp_sysctl_table = (
    ctl_table("enabled", initial(1), 1, 0o644, proc_dou8vec_minmax, SYSCTL_ZERO, SYSCTL_ONE),
    ctl_table("add_addr_timeout", initial(120 * HZ), 4, 0o644, proc_dointvec_jiffies),
    ctl_table("checksum_enabled", initial(0), 1, 0o644, proc_dou8vec_minmax, SYSCTL_ZERO, SYSCTL_ONE),
    ctl_table("allow_join_initial_addr_port", initial(1), 1, 0o644, proc_dou8vec_minmax, SYSCTL_ZERO, SYSCTL_ONE),
    ctl_table("stale_loss_cnt", initial(4), 4, 0o644, proc_douintvec_minmax),
    ctl_table("pm_type", initial(0), 1, 0o644, proc_dou8vec_minmax, SYSCTL_ZERO, SYSCTL_ONE),
)


class mptcp_pernet:
    """What Multipath TCP keeps in a namespace: the registered table."""

    __slots__ = ("ctl_table_hdr",)

    def __init__(self) -> None:
        self.ctl_table_hdr: ctl_table_header | None = None


def mptcp_get_pernet(net: net_t) -> mptcp_pernet:
    """That of a namespace."""
    return cast(mptcp_pernet, net.gen["mptcp"])


def mptcp_net_init(net: net_t) -> None:
    """A namespace comes."""
    mptcp_get_pernet(net).ctl_table_hdr = register_net_sysctl(net, "net/mptcp", mptcp_sysctl_table)


def mptcp_net_exit(net: net_t) -> None:
    """A namespace goes."""
    unregister_net_sysctl_table(mptcp_get_pernet(net).ctl_table_hdr)


mptcp_pernet_ops = pernet_operations(init=mptcp_net_init, exit=mptcp_net_exit, id="mptcp", size=mptcp_pernet)


def mptcp_init(kernel: Kernel) -> None:
    """Set the settings up."""
    register_pernet_subsys(kernel, mptcp_pernet_ops)
