"""Time travel: the commands of a session as a line of moments, and branches of it.

A session is its commands. Every command keeps the tape of what it did to the machines (`tape`), and what the session
remembered after it (`moment`). To be at the moment after command n, a machine boots and the first n tapes are played:
calls with their registers, user memory, time, with nothing parsed, decoded or shown. That takes a tenth to a third of
what the commands took, by how much of it the kernel's own work was (`scripts/bench lens`); booting takes 5 ms. The
machines of the last few moments that were left are kept as spares, so that going on from one of them, or back to it,
costs less, or nothing.

Nothing can be copied here (a sleeping call is a parked coroutine), and need not be: the same tape gives the same
machine, byte for byte.
"""

from __future__ import annotations

import gc
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from kshell.session import events as ev
from kshell.session.commands import ALIASES, CommandError
from kshell.session.moment import Moment
from kshell.session.pieces import asks
from kshell.session.tape import Op, TapedMachine, play

if TYPE_CHECKING:
    from kshell.session.inside import Eye
    from kshell.session.session import Session
    from kshell.world.machine import Machine

MAIN: Final = "main"
UNDONE: Final = "undone"
"""The branch that keeps what was undone when something else was done instead."""

SPARES: Final = 4
OUTSIDE: Final = frozenset({
    "history", "undo", "redo", "goto", "branch", "diff", "back", "forward",
    "break", "tbreak", "watch", "delete", "info", "list",
})  # fmt: skip
"""Commands about the session, which are no part of it."""


class Logged:
    """A command as it was given, what it did, and the moment after it."""

    __slots__ = ("by_text", "changes", "file", "line", "moment", "n", "outcome", "packets", "tape", "text")

    def __init__(self, n: int, text: str, file: str, line: int) -> None:
        self.n = n
        self.text = text
        self.file = file
        self.line = line
        self.tape: tuple[Op, ...] = ()
        self.moment: Moment
        self.outcome: ev.Event | None = None
        self.changes: str | None = None  # in a line, once it has been worked out
        self.packets: tuple[ev.Packet, ...] = ()
        self.by_text = False
        """Whether its tape is not enough, so that the command itself has to be run again."""


class Branch:
    """A line of commands, and where on it the session was when it left."""

    __slots__ = ("commands", "here", "name")

    def __init__(self, name: str, commands: list[Logged], here: int) -> None:
        self.name = name
        self.commands = commands
        self.here = here


class Spare:
    """Machines at a moment, not in use; `last` is the command they were left after (None: just booted).

    objects: the kernel objects that variables of the session hold, on these machines.
    """

    __slots__ = ("last", "machines", "objects")

    def __init__(self, machines: dict[str, Machine], last: Logged | None, objects: Mapping[str, object]) -> None:
        self.machines = machines
        self.last = last
        self.objects = dict(objects)

    @property
    def n(self) -> int:
        return self.last.n if self.last is not None else 0

    def is_on(self, commands: Sequence[Logged], n: int) -> bool:
        """Whether it can go forward to the moment after command n of that line."""
        return self.last is None or (self.n <= n and commands[self.n - 1] is self.last)


class Timeline:
    """The moments of one session.

    rooted: whether the first machine can be made anew; else there is no going back.
    """

    def __init__(self, session: Session, rooted: bool) -> None:
        self.session = session
        self.rooted = rooted
        self.branch = Branch(MAIN, [], 0)
        self.branches = {MAIN: self.branch}
        self.number = 0
        self.spares: list[Spare] = []
        self.eye: Eye | None = None
        """The stop in the middle of a command that one looks from."""
        self.start: Moment

    # ---- commands as they come

    @property
    def here(self) -> int:
        """The number of the last command that has been done."""
        return self.branch.here

    @property
    def done(self) -> list[Logged]:
        """The commands that have been done."""
        return self.branch.commands[: self.here]

    @property
    def later(self) -> list[Logged]:
        """The commands that were undone, and can be done again."""
        return self.branch.commands[self.here :]

    def begin(self, text: str, file: str, line: int) -> Logged | None:
        """A command begins; None: one that is no part of the session."""
        if asks(text) or self.eye is not None or self._is_outside(text):
            return None
        self.number = self.here + 1
        return Logged(self.number, text, file, line)

    def _is_outside(self, text: str) -> bool:
        """Whether a command is about the session and does nothing in it."""
        word, *rest = text.split(None, 1)
        if (rest[0].startswith("=") if rest else word in ALIASES):
            return False  # a variable's name
        word = ALIASES.get(word, word)
        if word != "trace":
            return word in OUTSIDE
        from kshell.session.trace_request import does_something

        return not does_something(self.session, "".join(rest))

    def end(self, command: Logged, events: Sequence[ev.Event]) -> None:
        """It is over: keep what it did. One that changed nothing is not kept while later commands could be redone."""
        session = self.session
        command.tape = session.tape.cut()
        command.by_text = session.tape.by_text
        session.tape.by_text = False
        command.moment = Moment(session)
        command.outcome = next((e for e in events if type(e) in _OUTCOMES), None)
        if len(self.branch.commands) > self.here:
            if not command.tape and command.moment.same(self.moment(self.here)):
                self.number = self.here
                return
            self._fork_off()
        self.branch.commands.append(command)
        self.branch.here += 1

    def _fork_off(self) -> None:
        """What was undone goes to a branch of its own, since something else is done now."""
        branch = self.branch
        if branch.name != UNDONE:
            self.branches[UNDONE] = Branch(UNDONE, list(branch.commands), branch.here)
        del branch.commands[branch.here :]

    def revert(self) -> None:
        """The command that began was broken off: all is as it was before it."""
        self._check(0)
        self.session.tape.cut()
        self.session.tape.by_text = False
        spare = self.machines_at(self.branch.commands, self.here)
        self.session.attach(spare.machines, self.moment(self.here), spare.objects)

    def moment(self, n: int) -> Moment:
        """The moment after command n."""
        return self.branch.commands[n - 1].moment if n else self.start

    def command(self, n: int | None = None) -> Logged:
        """Command n of the branch; None: the last one done that did something."""
        if n is not None:
            if not 1 <= n <= len(self.branch.commands):
                raise CommandError(f"there is no command {n}", f"commands go from 1 to {len(self.branch.commands)}")
            return self.branch.commands[n - 1]
        found = next((command for command in reversed(self.done) if command.tape or command.by_text), None)
        if found is None:
            raise CommandError("no command has done anything yet")
        return found

    # ---- travel

    def goto(self, n: int) -> None:
        """Make the session what it was after command n of its branch."""
        self._check(n)
        self.eye = None
        if n != self.here:
            self._move(self.branch, n)

    def switch(self, name: str) -> bool:
        """Go to a branch, where it was left; a new name makes one that begins here. Whether it is new."""
        self._check(0)
        self.eye = None
        target = self.branches.get(name)
        if target is None:
            self.branch = self.branches[name] = Branch(name, self.done, self.here)
            return True
        if target is not self.branch:
            self._move(target, target.here)
        return False

    def _move(self, branch: Branch, n: int) -> None:
        self._park()
        spare = self.machines_at(branch.commands, n)
        self.branch = branch
        branch.here = self.number = n
        self.session.attach(spare.machines, self.moment(n), spare.objects)

    def _check(self, n: int, length: int | None = None) -> None:
        if not self.rooted:
            raise CommandError("this session was given its machine, and can't make it anew")
        most = len(self.branch.commands) if length is None else length
        if not 0 <= n <= most:
            raise CommandError(f"there is no command {n}", f"commands go from 0 (just booted) to {most}")

    def _park(self) -> None:
        """Keep the present machines as a spare, unless something was done to them that no command knows of."""
        if not self.session.tape.cut():
            last = self.branch.commands[self.here - 1] if self.here else None
            self.give(Spare(self.session.machines, last, self.session.objects()))

    def give(self, spare: Spare) -> None:
        """Machines that are no longer needed: kept for the next who wants to be near there."""
        for machine in spare.machines.values():
            if isinstance(machine, TapedMachine):
                machine.tape = None
        self.spares.append(spare)
        del self.spares[:-SPARES]

    def machines_at(self, commands: Sequence[Logged], n: int) -> Spare:
        """Machines as they were after command n of a line, for the caller to keep or `give` back."""
        usable = [spare for spare in self.spares if spare.is_on(commands, n)]
        spare = max(usable, key=lambda spare: spare.n, default=None)
        if spare is None:
            spare = Spare(self.session.boot(), None, {})
        else:
            self.spares.remove(spare)
        collecting = gc.isenabled()
        gc.disable()  # a machine is made, nothing becomes garbage
        try:
            for command in commands[spare.n : n]:
                self._advance(spare, command, commands)
        finally:
            if collecting:
                gc.enable()
        return spare

    def _advance(self, spare: Spare, command: Logged, commands: Sequence[Logged]) -> None:
        """Do one more command on a spare."""
        if not command.by_text:
            play(command.tape, spare.machines)
        else:
            before = commands[command.n - 2].moment if command.n > 1 else self.start
            twin = self.session.twin(spare.machines, before, spare.objects)
            twin.run(command.text, command.file)
            spare.machines, spare.objects = twin.machines, twin.objects()
            twin.hosts.close()
        spare.last = command

    def copy(self, n: int, commands: Sequence[Logged] | None = None) -> Session:
        """Another session, as this one was after command n (of a line); what is done there is not done here."""
        line = self.branch.commands if commands is None else commands
        self._check(n, len(line))
        spare = self.machines_at(line, n)
        twin = self.session.twin(spare.machines, line[n - 1].moment if n else self.start, spare.objects)
        twin.timeline._take(line[:n], self.start)
        return twin

    def _take(self, commands: Sequence[Logged], start: Moment) -> None:
        """Begin with a past."""
        self.rooted = True
        self.start = start
        self.branch.commands[:] = commands
        self.branch.here = self.number = len(commands)

    def take_back(self, twin: Session, n: int) -> None:
        """A copy made at n is no longer needed; its machines are kept if nothing has been done to them since."""
        timeline = twin.timeline
        twin.hosts.close()
        if not any(command.tape for command in timeline.branch.commands[n:]) and not twin.tape.cut():
            last = timeline.branch.commands[n - 1] if n else None
            self.give(Spare(twin.machines, last, twin.objects()))


_OUTCOMES = frozenset({ev.CallFinished, ev.CallSleeps, ev.Error, ev.Oops})
"""Events that tell how a command ended."""
