"""Where user space enters the kernel and leaves it (arch/x86/entry/common.c, kernel/entry/common.c)."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from types import CoroutineType
from typing import TYPE_CHECKING, Final, NamedTuple

from kshell.abi.errno import EINTR, ENOSYS
from kshell.abi.syscalls import BY_NAME, BY_NUMBER, I386_BY_NUMBER, Syscall
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
    from kshell.linux.include.linux.sched import task_struct

Pending = Coroutine[object, None, int]

SMALL: Final = 0x8000  # a register below this has the same value in every C type

class Entry(NamedTuple):
    """A row of a system call table: the body, and what makes C values of the registers."""

    name: str
    handler: Handler
    converters: tuple[Callable[[int], int], ...]


class SyscallTable(dict[int, "Entry | None"]):
    """number → Entry. A row is made when its call is first made: most programs need few of them."""

    __slots__ = ("_calls", "_handlers")

    def __init__(self, calls: Mapping[int, Syscall], handlers: Mapping[str, Handler]) -> None:
        super().__init__()
        self._calls = calls
        self._handlers = handlers

    def __missing__(self, nr: int) -> Entry | None:
        call = self._calls.get(nr)
        if call is None or call.name not in self._handlers:
            return None
        entry = self[nr] = Entry(call.name, self._handlers[call.name], call.converters)
        return entry


sys_call_table = SyscallTable(BY_NUMBER, X64_CALLS)
ia32_sys_call_table = SyscallTable(I386_BY_NUMBER, IA32_CALLS)


def do_syscall_64(current: task_struct, nr: int, args: tuple[int, ...]) -> int | Pending:
    """Run x86-64 system call nr with register values args: its result, or the coroutine that will give it."""
    return _do_syscall(current, nr, args, sys_call_table[nr & 0xFFFFFFFF])


def do_int80_syscall_32(current: task_struct, nr: int, args: tuple[int, ...]) -> int | Pending:
    """Run i386 system call nr, as int 0x80 does: registers, pointers and structs have 32 bits."""
    current.thread_info.flags |= _TIF_32BIT
    words = tuple(arg & 0xFFFFFFFF for arg in args)
    return _do_syscall(current, nr, words, ia32_sys_call_table[nr & 0xFFFFFFFF])


def _do_syscall(current: task_struct, nr: int, args: tuple[int, ...], entry: Entry | None) -> int | Pending:
    current._syscall = (nr, args)
    values: tuple[int, ...] = ()
    try:
        if entry is None:
            result: int | Pending = -ENOSYS
        else:
            converters = entry.converters
            if len(args) < len(converters):
                args += (0,) * (len(converters) - len(args))
            values = args[: len(converters)]
            for value in values:
                if not 0 <= value < SMALL:
                    values = _c_values(values, converters)
                    break
            result = entry.handler(current, *values)
            if isinstance(result, CoroutineType):
                return _finish(current, entry, values, result, 0)
    except KernelError as error:
        current._last_error = error
        result = -error.errno
    assert isinstance(result, int)
    flags = current.thread_info.flags
    if flags & EXIT_TO_USER_MODE_WORK:
        return _finish(current, entry, values, None, result)
    if flags & _TIF_32BIT:
        current.thread_info.flags = flags & ~_TIF_32BIT
    current._syscall = None
    return result


def _c_values(registers: tuple[int, ...], converters: tuple[Callable[[int], int], ...]) -> tuple[int, ...]:
    return tuple(convert(value) for value, convert in zip(registers, converters, strict=True))


async def _finish(
    current: task_struct, entry: Entry | None, values: tuple[int, ...], pending: Pending | None, result: int
) -> int:
    """Await a body that may sleep; then back to user space, running the call again where a signal asks for that."""
    if pending is not None:
        try:
            result = await pending
        except KernelError as error:
            current._last_error = error
            result = -error.errno
    while True:
        if current.thread_info.flags & EXIT_TO_USER_MODE_WORK:
            restart = await exit_to_user_mode_prepare(current, result)
        else:
            restart = True  # a signal that asked for it went elsewhere meanwhile
        if -result not in RESTARTS:
            break
        if not restart:
            result = -EINTR
            break
        assert entry is not None
        result = await _run_again(current, entry, values, result)
    current.thread_info.flags &= ~_TIF_32BIT
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


async def exit_to_user_mode_prepare(current: task_struct, result: int) -> bool:
    """Work before user space: task work, signals. Whether an interrupted call is to be run again."""
    restart = True
    while current.thread_info.flags & EXIT_TO_USER_MODE_WORK:
        if current.thread_info.flags & TIF_SIGPENDING:
            restart = await arch_do_signal_or_restart(current, result) and restart
        if current.thread_info.flags & TIF_NOTIFY_RESUME:
            current.thread_info.flags &= ~TIF_NOTIFY_RESUME
            await task_work_run(current)
    return restart


def handler_of(name: str) -> Handler | None:
    """The body of x86-64 system call `name`, None where the model has none."""
    call = BY_NAME.get(name)
    entry = sys_call_table[call.number] if call else None
    return entry.handler if entry else None
