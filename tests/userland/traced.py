"""Real programs on kshell's kernel: a host program is stopped at each system call by ptrace(), and what concerns
sockets, /proc, /sys or time is answered by a Machine that reads and writes the program's own memory.

Loading libraries, memory and terminals stay with the host. x86-64 only.
"""

from __future__ import annotations

import ctypes
import os
import platform
import shutil
import signal
import struct
from pathlib import Path
from typing import Final

from kshell.abi.errno import ENODEV
from kshell.abi.syscalls import BY_NUMBER
from kshell.linux.include.linux.mm_types import mm_struct
from kshell.linux.include.linux.sched import task_struct
from kshell.world.machine import Machine

FIRST_FD: Final = 500
"""What the program calls descriptor 0 of its kshell task: the host's stay below."""

MOST_EVENTS: Final = 10_000
"""Events of the clock that a call may wait for."""

TRACEME, CONT, GETREGS, SETREGS, SYSCALL, SETOPTIONS = 0, 7, 12, 13, 24, 0x4200
TRACESYSGOOD, EXITKILL = 1, 0x100000
AT_IGNORE, AT_SYSINFO_EHDR = 1, 33
RAX, ORIG_RAX, RSP = 10, 15, 19
ARGUMENTS: Final = (14, 13, 12, 7, 9, 8)  # rdi, rsi, rdx, r10, r8, r9
_REGS: Final = struct.Struct("<27Q")


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


OURS: Final = _names(
    "socket socketpair getpid getppid getuid geteuid getgid getegid uname sysinfo gettimeofday clock_gettime time "
    "nanosleep clock_nanosleep syslog init_module delete_module mount poll ppoll"
)
BY_FD: Final = _names(
    "read write close fstat lseek ioctl sendto recvfrom sendmsg recvmsg bind connect getsockname getpeername setsockopt "
    "getsockopt listen accept accept4 getdents64 pread64 readv writev fcntl shutdown ftruncate fstatfs fadvise64 dup "
    "finit_module fchdir"
)
BY_PATH: Final = _names(
    "open stat lstat access readlink statfs chdir mkdir unlink rmdir chmod umount2 "
    "lgetxattr getxattr llistxattr listxattr"
)
BY_DIRECTORY: Final = _names("openat newfstatat faccessat faccessat2 readlinkat statx unlinkat mkdirat fchmodat")
MAKES_FD: Final = _names("socket open openat accept accept4 dup")
HOST_PATHS: Final = ("/lib", "/usr", "/etc", "/dev/null", "/dev/tty", "/run", "/var", "/bin", "/sbin", "/selinux")
OWN_FILES: Final = {"/etc/nsswitch.conf": Path(__file__).parent / "nsswitch.conf"}
AT_FDCWD: Final = -100
ENVIRONMENT: Final = {
    "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C", "TZ": "UTC",
    "LD_PRELOAD": "/usr/libexec/coreutils/libstdbuf.so", "_STDBUF_O": "0",
}  # fmt: skip
"""Output is not buffered, so that it stands in order with what is told on standard error."""

_libc = ctypes.CDLL(None, use_errno=True)
_libc.ptrace.argtypes = (ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p)
_libc.ptrace.restype = ctypes.c_long


def _ptrace(request: int, pid: int, address: int = 0, data: int = 0) -> None:
    if _libc.ptrace(request, pid, address, data) < 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))


class _Memory(mm_struct):
    """The memory of a process of the host."""

    __slots__ = ("fd",)

    def __init__(self, pid: int) -> None:
        super().__init__()
        self.fd = os.open(f"/proc/{pid}/mem", os.O_RDWR)

    def read_short(self, addr: int, length: int) -> bytes:
        try:
            return os.pread(self.fd, length, addr)
        except OSError:
            return b""

    def write_short(self, addr: int, data: bytes) -> int:
        try:
            return os.pwrite(self.fd, data, addr)
        except OSError:
            return 0

    def string(self, addr: int) -> str:
        """A C string."""
        return self.read_short(addr, 4096).split(b"\0", 1)[0].decode("utf-8", "replace")


class Finished:
    """What came of a run: its exit status, and what it printed on standard output and standard error."""

    def __init__(self, status: int, text: str) -> None:
        self.status = status
        self.text = text


class Traced:
    """One run of a program of the host in a task of a Machine."""

    def __init__(self, machine: Machine, task: task_struct, argv: list[str], env: dict[str, str]) -> None:
        self.machine = machine
        self.task = task
        self.opened: set[int] = set()
        self.calls: list[str] = []
        self._printed = os.memfd_create("printed")
        self.pid = self._start(argv, ENVIRONMENT | env)

    def _start(self, argv: list[str], env: dict[str, str]) -> int:
        pid = os.fork()
        if not pid:
            try:
                os.dup2(os.open("/dev/null", os.O_RDONLY), 0)
                os.dup2(self._printed, 1)
                os.dup2(1, 2)
                _ptrace(TRACEME, 0)
                os.execvpe(argv[0], argv, env)
            finally:
                os._exit(127)
        return pid

    def run(self) -> Finished:
        """Until it ends."""
        _, status = os.waitpid(self.pid, 0)
        if os.WIFEXITED(status):
            raise OSError("it does not start")
        _ptrace(SETOPTIONS, self.pid, 0, TRACESYSGOOD | EXITKILL)
        memory = _Memory(self.pid)
        own, self.task.mm = self.task.mm, memory
        try:
            self._hide_vdso(memory)
            status = self._until_ended(memory)
        finally:
            self.task.mm = own
            os.close(memory.fd)
            for fd in sorted(self.opened):
                self._answer("close", (fd,))
        with open(self._printed, "rb") as printed:
            printed.seek(0)
            text = printed.read().decode("utf-8", "backslashreplace")
        return Finished(os.waitstatus_to_exitcode(status), text)

    def _hide_vdso(self, memory: _Memory) -> None:
        """Without it the program asks for the time by system calls."""
        at = self._registers()[RSP]
        words = struct.unpack("<1024Q", memory.read_short(at, 8192).ljust(8192, b"\0"))
        end_of_argv = words.index(0, 1)
        begin = words.index(0, end_of_argv + 1) + 1
        for index in range(begin, len(words) - 1, 2):
            if words[index] == AT_SYSINFO_EHDR:
                memory.write_short(at + 8 * index, struct.pack("<Q", AT_IGNORE))
            if not words[index]:
                return

    def _registers(self) -> list[int]:
        buffer = ctypes.create_string_buffer(_REGS.size)
        _ptrace(GETREGS, self.pid, 0, ctypes.addressof(buffer))
        return list(_REGS.unpack(buffer.raw))

    def _set_registers(self, registers: list[int]) -> None:
        buffer = ctypes.create_string_buffer(_REGS.pack(*registers))
        _ptrace(SETREGS, self.pid, 0, ctypes.addressof(buffer))

    def _wait(self, signo: int = 0) -> int:
        """Go on to the next stop; its wait status."""
        _ptrace(SYSCALL, self.pid, 0, signo)
        return os.waitpid(self.pid, 0)[1]

    def _until_ended(self, memory: _Memory) -> int:
        signo = 0
        while True:
            status = self._wait(signo)
            if not os.WIFSTOPPED(status):
                return status
            stopped = os.WSTOPSIG(status)
            signo = 0 if stopped in (signal.SIGTRAP | 0x80, signal.SIGTRAP) else stopped
            if stopped == signal.SIGTRAP | 0x80 and (status := self._call(memory)) is not None:
                return status

    def _call(self, memory: _Memory) -> int | None:
        """At the entry of a call: answer it, or have the host do so. The wait status if it ended the program."""
        registers = self._registers()
        call = BY_NUMBER.get(registers[ORIG_RAX])
        result = self._route(call.name, [registers[at] for at in ARGUMENTS], memory) if call is not None else None
        if result is not None:
            registers[ORIG_RAX] = 0xFFFFFFFFFFFFFFFF
            self._set_registers(registers)
        elif call is not None:
            self._own_file(call.name, registers, memory)
        status = self._wait()
        if not os.WIFSTOPPED(status):
            return status
        if result is not None:
            registers = self._registers()
            registers[RAX] = result & 0xFFFFFFFFFFFFFFFF
            self._set_registers(registers)
        return None

    def _own_file(self, name: str, registers: list[int], memory: _Memory) -> None:
        """Have the program open ours in place of a file of the host: below its stack is room for the name."""
        if name == "openat" and memory.string(registers[ARGUMENTS[1]]) in OWN_FILES:
            path = OWN_FILES[memory.string(registers[ARGUMENTS[1]])]
            registers[ARGUMENTS[1]] = registers[RSP] - 4096
            memory.write_short(registers[RSP] - 4096, str(path).encode() + b"\0")
            self._set_registers(registers)

    def _route(self, name: str, arguments: list[int], memory: _Memory) -> int | None:
        """kshell's answer; None: the host's."""
        first = ctypes.c_int(arguments[0]).value
        if name in ("poll", "ppoll"):
            return self._poll(name, arguments, memory)
        if name in ("select", "pselect6"):
            return self._select(name, arguments, memory)
        if name in BY_FD or name in BY_DIRECTORY:
            arguments[0] = (first - FIRST_FD if first >= FIRST_FD else first) & 0xFFFFFFFFFFFFFFFF
        if name == "mmap" and ctypes.c_int(arguments[4]).value >= FIRST_FD:
            return -ENODEV
        ours = (
            name in OURS
            or (name in BY_FD and first >= FIRST_FD)
            or (name in BY_PATH and self._is_ours(memory.string(arguments[0])))
            or (name in BY_DIRECTORY and self._is_ours(memory.string(arguments[1]), first))
        )
        if not ours:
            return None
        self.calls.append(name)
        result = self._answer(name, tuple(arguments))
        if name == "close":
            self.opened.discard(arguments[0])
        if name in MAKES_FD and result >= 0:
            self.opened.add(result)
            result += FIRST_FD
        return result

    @staticmethod
    def _is_ours(path: str, directory: int = AT_FDCWD) -> bool:
        if not path.startswith("/"):
            return directory >= FIRST_FD or (directory == AT_FDCWD and bool(path))
        return not path.startswith(HOST_PATHS)

    def _answer(self, name: str, arguments: tuple[int, ...]) -> int:
        number = next(number for number, call in BY_NUMBER.items() if call.name == name)
        outcome = self.machine.syscall(self.task, number, arguments)
        if isinstance(outcome, int):
            return outcome
        for _ in range(MOST_EVENTS):
            self.machine.run()
            if outcome.done:
                assert outcome.result is not None, "the task was killed"
                return outcome.result
            if self.machine.run_next_event() is None:
                break
        raise AssertionError(f"{name}() does not come back")

    def _select(self, name: str, arguments: list[int], memory: _Memory) -> int:
        """The same by sets of bits."""
        size = -(-arguments[0] // 64) * 8
        sets = [address for address in arguments[1:4] if address]
        for address in sets:
            bits = int.from_bytes(memory.read_short(address, size), "little") >> FIRST_FD
            memory.write_short(address, bits.to_bytes(size, "little"))
        result = self._answer(name, (max(0, arguments[0] - FIRST_FD), *arguments[1:]))
        for address in sets:
            bits = int.from_bytes(memory.read_short(address, size), "little") << FIRST_FD
            memory.write_short(address, (bits & (1 << 8 * size) - 1).to_bytes(size, "little"))
        return result

    def _poll(self, name: str, arguments: list[int], memory: _Memory) -> int:
        """Descriptors of the host are never ready."""
        size = 8 * arguments[1]
        asked = memory.read_short(arguments[0], size)
        entries = [list(entry) for entry in struct.iter_unpack("<ihh", asked)]
        memory.write_short(
            arguments[0],
            b"".join(struct.pack("<ihh", fd - FIRST_FD if fd >= FIRST_FD else -1, e, 0) for fd, e, _ in entries),
        )
        result = self._answer(name, tuple(arguments))
        ready = [entry[2] for entry in struct.iter_unpack("<ihh", memory.read_short(arguments[0], size))]
        memory.write_short(
            arguments[0],
            b"".join(struct.pack("<ihh", fd, e, r) for (fd, e, _), r in zip(entries, ready, strict=True)),
        )
        return result


def run(machine: Machine, task: task_struct, argv: list[str], **env: str) -> Finished:
    """Run a program of the host in a task of a machine."""
    return Traced(machine, task, argv, env).run()


def why_not() -> str:
    """Why programs can't be traced here; "" if they can."""
    if platform.machine() != "x86_64" or platform.system() != "Linux":
        return "programs of x86-64 Linux only"
    if not os.path.exists(ENVIRONMENT["LD_PRELOAD"]):
        return "coreutils' libstdbuf.so is not here"
    try:
        machine = Machine()
        run(machine, machine.init, ["true"])
    except OSError as error:
        return f"ptrace() is not allowed: {error}"
    return ""


def program(name: str) -> str | None:
    """Where a program is, those for the administrator included."""
    return shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin")
