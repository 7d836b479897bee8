"""The whole reason of a failure: the error, where it arose, what the manual says of it, and what to do next."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Final

from kshell.session.reasons.candidates import candidates
from kshell.session.reasons.cause import rows_of
from kshell.session.reasons.failure import Failure, last_failure
from kshell.session.reasons.trial import Step, in_task, tried

if TYPE_CHECKING:
    from kshell.session.manual.parse import ErrorRow
    from kshell.session.session import Session
    from kshell.session.tasks import UserTask

MOST_TRIES: Final = 24


BEFORE: Final = ("?", "EBADF", "EFAULT", "ENOTSOCK")
"""What is looked at before all else: a step that ends so has come no further."""


class Explanation:
    """A failure, the causes of the manual that fit (the best first), and a step that works (None: none was found)."""

    def __init__(self, failure: Failure, tries: int = MOST_TRIES) -> None:
        self.failure = failure
        self.rows: list[ErrorRow] = rows_of(failure)
        self.step = self._find(tries)

    @property
    def cause(self) -> str:
        """What the manual says: why this call gives this error there."""
        return self.rows[0].cause if self.rows else ""

    def __str__(self) -> str:
        from kshell.session.reasons.telling import told

        return told(self)

    def __repr__(self) -> str:
        step = f", try {self.step.text!r}" if self.step is not None else ""
        return f"<{self.failure.errno} from {self.failure.function}(): {self.cause}{step}>"

    def _find(self, tries: int) -> Step | None:
        """The first that works and has to do with the call; else one that gets as far as another error; else any."""
        session = self.failure.call.session
        further = other = None
        for step in islice(candidates(self.failure, self.rows), tries):
            asked = Step(in_task(self.failure, step.text), step.again)
            error = tried(session, asked, self.failure)
            if not error and not step.anything:
                return asked
            if not error:
                other = other or asked
            elif error not in (*BEFORE, self.failure.errno) and not step.again:
                further = further or Step(asked.text, then=error)
        return further or other


def explain(session: Session, user: UserTask, tries: int = MOST_TRIES) -> Explanation | None:
    """Why the last call of a task that failed did so; None if none has."""
    failure = last_failure(session, user)
    return Explanation(failure, tries) if failure is not None else None
