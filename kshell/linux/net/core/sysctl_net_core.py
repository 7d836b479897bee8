"""net/core/sysctl_net_core.c: /proc/sys/net/core. The values are attributes of Kernel and of net.core."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.linux.include.net.net_namespace import pernet_operations
from kshell.linux.net.core.net_namespace import register_pernet_subsys

if TYPE_CHECKING:
    from kshell.linux.include.net.net_namespace import net
    from kshell.linux.init.kernel import Kernel


def sysctl_core_net_init(net: net) -> None:
    """A namespace comes, with settings of its own."""


def sysctl_core_net_exit(net: net) -> None:
    """A namespace goes."""


sysctl_core_ops = pernet_operations(init=sysctl_core_net_init, exit=sysctl_core_net_exit)


def sysctl_core_init(kernel: Kernel) -> None:
    """Initcall: /proc/sys/net/core."""
    register_pernet_subsys(kernel, sysctl_core_ops)
