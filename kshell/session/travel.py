"""What travel shows: the history of commands, differences of moments, looks into the past and into the middle of a
command. The travelling itself is in `timeline` and `inside`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from kshell.lang.ast import CallStatement, ExpressionStatement, Statement
from kshell.lang.errors import LangError
from kshell.session import events as ev
from kshell.session.commands import CommandError, parse
from kshell.session.difference import Differing, View, brief, difference
from kshell.session.inside import PACKETS, Stops, count_stops, eye_at, look

if TYPE_CHECKING:
    from kshell.session.session import Session
    from kshell.session.timeline import Branch, Logged

AT: Final = re.compile(r"\s@(\d+)(?:\.(\d+))?\s*$")
LOOKS: Final = frozenset({"look", "userland"})
"""Sections of commands that can be asked about another moment."""

MOST_CHANGES: Final = 40
"""Commands of a history whose changes are worked out; those before have their results only."""


# ---- going


def arrived(session: Session, new_branch: bool = False) -> None:
    """Tell where the session is now."""
    timeline = session.timeline
    here, of, branch = timeline.here, len(timeline.branch.commands), timeline.branch.name
    done = f": {_one_line(timeline.done[-1].text)}" if here else ", just booted"
    line = f" on branch {branch}" if len(timeline.branches) > 1 else ""
    begins = f"branch {branch} begins here, " if new_branch else "now "
    text = f"{begins}after command {here} of {of}{line if not new_branch else ''}{done}"
    session.emit(ev.Travel, here, of, branch, 0, text)


def back(session: Session) -> None:
    """One stop back: into the last command from its end, or before it."""
    timeline = session.timeline
    eye = timeline.eye
    if eye is None:
        command = next((c for c in reversed(timeline.done) if c.tape or c.by_text), None)
        if command is None:
            raise CommandError("nothing comes before the first command")
        count = count_stops(session, command, PACKETS)
        if not count:
            raise CommandError(f"command {command.n} sends no packet", "undo goes back before it")
        _look_from(session, command, count, count)
    else:
        _look_from(session, eye.command, eye.k - 1, eye.count)


def forward(session: Session) -> None:
    """One stop forward: to the next packet of the command, or behind it; or into the next command that was undone."""
    timeline = session.timeline
    eye = timeline.eye
    if eye is not None:
        _look_from(session, eye.command, eye.k + 1, eye.count)
    elif timeline.later:
        command = timeline.later[0]
        count = count_stops(session, command, PACKETS)
        _look_from(session, command, 1, count)
    else:
        raise CommandError("nothing comes after the last command", "back goes into the middle of it")


def inside(session: Session, n: int, k: int) -> None:
    """Go to packet k of command n."""
    command = session.timeline.command(n)
    count = count_stops(session, command, PACKETS)
    if not 1 <= k <= count:
        raise CommandError(f"command {n} has {count or 'no'} packet{'' if count == 1 else 's'}", f"goto {n}")
    _look_from(session, command, k, count)


def _look_from(session: Session, command: Logged, k: int, count: int) -> None:
    """To stop k of a command; 0 is before it, and one more than it has behind it."""
    if not 1 <= k <= count:
        session.goto(command.n if k > 0 else command.n - 1)
        arrived(session)
        return
    session.timeline.eye = eye = eye_at(session, command, k, count)
    of, branch = len(session.timeline.branch.commands), session.timeline.branch.name
    session.emit(ev.Travel, command.n - 1, of, branch, k, f"{eye.name}, {eye.text}")
    session.emit(ev.Difference, "the stop before", eye.name, eye.changes, False)


# ---- looking


def elsewhere(session: Session, text: str) -> bool:
    """Answer a line that is about another moment (`show fd 3 @12`), or given while one looks from the middle of a
    command; False: it is about the present."""
    asked = AT.search(text)
    if asked is not None and _is_call(text[: asked.start()]):
        raise CommandError("a call can't be made in the past", f"goto {asked[1]} goes there")
    if asked is not None and _can_look(session, text[: asked.start()]):
        n, k = asked.groups()
        if k is None:
            look_at(session, text[: asked.start()], int(n))
        else:
            look_inside(session, text[: asked.start()], session.timeline.command(int(n)), int(k), PACKETS)
        return True
    eye = session.timeline.eye
    if eye is None or _section(session, text) in ("travel", "help"):
        return False
    if not _can_look(session, text):
        raise CommandError(f"this is the middle of command {eye.command.n} ({eye.name})",
                           f"look around with show, print, ps; or leave it: goto {eye.command.n}")  # fmt: skip
    look_inside(session, text, eye.command, eye.k, eye.stops)
    return True


def _section(session: Session, text: str) -> str:
    """The section of the manual that a command is in; "" for calls and expressions."""
    words = [word for word in text.split() if not word.startswith("@")]
    entry = session.registry.get(words[0]) if words else None
    return entry.section if entry is not None else ""


def _can_look(session: Session, text: str) -> bool:
    section = _section(session, text)
    return section in LOOKS or (not section and _is_expression(text))


def _is_expression(text: str) -> bool:
    return isinstance(_statement(text), ExpressionStatement)


def _is_call(text: str) -> bool:
    return isinstance(_statement(text), CallStatement)


def _statement(text: str) -> Statement | None:
    try:
        return parse(text)
    except LangError:
        return None


def look_at(session: Session, text: str, n: int) -> None:
    """Answer a command as it would have been answered after command n, on a copy."""
    copy = session.copy(n)
    session.relay(copy.run(text))
    session.timeline.take_back(copy, n)


def look_inside(session: Session, text: str, command: Logged, k: int, stops: Stops) -> None:
    """Answer a command from stop k of another, in its middle."""
    if _section(session, text) == "userland":
        raise CommandError("in the middle of a command no system call can be made", "show, print and ps make none")
    look(session, command, k, stops, lambda copy, _: session.relay(copy.run(text)))


# ---- telling


def difference_of(session: Session, before: str, after: str) -> list[Differing]:
    """What differs between two moments, each a number, the name of a branch, or BRANCH:NUMBER."""
    (first, n), (second, m) = place(session, before), place(session, after)
    return difference(view_at(session, n, first), view_at(session, m, second))


def place(session: Session, word: str) -> tuple[Branch, int]:
    """The branch and number that a word for a moment means."""
    timeline = session.timeline
    name, _, number = word.rpartition(":") if ":" in word else ("", "", word) if word.isdecimal() else (word, "", "")
    branch = timeline.branches.get(name) if name else timeline.branch
    if branch is None:
        raise CommandError(f"there is no branch {name!r}", f"there are: {', '.join(timeline.branches)}")
    if number and not number.isdecimal():
        raise CommandError(f"{number!r} is no number of a command")
    n = int(number) if number else branch.here
    if n > len(branch.commands):
        raise CommandError(f"there is no command {n}", f"commands go from 0 (just booted) to {len(branch.commands)}")
    return branch, n


def history(session: Session, count: int | None) -> list[ev.HistoryLine]:
    """The last `count` commands (None: all) with their results and changes, and those that were undone."""
    timeline = session.timeline
    commands = timeline.branch.commands
    first = 0 if count is None else max(0, timeline.here - count)
    work_out(session, commands[max(first, len(commands) - MOST_CHANGES) :])
    return [
        ev.HistoryLine(c.n, _one_line(c.text), result(c.outcome), c.changes or "", c.n > timeline.here)
        for c in commands[first:]
    ]


def work_out(session: Session, commands: list[Logged]) -> None:
    """Find out what each of these commands changed, unless that is known."""
    before: View | None = None
    for command in commands:
        if command.changes is not None or not (command.tape or command.by_text):
            command.changes = command.changes or ""
            continue
        if before is None or before.n != command.n - 1:
            before = view_at(session, command.n - 1)
        after = view_at(session, command.n)
        command.changes = brief(difference(before, after))
        before = after


def view_at(session: Session, n: int, branch: Branch | None = None) -> View:
    """All that there is after command n."""
    copy = session.timeline.copy(n, branch.commands if branch is not None else None)
    view = View(copy)
    session.timeline.take_back(copy, n)
    return view


def result(outcome: ev.Event | None) -> str:
    """How a command ended, in a few words."""
    if isinstance(outcome, ev.CallSleeps):
        return f"sleeps in {outcome.wchan or outcome.name}"
    if isinstance(outcome, ev.CallFinished):
        return "= " + outcome.text.rpartition(" = ")[2]
    if isinstance(outcome, ev.Error | ev.Oops):
        return f"error: {outcome.message}"
    return ""


def _one_line(text: str) -> str:
    return " ".join(text.split())
