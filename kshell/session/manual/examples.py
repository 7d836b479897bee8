"""Runs the manual's examples on a machine of their own: what they really give, and the functions that they pass."""

from __future__ import annotations

import sys
from functools import lru_cache
from types import FrameType
from typing import Final

from kshell.lens.why import Reason, kernel_function, reason
from kshell.linux.include.linux.err import KernelError
from kshell.session import events as ev
from kshell.session.manual.parse import ErrorRow
from kshell.session.session import Session

MOST_NAMES: Final = 400


class Outcome:
    """What an example gave: the last call of a name, its error's reason, and what went wrong besides."""

    __slots__ = ("call", "events", "faults", "reason", "session")

    def __init__(self, session: Session, events: list[ev.Event], name: str) -> None:
        self.session = session
        self.events = events
        calls = [e for e in events if isinstance(e, ev.CallFinished) and (e.name == name or name == "socketcall")]
        self.call = calls[-1] if calls else None
        self.faults = [e for e in events if isinstance(e, ev.Error | ev.Oops | ev.ExpectationFailed)]
        self.reason = self._reason()

    def _reason(self) -> Reason | None:
        if self.call is None or not self.call.errno:
            return None
        task = next((t for t in self.session.kernel.tasklist if t.pid == self.call.pid), None)
        error = task._last_error if task is not None else None
        return reason(error) if isinstance(error, KernelError) else None


def run(example: str, name: str) -> Outcome:
    """Run an example on a new machine; `name`: the call that it is about."""
    session = Session()
    return Outcome(session, session.run(example), name)


@lru_cache(maxsize=4096)
def origin(row: ErrorRow) -> tuple[str, str, int]:
    """Function, file and line in which a row's error arises: its example is run to find out."""
    found = run(row.example, row.call).reason
    step = found.origin if found else None
    return (step.function, step.file, step.line) if step else ("", "", 0)


@lru_cache(maxsize=64)
def functions_of(example: str, name: str) -> tuple[tuple[int, str], ...]:
    """Depth and name of the kernel functions that the last command of an example enters, in order; `name`: its call."""
    lines = example.split("\n")
    session = Session()
    session.run("\n".join(lines[:-1]))
    names: list[tuple[int, str]] = []
    depths: dict[FrameType, int] = {}

    def see(frame: FrameType, event: str, argument: object) -> None:
        name = kernel_function(frame) if event == "call" else ""
        if name and "/include/" not in frame.f_code.co_filename and frame not in depths and len(names) < MOST_NAMES:
            parent = frame.f_back
            while parent is not None and parent not in depths:
                parent = parent.f_back
            depths[frame] = depths[parent] + 1 if parent is not None else 0
            names.append((depths[frame], name))

    before = sys.getprofile()
    sys.setprofile(see)
    try:
        session.run(lines[-1])
    finally:
        sys.setprofile(before)
    return tuple(_of_call(names, name))


def _of_call(names: list[tuple[int, str]], call: str) -> list[tuple[int, str]]:
    """From the entry of a call on, up to where the kernel is left: what comes before and behind is the session's."""
    entries = (f"sys_{call}", f"compat_sys_{call}", "compat_sys_socketcall", "sys_socketcall")
    begin = next((i for i, (_, name) in enumerate(names) if name in entries), 0)
    depth = names[begin][0] if names else 0
    end = next((i for i, (d, _) in enumerate(names) if i > begin and d < depth), len(names))
    return [(d - depth, name) for d, name in names[begin:end]]
