"""Adapters plugged into machines: Intel's e1000, whose cable is a `Port`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kshell.linux.drivers.net.ethernet.intel.e1000.e1000 import E1000_DEV_ID_82540EM, e1000_hw
from kshell.linux.drivers.pci.pci_driver import pci_device_add
from kshell.linux.include.linux.pci import PCI_VENDOR_ID_INTEL, pci_dev
from kshell.linux.kernel.kmod import request_module
from kshell.linux.net.core.dev_register import dev_change_name
from kshell.world.wire import Port

if TYPE_CHECKING:
    from kshell.linux.init.kernel import Kernel

FIRST_SLOT: Final = 3
FIRST_IRQ: Final = 16
DRIVER: Final = "e1000"


def plug_in(kernel: Kernel, name: str, mac: bytes) -> Port:
    """Plug an adapter into a machine, which finds it, loads its driver and calls its device `name`."""
    port = Port(name)
    slot = FIRST_SLOT + len(kernel.pci_devices)
    pdev = pci_dev(PCI_VENDOR_ID_INTEL, E1000_DEV_ID_82540EM, FIRST_IRQ + slot, slot, e1000_hw(port, mac))
    pci_device_add(kernel, pdev)
    if DRIVER not in kernel.modules:
        request_module(kernel, f"pci:v{pdev.vendor:08X}d{pdev.device:08X}")
    assert port.device is not None
    if port.device.name != name:
        dev_change_name(port.device, name)
    return port
