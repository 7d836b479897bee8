"""The one registry of commands: words without parentheses that a session understands beside system calls.

A family of commands is a module of this package that decorates its functions with `command`. The registry
gives each its usage, help, completion kind and place in the manual; `help`, completion and manual read it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kshell.session.session import Session

Run = Callable[["Session", str], None]

FAMILIES = ("looking", "reasons", "control", "travel", "files", "modules", "helping")
SECTIONS = {
    "look": "Looking at the machine",
    "time": "Time and tasks",
    "check": "Holding expectations",
    "session": "The session",
    "userland": "Small programs (they only make system calls)",
    "modules": "Kernel modules",
    "help": "Help",
}


class CommandError(Exception):
    """A command that cannot be carried out: `message` says why, `hint` what to try, `column` where."""

    def __init__(self, message: str, hint: str = "", column: int = 0) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.column = column


class Command:
    """One entry of the registry; `completion` names what its argument is (path, fd, task, topic, expr, …)."""

    __slots__ = ("completion", "help", "name", "run", "section", "summary", "usage")

    def __init__(self, name: str, usage: str, section: str, completion: str, help_text: str, run: Run) -> None:
        self.name = name
        self.usage = usage
        self.section = section
        self.completion = completion
        self.help = help_text
        self.summary = help_text.split("\n", 1)[0]
        self.run = run


class Registry:
    """Commands by name, in the order of the manual."""

    def __init__(self) -> None:
        self._by_name: dict[str, Command] = {}

    def add(self, entry: Command) -> None:
        self._by_name[entry.name] = entry

    def get(self, name: str) -> Command | None:
        return self._by_name.get(name)

    def names(self) -> list[str]:
        return list(self._by_name)

    def __iter__(self) -> Iterator[Command]:
        return iter(self._by_name.values())


def command(usage: str, *, section: str, completion: str = "") -> Callable[[Run], Command]:
    """Make the decorated `run(session, arguments)` a command; its docstring is its help text."""

    def register(run: Run) -> Command:
        text = "\n".join(
            line.strip() if not line.startswith("        ") else line[4:]
            for line in (run.__doc__ or "").strip().split("\n")
        )
        return Command(usage.split()[0], usage, section, completion, text, run)

    return register


def load() -> Registry:
    """The registry with every family in it."""
    registry = Registry()
    for family in FAMILIES:
        module = import_module(f"kshell.session.{family}")
        for entry in vars(module).values():
            if isinstance(entry, Command):
                registry.add(entry)
    return registry
