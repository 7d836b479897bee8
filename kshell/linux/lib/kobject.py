"""Objects that stand in sysfs as directories (lib/kobject.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.linux.fs.sysfs.mount import sysfs_create_dir_ns, sysfs_create_groups, sysfs_remove_dir
from kshell.linux.include.linux.kernfs import attribute_group, kernfs_node

if TYPE_CHECKING:
    from kshell.linux.include.net.net_namespace import net
    from kshell.linux.init.kernel import Kernel


class kobject:
    """A directory of sysfs; _owner: the struct that embeds it, which its attributes are about."""

    __slots__ = ("_kernel", "_owner", "name", "parent", "sd")
    sd: kernfs_node

    def __init__(self, kernel: Kernel, name: str, parent: kobject | None, owner: object) -> None:
        self._kernel = kernel
        self.name = name
        self.parent = parent
        self._owner = owner


def kobject_init_and_add(
    kernel: Kernel,
    name: str,
    parent: kobject | None,
    owner: object,
    groups: tuple[attribute_group, ...] = (),
    ns: net | None = None,
) -> kobject:
    """Make a kobject and its directory. EEXIST."""
    kobj = kobject(kernel, name, parent, owner)
    sysfs_create_dir_ns(kobj, ns)
    if groups:
        sysfs_create_groups(kobj, groups)
    return kobj


def kobject_create_and_add(kernel: Kernel, name: str, parent: kobject | None) -> kobject:
    """Make a directory that tells of nothing itself."""
    return kobject_init_and_add(kernel, name, parent, None)


def kobject_del(kobj: kobject) -> None:
    """Take a kobject out of sysfs."""
    sysfs_remove_dir(kobj)
