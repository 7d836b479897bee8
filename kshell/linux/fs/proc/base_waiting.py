"""Where a task waits: /proc/PID/stack, wchan and syscall (fs/proc/base.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.capability import CAP_SYS_ADMIN
from kshell.abi.errno import EACCES, EPERM
from kshell.linux.fs.seq_file import seq_puts
from kshell.linux.include.linux.err import KernelError
from kshell.linux.kernel.capability import file_ns_capable
from kshell.linux.kernel.ptrace import ptrace_may_access
from kshell.linux.kernel.sched.core import get_wchan
from kshell.linux.kernel.stacktrace import stack_trace_save_tsk

if TYPE_CHECKING:
    from kshell.linux.include.linux.sched import task_struct
    from kshell.linux.include.linux.seq_file import seq_file


def lock_trace(current: task_struct, task: task_struct) -> None:
    """Whether current may trace the task. EPERM."""
    if not ptrace_may_access(current, task):
        raise KernelError(EPERM)


def proc_pid_stack(m: seq_file, task: task_struct) -> None:
    """/proc/PID/stack: the functions the task sleeps in, innermost first. EACCES: without CAP_SYS_ADMIN."""
    kernel = task.kernel
    assert m.file is not None
    if not file_ns_capable(m.file, kernel.init_user_ns, CAP_SYS_ADMIN):
        raise KernelError(EACCES)
    lock_trace(kernel.current, task)
    for name in stack_trace_save_tsk(task):
        seq_puts(m, f"[<0>] {name}\n")


def proc_pid_wchan(m: seq_file, task: task_struct) -> None:
    """/proc/PID/wchan: the function the task sleeps in; 0: it does not, or that is none of current's business."""
    seen = ptrace_may_access(task.kernel.current, task)
    seq_puts(m, (get_wchan(task) if seen else "") or "0")


def proc_pid_syscall(m: seq_file, task: task_struct) -> None:
    """/proc/PID/syscall: number and arguments of the call the task sleeps in, stack pointer and program counter.

    Those two are 0: the programs of the model have neither stack nor code.
    """
    lock_trace(task.kernel.current, task)
    if task.exit_state:
        seq_puts(m, "-1 0x0 0x0\n")
    elif task._stack is None:
        seq_puts(m, "running\n")
    elif task._syscall is None:
        seq_puts(m, "-1 0x0 0x0\n")
    else:
        number, args = task._syscall
        words = [*args, 0, 0, 0, 0, 0, 0][:6]
        seq_puts(m, f"{number} {' '.join(f'{word:#x}' for word in (*words, 0, 0))}\n")
