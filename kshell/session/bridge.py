"""Between the command language and the machine: statements to registers, results back to text and verdicts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi import names
from kshell.abi.errno import errno_name, is_error
from kshell.lang.ast import CallStatement, Dots, Name, Node, Unary
from kshell.lang.compare import compare_decoded
from kshell.lang.decode import Decoding
from kshell.lang.lexer import Source
from kshell.lang.marshal import Marshalled, marshal
from kshell.lang.statements import parse_line
from kshell.session.variables import ArenaMemory, SessionVariables

if TYPE_CHECKING:
    from kshell.linux.include.linux.sched import task_struct
    from kshell.session.tasks import UserTask

ABIS = {"i386": "socketcall", "x86_64": "x86_64"}
"""The session's setting → what the language calls it."""


STRING_LIMIT = 256
"""Bytes of a string that a line shows."""


class TaskMemory:
    """User memory as the language looks at it."""

    def __init__(self, task: task_struct) -> None:
        self.task = task

    def read(self, address: int, size: int) -> bytes | None:
        """The bytes there; fewer or None where nothing is mapped."""
        return self.task.mm.read_short(address, size) if self.task.mm is not None else None


class Shown:
    """A finished call as text: its line, its arguments, its error's name."""

    __slots__ = ("args", "errno", "text")

    def __init__(self, text: str, args: list[str], errno: str) -> None:
        self.text = text
        self.args = args
        self.errno = errno


class Prepared:
    """A call ready to be made by a task."""

    __slots__ = ("comparing", "decoding", "marshalled", "source", "statement", "user")

    def __init__(
        self,
        statement: CallStatement,
        source: Source,
        marshalled: Marshalled,
        user: UserTask,
        limit: int | None,
    ) -> None:
        self.statement = statement
        self.source = source
        memory = TaskMemory(user.task)
        self.decoding = Decoding(marshalled, memory, string_limit=limit)
        self.comparing = self.decoding
        if limit is not None and statement.expected is not None:
            self.comparing = Decoding(marshalled, memory, string_limit=None)
        self.marshalled = marshalled
        self.user = user

    def moved(self, user: UserTask) -> Prepared:
        """The same call of a task of another machine, which is as this one's is."""
        from copy import copy

        other = copy(self)
        memory = TaskMemory(user.task)
        other.user = user
        other.decoding = self.decoding.over(memory)
        same = self.comparing is self.decoding
        other.comparing = other.decoding if same else self.comparing.over(memory)
        return other

    @property
    def name(self) -> str:
        return self.marshalled.name

    @property
    def number(self) -> int:
        return self.marshalled.number

    @property
    def registers(self) -> tuple[int, ...]:
        return self.marshalled.registers

    @property
    def compat(self) -> bool:
        return self.marshalled.compat

    @property
    def descriptors(self) -> list[int]:
        """The descriptors among the arguments."""
        pairs = zip(self.marshalled.syscall.params, self.marshalled.values, strict=False)
        return [value for param, value in pairs if param.kind.style == "fd" and 0 <= value < 1 << 31]


def parse_call(text: str) -> CallStatement:
    """The statement of a log's call; LangError if it is none."""
    statement = parse_line(text, "<log>", 1, ())
    if not isinstance(statement, CallStatement):
        raise Source(text, "<log>").error("not a system call", 0, len(text))
    return statement


def prepare(
    statement: CallStatement,
    text: str,
    user: UserTask,
    variables: SessionVariables | None = None,
    abi: str = "x86_64",
    replay: bool = False,
) -> Prepared:
    """Registers and memory for the call in `text`; LangError if its arguments mean nothing."""
    source = Source(text)
    memory = ArenaMemory(user.arena)
    marshalled = marshal(statement.call, source, memory, variables, abi=ABIS[abi], replay=replay)
    return Prepared(statement, source, marshalled, user, None if replay else STRING_LIMIT)


def again(before: Prepared, statement: CallStatement, text: str) -> Prepared:
    """A call that goes on under another line of the log."""
    return Prepared(statement, Source(text), before.marshalled, before.user, None)


def shown(prepared: Prepared, result: int, names_on: bool = False, resumed: bool = False) -> Shown:
    """The call with its result; names_on: with the names of its arguments."""
    decoding = prepared.decoding
    args = decoding.arguments(result)
    error = errno_name(-result) if is_error(result) else ""
    if names_on:
        pairs = ", ".join(f"{name}={text}" for name, text in decoding.named_arguments(result))
        return Shown(f"{prepared.name}({pairs}) = {decoding.result_text(result)}", args, error)
    return Shown(decoding.resumed(result) if resumed else decoding.line(result), args, error)


def verdict(prepared: Prepared, result: int | None) -> tuple[bool, str, str, str]:
    """Whether a call came out as expected, with what was expected, what came, and where they differ."""
    statement = prepared.statement
    expected = statement.expected
    assert expected is not None
    call = statement.call.replace(args=tuple(_outside(node) for node in statement.call.args))
    differences = compare_decoded(call, expected, prepared.comparing, result)
    if not differences:
        return True, "", "", ""
    first = differences[0]
    where = "" if first.where == "result" else f"{first.where}: "
    got = f"= {prepared.decoding.result_text(result)}" if first.where == "result" else f"{where}{first.got}"
    wanted = f"= {first.expected}" if first.where == "result" else f"{where}{first.expected}"
    return False, wanted, got, "; ".join(map(str, differences[1:]))


def _outside(node: Node) -> Node:
    """An argument as far as it says what must come out: a variable or an address says nothing."""
    if isinstance(node, Name) and names.constant(node.name) is None:
        return Dots(node.span)
    if isinstance(node, Unary) and node.op == "&":
        return Dots(node.span)
    return node


def unfinished(prepared: Prepared) -> str:
    """The line of a call that sleeps."""
    return prepared.decoding.entry()


def signal_number(name: str) -> int:
    """13 for SIGPIPE; 0 for a name that is none."""
    return names.signal_number(name) or 0


def number_behind(text: str, label: str) -> int:
    """The number behind `label` in a text; 0 if there is none."""
    _, _, rest = text.partition(label)
    digits = rest[: len(rest) - len(rest.lstrip("0123456789"))]
    return int(digits) if digits else 0


def place_of_expectation(prepared: Prepared) -> tuple[int, int]:
    """Line (from 0, within the command) and column (from 1) where the expectation begins."""
    expected = prepared.statement.expected
    if expected is None:
        return 0, 0
    place = prepared.source.place(*expected.span)
    return place.line - 1, place.column
