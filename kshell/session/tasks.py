"""The tasks of a session by name. A new one is forked from init, by the system call."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from kshell.abi.sched import PR_SET_NAME
from kshell.session.commands import CommandError
from kshell.session.tape import task_of

if TYPE_CHECKING:
    from kshell.lang.numbers import Buffer
    from kshell.linux.include.linux.sched import task_struct
    from kshell.world.arena import Arena
    from kshell.world.machine import Machine

UserState = tuple[str, int, tuple[int, int], "Mapping[str, Buffer]"]
"""Name, pid, extent of its arena, buffers by name."""

NR_FORK = 57
NR_PRCTL = 157


class UserTask:
    """A task that commands can speak for."""

    __slots__ = ("arena", "buffers", "host", "name", "task")

    def __init__(self, name: str, task: task_struct, arena: Arena, host: str = "") -> None:
        self.name = name
        self.host = host
        self.task = task
        self.arena = arena
        self.buffers: Mapping[str, Buffer] = {}
        """Buffers by name; a new one makes a new mapping, since moments keep them."""

    @property
    def dead(self) -> bool:
        return bool(self.task.exit_state)


class Tasks:
    """UserTasks of one host by name. On a host with a name a task's full name is `host/task`, its init's `host`."""

    def __init__(self, machine: Machine, host: str = "") -> None:
        self.machine = machine
        self.host = host
        self.init = self._new("init", machine.init)
        self._by_name = {"init": self.init}

    def __iter__(self) -> Iterator[UserTask]:
        return iter(self._by_name.values())

    def get(self, name: str) -> UserTask | None:
        return self._by_name.get(name)

    def names(self) -> list[str]:
        return list(self._by_name)

    def by_pid(self, text: str) -> UserTask | None:
        """The task with that pid, given a name if it has none yet."""
        for task in self.machine.kernel.tasklist:
            if str(task.pid) == text and task.mm is not None:
                return self.adopt(task)
        return None

    def adopt(self, task: task_struct) -> UserTask:
        """The UserTask of a task that some call made; its name is its pid unless it has one."""
        for user in self._by_name.values():
            if user.task is task:
                return user
        return self.add(str(task.pid), task)

    def add(self, name: str, task: task_struct) -> UserTask:
        """Let commands speak for a task by that name."""
        user = self._by_name[name] = self._new(name, task)
        return user

    def _new(self, name: str, task: task_struct) -> UserTask:
        if self.host:
            name = self.host if name == "init" else f"{self.host}/{name}"
        return UserTask(name, task, self.machine.arena(task), self.host)

    def name_of(self, task: task_struct) -> str:
        return next((user.name for user in self._by_name.values() if user.task is task), "")

    def name_of_pid(self, pid: int) -> str:
        return next((user.name for user in self._by_name.values() if user.task.pid == pid), str(pid))

    def fork(self, name: str) -> UserTask:
        """A new task: init calls fork(), the child is called `name`."""
        if not name.isidentifier():
            raise CommandError(f"{name!r} is no name for a task", "letters, digits and _, or a pid")
        pid = self.machine.syscall_beside(self.init.task, NR_FORK)
        if not isinstance(pid, int) or pid < 0:
            raise CommandError(f"init's fork() failed with {pid}")
        child = next(task for task in self.machine.kernel.tasklist if task.pid == pid)
        user = self.add(name, child)
        self._call_it(user, name)
        return user

    def _call_it(self, user: UserTask, name: str) -> None:
        address = user.arena.put(name.encode()[:15] + b"\0")
        self.machine.syscall(user.task, NR_PRCTL, (PR_SET_NAME, address, 0, 0, 0))
        user.arena.release()

    def state(self) -> tuple[UserState, ...]:
        """What there is to know of the tasks beside what their machine knows."""
        return tuple([(name, u.task.pid, u.arena.extent, u.buffers) for name, u in self._by_name.items()])

    def restore(self, state: tuple[UserState, ...]) -> None:
        """Have the tasks as they were, on a machine that is as it was."""
        self._by_name = {}
        for name, pid, extent, buffers in state:
            task = task_of(self.machine.kernel, pid)
            assert task is not None, f"task {name} is not there again"
            user = self.add(name, task)
            user.arena.extent = extent
            user.buffers = buffers
        self.init = self._by_name["init"]

    def bury(self) -> None:
        """Forget the tasks that are gone."""
        for name in [name for name, user in self._by_name.items() if user.task.exit_state and user is not self.init]:
            del self._by_name[name]
