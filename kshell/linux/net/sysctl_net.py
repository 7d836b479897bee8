"""net/sysctl_net.c: the directory net of /proc/sys; each network namespace has a tree of its own in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.capability import CAP_NET_ADMIN
from kshell.linux.fs.proc.proc_sysctl_register import (
    Table,
    __register_sysctl_table,
    register_sysctl,
    retire_sysctl_set,
    setup_sysctl_set,
    unregister_sysctl_table,
)
from kshell.linux.include.linux.sysctl import ctl_table, ctl_table_header, ctl_table_root, ctl_table_set, table_copy
from kshell.linux.include.net.net_namespace import pernet_operations
from kshell.linux.kernel.capability import ns_capable_noaudit
from kshell.linux.net.core.net_namespace import register_pernet_subsys

if TYPE_CHECKING:
    from kshell.linux.include.linux.sched import task_struct
    from kshell.linux.include.net.net_namespace import net
    from kshell.linux.init.kernel import Kernel



def net_ctl_header_lookup(current: task_struct, root: ctl_table_root) -> ctl_table_set:
    """The tree of current's namespace."""
    return current.nsproxy.net_ns.sysctls


def is_seen(current: task_struct, set: ctl_table_set) -> bool:
    """Whether the tree is that of current's namespace."""
    return current.nsproxy.net_ns.sysctls is set


def net_ctl_permissions(head: ctl_table_header, table: ctl_table) -> int:
    """The mode of a setting: who administrates the network has root's access."""
    net = head.set._net
    assert net is not None
    if ns_capable_noaudit(net.kernel.current, net.user_ns, CAP_NET_ADMIN):
        mode = table.mode >> 6 & 7
        return mode << 6 | mode << 3 | mode
    return table.mode


def net_ctl_set_ownership(head: ctl_table_header) -> tuple[int, int]:
    """The settings are root's."""
    return 0, 0


net_sysctl_root = ctl_table_root(
    lookup=net_ctl_header_lookup, permissions=net_ctl_permissions, set_ownership=net_ctl_set_ownership
)


def sysctl_net_init(net: net) -> None:
    """A namespace comes with settings of its own."""
    net.sysctls = ctl_table_set(net.kernel, net)
    setup_sysctl_set(net.sysctls, net_sysctl_root, is_seen)


def sysctl_net_exit(net: net) -> None:
    """A namespace goes."""
    retire_sysctl_set(net.sysctls)


sysctl_pernet_ops = pernet_operations(init=sysctl_net_init, exit=sysctl_net_exit)


def net_sysctl_init(kernel: Kernel) -> None:
    """Set up the directory."""
    register_sysctl(kernel, "net", ())
    register_pernet_subsys(kernel, sysctl_pernet_ops)


def register_net_sysctl(net: net, path: str, table: Table, copy: table_copy | None = None) -> ctl_table_header:
    """Register settings of a namespace, such as "net/ipv4"."""
    return __register_sysctl_table(net.sysctls, path, table, copy)


def unregister_net_sysctl_table(header: ctl_table_header | None) -> None:
    """Take settings of a namespace away."""
    unregister_sysctl_table(header)
