"""Which i386 system calls the kernel serves (arch/x86/entry/syscalls/syscall_32.tbl).

A call with 32-bit structs has a body `compat_sys_NAME`; the others share the 64-bit body.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType, ModuleType
from typing import Final

from kshell.linux.arch.x86.entry.syscall_64 import X64_CALLS, Handler, collect
from kshell.linux.fs import ioctl
from kshell.linux.net import compat

COMPAT_MODULES: Final[tuple[ModuleType, ...]] = (ioctl, compat)

IA32_CALLS: Final[Mapping[str, Handler]] = MappingProxyType(
    {**X64_CALLS, **collect(COMPAT_MODULES, "compat_sys_")}
)
