"""Which cause of the manual a failure has: the row whose example fails in the same place."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from kshell.session.manual import page
from kshell.session.manual.examples import origin

if TYPE_CHECKING:
    from kshell.session.manual.parse import ErrorRow
    from kshell.session.reasons.failure import Failure

_NAME: Final = re.compile(r"[A-Za-z_]\w+")
SIBLINGS: Final = (
    ("accept", "accept4"),
    ("read", "readv", "recv", "recvfrom", "recvmsg", "recvmmsg", "splice", "preadv2", "pread64"),
    ("write", "writev", "send", "sendto", "sendmsg", "sendmmsg", "splice", "sendfile", "pwritev2", "pwrite64"),
    ("mkdir", "rmdir", "open", "openat", "creat", "stat", "access", "unlink", "rename", "link", "readlink", "mknod",
     "chdir", "chroot", "chmod", "chown", "truncate", "mount", "umount2", "statfs"),
)  # fmt: skip
"""Calls that come to the same functions, so that a cause of one is one of the others; of paths, the most general first."""


def rows_of(failure: Failure) -> list[ErrorRow]:
    """The causes that fit, the best first: those that arise in the same line, then in the same function; of these,
    those whose example is most like the call.

    Looking costs running the examples of this error of this call.
    """
    own = _rows(failure.call.name, failure.errno)
    return _fitting(failure, own) or _fitting(failure, _of_siblings(failure)) or _about_memory(failure, own)


def _about_memory(failure: Failure, rows: list[ErrorRow]) -> list[ErrorRow]:
    """EFAULT means the same wherever it arises; which argument it is about is known if a call has but one cause of it."""
    return rows if failure.errno == "EFAULT" and len(rows) == 1 else []


def _rows(call: str, errno: str) -> list[ErrorRow]:
    found = page(call)
    return [row for row in found.errors if row.errno == errno] if found else []


def _of_siblings(failure: Failure) -> list[ErrorRow]:
    """What the others' pages say; what they do about it by a call of their own is nothing for this one."""
    return [
        row.replace(steps=tuple(step for step in row.steps if not step.text.startswith(f"{name}(")))
        for group in SIBLINGS
        if failure.call.name in group
        for name in group
        if name != failure.call.name
        for row in _rows(name, failure.errno)
    ]


def _fitting(failure: Failure, rows: list[ErrorRow]) -> list[ErrorRow]:
    step = failure.reason.origin if failure.reason is not None else None
    if step is None:
        return rows[:1]
    here = (step.function, step.file, step.line)
    words = _words(failure.call.text)
    ranked = [
        ((origin(row) != here, -len(words & _words(row.example.rsplit("\n", 1)[-1]))), row)
        for row in rows
        if origin(row)[0] == step.function
    ]
    return [row for _, row in sorted(ranked, key=lambda pair: pair[0])]


def _words(text: str) -> set[str]:
    """The names in a call: causes that arise in one place are told apart by the constants that are used."""
    return set(_NAME.findall(text))
