"""net.unix.max_dgram_qlen (net/unix/sysctl_net_unix.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.linux.include.linux.sysctl import ctl_table
from kshell.linux.kernel.sysctl import proc_dointvec
from kshell.linux.net.sysctl_net import register_net_sysctl, unregister_net_sysctl_table

if TYPE_CHECKING:
    from kshell.linux.include.net.net_namespace import net

unix_table = (ctl_table("max_dgram_qlen", "init_net.unx.sysctl_max_dgram_qlen", 4, 0o644, proc_dointvec),)


def unix_sysctl_register(net: net) -> None:
    """A namespace's own settings start at the default."""
    net.unx.sysctl_max_dgram_qlen = 10
    net.unx.ctl = register_net_sysctl(net, "net/unix", unix_table)


def unix_sysctl_unregister(net: net) -> None:
    """Nothing outlives the namespace."""
    unregister_net_sysctl_table(net.unx.ctl)
