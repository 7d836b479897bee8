"""What the processes of a strace log have open."""

from __future__ import annotations

from itertools import count
from typing import Final

from kshell.session.strace.lines import LogCall
from kshell.session.strace.nodes import Cover

STANDARD: Final = "\0standard descriptor "
"""Path of what the first process has as 0, 1 and 2, as long as the log does not say more."""


class Open:
    """An open file description of the log."""

    __slots__ = ("cover", "listing", "path", "position")

    def __init__(self, path: str) -> None:
        self.path = path
        self.cover: Cover | None = None
        self.position = 0
        self.listing = [0, 0]

    @property
    def standard(self) -> int | None:
        """The standard descriptor that this was before the log, if it is one."""
        return int(self.path[-1]) if self.path.startswith(STANDARD) else None


class Process:
    """What the log's process has open, and where it is."""

    def __init__(self, cwd: str) -> None:
        self.fds = {fd: Open(f"{STANDARD}{fd}") for fd in range(3)}
        self.cloexec: set[int] = set()
        self.reserved: dict[int, int] = {}
        self.inherited: set[int] = set()
        self.cwd = cwd

    def is_open(self, fd: int) -> bool:
        """Whether the number is taken, if only by a call that has not come back."""
        return fd in self.fds or fd in self.reserved.values()

    def reserve(self, call: LogCall) -> None:
        """accept() and open() take their number before they sleep."""
        if call.ret is not None and call.ret >= 0:
            self.reserved[call.index] = call.ret
        else:
            self.reserved[call.index] = next(fd for fd in count() if not self.is_open(fd))

    def hold(self, fd: int, opened: Open, cloexec: bool = False) -> Open:
        """`fd` is `opened` from now on."""
        self.fds[fd] = opened
        self.set_cloexec(fd, cloexec)
        return opened

    def drop(self, fd: int) -> None:
        """`fd` is closed."""
        self.fds.pop(fd, None)
        self.cloexec.discard(fd)

    def set_cloexec(self, fd: int, on: bool) -> None:
        """Whether execve() closes `fd`."""
        (self.cloexec.add if on else self.cloexec.discard)(fd)

    def copy(self) -> Process:
        """What a child has when it is made."""
        other = Process(self.cwd)
        other.fds = dict(self.fds)
        other.inherited = self.inherited
        other.cloexec = set(self.cloexec)
        return other
