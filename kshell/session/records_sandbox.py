"""The process that a recorded case runs in: fresh, in an empty directory, with one writable mapping."""

import sys

from kshell.abi.signal import SA_RESTART, SIGALRM, SIGPIPE
from kshell.linux.fs.proc.proc_sysctl import _sysctl_set
from kshell.linux.fs.select import STICKY_TIMEOUTS
from kshell.linux.include.linux.sched import k_sigaction, task_struct
from kshell.linux.include.trace.events import Record, SignalDeliver
from kshell.linux.kernel.pid import find_task_by_vpid
from kshell.session.records import Call, Header, Memory, Outcome
from kshell.world.machine import Machine, SyscallInProgress

WINDOW = 0x20000000
WINDOW_SIZE = 0x400000  # as the recorder had: sends from its last bytes run into EFAULT
SCRATCH = 0x10000000
HANDLER = 0x400000  # any address of user space will do
NS = 1_000_000_000

SYS_FORK, SYS_KILL, SYS_CHDIR, SYS_MKDIR, SYS_CHMOD, SYS_CHOWN = 57, 62, 80, 83, 90, 92
SYS_SETUID, SYS_SETGID, SYS_SETGROUPS = 105, 106, 116

DIRECTORY = b"/tmp/case\0"
CORE_SETTINGS = frozenset({"rmem_default", "wmem_default", "rmem_max", "wmem_max", "optmem_max", "somaxconn"})
SIGNAL_NAMES = {SIGPIPE: "SIGPIPE", SIGALRM: "SIGALRM"}


class Sandbox:
    """A machine and the task that makes the recorded calls; `pid`: its number, 0 for the next free one."""

    def __init__(self, header: Header, pid: int = 0) -> None:
        self.machine = Machine(seed=0)
        if pid:
            self.machine.kernel.pid_max = max(self.machine.kernel.pid_max, pid + 1)
            self.machine.kernel.init_pid_ns.last_pid = pid - 1
        self.block_ns = int(header.block_s * NS)
        self._signals: list[str] = []
        for path, value in header.sysctl.items():
            self._set(f"net/core/{path}" if path in CORE_SETTINGS else path, value)
        self.task = self._new_process()
        self.machine.kernel.observe(self._observe)

    def _set(self, path: str, value: str) -> None:
        try:
            _sysctl_set(self.machine.kernel, path, value)
        except KeyError:
            print(f"no setting {path}", file=sys.stderr)

    def _new_process(self) -> task_struct:
        init = self.machine.init
        pid = self._must(init, SYS_FORK)
        task = find_task_by_vpid(init, pid)
        assert task is not None
        assert task.mm is not None
        task.mm.map(SCRATCH, 4096)
        task.mm.map(WINDOW, WINDOW_SIZE)
        task.mm.write(SCRATCH, DIRECTORY)
        self._must(task, SYS_MKDIR, SCRATCH, 0o777)
        self._must(task, SYS_CHMOD, SCRATCH, 0o777)  # the recorder's had all bits, whatever the umask
        self._must(task, SYS_CHDIR, SCRATCH)
        task.personality |= STICKY_TIMEOUTS  # the recorder's select() left its timeout alone
        task._sighand.action[SIGPIPE - 1] = k_sigaction(HANDLER, SA_RESTART)
        task._sighand.action[SIGALRM - 1] = k_sigaction(HANDLER)
        return task

    def _must(self, task: task_struct, number: int, *args: int) -> int:
        result = self.machine.syscall(task, number, args)
        if not isinstance(result, int) or result < 0:
            raise RuntimeError(f"preparing the process: call {number} gave {result}")
        return result

    def set_user(self, uid: int) -> None:
        """Go on as user and group `uid`, without capabilities unless that is root."""
        if uid:
            self._must(self.task, SYS_CHOWN, SCRATCH, uid, uid)
            self._must(self.task, SYS_SETGROUPS, 0, 0)
            self._must(self.task, SYS_SETGID, uid)
            self._must(self.task, SYS_SETUID, uid)

    def sleep(self, seconds: float) -> None:
        """Let virtual time pass."""
        self.machine.run_for(int(seconds * NS))

    def execute(self, call: Call, regions: dict[int, int]) -> Outcome:
        """Make one call with its memory in place; one that sleeps longer than the recorder waited is interrupted."""
        assert self.task.mm is not None
        for address, content in call.before:
            self.task.mm.write(address, content)
        self._signals.clear()
        result = self.machine.syscall(self.task, call.nr, call.regs)
        blocked = False
        if isinstance(result, SyscallInProgress):
            self.machine.run_for(self.block_ns)
            blocked = not result.done
            if blocked:
                self._must(self.machine.init, SYS_KILL, self.task.pid, SIGALRM)
                self.machine.run()
            if not result.done:
                raise RuntimeError(f"{call.name} sleeps on after a signal")
            result = 0 if result.result is None else result.result
        else:
            self.machine.run()
        memory: tuple[Memory, ...] = tuple(
            (address, self.task.mm.read(address, length)) for address, length in regions.items()
        )
        return Outcome(result, blocked, tuple(self._signals), memory)

    def _observe(self, record: Record) -> None:
        if isinstance(record, SignalDeliver) and record.pid == self.task.pid and record.signo != SIGALRM:
            self._signals.append(SIGNAL_NAMES.get(record.signo, str(record.signo)))
