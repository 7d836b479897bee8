"""The one registry of commands: words without parentheses that a session understands beside system calls.

A family of commands is a module of this package that decorates its functions with `command`. The registry
gives each its usage, help, completion kind and place in the manual; `help`, completion and manual read it.
FAMILIES names the commands of each family, so that a session imports only the families it is asked for.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from importlib import import_module
from typing import TYPE_CHECKING, Final

from kshell.lang.statements import parse_line

if TYPE_CHECKING:
    from kshell.lang.ast import Statement
    from kshell.session.session import Session

Run = Callable[["Session", str], None]

FAMILIES: Final = {
    "looking": ("show", "ps", "fds", "dmesg", "slab"),
    "packets": ("packets", "hexdump"),
    "printing": ("print", "ptype", "hash"),
    "graphing": ("graph",),
    "tracing": ("trace",),
    "sources": ("list",),
    "debugging": ("break", "tbreak", "watch", "delete", "info", "run"),
    "reasons": ("why",),
    "control": ("sleep", "wait", "interrupt", "task", "set", "assert", "save", "exit", "quit"),
    "travel": ("history", "undo", "redo", "goto", "back", "forward", "branch", "diff"),
    "waiting": ("stack",),
    "files": ("cat", "ls", "echo", "sysctl", "mount"),
    "nettools": ("ifconfig", "route", "arp", "netstat", "ethtool"),
    "iproute": ("ip", "ss"),
    "talking": ("ping", "nc", "tcpdump"),
    "network": ("host", "switch", "link", "unlink", "capture"),
    "modules": ("modprobe", "rmmod", "lsmod"),
    "helping": ("help", "man"),
}
ALIASES: Final = {"?": "help", "b": "break", "tb": "tbreak", "d": "delete", "i": "info", "l": "list", "p": "print",
                  "r": "run", "bt": "stack"}  # fmt: skip
"""Short names; a variable of that name wins where it stands alone."""

_P_STAR: Final = re.compile(r"\s*(?:@\S+\s+)?p\s+\*\S")
"""`p *sk`, as gdb's users write it, is no product."""

SECTIONS: Final = {
    "look": "Looking at the machine",
    "debug": "Stopping the kernel",
    "time": "Time and tasks",
    "travel": "Going back and forth",
    "check": "Holding expectations",
    "session": "The session",
    "userland": "Small programs (they only make system calls)",
    "network": "Networks of several hosts",
    "modules": "Kernel modules",
    "help": "Help",
}


NAMES: Final = frozenset(name for names in FAMILIES.values() for name in names)
LONGEST_KEPT: Final = 1000


@lru_cache(maxsize=1000)
def _parsed(text: str) -> Statement | None:
    return parse_line(text, "", 1, NAMES if _P_STAR.match(text) is None else NAMES | {"p"})


def parse(text: str) -> Statement | None:
    """The statement of a line of a session. One that was read lately is not read again: a prompt holds a line valid
    before it runs it, a script goes over the same lines."""
    return _parsed(text) if len(text) < LONGEST_KEPT else _parsed.__wrapped__(text)


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
        self._family_of = {name: family for family, names in FAMILIES.items() for name in names}

    def get(self, name: str) -> Command | None:
        name = ALIASES.get(name, name)
        if name not in self._by_name and name in self._family_of:
            self._by_name |= family_commands(self._family_of[name])
        return self._by_name.get(name)

    def names(self) -> list[str]:
        return list(self._family_of)

    def __iter__(self) -> Iterator[Command]:
        for name in self._family_of:
            entry = self.get(name)
            assert entry is not None, f"FAMILIES names {name}, which its module does not define"
            yield entry


def command(usage: str, *, section: str, completion: str = "") -> Callable[[Run], Command]:
    """Make the decorated `run(session, arguments)` a command; its docstring is its help text."""

    def register(run: Run) -> Command:
        text = "\n".join(
            line.strip() if not line.startswith("        ") else line[4:]
            for line in (run.__doc__ or "").strip().split("\n")
        )
        return Command(usage.split()[0], usage, section, completion, text, run)

    return register


def family_commands(family: str) -> dict[str, Command]:
    """The commands that a module of this package defines, by name."""
    module = import_module(f"{__name__}.{family}")
    return {entry.name: entry for entry in vars(module).values() if isinstance(entry, Command)}
