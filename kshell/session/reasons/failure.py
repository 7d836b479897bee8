"""The last call of a task, as it was typed, with what it gave."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Final

from kshell.abi.errno import ENOSYS, errno_name
from kshell.abi.names import constant
from kshell.abi.syscalls import signature
from kshell.lang.ast import Array, CallStatement, Name, Named, Node, Number
from kshell.lang.errors import LangError
from kshell.lens.why import Reason, reason
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.errno import RESTARTS
from kshell.session import events as ev
from kshell.session.commands import CommandError, parse

if TYPE_CHECKING:
    from kshell.session.session import Session
    from kshell.session.tasks import UserTask
    from kshell.session.timeline import Logged

BODIES: Final = {"accept": "accept4", "recv": "recvfrom", "send": "sendto"}
"""Calls whose work is done by another's body."""


class TypedCall:
    """A call of a task that is over or sleeps: its command, its name, its arguments as text."""

    def __init__(self, session: Session, user: UserTask, command: Logged, statement: CallStatement, name: str) -> None:
        self.session = session
        self.user = user
        self.command = command
        self.statement = statement
        self.name = name
        outcome = command.outcome
        self.result = outcome.ret if isinstance(outcome, ev.CallFinished) else None
        self.args = outcome.args if isinstance(outcome, ev.CallFinished) else []

    @property
    def text(self) -> str:
        """The command without its expectation and its task."""
        begin, end = self.statement.call.span
        return self.command.text[begin:end]

    @cached_property
    def nodes(self) -> dict[str, Node]:
        """The argument that stands for each parameter."""
        call, found = signature(self.name), self.statement.call
        args = found.args
        if found.name == "socketcall" and self.name != "socketcall" and isinstance(args[-1], Array):
            args = args[-1].items
        if call is None or found.name == "syscall":
            return {}
        shown = [p.name for p in call.params if p.kind.style != "hidden"]
        pairs = zip(shown, args, strict=False)
        return {n.name if isinstance(n, Named) else name: n.value if isinstance(n, Named) else n for name, n in pairs}

    def argument(self, name: str) -> str:
        """The text of an argument; "" if it is not there."""
        node = self.nodes.get(name)
        return self.command.text[node.span[0] : node.span[1]] if node is not None else ""

    def number(self, name: str) -> int | None:
        """The value of an argument that is a number, a constant or a variable."""
        node = self.nodes.get(name)
        if isinstance(node, Number):
            return node.value
        if isinstance(node, Name):
            value = self.session.calls_of_tasks.variables.get(node.name, constant(node.name))
            return value if isinstance(value, int) else None
        return None

    def edited(self, changes: dict[str, str]) -> str:
        """The call with other arguments; "" if it has no such argument."""
        begin, end = self.statement.call.span
        text = self.command.text
        spans = []
        for name, new in changes.items():
            node = self.nodes.get(name)
            if node is None:
                return ""
            spans.append((*node.span, new))
        for start, stop, new in sorted(spans, reverse=True):
            text = text[:start] + new + text[stop:]
            end += len(new) - (stop - start)
        return text[begin:end]


class Failure:
    """A call that failed, and the error that its task remembers."""

    def __init__(self, call: TypedCall, errno: str, error: KernelError | None) -> None:
        self.call = call
        self.errno = errno
        self.reason: Reason | None = reason(error) if error is not None else None

    @property
    def late(self) -> bool:
        """Whether there were other commands since."""
        return self.call.command.n < self.call.session.timeline.here

    @property
    def function(self) -> str:
        """The kernel function that raised the error."""
        return self.reason.origin.function if self.reason is not None and self.reason.origin is not None else ""


def last_calls(session: Session, user: UserTask) -> list[TypedCall]:
    """The calls of a task, the last first."""
    found = []
    commands = session.commands
    for i in range(len(commands) - 1, -1, -1):
        outcome = commands[i].outcome
        if isinstance(outcome, ev.CallFinished | ev.CallSleeps) and outcome.task == user.name:
            call = typed_call(session, user, commands[i], outcome.name)
            if call is not None:
                found.append(call)
    return found


def last_call(session: Session, user: UserTask) -> TypedCall | None:
    """The last call of a task."""
    for command in reversed(session.commands):
        outcome = command.outcome
        if isinstance(outcome, ev.CallFinished | ev.CallSleeps) and outcome.task == user.name:
            call = typed_call(session, user, command, outcome.name)
            if call is not None:
                return call
    return None


def typed_call(session: Session, user: UserTask, command: Logged, name: str) -> TypedCall | None:
    """The call that a command made; None if it was made by a program."""
    try:
        statement = parse(command.text)
    except LangError:
        return None
    return TypedCall(session, user, command, statement, name) if isinstance(statement, CallStatement) else None


def last_failure(session: Session, user: UserTask) -> Failure | None:
    """The last call of a task that failed, if it remembers the error."""
    error = user.task._last_error
    remembered = error if isinstance(error, KernelError) else None
    for call in last_calls(session, user):
        outcome = call.command.outcome
        errno = outcome.errno if isinstance(outcome, ev.CallFinished) else ""
        if isinstance(outcome, ev.CallSleeps) and remembered is not None and _entered(remembered, call.name):
            return Failure(call, shown_errno(remembered), remembered)
        if errno and remembered is not None and errno == shown_errno(remembered):
            return Failure(call, errno, _as_it_was(call, remembered))
        if errno:
            return Failure(call, errno, None) if errno == errno_name(ENOSYS) else None
    return None


def _as_it_was(call: TypedCall, error: KernelError) -> KernelError:
    """The same error on a copy of the session after its call, if there were others since: an error leads to the kernel's
    objects, which have changed."""
    session = call.session
    if call.command.n >= session.timeline.here:
        return error
    try:
        user = session.copy(call.command.n).find_user(call.user.name)
    except CommandError:
        return error
    found = user.task._last_error
    same = isinstance(found, KernelError) and reason(found).chain == reason(error).chain
    return found if same and isinstance(found, KernelError) else error


def shown_errno(error: KernelError) -> str:
    """The errno that a program sees: a call that is not begun again after a signal gives EINTR."""
    return "EINTR" if error.errno in RESTARTS else errno_name(error.errno)


def _entered(error: KernelError, name: str) -> bool:
    """Whether an error came out of that call."""
    entry = f"sys_{BODIES.get(name, name)}"
    return any(step.function.endswith(entry) for step in reason(error).chain)
