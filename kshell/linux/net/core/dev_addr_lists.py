"""net/core/dev_addr_lists.c: the addresses that a device receives besides its own, counted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.errno import ENOENT
from kshell.linux.include.linux.err import KernelError
from kshell.linux.net.core import dev as net_dev

if TYPE_CHECKING:
    from kshell.linux.include.linux.netdevice import net_device


def __hw_addr_add(addresses: dict[bytes, int], addr: bytes) -> None:
    addresses[addr] = addresses.get(addr, 0) + 1


def __hw_addr_del(addresses: dict[bytes, int], addr: bytes) -> None:
    count = addresses.get(addr)
    if count is None:
        raise KernelError(ENOENT)
    if count == 1:
        del addresses[addr]
    else:
        addresses[addr] = count - 1


def dev_mc_add(dev: net_device, addr: bytes) -> None:
    """Receive a multicast address once more."""
    __hw_addr_add(dev.mc, addr)
    net_dev.__dev_set_rx_mode(dev)


def dev_mc_del(dev: net_device, addr: bytes) -> None:
    """Receive a multicast address once less. ENOENT."""
    __hw_addr_del(dev.mc, addr)
    net_dev.__dev_set_rx_mode(dev)


def dev_uc_add(dev: net_device, addr: bytes) -> None:
    """Receive another address once more."""
    __hw_addr_add(dev.uc, addr)
    net_dev.__dev_set_rx_mode(dev)


def dev_uc_del(dev: net_device, addr: bytes) -> None:
    """Receive another address once less. ENOENT."""
    __hw_addr_del(dev.uc, addr)
    net_dev.__dev_set_rx_mode(dev)
