"""kernel/module/main.c: loading, removing and holding modules."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.capability import CAP_SYS_MODULE
from kshell.abi.errno import EBUSY, EEXIST, ENOENT, ENOEXEC, EPERM, EWOULDBLOCK
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.module import (
    MODULE_STATE_COMING,
    MODULE_STATE_GOING,
    MODULE_STATE_LIVE,
    _module_file,
    module,
)
from kshell.linux.include.linux.syscalls import SYSCALL_DEFINE
from kshell.linux.include.linux.uaccess import copy_from_user, strncpy_from_user
from kshell.linux.include.trace.events import ModuleLoad
from kshell.linux.kernel.capability import capable

if TYPE_CHECKING:
    from kshell.linux.include.linux.sched import task_struct
    from kshell.linux.init.kernel import Kernel

MODULE_NAME_LEN = 56


def try_module_get(module: module | None) -> bool:
    """Hold a module; False if it is going away. What is built in (None) needs no holding."""
    if module is not None:
        if module.state == MODULE_STATE_GOING or not module.refcnt:
            return False
        module.refcnt += 1
    return True


def __module_get(module: module | None) -> None:
    """Hold a module that is held already."""
    if module is not None:
        module.refcnt += 1


def module_put(module: module | None) -> None:
    """Let go of a module."""
    if module is not None:
        module.refcnt -= 1


def module_refcount(mod: module) -> int:
    """How often it is held, as lsmod shows it."""
    return mod.refcnt - 1


def find_module(kernel: Kernel, name: str) -> module | None:
    """A loaded module by name."""
    return kernel.modules.get(name)


def _find_module_file(kernel: Kernel, name: str) -> _module_file | None:
    """The module of that name or alias; '-' and '_' are the same."""
    plain = name.replace("-", "_")
    for each in kernel.module_files:
        if each.name.replace("-", "_") == plain or name in each.aliases:
            return each
    return None


def load_module(kernel: Kernel, file: _module_file) -> module:
    """Load a module and run its init function. EEXIST."""
    if file.name in kernel.modules:
        raise KernelError(EEXIST)
    init, exit = file._functions()
    mod = module(file.name, init, exit, file.size)
    mod._addr = 0xFFFFFFFFC0000000 + 0x4000 * (len(kernel.modules) + 1)
    mod.state = MODULE_STATE_COMING
    kernel.modules[file.name] = mod
    try:
        do_init_module(kernel, mod)
    except KernelError:
        del kernel.modules[file.name]
        raise
    return mod


def do_init_module(kernel: Kernel, mod: module) -> None:
    """Run the init function; the module is live after that."""
    mod.init(kernel, mod)
    mod.state = MODULE_STATE_LIVE
    if kernel.listening:
        kernel.emit(ModuleLoad(mod.name))


def free_module(kernel: Kernel, mod: module) -> None:
    """Forget a module."""
    del kernel.modules[mod.name]
    if kernel.listening:
        kernel.emit(ModuleLoad(mod.name, gone=True))


def may_init_module(current: task_struct) -> None:
    """Whether current may load and remove modules (kernel.modules_disabled ends that for good). EPERM."""
    if not capable(current, CAP_SYS_MODULE) or current.kernel.modules_disabled:
        raise KernelError(EPERM)


@SYSCALL_DEFINE
def sys_init_module(current: task_struct, umod: int, length: int, uargs: int) -> int:
    """Load the module image at `umod`: here its name, as a .ko file of this world contains it. EPERM, ENOEXEC."""
    may_init_module(current)
    if not 0 < length <= 1 << 20:
        raise KernelError(ENOEXEC)
    image = copy_from_user(current, umod, length)
    strncpy_from_user(current, uargs, 4096)
    file = _module_of(current.kernel, image)
    load_module(current.kernel, file)
    return 0


def _module_of(kernel: Kernel, image: bytes) -> _module_file:
    file = _find_module_file(kernel, image.rstrip(b"\0\n").decode("ascii", "replace"))
    if file is None:
        raise KernelError(ENOEXEC)
    return file


@SYSCALL_DEFINE
def sys_delete_module(current: task_struct, name_user: int, flags: int) -> int:
    """Remove a module. EPERM, ENOENT, EWOULDBLOCK: it is in use; EBUSY: it has no exit function."""
    may_init_module(current)
    name = strncpy_from_user(current, name_user, MODULE_NAME_LEN - 1).decode("ascii", "replace")
    kernel = current.kernel
    mod = find_module(kernel, name)
    if mod is None:
        raise KernelError(ENOENT)
    if mod.state != MODULE_STATE_LIVE or (mod.init is not None and mod.exit is None):
        raise KernelError(EBUSY)
    if mod.refcnt != 1:
        raise KernelError(EWOULDBLOCK)
    mod.state = MODULE_STATE_GOING
    mod.refcnt = 0
    if mod.exit is not None:
        mod.exit(kernel, mod)
    free_module(kernel, mod)
    return 0


