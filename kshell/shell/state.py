"""A session as completion sees it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from kshell.lang.errors import LangError
from kshell.lens.names import describe
from kshell.lens.objects import open_files
from kshell.session.commands import CommandError
from kshell.session.commands.looking import what_is

if TYPE_CHECKING:
    from kshell.session.session import Session


class SessionState:
    """Implements completion.State over a session; reads only, so that typing never changes the machine."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def calls(self) -> Iterable[str]:
        """The system calls that the kernel has."""
        return sorted(self.session.implemented() & self.session.calls().keys())

    def commands(self) -> Iterable[tuple[str, str]]:
        """Every command with its summary."""
        return [(entry.name, entry.summary) for entry in self.session.registry]

    def descriptors(self) -> Iterable[tuple[int, str]]:
        """The open descriptors of the current task."""
        return [(fd, what_is(file)) for fd, file in open_files(self.session.task.files)]

    def variables(self) -> Iterable[tuple[str, str]]:
        """The session's variables."""
        values = self.session.calls_of_tasks.variables.items()
        return [(name, describe(value)) for name, value in values]

    def tasks(self) -> Iterable[str]:
        """The session's tasks."""
        return self.session.tasks.names()

    def paths(self, directory: str) -> Iterable[str]:
        """Names below a directory, by the dentries that are known: no call is made."""
        dentry: object = self.session.task.fs.root.dentry
        for name in directory.split("/"):
            if name and name != ".":
                found = [child for child in _children(dentry) if _name(child) == name]
                if not found:
                    return []
                dentry = found[0]
        return sorted(_name(child) for child in _children(dentry))

    def fields(self, expression: str) -> Iterable[tuple[str, str]]:
        """The fields of the object that an expression gives."""
        try:
            value = self.session.evaluate(expression)
        except (CommandError, LangError):
            return []
        names = [n for cls in type(value).__mro__ for n in getattr(cls, "__slots__", ())]
        shown = [n for n in names if not n.startswith("_")]
        return [(n, describe(getattr(value, n, None))) for n in shown]


def _children(dentry: object) -> list[object]:
    children = getattr(dentry, "d_subdirs", None) or ()
    return [c for c in children if getattr(c, "d_inode", None) is not None]


def _name(dentry: object) -> str:
    raw = getattr(getattr(dentry, "d_name", None), "name", b"")
    return raw.decode("utf-8", "replace") if isinstance(raw, bytes) else str(raw)
