"""net/bridge/br_if.c: devices that join bridges and leave them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.errno import EBUSY, EINVAL, ELOOP, EOPNOTSUPP, EXFULL
from kshell.abi.netdevice import ARPHRD_ETHER, ETH_ALEN, ETH_DATA_LEN, IFF_LOOPBACK, IFF_UP
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.if_ether import is_valid_ether_addr
from kshell.linux.include.linux.netdevice import (
    IFF_BRIDGE_PORT,
    IFF_DONT_BRIDGE,
    NETDEV_CHANGEUPPER,
    netif_carrier_ok,
    netif_is_bridge_master,
    netif_running,
)
from kshell.linux.include.net.nlattr import NL_SET_ERR_MSG
from kshell.linux.kernel.printk import pr_info
from kshell.linux.net.bridge.br_fdb import br_fdb_delete_by_port, fdb_add_local
from kshell.linux.net.bridge.br_input import br_handle_frame
from kshell.linux.net.bridge.br_private import (
    BR_MAX_PORTS,
    BR_STATE_DISABLED,
    BR_STATE_NAMES,
    _br,
    _kernel,
    br_port_get_rtnl,
    net_bridge,
    net_bridge_port,
)
from kshell.linux.net.bridge.br_stp import (
    br_stp_disable_port,
    br_stp_enable_port,
    br_stp_recalculate_bridge_id,
)
from kshell.linux.net.core.dev import call_netdevice_notifiers
from kshell.linux.net.core.dev_flags import dev_set_allmulti, dev_set_mtu, dev_set_promiscuity
from kshell.linux.net.core.dev_receive import netdev_rx_handler_register, netdev_rx_handler_unregister
from kshell.linux.net.core.dev_register import unregister_netdevice

if TYPE_CHECKING:
    from kshell.linux.include.linux.netdevice import net_device
    from kshell.linux.include.linux.netlink import netlink_ext_ack


def find_portno(br: net_bridge) -> int:
    """The lowest number that no port has. EXFULL."""
    used = {p.port_no for p in br.port_list}
    number = next(n for n in range(1, BR_MAX_PORTS + 1) if n not in used)
    if number == BR_MAX_PORTS:
        raise KernelError(EXFULL)
    return number


def new_nbp(br: net_bridge, dev: net_device) -> net_bridge_port:
    """A port for a device. EXFULL."""
    p = net_bridge_port(br, dev, find_portno(br))
    pr_info(_kernel(br), f"{br.dev.name}: port {p.port_no}({dev.name}) entered blocking state")
    p.state = BR_STATE_DISABLED
    pr_info(_kernel(br), f"{br.dev.name}: port {p.port_no}({dev.name}) entered {BR_STATE_NAMES[0]} state")
    dev.pcpu_refcnt += 1
    return p


def br_mtu_auto_adjust(br: net_bridge) -> None:
    """The bridge's MTU is the smallest of its ports'."""
    mtu = min((p.dev.mtu for p in br.port_list), default=ETH_DATA_LEN)
    if br.dev.mtu != mtu:
        dev_set_mtu(br.dev, mtu)


def netdev_master_upper_dev_link(dev: net_device, upper_dev: net_device) -> None:
    """Make a device part of another."""
    dev._master = upper_dev
    call_netdevice_notifiers(NETDEV_CHANGEUPPER, dev)


def netdev_upper_dev_unlink(dev: net_device, upper_dev: net_device) -> None:
    """A device is part of another no more."""
    dev._master = None
    call_netdevice_notifiers(NETDEV_CHANGEUPPER, dev)


def br_add_if(br: net_bridge, dev: net_device, extack: netlink_ext_ack | None) -> None:
    """A device joins. EINVAL: no Ethernet device; ELOOP: a bridge; EBUSY: it is in a bridge; EOPNOTSUPP."""
    ethernet = dev.type == ARPHRD_ETHER and dev.addr_len == ETH_ALEN and is_valid_ether_addr(dev.dev_addr)
    if dev.flags & IFF_LOOPBACK or not ethernet:
        raise KernelError(EINVAL)
    if netif_is_bridge_master(dev):
        NL_SET_ERR_MSG(extack, "Can not enslave a bridge to a bridge")
        raise KernelError(ELOOP)
    if dev._master is not None:
        raise KernelError(EBUSY)
    if dev.priv_flags & IFF_DONT_BRIDGE:
        NL_SET_ERR_MSG(extack, "Device does not allow enslaving to a bridge")
        raise KernelError(EOPNOTSUPP)
    p = new_nbp(br, dev)
    dev_set_allmulti(dev, 1)
    netdev_rx_handler_register(dev, br_handle_frame, p)
    dev.priv_flags |= IFF_BRIDGE_PORT
    netdev_master_upper_dev_link(dev, br.dev)
    dev_set_promiscuity(dev, 1)
    br.port_list.insert(0, p)
    fdb_add_local(br, p, dev.dev_addr)
    br_stp_recalculate_bridge_id(br)
    if netif_running(dev) and netif_carrier_ok(dev) and br.dev.flags & IFF_UP:
        br_stp_enable_port(p)
    br_mtu_auto_adjust(br)


def del_nbp(p: net_bridge_port) -> None:
    """A port goes."""
    br, dev = p.br, p.dev
    br_stp_disable_port(p)
    br.port_list.remove(p)
    br_fdb_delete_by_port(br, p, True)
    dev_set_promiscuity(dev, -1)
    netdev_rx_handler_unregister(dev)
    dev.priv_flags &= ~IFF_BRIDGE_PORT
    netdev_upper_dev_unlink(dev, br.dev)
    dev_set_allmulti(dev, -1)
    dev.pcpu_refcnt -= 1


def br_del_if(br: net_bridge, dev: net_device) -> None:
    """A device leaves. EINVAL: it is in no bridge, or another."""
    p = br_port_get_rtnl(dev)
    if p is None or p.br is not br:
        raise KernelError(EINVAL)
    del_nbp(p)
    br_mtu_auto_adjust(br)
    br_stp_recalculate_bridge_id(br)


def br_dev_delete(dev: net_device) -> None:
    """A bridge goes; its ports are free."""
    br = _br(dev)
    for p in list(br.port_list):
        del_nbp(p)
    br_fdb_delete_by_port(br, None, True)
    unregister_netdevice(dev)
