"""drivers/pci/pci-driver.c: PCI devices and their drivers."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from kshell.linux.include.linux.pci import pci_dev

if TYPE_CHECKING:
    from kshell.linux.init.kernel import Kernel


class pci_driver:
    """A driver: the (vendor, device) pairs it knows, and what it does with one. Constant."""

    __slots__ = ("id_table", "name", "probe", "remove")

    def __init__(
        self,
        *,
        name: str,
        id_table: tuple[tuple[int, int], ...],
        probe: Callable[[Kernel, pci_dev], None],
        remove: Callable[[Kernel, pci_dev], None],
    ) -> None:
        self.name = name
        self.id_table = id_table
        self.probe = probe
        self.remove = remove


def pci_register_driver(kernel: Kernel, driver: pci_driver) -> None:
    """A driver came: it gets the devices it knows that have none."""
    kernel.pci_drivers.append(driver)
    for pdev in kernel.pci_devices:
        if pdev.driver_data is None and (pdev.vendor, pdev.device) in driver.id_table:
            driver.probe(kernel, pdev)


def pci_unregister_driver(kernel: Kernel, driver: pci_driver) -> None:
    """A driver goes, and lets go of its devices."""
    kernel.pci_drivers.remove(driver)
    for pdev in kernel.pci_devices:
        if pdev.driver_data is not None and (pdev.vendor, pdev.device) in driver.id_table:
            driver.remove(kernel, pdev)


def pci_device_add(kernel: Kernel, pdev: pci_dev) -> None:
    """A device was plugged in: a driver that knows it gets it."""
    kernel.pci_devices.append(pdev)
    for driver in kernel.pci_drivers:
        if (pdev.vendor, pdev.device) in driver.id_table:
            driver.probe(kernel, pdev)
            return
