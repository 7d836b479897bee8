"""What a small program stands on: system calls by name, with Python values put into the task's memory.

A program is `async def main(process, argv) -> int` (its exit status). All it can do is `await process.call(name, ...)`
and look at its memory; where a call sleeps, the program is parked, and whoever runs it goes on with it when the call
has come back. What the kernel told a program is logged, so that another machine in the same state can get the program
too: it is begun again and fed the log.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator
from os import strerror
from typing import TYPE_CHECKING, Final

from kshell.abi.syscalls import BY_NAME
from kshell.world.machine import SyscallInProgress

if TYPE_CHECKING:
    from kshell.linux.include.linux.sched import task_struct
    from kshell.world.arena import Arena
    from kshell.world.machine import Machine

AT_FDCWD: Final = -100

Main = Callable[["Process", "list[str]"], Awaitable[int]]
Value = int | bytes | str
Logged = int | bytes


def raw(text: str) -> bytes:
    """The bytes of an argument: UTF-8, and what was none when it was read as it was."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace")


class ProgramError(Exception):
    """What a program prints on standard error before it ends with `status`."""

    def __init__(self, message: str, status: int = 1) -> None:
        super().__init__(message)
        self.status = status


class UsageError(ProgramError):
    """An option that a program does not know; the message is whole, with the name of the program in front."""


def in_own_words(main: Main) -> Main:
    """A program that does not put its name before what went wrong, as those of net-tools and iproute2."""

    async def wrapped(process: Process, argv: list[str]) -> int:
        try:
            return await main(process, argv)
        except ProgramError as error:
            if str(error):
                process.complain(str(error))
            return error.status

    return wrapped


class SystemCallError(ProgramError):
    """A call failed; errno is positive. str() is what perror() would print."""

    def __init__(self, errno: int, what: str = "") -> None:
        super().__init__(f"{what}: {strerror(errno)}" if what else strerror(errno))
        self.errno = errno


class Killed(BaseException):
    """The task died in a call."""


class Asleep:
    """What a parked program waits for."""

    __slots__ = ("progress",)

    def __init__(self, progress: SyscallInProgress) -> None:
        self.progress = progress

    def __await__(self) -> Generator[Asleep, None, None]:
        while not self.progress.done:
            yield self


class Process:
    """A task that makes calls one after another. out, err: where what it prints goes."""

    def __init__(
        self,
        machine: Machine,
        task: task_struct,
        arena: Arena,
        out: Callable[[str], None] = print,
        err: Callable[[str], None] = print,
    ) -> None:
        self.machine = machine
        self.task = task
        self.arena = arena
        self.out = out
        self.err = err
        self.log: list[Logged] = []
        self._scratch: dict[int, int] = {}
        self._abandoned = False  # its machine is no more: what it would still do in a `finally` is left out
        self._fed = 0  # entries of the log that the program has still to be given

    @property
    def pid(self) -> int:
        """Its process id."""
        return self.task.pid

    # ---- calls

    async def call(self, name: str, *arguments: Value, what: str = "") -> int:
        """The result of a system call; SystemCallError if it failed. Strings get a NUL behind them."""
        result = await self.try_call(name, *arguments)
        if result < 0:
            path = next((a for a in arguments if isinstance(a, str)), "")
            raise SystemCallError(-result, what or path)
        return result

    async def try_call(self, name: str, *arguments: Value) -> int:
        """The result of a system call, negative errno if it failed."""
        if self._abandoned:
            raise GeneratorExit
        fed = self._take()
        if fed is not None:
            assert isinstance(fed, int)
            return fed
        result = await self._do(name, arguments)
        self.log.append(result)
        return result

    async def _do(self, name: str, arguments: tuple[Value, ...]) -> int:
        asleep = self.task._call
        if isinstance(asleep, SyscallInProgress):  # begun again while its call sleeps
            outcome: int | SyscallInProgress = asleep
        else:
            values = tuple(self._value(argument) for argument in arguments)
            outcome = self.machine.syscall(self.task, BY_NAME[name].number, values)
        if not isinstance(outcome, int):
            try:
                await Asleep(outcome)
            except GeneratorExit:
                self._abandoned = True
                raise
            if outcome.result is None:
                raise Killed
            outcome = outcome.result
        self.arena.release()
        return outcome

    def _value(self, argument: Value) -> int:
        if isinstance(argument, int):
            return argument & 0xFFFFFFFFFFFFFFFF
        return self.arena.put(argument if isinstance(argument, bytes) else raw(argument) + b"\0")

    # ---- memory

    def buffer(self, size: int) -> int:
        """Address of `size` bytes that are the program's until it ends."""
        fed = self._take()
        if fed is not None:
            assert isinstance(fed, int)
            return fed
        address = self.arena.take(size)
        self.arena.hold()
        self.log.append(address)
        return address

    def store(self, address: int, data: bytes) -> None:
        """Put bytes into the task's memory."""
        if not self._fed:
            self.arena.store(address, data)

    def memory(self, address: int, size: int) -> bytes:
        """Bytes of the task's memory."""
        fed = self._take()
        if fed is not None:
            assert isinstance(fed, bytes)
            return fed
        assert self.task.mm is not None
        data = bytes(self.task.mm.read(address, size))
        self.log.append(data)
        return data

    def scratch(self, size: int) -> int:
        """Address of bytes for one call; the next one may use them again."""
        held = self._scratch.get(size)
        if held is None:
            held = self._scratch[size] = self.buffer(size)
        return held

    # ---- printing, and being begun again

    def print(self, text: str = "", end: str = "\n") -> None:
        """Print on standard output."""
        if not self._fed:
            self.out(text + end)

    def complain(self, text: str) -> None:
        """Print on standard error."""
        if not self._fed:
            self.err(text + "\n")

    def feed(self, log: list[Logged]) -> None:
        """The program is begun again: give it first what it was given before."""
        self.log = list(log)
        self._fed = len(log)

    def _take(self) -> Logged | None:
        if not self._fed:
            return None
        entry = self.log[len(self.log) - self._fed]
        self._fed -= 1
        return entry
