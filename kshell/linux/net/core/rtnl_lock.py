"""net/core/rtnetlink.c: the lock around changes of devices, addresses and routes."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kshell.linux.init.kernel import Kernel


def rtnl_lock(kernel: Kernel) -> None:
    """One CPU and no sleep while configuring: nothing to wait for."""


def rtnl_trylock(kernel: Kernel) -> bool:
    """The lock is always free."""
    return True


def __rtnl_unlock(kernel: Kernel) -> None:
    """The lock itself."""


def rtnl_unlock(kernel: Kernel) -> None:
    """Release, and finish the devices that went meanwhile."""
    netdev_run_todo(kernel)


def netdev_run_todo(kernel: Kernel) -> None:
    """Devices that went are gone by now: nothing holds them back."""
    __rtnl_unlock(kernel)
