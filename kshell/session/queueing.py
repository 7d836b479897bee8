"""Calls that wait for their task to wake: a task is a program, and its next call comes after the one it sleeps in.

So a script, or a paste, of a client and a server works in whatever order their lines stand: what the server does
after accept() waits until a client has come.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.lang.errors import LangError
from kshell.session import events as ev
from kshell.session.commands import CommandError
from kshell.session.pieces import Piece

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kshell.lang.ast import CallStatement
    from kshell.session.calls import Calls
    from kshell.session.hosts import Hosts
    from kshell.session.tasks import UserTask


class Waiting:
    """A call that has not been made yet, and where it stands."""

    __slots__ = ("file", "line", "statement", "text", "user")

    def __init__(self, statement: CallStatement, user: UserTask, place: tuple[str, str, int]) -> None:
        self.statement = statement
        self.user = user
        self.text, self.file, self.line = place

    @property
    def place(self) -> tuple[Piece, str]:
        """The command as a piece of its file."""
        return Piece(self.text, self.line, False), self.file

    def moved(self, hosts: Hosts) -> Waiting:
        """The same call on machines that are as these are."""
        user = hosts.named(self.user.name)
        assert user is not None
        return Waiting(self.statement, user, (self.text, self.file, self.line))


class Queue:
    """The calls of a session that wait, in the order in which they were typed."""

    def __init__(self, calls: Calls) -> None:
        self.calls = calls
        self.waiting: list[Waiting] = []
        self._running = False

    def add(self, statement: CallStatement, user: UserTask) -> None:
        """Make this call when `user` has come back from the call it sleeps in."""
        session = self.calls.session
        self.waiting.append(Waiting(statement, user, session.place()))
        text, sleeping = session.place()[0].strip(), session.sleeping_call(user)
        session.emit(ev.CallWaits, user.task.pid, user.name, statement.call.name, text, sleeping)

    def run(self) -> None:
        """Make the calls whose tasks are awake; what they wake makes its calls too."""
        if self._running or not self.waiting:
            return
        self._running = True
        try:
            while (ready := self._ready()) is not None:
                self.waiting.remove(ready)
                self._make(ready)
        finally:
            self._running = False

    def _ready(self) -> Waiting | None:
        seen: set[int] = set()
        for waiting in self.waiting:
            if waiting.user.task.pid not in seen and waiting.user.task not in self.calls.pending:
                return waiting
            seen.add(waiting.user.task.pid)
        return None

    def _make(self, waiting: Waiting) -> None:
        session = self.calls.session
        before = session.stand_at(*waiting.place)
        try:
            self.calls.make(waiting.statement, waiting.text, waiting.user)
        except CommandError as error:
            session.report(error.message, error.hint, error.column)
        except LangError as error:
            session.report_error(error)
        finally:
            session.stand_at(*before)

    def never_made(self) -> None:
        """Report the calls that still wait when the session is over."""
        session = self.calls.session
        for waiting in self._drained():
            before = session.stand_at(*waiting.place)
            sleeping = session.sleeping_call(waiting.user)
            session.report(f"this call was never made: task {waiting.user.name} still sleeps in {sleeping}()")
            session.stand_at(*before)

    def _drained(self) -> Iterable[Waiting]:
        found, self.waiting = self.waiting, []
        return found
