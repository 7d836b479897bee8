"""Ctrl-C: the terminal sends SIGINT to a task that sleeps in a call, and the call comes back with EINTR.

A task that leaves SIGINT at its default would be killed by it (and init never hears of it), as `kill(PID, SIGINT)`
shows. At the prompt the tasks are programs that a person talks to: as an interactive shell does, they catch SIGINT
while they sleep, with a handler that returns at once and without SA_RESTART.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from kshell.abi.signal import SIGINT
from kshell.session.commands import CommandError

if TYPE_CHECKING:
    from kshell.session.session import Session
    from kshell.session.tasks import UserTask

NR_RT_SIGACTION = 13
HANDLER = 0x401000
SIZE_OF_SIGACTION = 32
SIZE_OF_SIGSET = 8


def interrupt(session: Session, user: UserTask) -> None:
    """Send SIGINT to a task that sleeps in a call, which catches it; CommandError if it does not sleep."""
    of_program = session.jobs is not None and session.jobs.sleeping(user) is not None
    if user.task not in session.calls_of_tasks.pending and not of_program:
        raise CommandError(f"task {user.name} sleeps in no call", "kill(PID, SIGINT) sends the signal all the same")
    with _catching(session, user):
        session.machine.send_signal(user.task, SIGINT)
        session.calls_of_tasks.collect()
    session.run_ready()


@contextmanager
def _catching(session: Session, user: UserTask) -> Iterator[None]:
    """SIGINT has a handler meanwhile, if it has none."""
    before = _sigaction(session, user, None)
    if struct.unpack_from("<Q", before)[0] != 0:
        yield
        return
    _sigaction(session, user, struct.pack("<QQQQ", HANDLER, 0, 0, 0))
    try:
        yield
    finally:
        if not user.dead:
            _sigaction(session, user, before)


def _sigaction(session: Session, user: UserTask, new: bytes | None) -> bytes:
    """rt_sigaction(SIGINT, new, old, 8), by a second thread of the task: the sleeping one is left as it is."""
    address = user.arena.put((new or b"").ljust(2 * SIZE_OF_SIGACTION, b"\0"))
    arguments = (SIGINT, address if new is not None else 0, address + SIZE_OF_SIGACTION, SIZE_OF_SIGSET)
    session.machine.syscall_beside(user.task, NR_RT_SIGACTION, arguments)
    assert user.task.mm is not None
    return bytes(user.task.mm.read(address + SIZE_OF_SIGACTION, SIZE_OF_SIGACTION))
