"""power/ of a device in sysfs (drivers/base/power/sysfs.c): what is asked of it is kept, but no device is ever suspended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from kshell.abi.errno import EINVAL, EIO
from kshell.linux.fs.sysfs.mount import sysfs_create_group
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.kernfs import attribute, attribute_group

if TYPE_CHECKING:
    from kshell.linux.drivers.base.core import device


class _Owner(Protocol):
    """The struct that embeds a device."""

    _dev: device


def _chosen(buf: str, yes: str, no: str) -> bool:
    """Which of two words was written. EINVAL."""
    word = buf.removesuffix("\n")
    if word not in (yes, no):
        raise KernelError(EINVAL)
    return word == yes


def control_show(owner: _Owner) -> str:
    """Whether the device may be suspended while it is not used."""
    return "auto\n" if owner._dev.runtime_auto else "on\n"


def control_store(owner: _Owner, buf: str) -> None:
    """Allow or forbid it. EINVAL."""
    owner._dev.runtime_auto = _chosen(buf, "auto", "on")


def async_show(owner: _Owner) -> str:
    """Whether the device is suspended beside others when the machine is."""
    return "enabled\n" if owner._dev.async_suspend else "disabled\n"


def async_store(owner: _Owner, buf: str) -> None:
    """Choose that. EINVAL."""
    owner._dev.async_suspend = _chosen(buf, "enabled", "disabled")


def runtime_enabled_show(owner: _Owner) -> str:
    """Whether the device is suspended while it is not used: no driver of the model can."""
    return "disabled\n"


def runtime_status_show(owner: _Owner) -> str:
    """What runtime power management does with the device."""
    return "unsupported\n"


def autosuspend_delay_ms_show(owner: _Owner) -> str:
    """How long a device must be idle. EIO: its driver does not use that."""
    raise KernelError(EIO)


def autosuspend_delay_ms_store(owner: _Owner, buf: str) -> None:
    """Set that. EIO: the driver does not use it."""
    raise KernelError(EIO)


def _zero(owner: _Owner) -> str:
    return "0\n"


pm_attr_group = attribute_group((
    attribute("async", async_show, async_store), attribute("control", control_show, control_store),
    attribute("autosuspend_delay_ms", autosuspend_delay_ms_show, autosuspend_delay_ms_store),
    attribute("runtime_active_kids", _zero), attribute("runtime_active_time", _zero),
    attribute("runtime_enabled", runtime_enabled_show), attribute("runtime_status", runtime_status_show),
    attribute("runtime_suspended_time", _zero), attribute("runtime_usage", _zero),
), "power")  # fmt: skip


def dpm_sysfs_add(dev: device) -> None:
    """Give a device its power directory."""
    sysfs_create_group(dev.kobj, pm_attr_group)
