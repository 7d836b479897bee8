"""A session whose machine is being booted: breakpoints stop in initcalls, before there are any tasks to speak for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from kshell.session.calls import Calls
from kshell.session.instruments import Instruments
from kshell.session.session import AtStop, Session
from kshell.session.tape import TapedMachine

if TYPE_CHECKING:
    from kshell.lang.numbers import Buffer
    from kshell.linux.include.linux.sched import task_struct
    from kshell.linux.init.kernel import Kernel
    from kshell.world.machine import Machine


class _BootTask:
    """Who speaks while the kernel boots."""

    name = "boot"
    host = ""
    dead = False

    def __init__(self, task: task_struct) -> None:
        self.task = task
        self.buffers: Mapping[str, Buffer] = {}


class _BootTasks:
    """The tasks that commands can speak for: only the boot itself."""

    def __init__(self, kernel: Kernel) -> None:
        self.init = _BootTask(kernel.current)

    def __iter__(self) -> Iterator[_BootTask]:
        return iter((self.init,))

    def get(self, name: str) -> None:
        """There are none."""

    def by_pid(self, text: str) -> None:
        """There are none."""

    def names(self) -> list[str]:
        """There are none."""
        return []

    def name_of(self, task: task_struct) -> str:
        """There are none."""
        return ""


class _BootMachine:
    """A machine that is being switched on."""

    world = None

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel


class _BootHost:
    """The host that is being switched on, and the only one."""

    name = ""

    def __init__(self, kernel: Kernel) -> None:
        self.machine = _BootMachine(kernel)
        self.tasks = _BootTasks(kernel)
        self.first = self

    def __iter__(self) -> Iterator[_BootHost]:
        return iter((self,))

    def __getitem__(self, name: str) -> _BootHost:
        return self


class BootingSession(Session):
    """A session that stops while it boots. breaks: arguments of `break`; at_stop: reads the debugger's commands."""

    def __init__(self, seed: int, breaks: list[str], at_stop: AtStop) -> None:
        self._breaks = breaks
        self._reader = at_stop
        super().__init__(seed=seed)

    def boot(self) -> dict[str, Machine]:
        """The machine, booted under the debugger."""
        from kshell.session.commands.debugging import do_break

        self.instruments = Instruments(self)
        self.at_stop = self._reader
        self.timeline.rooted = False
        debugger = self.instruments.debugging()
        debugger.prepare = self._prepare
        for text in self._breaks:
            do_break.run(self, text)
        debugger.debugger.arm()
        try:
            return {"": TapedMachine(seed=self.seed)}
        finally:
            debugger.debugger.disarm()
            self.timeline.rooted = True

    @property
    def now(self) -> int:
        """Virtual time in nanoseconds since boot, 0 while there is no kernel."""
        return super().now if hasattr(self, "hosts") else 0

    def _prepare(self, kernel: Kernel) -> None:
        """Look at the kernel that is stopped, as far as it is there."""
        if not self.machines:
            self.hosts = _BootHost(kernel)  # type: ignore[assignment]
            self.calls_of_tasks = Calls(self)
            self.current = self.hosts.first.tasks.init
