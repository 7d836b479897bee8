"""What could be tried next, a tip now and then; `set tips off` ends it."""

from __future__ import annotations

from typing import Final

TIPS: Final = (
    "Tab completes; ? after anything explains it, socket?",
    "fd = socket(AF_INET, SOCK_STREAM, 0) keeps the descriptor as fd",
    "why says where the last error came from, undo takes a command back",
    "an expression is printed: current->files->fd_array[3]",
    "@client connect(...) runs a call in another task",
    "Ctrl-R searches what was typed before, in any session",
    "help language: everything that can be typed",
    'write(fd, "hi", 2) = 2 says what it must give, and is checked',
    "kshell config writes a file of settings; set shows them",
)


def tip(number: int) -> str:
    """The tip for command `number`: one in three commands has none."""
    index, rest = divmod(number - 1, 2)
    return TIPS[index] if not rest and index < len(TIPS) else ""
