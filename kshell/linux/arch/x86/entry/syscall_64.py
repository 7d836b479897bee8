"""Which system calls the kernel serves (arch/x86/entry/syscalls/syscall_64.tbl).

Every function `sys_NAME` marked @SYSCALL_DEFINE in the modules listed here serves call NAME.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from types import MappingProxyType, ModuleType
from typing import Final

from kshell.linux.kernel import exit_calls, fork, signal_calls, sys, sys_ids, wait4
from kshell.linux.kernel.time import itimer, posix_timers

Handler = Callable[..., "int | Coroutine[object, None, int]"]

MODULES: Final[tuple[ModuleType, ...]] = (
    exit_calls, fork, signal_calls, sys, sys_ids, wait4, itimer, posix_timers,
)  # fmt: skip


def collect(modules: tuple[ModuleType, ...], prefix: str) -> dict[str, Handler]:
    """name → body, of the marked functions of some modules."""
    return {
        name.removeprefix(prefix): function
        for module in modules
        for name, function in vars(module).items()
        if name.startswith(prefix) and getattr(function, "syscall", False)
    }


X64_CALLS: Final[Mapping[str, Handler]] = MappingProxyType(collect(MODULES, "sys_"))
