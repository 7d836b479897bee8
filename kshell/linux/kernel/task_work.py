"""Work that a task does on its way back to user space (kernel/task_work.c)."""

from __future__ import annotations

from collections.abc import Iterator

from kshell.linux.include.linux.sched import TIF_NOTIFY_RESUME, Rest, task_struct, task_work_func_t


def task_work_add(task: task_struct, func: task_work_func_t, arg: object) -> None:
    """Have func(arg) called before task returns to user space."""
    task._task_works.append((func, arg))
    task.thread_info.flags |= TIF_NOTIFY_RESUME
    kick_process(task)


def kick_process(task: task_struct) -> None:
    """Nothing to do on one CPU: the task is the one that runs."""


def task_work_run(task: task_struct) -> Rest | None:
    """Do the work, in the order of its adding, and what that adds."""
    while task._task_works:
        works, task._task_works = iter(task._task_works), []
        for func, arg in works:
            rest = func(arg)
            if rest is not None:
                return _rest_of_task_work_run(task, rest, works)
    return None


async def _rest_of_task_work_run(
    task: task_struct, rest: Rest, works: Iterator[tuple[task_work_func_t, object]]
) -> None:
    await rest
    for func, arg in works:
        more = func(arg)
        if more is not None:
            await more
    if task._task_works:
        more = task_work_run(task)
        if more is not None:
            await more
