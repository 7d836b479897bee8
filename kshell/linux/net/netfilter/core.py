"""net/netfilter/core.c, nf_log.c: no hook is called and no logger is loaded; net.netfilter.nf_log* say so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.errno import ENOENT
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.sysctl import Box, ctl_table, data_local, initial
from kshell.linux.include.net.net_namespace import pernet_operations
from kshell.linux.kernel.sysctl import _with_data, proc_dointvec, proc_dostring
from kshell.linux.net.core.net_namespace import register_pernet_subsys
from kshell.linux.net.sysctl_net import register_net_sysctl, unregister_net_sysctl_table

if TYPE_CHECKING:
    from kshell.linux.include.net.net_namespace import net as net_t
    from kshell.linux.init.kernel import Kernel

NFPROTO_NUMPROTO = 11
NFLOGGER_NAME_LEN = 64


def nf_log_proc_dostring(table: ctl_table, write: int, buffer: bytearray, lenp: Box, ppos: Box) -> None:
    """The logger of a family: none can be chosen. ENOENT: it is not loaded."""
    name = data_local("" if write else "NONE")
    _with_data(proc_dostring, table, name, write, buffer, lenp, ppos, NFLOGGER_NAME_LEN)
    if write and name.value != "NONE":
        raise KernelError(ENOENT)


nf_log_sysctl_table = tuple(
    ctl_table(str(family), None, NFLOGGER_NAME_LEN, 0o644, nf_log_proc_dostring) for family in range(NFPROTO_NUMPROTO)
)
nf_log_sysctl_ftable = (ctl_table("nf_log_all_netns", initial(0), 4, 0o644, proc_dointvec),)


def nf_log_net_init(net: net_t) -> None:
    """A namespace comes; the first one has the setting that is for all."""
    if net is net.kernel.init_net:
        register_net_sysctl(net, "net/netfilter", nf_log_sysctl_ftable)
    net.nf.nf_log_dir_header = register_net_sysctl(net, "net/netfilter/nf_log", nf_log_sysctl_table)


def nf_log_net_exit(net: net_t) -> None:
    """A namespace goes."""
    unregister_net_sysctl_table(net.nf.nf_log_dir_header)


nf_log_net_ops = pernet_operations(init=nf_log_net_init, exit=nf_log_net_exit)


def netfilter_log_init(kernel: Kernel) -> None:
    """Set the settings up."""
    register_pernet_subsys(kernel, nf_log_net_ops)


def netfilter_init(kernel: Kernel) -> None:
    """Called by sock_init()."""
    netfilter_log_init(kernel)
