"""net/core/link_watch.c: what follows when a device gets or loses its link."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.netdevice import IF_OPER_DOWN, IF_OPER_LOWERLAYERDOWN, IF_OPER_UP, IFF_UP
from kshell.linux.include.linux.netdevice import NETREG_UNINITIALIZED, dev_put, netif_carrier_ok
from kshell.linux.include.linux.workqueue import work_struct
from kshell.linux.kernel.workqueue import schedule_work
from kshell.linux.net.core.dev import dev_get_iflink
from kshell.linux.net.core.dev_settings import netdev_state_change
from kshell.linux.net.sched import sch_generic

if TYPE_CHECKING:
    from kshell.linux.include.linux.netdevice import net_device
    from kshell.linux.init.kernel import Kernel


def default_operstate(dev: net_device) -> int:
    """IF_OPER_* by the link alone."""
    if netif_carrier_ok(dev):
        return IF_OPER_UP
    return IF_OPER_DOWN if dev_get_iflink(dev) == dev.ifindex else IF_OPER_LOWERLAYERDOWN


def rfc2863_policy(dev: net_device) -> None:
    """Set the operational state."""
    dev.operstate = default_operstate(dev)


def linkwatch_init_dev(dev: net_device) -> None:
    """A device begins: note if it has no link."""
    if not netif_carrier_ok(dev):
        rfc2863_policy(dev)


def linkwatch_do_dev(dev: net_device) -> None:
    """Tell of a change of the link."""
    dev._link_watch_pending = False
    rfc2863_policy(dev)
    if dev.flags & IFF_UP:
        if netif_carrier_ok(dev):
            sch_generic.dev_activate(dev)
        else:
            sch_generic.dev_deactivate(dev)
        netdev_state_change(dev)
    dev_put(dev)


def __linkwatch_run_queue(kernel: Kernel, urgent_only: bool) -> None:
    """Tell of all changes."""
    pending, kernel.lweventlist = kernel.lweventlist, []
    for dev in pending:
        if dev._link_watch_pending:
            linkwatch_do_dev(dev)


def linkwatch_forget_dev(dev: net_device) -> None:
    """The device goes: tell now."""
    if dev._link_watch_pending:
        dev.nd_net.kernel.lweventlist.remove(dev)
        linkwatch_do_dev(dev)


async def linkwatch_event(work: work_struct) -> None:
    """Work: tell of all changes."""
    owner: Kernel = work._owner  # type: ignore[assignment]  # set in linkwatch_fire_event()
    __linkwatch_run_queue(owner, False)


def linkwatch_fire_event(dev: net_device) -> None:
    """The link came or went. Work tells of it, so that flapping links cost little."""
    if dev.reg_state == NETREG_UNINITIALIZED:
        return
    kernel = dev.nd_net.kernel
    if not dev._link_watch_pending:
        dev._link_watch_pending = True
        dev.pcpu_refcnt += 1
        kernel.lweventlist.append(dev)
    if kernel.linkwatch_work is None:
        kernel.linkwatch_work = work_struct(linkwatch_event, kernel)
    schedule_work(kernel, kernel.linkwatch_work)
