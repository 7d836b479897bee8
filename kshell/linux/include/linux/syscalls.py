"""Marking system call entry functions (include/linux/syscalls.h)."""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


def SYSCALL_DEFINE(function: Callable[P, R]) -> Callable[P, R]:
    """sys_x(current, …) is the body of system call x: traces show it as __x64_sys_x."""
    function.__dict__["syscall"] = True
    return function


def COMPAT_SYSCALL_DEFINE(function: Callable[P, R]) -> Callable[P, R]:
    """compat_sys_x(current, …) is the body of the 32-bit call x: traces show it as __ia32_compat_sys_x."""
    function.__dict__["syscall"] = True
    return function
