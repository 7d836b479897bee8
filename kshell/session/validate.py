"""Whether a line means something, found out without running it: nothing in the machine or the session changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.lang.ast import CallStatement, CommandStatement, Statement
from kshell.lang.errors import LangError
from kshell.lang.lexer import Source
from kshell.lang.marshal import marshal
from kshell.lang.nearest import nearest
from kshell.lang.numbers import Buffer
from kshell.session import bridge, expressions
from kshell.session.commands import ALIASES, CommandError, parse
from kshell.session.pieces import pieces
from kshell.session.variables import SessionVariables

if TYPE_CHECKING:
    from kshell.session.session import Session

SOMEWHERE = 0x1000
"""The address of everything in a call that is only tried."""


class Problem:
    """What is wrong with a text, and the offset where."""

    __slots__ = ("message", "offset")

    def __init__(self, message: str, offset: int) -> None:
        self.message = message
        self.offset = offset


class _NoMemory:
    """Takes what a call would put into memory."""

    def place(self, data: bytes) -> int:
        """An address."""
        return SOMEWHERE

    def reserve(self, size: int) -> int:
        """An address."""
        return SOMEWHERE


class _Looking(SessionVariables):
    """A session's variables, to be read only."""

    def remember(self, name: str, buffer: Buffer) -> None:
        """The name will mean a buffer when the call is made."""


def problem_of(session: Session, text: str) -> Problem | None:
    """The first thing wrong with the commands in `text`; None if all can be run."""
    found = [piece for piece in pieces(text) if not piece.comment]
    if len(found) != 1:
        return None  # later lines may need what earlier ones do
    line = found[0].line - 1
    start = sum(len(before) + 1 for before in text.split("\n")[:line])
    try:
        _try(session, found[0].text)
    except LangError as error:
        return _problem(found[0].text, start, error.message, error.expected, error.place.line, error.place.column, error.nearest)
    except CommandError as error:
        return _problem(found[0].text, start, error.message, "", 1, error.column, hint=error.hint)
    return None


def _problem(
    text: str, start: int, message: str, expected: str, line: int, column: int, near: str = "", hint: str = ""
) -> Problem:
    """What the editor says of a fault: the same as running the line would."""
    from kshell.session.habits import Advice, better

    message += f"; expected {expected}" if expected else ""
    hint = f"did you mean {near}?" if near else hint
    said = better(text.split("\n")[line - 1], Advice(message, hint, column))
    return Problem("; ".join(filter(None, (said.message, said.hint))), start + max(0, _offset(text, line, said.column)))


def _offset(text: str, line: int, column: int) -> int:
    lines = text.split("\n")[: line - 1]
    return sum(len(before) + 1 for before in lines) + column - 1


def _try(session: Session, text: str) -> None:
    statement = parse(text)
    if isinstance(statement, CallStatement):
        _try_call(session, statement, text)
    elif isinstance(statement, CommandStatement):
        _try_command(session, statement)
    elif statement is not None:
        _try_expression(session, statement, text)


def _try_call(session: Session, statement: CallStatement, text: str) -> None:
    user = (session.tasks.get(statement.task) if statement.task else None) or session.current
    variables = _Looking(session.calls_of_tasks.variables, user, None)
    abi = bridge.ABIS[session.settings["abi"]]
    marshal(statement.call, Source(text), _NoMemory(), variables, abi=abi)


def _try_command(session: Session, statement: CommandStatement) -> None:
    name = statement.words[0]
    known = session.registry.names()
    if ALIASES.get(name, name) in known or name in "?!":
        return
    near = nearest(name, [*known, *session.calls()])
    hint = f"did you mean {near}?" if near else "help lists the commands"
    raise CommandError(f"there is no command {name!r}", hint, statement.source.find(name) + 1)


def _try_expression(session: Session, statement: Statement, text: str) -> None:
    value = getattr(statement, "value", None)
    if value is not None:
        user = (session.tasks.get(statement.task) if statement.task else None) or session.current
        expressions.value(session, value, user, text)
