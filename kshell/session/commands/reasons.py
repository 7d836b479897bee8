"""`why`: the reason of the last failure, read off the kernel's own traceback."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.lens.why import Reason, reason
from kshell.linux.include.linux.err import KernelError
from kshell.session.commands import command

if TYPE_CHECKING:
    from kshell.session.session import Session

CHAIN_WIDTH = 76


@command("why", section="look")
def do_why(session: Session, arguments: str) -> None:
    """Explain the last failure of the current task.

    Names the kernel function that raised the error, the chain of functions that led to it, the conditions in
    the source that held there, and the values they looked at.
    """
    pending = session.where(session.task)
    if pending:
        session.say(f"{session.task_name} sleeps:\n  " + " > ".join(pending))
        return
    error = session.task._last_error
    if not isinstance(error, KernelError):
        session.say("no call of this task has failed yet")
        return
    session.say("\n".join(_lines(reason(error))))


def _lines(found: Reason) -> list[str]:
    origin = found.origin
    if origin is None:
        return [f"{found.name} ({found.meaning}): there is no such system call in this kernel"]
    lines = [f"{found.name} ({found.meaning}) comes from {origin.function}()   {origin.file}:{origin.line}"]
    lines += _wrapped([step.function for step in found.chain])
    for condition in found.conditions:
        verb = "held" if condition.held else "did not hold"
        lines.append(f"  {verb}: {condition.text}")
        lines += [f"    {name} = {value}" for name, value in condition.values]
    return lines


def _wrapped(names: list[str]) -> list[str]:
    """The chain of functions over as many lines as it needs."""
    lines, line = [], " "
    for i, name in enumerate(names):
        part = f" > {name}" if i else f" {name}"
        if len(line) + len(part) > CHAIN_WIDTH:
            lines.append(line)
            line = "   "
        line += part
    return [*lines, line]
