"""`why` as text: a failure, a sleep, a success that surprises."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from kshell.abi.errno import NUMBERS, strerror
from kshell.lens.linux_files import file_of_step
from kshell.lens.why import Reason, reason
from kshell.linux.include.linux.err import KernelError
from kshell.session import events as ev
from kshell.session.commands import CommandError
from kshell.session.manual.absent import absent_text
from kshell.session.paragraphs import WIDTH, filled
from kshell.session.reasons.explain import Explanation, explain
from kshell.session.reasons.failure import last_call
from kshell.session.reasons.surprises import surprise_of
from kshell.session.reasons.waits import wait_of

if TYPE_CHECKING:
    from kshell.session.reasons.waits import Wait
    from kshell.session.session import Session
    from kshell.session.tasks import UserTask

HINT_TRIES: Final = 6
"""How many steps are tried for the line below a failing call, which has to be quick."""

NAMES: Final = frozenset({"inetsw", "net_families", "how"})
"""Words of the kernel that begin a cause of the manual."""

LONG: Final = 500
"""Commands of a session from which on nothing is tried for that line: a copy of it takes too long. `why` does."""


def why(session: Session, user: UserTask) -> str:
    """What there is to explain about a task."""
    wait = wait_of(session, user)
    if wait is not None:
        return "\n".join(_sleeping(session, user, wait))
    call = last_call(session, user)
    surprise = surprise_of(call) if call is not None else ""
    if call is not None and surprise:
        return "\n".join([f"{call.text} = {call.result}", *_wrapped(surprise)])
    found = explain(session, user)
    if found is not None:
        late = [] if call is not None and found.failure.call.command is call.command else _earlier(found)
        return "\n".join([*late, *_failure(found)])
    error = user.task._last_error
    if isinstance(error, KernelError):
        return "\n".join(["The last error was not one of a call that was typed, but of a program's:", *_bare(reason(error))])
    if call is None:
        return f"task {user.name} has made no call yet"
    return f"no call of task {user.name} has failed yet, and there is nothing odd about the last one: {call.text}"


def with_causes(session: Session, events: Sequence[ev.Event]) -> list[ev.Event]:
    """The events of a command, with a Cause behind each call that failed, unless that was expected."""
    if any(isinstance(event, ev.ExpectationHeld) for event in events):
        return list(events)
    tries = HINT_TRIES if session.timeline.here < LONG else 0
    told: list[ev.Event] = []
    for event in events:
        told.append(event)
        if isinstance(event, ev.CallFinished) and event.errno in NUMBERS:
            cause = _cause_of(session, event, tries)
            told += [cause] if cause is not None else []
    return told


def _cause_of(session: Session, event: ev.CallFinished, tries: int) -> ev.Cause | None:
    try:
        found = explain(session, session.find_user(event.task), tries)
    except CommandError:
        return None
    if found is None or found.failure.errno != event.errno or found.failure.call.name != event.name:
        return None
    text = found.cause or (absent_text(event.name) if found.failure.reason is None else "")
    return ev.Cause(event.n, event.time, event.pid, event.task, event.name, event.errno, strerror(NUMBERS[event.errno]),
                    text, _step_text(found))  # fmt: skip


def _earlier(found: Explanation) -> list[str]:
    call = found.failure.call
    return [f"The last call succeeded; the last that failed was command {call.command.n}, {call.text}:"]


# ---- failures


def told(found: Explanation) -> str:
    """A failure in the words of `why`."""
    return "\n".join(_failure(found))


def _failure(found: Explanation) -> list[str]:
    errno, why_so = found.failure.errno, found.failure.reason
    if why_so is None or why_so.origin is None:
        head = f"{errno} ({strerror(NUMBERS[errno])})"
        return [f"{head}: this kernel is built without {found.failure.call.name}().", *_absent(found)]
    lines = _bare(why_so, errno)
    lines += _wrapped(f"{_sentence(found)}.") if found.cause else []
    lines += [f"  also: {row.cause}" for row in found.rows[1:2] if row.cause != found.cause and not found.step]
    return [*lines, *(["  try: " + _step_text(found).replace("\n", "\n       ")] if found.step is not None else [])]


def _sentence(found: Explanation) -> str:
    """The cause, its first letter large, unless its first word is a name."""
    cause = found.cause
    first = cause.split()[0]
    named = first in found.failure.call.nodes or not first.isalpha() or first in NAMES
    return cause if named else cause[:1].upper() + cause[1:]


def _bare(why_so: Reason, errno: str = "") -> list[str]:
    """What the traceback alone tells: the function, its file, the way to it, the conditions."""
    errno = errno or why_so.name
    origin = why_so.origin
    if origin is None:
        return [f"{errno} ({strerror(NUMBERS[errno])})"]
    lines = _head(f"{errno} ({strerror(NUMBERS[errno])}) comes from {origin.function}()",
                  file_of_step(origin.function, origin.file))  # fmt: skip
    if errno != why_so.name:
        lines.append(f"  It raised {why_so.name}: a signal came, whose handler has no SA_RESTART, so the call ends with {errno}.")
    return [*lines, *_chain(why_so), *_conditions(why_so)]


def _head(text: str, file: str) -> list[str]:
    """A line with the Linux file at its end, or below it where there is no room."""
    line = f"{text}   {file}".rstrip()
    return [line] if len(line) <= WIDTH else [text, f"  {file}"]


def _absent(found: Explanation) -> list[str]:
    text = absent_text(found.failure.call.name)
    return [*(_wrapped(text) if text else []), "  help syscalls shows what is there."]


def _step_text(found: Explanation) -> str:
    step = found.step
    if step is None:
        return ""
    further = f"   gets as far as {step.then}" if step.then else ""
    return step.text + ("\n" if "\n" in step.text else "   ") * step.again + "then the same again" * step.again + further


def _chain(reason: Reason) -> list[str]:
    lines, line = [], " "
    for i, step in enumerate(reason.chain):
        part = f" > {step.function}" if i else f" {step.function}"
        if len(line) + len(part) > WIDTH:
            lines.append(line)
            line = "   "
        line += part
    return [*lines, line]


def _conditions(reason: Reason) -> list[str]:
    lines = []
    for condition in reason.conditions:
        held = "this was true:" if condition.held else "this was false:"
        lines += filled(f"{held} {condition.text}", "  ", "      ")
        lines += [f"      {name} = {value}" for name, value in condition.values]
    return lines


# ---- sleeps


def _sleeping(session: Session, user: UserTask, wait: Wait) -> list[str]:
    call = session.sleeping_call(user)
    lines = _head(f"task {user.name} sleeps in {call or 'a call'}(), in {wait.function}()", wait.file)
    lines += filled(f"It waits for {wait.what}.", "  ")
    if wait.queue:
        lines.append(f"  Its entry stands in the wait queue {wait.queue}.")
    lines.append(f"  {_how_long(session, wait)}")
    lines.append("  It would be woken by")
    for each in dict.fromkeys([*wait.wakers, f"a signal: kill({user.task.pid}, SIGINT)"]):
        lines += filled(each, "    - ", "      ")
    return lines


def _how_long(session: Session, wait: Wait) -> str:
    if wait.until is None:
        return "It sleeps for as long as it takes: no timeout."
    left = (wait.until - session.kernel.clock.now) / 1e9
    return f"Its timer ends the sleep in {left:.6g} s of virtual time: sleep or wait let it pass."


def _wrapped(text: str) -> list[str]:
    return filled(text, "  ")
