"""kernel/kmod.c and kernel/umh.c: asking user space for a module."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from kshell.abi.errno import ENOENT
from kshell.linux.include.linux.err import KernelError
from kshell.linux.security.security import security_kernel_module_request

if TYPE_CHECKING:
    from kshell.linux.init.kernel import Kernel


def __request_module(kernel: Kernel, wait: bool, name: str) -> None:
    """Have modprobe load what is known by `name`; whether it came is for the caller to look."""
    if not kernel.modprobe_path:
        return
    security_kernel_module_request(name)
    with suppress(KernelError):
        call_usermodehelper_exec(kernel, (kernel.modprobe_path, "-q", "--", name))


def request_module(kernel: Kernel, name: str) -> None:
    """Ask for a module."""
    __request_module(kernel, True, name)


def call_usermodehelper_exec(kernel: Kernel, argv: tuple[str, ...]) -> int:
    """Run a program for the kernel. ENOENT: this world has none."""
    helper = kernel.usermodehelper
    if helper is None:
        raise KernelError(ENOENT)
    return helper(argv)
