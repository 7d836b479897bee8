"""What commands do to machines, below the language: the tape that a machine is made again from.

A command is text, but what it does to the machine is little: system calls with their registers, bytes put into user
memory before them, runs of what can run, time that passes. A `TapedMachine` writes these down as they happen; `play`
does them again on another machine. Nothing is parsed, decoded or shown on the way, which is most of what a command
costs, so a tape plays several times as fast as its commands run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from kshell.linux.include.linux.sched import PIDTYPE_PID
from kshell.world.arena import Arena
from kshell.world.machine import Machine, MachinePanic, SyscallInProgress

if TYPE_CHECKING:
    from typing import Any

    from kshell.linux.include.linux.sched import task_struct
    from kshell.linux.init.kernel import Kernel
    from kshell.world.clock import VirtualClock
    from kshell.world.hosts import World

CALL: Final = 0  # (host, pid, number, registers, compat)
STORE: Final = 1  # (host, pid, address, bytes)
MAP: Final = 2  # (host, pid, address, length)
RUN: Final = 3  # (host,)
NEXT: Final = 4  # (host,)
UNTIL: Final = 5  # (host, nanoseconds)
BESIDE: Final = 6  # (host, pid, number, registers)
SIGNAL: Final = 7  # (host, pid, signal)
WORLD: Final = 8  # ("", what, values): as World.do

_MEMORY: Final = frozenset({STORE, MAP})

Op = tuple["Any", ...]
"""Kind, host, and what the kind says in brackets above."""


class Tape:
    """What has been done since it was last cut. While `closed`, nothing is written.

    by_text: it does not tell all that the command did, so that its text has to be run again instead.
    moves: how often anything was done that may have changed the kernel's objects.
    """

    __slots__ = ("by_text", "closed", "moves", "ops")

    def __init__(self) -> None:
        self.ops: list[Op] = []
        self.moves = 0
        self.by_text = False
        self.closed = False

    def write(self, kind: int, *values: object) -> None:
        """Note one thing done."""
        if kind not in _MEMORY:
            self.moves += 1
        if not self.closed:
            self.ops.append((kind, *values))

    def cut(self) -> tuple[Op, ...]:
        """What has been written, which is taken off."""
        ops = tuple(self.ops)
        self.ops.clear()
        return ops


class TapedMachine(Machine):
    """A machine that writes down what is done to it; `host` is its name in a session of several."""

    tape: Tape | None = None
    host = ""

    def __init__(self, seed: int = 0, clock: VirtualClock | None = None, tape: Tape | None = None, host: str = ""):
        super().__init__(seed, clock)
        self.host = host
        self.tape = tape

    def syscall(
        self, task: task_struct, number: int, args: tuple[int, ...] = (), compat: bool = False
    ) -> int | SyscallInProgress:
        """As Machine.syscall."""
        if self.tape is not None:
            self.tape.write(CALL, self.host, task.pid, number, args, compat)
        return super().syscall(task, number, args, compat)

    def syscall_beside(
        self, task: task_struct, number: int, args: tuple[int, ...] = ()
    ) -> int | SyscallInProgress:
        """As Machine.syscall_beside."""
        if self.tape is None:
            return super().syscall_beside(task, number, args)
        self.tape.write(BESIDE, self.host, task.pid, number, args)
        with _Within(self.tape):
            return super().syscall_beside(task, number, args)

    def send_signal(self, task: task_struct, signo: int) -> None:
        """As Machine.send_signal."""
        if self.tape is None:
            return super().send_signal(task, signo)
        self.tape.write(SIGNAL, self.host, task.pid, signo)
        with _Within(self.tape):
            return super().send_signal(task, signo)

    def run(self) -> list[SyscallInProgress]:
        """As Machine.run; a run with nothing to do does nothing, and is not noted."""
        if self.world is None and not self.kernel.runqueue:
            return []
        if self.tape is None or not self.busy():
            return super().run()
        self.tape.write(RUN, self.host)
        with _Within(self.tape):
            return super().run()

    def run_next_event(self) -> list[SyscallInProgress] | None:
        """As Machine.run_next_event."""
        if self.tape is None:
            return super().run_next_event()
        self.tape.write(NEXT, self.host)
        with _Within(self.tape):
            return super().run_next_event()

    def run_until(self, when: int) -> list[SyscallInProgress]:
        """As Machine.run_until."""
        if self.tape is None:
            return super().run_until(when)
        self.tape.write(UNTIL, self.host, when)
        with _Within(self.tape):
            return super().run_until(when)

    def arena(self, task: task_struct) -> Arena:
        """Memory for commands in a task; what is put there is written down."""
        return TapedArena(task, self)


class TapedArena(Arena):
    """An arena that writes down what is put into it."""

    __slots__ = ("_machine",)

    def __init__(self, task: task_struct, machine: TapedMachine) -> None:
        super().__init__(task)
        self._machine = machine

    def store(self, address: int, data: bytes) -> None:
        """As Arena.store."""
        tape = self._machine.tape
        if tape is not None:
            tape.write(STORE, self._machine.host, self.task.pid, address, data)
        super().store(address, data)

    def map(self, address: int, length: int) -> None:
        """As Arena.map."""
        tape = self._machine.tape
        if tape is not None:
            tape.write(MAP, self._machine.host, self.task.pid, address, length)
        super().map(address, length)


class _Within:
    """While it lasts, what happens is part of what has been written down already."""

    __slots__ = ("_before", "_tape")

    def __init__(self, tape: Tape) -> None:
        self._tape = tape
        self._before = tape.closed

    def __enter__(self) -> None:
        self._tape.closed = True

    def __exit__(self, *error: object) -> None:
        self._tape.closed = self._before


def task_of(kernel: Kernel, pid: int) -> task_struct | None:
    """The task with that pid; None if there is none."""
    found = kernel.init_pid_ns.idr.get(pid)
    tasks = found.tasks[PIDTYPE_PID] if found is not None else ()
    return tasks[0] if tasks else None


def world_of(machines: dict[str, Machine]) -> World:
    """The world that machines are part of, made around the first if it was alone."""
    from kshell.world.hosts import World

    first = machines[""]
    if first.world is None:
        kind = type(first)

        def make(name: str, seed: int) -> Machine:
            if issubclass(kind, TapedMachine):
                return kind(seed, first.clock, None, name)
            return kind(seed, first.clock)

        World(machines, make, first.seed)
    assert first.world is not None
    return first.world


def play(ops: Iterable[Op], machines: dict[str, Machine]) -> None:
    """Do what a tape says to machines that are as they were when it was written.

    What went wrong inside a machine then goes wrong again, and is passed over as it was then.
    """
    for op in ops:
        with suppress(MachinePanic, Exception):
            if op[0] == WORLD:
                world_of(machines).do(*op[2:])
            else:
                _DOES[op[0]](machines[op[1]], *op[2:])


def _call(machine: Machine, pid: int, number: int, registers: tuple[int, ...], compat: bool) -> None:
    machine.syscall(_task(machine, pid), number, registers, compat)


def _store(machine: Machine, pid: int, address: int, data: bytes) -> None:
    mm = _task(machine, pid).mm
    if mm is not None:
        mm.write(address, data)


def _map(machine: Machine, pid: int, address: int, length: int) -> None:
    mm = _task(machine, pid).mm
    if mm is not None:
        mm.map(address, length)


def _task(machine: Machine, pid: int) -> task_struct:
    task = task_of(machine.kernel, pid)
    if task is None:
        raise LookupError(f"no task {pid}")
    return task


_DOES: Final[tuple[Callable[..., object], ...]] = (
    _call,
    _store,
    _map,
    lambda machine: machine.run(),
    lambda machine: machine.run_next_event(),
    lambda machine, when: machine.run_until(when),
    lambda machine, pid, number, registers: machine.syscall_beside(_task(machine, pid), number, registers),
    lambda machine, pid, signo: machine.send_signal(_task(machine, pid), signo),
)
"""What each kind of entry does again, by number."""
