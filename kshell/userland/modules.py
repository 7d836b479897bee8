"""modprobe, rmmod, lsmod: modules through the system calls."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.linux.kernel.module.main import _find_module_file, module_refcount
from kshell.userland.runtime import Process, ProgramError

if TYPE_CHECKING:
    from kshell.linux.init.kernel import Kernel

O_NONBLOCK = 0o4000


def insert(process: Process, name: str) -> None:
    """modprobe: find the module's file by name or alias, give it to init_module()."""
    file = _find_module_file(process.task.kernel, name)
    if file is None:
        raise ProgramError(f"module {name} not found")
    image = file.name.encode() + b"\0"
    process.call("init_module", image, len(image), "")


def remove(process: Process, name: str) -> None:
    """rmmod: delete_module(), not waiting for users to go."""
    process.call("delete_module", name.replace("-", "_"), O_NONBLOCK)


def loaded(kernel: Kernel) -> list[tuple[str, int]]:
    """The loaded modules with the number of their users."""
    return [(name, module_refcount(module)) for name, module in kernel.modules.items()]
