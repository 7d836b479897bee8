"""Work that a task does on its way back to user space (kernel/task_work.c)."""

from __future__ import annotations

from kshell.linux.include.linux.sched import TIF_NOTIFY_RESUME, callback_head, task_struct, task_work_func_t


def task_work_add(task: task_struct, func: task_work_func_t, arg: object) -> None:
    """Have func(arg) awaited before task returns to user space."""
    task._task_works.append(callback_head(func, arg))
    task.thread_info.flags |= TIF_NOTIFY_RESUME
    kick_process(task)


def kick_process(task: task_struct) -> None:
    """Nothing to do on one CPU: the task is the one that runs."""


async def task_work_run(task: task_struct) -> None:
    """Do the work, in the order of its adding, and what that adds."""
    while task._task_works:
        works, task._task_works = task._task_works, []
        for work in works:
            await work.func(work._arg)
