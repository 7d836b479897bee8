"""The kernel stack of a task that sleeps (kernel/stacktrace.c, arch/x86/kernel/process.c).

A sleeping call is a parked coroutine: the functions that await each other are the stack. The names are those that the
stacks of a real 6.1.192 (Debian 12) show, so what its compiler inlined, or left by a jump, is left out (_NO_FRAME).
There are no offsets: the model has no machine code.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import CoroutineType, FrameType
from typing import TYPE_CHECKING, Final

from kshell.abi.syscalls import BY_NUMBER, I386_BY_NUMBER
from kshell.linux.include.linux.sched import _TIF_32BIT, REST_OF

if TYPE_CHECKING:
    from kshell.linux.include.linux.sched import task_struct

_SCHED_FUNCTIONS: Final = frozenset({
    "schedule", "schedule_timeout", "schedule_hrtimeout_range", "schedule_hrtimeout_range_clock", "do_nanosleep",
})  # fmt: skip
"""Functions in the section .sched.text: no place to sleep in, but the way to it."""

_NO_FRAME: Final = frozenset({
    "wait_event", "wait_event_interruptible", "inet_csk_wait_for_connect", "inet_wait_for_connect", "ep_poll",
    "do_poll", "poll_schedule_timeout", "unix_stream_data_wait", "sock_recvmsg", "inet_sendmsg",
    "exit_to_user_mode_prepare", "__sys_accept4_file", "__sys_connect_file", "do_epoll_pwait",
})  # fmt: skip
"""Macros, functions that are inlined, and those that end in a jump to the next."""

_ENTRY: Final = {
    "read": (), "write": (), "pread64": (), "pwrite64": (), "pause": ("__do_sys_pause",), "wait4": ("__do_sys_wait4",),
    "waitid": ("__do_sys_waitid",),
}  # fmt: skip
"""What is left of the entry function on the stack; `__x64_sys_X` of all others."""



def in_sched_functions(name: str) -> bool:
    """Whether a function belongs to the scheduler."""
    return name in _SCHED_FUNCTIONS


def _frames(task: task_struct) -> Iterator[FrameType]:
    """The frames of a parked task, outermost first; those of the tracer's twins (`<kshell …>`) are no part of it."""
    stack: object = task._stack
    while isinstance(stack, CoroutineType):
        if stack.cr_frame is not None and not stack.cr_code.co_filename.startswith("<"):
            yield stack.cr_frame
        stack = stack.cr_await


def _chain(task: task_struct) -> list[str]:
    """The functions that a parked task is in, outermost first; helpers that only the model has left out."""
    names = (frame.f_code.co_name.removeprefix(REST_OF) for frame in _frames(task))
    return [name for name in names if name[:1] != "_" or name[:2] == "__"]


def stack_trace_save_tsk(task: task_struct) -> list[str]:
    """The functions on the kernel stack of a task that is not running, innermost first."""
    if task._stack is None:
        return []
    inner = [name for name in reversed(_chain(task)) if not name.startswith("sys_") and name not in _NO_FRAME]
    while inner and in_sched_functions(inner[0]):
        del inner[0]
    return [*inner, *_entry(task)]


def _entry(task: task_struct) -> tuple[str, ...]:
    """The outermost functions: where a kernel thread begins, or a system call."""
    if task.mm is None:
        return ("ret_from_fork",) if task.pid == 2 else ("kthread", "ret_from_fork")
    if task._syscall is None:
        return ()
    number = task._syscall[0] & 0xFFFFFFFF
    if task.thread_info.flags & _TIF_32BIT:
        call = I386_BY_NUMBER.get(number)
        compat = ("__ia32_compat_sys_socketcall",) if call and call.name == "socketcall" else ()
        plain = (f"__ia32_sys_{call.name}",) if call and not compat else ()
        return (*compat, *plain, "do_int80_emulation", "asm_int80_emulation")
    call = BY_NUMBER.get(number)
    name = call.name if call else ""
    return (*_ENTRY.get(name, (f"__x64_sys_{name}",)), "do_syscall_64", "entry_SYSCALL_64_after_hwframe")


def __get_wchan(p: task_struct) -> str:
    """Where p sleeps: the innermost function that is none of the scheduler's."""
    return next(iter(stack_trace_save_tsk(p)), "")
