"""/sys/devices, /sys/class, /sys/kernel, /sys/module, and the devices in them (drivers/base/core.c, class.c, kernel/ksysfs.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from kshell.linux.drivers.base.power.sysfs import dpm_sysfs_add
from kshell.linux.fs.kernfs.dir import kernfs_create_dir_ns, kernfs_remove
from kshell.linux.fs.sysfs.mount import (
    sysfs_create_link,
    sysfs_delete_link,
    sysfs_rename_dir_ns,
)
from kshell.linux.include.linux.kernfs import attribute, attribute_group, kernfs_node
from kshell.linux.lib.kobject import kobject, kobject_create_and_add, kobject_del, kobject_init_and_add

if TYPE_CHECKING:
    from kshell.linux.include.linux.module import module
    from kshell.linux.include.net.net_namespace import net
    from kshell.linux.init.kernel import Kernel

MODULE_STATES = ("live", "coming", "going")


class device:
    """What sysfs needs to know of a device: the kobject, its class, the namespace that sees it, struct dev_pm_info."""

    __slots__ = ("_class", "_net", "async_suspend", "kobj", "runtime_auto")

    def __init__(self, kobj: kobject, klass: kobject, net: net | None) -> None:
        self.kobj = kobj
        self._class = klass
        self._net = net
        self.runtime_auto = True
        self.async_suspend = False


def devices_init(kernel: Kernel) -> None:
    """Make /sys/devices, with virtual devices in it."""
    kernel.devices_kset = kobject_create_and_add(kernel, "devices", None)
    kernel.virtual_device_parent = kobject_create_and_add(kernel, "virtual", kernel.devices_kset)


def classes_init(kernel: Kernel) -> None:
    """Make /sys/class."""
    kernel.class_kset = kobject_create_and_add(kernel, "class", None)


def driver_init(kernel: Kernel) -> None:
    """Part of do_basic_setup(): what devices will stand in."""
    devices_init(kernel)
    classes_init(kernel)


def class_register(kernel: Kernel, name: str) -> kobject:
    """Make /sys/class/NAME."""
    return kobject_create_and_add(kernel, name, kernel.class_kset)


def get_device_parent(kernel: Kernel, klass: kobject, bus_path: tuple[str, ...]) -> kobject:
    """The directory for devices of a class: /sys/devices/virtual/CLASS, or CLASS below the hardware's own."""
    parent = kernel.devices_kset if bus_path else kernel.virtual_device_parent
    for name in (*bus_path, klass.name):
        found = parent.sd.children.get((name, None))
        if found is None:
            parent = kobject_create_and_add(kernel, name, parent)
        else:
            parent, above = kobject(kernel, name, parent, None), parent
            parent.parent = above
            parent.sd = found
    return parent


def device_add(
    kernel: Kernel, klass: kobject, name: str, owner: object, groups: tuple[attribute_group, ...],
    bus_path: tuple[str, ...], net: net | None,
) -> device:  # fmt: skip
    """Make a device's directory, and the links between it and its class. EEXIST."""
    kobj = kobject_init_and_add(kernel, name, get_device_parent(kernel, klass, bus_path), owner, groups, net)
    sysfs_create_link(kobj, klass, "subsystem")
    sysfs_create_link(klass, kobj, name)
    dev = device(kobj, klass, net)
    dpm_sysfs_add(dev)
    return dev


def device_del(dev: device) -> None:
    """Take a device out of sysfs."""
    sysfs_delete_link(dev._class, dev.kobj, dev.kobj.name)
    kobject_del(dev.kobj)


def device_rename(dev: device, new_name: str, new_ns: net | None) -> None:
    """Give a device another name, or show it in another namespace. EEXIST."""
    sysfs_delete_link(dev._class, dev.kobj, dev.kobj.name)
    dev.kobj.name = new_name
    sysfs_rename_dir_ns(dev.kobj, new_name, new_ns)
    sysfs_create_link(dev._class, dev.kobj, new_name)


def fscaps_show(owner: object) -> str:
    """Files may have capabilities."""
    return "1\n"


def ksysfs_init(kernel: Kernel) -> None:
    """Initcall: /sys/kernel."""
    kernel_group = attribute_group((attribute("fscaps", fscaps_show),))
    kernel.kernel_kobj = kobject_init_and_add(kernel, "kernel", None, None, (kernel_group,))


def _module_group() -> attribute_group:
    return attribute_group((
        attribute("coresize", lambda mod: f"{cast('module', mod)._size}\n"),
        attribute("initstate", lambda mod: f"{MODULE_STATES[cast('module', mod).state]}\n"),
        attribute("refcnt", lambda mod: f"{cast('module', mod).refcnt - 1}\n"),
    ))


def _follow_modules(kn: kernfs_node) -> None:
    """Bring /sys/module up to date with the loaded modules."""
    modules = kn._kernel.modules
    for child in list(kn.children.values()):
        if child.priv is not modules.get(child.name):
            kernfs_remove(child)
    for name, mod in modules.items():
        if (name, None) not in kn.children:
            _module_dir(kn, name, mod)


def _module_dir(kn: kernfs_node, name: str, mod: module) -> None:
    """The directory of a module."""
    live, kn._live = kn._live, None
    kernfs_create_dir_ns(kn, name, mod, None)._groups = (_module_group(),)
    kn._live = live


def param_sysfs_init(kernel: Kernel) -> None:
    """Initcall: /sys/module."""
    kernel.module_kset = kobject_create_and_add(kernel, "module", None)
    kernel.module_kset.sd._live = _follow_modules
