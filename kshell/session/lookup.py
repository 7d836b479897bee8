"""What commands ask a session for: tasks by name, where they sleep, values of expressions, system calls."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.session.commands import CommandError
from kshell.session.sleeping import wchan_of

if TYPE_CHECKING:
    from kshell.abi.syscalls import Syscall
    from kshell.linux.include.linux.sched import task_struct
    from kshell.linux.init.kernel import Kernel
    from kshell.linux.mm.slub import kmem_cache
    from kshell.session.calls import Calls
    from kshell.session.hosts import Host, Hosts
    from kshell.session.tasks import Tasks, UserTask
    from kshell.world.arena import Arena


class Lookup:
    """Answers from what the session has."""

    calls_of_tasks: Calls
    current: UserTask
    hosts: Hosts

    if TYPE_CHECKING:

        @property
        def host(self) -> Host: ...

        @property
        def kernel(self) -> Kernel: ...

        @property
        def tasks(self) -> Tasks: ...

    def user(self, name: str) -> UserTask:
        """The task of that name; a new name makes a task."""
        return self.hosts.user(name, self.host)

    def find_user(self, name: str) -> UserTask:
        """The task of that name or pid; CommandError if there is none."""
        found = self.tasks.get(name) or self.tasks.by_pid(name) or self.hosts.named(name)
        if found is None:
            raise CommandError(f"there is no task {name!r}", f"there are: {', '.join(self.tasks.names())}")
        return found

    def find_task(self, name: str) -> task_struct:
        """The task of that name or pid, those without a name in this session included."""
        for task in self.kernel.tasklist:
            if str(task.pid) == name:
                return task
        return self.find_user(name).task

    def new_name(self) -> str:
        """A name that no task bears."""
        return next(name for i in range(1, 1 << 30) if self.tasks.get(name := f"task{i}") is None)

    def name_of(self, task: task_struct) -> str:
        """The session's name of a task, "" if it has none."""
        return self.tasks.name_of(task)

    def task_table(self) -> str:
        """The tasks by name, with what they are doing."""
        lines = []
        for user in self.tasks:
            pending = self.calls_of_tasks.pending.get(user.task)
            doing = f"sleeps in {pending.prepared.name}" if pending else "runs commands"
            mark = "*" if user is self.current else " "
            lines.append(f"{mark} {user.name:12} pid {user.task.pid:<5} {doing}")
        return "\n".join(lines)

    def where(self, task: task_struct) -> list[str]:
        """The kernel functions a sleeping task is in, outermost first."""
        return self.calls_of_tasks.chain(task)

    def sleeping_call(self, user: UserTask) -> str:
        """The name of the system call that a task sleeps in; "" if it runs commands."""
        pending = self.calls_of_tasks.pending.get(user.task)
        return pending.prepared.name if pending else ""

    def wchan(self, task: task_struct) -> str:
        """The function a sleeping task waits in; "" if it does not sleep."""
        return wchan_of(task)

    def evaluate(self, text: str) -> object:
        """The value of an expression over the kernel's objects; CommandError if it has none."""
        return self.calls_of_tasks.evaluate(text)

    def print_text(self, text: str) -> str:
        """The value of an expression, printed."""
        return self.calls_of_tasks.print_text(text)

    def hold(self, text: str) -> None:
        """Report whether an expression is true."""
        self.calls_of_tasks.hold(text)

    def number(self, text: str) -> int:
        """A number, or a variable that holds one."""
        value = self.calls_of_tasks.variables.get(text)
        try:
            return value if isinstance(value, int) else int(text, 0)
        except ValueError:
            raise CommandError(f"{text!r} is no number and no variable") from None

    def is_number(self, text: str) -> bool:
        """Whether a word is a number, or a variable that holds one."""
        try:
            self.number(text)
        except CommandError:
            return False
        return True

    def arena(self, user: UserTask) -> Arena:
        """The session's memory in a task."""
        return user.arena

    def calls(self) -> dict[str, Syscall]:
        """All system calls by name."""
        from kshell.abi.syscalls import BY_NAME

        return dict(BY_NAME)

    def implemented(self) -> frozenset[str]:
        """The names of the calls this kernel has."""
        from kshell.linux.arch.x86.entry.syscall_64 import X64_CALLS

        return frozenset(X64_CALLS)

    def slab_count(self, cache: kmem_cache) -> int:
        """Objects of a slab cache in use."""
        return cache._inuse
