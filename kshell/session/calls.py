"""System calls of a session: parsed, put into registers and memory, executed, shown, held to what is expected."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.lang.ast import (
    Assignment,
    CallStatement,
    CommandStatement,
    ExpressionStatement,
    Node,
    Statement,
)
from kshell.lang.nearest import nearest
from kshell.lang.parser import parse_expression
from kshell.lens.wait_queues import queues_of
from kshell.session import bridge, expressions
from kshell.session import events as ev
from kshell.session.commands import CommandError, parse
from kshell.session.moment import OBJECT, PLAIN
from kshell.session.pieces import asks, question
from kshell.session.queueing import Queue
from kshell.session.sleeping import bounded, chain_of, wchan_of
from kshell.session.variables import SessionVariables
from kshell.world.machine import MachinePanic, SyscallInProgress

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kshell.linux.include.linux.sched import task_struct
    from kshell.session.hosts import Hosts
    from kshell.session.session import Session
    from kshell.session.tasks import UserTask
    from kshell.session.watch import Seen

MOST_JUMPS = 100_000
"""Timer events that one command may wait for."""


class Pending:
    """A call that sleeps."""

    __slots__ = ("before", "file", "line", "prepared", "progress", "text")

    def __init__(
        self,
        prepared: bridge.Prepared,
        progress: SyscallInProgress,
        before: Seen | None,
        place: tuple[str, str, int],
    ) -> None:
        self.prepared = prepared
        self.progress = progress
        self.before = before
        self.text, self.file, self.line = place

    def moved(self, hosts: Hosts) -> Pending:
        """The same call on machines that are as these are."""
        user = hosts.named(self.prepared.user.name)
        assert user is not None
        assert isinstance(user.task._call, SyscallInProgress)
        return Pending(self.prepared.moved(user), user.task._call, self.before, (self.text, self.file, self.line))


class Calls:
    """Executes statements for one session."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.pending: dict[task_struct, Pending] = {}
        self.variables: Mapping[str, object] = {}
        """What names hold; another value makes another mapping."""
        self.queue = Queue(self)
        self._kept: tuple[Mapping[str, object], Mapping[str, object]] = self.variables, {}

    def let(self, name: str, value: object) -> None:
        """A variable holds this from now on."""
        self.variables = {**self.variables, name: value}

    def kept_variables(self) -> Mapping[str, object]:
        """What a moment keeps of the variables: equal ones give the same mapping."""
        variables, kept = self._kept
        if variables is not self.variables:
            kept = {n: v if isinstance(v, PLAIN) else OBJECT for n, v in self.variables.items()}
            self._kept = self.variables, kept
        return kept

    # ---- statements

    def execute(self, text: str) -> None:
        """Execute one statement."""
        session = self.session
        if asks(text):
            return session.explain(question(text))
        if session.timeline.eye is not None or (" @" in text and text.rstrip()[-1].isdigit()):
            from kshell.session.travel import elsewhere

            if elsewhere(session, text):
                return None
        statement = parse(text)
        if statement is None:
            return
        user = session.user(statement.task) if statement.task else session.current
        if isinstance(statement, CommandStatement):
            return self._command(statement, user)
        before, session.current = session.current, user
        try:
            self._execute(statement, text, user)
        finally:
            session.current = before

    def _execute(self, statement: Statement, text: str, user: UserTask) -> None:
        if isinstance(statement, CallStatement):
            self._call(statement, text, user)
        elif isinstance(statement, Assignment):
            self._assign(statement.variable, statement.value, user, text)
        elif isinstance(statement, ExpressionStatement):
            self._print(statement, user, text)

    def _command(self, statement: CommandStatement, user: UserTask) -> None:
        session = self.session
        name = statement.words[0] if statement.words else ""
        entry = session.registry.get(name)
        if entry is None:
            known = [*session.registry.names(), *session.calls()]
            near = nearest(name, known)
            hint = f"did you mean {near}?" if near else "help lists the commands"
            raise CommandError(f"there is no command {name!r}", hint, statement.source.find(name) + 1)
        if statement.rest and entry.usage == entry.name:
            raise CommandError(f"{name} takes no arguments, not {statement.rest!r}", f"{name} alone: {entry.summary}")
        before, session.current = session.current, user
        try:
            entry.run(session, statement.rest)
        finally:
            if session.current is user:
                session.current = before if statement.task else user

    def _assign(self, name: str, value: Node, user: UserTask, text: str) -> None:
        found = expressions.value(self.session, value, user, text)
        self.let(name, found)
        if not isinstance(found, PLAIN):
            self.session.tape.by_text = True

    def _print(self, statement: ExpressionStatement, user: UserTask, text: str) -> None:
        expressions.draw(self.session, statement.value, user, text)

    # ---- calls

    def _call(self, statement: CallStatement, text: str, user: UserTask) -> None:
        if self.free(user):
            self.make(statement, text, user)
        else:
            self.queue.add(statement, user)

    def make(self, statement: CallStatement, text: str, user: UserTask) -> None:
        """Make a call by a task that does not sleep."""
        session = self.session
        machine = session.hosts[user.host].machine
        if machine.kernel.panicked is not None:
            raise MachinePanic(machine.kernel.panicked)
        if user.dead:
            raise CommandError(f"task {user.name} is gone", "a new name makes a new task")
        user.arena.release()
        names = SessionVariables(self.variables, user, self._value)
        prepared = bridge.prepare(statement, text, user, names, session.settings["abi"], told=session.telling)
        before = session.watch_of(user).before(user.task) if session.show else None
        outcome = machine.syscall(user.task, prepared.number, prepared.registers, prepared.compat)
        if isinstance(outcome, int):
            self._finished(ev.CallFinished, prepared, outcome, before)
            session.run_ready()
            return
        session.run_ready()
        pending = Pending(prepared, outcome, before, session.place())
        if not outcome.done and self._all_asleep():
            self._fly_until(outcome)
            if not outcome.done and bounded(user.task):
                self._jump_until(outcome)
        if outcome.done:
            self._ended(ev.CallFinished, pending)
        else:
            self.pending[user.task] = pending
            self._sleeps(prepared)

    def free(self, user: UserTask) -> bool:
        """Whether the task can call: if it sleeps, the machine runs, and time passes if a timer can wake it."""
        self.session.run_ready()
        self.collect()
        if user.task in self.pending:
            self._wait_for(self.pending[user.task].progress)
            self.collect()
        return user.task not in self.pending

    def _all_asleep(self) -> bool:
        return not self.session.kernel.runqueue

    def _jump_until(self, progress: SyscallInProgress) -> None:
        for _ in range(MOST_JUMPS):
            if progress.done or not self.session.next_event():
                return

    def _fly_until(self, progress: SyscallInProgress) -> None:
        """Let time pass while frames are on their way that may end the call."""
        machine = self.session.machine
        for _ in range(MOST_JUMPS):
            if progress.done or not machine.in_flight() or not self.session.next_event():
                return

    def _wait_for(self, progress: SyscallInProgress) -> None:
        """Let time pass while a frame is on its way, or a timer is pending, that may end the call."""
        self._fly_until(progress)
        if bounded(progress.task) or self._others_bounded():
            self._jump_until(progress)

    def _others_bounded(self) -> bool:
        return any(bounded(pending.progress.task) for pending in self.pending.values())

    def wait(self, user: UserTask | None) -> None:
        """Let time pass until the call of `user`, or any call, comes back."""
        session = self.session
        session.run_ready()
        waiting = [p for p in self.pending.values() if user is None or p.progress.task is user.task]
        if not waiting:
            raise CommandError("no call sleeps" if user is None else f"task {user.name} sleeps in no call")
        for _ in range(MOST_JUMPS):
            if any(pending.progress.done for pending in waiting):
                return
            if not session.next_event():
                break
        else:
            return
        if not any(pending.progress.done for pending in waiting):
            raise CommandError("nothing is pending that could wake it", "another task has to do something")

    def collect(self) -> None:
        """Report the calls that have come back since."""
        if self.pending:
            for task, pending in [(task, p) for task, p in self.pending.items() if p.progress.done]:
                del self.pending[task]
                self._ended(ev.CallResumed, pending)
        self.queue.run()

    def _ended(self, kind: type[ev.CallFinished], pending: Pending) -> None:
        if pending.progress.result is None:
            self._never_returns(pending)
        else:
            self._finished(kind, pending.prepared, pending.progress.result, pending.before, pending)

    def _never_returns(self, pending: Pending) -> None:
        """exit(), or a signal that killed the task in the call."""
        self._cannot_hold(pending, "the call never returns")
        user = pending.prepared.user
        self.session.watch_of(user).after(pending.before, user.task, [])

    def still_asleep(self) -> None:
        """The end of a script: what was expected of calls that have not come back does not hold."""
        for pending in self.pending.values():
            self._cannot_hold(pending, f"the call still sleeps in {wchan_of(pending.prepared.user.task)}")

    def _cannot_hold(self, pending: Pending, why: str) -> None:
        expected = pending.prepared.statement.expected
        if expected is not None and expected.value is not None:
            self._hold(pending, pending.prepared, False, f"= {expected.value}", why)

    def _finished(
        self,
        kind: type[ev.CallFinished],
        prepared: bridge.Prepared,
        result: int,
        before: Seen | None,
        pending: Pending | None = None,
    ) -> None:
        session, user = self.session, prepared.user
        args, line = self._told(kind, prepared, result) if session.telling else ([], "")
        errno = bridge.error_of(result)
        session.emit(kind, user.task.pid, user.name, prepared.name, args, result, errno, line)
        if prepared.statement.variable and result >= 0:
            self.let(prepared.statement.variable, result)
        if prepared.statement.expected is not None:
            equal, expected, got, reason = bridge.verdict(prepared, result)
            self._hold(pending, prepared, equal, expected, f"{got}   ({reason})" if reason else got)
        if before is not None and not user.dead:
            session.watch_of(user).after(before, user.task, prepared.descriptors)

    def _told(self, kind: type[ev.CallFinished], prepared: bridge.Prepared, result: int) -> tuple[list[str], str]:
        """The arguments and the line of a call that came back."""
        names_on = self.session.settings["args"] == "on"
        shown = bridge.shown(prepared, result, names_on, resumed=kind is ev.CallResumed)
        return shown.args, shown.text

    def _hold(self, pending: Pending | None, prepared: bridge.Prepared, equal: bool, expected: str, got: str) -> None:
        if equal and not self.session.telling:
            self.session.held += 1
            return
        text, file, line = (pending.text, pending.file, pending.line) if pending else self.session.place()
        further, column = bridge.place_of_expectation(prepared)
        self.session.expectation(equal, expected, got, (text, file, line + further), column)

    def _sleeps(self, prepared: bridge.Prepared) -> None:
        user = prepared.user
        where = chain_of(user.task)
        text = bridge.unfinished(prepared)
        wchan, queues = wchan_of(user.task), queues_of(user.task)
        self.session.emit(ev.CallSleeps, user.task.pid, user.name, prepared.name, text, where, wchan, queues)

    # ---- expressions

    def _value(self, node: Node, user: UserTask) -> object:
        return expressions.value(self.session, node, user)

    def chain(self, task: task_struct) -> list[str]:
        """The kernel functions a sleeping task is in, outermost first."""
        return chain_of(task)

    def evaluate(self, text: str) -> object:
        """The object that an expression gives."""
        return expressions.object_of(self.session, self._expression(text), self.session.current, text)

    def print_text(self, text: str) -> str:
        """The value of an expression, printed."""
        session = self.session
        return expressions.printed(expressions.value(session, self._expression(text), session.current, text))

    def hold(self, text: str) -> None:
        """Hold that an expression is true."""
        session = self.session
        held, got = expressions.hold(session, self._expression(text), session.current, text)
        session.expectation(held, f"{text.strip()}", got)

    def _expression(self, text: str) -> Node:
        if not text.strip():
            raise CommandError("an expression is missing", "for example: current->files->next_fd")
        return parse_expression(text)
