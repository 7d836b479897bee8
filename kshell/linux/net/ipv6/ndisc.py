"""net/ipv6/ndisc.c: how IPv6's neighbours would be treated. There are none: the table is not among neigh_tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from kshell.abi.errno import EINVAL
from kshell.abi.netdevice import ETH_P_IPV6
from kshell.abi.socket import AF_INET6
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.jiffies import HZ
from kshell.linux.include.linux.sysctl import Box, ctl_table
from kshell.linux.include.net.neighbour import NEIGH_VAR_BASE_REACHABLE_TIME, neigh_parms, neigh_table
from kshell.linux.net.core.neighbour import neigh_rand_reach_time
from kshell.linux.net.core.neighbour_sysctl import (
    neigh_proc_dointvec,
    neigh_proc_dointvec_jiffies,
    neigh_proc_dointvec_ms_jiffies,
    neigh_sysctl_register,
)

if TYPE_CHECKING:
    from kshell.linux.include.net.neighbour import neighbour
    from kshell.linux.init.kernel import Kernel

_PARMS: Final = (3, 3, 0, 0, HZ, 30 * HZ, 5 * HZ, 5 * HZ, 60 * HZ, 212992, 64, HZ, 8 * HZ // 10, 0)
"""By NEIGH_VAR_*."""


def ndisc_constructor(neigh: neighbour) -> None:
    """EINVAL: IPv6 is disabled on the device."""
    raise KernelError(EINVAL)


def ndisc_ifinfo_sysctl_change(ctl: ctl_table, write: int, buffer: bytearray, lenp: Box, ppos: Box) -> None:
    """The settings that routers may advertise: retrans_time is in jiffies here, and base_reachable_time in seconds."""
    if ctl.procname == "retrans_time":
        neigh_proc_dointvec(ctl, write, buffer, lenp, ppos)
    elif ctl.procname == "base_reachable_time":
        neigh_proc_dointvec_jiffies(ctl, write, buffer, lenp, ppos)
    else:
        neigh_proc_dointvec_ms_jiffies(ctl, write, buffer, lenp, ppos)
    if write and ctl.procname.startswith("base_reachable_time"):
        p = cast(neigh_parms, ctl.extra2)
        p.reachable_time = neigh_rand_reach_time(ctl._kernel, p.data[NEIGH_VAR_BASE_REACHABLE_TIME])


def ndisc_init(kernel: Kernel) -> None:
    """Set up the table."""
    kernel.nd_tbl = neigh_table(
        family=AF_INET6, key_len=16, protocol=ETH_P_IPV6, constructor=ndisc_constructor, id="ndisc_cache",
        parms_data=list(_PARMS), gc_interval=30 * HZ, gc_thresh1=128, gc_thresh2=512, gc_thresh3=1024,
    )  # fmt: skip
    neigh_sysctl_register(kernel.init_net, None, kernel.nd_tbl.parms, ndisc_ifinfo_sysctl_change)
