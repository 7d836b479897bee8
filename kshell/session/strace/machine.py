"""The machine of a replayed log: its tasks take signals, and die of them, when the log shows it; what random devices
give is what the log read from them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from kshell.linux.include.linux.random import Random
from kshell.world.machine import Machine, SyscallInProgress

if TYPE_CHECKING:
    from kshell.linux.include.linux.sched import task_struct


class ReplayMachine(Machine):
    """A machine that leaves chosen tasks off the CPU until they are released; hold(task) says which."""

    def __init__(self, seed: int = 0) -> None:
        self.held: list[task_struct] = []
        self.hold: Callable[[task_struct], bool] = lambda task: False
        super().__init__(seed)
        self.kernel._handlers_run = True

    def run(self) -> list[SyscallInProgress]:
        """Run every task that can run and is not to be held."""
        kernel = self.kernel
        for task in [task for task in kernel.runqueue if self.hold(task)]:
            kernel.runqueue.remove(task)
            self.held.append(task)
        return super().run()

    def release(self, task: task_struct) -> None:
        """Let a held task run: now is its time in the log."""
        if task in self.held:
            hold, self.hold = self.hold, lambda other: other is not task and hold(other)
            self.held.remove(task)
            self.kernel.runqueue.append(task)
            try:
                self.run()
            finally:
                self.hold = hold

    def enter(self, task: task_struct) -> None:
        """The task makes a call before it looks at its signals: it will look when the call is over."""
        if task in self.held and task._syscall is None and task._stack is not None:
            self.held.remove(task)
            task._stack.close()
            task._stack = None


class RecordedRandom(Random):
    """Gives the recorded bytes first."""

    def __init__(self, data: bytes) -> None:
        self.seed(0)
        self.data = data

    def randbytes(self, n: int) -> bytes:
        taken, self.data = self.data[:n], self.data[n:]
        return taken + super().randbytes(n - len(taken))
