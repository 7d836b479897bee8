"""include/linux/pci.h: devices on the PCI bus."""

from __future__ import annotations

PCI_VENDOR_ID_INTEL = 0x8086


class pci_dev:
    """A device in a slot. _hardware: what the world has plugged in there; driver_data: the driver's struct."""

    __slots__ = ("_hardware", "_slot", "device", "driver_data", "irq", "vendor")

    def __init__(self, vendor: int, device: int, irq: int, slot: int, hardware: object) -> None:
        self.vendor = vendor
        self.device = device
        self.irq = irq
        self.driver_data: object | None = None
        self._slot = slot
        self._hardware = hardware


def pci_name(pdev: pci_dev) -> str:
    """0000:00:03.0"""
    return f"0000:00:{pdev._slot:02x}.0"


def pci_set_drvdata(pdev: pci_dev, data: object) -> None:
    """Note the driver's struct."""
    pdev.driver_data = data


def pci_get_drvdata(pdev: pci_dev) -> object | None:
    """The driver's struct."""
    return pdev.driver_data
