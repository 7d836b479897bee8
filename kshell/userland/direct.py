"""System calls by name, one after another, for what prepares a machine; programs that may sleep have runtime.Process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.syscalls import BY_NAME
from kshell.userland.runtime import AT_FDCWD, ProgramError, SystemCallError, raw

if TYPE_CHECKING:
    from kshell.linux.include.linux.sched import task_struct
    from kshell.world.arena import Arena
    from kshell.world.machine import Machine


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
            raise SystemCallError(-result, next((a for a in arguments if isinstance(a, str)), ""))
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
        data = argument if isinstance(argument, bytes) else raw(argument) + b"\0"
        return self.arena.put(data)


__all__ = ["AT_FDCWD", "SystemCallError"]
