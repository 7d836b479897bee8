"""net/sysctl_net.c: the directory net of /proc/sys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.linux.include.net.net_namespace import pernet_operations
from kshell.linux.net.core.net_namespace import register_pernet_subsys

if TYPE_CHECKING:
    from kshell.linux.include.net.net_namespace import net
    from kshell.linux.init.kernel import Kernel


def sysctl_net_init(net: net) -> None:
    """A namespace comes with settings of its own."""


def sysctl_net_exit(net: net) -> None:
    """A namespace goes."""


sysctl_pernet_ops = pernet_operations(init=sysctl_net_init, exit=sysctl_net_exit)


def net_sysctl_init(kernel: Kernel) -> None:
    """Set up the directory."""
    register_pernet_subsys(kernel, sysctl_pernet_ops)
