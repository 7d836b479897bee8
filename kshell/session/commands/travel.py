"""Going back and forth: `history`, `undo`, `redo`, `goto`, `back`, `forward`, `branch`, `diff`.

A session is its commands, so an earlier moment is what the first n commands make again: the same
addresses, numbers and times, byte for byte.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kshell.session import events as ev
from kshell.session import travel
from kshell.session.commands import CommandError, command
from kshell.session.timeline import UNDONE

if TYPE_CHECKING:
    from kshell.session.session import Session

HISTORY: Final = 15


@command("history [N|all]", section="travel")
def do_history(session: Session, arguments: str) -> None:
    """List the last N commands (15) with their results and, in one line each, what they changed.

    Those that were undone, and can be done again by `redo`, stand behind a dash.
    """
    wanted = arguments.strip()
    count = None if wanted == "all" else HISTORY if not wanted else _count(wanted)
    found = travel.history(session, count)
    if not found:
        session.say("no commands yet")
    else:
        session.emit(ev.History, found)


@command("undo [N]", section="travel")
def do_undo(session: Session, arguments: str) -> None:
    """Take back the last N commands (1): the machine is as it was before them.

    `redo` does them again. If you do something else instead, branch `undone` keeps them; commands that only
    look do not count.
    """
    here = session.timeline.here
    count = _count(arguments)
    if count > here:
        raise CommandError(f"there are {here} commands to undo" if here else "there is nothing to undo")
    session.undo(count)
    travel.arrived(session)


@command("redo [N]", section="travel")
def do_redo(session: Session, arguments: str) -> None:
    """Do the next N commands (1) that `undo`, `goto` or `back` took back."""
    count, later = _count(arguments), len(session.timeline.later)
    if count > later:
        raise CommandError(f"there are {later} commands to redo" if later else "there is nothing to redo")
    session.redo(count)
    travel.arrived(session)


@command("goto N[.K]", section="travel")
def do_goto(session: Session, arguments: str) -> None:
    """Go to the moment after command N (0: just booted), back or forward again; N.K: to its packet K.

    goto 12      the machine is as it was after command 12: same objects, same addresses, same bytes
    goto 12.2    the middle of command 12: its second packet is being sent (see `help back`)

    To look at another moment without going there, put @N behind a command that looks, or behind an expression:

    show fd 3 @12
    cat /proc/net/tcp @5
    current->files->next_fd @7

    `show`, `why`, `stack` … answer as they would have then; `cat` and its like run on a copy.

    How it works: a command keeps the tape of what it did to the machine: system calls with their registers,
    bytes put into user memory, time passed. To be at moment N, a machine boots (5 ms) and N tapes are played,
    without parsing, decoding or showing anything: a tenth to a third of the time the commands took. The machines
    of the last moments left are kept, so that going back to one costs nothing.
    """
    number, dot, k = arguments.strip().partition(".")
    most = len(session.timeline.branch.commands)
    known = "history lists the commands; 0 is just booted"
    if not number:
        here = f"this is after command {session.timeline.here} of {most}"
        raise CommandError("goto wants the number of a command", f"{here}; {known}")
    if not number.isdecimal() or (dot and not k.isdecimal()):
        raise CommandError(f"'{arguments.strip()}' is no number of a command", known)
    if int(number) > most:
        raise CommandError(f"there is no command '{number}' yet; the last is {most}", known)
    if dot:
        travel.inside(session, int(number), int(k))
        return
    session.goto(int(number))
    travel.arrived(session)


@command("back", section="travel")
def do_back(session: Session, arguments: str) -> None:
    """Go one packet back: into the middle of the last command, where it sends its last packet.

    There you can look at everything (`show`, `print`, `ps`, `fds`, expressions), as it is while the packet is
    being sent; what has changed since the packet before is told. `back` and `forward` go on to other packets,
    and over the ends of the command. Nothing can be done in the middle: `goto N` or `forward` leave it.
    At a stop of the debugger, `back` goes to the stop before, `forward` to the one that `back` left.
    """
    travel.back(session)


@command("forward", section="travel")
def do_forward(session: Session, arguments: str) -> None:
    """Go one packet forward: the way that `back` came, or into the next command that was undone."""
    travel.forward(session)


@command("branch [NAME]", section="travel")
def do_branch(session: Session, arguments: str) -> None:
    """Begin a branch of the session at this moment, or go to one; without NAME list them.

    branch try     a new name: commands from now on belong to `try`
    branch main    an old one: go where it was left; `try` keeps its commands

    A branch has its own later commands; `goto`, `undo` and `redo` move on it. `diff main try` compares where
    two of them are. What was undone when you did something else is on the branch `undone`.
    """
    words = arguments.split()
    if not words:
        session.say("\n".join(_branches(session)))
    elif len(words) > 1 or not words[0].isidentifier():
        raise CommandError("branch wants one name", "letters, digits and _")
    elif words[0] == UNDONE and UNDONE not in session.timeline.branches:
        raise CommandError("nothing was undone and given up", "the name undone is kept for that")
    else:
        travel.arrived(session, session.branch(words[0]))


def _branches(session: Session) -> list[str]:
    timeline = session.timeline
    width = max(len(name) for name in timeline.branches)
    lines = []
    for name, branch in timeline.branches.items():
        mark = "*" if branch is timeline.branch else " "
        last = f": {branch.commands[branch.here - 1].text}" if branch.here else ""
        lines.append(f"{mark} {name:{width}}  after command {branch.here} of {len(branch.commands)}{last}")
    return lines


@command("diff [A [B]] [all]", section="travel")
def do_diff(session: Session, arguments: str) -> None:
    """Show what differs between two moments: objects, fields, queues, counters, the kernel log, time.

    diff             what the last command changed
    diff 4           since command 4
    diff 4 9         between the moments after commands 4 and 9
    diff main try    between two branches, where they are; main:4 is command 4 of main
    diff 4 9 all     all fields and slab counts, not only those that `show` shows
    """
    words = arguments.split()
    everything = words[-1:] == ["all"]
    words = words[:-1] if everything else words
    here = session.timeline.here
    if len(words) > 2:
        raise CommandError("diff wants two moments at most")
    before, after = (*words, str(here)) if len(words) == 1 else words or (str(max(here - 1, 0)), str(here))
    session.emit(ev.Difference, before, after, travel.difference_of(session, before, after), everything)


def _count(arguments: str) -> int:
    if not arguments:
        return 1
    if not arguments.isdecimal() or int(arguments) == 0:
        raise CommandError(f"{arguments!r} is not a number of commands")
    return int(arguments)
