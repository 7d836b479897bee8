"""Records of real programs: what they print and with which status they end when they run on kshell's kernel.

    # a comment
    > a line for the session: what comes before
    ## a command
    what it prints
    [exit 1]          unless it is 0
    ### a command of a program that only the host has

`PYTHONPATH=tests/userland python tests/userland/recording.py FILE...` records the commands of a file anew.
"""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Final

import traced

from kshell.session import events as ev
from kshell.session.session import Session
from kshell.userland.programs import wants_a_task

FOLDER: Final = Path(__file__).parent / "records"


class Step:
    """A line of a record that does something; printed: with the exit status behind it."""

    def __init__(self, line: str, printed: list[str]) -> None:
        self.is_command = not line.startswith("> ")
        self.is_ours = line.startswith("## ")
        self.line = line.partition(" ")[2]
        self.printed = printed


def steps(text: str) -> Iterator[Step]:
    """The steps of a record."""
    begun: Step | None = None
    for line in text.splitlines():
        if line.startswith(("## ", "> ", "### ")):
            if begun is not None:
                yield begun
            begun = Step(line, [])
        elif begun is not None and begun.is_command and not line.startswith("# "):
            begun.printed.append(line)
    if begun is not None:
        yield begun


def _in_order(lines: list[str]) -> Iterator[str]:
    """Sockets without an address stand where their place in the kernel's memory puts them: they are sorted."""
    for unix, run in groupby(lines, lambda line: line.startswith(("unix ", "u_"))):
        block = list(run)
        yield from sorted(block) if unix else block


def result(text: str, status: int) -> list[str]:
    """The lines of a record for what a command has printed. How a program is used is not told in the same words."""
    lines = list(_in_order(text.rstrip("\n").splitlines()))
    usage = next((at for at, line in enumerate(lines) if line.lower().startswith("usage:") or line == "Usage"), None)
    if usage is not None:
        lines[usage:] = ["[usage]"]
    return lines + ([f"[exit {status}]"] if status else [])


def by_kshell(session: Session, command: str) -> list[str]:
    """What kshell's program makes of a command."""
    shown = [event.text for event in session.run(command) if isinstance(event, ev.Output)]
    return result("\n".join(shown), session.programs.status)


def by_the_real_one(session: Session, command: str) -> list[str]:
    """What the program of the host makes of it on kshell's kernel."""
    argv = shlex.split(command)
    user = session.tasks.fork(argv[0]) if wants_a_task(argv) else session.current
    done = traced.run(session.machine, user.task, argv)
    session.programs.go_on()
    return result(done.text, done.status)


def record(path: Path) -> None:
    """Write what the real programs print now into a record."""
    session, lines = Session(), []
    for line in path.read_text().splitlines():
        if line.startswith("> "):
            session.run(line[2:])
        if line.startswith(("# ", "> ", "## ", "### ")):
            lines.append(line)
        if line.startswith(("## ", "### ")):
            lines += by_the_real_one(session, line.partition(" ")[2])
    path.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    for name in sys.argv[1:]:
        record(Path(name))
