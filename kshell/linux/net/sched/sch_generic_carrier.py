"""net/sched/sch_generic.c: devices that get or lose their link."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.linux.include.linux.netdevice import LINK_STATE_NOCARRIER, NETREG_UNINITIALIZED
from kshell.linux.net.core import link_watch

if TYPE_CHECKING:
    from kshell.linux.include.linux.netdevice import net_device


def netif_carrier_on(dev: net_device) -> None:
    """The device has a link."""
    if not dev.state & 1 << LINK_STATE_NOCARRIER:
        return
    dev.state &= ~(1 << LINK_STATE_NOCARRIER)
    if dev.reg_state == NETREG_UNINITIALIZED:
        return
    dev.carrier_up_count += 1
    link_watch.linkwatch_fire_event(dev)


def netif_carrier_off(dev: net_device) -> None:
    """The device has no link."""
    if dev.state & 1 << LINK_STATE_NOCARRIER:
        return
    dev.state |= 1 << LINK_STATE_NOCARRIER
    if dev.reg_state == NETREG_UNINITIALIZED:
        return
    dev.carrier_down_count += 1
    link_watch.linkwatch_fire_event(dev)
