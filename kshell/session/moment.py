"""What a session itself remembers after a command, beside its machines: variables, tasks by name, calls that sleep.

A moment is small and never changes, so that every command keeps its own. With machines that are as they were then,
it makes the session what it was.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kshell.session.settings import BY_NAME

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kshell.session.calls import Pending
    from kshell.session.programs import JobState
    from kshell.session.queueing import Waiting
    from kshell.session.session import Session
    from kshell.session.tasks import UserState

PLAIN: Final = (int, str, bytes, type(None))
OBJECT: Final = "(a kernel object)"
"""Stands for what a variable with a kernel object holds, which is another one on every machine."""


class Moment:
    """A session after one command. What it keeps is never changed: a session whose variables change has others then."""

    __slots__ = ("current", "pending", "programs", "settings", "users", "variables", "waiting")

    def __init__(self, session: Session) -> None:
        calls = session.calls_of_tasks
        self.current = session.current.name
        self.users: dict[str, tuple[UserState, ...]] = {host.name: host.tasks.state() for host in session.hosts}
        self.pending: tuple[Pending, ...] = tuple(calls.pending.values())
        self.waiting: tuple[Waiting, ...] = tuple(calls.queue.waiting)
        self.programs: tuple[JobState, ...] = session.jobs.state() if session.jobs is not None else ()
        self.settings = tuple(session.settings[name] for name in KEPT)
        self.variables = calls.kept_variables()

    def same(self, other: Moment) -> bool:
        """Whether a command between the two has left the session as it was."""
        return all(getattr(self, name) == getattr(other, name) for name in self.__slots__)

    def restore(self, session: Session, objects: Mapping[str, object]) -> None:
        """Make a session so whose machines are as they were; objects: what variables with kernel objects hold."""
        for host in session.hosts:
            host.tasks.restore(self.users[host.name])
        session.settings |= dict(zip(KEPT, self.settings, strict=True))
        session.current = session.hosts.named(self.current) or session.hosts.first.tasks.init
        calls = session.calls_of_tasks
        calls.variables = {n: objects[n] if v is OBJECT else v for n, v in self.variables.items()}
        moved = (pending.moved(session.hosts) for pending in self.pending)
        calls.queue.waiting = [waiting.moved(session.hosts) for waiting in self.waiting]
        calls.pending = {pending.prepared.user.task: pending for pending in moved}
        if self.programs:
            session.programs.restore(self.programs)


KEPT: Final = tuple(name for name, setting in BY_NAME.items() if setting.kept)
"""Settings that change what calls do; the others are about the screen, and stay as they are."""
