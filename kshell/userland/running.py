"""Running programs: each a coroutine that is parked while its call sleeps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from kshell.userland.runtime import Asleep, Killed, Process, ProgramError, UsageError

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from kshell.userland.runtime import Main
    from kshell.world.machine import SyscallInProgress

SIGKILL_STATUS = 128 + 9


async def status_of(main: Main, process: Process, argv: list[str]) -> int:
    """Run a program to its end: its exit status; what goes wrong is said as a program does."""
    try:
        return await main(process, argv)
    except UsageError as error:
        process.complain(str(error))
        return error.status
    except ProgramError as error:
        if str(error):
            process.complain(f"{argv[0]}: {error}")
        return error.status


class Running:
    """A program that runs or has ended. status: its exit status, None while it runs."""

    __slots__ = ("_stack", "argv", "main", "process", "status", "waits_for")

    def __init__(self, main: Main, argv: list[str], process: Process) -> None:
        self.main = main
        self.argv = argv
        self.process = process
        self.status: int | None = None
        self.waits_for: SyscallInProgress | None = None
        self._stack = cast("Coroutine[Any, None, int]", status_of(main, process, argv))

    def go_on(self) -> bool:
        """Run it until it sleeps or ends; whether it moved at all."""
        if self.status is not None or (self.waits_for is not None and not self.waits_for.done):
            return False
        self.waits_for = None
        try:
            asleep = self._stack.send(None)
            assert isinstance(asleep, Asleep)
            self.waits_for = asleep.progress
        except StopIteration as stop:
            self.status = stop.value
        except Killed:
            self.status = SIGKILL_STATUS
        return True

    def give_up(self) -> None:
        """Nobody waits for it any more: its stack goes."""
        self._stack.close()
        if self.status is None:
            self.status = SIGKILL_STATUS
