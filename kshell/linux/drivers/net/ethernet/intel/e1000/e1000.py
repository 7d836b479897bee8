"""drivers/net/ethernet/intel/e1000/e1000.h, e1000_hw.h: the adapter, its rings and registers."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

from kshell.linux.drivers.net.frame import Frame
from kshell.linux.include.linux.netdevice import napi_struct

if TYPE_CHECKING:
    from kshell.linux.drivers.net.frame import Phy
    from kshell.linux.include.linux.netdevice import net_device
    from kshell.linux.include.linux.pci import pci_dev
    from kshell.linux.include.linux.skbuff import sk_buff
    from kshell.linux.include.linux.workqueue import work_struct

E1000_DEV_ID_82540EM: Final = 0x100E
E1000_DEFAULT_TXD: Final = 256
E1000_DEFAULT_RXD: Final = 256
E1000_MAX_JUMBO_FRAME: Final = 0x3F00
TX_WAKE_THRESHOLD: Final = 32

E1000_ICR_TXDW: Final = 0x00000001
E1000_ICR_LSC: Final = 0x00000004
E1000_ICR_RXT0: Final = 0x00000080


class e1000_tx_buffer:
    """A descriptor that the hardware has: the packet, or a context before it; due: when it is sent (ns)."""

    __slots__ = ("due", "length", "skb")

    def __init__(self, skb: sk_buff | None, length: int, due: int) -> None:
        self.skb = skb
        self.length = length
        self.due = due


class e1000_tx_ring:
    """What was given to the hardware and is not cleaned up yet."""

    __slots__ = ("buffer_info", "count")

    def __init__(self, count: int) -> None:
        self.count = count
        self.buffer_info: deque[e1000_tx_buffer] = deque()


class e1000_rx_ring:
    """What the hardware has received."""

    __slots__ = ("buffer_info", "count")

    def __init__(self, count: int) -> None:
        self.count = count
        self.buffer_info: deque[Frame] = deque()


class e1000_hw:
    """The hardware: interrupt causes (icr) and mask, the address filter, the end of the cable."""

    __slots__ = ("_phy", "icr", "ims", "mac_addr", "mta", "promisc")

    def __init__(self, phy: Phy, mac_addr: bytes) -> None:
        self._phy = phy
        self.mac_addr = mac_addr
        self.icr = self.ims = 0
        self.mta: frozenset[bytes] = frozenset()
        self.promisc = False


class e1000_adapter:
    """The driver's struct of one device (netdev_priv())."""

    __slots__ = (
        "_addr", "_wakes", "hw", "napi", "netdev", "pdev", "rx_ring", "total_rx_bytes", "total_rx_packets",
        "total_tx_bytes", "total_tx_packets", "tx_ring", "watchdog_task",
    )  # fmt: skip
    napi: napi_struct
    watchdog_task: work_struct

    def __init__(self, netdev: net_device, pdev: pci_dev, hw: e1000_hw) -> None:
        self.netdev = netdev
        self.pdev = pdev
        self.hw = hw
        self.tx_ring = e1000_tx_ring(E1000_DEFAULT_TXD)
        self.rx_ring = e1000_rx_ring(E1000_DEFAULT_RXD)
        self.total_tx_bytes = self.total_tx_packets = self.total_rx_bytes = self.total_rx_packets = 0
        self._wakes = False


def _adapter(dev: net_device) -> e1000_adapter:
    """netdev_priv(dev)"""
    adapter = dev._priv
    assert isinstance(adapter, e1000_adapter)
    return adapter


def E1000_DESC_UNUSED(ring: e1000_tx_ring) -> int:
    """Descriptors that are free."""
    return ring.count - len(ring.buffer_info) - 1
