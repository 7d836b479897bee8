"""drivers/net/ethernet/intel/e1000/e1000_main.c: Intel's gigabit adapter 82540EM, as virtual machines have it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from kshell.abi.errno import EADDRNOTAVAIL
from kshell.abi.netdevice import ETH_HLEN, ETH_ZLEN, IFF_ALLMULTI, IFF_PROMISC
from kshell.linux.drivers.net.ethernet.intel.e1000.e1000 import (
    E1000_DEV_ID_82540EM,
    E1000_ICR_LSC,
    E1000_ICR_RXT0,
    E1000_ICR_TXDW,
    E1000_MAX_JUMBO_FRAME,
    _adapter,
    e1000_adapter,
    e1000_hw,
)
from kshell.linux.drivers.net.ethernet.intel.e1000.e1000_main_rings import (
    _arrive,
    _cable,
    e1000_clean,
    e1000_clean_rx_ring,
    e1000_clean_tx_ring,
    e1000_xmit_frame,
)
from kshell.linux.drivers.pci.pci_driver import pci_driver, pci_register_driver, pci_unregister_driver
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.if_ether import is_valid_ether_addr
from kshell.linux.include.linux.interrupt import IRQ_HANDLED, IRQ_NONE, IRQF_SHARED
from kshell.linux.include.linux.netdev_features import (
    NETIF_F_HIGHDMA,
    NETIF_F_HW_CSUM,
    NETIF_F_RXCSUM,
    NETIF_F_SG,
    NETIF_F_TSO,
)
from kshell.linux.include.linux.netdevice import (
    napi_struct,
    net_device,
    net_device_ops,
    netif_carrier_ok,
    netif_running,
)
from kshell.linux.include.linux.netdevice_xmit import netif_start_queue
from kshell.linux.include.linux.pci import PCI_VENDOR_ID_INTEL, pci_dev, pci_get_drvdata, pci_name, pci_set_drvdata
from kshell.linux.include.linux.workqueue import work_struct
from kshell.linux.kernel.irq.manage import free_irq, request_irq
from kshell.linux.kernel.printk import pr_info
from kshell.linux.kernel.workqueue import schedule_work
from kshell.linux.net.core.dev_receive import napi_schedule, netif_napi_add
from kshell.linux.net.core.dev_register import (
    alloc_netdev_mqs,
    free_netdev,
    register_netdev,
    unregister_netdev,
)
from kshell.linux.net.ethernet.eth import eth_validate_addr, ether_setup
from kshell.linux.net.sched.sch_generic_carrier import netif_carrier_off, netif_carrier_on

if TYPE_CHECKING:
    from kshell.linux.include.linux.module import module
    from kshell.linux.init.kernel import Kernel

FCS_LEN: Final = 4
NAPI_WEIGHT: Final = 64


def e1000_irq_enable(adapter: e1000_adapter) -> None:
    """Let the device interrupt."""
    adapter.hw.ims = E1000_ICR_TXDW | E1000_ICR_LSC | E1000_ICR_RXT0


def e1000_irq_disable(adapter: e1000_adapter) -> None:
    """Have the device interrupt no more."""
    adapter.hw.ims = 0


def e1000_intr(irq: int, data: object) -> int:
    """Interrupt: the link changed, or the rings want to be looked at."""
    assert isinstance(data, net_device)
    adapter = _adapter(data)
    hw = adapter.hw
    icr, hw.icr = hw.icr, 0
    if not icr:
        return IRQ_NONE
    if icr & E1000_ICR_LSC:
        schedule_work(data.nd_net.kernel, adapter.watchdog_task)
    if icr & (E1000_ICR_TXDW | E1000_ICR_RXT0):
        napi_schedule(data.nd_net.kernel, adapter.napi)
    return IRQ_HANDLED


async def e1000_watchdog(work: work_struct) -> None:
    """Work: note whether there is a link."""
    adapter = work._owner
    assert isinstance(adapter, e1000_adapter)
    netdev = adapter.netdev
    if not netif_running(netdev):
        return
    kernel = netdev.nd_net.kernel
    link = adapter.hw._phy.carrier()
    if link and not netif_carrier_ok(netdev):
        pr_info(kernel, f"e1000: {netdev.name} NIC Link is Up 1000 Mbps Full Duplex, Flow Control: None")
        netif_carrier_on(netdev)
    elif not link and netif_carrier_ok(netdev):
        pr_info(kernel, f"e1000: {netdev.name} NIC Link is Down")
        netif_carrier_off(netdev)


def _e1000_up_complete(adapter: e1000_adapter) -> None:
    """The device runs; a link change is reported to find out about the link."""
    e1000_irq_enable(adapter)
    netif_start_queue(adapter.netdev)
    schedule_work(adapter.netdev.nd_net.kernel, adapter.watchdog_task)


def e1000_down(adapter: e1000_adapter) -> None:
    """Stop the device and drop what is in its rings."""
    e1000_irq_disable(adapter)
    netif_carrier_off(adapter.netdev)
    e1000_clean_rx_ring(adapter)
    e1000_clean_tx_ring(adapter)


def e1000_request_irq(adapter: e1000_adapter) -> None:
    """Get the interrupt."""
    netdev = adapter.netdev
    request_irq(netdev.nd_net.kernel, adapter.pdev.irq, e1000_intr, IRQF_SHARED, netdev.name, netdev)


def e1000_free_irq(adapter: e1000_adapter) -> None:
    """Give the interrupt back."""
    free_irq(adapter.netdev.nd_net.kernel, adapter.pdev.irq, adapter.netdev)


def e1000_open(netdev: net_device) -> int:
    """The device goes up. EBUSY: its interrupt is taken."""
    adapter = _adapter(netdev)
    netif_carrier_off(netdev)
    e1000_request_irq(adapter)
    _e1000_up_complete(adapter)
    return 0


def e1000_close(netdev: net_device) -> int:
    """The device goes down."""
    adapter = _adapter(netdev)
    e1000_down(adapter)
    e1000_free_irq(adapter)
    return 0


def e1000_set_rx_mode(netdev: net_device) -> None:
    """Set the hardware's filter: promiscuous, all multicast, or the addresses of the lists."""
    hw = _adapter(netdev).hw
    hw.promisc = bool(netdev.flags & IFF_PROMISC) or len(netdev.uc) > 14
    groups = {b"\xff"} if netdev.flags & IFF_ALLMULTI else set(netdev.mc)
    hw.mta = frozenset(groups | set(netdev.uc))


def e1000_rar_set(hw: e1000_hw, addr: bytes) -> None:
    """Set the hardware's own address."""
    hw.mac_addr = addr


def e1000_set_mac(netdev: net_device, addr: bytes) -> int:
    """Change the address. EADDRNOTAVAIL: a group's, or zero."""
    if not is_valid_ether_addr(addr):
        raise KernelError(EADDRNOTAVAIL)
    netdev.dev_addr = addr
    e1000_rar_set(_adapter(netdev).hw, addr)
    return 0


def e1000_change_mtu(netdev: net_device, new_mtu: int) -> int:
    """Change the MTU; a device that is up is stopped for it."""
    adapter = _adapter(netdev)
    running = netif_running(netdev)
    if running:
        e1000_down(adapter)
    pr_info(netdev.nd_net.kernel, f"e1000 {pci_name(adapter.pdev)} {netdev.name}: changing MTU from {netdev.mtu} to {new_mtu}")
    netdev.mtu = new_mtu
    if running:
        _e1000_up_complete(adapter)
    return 0


e1000_netdev_ops = net_device_ops(
    ndo_open=e1000_open, ndo_stop=e1000_close, ndo_start_xmit=e1000_xmit_frame, ndo_set_rx_mode=e1000_set_rx_mode,
    ndo_set_mac_address=e1000_set_mac, ndo_change_mtu=e1000_change_mtu, ndo_validate_addr=eth_validate_addr,
)  # fmt: skip


def e1000_probe(kernel: Kernel, pdev: pci_dev) -> None:
    """An adapter was found: make its network device."""
    hw = pdev._hardware
    assert isinstance(hw, e1000_hw)
    netdev = alloc_netdev_mqs(kernel.init_net, "eth%d", ether_setup)
    netdev._parent = pdev
    adapter = e1000_adapter(netdev, pdev, hw)
    netdev._priv = adapter
    adapter.napi = napi_struct(e1000_clean, NAPI_WEIGHT)
    adapter.napi._owner = adapter
    netif_napi_add(netdev, adapter.napi)
    adapter.watchdog_task = work_struct(e1000_watchdog, adapter)
    netdev.netdev_ops = e1000_netdev_ops
    netdev.irq = pdev.irq
    netdev.hw_features = NETIF_F_SG | NETIF_F_HW_CSUM
    netdev.features = netdev.hw_features | NETIF_F_TSO | NETIF_F_HIGHDMA
    netdev.hw_features |= NETIF_F_RXCSUM
    netdev.min_mtu = ETH_ZLEN - ETH_HLEN
    netdev.max_mtu = E1000_MAX_JUMBO_FRAME - (ETH_HLEN + FCS_LEN)
    netdev.dev_addr = netdev.perm_addr = hw.mac_addr
    pci_set_drvdata(pdev, netdev)
    register_netdev(netdev)
    mac = netdev.dev_addr.hex(":")
    name = pci_name(pdev)
    pr_info(kernel, f"e1000 {name} {netdev.name}: (PCI:33MHz:32-bit) {mac}")
    netif_carrier_off(netdev)
    pr_info(kernel, f"e1000 {name} {netdev.name}: Intel(R) PRO/1000 Network Connection")
    hw._phy.connect(netdev, partial(_arrive, adapter), partial(_cable, adapter))


def e1000_remove(kernel: Kernel, pdev: pci_dev) -> None:
    """The adapter, or the driver, goes."""
    netdev = pci_get_drvdata(pdev)
    assert isinstance(netdev, net_device)
    unregister_netdev(netdev)
    _adapter(netdev).hw._phy.connect(None, None, None)
    netdev._priv = None
    pdev.driver_data = None
    free_netdev(netdev)


e1000_driver = pci_driver(
    name="e1000", id_table=((PCI_VENDOR_ID_INTEL, E1000_DEV_ID_82540EM),), probe=e1000_probe, remove=e1000_remove
)


def e1000_init_module(kernel: Kernel, mod: module) -> None:
    """The module is loaded."""
    pr_info(kernel, "e1000: Intel(R) PRO/1000 Network Driver")
    pr_info(kernel, "e1000: Copyright (c) 1999-2006 Intel Corporation.")
    pci_register_driver(kernel, e1000_driver)


def e1000_exit_module(kernel: Kernel, mod: module) -> None:
    """The module is removed."""
    pci_unregister_driver(kernel, e1000_driver)



