"""What a small program stands on: system calls by name, with Python values put into the task's memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.syscalls import BY_NAME

if TYPE_CHECKING:
    from kshell.linux.include.linux.sched import task_struct
    from kshell.world.arena import Arena
    from kshell.world.machine import Machine

AT_FDCWD = -100


class ProgramError(Exception):
    """What a program would print on standard error."""


class SystemCallError(ProgramError):
    """A call failed; errno is positive."""

    def __init__(self, errno: int, what: str) -> None:
        super().__init__(what)
        self.errno = errno


class Process:
    """A task that makes calls one after another. A call that sleeps ends the program: these never should."""

    def __init__(self, machine: Machine, task: task_struct, arena: Arena) -> None:
        self.machine = machine
        self.task = task
        self.arena = arena

    def call(self, name: str, *arguments: int | bytes | str) -> int:
        """The result of a system call; SystemCallError if it failed. Strings get a NUL behind them."""
        values = tuple(self._value(argument) for argument in arguments)
        outcome = self.machine.syscall(self.task, BY_NAME[name].number, values)
        if isinstance(outcome, int):
            result = outcome
        else:
            self.machine.run()
            if not outcome.done or outcome.result is None:
                raise ProgramError(f"{name} does not come back")
            result = outcome.result
        if result < 0:
            raise SystemCallError(-result, f"{self._about(arguments)}{_message(-result)}")
        return result

    def buffer(self, size: int) -> int:
        """Address of `size` free bytes."""
        return self.arena.take(size)

    def memory(self, address: int, size: int) -> bytes:
        """Bytes of the task's memory."""
        assert self.task.mm is not None
        return self.task.mm.read(address, size)

    def _value(self, argument: int | bytes | str) -> int:
        if isinstance(argument, int):
            return argument & 0xFFFFFFFFFFFFFFFF
        data = argument if isinstance(argument, bytes) else argument.encode() + b"\0"
        return self.arena.put(data)

    def _about(self, arguments: tuple[int | bytes | str, ...]) -> str:
        path = next((a for a in arguments if isinstance(a, str)), "")
        return f"{path}: " if path else ""


def _message(errno: int) -> str:
    from os import strerror

    return strerror(errno)
