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
    """A command to try next; again: the failed call works after it, rather than being replaced by it.

    anything: it has to do with the call only in that it works. then: the error that it gets as far as.
    """

    __slots__ = ("again", "anything", "text", "then")

    def __init__(self, text: str, again: bool = False, anything: bool = False, then: str = "") -> None:
        self.text = text
        self.again = again
        self.anything = anything
        self.then = then

    def __repr__(self) -> str:
        return f"<Step {self.text!r}{', then the same again' * self.again}>"


def tried(session: Session, step: Step, failure: Failure) -> str:
    """How a step ends on a copy: "" if it does not fail, and where the failed call comes again, that neither as it did;
    else the error that it gives, "?" if it cannot be carried out."""
    try:
        twin = session.copy()
    except CommandError:
        return "?"
    error = _error(twin.run(step.text))
    if error or not step.again:
        return error
    again = _error(twin.run(in_task(failure, failure.call.text)))
    return again if again in (failure.errno, "?") else ""


def _error(events: list[ev.Event]) -> str:
    """The errno that a command gave, "?" if it could not be carried out; a call that sleeps has not failed."""
    if any(isinstance(event, BAD) for event in events):
        return "?"
    return next((e.errno for e in events if type(e) is ev.CallFinished), "")


def in_task(failure: Failure, text: str) -> str:
    """A command as that task would be told to do it."""
    line, name = failure.call.session.timeline, failure.call.user.name
    if text.startswith("@") or name == line.moment(line.here).current:  # not session.current: `@name why` changes that
        return text
    return f"@{name} {text}"
