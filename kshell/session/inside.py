"""In the middle of a command: the machine as it was when one packet of it was sent, or at another stop.

Nothing can be halted in the middle of a call and kept. So each look runs the command again, on a copy of the session
as it was before it, up to the stop; what is to be seen is looked at from there, and the copy is thrown away. Whoever
knows other stops than packets (breakpoints, say) gives another `Stops`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Protocol

from kshell.lens.packets import packet_text
from kshell.linux.include.trace.events import NetDevXmit, Record
from kshell.session.commands import CommandError
from kshell.session.difference import Differing, View, difference
from kshell.session.tape import play

if TYPE_CHECKING:
    from kshell.session.session import Session
    from kshell.session.timeline import Logged
    from kshell.world.machine import Machine

Reached = Callable[[str], None]


class Stops(Protocol):
    """Places in the middle of commands. `noun` is what one is called."""

    noun: str

    def watch(self, machines: Mapping[str, Machine], reached: Reached) -> Callable[[], None]:
        """Call `reached`, with a line that tells which it is, at every stop from now on; returns what ends that."""


class Packets:
    """Every packet that a device sends."""

    noun = "packet"

    def watch(self, machines: Mapping[str, Machine], reached: Reached) -> Callable[[], None]:
        """As Stops.watch."""

        def observe(record: Record) -> None:
            if isinstance(record, NetDevXmit):
                reached(f"{record.dev}: {packet_text(record.skb)}")

        ends = [machine.kernel.observe(observe) for machine in machines.values()]

        def end() -> None:
            for one in ends:
                one()

        return end


class _Enough(BaseException):
    """The stop has been looked at: the rest of the command does not matter."""


class Eye:
    """Where one looks from: stop `k` of `count` in command n."""

    __slots__ = ("changes", "command", "count", "k", "stops", "text", "time")

    def __init__(self, command: Logged, k: int, count: int, stops: Stops) -> None:
        self.command = command
        self.k = k
        self.count = count
        self.stops = stops
        self.text = ""
        self.time = 0
        self.changes: list[Differing] = []

    @property
    def name(self) -> str:
        """`packet 2 of 3 of command 12`"""
        return f"{self.stops.noun} {self.k} of {self.count} of command {self.command.n}"


PACKETS = Packets()


def count_stops(session: Session, command: Logged, stops: Stops) -> int:
    """How many stops a command of the present branch has."""
    found = 0

    def reached(text: str) -> None:
        nonlocal found
        found += 1

    _run(session, command, stops, reached)
    return found


def look(session: Session, command: Logged, k: int, stops: Stops, what: Callable[[Session, str], None]) -> None:
    """Have `what(copy, stop)` look at stop k of a command, from its middle."""
    passed = 0
    copy = session.copy(command.n - 1)

    def reached(text: str) -> None:
        nonlocal passed
        passed += 1
        if passed == k:
            what(copy, text)
            raise _Enough

    _run(session, command, stops, reached, copy)
    if passed < k:
        raise CommandError(f"command {command.n} has {_count(passed, stops.noun)}, not {k}")


def eye_at(session: Session, command: Logged, k: int, count: int, stops: Stops = PACKETS) -> Eye:
    """Go to stop k of a command: which it is, and what is different since the stop before (or the command's begin)."""
    eye = Eye(command, k, count, stops)
    views: list[View] = []

    def seen(copy: Session, text: str) -> None:
        views.append(View(copy))
        eye.text, eye.time = text, copy.now

    if k > 1:
        look(session, command, k - 1, stops, seen)
    else:
        copy = session.copy(command.n - 1)
        views.append(View(copy))
        session.timeline.take_back(copy, command.n - 1)
    look(session, command, k, stops, seen)
    eye.changes = difference(*views)
    return eye


def _run(session: Session, command: Logged, stops: Stops, reached: Reached, copy: Session | None = None) -> None:
    copy = copy or session.copy(command.n - 1)
    end = stops.watch(copy.machines, reached)
    try:
        if command.by_text:
            copy.run(command.text, command.file)
        else:
            play(command.tape, copy.machines)
    except _Enough:
        pass
    finally:
        end()


def _count(number: int, noun: str) -> str:
    return f"{number or 'no'} {noun}{'' if number == 1 else 's'}"
