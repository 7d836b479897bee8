"""Small programs in a session: those that end at once, and those that sleep while the prompt is free.

A program that may sleep (ping, nc, tcpdump) gets a task of its own, forked from init as a shell does. It goes on
whenever its call has come back: after every command, and at every event of the clock while time passes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kshell.abi.sched import WNOHANG
from kshell.session.commands import CommandError
from kshell.session.sleeping import bounded
from kshell.userland.running import Running
from kshell.userland.runtime import Process
from kshell.world.machine import MachinePanic, SyscallInProgress

if TYPE_CHECKING:
    from kshell.session.session import Session
    from kshell.session.tasks import UserTask
    from kshell.userland.runtime import Logged, Main

FOREGROUND_NS: Final = 30_000_000_000
"""Virtual time that a command waits for its program; after that the program goes on by itself."""

MOST_EVENTS: Final = 100_000
NR_EXIT_GROUP, NR_WAIT4 = 231, 61


class Job:
    """A program with its task; own: whether the task was made for it."""

    __slots__ = ("own", "running", "user")

    def __init__(self, running: Running, user: UserTask, own: bool) -> None:
        self.running = running
        self.user = user
        self.own = own

    def state(self) -> JobState:
        """What there is to know of it beside what its machine knows."""
        running = self.running
        return JobState(running.main, tuple(running.argv), self.user.name, running.process.log)


class JobState:
    """A program at a moment: begun again and given this much of its log, it is where it was."""

    __slots__ = ("argv", "length", "log", "main", "user")

    def __init__(self, main: Main, argv: tuple[str, ...], user: str, log: list[Logged]) -> None:
        self.main = main
        self.argv = argv
        self.user = user
        self.log = log
        self.length = len(log)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, JobState) and (self.argv, self.user, self.length) == (
            other.argv, other.user, other.length,
        )  # fmt: skip

    def __hash__(self) -> int:
        return hash((self.argv, self.user, self.length))


class Programs:
    """The programs that run in one session."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.jobs: list[Job] = []
        self.status = 0
        """Exit status of the program that ended last: $? of a shell."""

    # ---- beginning

    def run_here(self, main: Main, argv: list[str]) -> int:
        """Run a program that does not sleep in the current task; its exit status."""
        session = self.session
        if not session.calls_of_tasks.free(session.current):
            name = session.sleeping_call(session.current)
            raise CommandError(
                f"task {session.current.name} still sleeps in {name}()", "another task can run it: @name ..."
            )
        job = self._begin(main, argv, session.current, False)
        self._until_ended(job)
        if job.running.status is None:
            job.running.give_up()
            raise CommandError(f"{argv[0]} sleeps, which it never should")
        self.status = job.running.status
        return job.running.status

    def start(self, main: Main, argv: list[str], wait: bool = True) -> Job:
        """Run a program in a task of its own; with wait until it ends, or nothing but somebody else can wake it."""
        user = self.session.tasks.fork(self._name(argv[0]))
        job = self._begin(main, argv, user, True)
        self.jobs.append(job)
        self._until_ended(job) if wait else self.go_on()
        return job

    def _name(self, program: str) -> str:
        taken, name, number = set(self.session.tasks.names()), program, 1
        while name in taken:
            number += 1
            name = f"{program}{number}"
        return name

    def _begin(self, main: Main, argv: list[str], user: UserTask, own: bool) -> Job:
        session = self.session
        if session.kernel.panicked is not None:
            raise MachinePanic(session.kernel.panicked)
        process = Process(session.machine, user.task, user.arena, self._out, self._err)
        return Job(Running(main, argv, process), user, own)

    def _out(self, text: str) -> None:
        self.session.say(text.removesuffix("\n"))

    _err = _out

    # ---- going on

    def go_on(self) -> None:
        """Run what can run, programs and tasks, until all sleep."""
        self.session.machine.run()
        while self._step():
            self.session.machine.run()

    def _step(self) -> bool:
        moved = [job for job in self.jobs if job.running.go_on()]
        for job in [job for job in self.jobs if job.running.status is not None]:
            self.jobs.remove(job)
            self._bury(job)
        return bool(moved)

    def _until_ended(self, job: Job) -> None:
        """Let it run, and time pass while a timer or a frame on its way may wake it."""
        session, running = self.session, job.running
        end = session.now + FOREGROUND_NS
        for _ in range(MOST_EVENTS):
            session.machine.run()
            moved = running.go_on() | self._step()
            if running.status is not None:
                if job in self.jobs:
                    self.jobs.remove(job)
                    self._bury(job)
                return
            if moved:
                continue
            due = session.machine.clock.next_event()
            waits = bounded(job.user.task) or session.machine.in_flight() or self._helpers_wait(job)
            late = due is None or due - session.kernel.boot_ns > end
            if late or not waits or session.machine.run_next_event() is None:
                return

    def _helpers_wait(self, job: Job) -> bool:
        return any(bounded(other.user.task) for other in self.jobs if other is not job)

    def _bury(self, job: Job) -> None:
        """The program has ended: its task exits, and init reaps it."""
        machine, task = job.running.process.machine, job.user.task
        self.status = job.running.status or 0
        if not job.own:
            return
        if not task.exit_state and task._stack is None:
            machine.syscall(task, NR_EXIT_GROUP, ((job.running.status or 0) & 0xFF,))
        machine.syscall_beside(machine.init, NR_WAIT4, (task.pid, 0, WNOHANG, 0))

    def sleeping(self, user: UserTask) -> Job | None:
        """The program that sleeps in that task."""
        return next((job for job in self.jobs if job.user is user), None)

    # ---- moments

    def state(self) -> tuple[JobState, ...]:
        """The programs that sleep now."""
        return tuple(job.state() for job in self.jobs)

    def restore(self, states: tuple[JobState, ...]) -> None:
        """Have the programs of a moment sleep on machines that are as they were then."""
        self.jobs = []
        for state in states:
            user = self.session.hosts.named(state.user)
            assert user is not None, "a moment knows the tasks of its programs"
            assert isinstance(user.task._call, SyscallInProgress)
            machine = self.session.hosts[user.host].machine
            process = Process(machine, user.task, user.arena, self._out, self._err)
            process.feed(state.log[: state.length])
            running = Running(state.main, list(state.argv), process)
            running.go_on()
            self.jobs.append(Job(running, user, True))
