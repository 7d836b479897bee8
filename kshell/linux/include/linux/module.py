"""include/linux/module.h: modules."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kshell.linux.init.kernel import Kernel

MODULE_STATE_LIVE = 0
MODULE_STATE_COMING = 1
MODULE_STATE_GOING = 2
MODULE_STATE_UNFORMED = 3


class module:
    """A loaded module. refcnt counts from 1 (MODULE_REF_BASE) while it is live."""

    __slots__ = ("_addr", "_data", "_size", "exit", "init", "name", "refcnt", "state")
    _addr: int
    _data: object  # what the module keeps: its tables

    def __init__(
        self,
        name: str,
        init: Callable[[Kernel, module], None],
        exit: Callable[[Kernel, module], None] | None,
        size: int,
    ) -> None:
        self.name = name
        self.state = MODULE_STATE_UNFORMED
        self.refcnt = 1
        self.init = init
        self.exit = exit
        self._size = size
        self._data = None


class _module_file:
    """A module that can be loaded: what stands in its .ko file. `aliases` are what request_module() asks for."""

    __slots__ = ("aliases", "exit", "init", "name", "size")

    def __init__(
        self,
        *,
        name: str,
        aliases: tuple[str, ...],
        init: Callable[[Kernel, module], None],
        exit: Callable[[Kernel, module], None] | None,
        size: int,
    ) -> None:
        self.name = name
        self.aliases = aliases
        self.init = init
        self.exit = exit
        self.size = size
