"""kernel/notifier.c: telling the functions of a chain of an event."""

from __future__ import annotations

from kshell.linux.include.linux.notifier import NOTIFY_STOP_MASK, notifier_block


def _notifier_call_chain(chain: list[notifier_block], val: int, v: object) -> int:
    """Tell each, until one objects."""
    ret = 0
    for nb in chain:
        ret = nb.notifier_call(nb, val, v)
        if ret & NOTIFY_STOP_MASK:
            break
    return ret


def raw_notifier_call_chain(chain: list[notifier_block], val: int, v: object) -> int:
    """Tell a chain that its owner guards; the last answer."""
    return _notifier_call_chain(chain, val, v)


def atomic_notifier_call_chain(chain: list[notifier_block], val: int, v: object) -> int:
    """Tell a chain whose functions may not sleep; the last answer."""
    return _notifier_call_chain(chain, val, v)


def blocking_notifier_call_chain(chain: list[notifier_block], val: int, v: object) -> int:
    """Tell a chain whose functions may sleep (none of the model's does); the last answer."""
    return _notifier_call_chain(chain, val, v)


def raw_notifier_chain_register(chain: list[notifier_block], nb: notifier_block) -> None:
    """Add to a chain, by priority."""
    at = next((n for n, each in enumerate(chain) if each.priority < nb.priority), len(chain))
    chain.insert(at, nb)
