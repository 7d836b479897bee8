"""Going back: `history`, `undo`, `redo`, `goto`.

A session is its commands, so an earlier moment is what the first n commands make again: the same
addresses, numbers and times, byte for byte.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.session.commands import CommandError, command

if TYPE_CHECKING:
    from kshell.session.session import Session


@command("history", section="session")
def do_history(session: Session, arguments: str) -> None:
    """List the commands of this session with their numbers; those that undo took back stand behind a dash."""
    lines = [f"{logged.n:5}  {logged.text}" for logged in session.commands]
    lines += [f"    -  {logged.text}" for logged in session.timeline.later]
    session.say("\n".join(lines) or "no commands yet")


@command("undo [N]", section="session")
def do_undo(session: Session, arguments: str) -> None:
    """Take back the last N commands (1): the machine is as it was before them."""
    here = session.timeline.here
    count = _count(arguments)
    if count > here:
        raise CommandError(f"there are {here} commands to undo")
    session.timeline.goto(here - count)


@command("redo [N]", section="session")
def do_redo(session: Session, arguments: str) -> None:
    """Run the next N commands (1) that undo took back."""
    count = _count(arguments)
    if count > len(session.timeline.later):
        raise CommandError(f"there are {len(session.timeline.later)} commands to redo")
    session.timeline.goto(session.timeline.here + count)


@command("goto N", section="session")
def do_goto(session: Session, arguments: str) -> None:
    """Go to the moment after command N (0: just booted), back or forward again."""
    most = session.timeline.here + len(session.timeline.later)
    if not arguments.isdecimal() or int(arguments) > most:
        raise CommandError(f"goto wants a number from 0 to {most}")
    session.timeline.goto(int(arguments))


def _count(arguments: str) -> int:
    if not arguments:
        return 1
    if not arguments.isdecimal() or int(arguments) == 0:
        raise CommandError(f"{arguments!r} is not a number of commands")
    return int(arguments)
