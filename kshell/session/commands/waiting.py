"""Where tasks wait: `stack`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.session.commands import command
from kshell.session.waiting import stack_lines

if TYPE_CHECKING:
    from kshell.session.session import Session


@command("stack [TASK]", section="look", completion="task")
def do_stack(session: Session, arguments: str) -> None:
    """Show the kernel functions that a sleeping task is in, innermost first.

    stack           of every task that sleeps
    stack server    of one, by name or pid
    stack 4 @12     as it was after command 12
    bt server, bt task 4   the same, as gdb says it; at a stop of the debugger bt shows the running call

    The same functions as in /proc/PID/stack, with Linux's files; the first is where it waits (`ps`,
    /proc/PID/wchan). What Debian's compiler inlines is not on the stack. `why` says what a task waits for.
    """
    name = arguments.strip().removeprefix("task ").strip()
    tasks = [session.find_task(name)] if name else [t for t in session.kernel.tasklist if t._stack is not None]
    for task in tasks:
        lines = stack_lines(task) or ["it runs: no kernel stack to show"]
        session.say("\n".join([f"task {task.pid} ({task.comm})", *(f"  {line}" for line in lines)]))
