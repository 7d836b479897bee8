"""What a session looks through while a command runs: the tracer and the debugger.

A session without any has none of this, and pays nothing for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from kshell.lens.trace import Tracer
from kshell.lens.trace_parts import segments
from kshell.session import events as ev
from kshell.session.trace_request import Request

if TYPE_CHECKING:
    from kshell.lens.trace_tree import Node, Step
    from kshell.session.session import Session


class Instruments:
    """The tracer of one session.

    request: how to trace every command, None: not at all. edges: who was seen to call whom.
    """

    def __init__(self, session: Session) -> None:
        self.session = session
        self.request: Request | None = None
        self.edges: set[tuple[str, str]] = set()
        self._tracers: dict[bool, Tracer] = {}

    def carry_out(self, text: str) -> None:
        """Do a command of the session, traced if that is wanted."""
        if self.request is None:
            self.session.carry_out(text)
        else:
            self.traced(lambda: self.session.carry_out(text), self.request)

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
        with tracer:
            yield tracer

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
