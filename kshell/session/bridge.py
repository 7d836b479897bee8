"""Between the command language and the machine: statements to registers, results back to text and verdicts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi import names
from kshell.abi.errno import errno_name, is_error
from kshell.lang.ast import CallStatement, Dots, Name, Node, Result, Unary
from kshell.lang.compare import Difference, compare_decoded, compare_result, compared
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
    """A finished call as text: its line and its arguments."""

    __slots__ = ("args", "text")

    def __init__(self, text: str, args: list[str]) -> None:
        self.text = text
        self.args = args


class Prepared:
    """A call ready to be made by a task.

    limit: bytes of a string that its line shows, None: all; told: whether its line is sure to be shown, so that what
    its arguments point to must be looked at before the kernel changes it; compares: whether its arguments will be held
    to what was expected too.
    """

    __slots__ = ("_comparing", "_decoding", "compares", "limit", "marshalled", "source", "statement", "user", "variables")

    def __init__(
        self,
        statement: CallStatement,
        source: Source,
        marshalled: Marshalled,
        user: UserTask,
        limit: int | None,
        variables: SessionVariables | None = None,
        told: bool = True,
    ) -> None:
        self.statement = statement
        self.source = source
        self.marshalled = marshalled
        self.user = user
        self.limit = limit
        self.variables = variables
        self._decoding = self._decoded(limit) if told else None
        self._comparing: Decoding | None = None
        expected = statement.expected
        self.compares = expected is not None and bool(compared(statement.call, expected, marshalled.syscall))
        if self.compares:
            self._comparing = self.comparing

    def _decoded(self, limit: int | None, written_only: bool = False) -> Decoding:
        memory = TaskMemory(self.user.task)
        return Decoding(self.marshalled, memory, string_limit=limit, written_only=written_only)

    @property
    def decoding(self) -> Decoding:
        """The call as its line shows it."""
        if self._decoding is None:
            self._decoding = self._decoded(self.limit)
        return self._decoding

    @property
    def comparing(self) -> Decoding:
        """The call as it is held to what was expected, with whole strings."""
        if self._comparing is None:
            self._comparing = self.decoding if self.limit is None else self._decoded(None, written_only=True)
        return self._comparing

    def moved(self, user: UserTask) -> Prepared:
        """The same call of a task of another machine, which is as this one's is."""
        memory = TaskMemory(user.task)
        other = Prepared(self.statement, self.source, self.marshalled, user, self.limit, self.variables, told=False)
        other._decoding = self._decoding and self._decoding.over(memory)
        other._comparing = self._comparing and self._comparing.over(memory)
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
    told: bool = True,
) -> Prepared:
    """Registers and memory for the call in `text`; LangError if its arguments mean nothing."""
    source = Source(text)
    memory = ArenaMemory(user.arena)
    marshalled = marshal(statement.call, source, memory, variables, abi=ABIS[abi], replay=replay)
    return Prepared(statement, source, marshalled, user, None if replay else STRING_LIMIT, variables, told)


def again(before: Prepared, statement: CallStatement, text: str) -> Prepared:
    """A call that goes on under another line of the log."""
    return Prepared(statement, Source(text), before.marshalled, before.user, None)


def shown(prepared: Prepared, result: int, names_on: bool = False, resumed: bool = False) -> Shown:
    """The call with its result; names_on: with the names of its arguments."""
    decoding = prepared.decoding
    args = decoding.arguments(result)
    if names_on:
        pairs = ", ".join(f"{name}={text}" for name, text in decoding.named_arguments(result))
        return Shown(f"{prepared.name}({pairs}) = {decoding.result_text(result)}", args)
    return Shown(decoding.resumed(result) if resumed else decoding.line(result, args), args)


def error_of(result: int) -> str:
    """The name of the error that a result stands for; "" if it is none."""
    return errno_name(-result) if is_error(result) else ""


def verdict(prepared: Prepared, result: int | None) -> tuple[bool, str, str, str]:
    """Whether a call came out as expected, with what was expected, what came, and where they differ."""
    statement = prepared.statement
    expected = statement.expected
    assert expected is not None
    differences = _differences(prepared, expected, result)
    if not differences:
        return True, "", "", ""
    first = differences[0]
    where = "" if first.where == "result" else f"{first.where}: "
    got = f"= {prepared.decoding.result_text(result)}" if first.where == "result" else f"{where}{first.got}"
    wanted = f"= {first.expected}" if first.where == "result" else f"{where}{first.expected}"
    return False, wanted, got, "; ".join(map(str, differences[1:]))


def _differences(prepared: Prepared, expected: Result, result: int | None) -> list[Difference]:
    call = prepared.statement.call
    if not prepared.compares and not expected.details:
        return compare_result(call, expected, result)
    return compare_decoded(
        call, expected, prepared.comparing, result,
        source=prepared.source.text, says=_says, variables=prepared.variables,
    )  # fmt: skip


def _says(node: Node) -> bool:
    """Whether an argument says what must come out: `...`, a variable or an address says nothing."""
    if isinstance(node, Name):
        return names.constant(node.name) is not None
    return not isinstance(node, Dots) and not (isinstance(node, Unary) and node.op == "&")


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
