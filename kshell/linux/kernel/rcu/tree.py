"""Callbacks after a grace period (kernel/rcu/tree.c): when the CPU is back in user space or idle."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kshell.linux.init.kernel import Kernel


def call_rcu(kernel: Kernel, func: Callable[[object], None], obj: object) -> None:
    """Have func(obj) called when no reader can hold obj any more."""
    if kernel.kick_idle_cpu is not None and not kernel.rcu_callbacks:
        kernel.kick_idle_cpu()
    kernel.rcu_callbacks.append((func, obj))


def rcu_core(kernel: Kernel) -> None:
    """End of a grace period."""
    while kernel.rcu_callbacks:
        callbacks, kernel.rcu_callbacks = kernel.rcu_callbacks, []
        for func, obj in callbacks:
            func(obj)
