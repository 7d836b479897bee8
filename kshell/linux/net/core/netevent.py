"""net/core/netevent.c: who wants to know about neighbours and redirects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kshell.linux.include.linux.notifier import NOTIFY_STOP_MASK, notifier_block

if TYPE_CHECKING:
    from kshell.linux.init.kernel import Kernel

NETEVENT_NEIGH_UPDATE: Final = 1
NETEVENT_REDIRECT: Final = 2


def call_netevent_notifiers(kernel: Kernel, val: int, v: object) -> int:
    """Tell all who asked."""
    return atomic_notifier_call_chain(kernel.netevent_notif_chain, val, v)


def atomic_notifier_call_chain(chain: list[notifier_block], val: int, v: object) -> int:
    """Tell each of a chain, until one objects."""
    ret = 0
    for nb in chain:
        ret = nb.notifier_call(nb, val, v)
        if ret & NOTIFY_STOP_MASK:
            break
    return ret
