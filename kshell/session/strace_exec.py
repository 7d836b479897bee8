"""execve() in a replayed log: there is no program to run, but the process changes as the call changes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.signal import SIG_DFL, SIG_IGN
from kshell.linux.fs.file import do_close_on_exec, unshare_fd
from kshell.linux.include.linux.sched import TASK_COMM_LEN
from kshell.linux.kernel.exit import wake_vfork_parent
from kshell.linux.kernel.fork import mm_alloc, mmput
from kshell.linux.kernel.task_work import task_work_run

if TYPE_CHECKING:
    from kshell.linux.include.linux.sched import task_struct
    from kshell.world.machine import Machine


def execute_program(machine: Machine, task: task_struct, path: str) -> None:
    """New name, new memory, descriptors with FD_CLOEXEC closed, handlers gone, a parent in vfork() awake."""
    kernel = machine.kernel
    task.comm = path.rsplit("/", 1)[-1][: TASK_COMM_LEN - 1]
    old = task.mm
    task.mm = mm_alloc(kernel)
    if old is not None:
        mmput(kernel, old)
    for action in task._sighand.action:
        if action.sa_handler != SIG_IGN:
            action.sa_handler, action.sa_flags, action.sa_mask = SIG_DFL, 0, 0
    task._sigframes.clear()
    _close_descriptors(machine, task)
    wake_vfork_parent(task)


def _close_descriptors(machine: Machine, task: task_struct) -> None:
    """Close what is close-on-exec; time passes if closing sleeps (SO_LINGER)."""
    kernel = machine.kernel
    closing = _close_on_exec(task)
    try:
        while True:
            kernel.current = task
            closing.send(None)
            if not machine.clock.run_next():
                closing.close()
                return
    except StopIteration:
        pass
    finally:
        kernel.current = kernel.init_task


async def _close_on_exec(task: task_struct) -> None:
    if task.files.count > 1:
        task.files = unshare_fd(task)
    await do_close_on_exec(task.files)
    await task_work_run(task)
