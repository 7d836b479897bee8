"""The kernel log (kernel/printk/printk.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.linux.include.trace.events import Printk

if TYPE_CHECKING:
    from kshell.linux.init.kernel import Kernel


def _printk(kernel: Kernel, text: str, level: int = 6) -> None:
    """Add a line to the log at the present time since boot."""
    kernel.log_buf.append((kernel.clock.now - kernel.boot_ns, level, text))
    if kernel.listening:
        kernel.emit(Printk(level, text))


def pr_info(kernel: Kernel, text: str) -> None:
    """A line of level 6."""
    _printk(kernel, text, 6)


def pr_notice(kernel: Kernel, text: str) -> None:
    """A line of level 5."""
    _printk(kernel, text, 5)


def pr_warn(kernel: Kernel, text: str) -> None:
    """A line of level 4."""
    _printk(kernel, text, 4)


def pr_err(kernel: Kernel, text: str) -> None:
    """A line of level 3."""
    _printk(kernel, text, 3)


printk = _printk
