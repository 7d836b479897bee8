"""One computer: a booted kernel, its tasks, and the driver that runs their calls."""

from __future__ import annotations

import struct
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Final

from kshell.abi.ioctl import SIOCSIFFLAGS
from kshell.abi.netdevice import IFF_UP
from kshell.abi.socket import AF_INET, SOCK_DGRAM
from kshell.abi.syscalls import BY_NAME
from kshell.linux.arch.x86.entry.common import (
    do_int80_syscall_32,
    do_syscall_64,
    exit_to_user_mode_prepare,
)
from kshell.linux.include.linux.mm_types import PAGE_SIZE
from kshell.linux.include.linux.sched import TASK_RUNNING, task_struct
from kshell.linux.init.kernel import Kernel
from kshell.linux.init.main import start_kernel
from kshell.linux.kernel.exit import TaskDead
from kshell.linux.kernel.module.main import _find_module_file, load_module
from kshell.linux.kernel.rcu.tree import rcu_core
from kshell.linux.kernel.sched.core import _enqueue
from kshell.linux.kernel.signal import send_sig
from kshell.world.arena import Arena
from kshell.world.clock import VirtualClock

if TYPE_CHECKING:
    from kshell.world.hosts import World

EPOCH_NS: Final = 1_686_355_200_000_000_000  # 2023-06-10, the day of Debian 12
SCRATCH: Final = 0x10000  # user memory that init uses at start
MAX_STEPS: Final = 1_000_000  # switches in one run(): more means tasks that wake each other for ever
LOCALHOST: Final = "localhost"  # what commands call the first host, whose key in World.machines is ""

Stack = Coroutine[object, None, int]


class MachinePanic(Exception):
    """The kernel has stopped for good; str() is why."""


class WorldError(Exception):
    """What is asked of a world of machines cannot be: str() is why, `hint` what to try."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class _NoResult:
    """Why a call that was run has no result: it sleeps, or the task is dead."""


_ASLEEP, _DEAD = _NoResult(), _NoResult()


class SyscallInProgress:
    """A system call that sleeps, or has ended since.

    result: what the kernel put into rax, None while it sleeps and when the call does not return
    (exit, or a signal that killed the task).
    """

    __slots__ = ("args", "done", "number", "result", "task")

    def __init__(self, task: task_struct, number: int, args: tuple[int, ...]) -> None:
        self.task = task
        self.number = number
        self.args = args
        self.done = False
        self.result: int | None = None

    def __repr__(self) -> str:
        state = f"= {self.result}" if self.done else "sleeps"
        return f"<system call {self.number} of pid {self.task.pid} {state}>"


class Machine:
    """A computer with one CPU and the Linux 6.1 of this package.

    seed: of all its random numbers. clock: shared by the machines of one world; its own by default.
    """

    world: World | None = None
    """What it is part of, if it is one of several machines."""

    def __init__(self, seed: int = 0, clock: VirtualClock | None = None) -> None:
        self.seed = seed
        self.clock = clock or VirtualClock()
        self.kernel = Kernel(self.clock, seed, EPOCH_NS)
        self.kernel.kick_user_mode = self._interrupt
        self.kernel.usermodehelper = self._usermodehelper
        start_kernel(self.kernel)
        self.run()
        init = self.kernel.init_pid_ns.child_reaper
        assert init is not None
        self.init = init
        self._bring_up_loopback()

    def __repr__(self) -> str:
        return f"<Machine, seed {self.seed}, {len(self.kernel.tasklist)} tasks, {self.clock.now / 1e9:.6f} s since boot>"

    def _bring_up_loopback(self) -> None:
        """What every init program does first: `ip link set lo up`, by ioctl."""
        mm = self.init.mm
        assert mm is not None
        mm.map(SCRATCH, PAGE_SIZE)
        fd = self.syscall(self.init, BY_NAME["socket"].number, (AF_INET, SOCK_DGRAM, 0))
        assert isinstance(fd, int)
        mm.write(SCRATCH, struct.pack("<16sh", b"lo", IFF_UP))
        self.syscall(self.init, BY_NAME["ioctl"].number, (fd, SIOCSIFFLAGS, SCRATCH))
        self.syscall(self.init, BY_NAME["close"].number, (fd,))
        mm.unmap(SCRATCH)

    def _usermodehelper(self, argv: tuple[str, ...]) -> int:
        """A program that the kernel runs: modprobe, which loads what it finds by that name; its exit code."""
        file = _find_module_file(self.kernel, argv[-1])
        if file is None:
            return 1
        if file.name not in self.kernel.modules:
            load_module(self.kernel, file)
        return 0

    def syscall(
        self, task: task_struct, number: int, args: tuple[int, ...] = (), compat: bool = False
    ) -> int | SyscallInProgress:
        """Have task make a system call with register values args: the value of rax (negative errno), or the
        sleeping call. compat: through int 0x80, with i386 numbers and structs.

        ValueError: task sleeps in a call, or is dead. MachinePanic: the kernel has stopped.
        """
        kernel = self.kernel
        if kernel.panicked is not None:
            raise MachinePanic(kernel.panicked)
        if task._stack is not None or task._syscall is not None or task.exit_state:
            raise ValueError(f"task {task.pid} is not in user space")
        kernel.current = task
        try:
            result = do_int80_syscall_32(task, number, args) if compat else do_syscall_64(task, number, args)
        finally:
            kernel.current = kernel.init_task
        if isinstance(result, int):
            if kernel.rcu_callbacks:
                rcu_core(kernel)
            return result
        outcome = self._step(task, result)
        if isinstance(outcome, int):
            return outcome
        call = SyscallInProgress(task, number, args)
        if outcome is _ASLEEP:
            task._call = call
        else:
            call.done = True
        return call

    def syscall_beside(self, task: task_struct, number: int, args: tuple[int, ...] = ()) -> int | SyscallInProgress:
        """Have a second thread of the task make a call: what the task itself does, asleep perhaps, is left as it is."""
        saved = (task._stack, task._syscall, task._call, task.state)
        task._stack = task._syscall = task._call = None
        try:
            return self.syscall(task, number, args)
        finally:
            task._stack, task._syscall, task._call, task.state = saved

    def send_signal(self, task: task_struct, signo: int) -> None:
        """Send a signal as the terminal does, and run whom it wakes."""
        send_sig(signo, task, 1)
        self.run()

    def arena(self, task: task_struct) -> Arena:
        """Memory for what commands name, in the address space of a task."""
        return Arena(task)

    def run(self) -> list[SyscallInProgress]:
        """Run every task that can run, without letting time pass; the calls that ended, in order.

        In a world of several machines, those of all of them, and the frames that are due.
        """
        return self.run_own() if self.world is None else self.world.run()

    def busy(self) -> bool:
        """Whether run() has anything to do."""
        return bool(self.kernel.runqueue) if self.world is None else self.world.busy()

    def in_flight(self) -> int:
        """Frames on their way between the machines of its world."""
        return self.world.in_flight() if self.world is not None else 0

    def settle(self) -> None:
        """Do what is put off until nothing runs."""
        if self.kernel.rcu_callbacks:
            rcu_core(self.kernel)

    def run_own(self) -> list[SyscallInProgress]:
        """Run every task of this machine that can run."""
        ended: list[SyscallInProgress] = []
        kernel = self.kernel
        for _ in range(MAX_STEPS):
            if not kernel.runqueue:
                break
            task = kernel.runqueue.popleft()
            stack = task._stack
            if stack is not None:
                call = self._resume(task, stack)
                if call is not None:
                    ended.append(call)
        return ended

    def run_next_event(self) -> list[SyscallInProgress] | None:
        """Jump to the next event of the clock and run what it wakes: the calls that ended, None when nothing is due."""
        if not self.clock.run_next():
            return None
        return self.run()

    def run_for(self, ns: int) -> list[SyscallInProgress]:
        """Let ns of virtual time pass; the calls that ended meanwhile."""
        return self.run_until(self.clock.now + ns)

    def run_until(self, when: int) -> list[SyscallInProgress]:
        """Let virtual time pass up to when (ns); the calls that ended meanwhile."""
        ended = self.run()
        while (due := self.clock.next_event()) is not None and due <= when:
            self.clock.run_next()
            ended += self.run()
        self.clock.now = max(self.clock.now, when)
        return ended

    def _resume(self, task: task_struct, stack: Stack) -> SyscallInProgress | None:
        """Run a task's call until it sleeps or ends; the call when it ended."""
        outcome = self._step(task, stack)
        if outcome is _ASLEEP:
            return None
        call, task._call = task._call, None
        if not isinstance(call, SyscallInProgress):
            return None
        call.done = True
        call.result = outcome if isinstance(outcome, int) else None
        return call

    def _step(self, task: task_struct, stack: Stack) -> int | _NoResult:
        """Run a task's call until it sleeps or ends: its result if it has one."""
        kernel = self.kernel
        kernel.current = task
        task._stack = None
        task.state = TASK_RUNNING
        try:
            stack.send(None)
        except StopIteration as stop:
            result: int = stop.value
            return result
        except TaskDead:
            task._syscall = None
            return _DEAD
        except BaseException:
            task._syscall = task._call = None
            raise
        finally:
            kernel.current = kernel.init_task
            if kernel.rcu_callbacks:
                rcu_core(kernel)
        task._stack = stack
        return _ASLEEP

    def _interrupt(self, task: task_struct) -> None:
        """Have a task that runs in user space look at its signals."""
        if task is self.kernel.current or task._stack is not None or task._syscall is not None or task.exit_state:
            return
        task._stack = _look_at_signals(task)
        _enqueue(task)


async def _look_at_signals(task: task_struct) -> int:
    restart = exit_to_user_mode_prepare(task, 0)
    if not isinstance(restart, bool):
        await restart
    return 0
