"""net/core/netevent.c: who wants to know about neighbours and redirects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kshell.linux.kernel.notifier import atomic_notifier_call_chain

if TYPE_CHECKING:
    from kshell.linux.init.kernel import Kernel

NETEVENT_NEIGH_UPDATE: Final = 1
NETEVENT_REDIRECT: Final = 2


def call_netevent_notifiers(kernel: Kernel, val: int, v: object) -> int:
    """Tell all who asked."""
    return atomic_notifier_call_chain(kernel.netevent_notif_chain, val, v)
