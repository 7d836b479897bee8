"""Where user space enters the kernel and leaves it (arch/x86/entry/common.c, kernel/entry/common.c)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Mapping
from types import CoroutineType
from typing import TYPE_CHECKING, Final

from kshell.abi.errno import EINTR, ENOSYS
from kshell.abi.syscalls import BY_NUMBER, I386_BY_NUMBER, Syscall
from kshell.linux.arch.x86.entry.syscall_32 import IA32_CALLS
from kshell.linux.arch.x86.entry.syscall_64 import X64_CALLS, Handler
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.errno import ERESTART_RESTARTBLOCK, RESTARTS
from kshell.linux.include.linux.sched import (
    _TIF_32BIT,
    EXIT_TO_USER_MODE_WORK,
    TIF_NOTIFY_RESUME,
    TIF_SIGPENDING,
)
from kshell.linux.kernel.signal_deliver import arch_do_signal_or_restart
from kshell.linux.kernel.task_work import task_work_run

if TYPE_CHECKING:
    from kshell.linux.include.linux.sched import Rest, task_struct

Pending = Coroutine[object, None, int]

NOT_32BIT: Final = ~_TIF_32BIT
NOT_NOTIFY_RESUME: Final = ~TIF_NOTIFY_RESUME
REGISTERS: Final = (0,) * 6
NOT_SMALL: Final = -0x8000  # a register without any of these bits has the same value in every C type


class Entry:
    """A row of a system call table: the body, and what makes C values of the registers it takes."""

    __slots__ = ("converters", "handler", "nargs")

    def __init__(self, handler: Handler, converters: tuple[Callable[[int], int], ...]) -> None:
        self.handler = handler
        self.converters = converters
        self.nargs = len(converters)


class SyscallTable(dict[int, "Entry | None"]):
    """number → Entry. A row is made when its call is first made: most programs need few of them."""

    __slots__ = ("_calls", "_handlers")

    def __init__(self, calls: Mapping[int, Syscall], handlers: Mapping[str, Handler]) -> None:
        super().__init__()
        self._calls = calls
        self._handlers = handlers

    def __missing__(self, nr: int) -> Entry | None:
        if nr >> 32:
            return self[nr & 0xFFFFFFFF]
        call = self._calls.get(nr)
        if call is None or call.name not in self._handlers:
            return None
        entry = self[nr] = Entry(self._handlers[call.name], call.converters)
        return entry


sys_call_table = SyscallTable(BY_NUMBER, X64_CALLS)
ia32_sys_call_table = SyscallTable(I386_BY_NUMBER, IA32_CALLS)


def do_syscall_64(
    current: task_struct, nr: int, args: tuple[int, ...], table: SyscallTable = sys_call_table
) -> int | Pending:
    """Run x86-64 system call nr with register values args: its result, or the coroutine that will give it."""
    current._syscall = (nr, args)
    entry = table[nr]
    try:
        if entry is None:
            result: int | Pending = -ENOSYS
        else:
            if len(args) != entry.nargs:
                args = (args + REGISTERS)[: entry.nargs]
            for value in args:
                if value & NOT_SMALL:
                    args = _c_values(args, entry.converters)
                    break
            result = entry.handler(current, *args)
    except KernelError as error:
        current._last_error = error
        result = -error.errno
    if not isinstance(result, int):
        return _finish(current, entry, args, result)
    flags = current.thread_info.flags
    if flags:
        if flags & EXIT_TO_USER_MODE_WORK:
            restart = exit_to_user_mode_prepare(current, result)
            if restart is not True or result < 0:
                return _leave(current, entry, args, restart, result)
        current.thread_info.flags &= NOT_32BIT
    current._syscall = None
    return result


def do_int80_syscall_32(current: task_struct, nr: int, args: tuple[int, ...]) -> int | Pending:
    """Run i386 system call nr, as int 0x80 does: registers, pointers and structs have 32 bits."""
    current.thread_info.flags |= _TIF_32BIT
    return do_syscall_64(current, nr, tuple(arg & 0xFFFFFFFF for arg in args), ia32_sys_call_table)


def _c_values(registers: tuple[int, ...], converters: tuple[Callable[[int], int], ...]) -> tuple[int, ...]:
    return tuple([convert(value) for value, convert in zip(registers, converters, strict=True)])


async def _finish(current: task_struct, entry: Entry | None, values: tuple[int, ...], pending: Pending) -> int:
    """Await a body that may sleep; then back to user space."""
    try:
        result = await pending
    except KernelError as error:
        current._last_error = error
        result = -error.errno
    if current.thread_info.flags or result < 0:
        return await _leave(current, entry, values, _prepare(current, result), result)
    current._syscall = None
    return result


async def _leave(
    current: task_struct, entry: Entry | None, values: tuple[int, ...], restart: bool | Awaitable[bool], result: int
) -> int:
    """Back to user space, running the call again where a signal asks for that."""
    while True:
        if not isinstance(restart, bool):
            restart = await restart
        if -result not in RESTARTS:
            break
        if not restart:
            result = -EINTR
            break
        assert entry is not None
        result = await _run_again(current, entry, values, result)
        restart = _prepare(current, result)
    current.thread_info.flags &= NOT_32BIT
    current._syscall = None
    return result


async def _run_again(current: task_struct, entry: Entry, values: tuple[int, ...], result: int) -> int:
    """Restart an interrupted call, or go on by its restart block."""
    try:
        if result == -ERESTART_RESTARTBLOCK and current._restart_block.fn is not None:
            return await current._restart_block.fn()
        again = entry.handler(current, *values)
        return await again if isinstance(again, CoroutineType) else int(again)  # type: ignore[arg-type]
    except KernelError as error:
        current._last_error = error
        return -error.errno


def _prepare(current: task_struct, result: int) -> bool | Coroutine[object, None, bool]:
    """exit_to_user_mode_prepare() where there is something to do."""
    return not current.thread_info.flags & EXIT_TO_USER_MODE_WORK or exit_to_user_mode_prepare(current, result)


def exit_to_user_mode_prepare(current: task_struct, result: int) -> bool | Coroutine[object, None, bool]:
    """Work before user space: task work, signals. Whether an interrupted call is to be run again."""
    thread = current.thread_info
    rest = None
    if not thread.flags & TIF_SIGPENDING:
        thread.flags &= NOT_NOTIFY_RESUME
        rest = task_work_run(current)
        if rest is None and not thread.flags & EXIT_TO_USER_MODE_WORK:
            return True
    return _rest_of_exit_to_user_mode_prepare(current, result, rest)


async def _rest_of_exit_to_user_mode_prepare(current: task_struct, result: int, rest: Rest | None) -> bool:
    """Signals, which may stop the task, and `rest`: task work that has to wait."""
    thread = current.thread_info
    restart = True
    if rest is not None:
        await rest
    while thread.flags & EXIT_TO_USER_MODE_WORK:
        if thread.flags & TIF_SIGPENDING:
            restart = await arch_do_signal_or_restart(current, result) and restart
        if thread.flags & TIF_NOTIFY_RESUME:
            thread.flags &= NOT_NOTIFY_RESUME
            rest = task_work_run(current)
            if rest is not None:
                await rest
    return restart
