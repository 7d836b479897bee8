"""What a program asks of a session, beside running commands: travel, differences, traces, reasons.

    session = kshell.Session()
    session.run("fd = socket(AF_INET, SOCK_STREAM, 0)\\nlisten(fd, 5)\\nconnect(fd, NULL, 16)")
    session.why().cause                   why the last call that failed did so, from the manual; .step: what works
    session.trace()                       the call trees of the last command, from a copy of the state before it
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
    from kshell.lens.trace import Context, Node
    from kshell.session.difference import Differing
    from kshell.session.events import HistoryLine
    from kshell.session.reasons.explain import Explanation
    from kshell.session.session import Session
    from kshell.session.tasks import UserTask
    from kshell.session.timeline import Timeline


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

    def trace(self, n: int | None = None, arguments: bool = False) -> dict[Context, list[Node]]:
        """The kernel functions that command n (the last that did something) runs through, by context: call trees,
        from a run on a copy of the state before it. arguments: with what they were called with, and gave."""
        from kshell.session.commands.tracing import bare
        from kshell.session.instruments import instruments_of

        command = self.timeline.command(n)
        twin = self.copy(command.n - 1)
        with instruments_of(self._session).recording(arguments, twin) as tracer:
            twin.carry_out(bare(command.text, self._session))
        twin.hosts.close()
        return tracer.trees()

    def why(self, task: str = "") -> Explanation | None:
        """The reason of the last failure of a task (the current one), and a step that works; None: none has failed."""
        from kshell.session.reasons.explain import explain

        return explain(self._session, self._session.find_user(task) if task else self.current)

    @property
    def _session(self) -> Session:
        from kshell.session.session import Session

        assert isinstance(self, Session)
        return self


