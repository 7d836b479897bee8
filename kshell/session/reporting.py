"""What commands tell: events, answers, errors, expectations that came out or did not."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from kshell.session import events as ev
from kshell.session.pieces import Piece

if TYPE_CHECKING:
    from kshell.lang.errors import LangError, Place
    from kshell.session.timeline import Timeline

E = TypeVar("E", bound=ev.Event)
Stand = tuple[str, str, int]
"""Text, file and line of a command."""


class Reporter:
    """Collects the events of the running command, and counts what went wrong."""

    timeline: Timeline

    def __init__(self) -> None:
        self.held = self.failed = self.errors = self.oopses = 0
        self._events: list[ev.Event] = []
        self._place = Piece("", 0, False)
        self._file = ""

    if TYPE_CHECKING:

        @property
        def now(self) -> int: ...

    def emit(self, kind: type[E], *values: object) -> E:
        """Append an event of this command."""
        event = kind(self.timeline.number, self.now, *values)
        self._events.append(event)
        return event

    def tell_first(self, kind: type[ev.Event], *values: object) -> None:
        """Put an event of this command before what came of it."""
        self._events.insert(1, kind(self.timeline.number, self.now, *values))

    def say(self, text: str) -> None:
        """Print text as the command's output."""
        self.emit(ev.Output, text)

    def report(self, message: str, hint: str = "", column: int = 0, line: int = 0) -> None:
        """Report that the command cannot be carried out. `line` counts within the command, from 0."""
        from kshell.session.habits import Advice, better

        self.errors += 1
        lines = self._place.text.split("\n")
        text = lines[min(line, len(lines) - 1)]
        said = better(text, Advice(message, hint, column))
        self.emit(ev.Error, said.message, said.hint, text, self._file, self._place.line + line, said.column)

    def report_error(self, error: LangError) -> None:
        """Report what the language cannot understand."""
        hint = f"did you mean {error.nearest}?" if error.nearest else ""
        expected = f"; expected {error.expected}" if error.expected else ""
        self.report(error.message + expected, hint, self._column(error.place), error.place.line - 1)

    def _column(self, place: Place) -> int:
        """Where a place is in the command: an expression that is an argument begins somewhere in the line."""
        if place.text in ("", self._place.text) or "\n" in place.text or place.line > 1:
            return place.column
        return place.column + max(self._place.text.rfind(place.text), 0)

    def place_of_errors(self) -> tuple[Piece, str]:
        """The command, and its file, that what is reported is about."""
        return self._place, self._file

    def stand_at(self, piece: Piece, file: str) -> tuple[Piece, str]:
        """What is reported from now on is about this command of this file; the one that it was about before."""
        before = self.place_of_errors()
        self._place, self._file = piece, file
        return before

    def oops(self, error: BaseException) -> None:
        """Report an internal fault."""
        self.oopses += 1
        from traceback import format_exception

        trace = "".join(format_exception(error, limit=-12))
        message = f"{type(error).__name__}: {error}"
        self.emit(ev.Oops, message, trace, self._place.text, self._file, self._place.line)

    def expectation(self, held: bool, expected: str, got: str, place: Stand | None = None, column: int = 0) -> None:
        """Report how an expectation came out; `place`: text, file and line of its command (None: this)."""
        text, file, line = place or self.place()
        if held:
            self.held += 1
            self.emit(ev.ExpectationHeld, text, file, line)
        else:
            self.failed += 1
            self.emit(ev.ExpectationFailed, text, expected, got, file, line, column)

    def place(self) -> Stand:
        """Text, file and line of the running command."""
        return self._place.text, self._file, self._place.line
