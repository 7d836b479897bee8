"""What a program asks of a session, beside running commands: travel, differences, traces, reasons.

    session = kshell.Session()
    session.run("fd = socket(AF_INET, SOCK_STREAM, 0)\\nlisten(fd, 5)\\nconnect(fd, NULL, 16)")
    session.why().cause                   why the last call that failed did so, from the manual; .step: what works
    print(session.trace())                the functions of the last command, from a run on a copy of the state before it
    print(session.trace("close(3)"))      of a command that is only tried, on a copy
    session.diff(1, 2)                    what differs between the moments after commands 1 and 2
    session.goto(1)                       the same machine as then: same objects, same addresses, same bytes
    session.branch("try")                 from here another line of commands, until session.branch("main")
    session.copy(2).run("close(3)")       try something elsewhere

Methods that cannot do what is asked raise CommandError, as the commands of these names report it. Commands, such as
`session.run("goto 1")`, give events (`travel`, `history`, `difference`, `trace`), which `--json` shows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kshell.lens.trace import Context, Node, Tracer
    from kshell.session.difference import Differing
    from kshell.session.events import HistoryLine
    from kshell.session.reasons.explain import Explanation
    from kshell.session.session import Session
    from kshell.session.tasks import UserTask
    from kshell.session.timeline import Timeline


class Trace(dict["Context", "list[Node]"]):
    """Call trees by context: a task, a softirq, a timer. str() is the plain tree, functions only."""

    def __init__(self, command: str, tracer: Tracer) -> None:
        super().__init__(tracer.trees())
        self.command = command

    def __str__(self) -> str:
        from kshell.lens.trace_text import chain_text

        return chain_text(self, with_irq=True)

    def __repr__(self) -> str:
        return f"<Trace of {self.command}: {sum(len(list(node.walk())) for nodes in self.values() for node in nodes)} calls>"


class Face:
    """The questions; a session answers them."""

    timeline: Timeline
    current: UserTask

    # ---- travel

    def goto(self, n: int) -> None:
        """Go to the moment after command n (0: just booted), back or forward again."""
        self.timeline.goto(n)

    def undo(self, count: int = 1) -> None:
        """Take back the last `count` commands."""
        self.timeline.goto(self.timeline.here - count)

    def redo(self, count: int = 1) -> None:
        """Do the next `count` commands again that were taken back."""
        self.timeline.goto(self.timeline.here + count)

    def branch(self, name: str) -> bool:
        """Go to a branch, where it was left; a new name makes one that begins here. Whether it is new."""
        return self.timeline.switch(name)

    def copy(self, n: int | None = None) -> Session:
        """Another session, as this one was after command n (now): to try something, or to look."""
        return self.timeline.copy(self.timeline.here if n is None else n)

    # ---- questions

    def history(self, count: int | None = None) -> list[HistoryLine]:
        """The last `count` commands (all) with their results and what they changed, and those that were undone."""
        from kshell.session import travel

        return travel.history(self._session, count)

    def diff(self, before: int | str, after: int | str | None = None) -> list[Differing]:
        """What differs between two moments (after: now), each a number, the name of a branch, or BRANCH:NUMBER."""
        from kshell.session import travel

        later = self.timeline.here if after is None else after
        return travel.difference_of(self._session, str(before), str(later))

    def trace(self, command: int | str | None = None, arguments: bool = False) -> Trace:
        """The kernel functions that a command runs through: command n (None: the last that did something), from a run
        on a copy of the state before it, or a text, on a copy of the state now. Nothing changes here.

        arguments: the nodes know what they were called with, and gave.
        """
        from kshell.session.commands.tracing import bare
        from kshell.session.instruments import instruments_of

        if isinstance(command, str):
            text, twin = command, self.copy()
        else:
            known = self.timeline.command(command)
            text, twin = bare(known.text, self._session), self.copy(known.n - 1)
        with instruments_of(self._session).recording(arguments, twin) as tracer:
            twin.carry_out(text)
        twin.hosts.close()
        return Trace(text, tracer)

    def why(self, task: str = "") -> Explanation | None:
        """The reason of the last failure of a task (the current one), and a step that works; None: none has failed."""
        from kshell.session.reasons.explain import explain

        return explain(self._session, self._session.find_user(task) if task else self.current)

    @property
    def _session(self) -> Session:
        from kshell.session.session import Session

        assert isinstance(self, Session)
        return self


