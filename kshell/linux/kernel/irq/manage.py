"""kernel/irq/manage.c and handle.c: interrupts and who handles them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.errno import EBUSY
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.interrupt import IRQ_NONE, irq_handler_t, irqaction
from kshell.linux.kernel.softirq import do_softirq

if TYPE_CHECKING:
    from kshell.linux.init.kernel import Kernel


def request_irq(kernel: Kernel, irq: int, handler: irq_handler_t, flags: int, name: str, dev_id: object) -> None:
    """Have an interrupt handled. EBUSY: it is taken."""
    if irq in kernel.irq_desc:
        raise KernelError(EBUSY)
    kernel.irq_desc[irq] = irqaction(irq, handler, flags, name, dev_id)


def free_irq(kernel: Kernel, irq: int, dev_id: object) -> None:
    """Nobody handles the interrupt any more."""
    kernel.irq_desc.pop(irq, None)


def handle_irq_event(kernel: Kernel, irq: int) -> int:
    """A device interrupts: IRQ_HANDLED if somebody cares. Softirqs run after it, unless they are running or off."""
    action = kernel.irq_desc.get(irq)
    if action is None:
        return IRQ_NONE
    action._count += 1
    return action.handler(irq, action.dev_id)


def irq_exit(kernel: Kernel) -> None:
    """The interrupt is over: what it raised is done."""
    if kernel.softirq_pending and not kernel.in_serving_softirq:
        do_softirq(kernel)
