"""net/bridge/br_stp.c, br_stp_if.c: the states of ports. The spanning tree protocol is off: ports forward at once."""

from __future__ import annotations

from kshell.abi.netdevice import IFF_UP
from kshell.linux.include.linux.if_ether import is_valid_ether_addr
from kshell.linux.include.linux.netdevice import NETDEV_CHANGEADDR, netif_carrier_ok, netif_running
from kshell.linux.kernel.printk import pr_info
from kshell.linux.net.bridge.br_fdb import br_fdb_change_mac_address, br_fdb_delete_by_port
from kshell.linux.net.bridge.br_private import (
    BR_STATE_BLOCKING,
    BR_STATE_DISABLED,
    BR_STATE_FORWARDING,
    BR_STATE_NAMES,
    _kernel,
    net_bridge,
    net_bridge_port,
)
from kshell.linux.net.core.dev import call_netdevice_notifiers
from kshell.linux.net.ethernet.eth import NET_ADDR_RANDOM
from kshell.linux.net.sched.sch_generic_carrier import netif_carrier_off, netif_carrier_on


def br_set_state(p: net_bridge_port, state: int) -> None:
    """Change a port's state, and say so in the kernel's log."""
    if p.state == state:
        return
    p.state = state
    br = p.br
    pr_info(_kernel(br), f"{br.dev.name}: port {p.port_no}({p.dev.name}) entered {BR_STATE_NAMES[state]} state")


def br_make_forwarding(p: net_bridge_port) -> None:
    """A port may forward: without STP it does at once."""
    if p.state == BR_STATE_BLOCKING:
        br_set_state(p, BR_STATE_FORWARDING)


def br_port_state_selection(br: net_bridge) -> None:
    """Let all ports that can forward; the bridge has a link if one does."""
    for p in br.port_list:
        if p.state != BR_STATE_DISABLED:
            br_make_forwarding(p)
    if any(p.state == BR_STATE_FORWARDING for p in br.port_list):
        netif_carrier_on(br.dev)
    else:
        netif_carrier_off(br.dev)


def br_init_port(p: net_bridge_port) -> None:
    """A port begins to take part."""
    br_set_state(p, BR_STATE_BLOCKING)


def br_stp_enable_port(p: net_bridge_port) -> None:
    """A port's device is up and has a link."""
    br_init_port(p)
    br_port_state_selection(p.br)


def br_stp_disable_port(p: net_bridge_port) -> None:
    """A port's device is down or has no link."""
    br_set_state(p, BR_STATE_DISABLED)
    br_fdb_delete_by_port(p.br, p, False)
    br_port_state_selection(p.br)


def br_stp_enable_bridge(br: net_bridge) -> None:
    """The bridge goes up."""
    for port in br.port_list:
        if netif_running(port.dev) and netif_carrier_ok(port.dev):
            br_stp_enable_port(port)


def br_stp_disable_bridge(br: net_bridge) -> None:
    """The bridge goes down."""
    for p in br.port_list:
        if p.state != BR_STATE_DISABLED:
            br_stp_disable_port(p)


def br_stp_change_bridge_id(br: net_bridge, addr: bytes) -> None:
    """The bridge takes another address."""
    br_fdb_change_mac_address(br, addr)
    br.dev.dev_addr = addr
    call_netdevice_notifiers(NETDEV_CHANGEADDR, br.dev)


def br_stp_recalculate_bridge_id(br: net_bridge) -> bool:
    """The bridge has the lowest address of its ports, unless it was given one; True if it changed."""
    if br.dev.addr_assign_type not in (0, NET_ADDR_RANDOM):
        return False
    addresses = [p.dev.dev_addr for p in br.port_list if is_valid_ether_addr(p.dev.dev_addr)]
    addr = min(addresses, default=bytes(6))
    if addr == br.dev.dev_addr or not addresses:
        return False
    br_stp_change_bridge_id(br, addr)
    return True


def br_port_carrier_check(p: net_bridge_port) -> None:
    """A port's device changed: does it take part?"""
    br = p.br
    if not br.dev.flags & IFF_UP:
        return
    works = netif_running(p.dev) and netif_carrier_ok(p.dev)
    if works and p.state == BR_STATE_DISABLED:
        br_stp_enable_port(p)
    elif not works and p.state != BR_STATE_DISABLED:
        br_stp_disable_port(p)
