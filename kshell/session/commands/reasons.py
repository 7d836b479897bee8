"""`why`: the reason of the last failure, of a sleep, or of a success that surprises."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.session.commands import command

if TYPE_CHECKING:
    from kshell.session.session import Session


@command("why [TASK]", section="look", completion="task")
def do_why(session: Session, arguments: str) -> None:
    """Explain the last call of a task: why it failed, why it sleeps, or why it gave what it gave.

    why           of a failure: the kernel function that raised the error, its Linux file, the functions that led
                  there, the conditions in the source and the values they looked at, what the manual says, and a
                  next step, which was tried on a copy of this session and works
    why server    of a task that sleeps: what it waits for, for how long, and who could wake it
    """
    from kshell.session.reasons.telling import why

    name = arguments.strip().removeprefix("@")
    session.say(why(session, session.find_user(name) if name else session.current))
