"""Marking system call entry functions (include/linux/syscalls.h)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


_C_NAMES: Final = {
    "sendfile": "sendfile64", "uname": "newuname", "fstat": "newfstat", "stat": "newstat", "lstat": "newlstat",
}  # fmt: skip
"""System calls whose C function has another name than the call."""


def _entry_name(name: str) -> str:
    """The entry function that SYSCALL_DEFINE makes of sys_x, with its architecture's prefix."""
    if name.startswith("compat_sys_"):
        return f"__ia32_{name}"
    call = name.removeprefix("sys_")
    return f"__x64_sys_{_C_NAMES.get(call, call)}"


def SYSCALL_DEFINE(function: Callable[P, R]) -> Callable[P, R]:
    """sys_x(current, …) is the body of system call x: traces show it as __x64_sys_x."""
    function.__dict__["syscall"] = True
    return function


def COMPAT_SYSCALL_DEFINE(function: Callable[P, R]) -> Callable[P, R]:
    """compat_sys_x(current, …) is the body of the 32-bit call x: traces show it as __ia32_compat_sys_x."""
    function.__dict__["syscall"] = True
    return function
