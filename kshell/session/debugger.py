"""The debugger of a session: what is typed while the kernel stands still, in gdb's names.

A stop lies in the middle of a command. What is typed there changes nothing and is no part of the session: the command
goes on afterwards as it would have, or is taken back by `undo`. In a script the lines behind the command that stops are
the debugger's, up to the one that goes on for good (`continue`).
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from types import FrameType
from typing import TYPE_CHECKING, Final

from kshell.lang.ast import CommandStatement, Member
from kshell.lang.errors import LangError
from kshell.lang.parser import parse_expression
from kshell.lens import fields
from kshell.lens.debug import frames
from kshell.lens.debug.debugger import Abandon, Action, Debugger, Stop
from kshell.lens.debug.points import Breakpoint
from kshell.lens.expr import truth
from kshell.lens.trace_graph import named_text
from kshell.lens.values import plain
from kshell.session import events as ev
from kshell.session import expressions
from kshell.session.commands import CommandError, parse
from kshell.session.way import Way

if TYPE_CHECKING:
    from kshell.linux.include.linux.sched import task_struct
    from kshell.linux.init.kernel import Kernel
    from kshell.session.session import Session
    from kshell.session.tasks import UserTask

ALIASES: Final = {
    "c": "continue", "fg": "continue", "s": "step", "n": "next", "fin": "finish", "u": "until", "bt": "backtrace",
    "where": "backtrace", "f": "frame", "i": "info", "p": "print", "inspect": "print", "l": "list", "b": "break",
    "br": "break", "brk": "break", "tb": "tbreak", "d": "delete", "k": "undo", "kill": "undo", "h": "help",
    "ba": "backtrace", "args": "info args", "locals": "info locals",
}  # fmt: skip
GOING: Final = ("continue", "step", "next", "finish", "until")
WIDTH: Final = 80
MAKES_COPIES: Final = "Timeline.machines_at"
RUNS: Final = ("Session.carry_out", "Session.__init__")
"""Functions by which it is known what runs: machines of the past being made again, a session."""
OWN: Final = (*GOING, "back", "forward", "backtrace", "up", "down", "frame", "info", "undo", "help", "print")
ALSO: Final = frozenset({"break", "tbreak", "delete", "watch", "list", "assert", "trace"})
"""Commands of the session that make sense at a stop, beside those that look."""

HELP: Final = """\
The kernel stands still. What is typed here changes nothing in it.
  continue (c)         go on
  next (n) [N]         to the next line here
  step (s) [N]         to the next line, into calls
  finish (fin)         to the end of this function
  until (u) [LINE]     past this line, or to LINE
  back, forward        to the stop before: the call runs again up to there;
                       to the one that back left
  undo                 leave the stop and take the whole call back
  backtrace (bt)       the functions, innermost first; up, down, frame N choose
  info (i) args, locals, frame, breakpoints
  print (p) EXPR       locals and kernel objects: p sk->sk_state; the
                       expression alone does it too
  list (l)             the source around
  break, tbreak, watch, delete    as at the prompt; watch knows the locals
  show, fds, ps, dmesg, hash, …   commands that only look"""


class SessionDebugger:
    """Breakpoints of a session and the commands at a stop; `stop`: where the kernel stands, None while it runs."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.debugger = Debugger(self._on_stop, self._holds, self._mine)
        self.points = self.debugger.points
        self.stop: Stop | None = None
        self.abandoned = 0
        self.way = Way()
        self.prepare: Callable[[Kernel], None] = lambda kernel: None
        self._variables: Mapping[str, object] = {}
        self._repeat = ""
        self._last: FrameType | None = None

    # ---- what the debugger asks

    def locals(self) -> Mapping[str, object]:
        """The variables of the function that is looked at, for expressions."""
        return self._variables

    def _mine(self) -> bool:
        """Whether it is this session that runs, and no copy of it: nor a machine that only boots, or plays tapes, for one."""
        frame = sys._getframe()
        while frame.f_back is not None:
            frame = frame.f_back
            name = frame.f_code.co_qualname  # not the code: of functions that are still to be loaded it is one and the same
            if name == MAKES_COPIES:
                return False
            if name in RUNS:
                return frame.f_locals.get("self") is self.session
        return True

    def _holds(self, point: Breakpoint, variables: dict[str, object]) -> bool:
        """Whether a breakpoint's condition is true in its task; one that can't be evaluated stops too."""
        session, kernel = self.session, frames.running_kernel(sys._getframe())
        if point.task:
            task = kernel.current if kernel is not None else None
            if task is None or point.task not in (self._name_of(task), task.comm, str(task.pid)):
                return False
        if not point.condition:
            return True
        before, self._variables = self._variables, variables
        try:
            node = parse_expression(point.condition)
            return truth(expressions.value(session, node, session.current, point.condition))
        except (LangError, CommandError):
            return True
        finally:
            self._variables = before

    def _name_of(self, task: task_struct) -> str:
        """The session's name of a task of any host."""
        names = (user.name for host in self.session.hosts for user in host.tasks if user.task is task)
        return next(names, "")

    def _on_stop(self, stop: Stop) -> Action:
        session = self.session
        kernel = frames.running_kernel(stop.frame)
        assert kernel is not None, "a kernel function runs in no kernel"
        self.prepare(kernel)
        known = self.way.known(stop, self.points)
        if known is not None:
            return known
        before = session.current
        self.stop = stop
        self._select(0)
        session.current = self._speaker(kernel) or before
        self._tell(stop)
        try:
            action = self._ask()
            self.way.take(action, stop)
            return action
        finally:
            self.stop = None
            self._variables = {}
            session.current = before
            if self.abandoned:
                self._last = None

    def _speaker(self, kernel: Kernel) -> UserTask | None:
        """The task that runs in a kernel, or its first if that has no name here."""
        for host in self.session.hosts:
            if host.machine.kernel is kernel:
                running = kernel.current
                return next((user for user in host.tasks if user.task is running), host.tasks.init)
        return None

    def _tell(self, stop: Stop) -> None:
        session, frame, task = self.session, stop.frame, self.session.kernel.current
        same, self._last = frame is self._last, frame
        told = stop.reason if not stop.reason or stop.reason.endswith(", ") else f"{stop.reason}\n"
        where = "" if same and not told else _called(f"{told.rpartition(chr(10))[2]}{frames.call_text(frame)}", frame)
        told = told[: len(told) - len(told.rpartition("\n")[2])]
        session.emit(
            ev.Stop, stop.point, told + where, task.pid, self._label(task),
            frame.f_code.co_name, frames.file_of(frame.f_code), frame.f_lineno, stop.text,
        )  # fmt: skip

    def _label(self, task: task_struct) -> str:
        """The task's name here, or its own; that of a host which is not the first stands before it."""
        name, host = self._name_of(task) or task.comm, self.session.current.host
        if host and not task.pid:
            return host
        return f"{host}/{name}" if host and not name.startswith(host) else name

    def _ask(self) -> Action:
        """Carry out the debugger's commands up to one that goes on."""
        before = self.session.place_of_errors()
        try:
            return self._answer()
        finally:
            self.session.stand_at(*before)

    def _answer(self) -> Action:
        session = self.session
        while True:
            line = session.ask_at_stop()
            if line is None:
                session.emit(ev.Go, 0, "")
                return Action("continue")
            text = line.strip() or self._repeat
            if not text:
                continue
            try:
                action = self._command(text)
            except CommandError as error:
                session.report(error.message, error.hint, error.column)
            except LangError as error:
                session.report(error.message, f"did you mean {error.nearest}?" if error.nearest else "")
            except Exception as error:  # the kernel must not see it
                session.oops(error)
            else:
                if action is not None:
                    session.emit(ev.Go, 0, "")
                    return action

    # ---- commands at a stop

    def _command(self, text: str) -> Action | None:
        word, _, rest = text.partition(" ")
        rest = rest.strip()
        if "/" in word and word.partition("/")[0] in ("p", "print"):
            word = "print"
        name = ALIASES.get(word, word)
        if name not in OWN and name.isalpha():
            found = [own for own in (*OWN, *ALSO) if own.startswith(name)]
            name = found[0] if len(found) == 1 else name
        name, _, more = name.partition(" ")
        self._repeat = text if name in ("step", "next") else ""
        if name in GOING:
            return self._go(name, rest)
        if name == "forward":
            return self.way.forward(self.stop)
        if name == "undo":
            self._take_back(rest)
        elif name == "back":
            if not self.session.timeline.rooted:
                raise CommandError("this session was given its machine, and can't make it anew")
            self.way.back(self.points)
            raise Abandon
        elif name == "help" and not rest:
            self.session.say(HELP)
        elif name == "print":
            self._print(rest)
        elif name in _COMMANDS:
            _COMMANDS[name](self, more or rest)
        else:
            self._others(name, rest, text)
        return None

    def _go(self, name: str, rest: str) -> Action:
        assert self.stop is not None
        if name == "finish":
            return Action("finish", frame=self.stop.frame)
        if rest and not (rest.isdecimal() and int(rest)):
            raise CommandError(f"{name} wants a number, not {rest!r}")
        number = int(rest) if rest else 0
        if name == "until":
            return Action("until", line=number)
        return Action(name, count=number or 1)

    def _take_back(self, rest: str) -> None:
        if not self.session.timeline.rooted:
            raise CommandError("this session was given its machine, and can't make it anew")
        if rest and not (rest.isdecimal() and 0 < int(rest) <= self.session.next_number):
            raise CommandError(f"{rest!r} is not a number of commands")
        self.abandoned = int(rest or 1)
        raise Abandon

    def _others(self, name: str, rest: str, text: str) -> None:
        """A command of the session that only looks, or an expression."""
        session = self.session
        entry = session.registry.get(name)
        if entry is not None and not text.partition(" ")[0].partition("(")[1]:
            if entry.section not in ("look", "help") and name not in ALSO:
                raise CommandError(f"{name} can't be done in the middle of a call", "continue, finish or undo first")
            entry.run(session, rest)
            return
        statement = parse(text)
        if getattr(statement, "call", None) is not None:
            raise CommandError(
                "no call can be made in the middle of another", "continue (c) lets it end, undo takes it back"
            )
        if isinstance(statement, CommandStatement):
            raise CommandError(f"the debugger has no command {name!r}", "help lists them")
        self._print(text)

    def _print(self, text: str) -> None:
        if not text:
            raise CommandError("print wants an expression", "for example: p sk->sk_state")
        session = self.session
        node = parse_expression(text)
        found = expressions.value(session, node, session.current, text)
        if isinstance(node, Member) and isinstance(found, int):
            owner = expressions.value(session, node.object, session.current, text)
            session.say(fields.text(owner, node.name, found))
        else:
            session.say(expressions.printed(found))

    def _backtrace(self, rest: str) -> None:
        assert self.stop is not None
        most = int(rest) if rest.isdecimal() else len(self.stop.frames)
        lines = [_frame_line(n, frame) for n, frame in enumerate(self.stop.frames[:most])]
        task = self.session.kernel.current
        if self.session.kernel.in_serving_softirq:
            lines.append(f"(in a softirq{'' if task is self.session.kernel.init_task else f', while {task.comm} runs'})")
        self.session.say("\n".join(lines))

    def _up(self, rest: str) -> None:
        self._move(_count(rest))

    def _down(self, rest: str) -> None:
        self._move(-_count(rest))

    def _move(self, by: int) -> None:
        assert self.stop is not None
        target = self.stop.selected + by
        if not 0 <= target < len(self.stop.frames):
            whose = "the innermost" if by < 0 else "the outermost"
            raise CommandError(f"this is {whose} function")
        self._frame(str(target))

    def _frame(self, rest: str) -> None:
        assert self.stop is not None
        if rest:
            if not rest.isdecimal() or int(rest) >= len(self.stop.frames):
                raise CommandError(f"frame wants a number from 0 to {len(self.stop.frames) - 1}", "bt lists them")
            self._select(int(rest))
        frame = self.stop.frame
        line = f"{frame.f_lineno}\t{self.stop.text}"
        self.session.say(f"{_frame_line(self.stop.selected, frame)}\n{line}")

    def _select(self, number: int) -> None:
        assert self.stop is not None
        self.stop.selected = number
        self._variables = dict(self.stop.frame.f_locals)

    def _info(self, rest: str) -> None:
        assert self.stop is not None
        frame = self.stop.frame
        topic = next((t for t in ("args", "breakpoints", "frame", "locals", "watchpoints") if rest and t.startswith(rest)), "")
        if topic == "args":
            self._variables_of(frames.arguments(frame), "no arguments")
        elif topic == "locals":
            self._variables_of(frames.local_variables(frame), "no locals")
        elif topic == "frame":
            self._frame("")
        elif topic:
            self.session.say(info_points(self))
        else:
            raise CommandError("info wants args, locals, frame or breakpoints")

    def _variables_of(self, pairs: list[tuple[str, object]], none: str) -> None:
        self.session.say("\n".join(f"{name} = {variable_text(name, value)}" for name, value in pairs) or none)


def variable_text(name: str, value: object) -> str:
    """A variable's value in one line: numbers as they are, objects as typed pointers."""
    return named_text(name, value) if isinstance(value, (int, bytes, bytearray, str)) else plain(value)


def _frame_line(number: int, frame: FrameType) -> str:
    return _called(f"#{number:<2} {frames.call_text(frame)}", frame)


def _called(text: str, frame: FrameType) -> str:
    """A call with its place behind it, or below where that is too far to the right."""
    place = f" at {frames.place_text(frame)}"
    return text + place if len(text) + len(place) <= WIDTH else f"{text}\n   {place}"


def _count(rest: str) -> int:
    if rest and not rest.isdecimal():
        raise CommandError(f"{rest!r} is not a number of frames")
    return int(rest or 1)


def info_points(debugger: SessionDebugger) -> str:
    """The table of breakpoints and watchpoints."""
    points = debugger.points
    return "\n".join(points.table()) if points.all else "no breakpoints or watchpoints"


_COMMANDS: Final[dict[str, Callable[[SessionDebugger, str], None]]] = {
    "backtrace": SessionDebugger._backtrace,
    "up": SessionDebugger._up,
    "down": SessionDebugger._down,
    "frame": SessionDebugger._frame,
    "info": SessionDebugger._info,
}
