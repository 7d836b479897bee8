"""include/linux/module.h: modules."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kshell.linux.init.kernel import Kernel

module_init = Callable[["Kernel", "module"], None]

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
    """A module that can be loaded: what stands in its .ko file. `aliases` are what request_module() asks for.

    code: where the functions lie, as "package.module:init:exit", for a module whose code is read when it is loaded.
    """

    __slots__ = ("_code", "_exit", "_init", "aliases", "name", "size")

    def __init__(
        self,
        *,
        name: str,
        aliases: tuple[str, ...],
        size: int,
        init: module_init | None = None,
        exit: module_init | None = None,
        code: str = "",
    ) -> None:
        self.name = name
        self.aliases = aliases
        self.size = size
        self._init = init
        self._exit = exit
        self._code = code

    def _python_module(self) -> str:
        """The dotted name of what holds the init function."""
        return self._code.split(":")[0] if self._code else self._init.__module__

    def _functions(self) -> tuple[module_init, module_init | None]:
        """What to do when the module is loaded, and when it is removed."""
        if self._code:
            path, init, exit_ = self._code.split(":")
            code = import_module(path)
            self._init, self._exit, self._code = getattr(code, init), getattr(code, exit_), ""
        assert self._init is not None
        return self._init, self._exit
