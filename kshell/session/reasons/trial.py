"""Whether a command works in the present state: it is tried on a copy of the session."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.session import events as ev
from kshell.session.commands import CommandError

if TYPE_CHECKING:
    from kshell.session.reasons.failure import Failure
    from kshell.session.session import Session

BAD = (ev.Error, ev.Oops, ev.ExpectationFailed)


class Step:
    """A command to try next; again: the failed call works after it, rather than being replaced by it."""

    __slots__ = ("again", "text")

    def __init__(self, text: str, again: bool = False) -> None:
        self.text = text
        self.again = again


def works(session: Session, step: Step, failure: Failure) -> bool:
    """Whether a step does what it promises: it does not fail, and where the failed call comes again, not as it did."""
    try:
        twin = session.copy()
    except CommandError:
        return False
    if _error(twin.run(step.text)):
        return False
    return not step.again or _error(twin.run(in_task(failure, failure.call.text))) not in (failure.errno, "?")


def _error(events: list[ev.Event]) -> str:
    """The errno that a command gave, "?" if it could not be carried out; a call that sleeps has not failed."""
    if any(isinstance(event, BAD) for event in events):
        return "?"
    return next((e.errno for e in events if type(e) is ev.CallFinished), "")


def in_task(failure: Failure, text: str) -> str:
    """A command as that task would be told to do it."""
    user = failure.call.user
    if text.startswith("@") or user is failure.call.session.current:
        return text
    return f"@{user.name} {text}"
