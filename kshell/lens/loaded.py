"""The modules of the kernel model, for who looks through them."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import ModuleType
from typing import Final

from kshell.linux.arch.x86.entry.syscall_32 import IA32_CALLS
from kshell.linux.arch.x86.entry.syscall_64 import X64_CALLS

KERNEL: Final = "kshell.linux."
_MODEL: Final = (KERNEL, "kshell.world.")


def kernel_modules() -> list[ModuleType]:
    """The kernel's modules, by name: those that serve system calls, though none was made yet, and what else is imported.

    They are whole: started from the byte code cache, much of them waits.
    """
    for calls in (X64_CALLS, IA32_CALLS):
        tuple(calls.values())  # imports them
    whole = set[str]()
    while waiting := {name for name in sys.modules if name.startswith(_MODEL)} - whole:
        for name in sorted(waiting):
            _complete(sys.modules[name])
        whole |= waiting
    modules = (sys.modules[name] for name in sorted(whole) if name.startswith(KERNEL))
    return [module for module in modules if isinstance(module, ModuleType)]


def _complete(module: ModuleType) -> None:
    complete: Callable[[], None] | None = getattr(getattr(module, "__loader__", None), "complete", None)
    if complete is not None:
        complete()
