"""net/sched/sch_api.c: the queueing disciplines there are, and the one that devices get."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

from kshell.abi.errno import ENOENT
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.net.sch_generic import Qdisc_ops

if TYPE_CHECKING:
    from kshell.linux.include.linux.netdevice import net_device
    from kshell.linux.init.kernel import Kernel

QDISCS: Final = {
    "pfifo_fast": ("sch_generic", "pfifo_fast_ops"),
    "pfifo": ("sch_fifo", "pfifo_qdisc_ops"),
    "bfifo": ("sch_fifo", "bfifo_qdisc_ops"),
    "fq": ("sch_fq", "fq_qdisc_ops"),
    "fq_codel": ("sch_fq_codel", "fq_codel_qdisc_ops"),
}
"""The disciplines by name: the module of this package and the name of their operations."""


def qdisc_lookup_default(name: str) -> Qdisc_ops | None:
    """A discipline by name; its code is loaded when it is first asked for."""
    found = QDISCS.get(name)
    if found is None:
        return None
    ops = getattr(import_module(f"{__package__}.{found[0]}"), found[1])
    assert isinstance(ops, Qdisc_ops)
    return ops


def qdisc_set_default(kernel: Kernel, name: str) -> None:
    """net.core.default_qdisc: what devices get that come up from now on. ENOENT: there is no such discipline."""
    if name not in QDISCS:
        raise KernelError(ENOENT)
    kernel.default_qdisc_ops = name


def qdisc_get_default(kernel: Kernel) -> str:
    """The name of what devices get."""
    return kernel.default_qdisc_ops


def get_default_qdisc_ops(dev: net_device) -> Qdisc_ops:
    """What a device with a queue gets."""
    ops = qdisc_lookup_default(dev.nd_net.kernel.default_qdisc_ops)
    assert ops is not None, "qdisc_set_default() takes known names only"
    return ops
