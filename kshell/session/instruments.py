"""What a session looks through while a command runs: the tracer and the debugger.

A session without any has none of this, and pays nothing for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from kshell.lens.debug.debugger import Abandon, Debugger
from kshell.lens.trace import Tracer
from kshell.lens.trace_parts import segments
from kshell.session import events as ev
from kshell.session.trace_request import Request

if TYPE_CHECKING:
    from kshell.lens.trace_tree import Node, Step
    from kshell.session.debugger import SessionDebugger
    from kshell.session.session import Session


class Instruments:
    """The tracer and the debugger of one session.

    request: how to trace every command, None: not at all. edges: who was seen to call whom.
    debugger: None while there have been no breakpoints.
    """

    def __init__(self, session: Session) -> None:
        self.session = session
        self.request: Request | None = None
        self.debugger: SessionDebugger | None = None
        self.edges: set[tuple[str, str]] = set()
        self.taken_back = False
        self._armed = False
        self._tracers: dict[bool, Tracer] = {}

    def debugging(self) -> SessionDebugger:
        """The debugger, made when first asked for."""
        if self.debugger is None:
            from kshell.session.debugger import SessionDebugger

            self.debugger = SessionDebugger(self.session)
        return self.debugger

    @property
    def stopped(self) -> bool:
        """Whether the kernel stands still in the middle of a command."""
        return self.debugger is not None and self.debugger.stop is not None

    def locals(self) -> Mapping[str, object]:
        """The variables of the function that the kernel stands in; none while it runs."""
        return self.debugger.locals() if self.debugger is not None else {}

    def forget(self) -> None:
        """The session goes on with other machines: a step in the middle of the old ones does not."""
        if self.debugger is not None and self.debugger.stop is None:
            self.debugger.debugger.forget()

    def carry_out(self, text: str) -> bool:
        """Do a command of the session, traced and with stops if wanted; False if it was taken back at a stop."""
        self.taken_back = False
        if self.debugger is None or not self.debugger.debugger.busy:
            self._carry_out(text)
            return True
        core, way = self.debugger.debugger, self.debugger.way
        stepping = core.stepping
        way.begin(core.points)
        self._trapped(text, core)
        while way.returning:
            way.begin_again(core.points)
            self.session.timeline.revert()
            self._trapped(text, core)
        if core.stepping and not stepping and not self.debugger.abandoned:
            self.session.emit(ev.Go, 0, "the call sleeps: the step goes on when it wakes")
        self.taken_back = self._take_back(self.debugger)
        return not self.taken_back

    def _trapped(self, text: str, core: Debugger) -> None:
        core.arm()
        try:
            self._carry_out(text)
        except Abandon:
            pass
        finally:
            core.disarm()

    def _carry_out(self, text: str) -> None:
        if self.request is None:
            self.session.carry_out(text)
        else:
            self.traced(lambda: self.session.carry_out(text), self.request)

    def _take_back(self, debugger: SessionDebugger) -> bool:
        """If a stop was left by `undo`: make the session what it was before the command."""
        session, count = self.session, debugger.abandoned
        if not count:
            return False
        debugger.abandoned = 0
        debugger.debugger.forget()
        session.timeline.revert()
        if count > 1:
            session.timeline.goto(session.timeline.here - count + 1)
        session.emit(ev.Go, count, "the call is taken back: all is as it was before it")
        return True

    def traced(self, run: Callable[[], None], request: Request) -> None:
        """Run something under the tracer and tell what it recorded."""
        session = self.session
        with self.recording(request.arguments) as tracer:
            run()
        steps = tracer.steps()
        self.learn(steps)
        shown = segments(steps, request.wanted, fold=not (request.arguments or request.unfold))
        if shown:
            session.tell_first(ev.Traced, shown, request.arguments, session.kernel.boot_ns)

    @contextmanager
    def recording(self, arguments: bool = False, of: Session | None = None) -> Iterator[Tracer]:
        """The tracer is on; of: the session that runs, this by default."""
        tracer = self._tracers.setdefault(arguments, Tracer(arguments))
        tracer.clear()
        tracer.at((of or self.session).kernel.clock.now)
        with self._traps_outside(), tracer, self._traps_inside():
            yield tracer

    @contextmanager
    def _traps_outside(self) -> Iterator[None]:
        """Take breakpoints out, if they are in, and put them back afterwards."""
        core = self.debugger.debugger if self.debugger is not None else None
        self._armed = core is not None and core.armed
        if core is not None and self._armed:
            core.disarm()
        try:
            yield
        finally:
            if core is not None and self._armed:
                core.arm()
            self._armed = False

    @contextmanager
    def _traps_inside(self) -> Iterator[None]:
        """Put breakpoints around the tracer's twins, if they were in."""
        core = self.debugger.debugger if self.debugger is not None and self._armed else None
        if core is not None:
            core.arm()
        try:
            yield
        finally:
            if core is not None:
                core.disarm()

    def learn(self, steps: list[Step]) -> None:
        """Remember who called whom."""
        for step in steps:
            if step.enters:
                self._learn(step.node)

    def _learn(self, node: Node) -> None:
        for child in node.children:
            self.edges.add((node.name, child.name))


def instruments_of(session: Session) -> Instruments:
    """The instruments of a session, made when first asked for."""
    if session.instruments is None:
        session.instruments = Instruments(session)
    return session.instruments
