"""Deferred interrupt work (kernel/softirq.c)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from kshell.linux.init.kernel import Kernel

HI_SOFTIRQ: Final = 0
TIMER_SOFTIRQ: Final = 1
NET_TX_SOFTIRQ: Final = 2
NET_RX_SOFTIRQ: Final = 3
BLOCK_SOFTIRQ: Final = 4
TASKLET_SOFTIRQ: Final = 6
HRTIMER_SOFTIRQ: Final = 8
RCU_SOFTIRQ: Final = 9


def open_softirq(kernel: Kernel, nr: int, action: Callable[[Kernel], None]) -> None:
    """Make action the handler of softirq nr."""
    kernel.softirq_vec[nr] = action


def raise_softirq(kernel: Kernel, nr: int) -> None:
    """Mark softirq nr; it runs at the next do_softirq()."""
    kernel.softirq_pending |= 1 << nr


def do_softirq(kernel: Kernel) -> None:
    """Run what is pending, unless a handler is running already."""
    if kernel.in_serving_softirq or not kernel.softirq_pending:
        return
    handle_softirqs(kernel)


def handle_softirqs(kernel: Kernel) -> None:
    """Run the pending handlers until nothing is pending."""
    kernel.in_serving_softirq = True
    try:
        while kernel.softirq_pending:
            pending, kernel.softirq_pending = kernel.softirq_pending, 0
            for nr in range(10):
                action = kernel.softirq_vec[nr]
                if pending >> nr & 1 and action is not None:
                    kernel.softirq_counts[nr] += 1
                    action(kernel)
    finally:
        kernel.in_serving_softirq = False


def _run_as_softirq(kernel: Kernel, function: Callable[[], None]) -> None:
    """Run a timer's function as TIMER_SOFTIRQ does: what it raises is handled after it."""
    if kernel.in_serving_softirq:
        function()
        return
    kernel.in_serving_softirq = True
    kernel.softirq_counts[TIMER_SOFTIRQ] += 1
    try:
        function()
    finally:
        kernel.in_serving_softirq = False
    if kernel.softirq_pending:
        do_softirq(kernel)
