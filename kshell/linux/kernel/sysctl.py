"""Kernel settings by their path below /proc/sys (kernel/sysctl.c; the tables of net/)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from kshell.linux.net.ipv4 import tcp_cong

if TYPE_CHECKING:
    from kshell.linux.init.kernel import Kernel

# Where a setting lives when it is not the attribute sysctl_NAME of net.ipv4: (owner, attribute).
_PLACES: Final[Mapping[str, tuple[str, str]]] = MappingProxyType({
    "net/core/rmem_default": ("kernel", "sysctl_rmem_default"),
    "net/core/rmem_max": ("kernel", "sysctl_rmem_max"),
    "net/core/wmem_default": ("kernel", "sysctl_wmem_default"),
    "net/core/wmem_max": ("kernel", "sysctl_wmem_max"),
    "net/core/optmem_max": ("kernel", "sysctl_optmem_max"),
    "net/core/somaxconn": ("core", "sysctl_somaxconn"),
    "net/core/netdev_max_backlog": ("kernel", "netdev_max_backlog"),
    "net/unix/max_dgram_qlen": ("unx", "sysctl_max_dgram_qlen"),
    "net/ipv4/ip_default_ttl": ("ipv4", "sysctl_ip_default_ttl"),
    "fs/nr_open": ("kernel", "sysctl_nr_open"),
    "kernel/pid_max": ("kernel", "pid_max"),
})  # fmt: skip


def _set_ports(kernel: Kernel, value: str) -> None:
    kernel.init_net.ipv4.ip_local_ports.range = [int(word) for word in value.split()]


def _set_ping_groups(kernel: Kernel, value: str) -> None:
    kernel.init_net.ipv4.ping_group_range.range = [int(word) for word in value.split()]


def _set_congestion(kernel: Kernel, value: str) -> None:
    tcp_cong.tcp_set_default_congestion_control(kernel.init_net, value)


_SETTERS: Final[Mapping[str, Callable[[Kernel, str], None]]] = MappingProxyType({
    "net/ipv4/ip_local_port_range": _set_ports,
    "net/ipv4/ping_group_range": _set_ping_groups,
    "net/ipv4/tcp_congestion_control": _set_congestion,
})  # fmt: skip


def _sysctl_set(kernel: Kernel, path: str, value: str) -> None:
    """Set one setting as writing `value` to its file does; KeyError when the model has none of that path."""
    if path in _SETTERS:
        _SETTERS[path](kernel, value)
        return
    owner_name, attribute = _PLACES.get(path) or _default_place(path)
    net = kernel.init_net
    owner = {"kernel": kernel, "ipv4": net.ipv4, "core": net.core, "unx": net.unx}[owner_name]
    if not hasattr(owner, attribute):
        raise KeyError(path)
    numbers = [int(word) for word in value.split()]
    setattr(owner, attribute, numbers if len(numbers) > 1 else numbers[0])


def _default_place(path: str) -> tuple[str, str]:
    folder, _, name = path.rpartition("/")
    if folder != "net/ipv4":
        raise KeyError(path)
    return "ipv4", f"sysctl_{name}"
