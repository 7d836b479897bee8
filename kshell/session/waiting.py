"""The stack of a task that sleeps, for people: `stack` and the debugger's `bt` show it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kshell.lens.linux_files import file_of_step
from kshell.linux.kernel.stacktrace import _frames, stack_trace_save_tsk

if TYPE_CHECKING:
    from kshell.linux.include.linux.sched import task_struct

MODEL: Final = "kshell/linux/"


def stack_lines(task: task_struct) -> list[str]:
    """`#0  pipe_read  fs/pipe.c`, innermost first, as /proc/PID/stack has them; none if the task does not sleep."""
    names = stack_trace_save_tsk(task)
    codes = [frame.f_code for frame in _frames(task)]
    files = {c.co_name: file_of_step(c.co_name, c.co_filename.rpartition(MODEL)[2]) for c in codes}
    width = max(map(len, names), default=0)
    return [f"#{i:<2} {name:{width}}  {files.get(name, '')}".rstrip() for i, name in enumerate(names)]
