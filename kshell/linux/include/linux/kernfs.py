"""Trees of files that the kernel makes: kernfs nodes, and sysfs' attributes (include/linux/kernfs.h, sysfs.h)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from kshell.abi.stat import S_IFDIR, S_IFLNK, S_IFREG

if TYPE_CHECKING:
    from kshell.linux.include.net.net_namespace import net
    from kshell.linux.init.kernel import Kernel


class attribute:
    """A file of a kobject: show(object) gives its text, store(object, text) takes one."""

    __slots__ = ("mode", "name", "show", "store")

    def __init__(
        self,
        name: str,
        show: Callable[..., str] | None = None,
        store: Callable[..., None] | None = None,
        mode: int = 0,
    ) -> None:
        self.name = name
        self.show = show
        self.store = store
        self.mode = mode or (0o444 if show else 0) | (0o200 if store else 0)


class attribute_group:
    """Attributes, in a directory of their own if the group has a name."""

    __slots__ = ("attrs", "name")

    def __init__(self, attrs: tuple[attribute, ...], name: str = "") -> None:
        self.attrs = attrs
        self.name = name


class kernfs_node:
    """A directory, file or link. Files of attributes are made when they are first looked up (`_groups` has them).

    ns: the namespace that alone sees it; symlink: where a link leads; priv: the kobject's object; attr: a file's.
    """

    __slots__ = ("_groups", "_kernel", "_live", "attr", "children", "id", "mode", "name", "ns", "parent", "priv", "symlink")

    def __init__(self, kernel: Kernel, name: str, mode: int, parent: kernfs_node | None, ns: net | None = None) -> None:
        self._kernel = kernel
        self.name = name
        self.mode = mode
        self.parent = parent
        self.ns = ns
        self.priv: object = None
        self.attr: attribute | None = None
        self.symlink: kernfs_node | None = None
        self.children: dict[tuple[str, net | None], kernfs_node] = {}
        self._groups: tuple[attribute_group, ...] = ()
        self._live: Callable[[kernfs_node], None] | None = None
        kernel.kernfs_last_id += 1
        self.id = kernel.kernfs_last_id


def _kernfs_is_dir(kn: kernfs_node) -> bool:
    """Whether it is a directory."""
    return kn.mode & 0o170000 == S_IFDIR


KERNFS_DIR = S_IFDIR | 0o755
KERNFS_LINK = S_IFLNK | 0o777
KERNFS_FILE = S_IFREG
