"""net/core/dev.c: what names a device besides its name: alias, ports of the card, a program at its door."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.errno import EOPNOTSUPP
from kshell.linux.include.linux.err import KernelError

if TYPE_CHECKING:
    from kshell.linux.include.linux.netdevice import net_device


def dev_get_alias(dev: net_device) -> str:
    """The text that an administrator gave the device."""
    return dev.ifalias


def dev_get_phys_port_id(dev: net_device) -> bytes:
    """Number of the port of the card; no driver here has one."""
    raise KernelError(EOPNOTSUPP)


def dev_get_phys_port_name(dev: net_device) -> str:
    """Name of the port of the card; no driver here has one."""
    raise KernelError(EOPNOTSUPP)


def dev_get_port_parent_id(dev: net_device) -> bytes:
    """Number of the switch that the port belongs to; no driver here is in one."""
    raise KernelError(EOPNOTSUPP)


def dev_xdp_prog_id(dev: net_device) -> int:
    """Number of the BPF program that sees the packets first; 0: none."""
    return 0
